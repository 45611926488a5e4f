"""Every class of defect is put into a made camera and comes out with its step, blocks and wavelengths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.causes import CAUSES, NO, YES, causes
from ifuview.engine.night.compare import compared
from ifuview.engine.night.extent import NightReach, with_extent
from ifuview.engine.night.sky_light import bumps
from ifuview.engine.night.stats import continuum, filled, median_where
from ifuview.engine.numeric.runs import runs
from ifuview.recipes import desi_qa
from tests.engine.night.made import NFIBER, NOISE, WAVE, bump, camera, in_fibers


def found(chain, kinds=None):
    out = desi_qa.run(chain, 1, "r1").findings
    return [f for f in out if kinds is None or f.kind in kinds]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_clean_camera_has_no_finding(seed):
    assert found(camera(seed)) == []


def test_a_sky_model_that_is_wrong_in_blocks_is_named_with_its_blocks():
    model = 40 * in_fibers(100, 150) * bump(6300, 60) - 15 * in_fibers(350, 400) * bump(6300, 60)
    (one,) = found(camera(model=model))
    assert (one.kind, one.first_step, one.blocks, one.block_size) == ("wavelength-blocks", "sky", (2, 7), 50)
    assert one.amplitude == pytest.approx(-40, abs=8)  # too much sky leaves too little flux
    low, high = one.wave_range
    assert 6080 < low < 6200
    assert 6400 < high < 6520


def test_a_bundle_is_told_from_a_block_of_fifty():
    (one,) = found(camera(model=40 * in_fibers(125, 150) * bump(6300, 60)))
    assert (one.first_step, one.blocks, one.block_size) == ("sky", (5,), 25)


def test_a_feature_of_the_flat_is_the_flats():
    flat = 1 + 0.15 * in_fibers(200, 250) * bump(6500, 40)
    (one,) = found(camera(flat=flat))
    assert (one.kind, one.first_step, one.blocks) == ("wavelength-blocks", "fiberflat", (4,))


def test_light_in_some_blocks_is_none_of_the_products():
    (one,) = found(camera(frame=30 * in_fibers(300, 350) * bump(6200, 50)))
    assert (one.kind, one.first_step, one.blocks) == ("wavelength-blocks", "preproc", (6,))
    assert one.detail["frame_over_flux"] > 0.8


def test_rows_of_an_amplifier_are_found_and_a_sky_problem_below_them():
    made = camera()
    row = np.random.default_rng(5).normal(0, 25, 2400)[np.rint(made.disp).astype(int)]
    inside = (made.cross < 2000) & (made.disp < 1000)
    model = 40 * in_fibers(50, 100) * bump(6250, 60)
    both = found(camera(frame=row * inside, model=model))
    assert [(f.kind, f.first_step) for f in both] == [("wavelength-blocks", "sky"), ("ccd-row", "preproc")]
    assert both[0].blocks == (1,)
    assert both[1].amplifier == "A"
    assert both[1].fibers[0] == 0
    assert both[1].fibers[-1] == 249


@pytest.mark.parametrize("lines", [25, 0])
def test_a_dead_fiber_is_found_with_and_without_sky_lines(lines):
    throughput = np.ones(NFIBER)
    throughput[123] = 0.0
    chain = camera(throughput=throughput, lines=lines)
    (one,) = found(chain, ("isolated-fiber",))
    assert one.fibers == (123,)
    assert one.detail["dead"]
    assert not one.known
    flagged = replace(chain, known=np.arange(NFIBER) == 123)
    assert found(flagged, ("isolated-fiber",))[0].known


def test_a_faint_fiber_is_measured():
    throughput = np.ones(NFIBER)
    throughput[77] = 0.6
    (one,) = found(camera(throughput=throughput))
    assert (one.kind, one.fibers) == ("isolated-fiber", (77,))
    assert one.amplitude == pytest.approx(0.6, abs=0.08)


def test_a_bundle_that_loses_light_is_one_finding_not_25():
    throughput = np.where(np.arange(NFIBER) // 25 == 11, 0.7, 1.0)
    (one,) = found(camera(throughput=throughput))
    assert (one.kind, one.first_step, one.blocks, one.block_size) == ("block-throughput", "trace", (11,), 25)
    assert one.amplitude == pytest.approx(0.7, abs=0.04)


def test_a_wiggle_of_the_calibration_is_found():
    (one,) = found(camera(calib=1 + 0.2 * bump(6400, 15)))
    assert (one.kind, one.first_step) == ("fluxcalib", "fluxcalib")
    assert one.wave_range[0] < 6400 < one.wave_range[1]


def test_products_of_two_productions_contradict_each_other():
    other = camera(model=40 * in_fibers(100, 200) * bump(6300, 80))
    (one,) = found(replace(camera(), sframe=other.sframe, cframe=other.cframe), ("mixed-production",))
    assert one.detail["product"] == "sframe"
    (one,) = found(replace(camera(), cframe=camera(2).cframe), ("mixed-production",))
    assert (one.detail["product"], one.first_step) == ("cframe", "fluxcalib")


def test_a_step_between_amplifiers_is_found():
    made = camera()
    step = 12.0 * ((made.cross < 2000) & (made.disp >= 1000))
    (one,) = found(camera(frame=step), ("amplifier-step",))
    assert one.amplifier == "A/C"
    assert one.amplitude == pytest.approx(12, abs=4)


def test_a_gradient_of_a_line_over_the_field_is_sky_and_no_fault():
    made = camera(lines=12)
    light = np.zeros_like(made.frame)
    center = 6564.6
    light += (60 + 0.16 * (made.focal_x - 250))[:, None] * bump(center, 0.9)
    model = np.broadcast_to(60 * bump(center, 0.9), light.shape)
    got = found(camera(lines=12, frame=light * made.flat, model=model), ("sky-gradient", "sky-line residual"))
    assert [f.kind for f in got] == ["sky-gradient"]
    assert got[0].wave_range[0] < center < got[0].wave_range[1]
    assert min(got[0].detail["direction_deg"], 360 - got[0].detail["direction_deg"]) < 15


def test_bad_positions_and_a_bright_star_are_told():
    offset = np.full(NFIBER, 0.01)
    offset[150:200] = 0.2
    frame = np.zeros((NFIBER, WAVE.size))
    star = 9000 * (1 - 0.4 * bump(6200, 6) - 0.3 * bump(6700, 15) - 0.2 * bump(6450, 3))
    frame[400] = star
    frame[399] = frame[401] = 0.02 * star
    frame[398] = frame[402] = 0.01 * star
    got = found(camera(frame=frame, offset=offset))
    assert {(f.kind, f.fibers[0], f.fibers[-1]) for f in got} == {
        ("positioning", 150, 199),
        ("bright-neighbor", 395, 405),
    }
    (one,) = [f for f in got if f.kind == "bright-neighbor"]
    for fiber, share in ((399, 0.02), (401, 0.02), (402, 0.01), (404, 0.0)):
        measured, error = one.detail["share_of_fiber"][str(fiber)]
        assert abs(measured - share) < 5 * error + 0.002  # the flat of a fiber is off by 3 %
    assert one.amplitude == pytest.approx(0.06, abs=5 * one.detail["error"])


def test_a_bright_fiber_that_leaks_nothing_is_no_finding():
    frame = np.zeros((NFIBER, WAVE.size))
    star = 9000 * (1 - 0.4 * bump(6200, 6) - 0.3 * bump(6700, 15))
    frame[400] = star
    frame[401] = 0.03 * star  # a star of the same kind, or the same light: one fiber alone does not tell
    frame[396] = 500.0  # its own light
    out = desi_qa.run(camera(frame=frame), 1, "r1")
    assert out.findings == ()
    assert out.not_measured == ()


def test_without_features_a_leak_is_not_measured():
    frame = np.zeros((NFIBER, WAVE.size))
    frame[400] = 9000.0
    frame[399] = frame[401] = 180.0
    out = desi_qa.run(camera(frame=frame), 1, "r1")
    assert out.findings == ()
    (said,) = out.not_measured
    assert said.what == "bright-neighbor"
    assert "400" in said.missing


def test_a_missing_product_is_said_and_the_rest_goes_on():
    chain = replace(camera(model=40 * in_fibers(100, 150) * bump(6300, 60)), frame=None, frame_ivar=None, disp=None)
    out = desi_qa.run(chain, 1, "r1")
    assert [f.kind for f in out.findings] == ["wavelength-blocks"]
    lacks = {n.what: n.missing for n in out.not_measured}
    assert lacks["ccd-row"] == "traces"
    assert lacks["mixed-production"].startswith("frame, for which")


@pytest.mark.parametrize("count", [1, 25, 60, 130, 499])
def test_few_fibers_are_no_trouble(count):
    chain = camera(model=40 * in_fibers(0, 50) * bump(6300, 60))
    rows = {
        n: getattr(chain, n)[:count] for n in chain.__slots__ if getattr(getattr(chain, n), "shape", (0,))[0] == NFIBER
    }
    out = desi_qa.run(replace(chain, **rows), 1, "r1")
    asked = "wavelength-blocks" not in {n.what for n in out.not_measured}
    assert asked == (count >= desi_qa.MIN_FIBERS)
    assert [f.blocks for f in out.findings] == ([(0,)] if asked else [])


@pytest.mark.parametrize("name", ["frame", "sky", "flat", "sframe", "fluxcalib", "cframe", "focal_x", "offset"])
def test_holes_do_not_hide_what_there_is(name):
    chain = camera(model=40 * in_fibers(100, 150) * bump(6300, 60))
    holes = np.array(getattr(chain, name))
    holes[7] = np.nan
    if holes.ndim == 2:
        holes[:, 100] = np.nan
    found_now = found(replace(chain, **{name: holes}))
    assert ("wavelength-blocks", (2,)) in {(f.kind, f.blocks) for f in found_now}
    assert {f.kind for f in found_now} <= {"wavelength-blocks", "isolated-fiber", "mixed-production", "masked-data"}
    assert all(f.fibers == (7,) for f in found_now if f.kind == "masked-data")


def test_spectra_without_noise_are_not_judged():
    chain = camera()
    none = replace(chain, sframe_ivar=0 * chain.sframe_ivar, frame_ivar=0 * chain.frame_ivar)
    out = desi_qa.run(none, 1, "r1")
    assert [(f.kind, len(f.fibers)) for f in out.findings] == [("masked-data", NFIBER)]
    assert {n.missing for n in out.not_measured if n.what == "ccd-row"} == {"sframe"}


def test_stray_light_that_the_sky_model_takes_along_is_found_in_the_sky_itself():
    wave = WAVE.reshape(-1, 20).mean(axis=1)
    random = np.random.default_rng(3)
    sky = {e: 100 * (1 + 0.1 * e + 1e-4 * e * (wave - 6000)) + random.normal(0, 0.3, wave.size) for e in (1, 2, 3)}
    assert bumps(sky, wave) == {}
    sky[2] = sky[2] + 30 * np.exp(-0.5 * ((wave - 6400) / 50) ** 2)
    (one,) = bumps(sky, wave)[2]
    assert set(bumps(sky, wave)) == {2}
    assert one.wave_range[0] < 6400 < one.wave_range[1]


def test_extent_and_causes_are_told():
    model = 40 * in_fibers(100, 150) * bump(6300, 60)
    bad = [
        f
        for expid, name in ((11, "r1"), (11, "r2"), (12, "r1"))
        for f in desi_qa.run(camera(expid, model=model), expid, name).findings
    ]
    night = NightReach({10: 5, 11: 7, 12: 7}, ((10, "r1"), (11, "r1"), (11, "r2"), (12, "r1")))
    first = with_extent(bad, night)[0]
    assert first.detail["reach"] == "this tile"
    assert "tile 7 only (11, 12)" in first.extent
    assert "r1, r2" in first.extent
    verdicts = {c.name: c.verdict for c in causes(first, {"rows": {"A": 1.1}})}
    assert tuple(verdicts) == CAUSES
    assert verdicts["sky model"] == YES
    assert all(v == NO for name, v in verdicts.items() if name != "sky model")


def test_another_production_fixes_what_it_fixes():
    throughput = np.where(np.arange(NFIBER) == 5, 0.0, 1.0)
    model = 40 * in_fibers(100, 150) * bump(6300, 60)
    before = desi_qa.run(camera(model=model, throughput=throughput), 1, "r1")
    after = desi_qa.run(camera(throughput=throughput), 1, "r1")
    became = compared(before.findings, after.findings, after.arrays)
    assert {c.before.kind: c.status for c in became} == {"wavelength-blocks": "fixed", "isolated-fiber": "remains"}
    gone = next(c.text for c in became if c.status == "fixed")
    assert " e/A are left of" in gone  # as findings write it


def test_small_numbers():
    assert runs(np.array([0, 1, 1, 0, 1, 0, 0, 1], bool), 1) == [(1, 5), (7, 8)]
    values = np.array([[1.0, np.nan, 3.0]])
    assert filled(values, np.isfinite(values)).tolist() == [[1, 2, 3]]
    assert median_where(np.array([[5.0, 1.0, 9.0]]), np.array([[True, False, True]])).tolist() == [7]
    u = np.linspace(-1, 1, 800)
    curve = np.float32(50 + 10 * u - 4 * u * u)[None].repeat(3, 0)
    assert np.abs(continuum(curve) - curve)[:, 20:-20].max() < 0.1
    assert NOISE > 0


@pytest.mark.parametrize(
    ("listed", "known", "word"), [(None, False, ""), (("A",), True, "known"), (("D",), False, "new")]
)
def test_amplifiers_of_the_night_log_are_known(listed, known, word):
    made = camera()
    row = np.random.default_rng(5).normal(0, 25, 2400)[np.rint(made.disp).astype(int)]
    rows = row * ((made.cross < 2000) & (made.disp < 1000))
    step = 12.0 * ((made.cross < 2000) & (made.disp >= 1000))
    for light, kind in ((rows, "ccd-row"), (step, "amplifier-step")):
        (one,) = found(replace(camera(frame=light), bad_amplifiers=listed), (kind,))
        assert (one.known, word in one.text) == (known, True)
        assert ("night log" in one.text) == (listed is not None)


@pytest.mark.parametrize(("rows", "level"), [((700, 715), 25.0), ((600, 679), 12.0), ((800, 801), -60.0)])
def test_a_few_rows_of_an_amplifier_are_found_and_are_no_wavelengths(rows, level):
    made = camera()
    row = np.rint(made.disp)
    inside = (made.cross >= 2000) & (made.disp < 1000) & (row >= rows[0]) & (row <= rows[1])
    (one,) = found(camera(frame=level * inside))
    assert (one.kind, one.first_step, one.amplifier) == ("ccd-row", "preproc", "B")
    first, last = one.detail["detector_rows"]
    common = min(last, rows[1]) - max(first, rows[0]) + 1
    assert common > 0.5 * (rows[1] - rows[0] + 1)
    assert one.amplitude == pytest.approx(level, rel=0.35)  # a wider band is diluted


def test_every_finding_goes_to_another_process():
    import pickle

    out = desi_qa.run(camera(calib=1 + 0.2 * bump(6400, 15)), 1, "r1")
    assert pickle.loads(pickle.dumps(out)).findings == out.findings


def test_a_product_with_wavelengths_of_its_own_is_named():
    (one,) = found(replace(camera(), wave_faults=(("sky", 2.4),)), ("mixed-production",))
    assert (one.first_step, one.amplitude) == ("sky", 2.4)


def test_fibers_of_a_mixed_product_are_not_named_one_by_one():
    chain = camera()
    (one,) = found(replace(chain, cframe=chain.cframe[::-1].copy()))
    assert (one.kind, one.first_step) == ("mixed-production", "fluxcalib")

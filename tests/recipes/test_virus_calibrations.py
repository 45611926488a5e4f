"""Calibrations out of raw frames, and an exposure extracted with them: what was simulated is found again."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.night.virus.calibrate import only
from ifuview.app.night.virus.setup import SlotCalibration, camera_setup, rows_for
from ifuview.errors import MissingDataError
from ifuview.model.night.raw import RawAmplifier, RawExposure
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.verdict import VerdictState
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import Given, run
from ifuview.recipes.virus.build import BUILD
from ifuview.recipes.virus.exposure import camera_exposure, ifu_exposure, sky_shifts, unlike_traces
from ifuview.recipes.virus.quality import calibration_quality, exposure_quality
from ifuview.recipes.virus.recipe import CAMERA
from ifuview.recipes.virus.rows import calibration_rows
from ifuview.simulate.het.light import SkyScene, sky_and_source
from ifuview.simulate.het.source import fiber_points
from tests.recipes.virus_night import DATE, DRIFT, NFIBER, SHIFT, TABLES, UNIT, small_night


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    return small_night(tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="module")
def steps(night):
    return run(BUILD, night.given())


@pytest.fixture(scope="module")
def rows(night, steps):
    units = {a.name: a for a in night.exposures[0].amplifiers}
    return calibration_rows(night.setup, units, steps)


@pytest.fixture(scope="module")
def cache():
    return ValueCache()


def given(night, rows, key):
    (science,) = night.of("sci")
    return {
        "setup": Given(night.setup, "s"), "calibration": Given(tuple(rows), "c"), "science_raw": Given(science, key),
    }  # fmt: skip


def extracted(night, rows, cache, key="r"):
    (science,) = night.of("sci")
    made = {name: one.value for name, one in run(CAMERA, given(night, rows, key), cache=cache).items()}
    return camera_exposure(
        night.setup, made["flat"], made["science"], made["spectra"], made["wave"], made["response"], made["lamps"]
    ), science


@pytest.fixture(scope="module")
def done(night, rows, cache):
    camera, science = extracted(night, rows, cache)
    return ifu_exposure([camera], science, sky_shifts([camera]))


def test_calibrations_are_what_was_simulated(night, rows):
    for number, (row, amp) in enumerate(zip(rows, night.side.amplifiers, strict=True)):
        lit = night.lit(number)
        assert np.std((row.trace - amp.at(amp.trace))[lit]) < 0.006
        assert np.sqrt(np.mean((row.wave - amp.at(amp.wave))[lit] ** 2)) < 0.015
        assert row.read_noise == pytest.approx(amp.readnoise, rel=0.02)
        hot = amp.hot[amp.hot[:, 2] > 0.06]  # electron/s, 6 sigma of the mean of two darks
        assert row.bad[hot[:, 0].astype(int), hot[:, 1].astype(int)].all()
        assert row.bad.mean() < 0.01
        assert row.unit == UNIT
        np.testing.assert_allclose(row.positions, np.stack([amp.x, amp.y], axis=1))


def test_a_twilight_that_lies_elsewhere_is_left_out_and_that_is_said(steps):
    (note,) = [one for one in steps["flat"].value.notes if "left out" in one]
    assert float(note.split(" lies ")[1].split()[0]) == pytest.approx(0.09, abs=0.01)


def test_dead_fibers_and_bad_columns_are_in_the_masks(night, rows):
    for row, amp in zip(rows, night.side.amplifiers, strict=True):
        assert row.spectra["maskspec"][list(amp.dead)].all()
        for column in amp.columns:
            if column.y0 == 0:
                assert row.bad[20:-20, column.x].mean() > 0.9


def test_numbers_of_calibrations_are_clean_and_a_lost_amplifier_is_not(night, rows, steps):
    good = calibration_quality(rows[0], night.setup, steps, DATE)
    assert good.state is VerdictState.CLEAN
    empty = calibration_quality(replace(rows[0], read_noise=0.0), night.setup, steps, DATE)
    assert empty.state is VerdictState.WRONG and "zero" in empty.problem


def test_an_amplifier_alone_is_a_detector_of_its_own(night):
    alone = only(night.setup, "LU")
    assert alone.amplifiers == ("LU",) and alone.nfiber == NFIBER
    assert set(alone.layout.amplifier) == {"LU"} and alone.seams == ()


def test_an_exposure_has_the_light_that_was_simulated(night, done):
    electrons = sky_and_source(night.side, SkyScene(), 360.0, *fiber_points(1.5, 0.75), DRIFT).electrons
    for number, (one, amp) in enumerate(zip(done.amplifiers, night.side.amplifiers, strict=True)):
        spectra, part = done.spectra, one.fibers
        step = np.gradient(amp.at(amp.wave, DRIFT), axis=1)
        want = electrons[number * NFIBER : (number + 1) * NFIBER] / step
        use = spectra.usable()[part] & night.lit(number)[:, None]
        ratio = np.median(spectra.flux[part][use] / want[use])
        assert 0.96 < ratio < 1.01  # 3 % of the light is scattered, most of it out of the fibers
        pull = (spectra.flux[part] - ratio * want)[use] / np.sqrt(spectra.variance[part][use])
        assert np.std(np.clip(pull, -4, 4)) == pytest.approx(1.0, abs=0.06)
        assert one.trace_shift == pytest.approx(SHIFT, abs=0.02)
        assert one.read is not None and one.read.noise == pytest.approx(amp.readnoise, rel=0.02)


def test_wavelengths_follow_the_sky(night, done):
    for number, (one, amp) in enumerate(zip(done.amplifiers, night.side.amplifiers, strict=True)):
        off = (done.spectra.wave[one.fibers] - amp.at(amp.wave, DRIFT))[night.lit(number)]
        assert np.abs(np.mean(off)) < 0.03  # Angstrom: photons of 48 fibers, the sky itself is known to 0.02
        assert one.wave_shift == pytest.approx(-DRIFT * 2.0, abs=0.04)


def test_traces_and_wavelengths_of_a_file_that_are_wrong_are_replaced(night, rows):
    trace, wave = np.array(rows[0].trace), np.array(rows[0].wave)
    trace[3] += 1.5
    wave[5] += 8.0
    wrong = [replace(rows[0], trace=trace, wave=wave), rows[1]]
    made = {name: one.value for name, one in run(CAMERA, given(night, wrong, "r"), wanted=("traces", "wave")).items()}
    assert np.abs(made["traces"].traces.center[:NFIBER] - rows[0].trace).max() < 0.1
    assert np.abs(made["wave"].wave[5] - rows[0].wave[5]).max() < 0.2
    np.testing.assert_array_equal(made["wave"].wave[7], rows[0].wave[7])
    for step in (made["traces"].traces.provenance, made["wave"]):
        assert any("replaced" in note for note in step.notes)


def test_a_broken_amplifier_is_named_and_masked_and_the_other_is_not(night, rows, cache, done):
    def noisy(amplifier):
        raw = read(amplifier)
        if amplifier.name != "LU":
            return raw
        noise = np.random.default_rng(1).normal(0, 25, raw.data.shape)
        over = np.random.default_rng(2).normal(0, 25, raw.overscan.shape)
        data, overscan = (
            np.clip(np.rint(a.astype(float) + n), 0, 65535).astype(np.uint16)
            for a, n in ((raw.data, noise), (raw.overscan, over))
        )
        return replace(raw, data=data, overscan=overscan)

    read = night.setup.read
    broken = replace(night, setup=replace(night.setup, read=noisy))
    camera, science = extracted(broken, rows, cache, "broken")
    done = ifu_exposure([camera], science, [None])
    good, bad = done.amplifier("LL"), done.amplifier("LU")
    assert "read noise" in bad.problem and not good.problem
    assert (done.spectra.mask[bad.fibers] & int(ReductionBit.AMPLIFIER)).all()
    assert (~done.spectra.usable()[good.fibers][night.lit(0)]).mean() < 0.02
    assert any("LU" in note for note in done.notes)
    states = {one.amplifier: one.state for one in exposure_quality(done)}
    assert states == {"LL": VerdictState.CLEAN, "LU": VerdictState.WRONG}


def test_frames_that_are_not_read_out_as_the_calibrations_are_not_used(night, rows, cache, done):
    """As where a header lacks AMPNAME: the frame is mirrored, and hundreds of lines would be found in it."""

    def mirrored(amplifier):
        raw = read(amplifier)
        return replace(raw, data=np.ascontiguousarray(raw.data[:, ::-1]))

    read = night.setup.read
    camera, _ = extracted(replace(night, setup=replace(night.setup, read=mirrored)), rows, cache, "mirrored")
    assert all("the light lies unevenly off the traces" in one.problem for one in camera.reads)
    assert not any(one.problem for one in done.amplifiers)
    assert unlike_traces(None) == ""


def test_hardware_that_no_table_knows_has_the_fibers_of_its_calibrations(night, rows):
    (science,) = night.of("sci")
    other = replace(science, amplifiers=tuple(replace(a, specid="999") for a in science.amplifiers))
    with pytest.raises(MissingDataError, match="999_047_024"):
        camera_setup(TABLES, other, "047L")
    found = camera_setup(TABLES, other, "047L", SlotCalibration({row.amplifier: row for row in rows}, "c"))
    for known, own, row in zip(night.setup.rows, found.rows, rows, strict=True):
        assert np.abs(known.row - own.row).max() < 1.0  # px: what the traces have moved by since
        np.testing.assert_array_equal(own.dead, row.spectra["maskspec"].mean(axis=1) > 0.9)


def test_calibrations_of_other_hardware_are_refused(night, rows):
    (science,) = night.of("sci")
    for name, what in (("specid", "spectrograph"), ("ifuid", "fiber head"), ("contid", "controller")):
        found = SlotCalibration({row.amplifier: replace(row, **{name: "777"}) for row in rows}, "c")
        with pytest.raises(MissingDataError, match=f"another {what}"):
            rows_for(night.setup, science, found)
    with pytest.raises(MissingDataError, match="nothing of 047L"):
        rows_for(night.setup, science, SlotCalibration({}, "c.h5 047"))


def test_an_amplifier_that_the_file_lacks_is_masked_and_the_other_is_not(night, rows):
    camera, science = extracted(night, [rows[0], None], None)
    done = ifu_exposure([camera], science, [None])
    good, bad = done.amplifier("LL"), done.amplifier("LU")
    assert "calibration file" in bad.problem and not good.problem
    assert not done.spectra.usable()[bad.fibers].any()
    assert (~done.spectra.usable()[good.fibers][night.lit(0)]).mean() < 0.02
    assert np.isfinite(done.spectra.wave).all() and np.isfinite(done.spectra.flux).all()


def test_a_head_in_a_slot_whose_name_was_swapped_has_its_own_fibers():
    """From December 2019 to June 2020 headers call slot 024 015: fiber head 039 sat in the former."""
    unit = {"specid": "317", "ifuid": "039"}
    parts = tuple(RawAmplifier("", "015L", name, "015", **unit) for name in ("LL", "LU"))
    during = RawExposure(20200115, 11, 1, "sci", "FIELD", amplifiers=parts)
    setup = camera_setup(TABLES, during, "015L")
    for name, rows in zip(setup.amplifiers, setup.rows, strict=True):
        np.testing.assert_array_equal(rows.row, TABLES.rows(("317", "024", "039"), name, 20200115).row)
    with pytest.raises(MissingDataError, match="317_015_039"):
        camera_setup(TABLES, replace(during, date=20200901), "015L")


def test_samples_that_are_saturated_are_masked_and_fibers_apart_are_not(night, rows, cache):
    fiber, columns = 12, np.arange(300, 420)
    path = rows[0].trace[fiber, columns]

    def full(amplifier):
        raw = read(amplifier)
        if amplifier.name != "LL":
            return raw
        near = np.arange(raw.data.shape[0])[:, None] - path
        glare = 5e4 * np.exp(-0.5 * (near / 2.5) ** 2)  # with wings in the next fibers
        data = np.array(raw.data, float)
        data[:, columns] = np.where(np.abs(near) < 1.6, 65535, data[:, columns] + glare)
        return replace(raw, data=np.minimum(np.rint(data), 65535).astype(np.uint16))

    read = night.setup.read
    camera, science = extracted(replace(night, setup=replace(night.setup, read=full)), rows, cache, "full")
    done = ifu_exposure([camera], science, [None])
    mask, usable = done.spectra.mask[done.amplifier("LL").fibers], done.spectra.usable()
    assert ((mask[fiber, columns] & int(ReductionBit.SATURATED)) > 0).mean() > 0.98
    assert not usable[done.amplifier("LL").first + fiber, columns].any()
    assert usable[done.amplifier("LL").first + fiber, 460:].mean() > 0.95  # and is good again behind
    apart = night.lit(0) & (np.abs(np.arange(NFIBER) - fiber) > 4)
    assert usable[done.amplifier("LL").fibers][apart].mean() > 0.98
    assert usable[done.amplifier("LU").fibers][night.lit(1)].mean() > 0.98


def test_calibrations_of_hardware_that_no_table_knows_are_gone_with_their_last_user(night, rows):
    """32 MB each: what is kept until somebody collects garbage adds up over the heads of an observation."""
    (science,) = night.of("sci")
    other = replace(science, amplifiers=tuple(replace(a, specid="999") for a in science.amplifiers))
    own = [replace(row) for row in rows]
    gone = [weakref.ref(row) for row in own]
    gc.collect()
    gc.disable()
    try:
        camera_setup(TABLES, other, "047L", SlotCalibration({row.amplifier: row for row in own}, "c"))
        del own
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()

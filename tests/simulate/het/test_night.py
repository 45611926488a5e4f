"""Simulated raw nights: what is written is what is known, in the format of the telescope."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview import instrument
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_read import read_frame
from ifuview.simulate.het import light as lights
from ifuview.simulate.het.ccd import FULL, SCATTERED, light_on, read_out
from ifuview.simulate.het.light import AREA, SkyScene
from ifuview.simulate.het.night import PACKINGS, Shot, standard_night, write_night
from ifuview.simulate.het.setup import TrueChannel, channel_setup, cut
from ifuview.simulate.het.source import SkySource, SpectralLine, catch, fiber_points

UNIT, DATE = ("503", "056", "7001"), 20240801
SPEC = instrument.instrument("lrs2")
LENSLET = fiber_points(0.59)


@pytest.fixture(scope="module")
def uv() -> TrueChannel:
    return channel_setup(SPEC, Tables("lrs2"), "uv", UNIT, DATE, seed=4)


@pytest.fixture(scope="module")
def small(uv) -> TrueChannel:
    return cut(uv, 20, (600, 1112))


def test_a_cut_detector_is_a_part_of_the_whole(uv, small):
    for whole, part in zip(uv.amplifiers, small.amplifiers):
        for name in ("trace", "wave", "sigma"):
            want = whole.at(getattr(whole, name))[:20, 600:1112]
            np.testing.assert_allclose(part.at(getattr(part, name)), want, rtol=0, atol=1e-6)


def test_the_light_of_the_fibers_is_all_on_the_detector(small):
    amp = small.amplifiers[0]
    electrons = lights.twilight(small).electrons[:20]
    (image,) = light_on((amp,), electrons)
    assert image.sum() == pytest.approx(electrons.sum(), rel=0.02)  # scattered light leaves over the edges
    assert image.sum() > (1 - SCATTERED) * electrons.sum()


def test_scattered_light_goes_on_where_another_amplifier_begins(small):
    electrons = lights.lamp(small).electrons * (np.arange(len(small.layout[0])) == 19)[:, None]
    below, above = light_on(small.amplifiers, electrons)
    dark = np.array([below[-1].mean(), above[0].mean()])
    assert dark[1] == pytest.approx(dark[0], rel=0.2)  # a row apart, some 60 px off the only fiber with light
    assert dark.min() > 0


def test_shifts_move_traces_and_wavelengths(small):
    amp = small.amplifiers[0]
    electrons = lights.lamp(small).electrons[:20] * (np.arange(20) == 10)[:, None]
    rows = np.arange(amp.shape[0])[:, None]

    def center(image: np.ndarray) -> np.ndarray:
        at = np.round(amp.at(amp.trace)[10, 200]).astype(int)
        part = image[at - 6 : at + 7, 200]
        return np.sum(part * rows[at - 6 : at + 7, 0]) / np.sum(part)

    moved = center(light_on((amp,), electrons, 0.2)[0]) - center(light_on((amp,), electrons)[0])
    assert moved == pytest.approx(0.2, abs=0.006)  # scattered light does not move with them
    still, drifted = (lights.arc(small, "Hg_B", shift=shift).electrons[10] for shift in (0.0, 0.5))
    place = np.arange(512)
    bright = slice(np.argmax(still) - 8, np.argmax(still) + 9)
    first = np.average(place[bright], weights=still[bright])
    assert np.average(place[bright], weights=drifted[bright]) - first == pytest.approx(0.5, abs=0.005)


def test_electrons_give_back_the_light_by_the_scale_that_is_published(uv):
    """f_lambda = response * electrons per Angstrom / (K * exptime * area), the throughput taken out."""
    scene = SkyScene(SkySource(0.83, -0.47, 1.35))
    light = lights.sky_and_source(uv, scene, 900.0, *LENSLET)
    first = 0
    for amp in uv.amplifiers:
        own = slice(first, first := first + len(amp.x))
        wave = amp.at(amp.wave)
        response = np.interp(wave, uv.response.wave, uv.response.value)
        alive = amp.light[:, 0] > 0
        per_angstrom = light.electrons[own] / np.gradient(wave, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = per_angstrom * response / (uv.factor * 900.0 * AREA) / amp.light
        truth = (light.source + light.sky)[own]
        for fiber in np.flatnonzero(alive)[::20]:
            inside = (wave[fiber] > uv.grid[0]) & (wave[fiber] < uv.grid[1])
            want = np.interp(wave[fiber][inside], light.grid, truth[fiber])
            ratio = found[fiber][inside].sum() / want.sum()
            assert ratio == pytest.approx(1, abs=1e-3)


def test_the_shares_of_a_point_are_those_of_the_shared_truth(shared_data):
    folder = shared_data / "lrs2" / "sim"
    with np.load(folder / "truth_lrs2.npz") as file:
        truth = dict(file)
    x, y = np.concatenate([truth[f"ifupos_uv_{a}"] for a in ("LL", "LU")]).astype(float).T
    caught = truth["src_07_uv"] * truth["srcscale_07_uv"][:, None].astype(float)
    wave = np.linspace(3640, 4645, 2064)
    total = np.interp(wave, truth["source_wave"], truth["source_flambda_agn"])
    share = np.median((caught / total)[:, 900:1200], axis=1)
    source = SkySource(0.83, -0.47, 1.35, level=1.0, slope=0.0)
    own = catch(source, x, y, truth["dar_uv"].astype(float), wave[900:1200], *LENSLET).light.mean(axis=1)
    bright = share > 0.02 * share.max()
    # the shared night integrates over cells of another shape: half a percent of the brightest
    np.testing.assert_allclose(own[bright], share[bright], rtol=0.04, atol=0.004 * share.max())
    assert own.sum() == pytest.approx(share.sum(), rel=0.01)


def test_a_disk_turns(uv):
    disk = SkySource(0.0, 0.0, 1.2, 1e-15, lines=(SpectralLine(4100.0, 1e-3, 1e-14),), scale=1.0, angle=0.0)
    x, y = uv.layout
    found = catch(disk, x, y, uv.refraction, np.linspace(3700, 4600, 901), *LENSLET)
    share, speed, _ = found.moments[0]
    assert 0.93 < share.sum() < 1  # the field holds nearly all
    assert np.all(speed[(x > 1) & (abs(y) < 0.7)] > 30) and np.all(speed[(x < -1) & (abs(y) < 0.7)] < -30)
    flux = found.light - disk.continuum(np.linspace(3700, 4600, 901)) * share[:, None]
    assert np.abs(speed).max() < 150
    assert flux.sum() == pytest.approx(1e-14 * share.sum(), rel=0.1)


def test_noise_and_level_are_those_of_the_setup(small):
    amp = small.amplifiers[0]
    read = read_out(amp, np.zeros(amp.shape), 0.0, np.random.default_rng(1), broken=False)
    electrons = (read.numbers.astype(float) - amp.level) * amp.gain
    n = electrons.size
    digits = amp.gain**2 / 12
    assert electrons.mean() == pytest.approx(0, abs=5 * amp.readnoise / np.sqrt(n))
    assert electrons.var() - digits == pytest.approx(amp.readnoise**2, rel=5 * np.sqrt(2 / n))


def test_charge_beyond_the_range_goes_up_and_down_its_column(small):
    amp = replace(small.amplifiers[0], readnoise=1e-3)
    light = np.zeros(amp.shape)
    light[100, 50] = 4.5 * FULL * amp.gain
    read = read_out(amp, light, 0.0, np.random.default_rng(1), broken=False)
    rows = np.flatnonzero(read.numbers[:, 50] >= FULL - 1)
    np.testing.assert_array_equal(rows, np.arange(99, 102))
    assert {tuple(p) for p in read.saturated} == {(row, 50) for row in rows}
    held = (read.numbers[:, 50].astype(float) - amp.level).sum() * amp.gain
    assert held == pytest.approx(light.sum(), rel=0.01)


@pytest.mark.parametrize("ampname", [None, "LR", "UL", "LL"])
def test_a_file_is_read_back_as_it_was_made(uv, tmp_path, ampname):
    shot = Shot(1, "zro", "zero", flipped={} if ampname is None else {f"056{a.name}": ampname for a in uv.amplifiers})
    truth = write_night(tmp_path, SPEC, [uv], [shot], DATE)
    (exposure,) = index_night(str(tmp_path)).exposures
    assert (exposure.kind, exposure.object, exposure.exptime) == ("zro", "zero", 0.0)
    frame = read_frame(exposure.of("uv")[1], SPEC)
    amp = truth.channel("uv").amplifiers[1]
    assert (frame.gain, frame.readnoise) == (amp.gain, amp.readnoise)
    again = read_out(amp, np.zeros(amp.shape), 0.0, np.random.default_rng((0, 0, *map(ord, "uvLU"))), cosmics=0.0)
    np.testing.assert_array_equal(frame.data, again.numbers)
    np.testing.assert_array_equal(frame.overscan, again.overscan)


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_packing_holds_the_same(small, tmp_path, packing):
    write_night(tmp_path, SPEC, [small], [Shot(5, "cmp", "Hg_B", 30.0, missing=("056LU",))], DATE, packing=packing)
    (exposure,) = index_night(str(tmp_path)).exposures
    assert exposure.missing == (("uv", "LU"), ("orange", "RU"), ("orange", "RL"))
    assert "pixels, not 2128 x 1032" in exposure.notes[0]  # a cut detector has another size, and that is said


def test_what_is_odd_can_be_asked_for(uv, tmp_path):
    shot = Shot(3, "drk", "dark", 307.0, cards={"EXPTIME": -1.0, "SPECID": 503, "OBJECT": None}, zero=("056LL",))
    write_night(tmp_path, SPEC, [uv], [shot], DATE, broken=False)
    (exposure,) = index_night(str(tmp_path)).exposures
    assert exposure.exptime == 307.0 and exposure.object == ""
    assert exposure.amplifiers[0].specid == "503"
    assert not read_frame(exposure.amplifiers[0], SPEC).data.any()
    assert read_frame(exposure.amplifiers[1], SPEC).data.any()


def test_a_night_keeps_its_truth(small, tmp_path):
    shots = [s for s in standard_night() if s.kind in ("zro", "sci")]
    truth = write_night(tmp_path, SPEC, [small], shots, DATE, packing="")
    truth.write(tmp_path)
    with np.load(tmp_path / "truth_lrs2.npz") as file:
        stored = dict(file)
    source = stored["src_07_uv"] * stored["srcscale_07_uv"][:, None]
    np.testing.assert_allclose(source, truth.source(7, "uv"))
    assert truth.sky(7, "uv").shape == source.shape == (40, 512)
    assert len(stored["cr_sci_0000007_exp01_uv_LL"])
    assert (tmp_path / "20240801/lrs2/lrs20000007/exp01/lrs2").is_dir()

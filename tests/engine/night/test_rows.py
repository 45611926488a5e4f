"""Rows of the detector at the bar's signal to noise, and amplifiers whose level is off by little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.questions.weak_rows import ROWS
from ifuview.engine.night.search.coherent import row_score
from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.trailing import into_empty
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.detector import inside
from ifuview.simulate.defects.plant import PlantedChange, changed, plant, plant_at

SLOW = pytest.mark.slow  # the same on another arm


def found(chain, *only):
    return [f for f in desi_qa.run(chain, 1, "r1", desi_qa.Params(only)).findings if f.kind != "sky-gradient"]


@pytest.mark.parametrize(
    ("arm", "seed"), [("b", 1), ("r", 2), pytest.param("z", 3, marks=SLOW), pytest.param("z", 4, marks=SLOW)]
)
def test_a_band_of_eight_rows_is_found_with_its_rows(arm, seed):
    planted = plant_at(camera.made(arm, 70 + seed), table.DEFECTS["row band"], snr=12, seed=seed)
    (one,) = found(planted.chain, "ccd-row")
    assert one.amplifier in planted.truth.amplifiers
    assert one.amplitude == pytest.approx(planted.amplitude, rel=0.4)  # of twelve sigma, cut to whole rows
    first, last = one.detail["detector_rows"]
    assert 4 <= last - first + 1 <= 16


def test_a_drift_is_that_of_the_amplifier_whose_rows_it_keeps_to():
    """The sky model has half of it with the other sign, which keeps to wavelengths, in the amplifier beside."""
    planted = plant_at(camera.made("z", 701007), table.DEFECTS["row drift"], snr=20, seed=700007)
    (one,) = found(planted.chain, "ccd-row")
    assert one.amplifier in planted.truth.amplifiers


def test_lines_that_vary_over_the_field_are_no_band():
    for seed in (5014, 5059):
        assert found(camera.made("z", seed, plane=0.2), "ccd-row") == []


@pytest.mark.parametrize("arm", ["b", pytest.param("r", marks=SLOW), pytest.param("z", marks=SLOW)])
def test_both_amplifiers_of_a_side_are_one_finding_with_their_level(arm):
    planted = plant(camera.made(arm, 77), table.DEFECTS["right half offset"], 3.0, seed=1)
    (one,) = found(planted.chain, "amplifier-step", "wavelength-all", "ccd-row", "ccd-column")
    assert (one.kind, set(one.amplifier.split("/"))) == ("amplifier-step", set(planted.truth.amplifiers))
    assert one.amplitude == pytest.approx(3.0, abs=0.45)  # three errors


def test_light_in_a_part_of_the_slit_is_no_charge_of_the_next_fiber():
    chain = camera.made("r", 78)
    bump = np.exp(-0.5 * ((chain.wave - 6200) / 50) ** 2)
    light = 30 * ((np.arange(500) >= 300) & (np.arange(500) < 350))[:, None] * bump
    assert found(changed(chain, PlantedChange(light=light)), "charge-transfer") == []


def test_charge_in_the_next_fiber_is_measured_by_the_sky_fibers():
    planted = plant(camera.made("b", 79), table.DEFECTS["trailing across"], 0.15, seed=2)
    (one,) = found(planted.chain, "charge-transfer")
    assert one.amplifier in planted.truth.amplifiers
    assert one.amplitude == pytest.approx(0.15, abs=0.06)


def test_a_level_that_all_sky_fibers_share_is_no_charge_of_their_neighbors():
    """The fibers before them are the brighter ones, with the spectrum of the sky: only a level of its own tells."""
    random, sky = np.random.default_rng(2), 90 + 20 * np.sin(np.arange(60) / 9)
    empty = np.arange(300) % 4 == 1
    light = np.where(np.arange(300) % 4 == 0, 1.0, 0.2) * random.lognormal(0, 0.3, 300)
    share = np.where(empty, 0.03, light) + random.normal(0, 0.002, 300)
    error = np.full((300, 60), 1.0)
    value = share[:, None] * sky + random.normal(size=error.shape)
    of = Levels(value, error, sky, np.arange(60.0), share, np.full(300, 1.0 / np.linalg.norm(sky)))
    found, sigma = into_empty(of, {"A": np.ones((300, 60), bool)}, empty, 0.003)["A"]
    assert abs(found) < 4 * sigma and abs(found) < 0.01


@pytest.mark.parametrize(("followed", "amplifiers"), [(False, {"A"}), (True, {"A/B"})])
def test_levels_that_are_alike_at_each_wavelength_belong_to_their_amplifier(followed, amplifiers):
    chain = camera.made("z", 502)
    (section,) = (s for s in chain.sections if s.name == "A")
    levels = np.random.default_rng(3).normal(0, 6, chain.shape[1])
    light = levels * inside(chain, section)
    if followed:  # the sky model has half of it, and the other side its reverse
        chain = changed(chain, PlantedChange(light=light))
    else:
        sframe = (chain.sframe + light).astype(np.float32)
        frame = (chain.frame + light * chain.flat).astype(np.float32)
        chain = replace(chain, frame=frame, sframe=sframe, cframe=sframe / chain.fluxcalib)
    (one,) = desi_qa.run(chain, 1, "z1").findings
    assert (one.kind, one.first_step) == ("ccd-row", "preproc")
    assert {one.amplifier} == amplifiers
    assert one.amplitude == pytest.approx(6.0, rel=0.15)


def test_features_of_a_few_targets_are_no_band_of_rows():
    assert not desi_qa.run(camera.made("z", 8105005, broad=True), 1, "z1").findings


def test_the_mean_at_each_wavelength_that_is_taken_off_says_nothing_of_rows():
    """Ten fibers each have the same rows at the same wavelengths: their noise has a mean of its own taken off."""
    fibers, waves = 120, 400
    row = np.arange(waves)[None] + np.arange(fibers)[:, None] // 10
    use, weight = np.ones((fibers, waves), bool), np.full((fibers, waves), 0.25)
    clean, levels = [], []
    for seed in range(24):
        random = np.random.default_rng(seed)
        noise, level = random.normal(size=use.shape), 0.2 * random.normal(size=row.max() + 1)[row]
        for out, z in ((clean, noise), (levels, noise + level)):
            out.append(row_score(z - z.mean(axis=0), weight, use, row))
    assert np.mean([score for score, _ in clean]) == pytest.approx(0.0, abs=3 / np.sqrt(24))
    assert np.std([score for score, _ in clean]) == pytest.approx(1.0, abs=3 / np.sqrt(48))
    assert min(score for score, _ in levels) > ROWS
    assert np.median([rms for _, rms in levels]) == pytest.approx(0.4, rel=0.1)  # counts: a pixel has a noise of 2

"""Why a fiber that should be empty is not: a column, a level, lost light, an object; rows that were exchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.questions.tables import exchanged, partner
from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.reasons import CONSTANT, FACTOR, PART, SMOOTH, constant_scores, of_target, reasons
from ifuview.engine.night.search.throughput import guilt
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.camera import _places
from ifuview.simulate.defects.plant import PlantedChange, changed, plant, plant_at
from tests.bench.truth import judged

BINS, NATURAL = 58, 0.003
SKY = 110.0 * (1 + 0.1 * np.sin(np.arange(BINS) / 9))
ERROR = 1.6
U = np.linspace(-1, 1, BINS)
SHAPES = {
    FACTOR: -0.15 * SKY, CONSTANT: np.full(BINS, -4.0), PART: 6.0 * (np.arange(BINS) > 30), SMOOTH: 3 + 2.5 * U,
}  # fmt: skip


def level(shape, seed):
    """The bins of a fiber, made with noise."""
    value = shape + ERROR * np.random.default_rng(seed).normal(size=BINS)
    return Levels(value[None], np.full((1, BINS), ERROR), SKY, np.arange(BINS), np.zeros(1), np.ones(1))


@pytest.mark.parametrize("kind", [FACTOR, CONSTANT, PART, SMOOTH])
def test_the_reason_of_a_level_is_told_by_its_shape_and_the_lines(kind):
    right = 0
    for seed in range(40):
        lines = (-0.15 if kind == FACTOR else 0.0) + 0.005 * np.random.default_rng(seed + 99).normal()
        found = reasons(level(SHAPES[kind], seed), 0, (lines, 0.005), NATURAL, 1.0)
        best = max(found, key=lambda k: found[k].gain)
        right += best == kind or {best, kind} == {CONSTANT, SMOOTH}  # a constant is smooth
    assert right >= 38  # 12 sigma and more: the next best explains at least 15 of chi2 less


def test_natural_scatter_of_the_throughput_explains_what_keeps_the_shape_of_the_sky():
    flat = reasons(level(0.02 * SKY, 1), 0, (0.02, 0.01), 0.02, 1.0)
    assert max(r.gain for r in flat.values()) < 12  # a fiber of one natural sigma, 12 times the noise


def test_a_constant_level_is_told_from_a_part_of_the_sky_with_the_scatter_that_noise_gives():
    random, fibers, natural = np.random.default_rng(2), 400, 0.01
    kept = natural * random.normal(size=fibers)
    steep = SKY * np.linspace(0.7, 1.3, BINS)
    value = kept[:, None] * steep + ERROR * random.normal(size=(fibers, BINS))
    value[:200] -= 2.0
    of = Levels(value, np.full(value.shape, ERROR), steep, np.arange(BINS), np.zeros(fibers), np.ones(fibers))
    lines = kept + 0.008 * random.normal(size=fibers), np.full(fibers, 0.008)
    score = constant_scores(of, lines, natural, 1.0)
    one = [reasons(of, k, (lines[0][k], 0.008), natural, 1.0)[CONSTANT].gain for k in (0, 300)]
    assert score[[0, 300]] ** 2 == pytest.approx(one)
    assert score[200:].std() == pytest.approx(1.0, abs=0.15)  # three errors
    assert abs(score[200:].mean()) < 0.22
    by_factor = (of.value @ steep / np.sum(steep**2))[200:].std()
    seen = (of.value @ steep / np.sum(steep**2))[:200].mean() / by_factor
    assert -score[:200].mean() > 1.1 * abs(seen)


def test_lines_tell_what_a_target_below_zero_lost():
    assert of_target(-0.05, (-0.2, 0.02)) == (-0.2, pytest.approx(100.0))
    factor, gain = of_target(-0.2, (0.0, 0.02))
    assert (factor, gain) == (-0.2, pytest.approx(-100.0))


@pytest.mark.parametrize(("name", "arm", "seed"), [
    ("negative fiber", "b", 0), ("negative fiber", "z", 4), ("column in a fiber", "z", 13),
    ("column in a fiber", "b", 9), ("throughput of a fiber", "b", 6), ("gray flat of a fiber", "b", 6),
    ("swapped spectra", "z", 1), ("swapped places", "b", 0), ("throughput of a fiber", "r", 8),
])  # fmt: skip
def test_weak_defects_of_a_fiber_have_their_first_step(name, arm, seed):
    defect = table.DEFECTS[name]
    planted = plant_at(camera.made(arm, 1000 + seed), defect, defect.snr, seed=seed)
    assert judged(list(desi_qa.run(planted.chain, 1, "r1").findings), planted.truth) == (True, True, True)


@pytest.mark.parametrize(("name", "arm", "seed", "best"), [
    ("sky fiber on a star", "b", 8300000, "ccd-column"), ("throughput of a fiber", "b", 11000006, "isolated-fiber"),
])  # fmt: skip
def test_where_the_spectrum_cannot_tell_two_causes_both_are_named(name, arm, seed, best):
    defect = table.DEFECTS[name]
    planted = plant_at(camera.made(arm, 1000 + seed), defect, defect.snr, seed=seed)
    (one,) = (f for f in desi_qa.run(planted.chain, 1, "b1").findings if f.fibers == planted.truth.fibers)
    assert one.kind == best and one.first_step not in planted.truth.steps
    assert (planted.truth.kinds[0], planted.truth.steps[0]) in one.alternatives
    assert "would tell" in one.text


@pytest.mark.parametrize("seed", [8300012])
def test_a_wrong_flat_is_found_by_flat_and_lines_together(seed):
    defect = table.DEFECTS["gray flat of a fiber"]  # its lines alone tell 3.5 sigma: a target hides its level
    planted = plant_at(camera.made("b", 1000 + seed), defect, defect.snr, seed=seed)
    assert judged(list(desi_qa.run(planted.chain, 1, "b1").findings), planted.truth) == (True, True, True)


@pytest.mark.parametrize(("ratio", "error", "step", "sure"), [
    (0.84, 0.0, "fiberflat", True), (0.68, 0.0, "light", False), (0.68, 0.1, "fiberflat", False),
    (1.3, 0.0, "light", True),
])  # fmt: skip
def test_who_is_to_blame_by_a_flat_that_is_off_by_a_part_of_what_the_light_is(ratio, error, step, sure):
    flats = np.exp(0.055 * np.random.default_rng(3).normal(size=500))
    flats[20] = np.median(flats) * np.exp(0.17)
    found = guilt(flats, (20,), ratio, error)
    assert (found.step, found.sure) == (step, sure)
    assert found.alternatives("isolated-fiber", "light") == (
        () if sure else (("isolated-fiber", "light" if step == "fiberflat" else "fiberflat"),)
    )


def test_no_fiber_is_accused_by_the_noise_of_few_lines():
    clean = camera.made("b", 61005027, plane=0.2)  # a dark target whose ten lines have 4.8 sigma less by chance
    assert not [f for f in desi_qa.run(clean, 1, "b1").findings if f.kind != "sky-gradient"]


def test_fields_whose_rows_are_right_have_no_exchanged_places():
    assert [pair for seed in range(60) for pair in exchanged(*_places(np.random.default_rng(seed)))] == []


def test_a_fiber_finds_the_one_that_has_its_place_by_light_and_place():
    x, y = (v.copy() for v in _places(np.random.default_rng(3)))
    for values in (x, y):
        values[[120, 431]] = values[[431, 120]]
    dark = np.zeros(x.size, bool)
    dark[[431, 77, 300]] = True
    assert partner(x, y, 120, dark) == 431
    assert partner(x, y, 200, dark) is None


def test_exchanged_rows_add_no_object_in_a_sky_fiber():
    chain = camera.made("r", 41)
    planted = plant(chain, table.DEFECTS["swapped rows"], 1.0, seed=4)
    (one,) = desi_qa.run(planted.chain, 1, "r1").findings
    assert (one.kind, one.fibers) == ("swapped-fibers", planted.truth.fibers)


def test_an_sframe_that_fits_neither_side_is_wrong_and_not_its_calibration():
    chain = camera.made("r", 41)
    sframe = np.array(chain.sframe)
    sframe[333] += 0.4 * chain.sky[333]  # behind the cframe, which was made of the right one
    (one,) = desi_qa.run(replace(chain, sframe=sframe), 1, "r1").findings
    assert (one.kind, one.first_step, one.fibers) == ("isolated-fiber", "sky", (333,))
    assert "keeps 40.0 % of its sky" in one.text


def test_a_loss_that_the_flat_has_not_names_what_else_it_may_be():
    chain = camera.made("b", 41)
    (sky,) = np.flatnonzero(chain.is_sky)[:1]
    where = np.zeros((500, 1))
    where[sky] = 1.0
    found = desi_qa.run(changed(chain, PlantedChange(light=-2.0 * where)), 1, "b1").findings
    (one,) = [f for f in found if f.fibers == (int(sky),)]
    assert one.first_step == "preproc"
    assert "not sure" in one.text  # ten weak lines do not exclude 6 % less light

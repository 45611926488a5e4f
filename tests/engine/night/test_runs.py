"""Runs of fibers and what all fibers share: edges, weak levels, windows, and the runs that a sky model makes."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.search.scan import spans
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import plant, plant_at
from tests.bench.truth import judged

COUNT, BUNDLE = 500, 25
ALL = np.ones(COUNT, bool)


def found(first, last, depth, seed, error=1.0):
    """The run found in a field of fibers with noise, most of which know little."""
    random = np.random.default_rng(seed)
    errors = np.full(COUNT, error)
    value = errors * random.normal(size=COUNT)
    value[first:last] += depth
    return spans(value, errors, ALL, single=np.inf, snap=BUNDLE)


def test_a_weak_bundle_has_its_own_edges():
    whole = [(s[0].first, s[0].last) == (175, 200) for k in range(40) if (s := found(175, 200, -2.0, k))]
    assert sum(whole) >= 38  # 10 sigma: chance moves an edge by a fiber or two otherwise


@pytest.mark.parametrize(("first", "last"), [(73, 90), (118, 155), (301, 351)])
def test_a_run_that_is_no_bundle_keeps_its_edges(first, last):
    for seed in range(10):
        (one, *_) = found(first, last, 3.0, seed)
        assert (abs(one.first - first), abs(one.last - last)) <= (2, 2)


def test_two_bundles_are_one_only_where_they_are_a_block():
    for seed in range(10):
        (one, *_) = found(37, 87, 1.6, seed)
        assert (one.first, one.last) != (25, 75)


def test_fibers_that_know_more_count_more():
    random = np.random.default_rng(4)
    errors = np.where(np.arange(COUNT) % 8 == 0, 0.006, 0.09)
    value = errors * random.normal(size=COUNT)
    assert spans(value, errors, ALL, single=np.inf, snap=BUNDLE) == []
    value[200:250] -= 0.03
    (one,) = spans(value, errors, ALL, single=np.inf, snap=BUNDLE)
    assert (one.first, one.last) == (200, 250)
    assert one.value == pytest.approx(-0.03, abs=0.006)


@pytest.mark.parametrize(("name", "arm", "seed"), [
    ("sky level", "b", 0), ("sky window", "z", 1), ("sky window", "b", 6), ("all lines", "z", 4),
    ("run loses light", "b", 0), ("gray flat of a run", "b", 0), ("sky window", "z", 19), ("trailing across", "b", 3),
])  # fmt: skip
def test_weak_changes_of_many_fibers_are_found(name, arm, seed):
    defect = table.DEFECTS[name]
    planted = plant_at(camera.made(arm, 1000 + seed), defect, defect.snr, seed=seed)
    findings = list(desi_qa.run(planted.chain, 1, "r1").findings)
    assert judged(findings, planted.truth)[:2] == (True, True)


@pytest.mark.parametrize(("arm", "seed", "scene"), [
    ("b", 5144, {"moon": 0.2}), ("b", 5147, {"plane": 0.2}), ("b", 5153, {"broad": True}), ("b", 5111, {"stars": 3}),
])  # fmt: skip
def test_neither_planes_nor_stars_make_runs_or_dead_fibers(arm, seed, scene):
    findings = desi_qa.run(camera.made(arm, seed, **scene), 1, "b1").findings
    assert [f.text for f in findings if f.kind != "sky-gradient"] == []


@pytest.mark.parametrize(("first", "size"), [(293, 18), (100, 10), (70, 3), (12, 37), (200, 25)])
def test_numbers_without_noise_have_their_runs_too(first, size):
    """A calibration is exactly that of the others, or not: what deviates by 0 was measured."""
    value = np.zeros(500)
    value[first : first + size] = 0.4
    (one,) = spans(value, np.full(500, 0.01), np.ones(500, bool), snap=BUNDLE)
    assert (one.first, one.last, one.value) == (first, first + size, pytest.approx(0.4))


@pytest.mark.parametrize(("amplitude", "seed"), [(-0.0675, 32038), (-0.1, 32038), (-0.15, 1)])
def test_what_the_sky_model_makes_of_a_run_is_no_second_finding(amplitude, seed):
    """A tenth of its sky fibers lost light: lines stay in all fibers, and one side seems to lack a level."""
    planted = plant(camera.made("z", 32004), table.DEFECTS["run loses light"], amplitude, seed=seed)
    (one,) = desi_qa.run(planted.chain, 1, "z1").findings
    assert (one.kind, one.first_step) == ("block-throughput", "trace")


LINES = [("shift of a run", "b", 880000), ("wide lines of a run", "z", 890001)]


@pytest.mark.parametrize(("name", "arm", "seed"), LINES)
def test_lines_of_a_run_are_no_charge_that_trails(name, arm, seed):
    chain = camera.made(arm, seed + 1000)
    size = 3 * plant_at(chain, table.DEFECTS[name], 12.0, seed=seed).amplitude
    planted = plant(chain, table.DEFECTS[name], size, seed=seed)
    assert judged(list(desi_qa.run(planted.chain, 1, "r1").findings), planted.truth) == (True, True, True)


def test_blocks_do_not_deviate_by_a_part_of_the_level_of_their_amplifier():
    planted = plant(camera.made("z", 881001), table.DEFECTS["amplifier offset"], 6.0, seed=880001)
    (one,) = desi_qa.run(planted.chain, 1, "z1").findings
    assert one.kind == "amplifier-step"

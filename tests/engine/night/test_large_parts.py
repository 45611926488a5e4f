"""A large part of the fibers that is off alike: its fibers are named, and nothing else answers to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.numeric.groups import two_groups
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.fibers import sky_of
from ifuview.simulate.defects.plant import PlantedChange, changed, plant

COUNT, ERROR = 500, 0.006
FIBER = np.arange(COUNT)
PARTS = {
    "upper half": FIBER >= 250, "every second": FIBER % 2 == 1, "two of five": FIBER % 5 < 2, "a fifth": FIBER % 5 == 3,
}  # fmt: skip


def half_off(kind: str, part: np.ndarray, arm: str = "r"):
    """A camera in which some fibers have less light, a wrong flat, or displaced or wide lines."""
    chain, off = camera.made(arm, 7700), part[:, None].astype(float)
    sky = sky_of(chain)
    slope = np.gradient(sky, chain.wave)
    change = {
        "light": PlantedChange(throughput=1 - 0.2 * off), "flat": PlantedChange(flat=1 + 0.2 * off),
        "shift": PlantedChange(light=-0.3 * off * slope),
        "width": PlantedChange(light=0.25 * off * np.gradient(slope, chain.wave)),
        "level": PlantedChange(light=0.1 * float(np.median(sky)) * off),
    }[kind]  # fmt: skip
    return changed(chain, change)


@pytest.mark.parametrize(("kind", "part"), [
    ("light", "upper half"), ("light", "two of five"), ("flat", "every second"), ("shift", "two of five"),
    ("shift", "a fifth"), ("width", "every second"),
])  # fmt: skip
def test_the_fibers_of_a_large_part_are_named_and_nothing_else(kind, part):
    wrong = PARTS[part]
    (one,) = desi_qa.run(half_off(kind, wrong), 1, "r1").findings
    assert one.fibers == tuple(np.flatnonzero(wrong))
    step = {"flat": "fiberflat", "light": "trace" if part == "upper half" else "light"}.get(kind, "trace")
    assert one.first_step == step
    size = {"light": 0.8, "flat": 1 / 1.2, "shift": 0.3, "width": 0.5**0.5}[kind]
    assert one.amplitude == pytest.approx(size, rel=0.12 if kind == "width" else 0.03)  # half of the model is wide, too
    assert ("by the reverse" in one.text) == (kind != "flat" and part != "a fifth")  # of two halves nobody knows


@pytest.mark.parametrize(("kind", "part"), [
    ("light", FIBER < 250), ("flat", FIBER // 25 % 2 == 1), ("light", FIBER // 25 % 3 == 0), ("flat", FIBER % 2 == 0),
    ("light", (FIBER >= 300) & (FIBER < 490)),
])  # fmt: skip
def test_where_lines_are_faint_bundles_and_sky_fibers_tell_a_large_part(kind, part):
    chain = half_off(kind, part, "b")
    (one,) = desi_qa.run(chain, 1, "b1").findings  # no amplifier, column or line answers to it
    assert (one.kind, one.first_step == "fiberflat") == ("block-throughput", kind == "flat")
    assert len(set(one.fibers) ^ set(np.flatnonzero(part))) <= 3  # an edge is where lines of 9 % a fiber have it
    assert one.amplitude == pytest.approx(0.8 if kind == "light" else 1 / 1.2, rel=0.02)


def test_fibers_everywhere_that_lose_light_make_no_run():
    part = np.random.default_rng(5).random(COUNT) < 0.4
    findings = desi_qa.run(half_off("light", part, "b"), 1, "b1").findings
    wrong, at_random = set(np.flatnonzero(part)), [f for f in findings if f.first_step == "light"]
    assert not [f for f in findings if f not in at_random and len(f.fibers) > 25]  # a bundle may lack most of its light
    named = {f for one in at_random for f in one.fibers}
    assert len(named & wrong) > 0.5 * len(wrong) > 10 * len(named - wrong)  # lines tell a target to 9 %


def test_charge_that_lags_behind_in_one_amplifier_displaces_no_part_of_the_fibers():
    (one,) = desi_qa.run(
        plant(camera.made("z", 7032), table.DEFECTS["trailing along"], 0.1, seed=32).chain, 1, "z1"
    ).findings
    assert (one.kind, one.amplitude) == (
        "charge-transfer",
        pytest.approx(0.1, rel=0.2),
    )  # the sky model has a part of it


def test_half_of_the_fibers_with_less_noise_do_not_tell_of_all():
    chain, part = camera.made("r", 7701), PARTS["every second"][:, None]
    quiet = (chain.sframe - camera.made("r", 7701).sframe.mean()) * np.where(part, 0.5, 1.0)
    findings = desi_qa.run(replace(chain, sframe=quiet.astype(np.float32)), 1, "r1").findings
    assert not [f for f in findings if f.kind == "amplifier-noise" and len(f.fibers) == COUNT]


@pytest.mark.parametrize("part", ["every second", "two of five"])
def test_a_level_in_a_large_part_is_told_by_the_sky_fibers(part):
    chain = half_off("level", PARTS[part])
    (one,) = desi_qa.run(chain, 1, "r1").findings
    assert one.fibers == tuple(np.flatnonzero(chain.is_sky & PARTS[part]))
    assert one.amplitude == pytest.approx(0.1, abs=0.01)


def test_half_of_the_fibers_displaced_do_not_hide_a_dark_one():
    chain = half_off("shift", PARTS["every second"])
    dark = np.ones((COUNT, 1))
    dark[120] = 0.4
    findings = desi_qa.run(changed(chain, PlantedChange(throughput=dark)), 1, "r1").findings
    assert sorted(len(f.fibers) for f in findings)[-1] >= 249  # the dark one may be left out
    assert [f.fibers for f in findings if len(f.fibers) < 249] == [(120,)]


def test_fibers_of_one_kind_are_no_two_groups():
    random, use = np.random.default_rng(3), np.ones(COUNT, bool)
    error = np.full(COUNT, ERROR)
    for _ in range(20):
        spread = random.choice([0.1, 1.0, 10.0]) * ERROR
        for value in (
            ERROR * random.normal(size=COUNT) + spread * random.normal(size=COUNT),
            ERROR * random.normal(size=COUNT) + spread * random.uniform(-3, 3, COUNT),
            0.3 * ERROR * random.normal(size=COUNT) + spread * np.sin(FIBER / random.uniform(5, 80)),
            ERROR * random.standard_t(2, COUNT), ERROR * random.lognormal(0, 1.2, COUNT),
        ):  # fmt: skip
            assert two_groups(value, error, use) is None


def test_two_groups_are_told_where_they_are_six_errors_apart():
    random, use = np.random.default_rng(4), np.ones(COUNT, bool)
    for part in PARTS.values():
        value = 6.5 * ERROR * part + ERROR * random.normal(size=COUNT)
        value[7] = -1.0  # a dead fiber is in neither
        found = two_groups(value, np.full(COUNT, ERROR), use)
        assert np.count_nonzero(found.high != part) + np.count_nonzero(found.low == part) <= 4
        assert not found.low[7] and not found.high[7]
        assert found.values[1] - found.values[0] == pytest.approx(6.5 * ERROR, rel=0.05)

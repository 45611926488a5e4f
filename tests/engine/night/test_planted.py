"""Each class of defects, planted at the bar's signal to noise, comes out with its class, first step and fibers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import PlantedChange, changed, plant, plant_at
from tests.bench.truth import judged

SURE = (
    "sky left in a fiber", "sky model of a fiber", "column in a fiber", "flat bump of a fiber", "swapped spectra",
    "fiber off position", "flat bump of a run", "sky of a run", "run off position", "calibration of a run",
    "amplifier noise", "cosmic rays", "calibration bump", "calibration step", "ghost", "one line", "all lines",
    "shift of a run", "shift of a fiber", "shift of all", "row band", "right half offset", "amplifier offset",
    "trailing along", "trailing across",
)  # fmt: skip


def findings(chain, only=()):
    return desi_qa.run(chain, 1, "r1", desi_qa.Params(only)).findings


@pytest.mark.parametrize(("name", "arm"), [(name, "bzr"[k % 3]) for k, name in enumerate(SURE)])
def test_a_planted_defect_is_found_with_class_step_and_fibers(name, arm):
    defect = table.DEFECTS[name]
    planted = plant_at(camera.made(arm, 40), defect, defect.snr, seed=2)
    assert judged(list(findings(planted.chain)), planted.truth) == (True, True, True)


SCENES = ({}, {"broad": True}, {"stars": 3}, {"moon": 0.2}, {"plane": 0.2})


@pytest.mark.parametrize(
    ("arm", "scene"),
    [
        pytest.param("bzr"[k % 3], scene, marks=[pytest.mark.slow] * (k >= len(SCENES)))
        for k, scene in enumerate(SCENES + SCENES[1:])
    ],
)
def test_what_a_real_sky_and_real_targets_do_is_no_fault(arm, scene):
    assert [f for f in findings(camera.made(arm, 60, **scene)) if f.kind != "sky-gradient"] == []


@pytest.fixture(scope="module")
def red():
    return camera.made("r", 41)


def masked(chain, fibers, columns=slice(None)):
    """The camera without information in some fibers."""
    out = {}
    for name in ("frame_ivar", "sframe_ivar"):
        ivar = getattr(chain, name).copy()
        ivar[fibers, columns] = 0
        out[name] = ivar
    return replace(chain, **out)


@pytest.mark.parametrize(
    "fibers",
    [
        slice(0, 250),
        slice(100, 350),
        *(pytest.param(s, marks=pytest.mark.slow) for s in (slice(400, 500), slice(250, 500))),
    ],
)
def test_masked_fibers_are_named_and_say_nothing_else(red, fibers):
    out = desi_qa.run(masked(red, fibers), 1, "r1")
    (one,) = out.findings
    assert (one.kind, one.fibers) == ("masked-data", tuple(range(500))[fibers])
    assert out.numbers["judged"]["share"] == pytest.approx(1 - len(one.fibers) / 500, abs=0.01)


def test_a_masked_amplifier_is_named_once(red):
    (one,) = findings(masked(red, slice(0, 252), slice(0, red.shape[1] // 2)))
    assert (one.kind, one.amplifier) == ("masked-data", "A")


def test_a_dead_fiber_is_found_beside_masked_ones(red):
    dead = np.ones((500, 1))
    dead[[37, 300]] = 0.0
    found = findings(masked(changed(red, PlantedChange(throughput=dead)), slice(100, 250)))
    assert {f.fibers for f in found if f.detail.get("dead")} == {(37,), (300,)}


def test_all_masked_is_said(red):
    (one,) = findings(masked(red, slice(None)))
    assert one.kind == "masked-data"
    assert len(one.fibers) == 500


def test_two_defects_at_once_are_both_named(red):
    shifted = plant(red, table.DEFECTS["shift of a run"], 0.3, seed=3)
    both = plant(shifted.chain, table.DEFECTS["one line"], 0.06, seed=5)
    found = list(findings(both.chain))
    assert judged(found, shifted.truth)[:2] == (True, True)
    assert any(f.kind == "sky-line residual" and f.first_step == "sky" and len(f.fibers) == 500 for f in found)


@pytest.mark.parametrize("size", [0.3, 0.6, 1.0])
def test_the_sky_that_a_fiber_keeps_is_measured(red, size):
    planted = plant(red, table.DEFECTS["sky left in a fiber"], size, seed=8)
    (one,) = findings(planted.chain)
    assert (one.first_step, one.fibers) == ("sky", planted.truth.fibers)
    assert one.detail["share_of_sky"] == pytest.approx(size, abs=0.02)


def test_a_flat_that_is_wrong_is_told_from_light_that_is_lost(red):
    for name, step in (("gray flat of a fiber", "fiberflat"), ("throughput of a fiber", "light")):
        planted = plant(red, table.DEFECTS[name], 0.5 if step == "fiberflat" else -0.35, seed=11)
        (one,) = findings(planted.chain, ("isolated-fiber",))
        assert (one.fibers, one.first_step) == (planted.truth.fibers, step)
    planted = plant(red, table.DEFECTS["gray flat of a run"], 0.2, seed=12)
    (one,) = findings(planted.chain, ("block-throughput",))
    assert one.first_step == "fiberflat"
    assert one.fibers == planted.truth.fibers


def test_a_sky_model_that_is_wrong_in_a_fiber_of_an_amplifier_that_trails_is_named_too(red):
    fiber = plant(red, table.DEFECTS["sky model of a fiber"], 0.1, seed=4)
    both = plant(fiber.chain, table.DEFECTS["trailing across"], 0.1, seed=2)
    for truth in (fiber.truth, both.truth):
        assert judged(list(findings(both.chain)), truth) == (True, True, True)

"""Fibers with one fault in common are one finding; those with faults of their own stay by themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.problems import together
from ifuview.model.night.triage import Finding
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera
from ifuview.simulate.defects.plant import PlantedChange, changed

NFIBER = 500
SOME = tuple(sorted(np.random.default_rng(5).choice(np.arange(20, 480), 25, replace=False).tolist()))


def rows(fibers):
    return np.isin(np.arange(NFIBER), fibers)[:, None].astype(float)


def found(chain, change):
    return [f for f in desi_qa.run(changed(chain, change), 1, "r1").findings if f.kind != "sky-gradient"]


@pytest.fixture(scope="module")
def chain():
    return camera.made("z", 77)


@pytest.mark.parametrize("fibers", [SOME, tuple(range(100, 125)), tuple(range(333, 340))])
def test_fibers_that_keep_a_part_of_their_sky_are_one_finding(chain, fibers):
    (one,) = found(chain, PlantedChange(left=0.1 * rows(fibers) * np.median(chain.sky, axis=0)))
    assert (one.kind, one.first_step, one.fibers) == ("isolated-fiber", "sky", fibers)
    assert set(one.detail["of_fiber"]) == {str(f) for f in fibers}


def test_fibers_with_a_wrong_flat_are_one_finding_though_that_of_a_few_is_open(chain):
    (one,) = found(chain, PlantedChange(flat=1 + 0.4 * rows(SOME)))
    assert (one.kind, one.first_step, one.fibers) == ("isolated-fiber", "fiberflat", SOME)


@pytest.mark.parametrize("fibers", [(60, 61, 62), tuple(range(180, 187)), (7, 8, 9, 10)])
@pytest.mark.parametrize("way", ["throughput", "flat"])
def test_a_few_neighbors_that_lose_light_are_a_run_of_just_these(chain, fibers, way):
    factor = 1 + (-0.3 if way == "throughput" else 0.4) * rows(fibers)
    (one,) = found(chain, PlantedChange(**{way: factor}))
    assert (one.kind, one.fibers) == ("block-throughput", fibers)
    assert one.first_step in (("trace", "light") if way == "throughput" else ("fiberflat",))


def test_fibers_that_lose_light_here_and_there_make_no_run(chain):
    (one,) = found(chain, PlantedChange(throughput=1 - 0.3 * rows(SOME)))
    assert (one.kind, one.first_step, one.fibers) == ("isolated-fiber", "light", SOME)


def test_a_shift_of_two_bundles_and_of_fibers_here_and_there_is_named_everywhere(chain):
    slope = np.gradient(np.median(chain.sky, axis=0), chain.wave)
    bundles = tuple(range(25, 50)), tuple(range(300, 325))
    change = PlantedChange(light=-(0.2 * rows(bundles[0]) + 0.1 * rows(bundles[1])) * slope)
    assert {f.fibers for f in found(chain, change) if f.kind == "sky-line residual"} == set(bundles)
    one = next(f for f in found(chain, PlantedChange(light=-0.3 * rows(SOME) * slope)) if len(f.fibers) < NFIBER)
    assert (one.kind, one.first_step) == ("sky-line residual", "trace")
    assert set(SOME) <= set(one.fibers) and len(one.fibers) <= len(SOME) + 1  # one between three of them


def single(fiber, **values):
    return Finding(
        1,
        "r1",
        **{
            "kind": "isolated-fiber",
            "first_step": "light",
            "fibers": (fiber,),
            "amplitude": 0.7,
            "unit": "throughput / flat",
            "significance": 9.0,
            "text": f"fiber {fiber}",
        }
        | values,
    )


def test_other_signs_causes_and_few_fibers_stay_by_themselves():
    same = [single(f) for f in range(0, 50, 10)]
    others = [
        single(3, amplitude=1.4), single(4, known=True), single(5, detail={"dead": True}), single(6, first_step="sky"),
        single(7, wave_range=(5000.0, 5100.0)),
    ]  # fmt: skip
    told = together([*same, *others])
    assert [f.fibers for f in told] == [(3,), (4,), (5,), (6,), (0, 10, 20, 30, 40), (7,)]
    assert together(same[:4]) == same[:4]


def test_a_fiber_whose_step_is_open_goes_with_the_others():
    same = [single(f, first_step="fiberflat") for f in range(0, 50, 10)]
    open_ = single(7, alternatives=(("isolated-fiber", "fiberflat"),))
    (one,) = together([*same, open_])
    assert (one.first_step, one.alternatives, one.fibers) == ("fiberflat", (), (0, 7, 10, 20, 30, 40))
    assert together([*same, single(7)])[0] == replace(single(7))


@pytest.mark.parametrize(("fibers", "first"), [(range(250), 0.5), (range(250, 500), 0.3), (range(130, 250), 0.6)])
def test_a_step_in_the_calibration_of_many_fibers_is_theirs(fibers, first):
    chain = camera.made("b", 78)
    after = np.arange(chain.wave.size) > first * chain.wave.size
    (one,) = found(chain, PlantedChange(calibration=1 + 0.2 * rows(list(fibers)) * after))
    assert (one.kind, one.fibers) == ("fluxcalib", tuple(fibers))
    assert one.amplitude == pytest.approx(0.2, abs=0.01)
    assert one.wave_range[0] < chain.wave[int(first * chain.wave.size)] < one.wave_range[1]

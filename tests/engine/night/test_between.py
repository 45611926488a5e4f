"""Cameras of one exposure tell a gray factor of a calibration, and light that only one petal has."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ifuview.app.night.triage.between import between
from ifuview.engine.night.search.between import blamed, calibrated_sky, ends, gray_ratio
from ifuview.engine.night.search.templates import shapes
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import plant

RANGES = {"b": (3600.0, 5800.0), "r": (5760.0, 7620.0), "z": (7520.0, 9824.0)}
NFIBER, NOISE = 200, 0.4


def petal(factors, seed=1):
    """Ends of the three cameras of a petal whose fluxes are too bright by factors."""
    random = np.random.default_rng(seed)
    level, slope = random.lognormal(0, 1, NFIBER)[:, None], random.normal(0, 1.5, NFIBER)[:, None]
    out = {}
    for arm, (first, last) in RANGES.items():
        wave = np.arange(first, last, 0.8)
        flux = factors.get(arm, 1.0) * level * (wave / 6500) ** slope
        seen = flux + NOISE * random.normal(size=flux.shape)
        out[arm] = ends(seen, np.full(flux.shape, NOISE**-2.0), wave)
    return out


def ratios(of, arms="brz"):
    return {(a, b): r for a, b in pairwise(arms) if (r := gray_ratio(of[a], of[b])) is not None}


@pytest.mark.parametrize("arm", ["b", "r", "z"])
@pytest.mark.parametrize("factor", [0.6, 1.4])
def test_the_camera_with_a_gray_factor_is_told_by_its_neighbors(arm, factor):
    ((names, value),) = blamed(list("brz"), ratios(petal({arm: factor})))
    assert names == (arm,)
    assert value == pytest.approx(np.log(factor), abs=0.03)


def test_right_cameras_agree_and_two_alone_are_both_named():
    for seed in range(5):
        assert blamed(list("brz"), ratios(petal({}, seed))) == []
    of = petal({"r": 1.5})
    ((names, _),) = blamed(list("rz"), ratios(of, "rz"))
    assert names == ("r", "z")
    found = between([(1, f"{arm}1", {"ends": of[arm]}) for arm in "rz"])
    assert {f.camera for f in found} == {"r1", "z1"}
    assert all("would tell" in f.text for f in found)


def test_cameras_of_other_fibers_are_not_compared():
    of = petal({})
    assert gray_ratio(petal({}, 5)["r"], of["z"]) is None


@pytest.fixture(scope="module")
def petals():
    return [camera.made("r", 70 + k) for k in range(3)]


def numbers(chains):
    return [(1, f"r{k}", desi_qa.run(chain, 1, f"r{k}", desi_qa.Params(("fluxcalib",))).numbers)
            for k, chain in enumerate(chains)]  # fmt: skip


def test_the_sky_of_other_petals_tells_a_gray_factor_and_light_of_one(petals):
    assert between(numbers(petals)) == []
    wrong = plant(petals[1], table.TOGETHER["gray calibration"], 0.6, seed=1).chain
    (one,) = between(numbers([petals[0], wrong, petals[2]]))
    assert (one.camera, one.kind, one.first_step) == ("r1", "fluxcalib", "fluxcalib")
    assert one.amplitude == pytest.approx(1.6, rel=0.03)
    lit = plant(petals[1], table.TOGETHER["uniform light"], 0.6, seed=1).chain
    (one,) = between(numbers([petals[0], lit, petals[2]]))
    assert (one.camera, one.kind, one.first_step) == ("r1", "wavelength-all", "light")


def test_light_that_a_petal_lost_is_no_fault_of_its_calibration(petals):
    chain = petals[0]
    shape = shapes(np.median(chain.sky, axis=0), chain.wave)[0]
    sky, calibration = np.median(chain.sky, axis=0), np.median(chain.fluxcalib, axis=0)
    whole, dim = calibrated_sky(sky, calibration, shape), calibrated_sky(0.5 * sky, 0.5 * calibration, 0.5 * shape)
    assert whole == pytest.approx(dim)

"""A product that is alone: what can be judged in it is, the rest is said, and a clean one is not accused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.stand_ins import COUNTED, completed, photons_of_unit
from ifuview.model.night.chain import MADE, Chain
from ifuview.model.night.triage import Finding
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera

SCENES = ({"broad": True}, {"stars": 3}, {"moon": 0.2})


def made(arm: str, seed: int, **scene: float | bool) -> Chain:
    chain = camera.made(arm, seed, **scene)
    return replace(chain, cframe_ivar=chain.sframe_ivar * chain.fluxcalib**2)


def only(chain: Chain, *keep: str) -> Chain:
    gone = [name for name in MADE if name not in keep]
    return replace(chain, **{key: None for name in gone for key in (name, f"{name}_ivar") if hasattr(chain, key)})


def found(chain: Chain) -> list[Finding]:
    return [f for f in desi_qa.run(chain, 1, "r1").findings if f.kind != "sky-gradient"]


@pytest.mark.parametrize("number", range(3))
def test_a_clean_product_is_not_accused(number: int) -> None:
    chain = made("brz"[number], 500 + number, **SCENES[number])
    for name in MADE:
        assert not found(only(chain, name)), name


@pytest.mark.parametrize("arm", "brz")
def test_the_noise_of_calibrated_spectra_tells_their_unit(arm: str) -> None:
    """Made cameras have 1.6 photons of noise a count, and steps of 0.8 A: the unit is 1 / (1.6 x 0.8) of a count."""
    chain = made(arm, 510)
    unit = photons_of_unit(chain.cframe, chain.cframe_ivar, chain.wave)
    assert unit is not None
    ratio = unit[0] * 1.28 / chain.fluxcalib[0]
    assert np.abs(ratio - 1).max() < 0.12
    assert photons_of_unit(chain.cframe, np.full(chain.shape, 0.01), chain.wave) is None  # noise that no light makes


def test_a_cframe_alone_shows_what_an_sframe_does() -> None:
    chain = made("r", 511)
    shape = 20.0 * np.exp(-0.5 * ((chain.wave - chain.wave[1100]) / 60.0) ** 2)
    cframe = chain.cframe.copy()
    cframe[100:150] += (shape / chain.fluxcalib[0]).astype(np.float32)
    alone = only(replace(chain, cframe=cframe), "cframe")
    assert completed(alone)[1]["sframe"] == COUNTED
    (one,) = found(alone)
    assert (one.kind, set(one.fibers)) == ("wavelength-blocks", set(range(100, 150)))


@pytest.mark.parametrize(("name", "step"), [("sky", "sky"), ("flat", "fiberflat")])
def test_fibers_bundles_and_features_that_stand_out(name: str, step: str) -> None:
    chain = made("z", 512)
    factor = np.ones(chain.shape, np.float32)
    factor[60] = 2.0  # a fiber
    factor[200:225] = 1.25  # a bundle
    factor[300:350] += 0.2 * np.exp(-0.5 * ((chain.wave - chain.wave[900]) / 40.0) ** 2).astype(np.float32)
    factor[410] = 0.0
    ivar = np.ones(chain.shape, np.float32)  # what is 0 with a weight is meant
    alone = only(replace(chain, **{name: getattr(chain, name) * factor, f"{name}_ivar": ivar}), name)
    of = {f.fibers: f for f in found(alone)}
    assert set(of) == {(60,), tuple(range(200, 225)), tuple(range(300, 350)), (410,)}
    assert {f.first_step for f in of.values()} == {step}
    assert all("would tell" in f.text for f in of.values() if f.kind != "masked-data")
    low, high = of[tuple(range(300, 350))].wave_range
    assert low < chain.wave[900] < high
    assert of[tuple(range(200, 225))].amplitude == pytest.approx(1.25, rel=0.05)


def test_a_dark_fiber_of_a_frame_alone_and_that_all_else_is_not_measured() -> None:
    chain = made("b", 513)
    frame = chain.frame.copy()
    frame[77] *= 0.02
    result = desi_qa.run(only(replace(chain, frame=frame), "frame"), 1, "b1")
    (one,) = result.findings
    assert (one.kind, one.first_step, one.fibers) == ("isolated-fiber", "frame", (77,))
    assert {"ccd-row", "sky-line residual", "mixed-production"} <= {n.what for n in result.not_measured}
    assert result.numbers["judged"]["share"] == 1.0
    frame[77] = np.nan
    assert {f.kind for f in found(only(replace(chain, frame=frame), "frame"))} == {"masked-data"}

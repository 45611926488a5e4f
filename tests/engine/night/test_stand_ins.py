"""Products that are missing and that the others make: the same is found, and nothing is called known that is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.stand_ins import BY_NOISE, completed, untold
from ifuview.model.night.chain import Chain
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera
from ifuview.simulate.defects.plant import plant
from ifuview.simulate.defects.table import DEFECTS

ONE = ("frame", "flat", "sky", "sframe")


def without(chain: Chain, *names: str) -> Chain:
    there = {f"{name}_ivar": None for name in names if hasattr(chain, f"{name}_ivar")}
    return replace(chain, **dict.fromkeys(names), **there)


@pytest.mark.parametrize("name", ONE)
def test_one_missing_product_is_what_the_three_others_make(name: str) -> None:
    chain = camera.made("r", 71)
    made, of = completed(without(chain, name, *(["cframe"] if name == "sframe" else [])))
    assert list(of) == [name]
    # numbers of products are 32 bit; a flat is a quotient of two of them, where there is light
    known = chain.sframe_ivar > 0
    off = (getattr(made, name) - getattr(chain, name))[known]
    assert np.mean(np.abs(off) < 1e-4 * np.median(np.abs(chain.frame))) > 0.999
    assert not untold(without(chain, name))
    assert completed(chain) == (chain, {})


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("number", range(2))
def test_clean_cameras_stay_so_and_are_not_called_clean(name: str, number: int) -> None:
    result = desi_qa.run(without(camera.made("bz"[number], 320 + number, broad=True), name), 1, "r1")
    assert not [f for f in result.findings if f.kind != "sky-gradient"]
    (lack,) = (n for n in result.not_measured if n.what == "mixed-production")
    assert name in lack.missing
    assert "stands" in lack.missing


@pytest.mark.parametrize("name", ONE)
def test_a_run_that_keeps_sky_is_found_without_any_one_product(name: str) -> None:
    planted = plant(camera.made("r", 73), DEFECTS["sky of a run"], 0.08, seed=7)
    found = desi_qa.run(without(planted.chain, name), 1, "r1").findings
    wanted = set(planted.truth.fibers)
    own = [f for f in found if len(wanted & set(f.fibers)) > 0.8 * len(wanted)]
    assert own
    assert ("frame and flat do not" in own[0].text) == (name in ("sky", "sframe"))  # a claim on what was looked at


def test_a_dead_fiber_and_a_faint_one_are_found_without_the_flat() -> None:
    chain = camera.made("r", 74)
    lit = np.ones((chain.shape[0], 1), np.float32)
    lit[101], lit[307] = 0.0, 0.5
    sframe = chain.sframe - (1 - lit) * (chain.sframe + chain.sky)
    chain = replace(chain, frame=chain.frame * lit, sframe=sframe.astype(np.float32))
    found = desi_qa.run(without(chain, "flat"), 1, "r1").findings
    assert {fiber for f in found if f.kind == "isolated-fiber" for fiber in f.fibers} == {101, 307}


def bump(chain: Chain, fibers: slice, amplitude: float) -> Chain:
    """More light at some wavelengths in blocks of fibers of the sframe."""
    assert chain.sframe is not None
    middle = chain.wave[chain.wave.size // 2]
    shape = amplitude * np.exp(-0.5 * ((chain.wave - middle) / 60.0) ** 2)
    sframe = chain.sframe.copy()
    sframe[fibers] += shape.astype(np.float32)
    return replace(chain, sframe=sframe)


def test_an_sframe_alone_shows_blocks_and_says_that_the_step_is_not_known() -> None:
    chain = without(camera.made("r", 75), "frame", "flat", "sky", "fluxcalib", "cframe")
    assert completed(chain)[1] == {"sky": BY_NOISE}
    assert untold(chain) == ("frame", "flat", "sky")
    clean = desi_qa.run(chain, 1, "r1")
    assert not clean.findings
    assert "sky" not in clean.arrays
    assert "sky" not in clean.numbers
    (found,) = desi_qa.run(bump(chain, slice(100, 150), 20.0), 1, "r1").findings
    assert (found.kind, found.first_step) == ("wavelength-blocks", "sframe")
    assert set(found.fibers) == set(range(100, 150))
    assert found.detail["without"] == ["sky", "flat"]
    assert "neither" not in found.text
    assert "which step made it sky model and fiberflat would tell" in found.text


def test_an_innocent_sky_model_is_said_where_only_the_flat_is_unknown() -> None:
    chain = without(bump(camera.made("r", 76), slice(100, 150), 20.0), "frame", "flat", "fluxcalib", "cframe")
    (found,) = desi_qa.run(chain, 1, "r1").findings
    assert (found.first_step, found.detail["without"]) == ("sframe", ["flat"])
    assert "the sky model has it not" in found.text


@pytest.mark.parametrize(("name", "step"), [("frame", "light"), ("flat", "fiberflat")])
def test_sky_left_in_a_fiber_looks_like_another_step_without_a_product_and_that_is_said(name: str, step: str) -> None:
    planted = plant(camera.made("r", 73), DEFECTS["sky left in a fiber"], 0.5, seed=7)
    found = desi_qa.run(without(planted.chain, name), 1, "r1").findings
    own = [f for f in found if set(f.fibers) == set(planted.truth.fibers)]
    assert own
    for one in own:
        assert (one.first_step, one.detail["without"]) == (step, [name])
        assert "whether sframe is wrong instead" in one.text


def test_a_question_counts_as_asked_only_where_its_products_are() -> None:
    """Lines and columns are looked for in what frame, flat and sky give together."""
    chain = without(camera.made("r", 77), "frame", "flat", "fluxcalib", "cframe")
    lacks = {n.what: n.missing for n in desi_qa.run(chain, 1, "r1").not_measured}
    assert lacks["sky-line residual"] == lacks["ccd-column"] == "frame and flat"
    assert lacks["fibers whose spectra are exchanged"] == "frame and flat"
    told = {n.what for n in desi_qa.run(without(camera.made("r", 77), "flat"), 1, "r1").not_measured}
    assert "fibers whose spectra are exchanged" in told  # the flat that the others make contradicts nothing


def test_the_calibrated_spectra_and_their_calibration_are_the_sframe() -> None:
    chain = camera.made("r", 78)
    assert chain.fluxcalib is not None
    chain = replace(chain, cframe=chain.sframe / chain.fluxcalib, cframe_ivar=chain.sframe_ivar * chain.fluxcalib**2)
    made, of = completed(without(chain, "sframe", "flat"))
    assert of == {"sframe": "cframe x fluxcalib", "flat": "frame / (sframe + sky)"}
    assert np.allclose(made.sframe, chain.sframe, rtol=1e-5, atol=1e-3)
    assert np.allclose(made.sframe_ivar, chain.sframe_ivar, rtol=1e-4)
    wrong = bump(chain, slice(100, 150), 20.0)
    wrong = replace(wrong, cframe=wrong.sframe / wrong.fluxcalib)
    (found,) = desi_qa.run(without(wrong, "frame", "flat", "sframe"), 1, "r1").findings
    assert set(found.fibers) == set(range(100, 150))


def test_what_is_unknown_in_calibrated_spectra_is_no_light_of_the_sframe_that_they_make() -> None:
    chain = camera.made("r", 78)
    assert chain.fluxcalib is not None
    cframe, ivar = chain.sframe / chain.fluxcalib, chain.sframe_ivar * chain.fluxcalib**2
    chain = without(replace(chain, cframe=cframe, cframe_ivar=ivar), "sframe")
    assert untold(replace(without(chain, "frame"), cframe_ivar=np.zeros_like(ivar))) == ("frame", "sframe")
    gone = cframe.copy()
    gone[100:130] = np.nan
    (found,) = desi_qa.run(replace(chain, cframe=gone), 1, "r1").findings
    assert (found.kind, found.first_step, found.fibers) == ("masked-data", "cframe", tuple(range(100, 130)))
    nothing = replace(chain, cframe_ivar=np.zeros_like(ivar))
    assert [f.kind for f in desi_qa.run(nothing, 1, "r1").findings] == ["masked-data"]

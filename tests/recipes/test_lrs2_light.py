"""An amplifier that the twilight lacks is traced on other light, and its fibers have the response of lamps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.model.verdict import VerdictState
from ifuview.recipes.graph import Given, run
from ifuview.recipes.lrs2.others import lent_sky
from ifuview.recipes.lrs2.recipe import RECIPE
from ifuview.recipes.lrs2.science import FluxParams
from ifuview.simulate.het.night import Shot
from tests.recipes.lrs2_small import NFIBER, SOURCE, clean_calibrations, reduced, science, usual, verdicts

OTHERS = {
    "flt": (Shot(20, "flt", "ldls", 10.0), 0.01, "lamp flats"),
    "sky": (replace(science(None), observation=9, shift=0.0), 0.03, "exposures of the sky"),
}


@pytest.mark.parametrize("kind", list(OTHERS))
def test_half_a_twilight_is_completed(kind):
    other, trace, words = OTHERS[kind]
    half = replace(usual()["twi"][0], missing=("066LU",))
    whole, found = reduced(None, ("field", "spectrum")), reduced(None, ("field", "spectrum"), twi=half, **{kind: other})
    upper = slice(NFIBER, None)
    want, have = (steps["traces"].value.traces for steps in (whole, found))
    lit = (np.asarray(want.status) == 0) & (np.asarray(have.status) == 0)
    assert lit[upper].sum() >= np.sum(np.asarray(want.status)[upper] == 0) - 1
    assert np.sqrt(np.mean((have.center - want.center)[lit] ** 2)) < trace
    ratio = [steps["response"].value.fibers.flat[lit] for steps in (whole, found)]
    off = np.median(ratio[1] / ratio[0], axis=1)
    assert np.abs(off / np.median(off) - 1).max() < 0.02
    light = [steps["spectrum"].value for steps in (whole, found)]
    good = np.logical_and.reduce([one.variance > 0 for one in light])
    assert abs(np.median(light[1].flux[good] / light[0].flux[good]) - 1) < 0.02
    one = verdicts(found)["flat"]
    assert one.state is VerdictState.LOOK and f"LU is that of {words}" in one.text


def test_light_that_fills_the_field_is_told_from_the_sky_of_another_exposure():
    night, given, clean = clean_calibrations()
    blank = reduced(None, ("field",), sci=replace(science(None), observation=9))
    shot = replace(science(replace(SOURCE, level=4e-15, scale=5.0)), observation=10)
    inputs = {**given, "science_raw": Given(night.exposure(shot), "full"), "other_sky": lent_sky(blank["sky"])}
    found = run(RECIPE, inputs, None, ("spectrum", "picture"), known=clean)
    fields = [steps["field"].value for steps in (found, blank)]
    usable = np.logical_and.reduce([one.subtracted.usable() for one in fields])
    assert np.median(fields[0].sky[usable] / fields[1].sky[usable]) == pytest.approx(1.0, abs=0.05)
    assert np.median(fields[0].subtracted.flux[usable]) > 2 * np.median(fields[0].sky[usable])
    own = found["sky"].value
    assert own.extended is not None and np.hypot(own.extended.x - SOURCE.x, own.extended.y - SOURCE.y) < 0.3
    told = verdicts(found)
    assert told["field"].state is VerdictState.NOT_JUDGED and "nan" not in told["field"].text
    assert told["spectrum"].state is not VerdictState.WRONG and told["sources"].state is VerdictState.NOT_JUDGED


def test_arcs_that_lie_off_the_twilight_have_the_same_wavelengths():
    """Flexure of 0.3 px: along the twilight's traces bright lines do not fit the profile."""
    arc = replace(usual()["cmp"][0], shift=0.3)
    waves = [steps["wave"].value.wave for steps in (clean_calibrations()[2], reduced(None, ("wave",), cmp=arc))]
    assert np.sqrt(np.mean(((waves[1] - waves[0]) / np.gradient(waves[0], axis=1)) ** 2)) < 0.01


def test_light_that_clouds_took_is_given_back_as_the_guide_cameras_saw_it():
    night, given, clean = clean_calibrations()
    exposure = night.exposure(science(None))
    flux, known = [], clean
    for seen, params in ((None, {}), (0.5, {}), (0.5, {"flux": FluxParams(transparency=0.8)})):
        inputs = {**given, "science_raw": Given(replace(exposure, transparency=seen), f"clouds {seen}")}
        steps = run(RECIPE, inputs, params, ("flux",), known=known)
        flux.append(float(steps["flux"].value.flux.sum(dtype=float)))
        known = {name: one for name, one in steps.items() if name != "flux"}
    assert flux[1] / flux[0] == pytest.approx(1 / 0.5, rel=1e-5)  # float32
    assert flux[2] / flux[0] == pytest.approx(1 / 0.8, rel=1e-5)  # what was given goes first

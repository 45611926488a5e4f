"""Faults planted in a small night are named: step, fibers, wavelengths, how sure; a night without faults is clean."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from ifuview.errors import UsageError
from ifuview.model.verdict import VerdictState
from ifuview.recipes.graph import StepResult, StepVerdict, run
from ifuview.recipes.lrs2.recipe import RECIPE
from ifuview.recipes.lrs2.science import CurveParams
from ifuview.simulate.het.faults import ShotFaults
from ifuview.simulate.het.night import Shot
from tests.recipes.lrs2_small import (
    NFIBER,
    SOURCE,
    clean_calibrations,
    reduced,
    science,
    small_channel,
    usual,
    verdicts,
)

pytestmark = pytest.mark.slow

CLEAN, LOOK, WRONG = VerdictState.CLEAN, VerdictState.LOOK, VerdictState.WRONG
UPPER = tuple(range(NFIBER, 2 * NFIBER))


def found(step: str = "", params=None, **changes: Shot) -> dict[str, StepVerdict]:
    """What is said of the steps that one rests on, that included; of all without a name."""
    return verdicts(reduced(params, (step,) if step else (), **changes))


def with_faults(step: str, kind: str = "sci", **faults) -> StepVerdict:
    return found(step, **{kind: replace(usual()[kind][0], faults=ShotFaults(**faults))})[step]


def test_a_night_without_faults_is_clean_and_what_is_not_judged_says_why():
    every = found()
    assert not {step: one.text for step, one in every.items() if one.state in (WRONG, LOOK)}
    silent = {step: one.text for step, one in every.items() if one.state is VerdictState.NOT_JUDGED}
    assert set(silent) <= {"dark", "drift", "picture"} and all(len(text) > 20 for text in silent.values())


@pytest.mark.parametrize(("kind", "step"), [("twi", "flat"), ("sci", "science")])
def test_a_bit_that_does_not_change(kind, step):
    one = with_faults(step, kind, stuck={"066LU": 3})
    assert one.state is WRONG and "LU: bit 3" in one.text and one.fibers == UPPER


def test_an_amplifier_of_zeros_and_one_that_is_missing():
    for what, words in (("zero", "LU is 100 % zero"), ("missing", "LU is missing")):
        one = found("science", sci=replace(science(), **{what: ("066LU",)}))["science"]
        assert one.state is WRONG and words in one.text and one.fibers == UPPER


def test_read_noise():
    one = with_faults("science", noise={"066LL": 2.5})
    assert one.state is WRONG and "LL: read noise 5." in one.text and one.fibers[0] == 0 and one.sigma > 20


def test_fibers_that_have_no_light_in_the_exposure_alone():
    one = with_faults("flux", dead=(30, 77))
    assert one.state is LOOK and "2 fibers have no light" in one.text
    assert one.fibers == (30, 77) and one.sigma > 20 and "fibers 31, 78" in one.place


def test_a_fiber_without_light_in_the_twilight():
    one = with_faults("traces", "twi", dead=(33,))
    assert one.state is LOOK and one.fibers == (33,)


def test_fibers_that_are_swapped():
    x, y = small_channel().layout
    order = np.argsort(np.hypot(x - SOURCE.x, y - SOURCE.y))
    pair = tuple(sorted((int(order[4]), int(order[50]))))
    one = with_faults("flux", swapped=(pair,))
    assert one.state is WRONG and f"fibers {pair[0] + 1} and {pair[1] + 1}" in one.text and one.fibers == pair


def test_traces_and_wavelengths_that_moved():
    every = found("drift", sci=science(shift=1.2, drift=1.3))
    assert every["spectra"].state is LOOK and every["spectra"].sigma > 100
    moved = [float(re.findall(r"[+-]\d\.\d+", every[step].text)[0]) for step in ("spectra", "drift")]
    assert moved == pytest.approx([1.2, 1.3], abs=0.02) and every["drift"].state is LOOK


def test_a_flat_that_is_not_that_of_the_exposure():
    one = with_faults("flux", uneven=0.12)
    assert one.state in (LOOK, WRONG) and "fiber flat does not fit" in one.text and one.fibers and one.sigma > 8


@pytest.mark.parametrize(("factor", "words"), [(1.06, "over-subtracted"), (0.94, "under-subtracted")])
def test_a_sky_of_the_wrong_level(factor, words):
    _, given, _ = clean_calibrations()
    steps = reduced(None, ("sky",))
    own = steps["sky"].value
    wrong = replace(own, sky=replace(own.sky, model=factor * own.sky.model))
    known = {**steps, "sky": StepResult("sky", wrong, words)}
    one = verdicts(run(RECIPE, given, None, ("field",), known=known))["field"]
    assert one.state is WRONG and words in one.text and one.sigma > 8 and len(one.fibers) > 20


def test_a_line_of_the_sky_that_is_not_taken_off_is_told_by_its_wavelengths():
    _, given, _ = clean_calibrations()
    steps = reduced(None, ("sky",))
    own, wave = steps["sky"].value, steps["flux"].value.wave
    low, high = 6750.0, 6800.0
    model = np.where((wave > low) & (wave < high), 0.7, 1.0) * own.sky.model
    known = {**steps, "sky": StepResult("sky", replace(own, sky=replace(own.sky, model=model)), "line")}
    one = verdicts(run(RECIPE, given, None, ("field",), known=known))["field"]
    assert one.state is WRONG and any(abs(a - low) < 40 and b < high + 40 for a, b in one.waves) and one.sigma > 8


def test_saturated_lines_of_the_lamp_are_named_by_their_wavelengths():
    every = found("wave", cmp=replace(usual()["cmp"][0], faults=ShotFaults(level=7.0)))
    one = every["wave"]
    assert one.state is LOOK and "saturated" in one.text and "7067.2" in one.place
    assert every["arcs"].state is LOOK and "at columns" in every["arcs"].text


def test_saturated_samples_of_a_source():
    one = found("spectra", sci=science(replace(SOURCE, level=4e-13)))["spectra"]
    assert one.state is LOOK and "samples saturated" in one.text and one.fibers and one.waves


def test_one_step_that_cannot_be_made_is_wrong_and_those_after_it_are_not_judged():
    every = found("field", sci=replace(science(), zero=("066LL", "066LU")))
    assert every["science"].state is WRONG and "no pixel of the exposure can be used" in every["science"].text
    assert {every[step].state for step in ("spectra", "drift", "flux", "sky", "field")} == {VerdictState.NOT_JUDGED}
    assert every["field"].text.startswith("not made: needs science: ")


def test_a_source_that_outshines_the_sky_is_no_fault_of_fibers_or_sky():
    every = found("field", sci=science(replace(SOURCE, level=2e-14, fwhm=1.6)))
    assert all(every[step].state in (CLEAN, VerdictState.NOT_JUDGED) for step in ("flux", "sky")), every
    assert every["sources"].state is LOOK
    assert every["field"].state is not WRONG and "not judged" in every["field"].text


def test_fibers_beside_those_of_a_star_that_lose_scattered_light_are_not_without_light():
    steps = reduced(None, ("flux",), sci=science(replace(SOURCE, level=2e-14, fwhm=1.6)))
    own = steps["flux"].value
    level = np.nanmedian(np.where(own.usable(), own.flux, np.nan), axis=1)
    dark = np.nanpercentile(level, 10)
    for brighter, said in ((1.0, True), (2e6 * dark / np.nanmax(level), False)):
        factor = np.where(level == np.nanmax(level), brighter, 1.0)
        flux = np.where(np.arange(own.nfiber)[:, None] == 30, -0.5 * dark, own.flux * factor[:, None])
        less = {**steps, "flux": StepResult("flux", replace(own, flux=flux.astype(np.float32)), f"star {brighter}")}
        assert ("no light" in verdicts(less)["flux"].text) is said


def test_a_lost_source():
    steps = reduced(None, ("spectrum",), sci=science(None))
    one = verdicts(steps)["spectrum"]
    assert one.state is WRONG and "lost" in one.text and "TARGET_066_E" in one.text
    header = {**steps["science"].value.header, "OBJECT": "TARGET_056_E"}
    steps["science"] = replace(steps["science"], value=replace(steps["science"].value, header=header))
    other = verdicts(steps)["spectrum"]
    assert other.state is CLEAN and "none is expected" in other.text


def test_a_source_at_the_edge_has_lost_light():
    one = found("spectrum", sci=science(replace(SOURCE, x=2.8)))["spectrum"]
    assert one.state in (LOOK, WRONG) and "outside of usable fibers" in one.text


def test_another_response_is_told_against_that_of_the_tables():
    steps = reduced({"curve": CurveParams("corrected")}, ("flux",))
    plain = reduced(None, ("flux",))
    ratio = steps["flux"].value.flux[40] / np.where(plain["flux"].value.flux[40] == 0, 1, plain["flux"].value.flux[40])
    wave = plain["flux"].value.wave[40]
    curves = [np.interp(wave, one["curve"].value.wave, one["curve"].value.value) for one in (steps, plain)]
    assert np.median(ratio) == pytest.approx(np.median(curves[0] / curves[1]), rel=1e-3) and abs(ratio[5] - 1) > 1e-4
    assert "off that of the tables" in verdicts(steps)["curve"].text
    with pytest.raises(UsageError, match="no standard star gives a response"):
        reduced({"curve": CurveParams("star")}, ("curve",))

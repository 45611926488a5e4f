"""The steps from detector to fiber spectra in order, as a recipe composes them, against the truth of a small slit."""

import numpy as np
import pytest

from ifuview.engine.ccd.scattered import scattered_light
from ifuview.engine.spectra.fibers import extract_fibers
from ifuview.engine.spectra.flat.response import corrected, measure_response
from ifuview.engine.spectra.wave.solve import solve_wavelengths
from ifuview.engine.traces.profile.fiber_profile import gaussian_profile
from ifuview.engine.traces.slit.profile import slit_profile
from ifuview.engine.traces.slit.settle import lit_centers, trace_and_scattered
from ifuview.engine.traces.slit.shift import measure_shift, shifted
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit
from tests.engine.slit import NCOL, NOISE, NROW, Slit

SEAM = 165


@pytest.fixture(scope="module")
def made():
    """Calibrations of one night, and an exposure of the sky with a step between amplifiers."""
    base = Slit(11)
    dead = np.isin(np.arange(base.reference.size), base.dead)
    twilight, lamp = base.frame(base.image(base.twilight(), ground=30.0)), base.frame(base.image(base.lamp()))
    traces, ground = trace_and_scattered(
        twilight.data, NOISE, base.reference, column=NCOL / 2, dead=dead, block=base.block
    )
    profile = gaussian_profile(np.asarray(traces.sigma, float), NROW, 5.0)
    arc = extract_fibers(lamp, traces, profile, cosmics=False)
    solution = solve_wavelengths(arc.spectra, base.lines(), (4993.0, 5764.0), block=base.block)
    twi = extract_fibers(twilight, traces, profile, solution.wave, background=ground.image, cosmics=False)
    flat, pixels = measure_response(twi.spectra, traces.center, NROW, block=base.block)

    slit = Slit(12, shift=0.15)
    flux = (300 + 200 * np.exp(-0.5 * ((slit.wave - 5400) / 2.5) ** 2)) * slit.throughput
    image = slit.image(flux, ground=4.0)
    image[SEAM:] += 0.5
    frame = corrected(slit.frame(image), pixels)
    first = scattered_light(
        frame.data, lit_centers(traces), np.asarray(traces.sigma), NOISE, seams=(SEAM,), blurred=False
    )
    moved = shifted(traces, measure_shift(frame.data, traces, NOISE, background=first.image), NROW)
    below = scattered_light(frame.data, lit_centers(moved), np.asarray(moved.sigma), NOISE, seams=(SEAM,))
    science = extract_fibers(frame, moved, profile, solution.wave, background=below.image)
    return slit, dead, solution, flat, science, flux


def test_wavelengths_of_the_whole_chain(made):
    slit, dead, solution, *_ = made
    miss = ((solution.wave - slit.wave) / np.gradient(slit.wave, axis=1))[~dead]
    assert np.sqrt((miss[:, 40:-40] ** 2).mean()) < 0.006


def test_flux_is_not_biased_and_errors_are_right(made):
    _, dead, _, _, science, flux = made
    good = science.spectra.usable() & ~dead[:, None]
    assert good[~dead].mean() > 0.999
    ratio = science.spectra.flux[good].sum() / flux[good].sum()
    assert ratio == pytest.approx(1, abs=0.004)  # scattered light of 4 e under 40 e is known to 0.2 e
    pull = (science.spectra.flux - flux)[good] / np.sqrt(science.spectra.variance[good])
    assert 0.95 < pull.std() < 1.05


def test_flattened_sky_is_the_same_in_all_fibers(made):
    slit, dead, _, flat, science, _ = made
    sky = np.where(np.abs(slit.wave - 5400) > 15, science.spectra.flux / flat.flat, np.nan)[~dead]
    level = np.nanmean(sky, axis=1)
    noise = np.sqrt(np.nanmean(science.spectra.variance[~dead])) / np.sqrt(NCOL)
    assert level.std() < np.hypot(3 * noise, 0.004 * level.mean())


def without(frame, rows):
    """A frame of which an amplifier is missing."""
    data, mask = np.array(frame.data), np.array(frame.mask)
    data[rows] = 0
    mask[rows] |= np.uint32(ReductionBit.AMPLIFIER | ReductionBit.NO_DATA)
    return CcdFrame(data, frame.variance, mask)


@pytest.mark.parametrize("missing", ["twilight", "lamp", "science"])
def test_a_missing_amplifier_is_marked_and_the_other_goes_on(missing):
    base, upper = Slit(31), slice(170, NROW)
    dead = np.isin(np.arange(base.reference.size), base.dead)
    frames = {
        "twilight": base.frame(base.image(base.twilight(), ground=20.0)),
        "lamp": base.frame(base.image(base.lamp())),
        "science": base.frame(base.image(300 * base.throughput)),
    }
    frames[missing] = without(frames[missing], upper)
    twilight, science = frames["twilight"], frames["science"]
    traces, ground = trace_and_scattered(
        twilight.data, NOISE, base.reference, column=NCOL / 2, dead=dead, block=base.block, usable=twilight.usable()
    )
    profile = slit_profile(twilight.data, traces, ground.image, NOISE, usable=twilight.usable(), block=base.block)
    arc = extract_fibers(frames["lamp"], traces, profile, cosmics=False)
    solution = solve_wavelengths(arc.spectra, base.lines(), (4993.0, 5764.0), block=base.block)
    twi = extract_fibers(twilight, traces, profile, solution.wave, background=ground.image, cosmics=False)
    flat, _ = measure_response(twi.spectra, traces.center, NROW, block=base.block)
    made = extract_fibers(science, traces, profile, solution.wave).spectra
    good = np.setdiff1d(np.arange(20), base.dead)
    assert np.isfinite(made.flux).all() and np.isfinite(solution.wave).all() and np.isfinite(flat.flat).all()
    level = (made.flux[good] / flat.flat[good]).mean(axis=1)
    assert level.std() < 0.01 * level.mean()
    assert made.usable()[good].mean() > 0.999
    if missing == "lamp":
        assert any("across the seam" in note for note in solution.notes)
        assert (solution.error[20:] > 1).all() and (solution.error[:20] < 0.1).all()
    else:
        assert not made.usable()[20:].any()

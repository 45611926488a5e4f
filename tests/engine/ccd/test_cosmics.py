"""Tracks over fibers are found to their ends, lines of the sky are not, and hot pixels are those that stay."""

import numpy as np
import pytest

from ifuview.engine.ccd.cosmics import spikes
from ifuview.engine.ccd.scattered import scattered_light
from ifuview.engine.spectra.fibers import extract_fibers
from ifuview.engine.traces.profile.fiber_profile import gaussian_profile
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit
from ifuview.model.trace import TraceSet
from tests.engine.slit import NCOL, NROW, Slit


def lit(slit):
    center = slit.center.copy()
    center[list(slit.dead)] = np.nan
    return center


def traces_of(slit):
    dead = np.isin(np.arange(slit.reference.size), slit.dead).astype(np.uint32)
    return TraceSet(fiber=np.arange(slit.reference.size), center=slit.center, sigma=slit.sigma, status=dead)


def test_tracks_are_found_and_lines_are_not():
    slit = Slit(4)
    flux = 150 * slit.throughput + slit.lamp(4000.0)
    image = slit.image(flux)
    rng = np.random.default_rng(8)
    hits = np.zeros(image.shape, bool)
    for _ in range(60):
        row, column, length = rng.integers(5, NROW - 5), rng.integers(5, NCOL - 20), rng.integers(1, 12)
        hits[row + np.arange(length) // 3, column + np.arange(length)] = True
    image = image + np.where(hits, rng.uniform(200, 1500, image.shape), 0).astype(np.float32)
    made = extract_fibers(slit.frame(image), traces_of(slit), gaussian_profile(slit.sigma, NROW, 5.0))
    found = (made.frame.mask & int(ReductionBit.COSMIC)) > 0
    assert found[hits].mean() >= 0.97
    assert (found & ~hits).mean() <= 5e-5
    good = made.spectra.usable()
    pull = ((made.spectra.flux - flux) / np.sqrt(np.where(good, made.spectra.variance, 1)))[good]
    assert 0.95 < pull.std() < 1.05 and abs(np.median(pull)) < 0.05


def test_tracks_on_a_bright_star_are_found_as_far_as_its_profile_is_known():
    slit = Slit(9)
    image = slit.image(40000 * slit.throughput)  # 10 600 electrons in the brightest pixel, noise 100
    row, column = np.meshgrid(np.arange(25, NROW - 25, 9), np.arange(20, NCOL - 20, 31), indexing="ij")
    struck = image.copy()
    struck[row, column] += 1800
    for wider, least in ((1.0, 0.97), (1.06, 0.0)):
        profile = gaussian_profile(wider * slit.sigma, NROW, 5.0)
        made = extract_fibers(slit.frame(struck), traces_of(slit), profile)
        found = (made.frame.mask & int(ReductionBit.COSMIC)) > 0
        assert found[row, column].mean() >= least
        found[row, column] = False
        assert found.mean() <= 5e-5  # light that a wrong profile leaves is no track


def test_a_warm_column_is_masked_in_the_light_of_fibers_too():
    slit = Slit(10)
    image = slit.image(4000 * slit.throughput)  # noise of 33 electrons in the brightest pixels
    image[100:300, 350] += np.random.default_rng(2).poisson(150, 200)
    made = extract_fibers(slit.frame(image), traces_of(slit), gaussian_profile(slit.sigma, NROW, 5.0))
    trap = (made.frame.mask & int(ReductionBit.TRAP)) > 0
    assert trap[105:295, 350].all() and trap.sum() <= 200


def test_a_sum_over_pixels_has_the_same_light_with_its_own_noise():
    slit = Slit(4)
    flux = 150 * slit.throughput
    frame, traces = slit.frame(slit.image(flux)), traces_of(slit)
    profile = gaussian_profile(slit.sigma, NROW, 5.0)
    best = extract_fibers(frame, traces, profile).spectra
    made = extract_fibers(frame, traces, profile, half_width=2.5).spectra
    good = made.usable() & best.usable()
    pull = ((made.flux - flux) / np.sqrt(np.where(good, made.variance, 1)))[good]
    assert 0.95 < pull.std() < 1.05 and abs(np.median(pull)) < 0.05
    assert np.median(made.variance[good] / best.variance[good]) > 1.01  # what the weights are good for


def test_a_higher_threshold_lets_faint_tracks_pass():
    slit = Slit(4)
    image = slit.image(np.zeros(slit.center.shape))
    row, column = np.arange(20, NROW - 20, 12), np.arange(20, NCOL - 20, 40)[: (NROW - 40 + 11) // 12]
    row = row[: column.size]
    image[row, column] += 40
    frame, traces, profile = slit.frame(image), traces_of(slit), gaussian_profile(slit.sigma, NROW, 5.0)
    found = [
        (extract_fibers(frame, traces, profile, threshold=t).frame.mask[row, column] & int(ReductionBit.COSMIC)) > 0
        for t in (5.0, 50.0)
    ]
    assert found[0].mean() > 0.8 and found[1].mean() < 0.2  # a spike in a spectrum is told by another rule


def test_a_steep_track_that_changes_its_column_within_a_fiber_is_told():
    """One half of it is told from the fiber's profile, the other looks like light in one column."""
    slit = Slit(4)
    image = slit.image(20 * slit.throughput)
    row = round(slit.center[8, 300])
    image[row - 6 : row - 1, 299] += 900
    image[row - 1 : row + 4, 300] += 1200
    made = extract_fibers(slit.frame(image), traces_of(slit), gaussian_profile(slit.sigma, NROW, 5.0))
    hit = (made.frame.mask & int(ReductionBit.COSMIC)) > 0
    assert hit[row - 1 : row + 2, 300].all() and not made.spectra.usable()[8, 300]


@pytest.mark.parametrize("lost", [99, 100, 101])
def test_a_line_beside_a_lost_sample_is_no_spike(lost):
    column = np.arange(200)
    flux = 50 + 20000 * np.exp(-0.5 * ((column - 100.3) / 1.4) ** 2)[None]
    usable = np.ones(flux.shape, bool)
    usable[0, lost] = False
    assert not spikes(flux, flux, usable).any()
    flux[0, 60] += 900
    usable[0, 61] = False
    assert np.flatnonzero(spikes(flux, flux, usable)[0]).tolist() == [60]


def test_a_saturated_core_is_masked_and_a_lost_edge_is_not():
    slit = Slit(5)
    image = slit.image(800 * slit.throughput)
    mask = np.zeros(image.shape, np.uint32)
    row, column = round(slit.center[5, 300]), 300
    mask[row, column] |= np.uint32(ReductionBit.SATURATED)
    mask[row + 3, 400] |= np.uint32(ReductionBit.BAD)
    frame = CcdFrame(image, slit.frame(image).variance, mask)
    made = extract_fibers(frame, traces_of(slit), gaussian_profile(slit.sigma, NROW, 5.0), cosmics=False)
    assert made.spectra.mask[5, 300] & int(ReductionBit.SATURATED)
    assert made.spectra.usable()[5, 400]
    assert (made.spectra.mask[11] & int(ReductionBit.DEAD_FIBER)).all()


def test_scattered_light_is_recovered_under_close_fibers():
    slit = Slit(6)
    image = slit.image(slit.twilight(), ground=25.0)
    found = scattered_light(image, lit(slit), slit.sigma, 2.5, blurred=False)
    truth = slit.image(np.zeros(slit.center.shape), ground=25.0, noise=False)
    assert np.abs(found.image - truth).max() < 2.0  # of 25, at the edges least known
    assert np.sqrt(((found.image - truth) ** 2).mean()) < 0.5
    assert 0.8 < found.chi2 < 1.25

import numpy as np
import pytest

from ifuview.engine.context import set_threads
from ifuview.engine.spectra.joint import extract_joint
from ifuview.engine.traces.flat import trace_flat
from ifuview.engine.traces.profile.fit import fit_profile
from ifuview.errors import FitError
from tests.engine.traces.profile.scene import BESIDE, READNOISE, expose, traces


def test_light_of_a_profile_is_one_and_ends_at_zero():
    image, made, _ = expose("moffat", 2500)
    found = fit_profile(image, READNOISE**2, made)
    table = found.tables()
    assert np.allclose(table[:, 0, -1, 0], 1, atol=1e-3) and np.allclose(table[:, 1:, -1, 0], 0, atol=1e-3)
    assert np.allclose(table[:, :, [0, -1], 1], 0, atol=1e-4)


def test_wings_are_those_of_the_light():
    image, made, _ = expose("moffat", 10000)
    node, density = fit_profile(image, READNOISE**2, made).density(0, 256)
    truth = (1 + (node / 2.4) ** 2) ** -3.5
    truth /= truth.sum() * (node[1] - node[0])
    core, wing = np.abs(node) < 3, (np.abs(node) > 3) & (np.abs(node) < 8)
    assert np.abs(density - truth)[core].max() < 0.005
    assert np.abs(density - truth)[wing].max() < 0.001  # a Gaussian is 0.014 off


def test_background_is_told_from_wings():
    image, made, _ = expose("moffat", 2500, pedestal=100.0)
    found = fit_profile(image, READNOISE**2, made)
    assert abs(found.background.mean() - 100) < 0.5 and found.background.std() < 0.6


@pytest.mark.parametrize("shape", ("moffat", "skew"))
def test_traces_as_measured_by_gaussians_are_placed(shape):
    flat, _, flux = expose(shape, 10000, bright=1.0, seed=5)
    seen = trace_flat(flat, READNOISE)  # up to 4 % of light lost to neighbors, with these centers and widths
    profile = fit_profile(flat, READNOISE**2, seen)
    found = extract_joint(flat, READNOISE**2, seen.center, profile, background=profile.background)
    assert np.abs(found.flux.sum(axis=1) / flux.sum(axis=1) - 1).max() < 0.004
    assert (((found.flux - flux) ** 2 / found.variance).mean()) < 1.1
    held = fit_profile(flat, READNOISE**2, seen, place=False)
    assert held.chi2 > profile.chi2 + (0.1 if shape == "skew" else 0.005)


@pytest.mark.parametrize("shape", ("gaussian", "moffat", "disk", "skew"))
def test_light_of_wide_fibers_is_shared_right_where_their_flanks_overlap(shape):
    """The flanks between fibers, at 2 to 4 widths, are where shape and background are told apart."""
    image, made, flux = expose(shape, 10000, seed=1, pitch=8.5, sigma=2.0)
    profile = fit_profile(image, READNOISE**2, made)
    found = extract_joint(image, READNOISE**2, made.center, profile, background=profile.background)
    pull = (found.flux - flux) / np.sqrt(found.variance)
    assert abs(found.flux.sum() / flux.sum() - 1) < 0.002
    assert abs(found.flux[BESIDE].sum() / flux[BESIDE].sum() - 1) < 0.003 and pull[BESIDE].std() < 1.1


def test_exact_traces_stay_where_they_are():
    image, made, _ = expose("moffat", 10000)
    found = fit_profile(image, READNOISE**2, made)
    assert np.abs(found.offset).max() < 0.02 and np.abs(found.width / made.sigma - 1).max() < 0.02


def test_chi2_is_one_and_cosmics_are_left_out():
    image, made, _ = expose("skew", 2500)
    rng = np.random.default_rng(3)
    image[rng.integers(0, image.shape[0], 300), rng.integers(0, image.shape[1], 300)] += 3000
    found = fit_profile(image, READNOISE**2, made)
    clean = fit_profile(expose("skew", 2500)[0], READNOISE**2, made)
    assert 0.97 < found.chi2 < 1.03
    assert np.abs(found.tables()[:, 0, :, 1] - clean.tables()[:, 0, :, 1]).max() < 1e-3


def test_fibers_behind_a_mask_do_no_harm():
    image, made, _ = expose("gaussian", 2500)
    mask = np.zeros(image.shape, bool)
    for half in (2, 4, 7, 12):  # of ever less light beside it, down to none that a number can hold
        mask[round(made.center[10 * (half % 6), 40 * half]) - half :][
            : 2 * half + 1, 40 * half - 20 : 40 * half + 20
        ] = True
    mask[:, 300:340] = True
    found = fit_profile(image, READNOISE**2, made, mask=mask)
    free = fit_profile(image, READNOISE**2, made)
    assert 0.97 < found.chi2 < 1.03
    assert np.abs(found.tables()[:, 0, :, 1] - free.tables()[:, 0, :, 1]).max() < 1e-3
    spectra = extract_joint(image, READNOISE**2, made.center, found, mask=mask)
    assert np.isnan(spectra.flux[:, 310]).all() and np.abs(spectra.model).max() < 2 * image.max()


def test_any_number_of_threads_gives_the_same_bits():
    image, made, _ = expose("disk", 2500)
    try:
        set_threads(1)
        one = fit_profile(image, READNOISE**2, made)
        set_threads(3)
        three = fit_profile(image, READNOISE**2, made)
    finally:
        set_threads(0)
    assert np.array_equal(one.coeff, three.coeff) and np.array_equal(one.background, three.background)


def test_no_light_is_said():
    image = np.full((480, 512), np.nan, np.float32)
    with pytest.raises(FitError, match="no fiber has light"):
        fit_profile(image, READNOISE**2, traces())

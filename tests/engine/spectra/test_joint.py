from threading import Event

import numpy as np
import pytest

from ifuview.engine.context import JobContext, set_threads
from ifuview.engine.spectra.joint import extract_joint
from ifuview.engine.spectra.optimal import extract
from ifuview.engine.traces.profile.fiber_profile import gaussian_profile
from ifuview.engine.traces.profile.fit import fit_profile
from ifuview.errors import JobCancelled
from ifuview.simulate.detector import exposure
from ifuview.simulate.detector.render import render
from tests.engine.traces.profile.scene import BESIDE, READNOISE, expose

SHAPES = ("gaussian", "moffat", "disk", "skew")


def pulls(spectra, flux):
    return (spectra.flux - flux) / np.sqrt(spectra.variance)


@pytest.mark.parametrize("shape", SHAPES)
def test_any_profile_is_unbiased_beside_a_fiber_eight_times_brighter(shape):
    image, made, flux = expose(shape, 2500)
    profile = fit_profile(image, READNOISE**2, made)
    found = extract_joint(image, READNOISE**2, made.center, profile, background=profile.background)
    z = pulls(found, flux)
    assert abs(found.flux[BESIDE].sum() / flux[BESIDE].sum() - 1) < 0.003
    assert abs(found.flux.sum() / flux.sum() - 1) < 0.003  # wings and background of one image at S/N 50
    assert z.std() < 1.03 and z[BESIDE].std() < 1.1
    if shape == "moffat":  # what Gaussians make of it
        gauss = extract(image, made.center, made.sigma, READNOISE)[0]
        assert gauss[BESIDE].sum() / flux[BESIDE].sum() > 1.01


@pytest.mark.parametrize("shape", ("gaussian", "moffat"))
@pytest.mark.parametrize("level", (3, 10, 30, 100))
def test_faint_spectra_are_unbiased(shape, level):
    flat, made, _ = expose(shape, 10000, bright=1.0, seed=5)
    profile = fit_profile(flat, READNOISE**2, made)
    image, _, flux = expose(shape, level, seed=6)
    z = pulls(extract_joint(image, READNOISE**2, made.center, profile), flux)
    assert abs(z.mean()) < 0.03  # 30 720 of them: 0.006 is one sigma
    assert 0.97 < z.std() < 1.04


def test_solution_and_covariance_are_those_of_the_dense_normal_matrix():
    frame = exposure.expose("tiny", snr=30)
    center, sigma = frame.traces.center, frame.traces.sigma
    mask = np.zeros(frame.image.shape, bool)
    mask[50:53, 200:260] = True
    found = extract_joint(frame.image, frame.variance, center, gaussian_profile(sigma, 128), gain=np.inf, mask=mask)
    for x in (0, 130, 230, 511):
        one = np.eye(12)[:, :, None] * np.ones(1)
        light = np.stack([render(center[:, x : x + 1], sigma[:, x : x + 1], f, 128)[:, 0] for f in one], axis=1)
        weight = np.where(mask[:, x], 0, 1 / frame.variance[:, x])
        inverse = np.linalg.inv(light.T @ (light * weight[:, None]))
        want = inverse @ light.T @ (weight * frame.image[:, x])
        good = np.isfinite(found.flux[:, x])
        assert good.sum() >= 11
        assert np.allclose(found.flux[good, x], want[good], rtol=1e-5, atol=1e-3)
        assert np.allclose(found.variance[good, x], np.diag(inverse)[good], rtol=1e-4)
        assert np.allclose(found.covariance[:11, x][good[:11] & good[1:]], np.diag(inverse, 1)[good[:11] & good[1:]],
                           rtol=1e-4, atol=1e-4 * np.diag(inverse).max())  # fmt: skip


def test_cosmics_are_left_out_and_told():
    image, made, flux = expose("moffat", 2500)
    profile = fit_profile(image, READNOISE**2, made)
    clean = extract_joint(image, READNOISE**2, made.center, profile, clip=6)
    rng = np.random.default_rng(2)
    rows, columns = rng.integers(0, image.shape[0], 200), rng.integers(0, image.shape[1], 200)
    image[rows, columns] += 5000
    found = extract_joint(image, READNOISE**2, made.center, profile, clip=6)
    assert (~found.used[rows, columns]).mean() > 0.98
    assert (~clean.used).mean() < 2e-5 and (~found.used).sum() < 1.1 * 200
    z = pulls(found, flux)
    assert np.nanstd(z) < 1.05


def test_a_fiber_without_pixels_is_unknown_and_leaves_the_others_alone():
    image, made, _ = expose("gaussian", 2500)
    mask = np.zeros(image.shape, bool)
    mask[round(made.center[30, 100]) - 6 : round(made.center[30, 100]) + 7, 90:110] = True
    found = extract_joint(image, READNOISE**2, made.center, gaussian_profile(made.sigma, image.shape[0]), mask=mask)
    assert np.isnan(found.flux[30, 100]) and np.isinf(found.variance[30, 100])
    assert np.isfinite(found.flux[:29]).all() and np.isfinite(found.flux[32:]).all()


def test_order_of_the_fibers_and_number_of_threads_change_no_bit():
    image, made, _ = expose("moffat", 2500)
    profile = gaussian_profile(made.sigma, image.shape[0], 12.0)
    order = np.random.default_rng(1).permutation(made.nfiber)
    mixed = gaussian_profile(made.sigma[order], image.shape[0], 12.0)
    try:
        set_threads(1)
        one = extract_joint(image, READNOISE**2, made.center, profile)
        set_threads(3)
        three = extract_joint(image, READNOISE**2, made.center[order], mixed)
    finally:
        set_threads(0)
    assert np.array_equal(one.flux[order], three.flux) and np.array_equal(one.variance[order], three.variance)
    assert np.array_equal(one.model, three.model)


def test_canceled_work_ends():
    image, made, _ = expose("gaussian", 100)
    stop = Event()
    stop.set()
    with pytest.raises(JobCancelled):
        extract_joint(image, 9.0, made.center, gaussian_profile(made.sigma, image.shape[0]), ctx=JobContext(event=stop))

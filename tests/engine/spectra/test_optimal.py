import numpy as np

from ifuview.engine.spectra.optimal import extract, joint_extract, model_ivar, tile_width
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.render import render


def test_solution_and_variance_are_those_of_the_dense_normal_matrix():
    frame = expose("tiny", snr=30)
    center, sigma = frame.traces.center, frame.traces.sigma
    ivar = 1 / frame.variance
    ivar[50:53, 200:260] = 0
    flux, variance = joint_extract(frame.image, ivar, center, sigma)
    for x in (0, 130, 255, 511):
        one = np.eye(12)[:, :, None] * np.ones(1)
        profile = np.stack([render(center[:, x : x + 1], sigma[:, x : x + 1], f, 128)[:, 0] for f in one], axis=1)
        normal = profile.T @ (profile * ivar[:, x : x + 1])
        want = np.linalg.solve(normal, profile.T @ (ivar[:, x] * frame.image[:, x]))
        assert np.allclose(flux[:, x], want, rtol=2e-3, atol=0.02 * np.sqrt(variance[:, x]).max())
        assert np.allclose(variance[:, x], np.diag(np.linalg.inv(normal)), rtol=2e-3)


def test_flux_is_unbiased_and_its_errors_are_right_beside_a_bright_star():
    frame = expose("small", kind="science", snr=50)
    flux, variance = joint_extract(frame.image, 1 / frame.variance, frame.traces.center, frame.traces.sigma)
    pull = (flux - frame.flux) / np.sqrt(variance)  # 61 440 of them: 0.004 and 0.003 are one sigma
    assert abs(pull.mean()) < 0.015 and abs(pull.std() - 1) < 0.01


def test_weights_of_the_own_model_are_as_good():
    frame = expose("small", kind="science", snr=50)
    flux, variance = extract(frame.image, frame.traces.center, frame.traces.sigma, frame.readnoise)
    pull = (flux - frame.flux) / np.sqrt(variance)
    assert abs(pull.mean()) < 0.03 and abs(pull.std() - 1) < 0.02


def test_order_of_the_fibers_does_not_matter():
    frame = expose("tiny", snr=30)
    center, sigma, ivar = frame.traces.center, frame.traces.sigma, 1 / frame.variance
    order = np.random.default_rng(1).permutation(12)
    flux, variance = joint_extract(frame.image, ivar, center, sigma)
    mixed, mixed_variance = joint_extract(frame.image, ivar, center[order], sigma[order])
    assert np.array_equal(mixed, flux[order]) and np.array_equal(mixed_variance, variance[order])


def test_an_absent_fiber_is_unknown_and_leaves_the_others_alone():
    frame = expose("tiny", snr=30)
    center = frame.traces.center.copy()
    center[4] = np.nan
    flux, variance = joint_extract(frame.image, 1 / frame.variance, center, frame.traces.sigma)
    assert np.isnan(flux[4]).all() and np.isinf(variance[4]).all()
    assert np.isfinite(flux[[0, 1, 2, 6, 7]]).all()


def test_pixels_that_are_not_finite_are_left_out():
    frame = expose("tiny", snr=30)
    image = frame.image.copy()
    image[60:62, 100:120] = np.nan
    flux, _ = joint_extract(image, 1 / frame.variance, frame.traces.center, frame.traces.sigma)
    assert np.isfinite(flux).all()


def test_steep_traces_get_narrow_tiles():
    assert tile_width(np.zeros((1, 512))) == 128
    assert tile_width(np.linspace(0, 100, 512)[None]) < 16


def test_model_variance_is_read_noise_plus_light():
    frame = expose("tiny", snr=30)
    ivar = model_ivar(128, frame.traces.center, frame.traces.sigma, frame.flux, frame.readnoise)
    assert np.allclose(1 / ivar, frame.variance, rtol=0.01, atol=0.05)

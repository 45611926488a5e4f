import numpy as np

from ifuview.engine.traces.binning import bin_columns
from ifuview.engine.traces.measure_flat import refine
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import SlitSpec

STRAIGHT = SlitSpec((256, 1024), 30, bend=0.0, sigma=(1.2, 1.2))


def test_center_pulls_have_mean_zero_and_width_one():
    frame = expose(STRAIGHT, snr=30)
    binned = bin_columns(frame.image, 16, frame.readnoise)
    shape = (30, binned.shape[1])
    true = frame.traces.center[:, 8::16].astype(np.float32)
    light = frame.flux.reshape(30, -1, 16).mean(axis=2).astype(np.float32)
    center, sigma, flux, error = refine(binned, true, np.full(shape, 1.2, np.float32), light, frame.readnoise, 16)
    for _ in range(2):
        center, sigma, flux, error = refine(binned, center, sigma, flux, frame.readnoise, 16)
    pull = (center - true) / error  # 1920 of them: 0.023 and 0.016 are one sigma
    assert abs(pull.mean()) < 0.08 and abs(pull.std() - 1) < 0.06


def test_width_is_recovered():
    frame = expose(STRAIGHT, snr=100)
    binned = bin_columns(frame.image, 16, frame.readnoise)
    center = frame.traces.center[:, 8::16].astype(np.float32)
    sigma, flux = np.full_like(center, 1.0), np.full_like(center, frame.flux.mean())
    for _ in range(8):
        center, sigma, flux, _ = refine(binned, center, sigma, flux, frame.readnoise, 16, fit_width=True)
    assert abs(float(sigma.mean()) - 1.2) < 0.005


def test_a_fiber_outside_the_image_is_not_measured_and_does_no_harm():
    frame = expose(STRAIGHT, snr=30)
    binned = bin_columns(frame.image, 16, frame.readnoise)
    center = frame.traces.center[:, 8::16].astype(np.float32)
    center[0] = -100
    flux = np.full_like(center, frame.flux.mean())
    flux[0] = 0
    new, _, _, error = refine(binned, center, np.full_like(center, 1.2), flux, frame.readnoise, 16)
    assert np.isinf(error[0]).all() and np.abs(new[5:] - center[5:]).max() < 1


def test_binning_keeps_the_mean_and_drops_a_cosmic():
    image = np.random.default_rng(3).poisson(100, (64, 256)).astype(np.float32)
    binned = bin_columns(image, 16, 3.0)
    assert abs(float(binned.mean()) - 100) < 0.2
    image[5, 37] += 5000
    assert abs(bin_columns(image, 16, 3.0)[5, 2] - binned[5, 2]) < 10


def test_binning_leaves_out_missing_pixels():
    image = np.full((8, 64), 7, np.float32)
    image[2, 3] = np.nan
    image[4, :16] = np.nan
    binned = bin_columns(image, 16, 3.0)
    assert binned[2, 0] == 7 and np.isnan(binned[4, 0]) and binned[4, 1] == 7

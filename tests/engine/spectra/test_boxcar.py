import numpy as np
import pytest

from ifuview.engine.spectra.boxcar import boxcar
from ifuview.simulate.detector.geometry import true_traces
from ifuview.simulate.detector.render import render


def slow_boxcar(image, center, half):
    """The overlap of [center - half, center + half] with each pixel, column by column."""
    rows = np.arange(image.shape[0])[:, None]
    out = np.empty(center.shape)
    for k, c in enumerate(center):
        share = np.clip(np.minimum(rows + 0.5, c + half) - np.maximum(rows - 0.5, c - half), 0, 1)
        out[k] = (share * image).sum(axis=0)
    return out


@pytest.mark.parametrize("half", [0.3, 1.0, 2.5, 3.75])
def test_fractions_of_the_edge_pixels_are_exact(half):
    traces = true_traces("tiny")
    image = np.random.default_rng(1).normal(100, 10, (128, 512)).astype(np.float32)
    variance = np.abs(image)
    flux, var = boxcar(image, traces.center, half, variance=variance)
    assert np.allclose(flux, slow_boxcar(image, traces.center, half), rtol=2e-4)
    assert var is not None and (var < boxcar(variance, traces.center, half)[0] * 1.0001).all() and (var > 0).all()


def test_a_wide_aperture_keeps_all_light_of_a_lone_fiber():
    traces = true_traces("tiny")
    center, sigma = traces.center[5:6], traces.sigma[5:6]
    image = render(center, sigma, np.full_like(center, 1000.0), 128)
    assert np.allclose(boxcar(image, center, 7.0)[0], 1000, rtol=1e-5)


def test_an_aperture_that_leaves_the_image_is_nan():
    image = np.ones((20, 4), np.float32)
    flux, _ = boxcar(image, np.array([[1.0, 2.0, np.nan, 18.0]]), 2.5)
    assert np.isnan(flux[0, [0, 2, 3]]).all() and flux[0, 1] == 5

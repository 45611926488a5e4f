"""Images as the kernels take them."""

import numpy as np

from ifuview.engine.traces.profile.arrays import pixels


def test_pixels_are_laid_out_columns_first_and_unusable_ones_have_no_weight():
    rng = np.random.default_rng(1)
    image, variance = rng.normal(size=(77, 45)), rng.uniform(1, 2, (77, 45)).astype(np.float32)
    image[3, 4], variance[5, 6], variance[7, 8] = np.nan, np.inf, 0.0
    mask = rng.random(image.shape) < 0.1
    data, floor = pixels(image, variance, mask)
    good = np.isfinite(image) & np.isfinite(variance) & (variance > 0) & ~mask
    assert data.flags.c_contiguous and floor.flags.c_contiguous
    np.testing.assert_array_equal(data, np.where(good, image, 0).astype(np.float32).T)
    np.testing.assert_array_equal(floor, np.where(good, variance, np.inf).T)


def test_one_variance_is_that_of_all_pixels():
    data, floor = pixels(np.ones((40, 33), np.float32), 4.0, None)
    assert data.shape == floor.shape == (33, 40)
    assert (data == 1).all() and (floor == 4).all()

import numpy as np
import pytest

from ifuview.engine.numeric import zscale as z
from ifuview.model.pixels import Pixels


def stripes(ny: int = 512, nx: int = 1024, seed: int = 1) -> np.ndarray:
    """Row-stacked spectra: rows of different level, every other pair of columns a bit higher, few strong lines."""
    rng = np.random.default_rng(seed)
    level = 100 + 20 * rng.standard_normal(ny)[:, None]
    x = np.arange(nx)[None]
    lines = np.where(x % 2 == 0, 10.0, 0.0) + np.where(x % 23 == 0, 500.0, 0.0)
    return (level + lines + 3 * rng.standard_normal((ny, nx))).astype(np.float32)


@pytest.mark.parametrize("shape", [(512, 1024), (1000, 1000), (500, 2326), (4000, 300), (300, 4000)])
def test_limits_agree_with_a_million_random_pixels(shape):
    image = stripes(*shape)
    lo, hi = z.zscale(image)
    rng = np.random.default_rng(2)
    reference = z.zscale(image.ravel()[rng.integers(0, image.size, 1_000_000)])
    assert np.abs(np.subtract((lo, hi), reference)).max() < 0.05 * (reference[1] - reference[0])


def test_sample_is_even_where_a_stride_would_divide_the_width():
    values = z.sample(np.tile(np.float32([0, 1, 0, 1]), (512, 256)))
    assert abs(values.mean() - 0.5) < 0.02


def test_scaled_big_endian_integers_are_sampled_as_physical_values():
    raw = np.arange(600 * 700).reshape(600, 700).astype(">i2")
    pixels = Pixels(raw, scale=2.0, zero=32768.0)
    lo, hi = z.percentile_limits(pixels, 98)
    want = np.percentile(pixels.native(), (1, 99))
    assert np.allclose((lo, hi), want, atol=0.01 * (want[1] - want[0]))


def test_blank_and_nan_pixels_are_left_out():
    image = stripes()
    image[::2] = np.nan
    assert np.isfinite(z.zscale(image)).all()
    assert z.zscale(np.full((50, 60), np.nan, np.float32)) == (0.0, 1.0)
    assert z.minmax(np.full((50, 60), np.nan, np.float32)) == (0.0, 1.0)


@pytest.mark.parametrize("value", [0.0, 7.0, -1e10, 1e30])
def test_constant_image_gives_limits_around_the_constant(value):
    for limits in (z.zscale, z.percentile_limits, z.minmax):
        lo, hi = limits(np.full((64, 65), value, np.float32))
        assert np.float32(lo) < np.float32(value) < np.float32(hi)


def test_mostly_zero_image_falls_back_to_the_extremes():
    image = np.zeros((100, 100), np.float32)
    image[10] = 5.0
    assert z.zscale(image) == (0.0, 5.0)


def test_one_pixel_and_one_row_are_accepted():
    assert z.zscale(np.float32([[3.0]])) == (2.5, 3.5)
    assert z.zscale(Pixels(np.arange(100, dtype=np.float32)))[0] >= 0


def test_minmax_is_exact_over_blocks():
    image = stripes(1500, 1600)
    image[1234, 1567], image[3, 4] = 1e6, -1e6
    assert z.minmax(image) == (-1e6, 1e6)


def test_histogram_counts_every_value():
    values = z.sample(stripes())
    counts, edges = z.histogram(values)
    assert counts.sum() == values.size and counts.size == 256 and edges.size == 257


def test_zscale_is_repeatable():
    assert z.zscale(stripes()) == z.zscale(stripes())

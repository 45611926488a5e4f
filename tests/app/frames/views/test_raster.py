"""The three stages agree with the plain way of doing it."""

import itertools

import numpy as np
import pytest

from ifuview.app.frames.look import Reduction, Smooth, Transfer, ViewState
from ifuview.app.frames.views import raster, shading, viewport
from ifuview.engine.context import JobContext
from ifuview.errors import JobCancelled
from ifuview.model.pixels import Pixels

SIZE = (64, 48)


def image(ny=37, nx=53, seed=1):
    return np.random.default_rng(seed).normal(100, 10, (ny, nx)).astype(np.float32)


def truth(data, view, size):
    """Every screen pixel by itself: the image pixel under its center, NaN outside."""
    out = np.full((size[1], size[0]), np.nan, np.float32)
    for sy, sx in np.ndindex(*out.shape):
        x, y = viewport.to_image(view, size, sx + 0.5, sy + 0.5)
        i, j = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        if 0 <= i < data.shape[1] and 0 <= j < data.shape[0]:
            out[sy, sx] = data[j, i]
    return out


def on_canvas(tile, size):
    out = np.full((size[1], size[0]), np.nan, np.float32)
    h, w = tile.values.shape
    out[tile.top : tile.top + h, tile.left : tile.left + w] = tile.values
    return out


TURNS = list(itertools.product((0, 90, 180, 270), (False, True), (False, True)))


@pytest.mark.parametrize(("rotation", "flip_x", "flip_y"), TURNS)
@pytest.mark.parametrize(("zoom", "aspect"), [(1.0, 1.0), (3.3, 1.0), (2.1, 0.7)])
def test_each_screen_pixel_shows_the_image_pixel_under_its_center(rotation, flip_x, flip_y, zoom, aspect):
    data = image()
    view = ViewState(20.2, 15.7, zoom, aspect, False, rotation, flip_x, flip_y)
    tile = raster.gather(Pixels(data), None, view, SIZE, reduction=Reduction.NEAREST)
    np.testing.assert_array_equal(on_canvas(tile, SIZE), truth(data, view, SIZE))


@pytest.mark.parametrize("dtype", [">f4", "<f8", "u1", ">i2", "<i4"])
def test_any_stored_type_gives_physical_values(dtype):
    raw = np.arange(30 * 40).reshape(30, 40) % 200
    pixels = Pixels(raw.astype(dtype), 0.5, 100.0, 7 if np.dtype(dtype).kind in "iu" else None)
    view = ViewState(19.5, 14.5, 1.0, fit=False)
    tile = raster.gather(pixels, None, view, (40, 30))
    expected = raw[::-1] * 0.5 + 100
    if pixels.blank is not None:
        expected = np.where(raw[::-1] == 7, np.nan, expected)
    np.testing.assert_allclose(tile.values, expected, rtol=1e-6)
    assert tile.has_nan == (pixels.blank is not None)


def test_nothing_in_view_is_none():
    assert raster.gather(Pixels(image()), None, ViewState(1e4, 0, 1.0, fit=False), SIZE) is None


def test_mean_levels_keep_the_mean_and_skip_nan():
    data = image(64, 96)
    data[10, 10] = np.nan
    pyramid = raster.build_pyramid(Pixels(np.tile(data, (4, 4))))
    level = pyramid.levels[0]
    assert level.shape == (128, 192)
    assert level[5, 5] == pytest.approx(np.nanmean(data[10:12, 10:12]), rel=1e-6)
    assert level[20, 30] == pytest.approx(data[40:42, 60:62].mean(), rel=1e-6)
    assert np.isfinite(level).all()


def test_odd_sides_lose_no_row_or_column():
    data = np.zeros((301, 257), np.float32)
    data[300], data[:, 256] = 5.0, 5.0
    for level in raster.build_pyramid(Pixels(data)).levels:
        assert level[-1].min() > 0
        assert level[:, -1].min() > 0


@pytest.mark.parametrize("shape", [(500, 2326), (2000, 1500)])
@pytest.mark.parametrize("aspect", [1.0, 3.0])
def test_a_dead_row_a_line_and_a_hot_pixel_never_vanish_with_the_extreme_reduction(shape, aspect):
    random = np.random.default_rng(2)
    data = random.normal(100, 3, shape).astype(np.float32)
    data[217], data[:, 1001], data[333, 444] = 0.0, 400.0, 5000.0
    pixels = Pixels(data)
    pyramid = raster.build_pyramid(pixels, Reduction.EXTREME)
    for width in (150, 233, 397, 640):
        size = (width, width)
        view = viewport.fit_view(shape, size, ViewState(aspect=aspect))
        tile = raster.gather(pixels, pyramid, view, size, reduction=Reduction.EXTREME)
        assert np.median(tile.values, axis=1).min() == 0.0  # a whole row of the picture is dark
        assert tile.values.max() == 5000.0
        assert np.median(tile.values, axis=0).max() == 400.0


def test_a_dead_fiber_stands_out_on_sky_lines_too():
    data = np.full((400, 2000), 100.0, np.float32)
    data[:, ::50] = 4000.0
    data[200] = 0.0
    pixels = Pixels(data)
    pyramid = raster.build_pyramid(pixels, Reduction.EXTREME)
    view = viewport.fit_view(data.shape, (250, 50), ViewState())
    tile = raster.gather(pixels, pyramid, view, (250, 50), reduction=Reduction.EXTREME)
    assert (tile.values == 0).all(axis=1).any()


def test_extreme_levels_hold_pixels_of_the_image_and_survive_nan():
    data = image(300, 300)
    data[:, 17], data[40:44, 40:44] = np.nan, np.nan
    level = raster.build_pyramid(Pixels(data), Reduction.EXTREME).levels[0]
    assert np.isin(level[np.isfinite(level)], data).all()
    assert np.isfinite(level[:, 8]).all()
    assert np.isnan(level[20:22, 20:22]).all()


def test_building_a_pyramid_can_be_cancelled():
    ctx = JobContext()
    ctx.cancel()
    with pytest.raises(JobCancelled):
        raster.build_pyramid(Pixels(image(600, 40)), ctx=ctx)


def test_a_masked_pixel_never_vanishes():
    mask = np.zeros((900, 900), np.int32)
    mask[451, 123] = 4
    pyramid = raster.build_pyramid(Pixels(image(900, 900)), mask=Pixels(mask)).mask
    view = viewport.fit_view(mask.shape, (100, 100), ViewState())
    assert raster.gather_mask(Pixels(mask), pyramid, view, (100, 100), 4).values.sum() >= 1
    assert raster.gather_mask(Pixels(mask), pyramid, view, (100, 100), 2).values.sum() == 0


def test_smoothing_keeps_the_level_and_nan():
    data = np.full((60, 60), 3.0, np.float32)
    data[30, 30] = np.nan
    view = ViewState(29.5, 29.5, 1.0, fit=False)
    for kind in (Smooth.BOXCAR, Smooth.GAUSSIAN):
        values = raster.gather(Pixels(data), None, view, (60, 60), smooth=kind, radius=2).values
        assert np.isnan(values).sum() == 1
        np.testing.assert_allclose(values[np.isfinite(values)], 3.0, rtol=1e-5)


def test_a_boxcar_is_the_mean_of_its_window():
    data = image(41, 41)
    view = ViewState(20, 20, 1.0, fit=False)
    values = raster.gather(Pixels(data), None, view, (41, 41), smooth=Smooth.BOXCAR, radius=2).values
    assert values[20, 20] == pytest.approx(data[18:23, 18:23].mean(), rel=1e-5)


def test_index_zero_is_kept_for_nan_and_the_ramp_runs_between_the_limits():
    values = np.array([[np.nan, -np.inf, 9, 10, 15, 20, 21, np.inf]], np.float32)
    places = shading.index(values, 10, 20)
    assert places.tolist() == [[0, 1, 1, 1, 128, 255, 255, 255]]
    table = shading.transfer_table(Transfer.SQRT)
    assert shading.index(values, 10, 20, table=table).tolist() == [[0, 1, 1, 1, 181, 255, 255, 255]]


def test_equal_limits_make_a_step():
    assert shading.index(np.array([[1.0, 2.0, 3.0]], np.float32), 2, 2).tolist() == [[1, 1, 255]]


X = np.linspace(0, 1, 101)
DS9 = {
    Transfer.LOG: np.log10(1000 * X + 1) / np.log10(1000),
    Transfer.POWER: (1000**X - 1) / 1000,
    Transfer.SQRT: X**0.5,
    Transfer.SQUARED: X**2,
    Transfer.ASINH: np.arcsinh(10 * X) / 3,
    Transfer.SINH: np.sinh(3 * X) / 10,
}


@pytest.mark.parametrize("transfer", DS9)
def test_transfer_functions_are_those_of_ds9(transfer):
    table = shading.transfer_table(transfer, 1000.0)
    places = shading.index((X * 50 - 20).astype(np.float32)[None], -20, 30, table=table)[0]
    expected = np.clip(DS9[transfer] * 254.99 + 1, 1, 255)
    np.testing.assert_allclose(places, expected, atol=1.6)  # one step of the ramp


def test_histogram_equalization_uses_all_colors_alike():
    values = np.random.default_rng(3).exponential(0.2, 50_000).astype(np.float32)
    values = values[values < 1]
    table = shading.transfer_table(Transfer.HISTEQ, values=values)
    counts = np.bincount(shading.index(values[None], 0, 1, table=table)[0], minlength=256)[1:]
    assert counts.std() / counts.mean() < 0.2


def test_masked_pixels_are_blended():
    places = np.full((2, 2), 255, np.uint8)
    table = np.full(256, 0xFFFFFFFF, np.uint32)
    mask = np.array([[True, False], [False, False]])
    colors = shading.blend(table.take(places), places, table, mask, 0xFF0000, 0.5)
    assert colors[0, 0] == 0xFFFF8080
    assert colors[1, 1] == 0xFFFFFFFF


@pytest.mark.parametrize("width", [150, 171, 217])
def test_a_mean_of_many_fibers_shows_no_moire(width):
    rows = np.exp(-0.5 * ((np.arange(1200) % 7.3 - 3.65) / 1.1) ** 2).astype(np.float32)
    pixels = Pixels(np.repeat(rows[:, None], 1200, axis=1))
    size = (width, width)  # five to eight image pixels on a screen pixel
    view = viewport.fit_view(pixels.shape, size, ViewState())
    values = raster.gather(pixels, raster.build_pyramid(pixels), view, size).values[:, 0]
    assert values.std() < 0.35 * values.mean()  # single pixels of the comb scatter by 0.9 of their mean

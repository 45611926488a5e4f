"""Numbers that single precision cannot hold, or not tell apart, are shown with right limits and all their greys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ifuview.app.frames.look import LimitMode, Look, Reduction, ViewState
from ifuview.app.frames.opening.opened import limits
from ifuview.app.frames.views import shading
from ifuview.app.frames.views.pixel_table import cells
from ifuview.app.frames.views.raster import build_pyramid, gather
from ifuview.io import open_dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from tests.io.fitsbytes import image, write

RNG = np.random.default_rng(9)
NOISE = RNG.random((300, 400))
CASES = {
    "1e300": Pixels(1e300 * NOISE),
    "1e-300": Pixels(1e-300 * NOISE),
    "1e9 and a little": Pixels(1e9 + NOISE),
    "days": Pixels(2459000.5 + 1e-3 * NOISE),
    "scaled integers": Pixels((1e9 * NOISE).astype(">i4"), 1e-12, 2459000.5),
    "large integers": Pixels(2_000_000_000 + (100 * NOISE).astype(np.int32)),
    "variance": Pixels(4e-40 + 1e-41 * NOISE, power=-1),
    "sigma": Pixels((2e-20 + 1e-21 * NOISE).astype(np.float32), power=-2),
}


def truth(pixels: Pixels) -> np.ndarray:
    """Values in double precision."""
    return (pixels.raw.astype(np.float64) * pixels.scale + pixels.zero) ** pixels.power


@pytest.mark.parametrize("name", CASES)
def test_values_are_exact_and_finite(name: str) -> None:
    found = CASES[name].native()
    assert found.dtype == np.float64 and np.isfinite(found).all()
    np.testing.assert_allclose(found, truth(CASES[name]), rtol=1e-14)


@pytest.mark.parametrize("mode", list(LimitMode)[:3])
@pytest.mark.parametrize("name", CASES)
def test_limits_lie_within_the_values_and_the_picture_has_its_greys(name: str, mode: LimitMode) -> None:
    pixels = CASES[name]
    values = truth(pixels)
    lo, hi = limits(pixels, Look(limit_mode=mode))
    slack = 1e-6 * np.ptp(values)
    assert values.min() - slack <= lo < hi <= values.max() + slack
    assert hi - lo > 0.9 * np.ptp(values)
    for kind in (Reduction.MEAN, Reduction.EXTREME):
        pyramid = build_pyramid(pixels, kind)
        for zoom in (1.0, 0.25):
            view = ViewState(x=200, y=150, zoom=zoom, fit=False)
            tile = gather(pixels, pyramid, view, (100, 75), reduction=kind)
            assert tile is not None
            greys = shading.index(tile.values, lo, hi)
            assert len(np.unique(greys)) > 60
    tile = gather(pixels, None, ViewState(x=199.5, y=149.5, zoom=1.0, fit=False), (400, 300))
    assert tile is not None
    place = 1 + 254.99 * np.clip((values[::-1] - lo) / (hi - lo), 0, 1)
    assert np.abs(shading.index(tile.values, lo, hi) - place).max() < 1.01


@pytest.mark.parametrize("pixels", [
    Pixels(NOISE.astype(np.float32)), Pixels(NOISE), Pixels(1e4 + NOISE), Pixels((60000 * NOISE).astype(np.uint16)),
    Pixels((60000 * NOISE - 30000).astype(np.int16), 1.0, 32768.0), Pixels(1e9 * NOISE), Pixels(np.full((9, 9), 1e9)),
    Pixels(np.full((9, 9), np.nan)), Pixels(np.zeros((3, 9, 9))),
])  # fmt: skip
def test_single_precision_serves_all_others(pixels: Pixels) -> None:
    assert not pixels.double and pixels.native().dtype == np.float32


def test_a_file_with_large_weights_keeps_them(tmp_path: Path) -> None:
    flux, weight = 1e-20 * NOISE[:5, :50], np.full((5, 50), 2.5e39)
    parts = image(None), image(flux, False, EXTNAME="FLUX"), image(weight, False, EXTNAME="IVAR")
    wave = image(4000.0 + np.arange(50.0), False, EXTNAME="WAVELENGTH")
    found = open_dataset(write(tmp_path / "a.fits", *parts, wave)).images[0]
    assert found.kind is Kind.RSS and found.ivar is not None
    assert np.array_equal(found.ivar.native(), weight)
    np.testing.assert_allclose(found.pixels.native(), flux, rtol=1e-6)


def test_cells_of_the_pixel_table_tell_values_apart() -> None:
    rows = cells(CASES["days"].native()[:5, :5])
    assert len({cell for row in rows for cell in row}) >= 20
    assert isinstance(Image("a", Kind.IMAGE, CASES["days"]).pixels.value(3, 4), float)

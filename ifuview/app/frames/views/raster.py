"""From image pixels to screen pixels in three stages, each a pure function over arrays that the canvas caches.

(a) `gather`: the visible pixels as float32, one value per screen pixel, from the image itself or from its pyramid.
(b) `shading.index`: those values as 8-bit places on the color ramp, by limits and transfer function. 0 is kept for
"no value" (NaN); 1 to 255 are the ramp from `lo` to `hi`.
(c) a table of 256 and `shading.blend`: 32-bit colors, with masked pixels blended over.

A contrast drag redoes (c) alone, a limits drag (b) and (c). All three work through blocks of rows that stay in cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ifuview.app.frames.look import Look, Reduction, Smooth, ViewState
from ifuview.app.frames.views.pyramid import STRIPE_SAMPLES, Levels, Pyramid, build_pyramid, column_levels, deviation
from ifuview.app.frames.views.shading import BLOCK_PIXELS
from ifuview.app.frames.views.smoothing import kernel, smoothed
from ifuview.app.frames.views.viewport import Sampling, Size, fit_view, resolve, sampling, to_image, to_screen
from ifuview.engine.numeric.zscale import sample, zscale
from ifuview.model.checks import Array
from ifuview.model.pixels import Floats, Pixels

__all__ = [
    "Pyramid",
    "Tile",
    "build_pyramid",
    "display_limits",
    "fit_view",
    "gather",
    "gather_mask",
    "resolve",
    "sample",
    "to_image",
    "to_screen",
]

SLACK = 0.01  # of a level of the pyramid: 2.02 image pixels on a screen pixel still count as 2
SHARP = 0.35  # octaves by which a mean may skip pixels of its level: more gives moire on fibers, less blurs
MAX_TAPS = 16  # pixels folded into one screen pixel along an axis, beyond the pyramid
MOST_SMOOTHED = 2048  # pixels along an axis, and not twice as many, that are smoothed for one view
DIRECT_PIXELS = 4_000_000  # an image this small is folded directly, without a pyramid


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """The part of the canvas that shows the image.

    Parameters
    ----------
    values : ndarray, shape (height, width)
        One value per screen pixel, top row first.
    left, top : int
        Screen pixel of values[0, 0].
    has_nan : bool
    """

    values: Array
    left: int
    top: int
    has_nan: bool = False


def gather(
    pixels: Pixels,
    pyramid: Pyramid | None,
    view: ViewState,
    size: Size,
    *,
    reduction: Reduction = Reduction.MEAN,
    smooth: Smooth = Smooth.NONE,
    radius: float = 0.0,
) -> Tile | None:
    """Return the visible pixels of a 2-D image as float32, or None if nothing is in view.

    Without a pyramid of the right kind every n-th pixel is read (a first paint in a few ms); small images are reduced
    directly.

    Parameters
    ----------
    pixels : Pixels, shape (ny, nx)
    pyramid : Pyramid or None
    view : ViewState
        With `fit` carried out (`resolve`).
    size : (int, int)
        Canvas width and height, screen px.
    reduction : Reduction
    smooth : Smooth
    radius : float
        Half width of the boxcar or sigma of the Gaussian, image px.
    """
    place = sampling(view, size, (pixels.shape[0], pixels.shape[1]))
    if place is None:
        return None
    smoothing = smooth is not Smooth.NONE and radius > 0
    fitting = pyramid if pyramid is not None and (pyramid.only or pyramid.kind is reduction) else None
    depth = _depth(place, reduction, smoothing) if fitting is not None else 0
    depth = min(depth, len(fitting.levels)) if fitting is not None else 0
    source: Pixels | Array = fitting.levels[depth - 1] if fitting is not None and depth else pixels
    shape = source.shape
    q = 2.0**depth
    with np.errstate(all="ignore"):
        if smoothing:
            ix, iy = _places(place.x, q, shape[1]), _places(place.y, q, shape[0])
            values = _smooth_take(source, iy, ix, smooth, radius / q)
        elif fitting is not None or pixels.raw.size <= DIRECT_PIXELS:
            values = _fold_take(source, place, q, reduction)
        else:
            values = _take(source, _places(place.y, q, shape[0]), _places(place.x, q, shape[1]))
        has_nan = bool(np.isnan(np.sum(values)))
    if place.swapped:
        values = np.ascontiguousarray(values.T)
    return Tile(values, place.left, place.top, has_nan)


def gather_mask(mask: Pixels, pyramid: Pyramid | None, view: ViewState, size: Size, bits: int) -> Tile | None:
    """Return where any of `bits` is set in the pixels in view, as bool; None if nothing is in view."""
    place = sampling(view, size, (mask.shape[0], mask.shape[1]))
    if place is None:
        return None
    step = min(place.step_x, place.step_y)
    depth = max(0, int(np.ceil(np.log2(max(step, 1.0)) - SLACK))) if pyramid is not None else 0
    depth = min(depth, len(pyramid.levels)) if pyramid is not None else 0
    raw: Array = pyramid.levels[depth - 1] if pyramid is not None and depth else mask.raw
    q = 2.0**depth
    iy, ix = _places(place.y, q, raw.shape[0]), _places(place.x, q, raw.shape[1])
    found = raw[:, ix.min() : ix.max() + 1][iy].take(ix - ix.min(), axis=1)
    if found.dtype.kind == "f":
        found = found.astype(np.int64)
    shown = (found & found.dtype.type(bits & int(np.iinfo(found.dtype).max))) != 0
    return Tile(np.ascontiguousarray(shown.T) if place.swapped else shown, place.left, place.top)


def _depth(place: Sampling, reduction: Reduction, smoothing: bool) -> int:
    """Level of the pyramid for a view: close to the screen's pixels for a mean, coarse enough to lose no extreme."""
    if reduction is Reduction.NEAREST:
        return 0
    octaves = np.log2(max(min(place.step_x, place.step_y), 1.0))
    coarse = smoothing or reduction is Reduction.EXTREME
    return int(np.ceil(octaves - (SLACK if coarse else SHARP)))


def _places(position: Array, q: float, n: int) -> Array:
    """Pixel index at level scale `q` of native positions."""
    return np.clip(np.floor((position + 0.5) / q), 0, n - 1).astype(np.intp)


def _distinct(places: Array) -> tuple[Array, Array | None]:
    """Distinct places of a monotonic run and how to expand them; None if there are no repeats."""
    new = np.empty(places.size, bool)
    new[0] = True
    np.not_equal(places[1:], places[:-1], out=new[1:])
    return (places, None) if new.all() else (places[new], np.cumsum(new) - 1)


def _run(places: Array) -> slice | None:
    """The slice that equals `places`, if they follow each other without a gap."""
    if places.size and abs(int(places[-1]) - int(places[0])) == places.size - 1:
        a, b = int(places[0]), int(places[-1])
        return slice(a, b + 1) if b >= a else slice(a, b - 1 if b else None, -1)
    return None


def _take(source: Pixels | Array, iy: Array, ix: Array) -> Floats:
    """Gather rows `iy` and columns `ix` as float32, repeated pixels read once."""
    iy, rows = _distinct(iy)
    ix, columns = _distinct(ix)
    raw = source.raw if isinstance(source, Pixels) else source
    out = np.empty((iy.size, ix.size), _dtype(source))
    first, last = int(ix.min()), int(ix.max()) + 1
    run = _run(ix)
    step = max(1, BLOCK_PIXELS // (last - first))
    for a in range(0, iy.size, step):
        block = iy[a : a + step]
        part = raw[_run(block) or block, run or slice(first, last)]
        if run is None:
            part = part.take(ix - first, axis=1, mode="clip")
        if isinstance(source, Pixels):
            out[a : a + step] = part if _plain(source) else source.physical(part)
        else:
            out[a : a + step] = part
    if columns is not None:
        out = out.take(columns, axis=1, mode="clip")
    return out if rows is None else out.take(rows, axis=0, mode="clip")


def _plain(pixels: Pixels) -> bool:
    """Whether stored numbers are the values."""
    return pixels.scale == 1.0 and pixels.zero == 0.0 and pixels.blank is None and pixels.power == 1


def _dtype(source: Pixels | Array) -> np.dtype[np.floating[Any]]:
    """Precision of the values that are gathered."""
    double = source.double if isinstance(source, Pixels) else source.dtype == np.float64
    return np.dtype(np.float64 if double else np.float32)


def _fold_take(source: Pixels | Array, place: Sampling, q: float, reduction: Reduction) -> Floats:
    """Gather and reduce what is left to reduce: several pixels of the level under one screen pixel."""
    taps_x, taps_y = (_taps(step / q, reduction) for step in (place.step_x, place.step_y))
    xs = [_places(p, q, source.shape[1]) for p in _spread(place.x, place.step_x, taps_x)]
    ys = [_places(p, q, source.shape[0]) for p in _spread(place.y, place.step_y, taps_y)]
    if len(xs) * len(ys) == 1:
        return _take(source, ys[0], xs[0])
    rows = columns = None  # pixels repeated on the screen are reduced once
    if len(ys) == 1:
        (ys[0], rows) = _distinct(ys[0])
    if len(xs) == 1:
        (xs[0], columns) = _distinct(xs[0])
    out = np.empty((ys[0].size, xs[0].size), _dtype(source))
    stride = max(1, ys[0].size // STRIPE_SAMPLES)
    levels = []
    if reduction is Reduction.EXTREME:
        levels = [column_levels(_take(source, ys[0][::stride], ix)) for ix in xs] * len(ys)
    step = max(1, BLOCK_PIXELS // xs[0].size)
    for a in range(0, ys[0].size, step):
        parts = [_take(source, iy[a : a + step], ix) for iy in ys for ix in xs]
        if not levels:
            np.multiply(sum(parts), np.float32(1 / len(parts)), out=out[a : a + step])
        else:
            out[a : a + step] = _fold_extreme(parts, levels)
    out = out if columns is None else out.take(columns, axis=1, mode="clip")
    return out if rows is None else out.take(rows, axis=0, mode="clip")


def _fold_extreme(parts: list[Floats], levels: list[Levels]) -> Floats:
    """Of several values for each pixel, the one that deviates most from its own column."""
    best = parts[0]
    far = deviation(best, levels[0])
    for part, level in zip(parts[1:], levels[1:]):
        distance = deviation(part, level)
        wins = distance > far
        best = np.where(wins, part, best)  # several times faster than a masked copy
        np.maximum(far, distance, out=far)
    return best


def _taps(step: float, reduction: Reduction) -> int:
    """Samples along one axis of a screen pixel that is `step` level pixels long."""
    if reduction is Reduction.NEAREST:
        return 1
    wanted = np.ceil(step - SLACK) if reduction is Reduction.EXTREME else np.floor(step + SLACK)
    return int(min(max(wanted, 1), MAX_TAPS))


def _spread(position: Array, step: float, taps: int) -> list[Array]:
    """Positions of `taps` samples spread evenly over each screen pixel."""
    return [position + step * ((t + 0.5) / taps - 0.5) for t in range(taps)]


def _smooth_take(source: Pixels | Array, iy: Array, ix: Array, smooth: Smooth, radius: float) -> Floats:
    """Gather from the smoothed surroundings of what is in view."""
    y, y_near, y_weights = _around(iy, source.shape[0], smooth, radius)
    x, x_near, x_weights = _around(ix, source.shape[1], smooth, radius)
    near = smoothed(_take(source, y_near, x_near), x_weights, y_weights)
    return near[y].take(x, axis=1)


def _around(places: Array, size: int, smooth: Smooth, radius: float) -> tuple[Array, Array, Floats]:
    """Where places are among their surroundings along one axis, these surroundings, and the weights.

    Of a long axis without reduced copies every n-th pixel counts: no view takes more than a moment and some memory.
    """
    low, high = int(places.min()), int(places.max())
    step = max(1, (high - low) // MOST_SMOOTHED)
    weights = kernel(smooth, radius / step)
    reach = len(weights) // 2 * step
    start = max(low - reach, 0)
    near = np.arange(start, min(high + reach + 1, size), step)
    return np.minimum((places - start) // step, near.size - 1), near, weights


def display_limits(pixels: Pixels, look: Look) -> tuple[float, float]:
    """The limits of a look; zscale's as long as they are not known."""
    return (look.lo, look.hi) if look.lo is not None and look.hi is not None else zscale(pixels)

"""From image pixels to screen pixels in three stages, each a pure function over arrays that the canvas caches.

(a) `gather`: the visible pixels as float32, one value per screen pixel, from the image itself or from its pyramid.
(b) `index`: those values as 8-bit places on the color ramp, by limits and transfer function. 0 is kept for "no value"
(NaN); 1 to 255 are the ramp from `lo` to `hi`.
(c) `colorize`: 32-bit colors through a table of 256, with masked pixels blended over.

A contrast drag redoes (c) alone, a limits drag (b) and (c). All three work through blocks of rows that stay in cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.app.frames.look import Look, Reduction, Smooth, Transfer, ViewState
from ifuview.app.frames.views.pyramid import STRIPE_SAMPLES, Levels, Pyramid, build_pyramid, column_levels, deviation
from ifuview.app.frames.views.smoothing import kernel, smoothed
from ifuview.app.frames.views.viewport import Sampling, Size, fit_view, resolve, sampling, to_image, to_screen
from ifuview.engine.numeric.zscale import sample, zscale
from ifuview.model.checks import Array
from ifuview.model.pixels import Float32, Pixels

__all__ = [
    "Pyramid",
    "Tile",
    "build_pyramid",
    "colorize",
    "display_limits",
    "fit_view",
    "gather",
    "gather_mask",
    "index",
    "resolve",
    "sample",
    "to_image",
    "to_screen",
    "transfer_table",
]

BLOCK_PIXELS = 65_536  # values handled at once: 256 kB of float32 stay in the second-level cache
RAMP = 254.99  # width of the ramp in index units; 1 is added
RAMP_TOP = 255.9
NO_VALUE = 0  # index of NaN
TABLE_SIZE = 65_536  # steps of a transfer table between the limits
SLACK = 0.01  # of a level of the pyramid: 2.02 image pixels on a screen pixel still count as 2
SHARP = 0.35  # octaves by which a mean may skip pixels of its level: more gives moire on fibers, less blurs
MAX_TAPS = 16  # pixels folded into one screen pixel along an axis, beyond the pyramid
DIRECT_PIXELS = 4_000_000  # an image this small is folded directly, without a pyramid
EQUAL_BINS = 4096

Index8 = NDArray[np.uint8]
Color32 = NDArray[np.uint32]


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
    fitting = pyramid if pyramid is not None and pyramid.kind is reduction else None
    depth = _depth(place, reduction, smoothing) if fitting is not None else 0
    depth = min(depth, len(fitting.levels)) if fitting is not None else 0
    source: Pixels | Array = fitting.levels[depth - 1] if fitting is not None and depth else pixels
    shape = source.shape
    q = 2.0**depth
    with np.errstate(all="ignore"):
        if smoothing:
            ix, iy = _places(place.x, q, shape[1]), _places(place.y, q, shape[0])
            values = _smooth_take(source, iy, ix, kernel(smooth, radius / q))
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


def _take(source: Pixels | Array, iy: Array, ix: Array) -> Float32:
    """Gather rows `iy` and columns `ix` as float32, repeated pixels read once."""
    iy, rows = _distinct(iy)
    ix, columns = _distinct(ix)
    raw = source.raw if isinstance(source, Pixels) else source
    out = np.empty((iy.size, ix.size), np.float32)
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
    return pixels.scale == 1.0 and pixels.zero == 0.0 and pixels.blank is None


def _fold_take(source: Pixels | Array, place: Sampling, q: float, reduction: Reduction) -> Float32:
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
    out = np.empty((ys[0].size, xs[0].size), np.float32)
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


def _fold_extreme(parts: list[Float32], levels: list[Levels]) -> Float32:
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


def _smooth_take(source: Pixels | Array, iy: Array, ix: Array, weights: Array) -> Float32:
    """Gather from the smoothed surroundings of what is in view."""
    reach = len(weights) // 2
    y0, y1 = max(int(iy.min()) - reach, 0), min(int(iy.max()) + reach + 1, source.shape[0])
    x0, x1 = max(int(ix.min()) - reach, 0), min(int(ix.max()) + reach + 1, source.shape[1])
    near = smoothed(_take(source, np.arange(y0, y1), np.arange(x0, x1)), weights, weights)
    return near[iy - y0].take(ix - x0, axis=1)


def display_limits(pixels: Pixels, look: Look) -> tuple[float, float]:
    """The limits of a look; zscale's as long as they are not known."""
    return (look.lo, look.hi) if look.lo is not None and look.hi is not None else zscale(pixels)


def transfer_table(transfer: Transfer, exponent: float = 1000.0, values: Array | None = None) -> Index8 | None:
    """Return the ramp index for `TABLE_SIZE` + 1 steps between the limits, entry 0 for NaN; None for LINEAR.

    Parameters
    ----------
    transfer : Transfer
        As ds9 defines them, x running from 0 to 1 between the limits: log(a x + 1) / log(a), (a**x - 1) / a, sqrt(x),
        x**2, asinh(10 x) / 3, sinh(3 x) / 10.
    exponent : float
        a of LOG and POWER.
    values : ndarray, optional
        HISTEQ: a sample of the pixels on the scale of x; the share of those in 0..1 below x is the result.
    """
    if transfer is Transfer.LINEAR:
        return None
    x = np.linspace(0.0, 1.0, TABLE_SIZE)
    a = max(float(exponent), 1.0 + 1e-6)
    if transfer is Transfer.LOG:
        y = np.log(a * x + 1) / np.log(a)
    elif transfer is Transfer.POWER:
        y = (a**x - 1) / a
    elif transfer is Transfer.SQRT:
        y = np.sqrt(x)
    elif transfer is Transfer.SQUARED:
        y = x**2
    elif transfer is Transfer.ASINH:
        y = np.arcsinh(10 * x) / 3
    elif transfer is Transfer.SINH:
        y = np.sinh(3 * x) / 10
    else:
        y = _equalized(x, values)
    table = np.zeros(TABLE_SIZE + 1, np.uint8)
    table[1:] = np.clip(y * RAMP + 1, 1, RAMP_TOP).astype(np.uint8)
    return table


def _equalized(x: Array, values: Array | None) -> Array:
    """Cumulative share of the values, taken at x."""
    inside = np.asarray([] if values is None else values, np.float64).ravel()
    inside = inside[(inside >= 0) & (inside <= 1)]
    if not inside.size:
        return x
    counts, edges = np.histogram(inside, bins=EQUAL_BINS, range=(0.0, 1.0))
    share = np.concatenate([[0.0], np.cumsum(counts) / inside.size])
    return np.interp(x, edges, share)


def index(
    values: Float32,
    lo: float,
    hi: float,
    *,
    table: Index8 | None = None,
    has_nan: bool = True,
    out: Index8 | None = None,
) -> Index8:
    """Return places on the color ramp, 1 at `lo` and below to 255 at `hi` and above, 0 for NaN.

    Parameters
    ----------
    values : ndarray of float32, shape (h, w)
    lo, hi : float
    table : ndarray of uint8, optional
        From `transfer_table`; None is linear.
    has_nan : bool
        False saves a pass.
    out : ndarray of uint8, shape (h, w), optional
        Written into; may be part of a wider array.
    """
    out = np.empty(values.shape, np.uint8) if out is None else out
    height, width = values.shape
    span = hi - lo if hi > lo else np.spacing(np.float32(abs(lo))) * 2
    top = RAMP if table is None else float(TABLE_SIZE - 1)
    last = RAMP_TOP if table is None else float(TABLE_SIZE)
    scale = np.float32(min(top / span, float(np.finfo(np.float32).max)))
    step = max(1, BLOCK_PIXELS // max(width, 1))
    scratch = np.empty((min(step, height), width), np.float32)
    with np.errstate(all="ignore"):
        for a in range(0, height, step):
            part = scratch[: min(step, height - a)]
            np.subtract(values[a : a + step], np.float32(lo), out=part)
            part *= scale
            part += np.float32(1)
            np.clip(part, np.float32(1), np.float32(last), out=part)
            if has_nan:
                np.fmax(part, np.float32(NO_VALUE), out=part)
            if table is None:
                out[a : a + step] = part
            else:
                out[a : a + step] = table.take(part.astype(np.intp), mode="clip")
    return out


def colorize(
    places: Index8,
    table: Color32,
    *,
    mask: Array | None = None,
    mask_color: int = 0xFF3030,
    opacity: float = 0.5,
) -> Color32:
    """Return 0xffRRGGBB colors of ramp places, masked pixels blended with `mask_color` (0xRRGGBB)."""
    out = table.take(places, mode="clip")
    return blend(out, places, table, mask, mask_color, opacity) if mask is not None else out


def blend(colors: Color32, places: Index8, table: Color32, mask: Array, mask_color: int, opacity: float) -> Color32:
    """Overwrite masked `colors` with their mixture with `mask_color`; returns `colors`."""
    mixed = np.full(table.shape, 0xFF000000, np.uint32)
    for shift in (0, 8, 16):
        channel = (table >> shift & 0xFF) * (1 - opacity) + (mask_color >> shift & 0xFF) * opacity
        mixed |= np.round(channel).astype(np.uint32) << shift
    colors[mask] = mixed.take(places[mask])
    return colors

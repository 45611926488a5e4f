"""Display limits from a small jittered sample of an image: zscale, percentiles, extremes, histogram.

zscale is the IRAF algorithm (a straight line through the sorted sample, 2.5 sigma rejection grown by 1 %),
fitted to a two-dimensional sample with one pixel at a scattered place of every cell of a grid. A regular
grid fails where its stride divides an axis: the same few columns, fibers or amplifier edges are hit again and again.
On the start-up path: numpy only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.pixels import Floats, Pixels

NSAMPLE = 30_000  # samples: limits repeat to about 2 % of their range
MAX_ROWS = 256  # rows of the grid
SMALL_BYTES = 1 << 24  # above this only MAX_ROWS image rows are touched: each costs page faults or disk reads
CONTRAST = 0.25  # IRAF and ds9 default
REJECT_SIGMA = 2.5  # IRAF
MAX_REJECT = 0.5  # IRAF: with more than this share rejected the line means nothing
FIT_POINTS = 3000  # of the sorted sample that the line is fitted to
GROW = 0.01  # IRAF: share of the sample that a rejected point takes with it
ITERATIONS = 5  # IRAF
JITTER_ROW, JITTER_COLUMN = 0.7548776662, 0.5698402910  # the two-dimensional golden ratio
MIN_HALF_RANGE = 0.5  # half width of the limits of a constant image
CHUNK_PIXELS = 1 << 20  # pixels converted at once when all are read
HISTOGRAM_BINS = 256

Limits = tuple[float, float]


def sample(pixels: Pixels | Array, n: int = NSAMPLE) -> Floats:
    """Return the finite values of about `n` pixels spread over the image, in no order.

    The image is cut into a grid of cells and one pixel is taken in each, at a place that a low-discrepancy sequence
    moves from cell to cell: repeatable, without a seed. In large images all cells of one grid row share
    an image row. An image of at most `n` pixels is taken whole.

    Parameters
    ----------
    pixels : Pixels or ndarray, shape (..., ny, nx)
        Of more than two axes the first plane is used.
    n : int
        Wanted number of samples.

    Returns
    -------
    ndarray of float32, shape (m,)
        m <= about n; empty if every sampled pixel is blank.
    """
    plane = _plane(pixels)
    ny, nx = plane.shape
    if ny * nx <= n:
        values = plane.physical(plane.raw)
    else:
        iy, ix = _scattered(ny, nx, n)
        if plane.raw.nbytes > SMALL_BYTES:
            iy = iy[:, :1]
        values = plane.physical(plane.raw[iy, ix])
    values = values.ravel()
    return values[np.isfinite(values)]


def zscale(pixels: Pixels | Array, contrast: float = CONTRAST, n: int = NSAMPLE) -> Limits:
    """Return the zscale display limits of an image.

    Parameters
    ----------
    pixels : Pixels or ndarray, shape (..., ny, nx)
        A one-dimensional array is taken as an already drawn sample.
    contrast : float
        The fitted slope is divided by it.
    n : int
        Number of sampled pixels.

    Returns
    -------
    (float, float)
        Always lo < hi. (0, 1) if no sampled pixel is finite; the value plus and minus 0.5 (or 0.1 %) for a constant
        image; the sample's minimum and maximum where the line fit rejects more than half of it or is flat.
    """
    values = _sampled(pixels, n)
    if values.size == 0:
        return 0.0, 1.0
    values = np.sort(values)
    level, span = 0.0, 1.0
    if double := _double(pixels):  # about their level, in units of their range: nothing overflows, no digit is lost
        level, span = float(values[values.size // 2]), float(values[-1] - values[0]) or 1.0
        values = (values - level) / span
    lo, hi = float(values[0]), float(values[-1])
    line = _quantiles(values)
    slope = _clipped_slope(line)
    if slope is not None and slope > 0:
        half = slope / contrast * line.size / 2
        median = 0.5 * (float(values[(values.size - 1) // 2]) + float(values[values.size // 2]))
        lo, hi = max(lo, median - half), min(hi, median + half)
    return _widened(level + span * lo, level + span * hi, double)


def percentile_limits(pixels: Pixels | Array, percent: float = 99.5, n: int = NSAMPLE) -> Limits:
    """Return the limits that hold the middle `percent` of a sample, lo < hi.

    A one-dimensional array is taken as an already drawn sample; without finite values (0, 1).
    """
    values = _sampled(pixels, n)
    if values.size == 0:
        return 0.0, 1.0
    tail = (100.0 - percent) / 2
    lo, hi = np.percentile(values, (tail, 100.0 - tail))
    return _widened(float(lo), float(hi), _double(pixels))


def minmax(pixels: Pixels | Array) -> Limits:
    """Return the smallest and largest finite value of all pixels, lo < hi; reads the plane in blocks of rows."""
    plane = _plane(pixels)
    step = max(1, CHUNK_PIXELS // plane.shape[1])
    lo, hi = np.inf, -np.inf
    for start in range(0, plane.shape[0], step):
        block = plane.rows(start, start + step)
        block = block[np.isfinite(block)]
        if block.size:
            lo, hi = min(lo, float(block.min())), max(hi, float(block.max()))
    return _widened(lo, hi, _double(pixels)) if lo <= hi else (0.0, 1.0)


def histogram(
    values: Array, limits: Limits | None = None, bins: int = HISTOGRAM_BINS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts and edges of a sample for the limits panel.

    Parameters
    ----------
    values : ndarray
        From `sample`.
    limits : (float, float), optional
        Range of the bins; default the middle 99.5 % of the sample, widened by half on both sides.
    bins : int

    Returns
    -------
    counts : ndarray, shape (bins,)
        Values outside the range are counted in the first and last bin.
    edges : ndarray, shape (bins + 1,)
    """
    if limits is None:
        lo, hi = percentile_limits(values)
        limits = lo - (hi - lo) / 2, hi + (hi - lo) / 2
    lo, hi = limits
    index = np.clip((np.asarray(values, np.float64) - lo) * (bins / (hi - lo)), 0, bins - 1)
    counts = np.bincount(index.astype(np.intp).ravel(), minlength=bins)
    return counts, np.linspace(lo, hi, bins + 1)


def _plane(pixels: Pixels | Array) -> Pixels:
    """The first plane as Pixels."""
    return (pixels if isinstance(pixels, Pixels) else Pixels(pixels)).plane(())


def _sampled(pixels: Pixels | Array, n: int) -> Array:
    """A sample of the image, or the finite values of a sample."""
    if isinstance(pixels, np.ndarray) and pixels.ndim == 1:
        return pixels[np.isfinite(pixels)]
    return sample(pixels, n)


def _scattered(ny: int, nx: int, n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns, shape (m, k): one place in every grid cell."""
    nrow = min(ny, MAX_ROWS, max(1, round((n * ny / nx) ** 0.5)))
    ncol = min(nx, max(1, n // nrow))
    nrow = min(ny, max(nrow, n // ncol)) if nx < ny else nrow
    i, j = np.ogrid[:nrow, :ncol]
    k = i * ncol + j + 0.5
    iy = ((i + k * JITTER_ROW % 1.0) * (ny / nrow)).astype(np.intp)
    ix = ((j + k * JITTER_COLUMN % 1.0) * (nx / ncol)).astype(np.intp)
    return np.minimum(iy, ny - 1), np.minimum(ix, nx - 1)


def _quantiles(values: Array) -> NDArray[np.float64]:
    """At most FIT_POINTS evenly spaced quantiles of sorted values: the line through them is that through all."""
    if values.size <= FIT_POINTS:
        return values.astype(np.float64)
    index = ((np.arange(FIT_POINTS) + 0.5) * (values.size / FIT_POINTS)).astype(np.intp)
    return values[index].astype(np.float64)


def _clipped_slope(values: NDArray[np.float64]) -> float | None:
    """Slope per index of the line through sorted values, or None with too many rejected."""
    n = values.size
    x = np.arange(n) - (n - 1) / 2
    good = np.ones(n, bool)
    ngood, slope = n, None
    grow = max(1, int(n * GROW)) // 2
    least = max(5, int(n * MAX_REJECT))
    if n < least:
        return None
    for _ in range(ITERATIONS):
        xg, vg = x[good], values[good]
        xm, vm = xg.mean(), vg.mean()
        slope = float(((xg - xm) * (vg - vm)).sum() / ((xg - xm) ** 2).sum())
        residual = values - (vm + slope * (x - xm))
        limit = REJECT_SIGMA * residual[good].std()
        good &= ~_grown(np.abs(residual) > limit, grow)
        left = int(good.sum())
        if left < least:
            return None
        if left >= ngood:
            break
        ngood = left
    return slope


def _grown(bad: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Points within `by` of a bad one."""
    count = np.concatenate(([0], np.cumsum(bad)))
    i = np.arange(bad.size)
    return count[np.minimum(i + by + 1, bad.size)] > count[np.maximum(i - by, 0)]


def _double(pixels: Pixels | Array) -> bool:
    """Whether the image is shown in double precision."""
    return isinstance(pixels, Pixels) and bool(pixels.double)


def _widened(lo: float, hi: float, double: bool) -> Limits:
    """Limits with lo < hi also in the precision of the image."""
    number = float if double else np.float32
    half = max(MIN_HALF_RANGE, 1e-3 * abs(lo))
    return (lo, hi) if number(lo) < number(hi) else (lo - half, hi + half)

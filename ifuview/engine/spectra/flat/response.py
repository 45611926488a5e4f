"""Columns of lower efficiency, or parts of them, told and measured on a twilight.

Divided by the shared spectrum and the fibers' own response, a twilight is one everywhere; as every fiber has another
wavelength in a column, what many neighbors lack in the same column is the detector's. The run of fibers that lack it
gets one number, their weighted mean, and frames divided by it keep these columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.medians import median_along
from ifuview.engine.numeric.runs import runs
from ifuview.engine.spectra.flat.fibers import FiberResponse, fiber_flat
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra

NEIGHBORS = 9  # fibers whose median is looked at
LEAST, SIGNIFICANT = 0.03, 5.0  # deviation, and sigma of it
SHORTEST, GAP = 6, 3  # fibers of a run, and without sign inside one
FADED = 0.02  # share of the usual light below which nothing is looked for
LOOKS = 2
MOST_COLUMNS = 0.1  # share of the columns above which it is not the detector


@dataclass(frozen=True, slots=True, eq=False)
class PixelResponse:
    """Efficiency of the pixels against their neighbors.

    Parameters
    ----------
    response : ndarray of float32, shape (nrow, ncol)
        1 but in columns that were found.
    samples : ndarray of bool, shape (nfiber, ncol)
        Of the spectra, that lie on such columns.
    runs : tuple of (int, int, int, float, float)
        Column, first and last row, efficiency and its error.
    """

    response: NDArray[np.float32]
    samples: NDArray[np.bool_]
    runs: tuple[tuple[int, int, int, float, float], ...]


def pixel_response(
    spectra: FiberSpectra,
    flat: FiberResponse,
    center: Array,
    nrow: int,
    *,
    block: Array | None = None,
    ground: Array | None = None,
    ctx: JobContext = SILENT,
) -> PixelResponse:
    """Return the columns of lower efficiency.

    Parameters
    ----------
    spectra : FiberSpectra
        Of a twilight, as for `flat`.
    flat : FiberResponse
    center : ndarray, shape (nfiber, ncol), px
        Traces; finite also for dead fibers.
    nrow : int
        Rows of the detector.
    block : ndarray of int, shape (nfiber,), optional
        Fibers of one amplifier: a column ends with it. Default: one.
    ground : ndarray, shape (nfiber, ncol), optional
        Scattered light that was taken off each sample: a column lacks of it as much as of the fibers' light.
    """
    block = np.zeros(center.shape[0], int) if block is None else np.asarray(block)
    expected = flat.common.at(np.nan_to_num(spectra.wave)) * flat.flat
    lit = spectra.usable() & (expected > FADED * np.median(expected)) & np.isfinite(flat.error)
    safe = np.where(lit, expected, 1.0)
    below = 0.0 if ground is None else np.where(lit, np.maximum(ground, 0), 0)
    ratio = np.where(lit, (spectra.flux + below) / (safe + below), np.nan)
    error = np.where(lit, np.sqrt(spectra.variance) / safe, np.nan)
    response = np.ones((nrow, center.shape[1]), np.float32)
    samples, runs = np.zeros(center.shape, bool), []
    edges = _edges(center, nrow)
    for name in np.unique(block):
        rows = np.flatnonzero(block == name)
        if rows.size < SHORTEST:
            continue
        ctx.check()
        odd = _odd(ratio[rows], error[rows])
        ctx.check()
        found = {int(x): _long_runs(odd[:, x]) for x in np.flatnonzero(odd.sum(axis=0) >= SHORTEST)}
        found = {x: spans for x, spans in found.items() if spans}
        if len(found) > MOST_COLUMNS * odd.shape[1]:
            continue
        for x, spans in found.items():
            for a, b in spans:
                k0, k1 = rows[a], rows[b]
                value, spread = _mean(ratio[k0 : k1 + 1, x], error[k0 : k1 + 1, x])
                low, high = int(np.ceil(edges[k0, x])), int(np.ceil(edges[k1 + 1, x]))
                if a <= GAP:
                    low = int(np.ceil(edges[rows[0], x]))
                if b >= rows.size - 1 - GAP:
                    high = int(np.ceil(edges[rows[-1] + 1, x]))
                response[low:high, x] = value
                samples[k0 : k1 + 1, x] = True
                runs.append((int(x), low, high - 1, value, spread))
    return PixelResponse(response, samples, tuple(runs))


def sample_ground(background: Array, center: Array, width: Array) -> NDArray[np.float64]:
    """Scattered light that the extraction takes off each sample, (nfiber, ncol): what `ground` asks for.

    Parameters
    ----------
    background : ndarray, shape (nrow, ncol), electrons
    center, width : ndarray, shape (nfiber, ncol), px
        Traces, and Gaussian sigma of the fibers: optimal weights see 2 sqrt(pi) widths of background.
    """
    known = np.isfinite(center)
    row = np.clip(np.rint(np.where(known, center, 0)), 0, background.shape[0] - 1).astype(np.intp)
    level = background[row, np.arange(center.shape[1])[None]]
    return np.where(known, level * 2 * np.sqrt(np.pi) * width, 0.0)


def _edges(center: Array, nrow: int) -> NDArray[np.float64]:
    """Rows between neighbors, (nfiber + 1, ncol): the detector's ends outside."""
    out = np.empty((center.shape[0] + 1, center.shape[1]))
    out[1:-1] = (center[1:] + center[:-1]) / 2
    out[0], out[-1] = 0, nrow
    return np.clip(np.nan_to_num(out), 0, nrow)


def _odd(ratio: Array, error: Array) -> NDArray[np.bool_]:
    """Samples whose neighborhood of fibers lacks light in their column alone."""
    reach = NEIGHBORS // 2
    padded = np.pad(ratio, ((reach, reach), (0, 0)), mode="edge")
    with np.errstate(invalid="ignore"):
        middle = _running(padded, ratio.shape[0])
        noise = 1.25 * median_along(error.T) / np.sqrt(NEIGHBORS)
        beside = np.stack([np.roll(middle, s, axis=1) for s in (-3, -2, 2, 3)])
        level = median_along(np.moveaxis(beside, 0, -1))
        off = level - middle
        sharpest = (off > np.roll(off, 1, axis=1)) & (off > np.roll(off, -1, axis=1))
        out = (off > LEAST) & (off > SIGNIFICANT * noise) & sharpest
    out[:, :3], out[:, -3:] = False, False
    return out


def _running(padded: Array, count: int) -> NDArray[np.float64]:
    """Median over NEIGHBORS rows from each on, (count, ncol); NaN where less than half is known."""
    from scipy.ndimage import median_filter

    gone = ~np.isfinite(padded)
    reach = NEIGHBORS // 2
    out = median_filter(np.where(gone, 0.0, padded), (NEIGHBORS, 1))[reach : reach + count]
    lacks = np.asarray(np.lib.stride_tricks.sliding_window_view(gone, NEIGHBORS, axis=0).any(axis=-1))
    for k in np.flatnonzero(lacks.any(axis=1)):
        columns = np.flatnonzero(lacks[k])
        part = np.sort(padded[k : k + NEIGHBORS, columns], axis=0)  # NaN last
        known = np.isfinite(part).sum(axis=0)
        low = np.take_along_axis(part, (np.maximum(known - 1, 0) // 2)[None], axis=0)[0]
        high = np.take_along_axis(part, (np.maximum(known, 1) // 2)[None], axis=0)[0]
        out[k, columns] = np.where(known > NEIGHBORS // 2, (low + high) / 2, np.nan)
    return out


def _long_runs(odd: Array) -> list[tuple[int, int]]:
    """First and last of each long run of set flags, small gaps closed."""
    return [(a, b - 1) for a, b in runs(odd, GAP) if b - a >= SHORTEST]


def _mean(ratio: Array, error: Array) -> tuple[float, float]:
    """Weighted mean of what agrees with the median, and its error."""
    known = np.isfinite(ratio) & np.isfinite(error) & (error > 0)
    middle = float(np.median(ratio[known]))
    known &= np.abs(ratio - middle) < 5 * np.where(known, error, 1) + 0.02
    weight = np.where(known, 1 / np.where(known, error, 1) ** 2, 0)
    return float((weight * np.where(known, ratio, 0)).sum() / weight.sum()), float(1 / np.sqrt(weight.sum()))


def measure_response(
    spectra: FiberSpectra,
    center: Array,
    nrow: int,
    *,
    block: Array | None = None,
    ground: Array | None = None,
    ctx: JobContext = SILENT,
) -> tuple[FiberResponse, PixelResponse]:
    """Return the response of the fibers and of the pixels, each measured without the other.

    The first look finds columns of low efficiency although the shared spectrum follows them in part; without them it
    does not, and the second look measures them.

    Parameters and errors as in `fiber_flat` and `pixel_response`.
    """
    flat = fiber_flat(spectra, ctx=ctx)
    for _ in range(LOOKS):
        pixels = pixel_response(spectra, flat, center, nrow, block=block, ground=ground, ctx=ctx)
        if not pixels.samples.any():
            break
        flat = fiber_flat(spectra, odd=pixels.samples, start=flat, ctx=ctx)
    return flat, pixels


def corrected(frame: CcdFrame, response: PixelResponse) -> CcdFrame:
    """The frame divided by the response, with LOW_QE where that is not one."""
    odd = response.response != 1
    if not odd.any():
        return frame
    mask = np.array(frame.mask)
    mask[odd] |= np.uint32(ReductionBit.LOW_QE)
    return CcdFrame(frame.data / response.response, frame.variance / response.response**2, mask)

"""Trace the fibers of a table on a twilight, a lamp flat or the sky of an exposure.

All fibers that show are traced from nothing (`trace_flat`), told by their place (`match_fibers`), measured again
without scattered light where that is known, and their paths fitted together (`regular_paths`). The set has one row
for each fiber of the table, in its order.
"""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.polyfit import evaluate, legendre_basis, variance_series
from ifuview.engine.traces.binning import bin_columns
from ifuview.engine.traces.flat import BIN, trace_flat
from ifuview.engine.traces.measure_flat import refine
from ifuview.engine.traces.slit.match import Matched, match_fibers
from ifuview.engine.traces.slit.regular import RegularPaths, regular_paths
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.trace import Provenance, TraceSet

DEGREE = 5
ROUNDS = 2  # of measuring
LEAST_SIGNAL = 3.0  # median significance of a bin's flux below which a fiber is lost
START_SIGMA = 1.5  # px, where no width is known
MIN_BINS = 8


def trace_slit(
    image: Array,
    read_noise: float,
    reference: Array,
    *,
    column: float | None = None,
    dead: Array | None = None,
    block: Array | None = None,
    background: Array | None = None,
    degree: int = DEGREE,
    start: TraceSet | None = None,
    ctx: JobContext = SILENT,
) -> TraceSet:
    """Return the traces of all fibers of a table.

    Parameters
    ----------
    image : ndarray of float32, shape (nrow, ncol), electrons
        Pixels that are not finite are left out.
    read_noise : float, electrons
    reference : ndarray, shape (nfiber,), px
        Rows of the fibers at `column`, rising; to a shift of some px.
    column : float, px, optional
        Default: the middle.
    dead : ndarray of bool, shape (nfiber,), optional
        Fibers that the table calls dead.
    block : ndarray of int, shape (nfiber,), optional
        Fibers that bend alike (those of an amplifier). Default: all.
    background : ndarray, shape (nrow, ncol), electrons, optional
        Scattered light, taken off first.
    degree : int
        Of the Legendre polynomials along columns.
    start : TraceSet, optional
        Traces of these fibers to start from; then nothing is searched.

    Returns
    -------
    TraceSet
        `status` is DEAD where the fiber has no light and the table says so, LOST where it has none and should; their
        centers are those of their neighbors moved by the distances of the table.

    Raises
    ------
    FitError
        No traces, or they do not fit the table.
    """
    nrow, ncol = image.shape
    reference = np.asarray(reference, np.float64)
    block = np.zeros(reference.size, int) if block is None else np.asarray(block)
    dead = np.zeros(reference.size, bool) if dead is None else np.asarray(dead, bool)
    at = round((ncol - 1) / 2 if column is None else min(max(column, 0), ncol - 1))
    clean = np.asarray(image if background is None else image - background, np.float32)
    if start is None:
        start, matched = _searched(clean, read_noise, reference, at, dead, ctx.part(0.0, 0.5))
    else:
        status = np.zeros(start.nfiber, np.uint32) if start.status is None else np.asarray(start.status)
        dark = (status & np.uint32(TraceBit.DEAD | TraceBit.LOST)) > 0
        matched = Matched(np.where(dark, -1, np.arange(start.nfiber)), 0.0)
    width = min(BIN, max(4, ncol // MIN_BINS // 4 * 4))
    binned = bin_columns(clean, width, read_noise, ctx.part(0.5, 0.6))
    middle = np.arange(binned.shape[1]) * width + (width - 1) / 2
    center, error, signal = _measured(binned, start, matched, middle, read_noise, width, ctx.part(0.6, 0.9))
    lit = (matched.trace >= 0) & (signal > LEAST_SIGNAL)
    error[~lit] = np.inf
    paths = regular_paths(middle, center, error, block, _places(block, reference), ncol, degree)
    return _traces(paths, start, matched, lit & np.isfinite(paths.coeff[:, 0]), dead, reference, at, nrow, ncol)


def _searched(
    image: Array, read_noise: float, reference: Array, at: int, dead: Array, ctx: JobContext
) -> tuple[TraceSet, Matched]:
    """Traces of all light, and which fiber each is."""
    found = trace_flat(image, read_noise, ctx=ctx)
    return found, match_fibers(found.center[:, at], reference, dead)


def _places(block: Array, reference: Array) -> Array:
    """Place of the fibers along the slit, on [-1, 1] within each block."""
    out = np.zeros(reference.size)
    for name in np.unique(block):
        rows = np.flatnonzero(block == name)
        low, high = reference[rows].min(), reference[rows].max()
        out[rows] = 2 * (reference[rows] - low) / max(high - low, 1.0) - 1
    return out


def _measured(
    binned: Array, start: TraceSet, matched: Matched, middle: Array, read_noise: float, width: int, ctx: JobContext
) -> tuple[Array, Array, Array]:
    """Centers and errors of the fibers in all bins, (nfiber, nbin), and the median significance of their flux."""
    nfiber, nbin = matched.trace.size, middle.size
    seen = np.flatnonzero(matched.trace >= 0)
    rows = matched.trace[seen]
    columns = np.rint(middle).astype(np.intp)
    path = np.nan_to_num(start.center[rows][:, columns], nan=-100.0).astype(np.float32)
    sigma = np.full(path.shape, START_SIGMA, np.float32)
    if start.sigma is not None:
        known = np.asarray(start.sigma)[rows][:, columns]
        sigma = np.where(np.isfinite(known) & (known > 0), known, START_SIGMA).astype(np.float32)
    flux = np.maximum(binned[np.clip(np.rint(path), 0, binned.shape[0] - 1).astype(np.intp), np.arange(nbin)], 0)
    flux = np.nan_to_num(flux * np.float32(np.sqrt(2 * np.pi)) * sigma).astype(np.float32)
    clean = np.nan_to_num(binned)
    error = np.full(path.shape, np.inf, np.float32)
    measured = path
    for turn in range(ROUNDS):
        measured, _, flux, error = refine(
            clean, measured, sigma, flux, read_noise, width, ctx=ctx.part(turn / ROUNDS, (turn + 1) / ROUNDS)
        )
    center, spread = np.full((nfiber, nbin), np.nan), np.full((nfiber, nbin), np.inf)
    signal = np.zeros(nfiber)
    center[seen], spread[seen] = measured, np.where(flux > 0, error, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        signal[seen] = np.median(np.nan_to_num(sigma / error) * np.sign(flux), axis=1)
    return center, spread, signal


def _traces(
    paths: RegularPaths, start: TraceSet, matched: Matched, lit: Array, dead: Array, reference: Array, at: int,
    nrow: int, ncol: int,
) -> TraceSet:  # fmt: skip
    """The TraceSet, with the fibers without light between their neighbors."""
    degree = paths.coeff.shape[1] - 1
    coeff = _with_dark(paths.coeff, lit, reference, at, ncol)
    columns = np.arange(ncol)
    center = evaluate(coeff, legendre_basis(columns, ncol, degree))
    spread = np.where(lit[:, None, None], np.nan_to_num(paths.spread), 0)
    error = evaluate(variance_series(spread), legendre_basis(columns, ncol, 2 * degree))
    error = np.where(lit[:, None], np.sqrt(np.abs(error)), np.nan).astype(np.float32)
    sigma = None
    if start.sigma is not None:
        sigma = np.full(center.shape, np.nan, np.float32)
        seen = matched.trace >= 0
        sigma[seen] = np.asarray(start.sigma)[matched.trace[seen]]
        known = np.flatnonzero(np.isfinite(sigma).all(axis=1) & lit)
        for k in np.flatnonzero(~np.isfinite(sigma).all(axis=1)):
            sigma[k] = sigma[known[np.argmin(np.abs(known - k))]] if known.size else START_SIGMA
    status = np.zeros(lit.size, np.uint32)
    status[~lit & dead] |= np.uint32(TraceBit.DEAD)
    status[~lit & ~dead] |= np.uint32(TraceBit.LOST)
    outside = ((center < 0) | (center > nrow - 1)).any(axis=1)
    status[outside] |= np.uint32(TraceBit.EXTRAPOLATED)
    notes = tuple(f"fiber {k} shows no light" for k in np.flatnonzero(~lit & ~dead))
    return TraceSet(
        fiber=np.arange(lit.size), center=center, sigma=sigma, error=error,
        valid=(center >= 0) & (center <= nrow - 1) & lit[:, None], coeff=coeff, domain=(0.0, float(ncol - 1)),
        basis="legendre", rms=np.where(lit, paths.rms, np.nan), status=status,
        provenance=Provenance(step="trace_slit", notes=notes),
    )  # fmt: skip


def _with_dark(coeff: Array, lit: Array, reference: Array, at: int, ncol: int) -> Array:
    """Coefficients of all fibers: those without light at the distance that the table has from lit neighbors."""
    out = np.array(coeff)
    known = np.flatnonzero(lit)
    basis = legendre_basis(np.array([at]), ncol, coeff.shape[1] - 1)
    offset = evaluate(out[known], basis)[:, 0] - reference[known]
    for k in np.flatnonzero(~lit):
        near = known[np.argmin(np.abs(known - k))]
        out[k] = out[near]
        for i in range(1, coeff.shape[1]):
            out[k, i] = np.interp(k, known, out[known, i])
        out[k, 0] += reference[k] + np.interp(k, known, offset) - evaluate(out[k : k + 1], basis)[0, 0]
    return out

"""How far the light of an exposure lies off the traces of another: shift and tilts, from its own light, with errors.

Each fiber is measured in bins of columns with all neighbors taken off; the offsets are fitted with few terms over the
detector and for each amplifier, the one that helps most first, as long as the light asks for it by the Bayesian
information criterion (Schwarz 1978): a faint exposure gets a shift and a bright one also its tilts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.engine.traces.binning import plain_bins
from ifuview.engine.traces.measure_flat import refine
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.trace import Provenance, TraceSet

BIN = 32  # columns
ROUNDS = 3
TERMS = ((0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (2, 0))  # degrees along columns and across rows
CLIP = 4.0  # sigma
MAX_ERROR = 0.5  # px, of one measurement
LEAST_MEASURED = 20
FAR = 2.5  # px, beyond which a measurement is of another fiber
MIN_BINS = 8
SEARCH, SEARCH_STEP = 3.0, 0.5  # px, of the first look


@dataclass(frozen=True, slots=True, eq=False)
class TraceShift:
    """Offset of the light from the traces.

    Parameters
    ----------
    terms : tuple of (int, int, int)
        Part of the detector between seams (-1: all of it), and the degrees of Legendre polynomials along columns and
        across the rows of that part.
    seams : tuple of float
        Where the parts meet, on [-1, 1].
    coeff, error : ndarray, shape (nterm,), px
    chi2 : float
        For each degree of freedom.
    count : int
        Measurements used.
    """

    terms: tuple[tuple[int, int, int], ...]
    seams: tuple[float, ...]
    coeff: NDArray[np.float64]
    error: NDArray[np.float64]
    chi2: float
    count: int

    @property
    def mean(self) -> float:
        """Shift of the middle of the detector, px."""
        return float(self.coeff[0])

    def at(self, u: Array, v: Array) -> NDArray[np.float64]:
        """Offset (px) at columns u and rows v, both on [-1, 1]."""
        return np.asarray(_design(u, v, self.terms, self.seams) @ self.coeff)


def _design(
    u: Array, v: Array, terms: tuple[tuple[int, int, int], ...], seams: tuple[float, ...]
) -> NDArray[np.float64]:
    """Products of Legendre polynomials, (..., nterm), each 0 outside its part of the detector."""
    edges = (-1.0, *seams, 1.0)
    along, whole = np.polynomial.legendre.legvander(u, 2), np.polynomial.legendre.legvander(v, 2)
    part = np.searchsorted(np.array(seams), v, side="right")
    out = []
    for n, i, j in terms:
        if n < 0:
            out.append(along[..., i] * whole[..., j])
            continue
        place = (2 * v - edges[n] - edges[n + 1]) / (edges[n + 1] - edges[n])
        out.append(np.where(part == n, along[..., i] * place**j, 0.0))
    return np.stack(out, axis=-1)


def measure_shift(
    image: Array,
    traces: TraceSet,
    read_noise: float,
    *,
    usable: Array | None = None,
    background: Array | None = None,
    seams: Sequence[int] = (),
    ctx: JobContext = SILENT,
) -> TraceShift:
    """Return the offset of the light of an exposure from traces.

    Parameters
    ----------
    image : ndarray of float32, shape (nrow, ncol), electrons
    traces : TraceSet
        With `sigma`.
    read_noise : float, electrons
    usable : ndarray of bool, shape (nrow, ncol), optional
    background : ndarray, shape (nrow, ncol), electrons, optional
    seams : sequence of int
        Rows where another amplifier begins: each may have a shift and a tilt of its own.

    Raises
    ------
    FitError
        There is too little light.
    """
    nrow, ncol = image.shape
    width = min(BIN, max(4, ncol // MIN_BINS // 4 * 4))
    clean = np.asarray(image if background is None else image - background, np.float32)
    binned = np.nan_to_num(plain_bins(clean, usable, width))
    at = np.rint(np.arange(binned.shape[1]) * width + (width - 1) / 2).astype(np.intp)
    status = np.zeros(traces.nfiber, np.uint32) if traces.status is None else np.asarray(traces.status)
    dark = (status & np.uint32(TraceBit.DEAD | TraceBit.LOST | TraceBit.NOT_FITTED)) > 0
    path = np.where(dark[:, None], np.nan, traces.center)[:, at]
    start = _first_look(binned, path)
    offset, error = _measured(binned, path, start, traces, at, read_noise, width, ctx.part(0.4, 1))
    u = np.broadcast_to(at * 2 / (ncol - 1) - 1, path.shape)
    good = np.isfinite(offset) & (error < MAX_ERROR) & (np.abs(offset - start) < FAR)
    if good.sum() < LEAST_MEASURED:
        raise FitError("there is too little light to measure a shift of the traces")
    v = np.nan_to_num(path) * 2 / (nrow - 1) - 1
    return _fitted(u[good], v[good], offset[good], error[good], tuple(2 * row / (nrow - 1) - 1 for row in seams))


def _first_look(binned: Array, path: Array) -> float:
    """Shift under which most light lies on the traces, to half a px."""
    lit = np.isfinite(path)
    column = np.broadcast_to(np.arange(path.shape[1]), path.shape)[lit]
    cap = np.percentile(binned, 99)
    tries = np.arange(-SEARCH, SEARCH + SEARCH_STEP / 2, SEARCH_STEP)
    light = []
    for shift in tries:
        row = path[lit] + shift
        low = np.clip(np.floor(row).astype(np.intp), 0, binned.shape[0] - 2)
        part = row - low
        value = binned[low, column] * (1 - part) + binned[low + 1, column] * part
        light.append(float(np.minimum(value, cap).sum()))
    return float(tries[int(np.argmax(light))])


def _measured(
    binned: Array, path: Array, start: float, traces: TraceSet, at: Array, read_noise: float, width: int,
    ctx: JobContext,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Offset and error of each fiber in each bin."""
    lit = np.flatnonzero(np.isfinite(path).all(axis=1))
    offset, spread = np.full(path.shape, np.nan), np.full(path.shape, np.inf)
    if not lit.size:
        return offset, spread
    center = (path[lit] + start).astype(np.float32)
    sigma = np.full(center.shape, 1.5, np.float32)
    if traces.sigma is not None:
        known = np.asarray(traces.sigma)[lit][:, at]
        sigma = np.where(np.isfinite(known) & (known > 0), known, 1.5).astype(np.float32)
    rows = np.clip(np.rint(center), 0, binned.shape[0] - 1).astype(np.intp)
    flux = np.maximum(binned[rows, np.arange(at.size)], 0) * np.float32(np.sqrt(2 * np.pi)) * sigma
    measured = center
    for turn in range(ROUNDS):
        part = ctx.part(turn / ROUNDS, (turn + 1) / ROUNDS)
        measured, _, flux, error = refine(binned, measured, sigma, flux, read_noise, width, ctx=part)
        flux = np.maximum(flux, 0)
    offset[lit] = measured - path[lit]
    spread[lit] = np.where(flux > 0, error, np.inf)
    return offset, spread


def _fitted(u: Array, v: Array, offset: Array, error: Array, seams: tuple[float, ...]) -> TraceShift:
    """The terms that the measurements ask for, the most needed one at a time."""
    off = np.abs(offset - np.median(offset))
    kept = off < CLIP * np.maximum(error, MAD_TO_SIGMA * np.median(off))
    u, v, offset, error = u[kept], v[kept], offset[kept], error[kept]
    left = [(-1, i, j) for i, j in TERMS[1:]]
    left += [(n, 0, j) for n in range(len(seams) + 1) for j in (0, 1) if seams and (n, j) != (0, 0)]
    score, best = _with_terms(u, v, offset, error, ((-1, 0, 0),), seams)
    while left:
        tried = [(*_with_terms(u, v, offset, error, (*best.terms, term), seams), term) for term in left]
        new, found, term = min(tried, key=lambda t: t[0])
        if new >= score:
            break
        score, best = new, found
        left.remove(term)
    return best


def _with_terms(
    u: Array, v: Array, offset: Array, error: Array, terms: tuple[tuple[int, int, int], ...], seams: tuple[float, ...]
) -> tuple[float, TraceShift]:
    """Information criterion and fit of some terms."""
    rows = _design(u, v, terms, seams)
    use = np.ones(offset.size, bool)
    for _ in range(2):
        w = np.where(use, 1 / error**2, 0)
        spread = np.linalg.pinv(rows.T @ (w[:, None] * rows))
        coeff = spread @ (rows.T @ (w * offset))
        pull = np.abs(offset - rows @ coeff) / error
        use = pull < CLIP * max(MAD_TO_SIGMA * float(np.median(pull[use])), 1.0)
    chi2 = float((pull[use] ** 2).sum()) / max(int(use.sum()) - len(terms), 1)
    bounded = np.minimum(pull, CLIP)
    score = float((bounded**2).sum()) + 2 * len(terms) * np.log(offset.size)
    sigma = np.sqrt(np.maximum(np.diag(spread), 0) * max(chi2, 1.0))
    return score, TraceShift(terms, seams, coeff, sigma, chi2, int(use.sum()))


def shifted(traces: TraceSet, shift: TraceShift, nrow: int) -> TraceSet:
    """Traces moved onto the light that a shift was measured on.

    Parameters
    ----------
    traces : TraceSet
    shift : TraceShift
    nrow : int
        Rows of the detector.
    """
    u = np.broadcast_to(np.linspace(-1, 1, traces.ncol), traces.center.shape)
    v = np.nan_to_num(traces.center) * 2 / (nrow - 1) - 1
    center = traces.center + shift.at(u, v)
    note = f"moved by {shift.mean:+.3f} +- {float(shift.error[0]):.3f} px in the middle, to the light of the exposure"
    told = Provenance(step="shifted", notes=(*traces.provenance.notes, note))
    return replace(traces, center=center, coeff=None, basis="sampled", provenance=told)

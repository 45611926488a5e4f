"""Traces from nothing: every fiber of a flat found, faint ones and the places of dead ones included, and measured.

The peaks of the image give the bright fibers (`engine.traces`); light that runs along between them is added, and empty
places of the comb; then all are measured together as the doctor does, with background and the own profile shape of the
image, and a Legendre polynomial is fitted to each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import turned
from ifuview.engine.numeric.polyfit import fit_rows, legendre_basis
from ifuview.engine.traces.doctor.gather import good_pixels, pedestal, pixel_noise
from ifuview.engine.traces.flat import trace_flat
from ifuview.engine.traces.light.light_fit import LightFit
from ifuview.engine.traces.light.measure import at_columns, fit_light
from ifuview.engine.traces.light.search import comb_holes
from ifuview.engine.traces.light.slots import find_slots, spacing_of, typical
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.trace import Provenance, TraceSet

DEGREE = 5
READNOISE = 3.0  # electron, for finding peaks where it is not known
LIT_SIGMA = 5.0  # of the flux of a fiber
START_ERROR = 1.0  # px, of the first path where a bin is too faint: a polynomial through few bins leads anywhere
DEAD_SHARE = 0.02  # of the neighbors' flux
NEIGHBORS = 12  # fibers on each side that a dead one takes its shape from


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Traces of all fibers, the fit they come from, and which of them are dead."""

    traces: TraceSet
    fit: LightFit
    dead: NDArray[np.bool_]


def trace_all(
    image: Array,
    *,
    ivar: Array | None = None,
    mask: Array | None = None,
    gain: float | None = None,
    readnoise: float | None = None,
    degree: int = DEGREE,
    ctx: JobContext = SILENT,
) -> Found:
    """Return the traces of all fibers that a flat shows.

    Parameters
    ----------
    image : float32 (nrow, ncol)
        Canonical axes; a pedestal is allowed.
    ivar, mask, gain, readnoise
        As in `diagnose`.
    degree : int
        Of the Legendre polynomials in column.

    Raises
    ------
    FitError
        No fiber is found.
    """
    columns = turned(image, np.float32)
    good = good_pixels(columns, ivar, mask)
    electrons = np.where(good.T > 0, image, np.nan) if not good.all() else np.asarray(image)
    level = pedestal(columns, good)
    started = trace_flat(
        ((electrons - level) * (gain or 1.0)).astype(np.float32), readnoise or READNOISE, ctx=ctx.part(0.0, 0.3)
    )
    lost = (np.asarray(started.status) & np.uint32(TraceBit.LOST)) > 0
    bright = np.isfinite(started.center).all(axis=1) & ~lost
    if not bright.any():
        raise FitError("no fiber is found in the image", todo="trace a flat, in the right orientation")
    center = started.center[bright]
    slots = find_slots(columns, good, center)
    path = with_holes(slots.path)
    sigma = nearest_width(path, center, np.asarray(started.sigma)[bright])
    noise = pixel_noise(columns, good, ivar, gain, readnoise)
    ncol = image.shape[1]
    fit = fit_light(
        columns, good, path, noise, sigma=sigma, background=level, ctx=ctx.part(0.3, 0.95),
        smooth=lambda found: np.asarray(_traces(found, path, ncol, degree).traces.center),
    )  # fmt: skip
    return _traces(fit, path, ncol, degree)


def with_holes(path: Array) -> NDArray[np.float64]:
    """Paths with the empty places of the comb filled in."""
    holes = comb_holes(path, spacing_of(typical(path)), path.shape[0])
    if not holes:
        return path
    new = np.array([path[k] + at for k, at in holes])
    both = np.concatenate([path, new])
    out: NDArray[np.float64] = both[np.argsort(np.median(both, axis=1), kind="stable")]
    return out


def nearest_width(path: Array, center: Array, sigma: Array) -> NDArray[np.float64]:
    """Width of the nearest traced fiber for every path."""
    place = np.median(center, axis=1)
    usual = float(np.nanmedian(sigma))
    near = np.abs(np.median(path, axis=1)[:, None] - place[None]).argmin(axis=1)
    out: NDArray[np.float64] = np.where(np.isfinite(sigma) & (sigma > 0), sigma, usual)[near].astype(np.float64)
    return out


def _traces(fit: LightFit, path: Array, ncol: int, degree: int) -> Found:
    """Smooth traces with errors; dead fibers take the shape of their neighbors."""
    column = fit.column
    known = np.isfinite(fit.error)
    degree = min(degree, max(int(known.sum(axis=1).max(initial=1)) - 2, 0), max(column.size - 2, 0))
    basis, fine = legendre_basis(column, ncol, degree), legendre_basis(np.arange(ncol), ncol, degree)
    weight = np.where(known, 1 / np.where(known, fit.error, 1) ** 2, START_ERROR**-2)
    coeff, _, kept = fit_rows(basis, np.where(known, fit.center, at_columns(path, column)), weight)
    total = fit.flux.sum(axis=1)
    error = np.sqrt((np.where(np.isfinite(fit.flux_err), fit.flux_err, 0) ** 2).sum(axis=1))
    near = np.array([np.median(total[max(0, k - NEIGHBORS) : k + NEIGHBORS + 1]) for k in range(total.size)])
    dead = (total < LIT_SIGMA * error) | (total < DEAD_SHARE * near)
    center = coeff @ fine.T
    for k in np.flatnonzero(dead | ~np.isfinite(coeff).all(axis=1)):
        center[k] = path[k]
    normal = np.einsum("kb,bi,bj->kij", weight * kept, basis, basis)
    spread = np.zeros((path.shape[0], ncol), np.float32)
    for k in np.flatnonzero(~dead):
        spread[k] = np.sqrt(np.maximum(np.einsum("xi,ij,xj->x", fine, np.linalg.pinv(normal[k]), fine), 0))
    status = np.where(dead, np.uint32(TraceBit.LOST), np.uint32(0)).astype(np.uint32)
    width = np.where(np.isfinite(fit.width), fit.width, np.nanmedian(fit.width))
    smooth = fit_rows(legendre_basis(column, ncol, min(3, degree)), width, known.astype(float))[0]
    smooth_basis = legendre_basis(np.arange(ncol), ncol, min(3, degree))
    sigma = np.nan_to_num(smooth, nan=float(np.nanmedian(width))) @ smooth_basis.T
    sigma[~np.isfinite(smooth).all(axis=1)] = np.nanmedian(width)
    traces = TraceSet(
        fiber=np.arange(path.shape[0]), center=center, sigma=sigma.astype(np.float32), error=spread, coeff=coeff,
        domain=(0.0, float(ncol - 1)), basis="legendre", status=status, name="traced from nothing",
        valid=np.isfinite(center) & ~dead[:, None], provenance=Provenance(step="trace_all"),
    )  # fmt: skip
    return Found(traces, fit, dead)

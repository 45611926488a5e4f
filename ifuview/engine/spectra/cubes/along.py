"""A cut along a line through a cube: position against wavelength, with errors."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.frames.cut import LEAST_WEIGHT, CutPlan
from ifuview.engine.spectra.cubes.parts import PIECE, CubeParts
from ifuview.model.checks import Array


def cut_cube(parts: CubeParts, plan: CutPlan, ctx: JobContext = SILENT) -> tuple[Array, Array | None]:
    """Mean of each step of a cut at every wavelength, and its inverse variance.

    Returns
    -------
    value : ndarray of float32, shape (nstep, nwave)
        NaN where less than half of a step is known.
    ivar : ndarray of float32 or None
        0 where nothing is known; None without variances. Every pixel counts once with its whole weight.
    """
    depth, count = parts.shape[0], plan.distance.size
    weights = csr_matrix((plan.weight, (plan.step, plan.pixel)), shape=(count, plan.x.size))
    squared = weights.power(2)
    value = np.full((count, depth), np.nan, np.float32)
    ivar = None if parts.error is None else np.zeros((count, depth), np.float32)
    for first in range(0, depth, PIECE):
        ctx.checkpoint(first / depth, "cut through the cube")
        planes = slice(first, min(first + PIECE, depth))
        flux, noise, known = _pixels(parts, plan, planes)
        total = weights @ known.T
        enough = total >= LEAST_WEIGHT
        safe = np.where(enough, total, 1.0)
        value[:, planes] = np.where(enough, (weights @ np.where(known, flux, 0.0).T) / safe, np.nan)
        if ivar is not None:
            spread = (squared @ np.where(known, noise, 0.0).T) / safe**2
            ivar[:, planes] = np.where(enough & (spread > 0), 1 / np.where(spread > 0, spread, 1.0), 0.0)
    return value, ivar


def _pixels(parts: CubeParts, plan: CutPlan, planes: slice) -> tuple[Array, Array, Array]:
    """Flux, variance and whether both are known, shape (nplane, npixel)."""
    flux = np.asarray(parts.flux.physical(parts.flux.raw[planes, plan.y, plan.x]), np.float64)
    known, noise = np.isfinite(flux), np.zeros_like(flux)
    if parts.error is not None:
        weight = np.asarray(parts.error.physical(parts.error.raw[planes, plan.y, plan.x]), np.float64)
        known &= np.isfinite(weight) & (weight > 0)
        noise = 1 / np.where(known, weight, 1.0)
    if parts.mask is not None:
        known &= parts.mask.raw[planes, plan.y, plan.x] == 0
    return flux, noise, known

"""Columns of an amplifier that answer otherwise than their neighbors over a run of fibers: low efficiency and traps.

The light of each sample over the sky, all exposures together, is compared with the same fibers a few columns beside;
the running median over fibers tells a run from single samples (cosmic rays, lines of galaxies).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit

RUN, BESIDE = 9, 21  # fibers, columns
LEAST, SURE = 0.05, 6.0  # of the light; sigma


def odd_columns(
    flux: tuple[Array, ...], sky: tuple[Array, ...], weight: tuple[Array, ...]
) -> NDArray[np.uint32]:  # fmt: skip
    """Return bits of the samples of one amplifier, shape (nfiber, ncol): LOW_QE or TRAP, with BAD.

    Parameters
    ----------
    flux, sky, weight : tuple of ndarray, shape (nfiber, ncol)
        By exposure: light, sky, 1 / variance (0 for what is not to be used). Fibers in their order on the detector.
    """
    shape = flux[0].shape
    top, bottom = np.zeros(shape), np.zeros(shape)
    for light, model, w in zip(flux, sky, weight, strict=True):
        top += w * model * (light - model)
        bottom += w * model * model
    out = np.zeros(shape, np.uint32)
    known = bottom > 0
    alive = known.mean(axis=1) > 1 / 2
    if alive.sum() < RUN:
        return out
    off = np.where(known, top / np.where(known, bottom, 1.0), 0.0)[alive]
    run = median_filter(off, (RUN, 1), mode="nearest")
    run = run - median_filter(run, (1, BESIDE), mode="nearest")
    limit = np.maximum(LEAST, SURE * np.array([robust_sigma(row, 0.0) for row in run]))[:, None]
    place = np.flatnonzero(alive)
    fiber = np.arange(shape[0])
    near = np.abs(fiber[:, None] - place).argmin(axis=1)  # the others are as the nearest fiber that tells
    low, high = (run < -limit)[near], (run > limit)[near]
    out[low] |= np.uint32(int(ReductionBit.LOW_QE | ReductionBit.BAD))
    out[high] |= np.uint32(int(ReductionBit.TRAP | ReductionBit.BAD))
    return out

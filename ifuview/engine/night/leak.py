"""Light of a bright fiber in its neighbors: measured by how far their residuals follow its spectrum.

Brightness alone proves nothing, nor does a neighbor's level, which may be its own target. The features of the bright
spectrum are a fingerprint: the residual of a neighbor is fitted with them, the noise of the bright spectrum itself
taken into account. One neighbor may be a star of the same kind; so the best one never decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad
from ifuview.model.checks import Array

SIGNIFICANT = 5.0  # errors of the sum over the neighbors, the best one left out
MEASURABLE = 0.02  # error of the sum above which the spectrum has too few features to tell
LEAST_PIXELS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Leak:
    """What part of a fiber's light its neighbors have.

    Parameters
    ----------
    source : int
    fibers : ndarray of int, shape (n,)
        The neighbors that could be asked.
    share, error : ndarray, shape (n,)
        Of the light of the source.
    """

    source: int
    fibers: Array
    share: Array
    error: Array

    @property
    def total(self) -> tuple[float, float]:
        """Share of all neighbors together, and its error."""
        return float(self.share.sum()), float(np.sqrt(np.sum(self.error**2)))

    @property
    def next(self) -> tuple[float, float]:
        """Share of a fiber right beside the source, weighted mean, and its error."""
        beside = np.abs(self.fibers - self.source) == 1
        if not beside.any():
            return 0.0, float("inf")
        weight = 1 / self.error[beside] ** 2
        return float(np.average(self.share[beside], weights=weight)), float(1 / np.sqrt(weight.sum()))

    @property
    def significance(self) -> float:
        """Errors by which the sum differs from 0, without the neighbor that says most."""
        keep = np.ones(self.share.size, bool)
        if keep.size > 1:
            keep[np.argmax(self.share / self.error)] = False
        return float(self.share[keep].sum() / np.sqrt(np.sum(self.error[keep] ** 2)))

    @property
    def measurable(self) -> bool:
        """Whether a leak would have been seen."""
        return self.total[1] < MEASURABLE


def leak(residual: Array, ivar: Array, source: int, reach: int) -> Leak | None:
    """Fit the residuals of the neighbors with the features of a bright fiber; None where none can be asked.

    Parameters
    ----------
    residual : ndarray, shape (nfiber, nwave)
        Sky-subtracted flux without continuum.
    ivar : ndarray, shape (nfiber, nwave)
        Its inverse variance, 0 = unusable.
    source : int
        The bright fiber.
    reach : int
        Neighbors on each side.
    """
    bright, known = residual[source].astype(np.float64), ivar[source] > 0
    power = np.where(known, bright**2 - 1 / np.where(known, ivar[source], 1.0), 0.0)  # noise has no features
    first, last = max(source - reach, 0), min(source + reach, residual.shape[0] - 1)
    out = []
    for fiber in range(first, last + 1):
        weight = np.where(known, ivar[fiber], 0.0)
        if fiber == source or np.count_nonzero(weight) < LEAST_PIXELS:
            continue
        norm = float(np.sum(weight * power))
        if norm <= 0:
            continue
        share = float(np.sum(weight * bright * residual[fiber])) / norm
        rest = ((residual[fiber] - share * bright) * np.sqrt(weight))[weight > 0]
        error = max(1.0, float(mad(rest))) * np.sqrt(float(np.sum(weight * bright**2))) / norm
        out.append((fiber, share, error))
    if not out:
        return None
    fibers, shares, errors = (np.array(values) for values in zip(*out, strict=True))
    return Leak(source, fibers, shares, errors)

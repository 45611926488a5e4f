"""Errors as the scatter of sky fibers tells them: one factor for each amplifier.

What is left without sky over its error, in fibers and samples without source, has a width of one if errors are right;
a robust width (half the distance of the 16th and 84th percentile) is the factor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import FiberSpectra

LEAST = 1000  # samples
LOW, HIGH = 15.866, 84.134  # percentiles of one sigma


def error_factor(spectra: FiberSpectra, use: Array) -> tuple[float, float]:
    """Return the factor by which errors are to be multiplied and its own error; NaN for fewer than LEAST samples.

    Parameters
    ----------
    spectra : FiberSpectra
        Without sky.
    use : ndarray of bool, shape (nfiber,)
        Fibers without source.
    """
    good = (spectra.usable() & (spectra.variance > 0))[use]
    if good.sum() < LEAST:
        return float("nan"), float("nan")
    pull = spectra.flux[use][good] / np.sqrt(spectra.variance[use][good])
    low, high = np.percentile(pull, [LOW, HIGH])
    factor = float(high - low) / 2
    return factor, factor / float(np.sqrt(2 * good.sum()))


def renormalized(spectra: FiberSpectra, factor: Array) -> FiberSpectra:
    """Spectra with the errors of each fiber multiplied, (nfiber,); NaN leaves them."""
    by = np.where(np.isfinite(factor), factor, 1.0).astype(np.float32)
    return replace(spectra, variance=spectra.variance * by[:, None] ** 2)

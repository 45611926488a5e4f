"""The width of the fibers of an image before anything is fitted: by the curvature of the logarithm at their peaks."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array

COLUMNS = 64  # that are looked at
LIT = 0.3  # of the usual peak; fainter ones are left out
PIXEL = 1 / 12  # px^2, variance that the width of a pixel adds
NARROWEST, WIDEST, UNKNOWN = 0.5, 3.0, 1.2  # px


def first_width(columns: Array, good: Array, path: Array) -> float:
    """Return the usual Gaussian width, px.

    Parameters
    ----------
    columns : float32 (ncol, nrow); good : uint8 (ncol, nrow)
    path : (nslot, ncol), px
        Within about a pixel of the light.
    """
    ncol, nrow = columns.shape
    at = np.unique(np.round(np.linspace(0, ncol - 1, min(ncol, COLUMNS))).astype(np.intp))
    few = np.where((good[at] & 1) > 0, columns[at], np.nan)
    row = np.round(np.nan_to_num(path[:, at], nan=-9)).astype(np.intp)
    inside = (row >= 2) & (row < nrow - 2)
    window = few[np.arange(at.size)[:, None], np.clip(row, 2, nrow - 3)[..., None] + np.arange(-2, 3)]
    window = np.where(inside[..., None], window, np.nan)
    known = np.isfinite(window).all(axis=2)
    if not known.any():
        return UNKNOWN
    level = np.percentile(few[np.isfinite(few)], 10)
    peak = np.argmax(window[known][:, 1:4], axis=1) + 1
    below, top, above = (window[known][np.arange(peak.size), peak + d] - level for d in (-1, 0, 1))
    lit = (top > LIT * np.median(top)) & (below > 0) & (above > 0) & (top >= below) & (top >= above)
    if not lit.any():
        return UNKNOWN
    curve = np.median(2 * np.log(top[lit]) - np.log(below[lit]) - np.log(above[lit]))
    return float(np.clip(np.sqrt(max(1 / max(curve, 1e-3) - PIXEL, 0.0)), NARROWEST, WIDEST))

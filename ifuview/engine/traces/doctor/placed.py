"""By how much all traces together lie beside their light, where that is farther than the fit can see."""

from __future__ import annotations

import numpy as np

from ifuview.engine.traces.light.slots import spacing_of, typical
from ifuview.model.checks import Array

COLUMNS = 64  # that are looked at
REACH = 3.2  # spacings, on both sides
STEP = 0.5  # px
FAR = 0.25  # spacings; nearer light is found by the fit
BETTER = 1.04  # light there over light on the given traces: neighbors' light is as bright, but for the ends of blocks


def common_shift(columns: Array, good: Array, center: Array) -> float:
    """Return the shift that brings all traces onto light, px; 0 where they lie on it or near.

    Parameters
    ----------
    columns : float32 (ncol, nrow); good : uint8 (ncol, nrow)
    center : (nfiber, ncol), px
    """
    spacing = spacing_of(typical(center))
    if not np.isfinite(spacing):
        return 0.0
    ncol, nrow = columns.shape
    at = np.unique(np.round(np.linspace(0, ncol - 1, min(ncol, COLUMNS))).astype(np.intp))
    path = center[:, at]
    known = np.isfinite(path)
    few = np.where((good[at] & 1) > 0, columns[at], 0)
    few = few - np.percentile(few, 10)
    shifts = np.arange(-REACH * spacing, REACH * spacing + STEP, STEP)
    shifts -= shifts[np.abs(shifts).argmin()]
    light = np.zeros((shifts.size, center.shape[0]))
    count = np.maximum(known.sum(axis=1), 1)
    for i, d in enumerate(shifts):
        rows = np.round(np.nan_to_num(path) + d).astype(np.intp)
        inside = known & (rows >= 0) & (rows < nrow)
        values = few[np.arange(at.size)[None], np.clip(rows, 0, nrow - 1)]
        light[i] = np.where(inside, values, 0).sum(axis=1) / count
    usual = float(np.median(light.max(axis=0)))
    if usual <= 0:
        return 0.0
    score = np.clip(light / usual, 0, 1).mean(axis=1)
    best = int(score.argmax())
    near = score[np.abs(shifts) <= max(FAR * spacing, STEP)].max()
    return float(shifts[best]) if score[best] > BETTER * near and abs(shifts[best]) > FAR * spacing else 0.0

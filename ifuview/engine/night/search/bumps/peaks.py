"""Narrow peaks in fibers that should be empty: lines of an object, wider than what a particle lights."""

from __future__ import annotations

import numpy as np

from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array

WIDTHS = (1.0, 1.8, 3.2)  # px, sigma of a line
REACH = 4  # widths that a filter reaches
PEAK, ALONE = 5.5, 4.0  # sigma of a line; that another fiber may have at its wavelength
WIDE, LEAST = 0.5, 2.0  # of the highest pixel that its neighbors must have together, from so many sigma
APART = 6  # px between two lines
FREE = 0.7  # of the power of a line that must lie beside the lines of the sky


def peaks(values: Array, weight: Array, free: Array) -> list[list[tuple[int, float]]]:
    """(pixel, sigma) of the lines of each fiber that no other fiber has at the same place.

    Parameters
    ----------
    values, weight : ndarray, shape (nfiber, nwave)
        Light without what is wide and without lines of the sky; its inverse variance, 0 where unknown.
    free : ndarray of bool, shape (nwave,)
        Pixels without strong lines of the sky.
    """
    z = values * np.sqrt(weight) * free
    score = np.zeros(z.shape, np.float32)
    for width in WIDTHS:
        away = np.arange(-int(REACH * width), int(REACH * width) + 1)
        shape = np.exp(-0.5 * (away / width) ** 2)
        power = _filtered(free.astype(np.float32), shape**2)
        own = _filtered(z, shape) / np.sqrt(np.maximum(power, 1e-12))
        score = np.maximum(score, np.where(power > FREE * np.sum(shape**2), own, 0.0))
    if len(score) < 2:  # no other fiber tells what is the sky's
        return [[] for _ in score]
    second = np.sort(score, axis=0)[-2]
    return [_of_one(one, pixels, second < ALONE) for one, pixels in zip(score, z, strict=True)]


def _of_one(score: Array, z: Array, single: Array) -> list[tuple[int, float]]:
    """Lines of one fiber."""
    out = []
    for first, last in runs(score > PEAK, APART):
        at = first + int(np.argmax(score[first:last]))
        near = z[max(first - 1, 0) : last + 1]
        top = max(first - 1, 0) + int(np.argmax(near))
        beside = float(z[max(top - 1, 0) : top + 2].sum() - z[top])
        if single[at] and beside > max(WIDE * float(z[top]), LEAST):
            out.append((at, float(score[at])))
    return out


def _filtered(values: Array, shape: Array) -> Array:
    """Correlation with a shape along the last axis."""
    from scipy.ndimage import correlate1d

    return np.asarray(correlate1d(values, shape, axis=-1, mode="constant"))

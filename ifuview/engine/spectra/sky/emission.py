"""Emission lines of an extended source that a sky spectrum holds, as no fiber is free of them.

Where the source has a line, what the sky has in its shape (the line, its slope and its curvature, for gas in the outer
fibers that moves otherwise) beside the sky that is expected there (a straight line where nothing is known) is taken
for the source's. A line of the sky at the same wavelength that is not expected is taken with it: the windows are told,
so that it can be said.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label, median_filter

from ifuview.model.checks import Array

WIDE = 81  # samples, of the continuum
SURE = 6.0  # sigma of a line
STRONG = 0.1  # of the continuum
AROUND = 12  # samples beside a line that tell the sky under it


def emission_in_sky(
    sky: Array, source: Array, source_error: Array, expected: Array | None = None
) -> tuple[NDArray[np.float64], tuple[tuple[int, int], ...]]:
    """Return the light of the source's lines in a sky spectrum, and the windows it was looked for in.

    Parameters
    ----------
    sky, source, source_error : ndarray, shape (nwave,)
        On one even grid.
    expected : ndarray, shape (n, nwave), optional
        Mean skies, of any level.

    Returns
    -------
    light : ndarray of float64, shape (nwave,)
        To be taken off the sky.
    windows : tuple of (int, int)
        First sample and one past the last.
    """
    source = np.asarray(source, np.float64)
    broad = median_filter(source, WIDE, mode="nearest")
    line = source - broad
    peak = (line > SURE * source_error) & (line > STRONG * np.maximum(broad, 0))
    parts, count = label(binary_dilation(peak, iterations=AROUND))
    out, windows = np.zeros(source.size), []
    for n in range(1, count + 1):
        at = np.flatnonzero(parts == n)
        if not (peak[at].sum() >= 2 and at.size > 2 * AROUND):
            continue
        own = line[at]
        shape = np.stack([own, np.gradient(own), np.gradient(np.gradient(own))], axis=1)
        shape /= np.abs(shape).max(axis=0)
        out[at] = _taken(np.asarray(sky, np.float64)[at], shape, None if expected is None else expected[:, at])
        windows.append((int(at[0]), int(at[-1]) + 1))
    return out, tuple(windows)


def _taken(sky: Array, shape: Array, expected: Array | None) -> NDArray[np.float64]:
    """The part of a sky that has the shape of the source's line, beside what explains the rest best."""
    slope = np.linspace(-1, 1, sky.size)
    known = [] if expected is None else [one / one.mean() for one in expected if np.all(one > 0)]
    best = None
    for level in known or [np.ones(sky.size)]:
        basis = np.column_stack([shape, level, level * slope])
        found = np.linalg.lstsq(basis, sky, rcond=None)[0]
        left = float(np.sum((sky - basis @ found) ** 2))
        if best is None or left < best[0]:
            best = left, shape @ found[: shape.shape[1]]
    assert best is not None
    return np.asarray(best[1])

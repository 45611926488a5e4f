"""Emission lines of an extended source that a sky spectrum holds, as no fiber is free of them.

Where the source has a line, what the sky has in its shape (the line, its slope and its curvature, for gas in the outer
fibers that moves otherwise) beside a straight line is taken for the source's. A line of the sky at the same wavelength
is taken with it: the windows are told, so that it can be said.
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
    sky: Array, source: Array, source_error: Array
) -> tuple[NDArray[np.float64], tuple[tuple[int, int], ...]]:
    """Return the light of the source's lines in a sky spectrum, and the windows it was looked for in.

    Parameters
    ----------
    sky, source, source_error : ndarray, shape (nwave,)
        On one even grid.

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
        basis = np.column_stack([shape, np.ones(at.size), np.linspace(-1, 1, at.size)])
        found = np.linalg.lstsq(basis, np.asarray(sky, np.float64)[at], rcond=None)[0]
        out[at] = shape @ found[:3]
        windows.append((int(at[0]), int(at[-1]) + 1))
    return out, tuple(windows)

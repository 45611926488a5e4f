"""All light of a fiber over its brightness at the trace: turns sums over the profile into flat-relative amplitudes.

Some response tables are for an amplitude, the mean of the two pixels next to the trace, not for the sum over the
profile. Their ratio follows from the profile and where the trace lies on the pixels; it is averaged over columns, as
the place on the pixels goes through all fractions along a trace.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.traces.profile.column import blend, lay
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.model.checks import Array

COLUMNS = 129  # that are averaged over
LEAST_SHARE = 0.01  # of a fiber's light that the two pixels must hold


def profile_amplitude(profile: FiberProfile, center: Array) -> NDArray[np.float64]:
    """Return the light of each fiber over the mean of the two pixels next to its trace, (nfiber,); NaN without trace.

    Parameters
    ----------
    profile : FiberProfile
    center : ndarray, shape (nfiber, ncol), px
        Rising along fibers; NaN: no fiber.
    """
    nfiber, ncol = center.shape
    tables, along = profile.tables(), profile.legendre()
    rows = 2 * profile.half_rows + 1
    table = np.zeros((tables.shape[0], tables.shape[2], 2))
    light, first = np.zeros((nfiber, rows)), np.zeros(nfiber, np.int64)
    total, count = np.zeros(nfiber), np.zeros(nfiber)
    group = np.ascontiguousarray(profile.group)
    for x in np.unique(np.linspace(0, ncol - 1, min(COLUMNS, ncol)).astype(np.intp)):
        at = np.ascontiguousarray(center[:, x] + profile.offset[:, x], np.float64)
        blend(tables, along[x], table)
        lay(at, np.ascontiguousarray(profile.width[:, x], np.float64), table, profile.reach, group, light, first)
        known = np.isfinite(at)
        low = np.where(known, np.floor(np.where(known, at, 0)) - first, 0).astype(np.intp)
        known &= (low >= 0) & (low + 1 < rows)
        low = np.where(known, low, 0)
        pair = 0.5 * (light[np.arange(nfiber), low] + light[np.arange(nfiber), low + 1])
        known &= pair > LEAST_SHARE
        total += np.where(known, 1 / np.where(known, pair, 1), 0)
        count += known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)

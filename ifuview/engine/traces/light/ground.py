"""By how much the background is less certain because the widths and the shape of the fibers are fitted beside it.

Where profiles overlap, a background looks like wider fibers. Each bin has a background of its own, while widths are a
few terms along dispersion: only that part of the background that varies as they do can be taken for a width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ifuview.engine.traces.light.light_fit import Noise
from ifuview.model.checks import Array

PLACES = 4  # along dispersion, at which it is worked out
REACH = 9.0  # px beyond the outermost fibers of a group
WIDER = 0.01  # of the width, for its derivative
RIDGE = 1e-9


def less_certain(
    path: Array, width: Array, flux: Array, level: Array, noise: Noise, group: Array, nrow: int, terms: int
) -> NDArray[np.float64]:
    """Return the factor on the errors of the background, (ngroup, nbin).

    Parameters
    ----------
    path, width : (nslot, nbin), px
    flux : (nslot, nbin)
    level : (ngroup, nbin)
        The background.
    noise : Noise
    group : (nslot,)
    nrow : int
    terms : int
        Of a width along dispersion.
    """
    ngroup, nbin = level.shape
    at = np.unique(np.linspace(0, nbin - 1, PLACES + 2).astype(int)[1:-1])
    share = min(terms / nbin, 1.0)
    out = np.ones((ngroup, nbin))
    for g in range(ngroup):
        kept = [
            _kept(path[:, b], width[:, b], flux[:, b], float(level[g, b]), noise, np.flatnonzero(group == g), nrow)
            for b in at
        ]
        known = np.isfinite(kept)
        if known.any():
            own = np.interp(np.arange(nbin), at[known], np.array(kept)[known])
            out[g] = np.sqrt(1 - share + share / own)
    return out


def _kept(path: Array, width: Array, flux: Array, level: float, noise: Noise, rows: Array, nrow: int) -> float:
    """Share of what is known of a background of a group when its widths and its kurtosis are fitted, too."""
    members = rows[np.isfinite(path[rows]) & (flux[rows] > 0)]
    if not members.size:
        return np.nan
    low, high = path[members[0]] - REACH, path[members[-1]] + REACH
    if members[0] > 0 and np.isfinite(path[members[0] - 1]):
        low = max(low, (path[members[0]] + path[members[0] - 1]) / 2)
    if members[-1] + 1 < path.size and np.isfinite(path[members[-1] + 1]):
        high = min(high, (path[members[-1]] + path[members[-1] + 1]) / 2)
    edge = np.arange(max(int(np.ceil(low)), 0), min(int(high), nrow - 1) + 2) - 0.5
    sigma, center, f = (v[members][:, None] for v in (width, path, flux))
    a = (edge - center) / sigma
    light = np.diff(ndtr(a), axis=1)
    wider = f * (np.diff(ndtr(a / (1 + WIDER)), axis=1) - light) / WIDER
    kurtosis = (f * np.diff(np.exp(-0.5 * a**2) * a * (a**2 - 3), axis=1)).sum(axis=0, keepdims=True)
    weight = 1 / (noise.floor + noise.per_count * np.maximum((f * light).sum(axis=0) + level, 0))
    design = np.concatenate([light, np.ones((1, edge.size - 1)), wider, kurtosis])
    normal = (design * weight) @ design.T
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-30))
    normal = normal / np.outer(scale, scale) + RIDGE * np.eye(scale.size)
    n = members.size
    alone, joint = np.linalg.inv(normal[: n + 1, : n + 1])[n, n], np.linalg.inv(normal)[n, n]
    return float(np.clip(alone / joint, 1e-3, 1.0))

"""What wrong traces do to extracted spectra: flux that is lost and light of neighbors that comes in.

Gaussian profiles of the measured width. A boxcar of half width h about a trace that is off by d keeps
Phi((h - d) / s) - Phi((-h - d) / s) of the flux; a joint fit of profiles loses 1 - exp(-d^2 / 4 s^2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import median_along
from ifuview.model.checks import Array
from ifuview.model.traces.doctor import Crosstalk, Impact

HALF_WIDTH = 2.5  # px
REACH = (-2, -1, 1, 2)
STEP = 0.01  # px, for slopes
PIXEL_VARIANCE = 1 / 12  # px^2, of a uniform pixel
MOST_LEAK = 1e3  # of the fiber's own flux; beyond, the fiber is dark


def normal_cdf(a: Array) -> NDArray[np.float64]:
    """Cumulative normal distribution."""
    from scipy.special import ndtr

    out: NDArray[np.float64] = ndtr(a)
    return out


def caught(distance: Array, width: Array, half: float) -> Array:
    """Share of a profile within `half` of a place at `distance` from its center."""
    s = np.sqrt(width**2 + PIXEL_VARIANCE)
    return normal_cdf((half - distance) / s) - normal_cdf((-half - distance) / s)


def extraction_impact(
    offset: Array, error: Array, width: Array, flux: Array, center: Array, trace: Array, half: float = HALF_WIDTH
) -> Impact:
    """Return losses and leaks of all fibers and bins.

    Parameters
    ----------
    offset, error : (nfiber, nbin), px
        Light minus trace.
    width, flux : (nfiber, nbin)
    center : (nfiber, nbin), px
        Where the light is.
    trace : (nfiber, nbin), px
        Where it is extracted.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = caught(np.zeros_like(offset), width, half)
        kept = caught(offset, width, half)
        slope = (caught(offset + STEP, width, half) - caught(offset - STEP, width, half)) / (2 * STEP)
        joint = 1 - np.exp(-(offset**2) / (4 * width**2))
        joint_slope = offset / (2 * width**2) * np.exp(-(offset**2) / (4 * width**2))
        leak, leak_slope = _leak(trace, center, width, flux, half)
        perfect, _ = _leak(center, center, width, flux, half)
    return Impact(
        1 - kept / whole,
        np.hypot(slope / whole * error, 0),
        joint,
        np.abs(joint_slope) * error,
        leak,
        np.abs(leak_slope) * error,
        1 - whole,
        perfect,
        half,
    )


def _leak(trace: Array, center: Array, width: Array, flux: Array, half: float) -> tuple[Array, Array]:
    """Light of the next light on each side within the aperture, as a share of the own flux, and its slope."""
    order = np.argsort(np.nanmedian(np.where(np.isfinite(center), center, 0), axis=1))
    out, slope = np.zeros_like(trace), np.zeros_like(trace)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    own = np.where(flux > 0, flux, np.nan)
    for step in (-1, 1):
        other = place + step
        inside = (other >= 0) & (other < order.size)
        j = order[np.clip(other, 0, order.size - 1)]
        share = np.maximum(flux[j], 0) / own * inside[:, None]
        distance = center[j] - trace
        out += np.nan_to_num(share * caught(distance, width[j], half), nan=0.0)
        ahead, behind = caught(distance - STEP, width[j], half), caught(distance + STEP, width[j], half)
        slope += np.nan_to_num(share * (ahead - behind) / (2 * STEP), nan=0.0)
    known = np.isfinite(own) & np.isfinite(trace) & (out < MOST_LEAK)
    return np.where(known, out, np.nan), np.where(known, slope, np.nan)


def crosstalk(
    center: Array, trace: Array, error: Array, width: Array, half: float = HALF_WIDTH, bins: int = 5
) -> Crosstalk:
    """Return how much of each neighbor's flux an extraction on the given traces contains, median over a few bins."""
    nfiber, nbin = center.shape
    at = np.unique(np.round(np.linspace(0.1, 0.9, min(bins, nbin)) * (nbin - 1)).astype(int))
    c, t, s, e = center[:, at], trace[:, at], width[:, at], error[:, at]
    box, joint = np.full((2, 2, nfiber, len(REACH)), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        for moved in (0, 1):
            tt = t + moved * e
            for i, step in enumerate(REACH):
                j = np.arange(nfiber) + step
                inside = (j >= 0) & (j < nfiber)
                j = np.clip(j, 0, nfiber - 1)
                value = caught(c[j] - tt, s[j], half)
                box[moved, :, i] = np.where(inside, median_along(value), np.nan)
            joint[moved] = median_along(np.moveaxis(_joint(c, tt, s), 1, -1))
    return Crosstalk(np.array(REACH), box[0], np.abs(box[1] - box[0]), joint[0], np.abs(joint[1] - joint[0]))


def _joint(center: Array, trace: Array, width: Array) -> NDArray[np.float64]:
    """Share of each neighbor's flux in a joint fit with profiles at the traces, shape (nfiber, nbin, len(REACH))."""
    nfiber = center.shape[0]
    window = np.arange(-2, 3)
    j = np.arange(nfiber)[:, None] + window
    inside = (j >= 0) & (j < nfiber)
    j = np.clip(j, 0, nfiber - 1)
    t, c, s = (np.moveaxis(a[j], 1, -1) for a in (trace, center, width))  # (nfiber, nbin, 5)
    inside = inside[:, None, :] & np.isfinite(t) & np.isfinite(c) & np.isfinite(s)
    t, c, s = (np.where(inside, a, f) for a, f in ((t, 0.0), (c, 0.0), (s, 1.0)))
    both = inside[..., None] & inside[..., None, :]
    normal = np.where(both, _overlap(t[..., None], t[..., None, :], s[..., None], s[..., None, :]), 0)
    normal += np.where(inside, 1e-6, 1.0)[..., None] * np.eye(5)
    mixed = np.where(both, _overlap(t[..., None], c[..., None, :], s[..., None], s[..., None, :]), 0)
    matrix = np.linalg.solve(normal, mixed)
    out = matrix[..., 2, [0, 1, 3, 4]]
    return np.where(inside[..., [0, 1, 3, 4]] & inside[..., 2:3], out, np.nan)


def _overlap(a: Array, b: Array, s: Array, r: Array) -> NDArray[np.float64]:
    """Integral of the product of two normalized Gaussians, times sqrt(4 pi) s so that equal ones give 1."""
    variance = s**2 + r**2
    out: NDArray[np.float64] = np.sqrt(2 * s * r / variance) * np.exp(-((a - b) ** 2) / (2 * variance))
    return out * np.sqrt(s / r)

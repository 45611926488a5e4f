"""Values along a straight line at any angle, with errors: what each step is made of is known, so that they are exact.

Each step is the mean of samples across the line, each interpolated linearly between four pixels; its variance counts
every pixel once with its whole weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.errors import FitError

Floats = NDArray[np.float64]

LEAST_WEIGHT = 0.5  # of a step that must be known
MOST_SAMPLES = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class CutPlan:
    """Which pixels make up which step.

    Parameters
    ----------
    distance : ndarray, shape (nstep,), px
        From the first point.
    step, pixel : ndarray of int, shape (n,)
        Number of a step, and place in `x`, `y` of a pixel that counts to it.
    weight : ndarray, shape (n,)
        By how much; the weights of a step have the sum 1 inside the image.
    x, y : ndarray of int, shape (npixel,)
        The pixels.
    """

    distance: Floats
    step: NDArray[np.int64]
    pixel: NDArray[np.int64]
    weight: Floats
    x: NDArray[np.int64]
    y: NDArray[np.int64]


def plan_cut(start: tuple[float, float], stop: tuple[float, float], width: int, shape: tuple[int, int]) -> CutPlan:
    """Which pixels a line touches, in steps of about one pixel.

    Parameters
    ----------
    start, stop : (x, y), px
        The center of the first pixel is (0, 0).
    width : int, px
        Across the line.
    shape : (ny, nx)

    Raises
    ------
    FitError
        The line has no length, or does not touch the image, or is too wide.
    """
    length = float(np.hypot(stop[0] - start[0], stop[1] - start[1]))
    if length < 1:
        raise FitError("the line is shorter than a pixel")
    count = round(length) + 1
    if count * width > MOST_SAMPLES:
        raise FitError("the line is too long for this width")
    along = np.linspace(0.0, length, count)
    ux, uy = (stop[0] - start[0]) / length, (stop[1] - start[1]) / length
    across = np.arange(width) - (width - 1) / 2
    x = start[0] + along[:, None] * ux - across * uy
    y = start[1] + along[:, None] * uy + across * ux
    step = np.broadcast_to(np.arange(count)[:, None], x.shape)
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = x - i, y - j
    parts = [(i + a, j + b, (fx if a else 1 - fx) * (fy if b else 1 - fy)) for a in (0, 1) for b in (0, 1)]
    px, py, weight = (np.stack([part[k] for part in parts]).ravel() for k in range(3))
    steps = np.broadcast_to(step, (4, *x.shape)).ravel()
    inside = (px >= 0) & (py >= 0) & (px < shape[1]) & (py < shape[0]) & (weight > 0)
    if not inside.any():
        raise FitError("the line does not touch the image")
    flat, pixel = np.unique(py[inside] * shape[1] + px[inside], return_inverse=True)
    pair, place = np.unique(steps[inside] * flat.size + pixel, return_inverse=True)
    summed = np.asarray(np.bincount(place, weight[inside] / width), np.float64)
    return CutPlan(along, pair // flat.size, pair % flat.size, summed, flat % shape[1], flat // shape[1])


def cut_values(plan: CutPlan, value: Floats, variance: Floats | None = None) -> tuple[Floats, Floats | None]:
    """Mean of each step and its error of one sigma.

    Parameters
    ----------
    plan : CutPlan
    value : ndarray, shape (npixel,)
        NaN where nothing is known: what is known counts in its place, if it is at least half of the step.
    variance : ndarray, shape (npixel,), or None
        Infinite where nothing is known. None: errors are not known.

    Returns
    -------
    value, error : ndarray, shape (nstep,)
        NaN where nothing is known; error None where the variance is.
    """
    known = np.isfinite(value) if variance is None else np.isfinite(value) & np.isfinite(variance)
    count = plan.distance.size
    weight = np.where(known[plan.pixel], plan.weight, 0.0)
    total = np.bincount(plan.step, weight, count)
    enough = total >= LEAST_WEIGHT
    safe = np.where(enough, total, 1.0)
    mean = np.bincount(plan.step, weight * np.where(known, value, 0.0)[plan.pixel], count) / safe
    mean[~enough] = np.nan
    if variance is None:
        return mean, None
    error = np.sqrt(np.bincount(plan.step, weight**2 * np.where(known, variance, 0.0)[plan.pixel], count)) / safe
    error[~enough] = np.nan
    return mean, error

"""Sky lines of every fiber: throughput, dead fibers, residuals of lines, real gradients of the sky.

The light of a line is the sum of a few pixels minus the local continuum, so that targets hardly matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad, middle
from ifuview.engine.numeric.medians import MEDIAN_ERROR, median
from ifuview.model.checks import Array

HALF = 3  # px of the line on both sides of its center
SIDE = (7, 12)  # px from the center where the continuum is taken
PROMINENCE = 0.6  # of the median sky level: lines that count for the throughput
WEAK = 0.15  # the same for lines that may vary over the field
MOST = 40  # lines
SCATTER = 0.035  # of the throughput of good fibers
UNKNOWN = 1e9  # error of a line that is masked
TINY = 1e-9  # keeps fibers on one line solvable
MARGIN = 12  # px at the ends
VARIABLE = ((6564.6, 6.0),)  # Angstrom, vacuum; half width: geocoronal H-alpha, which really varies over the sky


@dataclass(frozen=True, slots=True, eq=False)
class LineLight:
    """Light of each line in each fiber.

    Parameters
    ----------
    at : ndarray of int, shape (nline,)
    seen, model, residual : ndarray, shape (nfiber, nline)
        Of the flat-fielded frame, the sky model, the sky-subtracted flux.
    error : ndarray, shape (nfiber, nline)
    strong : ndarray of bool, shape (nline,)
    """

    at: Array
    seen: Array
    model: Array
    residual: Array
    error: Array
    strong: Array


def find_lines(sky: Array, wave: Array) -> tuple[Array, Array]:
    """Pixels of the isolated peaks of a sky spectrum, and which of them are strong."""
    level = float(np.median(sky))
    found: list[tuple[float, int]] = []
    highest = np.lib.stride_tricks.sliding_window_view(sky, 17).max(axis=1)  # of the pixels from 8 on
    for j in np.flatnonzero(sky[8:-8] == highest).astype(int) + 8 if sky.size > 2 * MARGIN else ():
        if MARGIN <= j < sky.size - MARGIN and not (found and j - found[-1][1] <= SIDE[0]):
            height = float(sky[j] - np.median(sky[j - 10 : j + 11]))
            if height > WEAK * level:
                found.append((height, int(j)))
    found.sort(reverse=True)
    kept = found[:MOST]
    varying = [np.abs(wave - w) < half for w, half in VARIABLE]
    kept += [f for f in found[MOST:] if any(v[f[1]] for v in varying)]
    at = np.array([j for _, j in kept], int)
    strong = np.array([h > PROMINENCE * level and not any(v[j] for v in varying) for h, j in kept], bool)
    return at, strong


def light(values: Array, at: Array) -> Array:
    """Sum over the line minus the local continuum, shape (nfiber, nline)."""
    line = at[:, None] + np.arange(-HALF, HALF + 1)
    side = at[:, None] + np.r_[-SIDE[1] + 1 : -SIDE[0] + 1, SIDE[0] : SIDE[1]]
    total = values[:, line].sum(axis=2)
    return np.asarray(total - (2 * HALF + 1) * middle(values[:, side], axis=2))


def measure(seen: Array, model: Array, residual: Array, sigma: Array, wave: Array, level: Array) -> LineLight:
    """Light of all lines.

    Parameters
    ----------
    seen, model, residual : ndarray, shape (nfiber, nwave)
        Flat-fielded frame, sky model, sky-subtracted flux, without holes.
    sigma : ndarray, shape (nfiber, nwave)
        Noise of `seen`.
    wave, level : ndarray, shape (nwave,)
        Wavelengths and the sky spectrum that lines are looked for in.
    """
    at, strong = find_lines(level, wave)
    line = at[:, None] + np.arange(-HALF, HALF + 1)
    error = np.sqrt((sigma[:, line] ** 2).sum(axis=2) * 1.6)  # 1.6: the local continuum's own noise
    lights = light(seen, at), light(model, at), light(residual, at)
    unknown = ~np.isfinite(lights[0]) | ~np.isfinite(lights[2])
    if unknown.any():  # what nobody measured says nothing, whatever stands there
        lights = np.where(unknown, lights[1], lights[0]), lights[1], np.where(unknown, np.nan, lights[2])
        error = np.where(unknown, UNKNOWN, error)
    return LineLight(at, *lights, error, strong)


def throughput(lines: LineLight) -> tuple[Array, Array]:
    """Light over the sky model's and its error, shape (nfiber,); NaN if unknown.

    A weighted median over the strong lines.
    """
    nfiber = lines.seen.shape[0]
    use = lines.strong
    if np.count_nonzero(use) < 3:
        return np.full(nfiber, np.nan), np.full(nfiber, np.nan)
    model = median(lines.model[:, use], 0)
    ratio = lines.seen[:, use] / model
    weight = (model / np.maximum(lines.error[:, use], 1e-6)) ** 2
    order = np.argsort(ratio, axis=1)
    ranked = np.cumsum(np.take_along_axis(weight, order, 1), axis=1)
    middle = np.argmax(ranked >= ranked[:, -1:] / 2, axis=1)
    value = np.take_along_axis(ratio, np.take_along_axis(order, middle[:, None], 1), 1)[:, 0]
    excess = np.maximum(mad((ratio - value[:, None]) * np.sqrt(weight), axis=1), 1.0)  # targets have lines, too
    value = np.where(np.count_nonzero(lines.error[:, use] < UNKNOWN, axis=1) < 3, np.nan, value)
    return value, np.hypot(MEDIAN_ERROR * excess / np.sqrt(weight.sum(axis=1)), SCATTER)


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """A line whose residual is a plane over the field.

    Parameters
    ----------
    wave : float, Angstrom
    slope : (float, float)
        Change of the line along x and y, fraction of the line per mm.
    swing : float
        Largest minus smallest of the plane over the fibers, fraction of the line.
    explained : float
        Part of the variance beyond noise that the plane takes.
    significance : float
    center : (float, float, float)
        Value of the plane, and x and y where it has that, mm.
    """

    wave: float
    slope: tuple[float, float]
    swing: float
    explained: float
    significance: float
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)


def gradient(lines: LineLight, k: int, wave: Array, x: Array, y: Array, use: Array) -> Gradient | None:
    """Fit a plane to the residual of line `k` over the field; None where too few fibers."""
    model = float(np.median(lines.model[:, k]))
    value, error = lines.residual[:, k] / model, lines.error[:, k] / abs(model)
    return plane(value, error, x, y, use, float(wave[lines.at[k]]))


def plane(
    value: Array, error: Array, x: Array, y: Array, use: Array, wave: float = 0.0, least: int = 30
) -> Gradient | None:
    """Fit a plane to one number per fiber; None where fewer than `least` are in use."""
    use = use & np.isfinite(x) & np.isfinite(y) & np.isfinite(value) & (error > 0)
    for _ in range(3):
        if np.count_nonzero(use) < least:
            return None
        center = float(np.mean(x[use])), float(np.mean(y[use]))
        design = np.stack([np.ones(x.size), x - center[0], y - center[1]], axis=1)
        w = 1 / error[use]
        weighted = design[use] * w[:, None]
        coeff = np.linalg.solve(weighted.T @ weighted + TINY * np.eye(3), weighted.T @ (value[use] * w))
        rest = (value - design @ coeff) / error
        use = use & (np.abs(rest) < 5 * max(1.0, float(mad(rest[use]))))
    fitted = design[use] @ coeff
    mean = np.average(value[use], weights=w_of(error[use]))
    before = float(np.sum(((value[use] - mean) / error[use]) ** 2)) - use.sum()
    after = float(np.sum(rest[use] ** 2)) - use.sum()
    explained = (before - after) / max(before, 1e-9)
    return Gradient(
        wave, (float(coeff[1]), float(coeff[2])), float(np.ptp(fitted)), float(explained),
        float(np.sqrt(max(before - after, 0.0))), (float(coeff[0]), *center),
    )  # fmt: skip


def w_of(error: Array) -> Array:
    """Weights of a mean."""
    return np.asarray(1 / error**2)

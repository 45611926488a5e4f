"""A line of the sky over the focal plane, with the plane that was fitted to it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.night.triage import Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLIP = (8.0, 92.0)  # percentiles of the colors
BINS = 12  # along the gradient
MIN_IN_BIN = 5  # fibers
LEVELS = 7  # of the plane
MARGIN = 15.0  # mm around the fibers
MEDIAN_ERROR = 1.2533 * 0.7413  # error of a median of n values in units of their quartile distance / sqrt(n)


def draw_field(figure: Figure, finding: Finding, x: Array, y: Array, strength: Array) -> None:
    """Strength of the line where each fiber sits, and the same along the direction in which it rises.

    Parameters
    ----------
    figure : matplotlib Figure
    finding : Finding
        With the plane in its details: `slope` per mm, `center` (value, x, y), `explained`, `direction_deg`.
    x, y : ndarray, shape (nfiber,), mm
    strength : ndarray, shape (nfiber,)
        Fraction of the line by which it differs from the sky model; NaN where not used.
    """
    use = np.isfinite(x) & np.isfinite(y) & np.isfinite(strength)
    if not use.any():
        return
    x, y, percent = x[use], y[use], 100 * strength[use]
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.25))
    _map(figure, left, finding, x, y, percent)
    _profile(right, finding, x, y, percent)


def _plane(finding: Finding, x: Array, y: Array) -> Array:
    """The fitted plane, percent of the line."""
    (value, x0, y0), (along_x, along_y) = finding.detail["center"], finding.detail["slope"]
    return np.asarray(100 * (value + along_x * (x - x0) + along_y * (y - y0)))


def _map(figure: Figure, axes: Axes, finding: Finding, x: Array, y: Array, percent: Array) -> None:
    low, high = np.percentile(percent, CLIP)
    points = axes.scatter(x, y, c=percent, s=9, cmap="cividis", vmin=low, vmax=max(high, low + 1e-6), linewidths=0)
    wide = x.min() - MARGIN, x.max() + MARGIN
    tall = y.min() - MARGIN, y.max() + MARGIN
    grid_x, grid_y = np.meshgrid(np.linspace(*wide, 40), np.linspace(*tall, 40))
    lines = axes.contour(
        grid_x, grid_y, _plane(finding, grid_x, grid_y), LEVELS, colors="#c0392b", linewidths=0.8, linestyles="solid"
    )
    axes.clabel(lines, fontsize=6, fmt="%+.0f")
    axes.set_xlim(*wide)
    axes.set_ylim(*tall)
    axes.set_aspect("equal")
    axes.set_title("line over the sky model's, by fiber (lines: fitted plane)", fontsize=8)
    axes.set_xlabel("FIBER_X (mm)", fontsize=8)
    axes.set_ylabel("FIBER_Y (mm)", fontsize=8)
    axes.tick_params(labelsize=7)
    bar = figure.colorbar(points, ax=axes, shrink=0.8)
    bar.set_label("% of the line", fontsize=7)
    bar.ax.tick_params(labelsize=7)


def _profile(axes: Axes, finding: Finding, x: Array, y: Array, percent: Array) -> None:
    slope, (_, x0, y0) = np.asarray(finding.detail["slope"]), finding.detail["center"]
    unit = slope / max(float(np.hypot(*slope)), 1e-12)
    along = (x - x0) * unit[0] + (y - y0) * unit[1]
    axes.plot(along, percent, ".", color="#b0b0b0", markersize=3, label="fibers")
    edges = np.linspace(along.min(), along.max(), BINS + 1)
    middles = []
    for first, last in pairwise(edges):
        inside = percent[(along >= first) & (along <= last)]
        if inside.size >= MIN_IN_BIN:
            spread = float(np.subtract(*np.percentile(inside, (75, 25))))
            error = MEDIAN_ERROR * spread / np.sqrt(inside.size)
            middles.append(((first + last) / 2, float(np.median(inside)), error))
    if middles:
        at, median, error = zip(*middles, strict=True)
        axes.errorbar(at, median, error, fmt="o", color="#1d4468", markersize=4, linewidth=1, label="median of them")
    ends = np.array([along.min(), along.max()])
    fitted = _plane(finding, x0 + ends * unit[0], y0 + ends * unit[1])
    explained = 100 * float(finding.detail["explained"])
    axes.plot(
        ends,
        fitted,
        color="#c0392b",
        linewidth=1.5,
        label=f"fitted plane: {explained:.0f} % of the variance beyond noise",
    )
    low, high = np.percentile(percent, (1, 99))
    room = 0.25 * (high - low) + 1e-6
    axes.set_ylim(low - room, high + room)
    axes.set_xlabel(f"mm towards {finding.detail['direction_deg']} deg (from +X to +Y)", fontsize=8)
    axes.set_ylabel("line over the sky model's, % of the line", fontsize=8)
    axes.set_title(_where(finding), fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=7, frameon=False, loc="upper left")


def _where(finding: Finding) -> str:
    if finding.wave_range is None:
        return "sky lines"
    low, high = finding.wave_range
    return f"{finding.expid} {finding.camera}, {low:.0f}-{high:.0f} Angstrom"

"""Pages of the flats of photon lists: weights by wavelength, over the array and of one resonator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import CROSS, DASHED, DOT, Curve, Figure, Scale
from ifuview.model.photons.calibration_curves import FlatCurves
from ifuview.model.photons.flat_solution import FLAT_BIT, FlatSolution
from ifuview.model.photons.resonators import image_of
from ifuview.report.figures import draw_figure, nothing
from ifuview.report.photons import figures, plots
from ifuview.report.words import PALE

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Page

FEW_PIXELS = 0.01  # of the resonators; weights of fewer in a bin are chosen by their noise
MOST_BINS = 16  # that are listed
MOST_SLICES = 12


def flat_pixel(curves: FlatCurves, counts: Array | None = None) -> Page:
    """Weights of one resonator with errors and the function that is used; photons per bin below."""
    figure = plots.new_figure(7, 5 if counts is not None else 3.6)
    rows = figure.subplots(2 if counts is not None else 1, 1, squeeze=False, sharex=True)[:, 0]
    draw_figure(rows[0], figures.flat(curves), size=plots.LABEL)
    if counts is not None:
        rows[1].plot(curves.waves, counts, "o-", color=PALE, ms=4)
        plots.tidy(rows[1], "Wavelength (nm)", "Photons")
    return figure


def flat_slices(flat: FlatSolution) -> Page:
    """Image of the weights in each bin."""
    chosen = _chosen(len(flat.waves))
    figure, axes = plots.panels(len(chosen), 3.0, 4.0)
    seen = flat.weights[np.isfinite(flat.weights)]
    low, high = (float(v) for v in np.percentile(seen, plots.CENTRAL)) if len(seen) else (0.5, 2.0)
    for k, panel in zip(chosen, axes):
        plots.draw_image(figure, panel, image_of(flat, flat.weights[:, k]), f"{flat.waves[k]:.0f} nm", (low, high))
    figure.suptitle(f"{flat.name}: weights", fontsize=10)
    return figure


def flat_mask_slices(flat: FlatSolution) -> Page:
    """Image of the pixels without a weight in each bin, and of the flags."""
    chosen = _chosen(len(flat.waves))
    figure, axes = plots.panels(len(chosen) + 1, 3.0, 4.0)
    for k, panel in zip(chosen, axes):
        missing = (~np.isfinite(flat.weights[:, k])).astype(np.float64)
        plots.draw_image(figure, panel, image_of(flat, missing), f"no weight at {flat.waves[k]:.0f} nm", (0.0, 1.0))
    bad = ((flat.flags & np.uint32(FLAT_BIT["flatcal.bad"])) != 0).astype(np.float64)
    plots.draw_image(figure, axes[-1], image_of(flat, bad), "flatcal.bad", (0.0, 1.0))
    figure.suptitle(f"{flat.name}: mask", fontsize=10)
    return figure


def _by_wave(flat: FlatSolution, enough: Array) -> Figure:
    """Median and deviation of the weights in each bin that has enough of them."""
    valid = np.isfinite(flat.weights)
    columns = [flat.weights[valid[:, k], k] if enough[k] else np.full(1, np.nan) for k in range(len(flat.waves))]
    median, deviation = (np.array([float(what(column)) for column in columns]) for what in (np.median, np.std))
    curves = (
        Curve(flat.waves, median, 0, "median", symbol=DOT),
        Curve(flat.waves, deviation, 1, "standard deviation", DASHED, CROSS),
    )
    return Figure("", Scale("Wavelength (nm)"), Scale("Weight"), curves)


def _chosen(number: int) -> list[int]:
    """Bins that are shown: all, or so many evenly."""
    return sorted({int(i) for i in np.linspace(0, number - 1, min(number, MOST_SLICES))})


def _bin_lines(flat: FlatSolution) -> list[str]:
    """How many resonators have a weight in each bin; bins of few say nothing of the array."""
    number = np.isfinite(flat.weights).sum(axis=0)
    few = number < max(flat.usable.sum() * FEW_PIXELS, 1)
    words = ["", " (too few to be drawn)"]
    lines = [f"{wave:.0f} nm: {n}{words[low]}" for wave, n, low in zip(flat.waves, number, few.tolist())]
    return lines[:MOST_BINS] + ["..."] * (len(lines) > MOST_BINS)


def flat_summary(flat: FlatSolution) -> Page:
    """Image of the mean weight, mean and deviation of the weights by wavelength, distribution of relative errors."""
    figure = plots.new_figure(9, 7)
    panels = figure.subplots(2, 2).ravel()
    valid = np.isfinite(flat.weights)
    number = np.maximum(valid.sum(axis=1), 1)
    mean = np.where(valid.any(axis=1), np.where(valid, flat.weights, 0).sum(axis=1) / number, np.nan)
    if flat.grid is not None:
        seen = mean[np.isfinite(mean)]
        high = float(np.mean(seen) + np.std(seen)) if len(seen) else 1.0
        plots.draw_image(figure, panels[0], image_of(flat, mean), "mean weight", (0.0, high))
    else:
        nothing(panels[0], "the flat does not say where its resonators are")
    enough = valid.sum(axis=0) >= max(flat.usable.sum() * FEW_PIXELS, 1)
    draw_figure(panels[1], _by_wave(flat, enough), size=plots.LABEL)
    relative = (flat.errors / flat.weights)[valid]
    plots.histogram(panels[2], relative, "Relative error of a weight", "Weights")
    usable = int(flat.usable.sum())
    lines = [f"Flat {flat.name} ({flat.source} light)", "", f"{usable} of {len(flat.ids)} resonators have weights",
             f"used by {flat.method}", "", *_bin_lines(flat), "",
             *(f"from {name}" for name in flat.sources)]  # fmt: skip
    panels[3].axis("off")
    panels[3].text(0, 1, "\n".join(lines), fontsize=9, va="top", transform=panels[3].transAxes)
    return figure

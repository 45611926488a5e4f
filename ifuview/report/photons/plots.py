"""Plots of the calibrations of photon lists: energy solutions, phase histograms, resolving powers, flat weights.

Every function takes values and returns a matplotlib Figure; files are written by `save` and `save_pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.photons.calibration_curves import FlatCurves, LaserCurves, WavecalCurves
from ifuview.model.photons.flat_solution import FLAT_BIT, FlatSolution
from ifuview.model.photons.resonators import image_of
from ifuview.model.photons.wavelength_solution import HistogramStatus, WavelengthSolution
from ifuview.report.panels import BLACK, BLUE, GREEN, PALE, VERMILION

FEW_PIXELS = 0.01  # of the resonators; weights of fewer in a bin are chosen by their noise
MOST_BINS = 16  # that are listed
DPI = 110
BINS = 40
CENTRAL = (1.0, 99.0)  # percent inside the limits of an image or a histogram
GIGA = 1e9
RUNNING = 41  # resonators of a running median
MOST_SLICES = 12
NO_VALUE = "#b8b8b8"
PARAMETERS = ("sigma (degree)", "error of center (degree)", "photons", "reduced chi2")


def new_figure(width: float = 8.0, height: float = 5.0) -> Any:
    """An empty figure."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")


def save(figure: Any, path: str) -> None:
    """Write a figure; the suffix of `path` says how."""
    kind = path.rsplit(".", 1)[-1].lower()
    if kind == "pdf":
        save_pages([figure], path)
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).figure.savefig(path, format=kind)
    figure.set_layout_engine("none")  # it is laid out; to find the places again takes most of the time of a page


def save_pages(figures: Sequence[Any], path: str) -> None:
    """Write figures as the pages of a PDF."""
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path) as pages:
        for figure in figures:
            pages.savefig(figure)


def _tidy(axes: Any, x: str, y: str, title: str = "") -> None:
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    if title:
        axes.set_title(title, fontsize=9)


def _nothing(axes: Any, text: str) -> None:
    """Say why there is nothing."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=PALE)
    axes.set_xticks([])
    axes.set_yticks([])


def pixel_figure(curves: WavecalCurves) -> Any:
    """Energy solution and phase histograms of one resonator."""
    lasers = [laser for laser in curves.lasers if len(laser.counts)]
    columns = min(3, max(1, len(lasers)))
    rows = -(-len(lasers) // columns)
    figure = new_figure(9, 4 + 2.4 * rows)
    grid = figure.add_gridspec(1 + rows, 1, height_ratios=[4] + [2.4] * rows)
    draw_energy(figure.add_subplot(grid[0]), curves)
    for row in range(rows):
        own = grid[1 + row].subgridspec(1, columns)
        for column, laser in enumerate(lasers[row * columns : (row + 1) * columns]):
            draw_laser(figure.add_subplot(own[column]), laser)
    figure.suptitle(curves.title, fontsize=10, wrap=True)
    return figure


def draw_energy(axes: Any, curves: WavecalCurves) -> None:
    """Energy against phase: centers with errors, the solution with its error band."""
    if len(curves.phase):
        band = (curves.curve - curves.curve_error, curves.curve + curves.curve_error)
        if np.isfinite(band[0]).all():
            axes.fill_between(curves.phase, *band, color=BLUE, alpha=0.25, lw=0)
        axes.plot(curves.phase, curves.curve, color=BLUE, lw=1.2)
    if len(curves.center):
        axes.errorbar(curves.center, curves.energy, xerr=curves.center_error, fmt="o", color=BLACK, ms=4, lw=1)
    if not len(curves.phase) and not len(curves.center):
        _nothing(axes, "no laser was fitted")
    _tidy(axes, "Phase (degree)", "Energy (eV)")


def draw_laser(axes: Any, laser: LaserCurves) -> None:
    """One phase histogram: green model where it was accepted, red counts where not."""
    good = laser.status is HistogramStatus.GOOD
    axes.stairs(laser.counts, laser.edges, color=PALE if good else VERMILION, fill=True, alpha=0.4)
    if len(laser.model):
        middle = (laser.edges[1:] + laser.edges[:-1]) / 2
        axes.plot(middle, laser.model, color=GREEN, lw=1.4)
        axes.plot(middle, laser.background, color=GREEN, lw=1, ls="--")
    says = f"R {laser.resolution:.2f}, chi2 {laser.chi2:.2f}" if good else laser.status.meaning
    _tidy(axes, "Phase (degree)", "Photons", f"{laser.wave:g} nm: {says}")


def _panels(number: int, wide: float = 3.0, high: float = 2.6) -> tuple[Any, list[Any]]:
    """A figure with panels side by side, three in a row."""
    columns = min(3, max(number, 1))
    rows = max(1, -(-number // columns))
    figure = new_figure(wide * columns, high * rows + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[number:]:
        axes.set_visible(False)
    return figure, list(grid[:number])


def _histogram(axes: Any, values: Array, label: str, color: str = BLUE) -> None:
    """Distribution with its median."""
    values = values[np.isfinite(values)]
    if not len(values):
        _nothing(axes, "nothing fitted")
        return
    low, high = np.percentile(values, CENTRAL)
    margin = 0.1 * (high - low) + 1e-9
    axes.hist(values, BINS, range=(low - margin, high + margin), color=color, alpha=0.7)
    middle = float(np.median(values))
    axes.axvline(middle, color=BLACK, lw=1)
    axes.text(0.97, 0.95, f"median {middle:.4g}\n{len(values)} values", ha="right", va="top", fontsize=7,
              transform=axes.transAxes)  # fmt: skip
    _tidy(axes, label, "Resonators")


def _per_laser(solution: WavelengthSolution, values: Array | None, label: str, title: str) -> Any:
    """Distributions of a value of each laser."""
    figure, axes = _panels(max(len(solution.lasers), 1))
    for k, panel in enumerate(axes):
        if values is None or k >= len(solution.lasers):
            _nothing(panel, "the solution does not keep this")
            continue
        _histogram(panel, values[solution.solved, k], label)
        panel.set_title(f"{solution.lasers[k]:g} nm", fontsize=9)
    figure.suptitle(title, fontsize=10)
    return figure


def resolution_histogram(solution: WavelengthSolution) -> Any:
    """Distribution of the resolving power at each laser."""
    values = None if solution.fits is None else solution.fits.resolution
    return _per_laser(solution, values, "Resolving power", f"{solution.name}: resolving power E / FWHM")


def center_histogram(solution: WavelengthSolution) -> Any:
    """Distribution of the Gaussian centers of each laser."""
    values = None if solution.fits is None else solution.fits.center
    return _per_laser(solution, values, "Center (degree)", f"{solution.name}: phase of the lasers")


def parameter_histograms(solution: WavelengthSolution) -> Any:
    """Distribution of the fit parameters of each laser."""
    lasers = max(len(solution.lasers), 1)
    figure = new_figure(2.7 * len(PARAMETERS), 1.9 * lasers + 0.4)
    grid = figure.subplots(lasers, len(PARAMETERS), squeeze=False)
    fits = solution.fits
    for k in range(lasers):
        for axes, name in zip(grid[k], PARAMETERS):
            if fits is None or k >= len(solution.lasers):
                _nothing(axes, "not kept")
                continue
            values = dict(zip(PARAMETERS, (fits.sigma, fits.center_error, fits.photons, fits.chi2)))[name]
            keep = fits.status[:, k] == HistogramStatus.GOOD
            _histogram(axes, values[keep, k].astype(np.float64), name)
            axes.set_ylabel(f"{solution.lasers[k]:g} nm", fontsize=9)
    figure.suptitle(f"{solution.name}: fit parameters", fontsize=10)
    return figure


def resolution_images(solution: WavelengthSolution) -> Any:
    """Image of the resolving power at each laser, and which pixels are solved."""
    fits = solution.fits
    figure, axes = _panels(1 + (0 if fits is None else len(solution.lasers)), 3.0, 4.0)
    draw_image(figure, axes[0], image_of(solution, solution.solved.astype(np.float64)), "solved", (0.0, 1.0))
    for k, panel in enumerate(axes[1:]):
        assert fits is not None
        image = image_of(solution, np.where(solution.solved, fits.resolution[:, k], np.nan))
        draw_image(figure, panel, image, f"R at {solution.lasers[k]:g} nm")
    figure.suptitle(f"{solution.name}: resolving power", fontsize=10)
    return figure


def draw_image(figure: Any, axes: Any, image: Array, title: str, limits: tuple[float, float] | None = None) -> None:
    """An image with its color bar."""
    seen = image[np.isfinite(image)]
    low, high = limits or (tuple(np.percentile(seen, CENTRAL)) if len(seen) else (0.0, 1.0))
    axes.set_facecolor(NO_VALUE)
    shown = axes.imshow(image, origin="lower", interpolation="nearest", cmap="viridis", vmin=low, vmax=max(high, low))
    figure.colorbar(shown, ax=axes, shrink=0.8).ax.tick_params(labelsize=7)
    _tidy(axes, "x (pixel)", "y (pixel)", title)


def resolution_by_frequency(solution: WavelengthSolution, frequency: Array) -> Any:
    """Median resolving power of each resonator against its frequency (Hz, NaN if unknown), with a running median."""
    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    power = np.full(len(solution.ids), np.nan)
    if solution.fits is not None:
        known = np.isfinite(solution.fits.resolution).any(axis=1)
        power[known] = np.nanmedian(solution.fits.resolution[known], axis=1)
    good = np.isfinite(power) & np.isfinite(frequency) & solution.solved
    if not good.any():
        _nothing(axes, "no resonator has a frequency and a resolving power")
        return figure
    order = np.argsort(frequency[good])
    x, y = frequency[good][order] / GIGA, power[good][order]
    axes.plot(x, y, ".", color=PALE, ms=3)
    half = min(RUNNING, len(x)) // 2
    middle = [float(np.median(y[max(0, i - half) : i + half + 1])) for i in range(len(y))]
    axes.plot(x, middle, color=VERMILION, lw=1.5, label="running median")
    axes.legend(fontsize=8)
    _tidy(axes, "Frequency (GHz)", "Median resolving power", f"{solution.name}: {len(x)} resonators")
    return figure


def wavecal_summary(solution: WavelengthSolution) -> Any:
    """One page of words and numbers."""
    figure = new_figure(8, 5.5)
    axes = figure.subplots()
    axes.axis("off")
    numbers = solution.summary()
    lines = [f"Wavelength solution {solution.name}", ""]
    lit = numbers["with_photons"]
    lines += [f"{'resonators':<42}{numbers['resonators']:>8}"]
    lines += [f"{'with photons':<42}{lit:>8}"] if lit is not None else []
    enough = numbers["with_two_histograms"]
    lines += [f"{'with photons enough in two lasers':<42}{enough:>8}"] if enough is not None else []
    share = f"  ({100 * numbers['solved'] / enough:.1f} % of those with photons enough)" if enough else ""
    lines += [f"{'solved':<42}{numbers['solved']:>8}{share}", ""]
    lines += [f"{name:<42}{count:>8}" for name, count in numbers["flags"].items()]
    lines += ["", f"{'laser (nm)':<14}{'fitted':>8}{'median R':>12}{'deviation':>12}{'median center':>16}"]
    found = solution.resolution()
    for k, wave in enumerate(solution.lasers.tolist()):
        fits = solution.fits
        if fits is None:
            continue
        fitted = int((fits.status[:, k] == HistogramStatus.GOOD).sum())
        center = fits.center[solution.solved, k]
        middle = float(np.median(center[np.isfinite(center)])) if np.isfinite(center).any() else np.nan
        lines.append(f"{wave:<14g}{fitted:>8}{found[k, 0]:>12.2f}{found[k, 1]:>12.2f}{middle:>16.2f}")
    lines += ["", *(f"from {name}" for name in solution.sources)]
    axes.text(0, 1, "\n".join(lines), family="monospace", fontsize=8, va="top", transform=axes.transAxes)
    return figure


def flat_pixel(curves: FlatCurves, counts: Array | None = None) -> Any:
    """Weights of one resonator with errors and the function that is used; photons per bin below."""
    figure = new_figure(7, 5 if counts is not None else 3.6)
    rows = figure.subplots(2 if counts is not None else 1, 1, squeeze=False, sharex=True)[:, 0]
    rows[0].plot(curves.fine, curves.used, color=BLUE, lw=1.2)
    rows[0].errorbar(curves.waves, curves.weights, yerr=curves.errors, fmt="o", color=BLACK, ms=4, lw=1)
    _tidy(rows[0], "Wavelength (nm)", "Weight", curves.title)
    if counts is not None:
        rows[1].plot(curves.waves, counts, "o-", color=PALE, ms=4)
        _tidy(rows[1], "Wavelength (nm)", "Photons")
    return figure


def flat_slices(flat: FlatSolution) -> Any:
    """Image of the weights in each bin."""
    chosen = _chosen(len(flat.waves))
    figure, axes = _panels(len(chosen), 3.0, 4.0)
    seen = flat.weights[np.isfinite(flat.weights)]
    low, high = (float(v) for v in np.percentile(seen, CENTRAL)) if len(seen) else (0.5, 2.0)
    for k, panel in zip(chosen, axes):
        draw_image(figure, panel, image_of(flat, flat.weights[:, k]), f"{flat.waves[k]:.0f} nm", (low, high))
    figure.suptitle(f"{flat.name}: weights", fontsize=10)
    return figure


def flat_mask_slices(flat: FlatSolution) -> Any:
    """Image of the pixels without a weight in each bin, and of the flags."""
    chosen = _chosen(len(flat.waves))
    figure, axes = _panels(len(chosen) + 1, 3.0, 4.0)
    for k, panel in zip(chosen, axes):
        missing = (~np.isfinite(flat.weights[:, k])).astype(np.float64)
        draw_image(figure, panel, image_of(flat, missing), f"no weight at {flat.waves[k]:.0f} nm", (0.0, 1.0))
    bad = ((flat.flags & np.uint32(FLAT_BIT["flatcal.bad"])) != 0).astype(np.float64)
    draw_image(figure, axes[-1], image_of(flat, bad), "flatcal.bad", (0.0, 1.0))
    figure.suptitle(f"{flat.name}: mask", fontsize=10)
    return figure


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


def flat_summary(flat: FlatSolution) -> Any:
    """Image of the mean weight, mean and deviation of the weights by wavelength, distribution of relative errors."""
    figure = new_figure(9, 7)
    panels = figure.subplots(2, 2).ravel()
    valid = np.isfinite(flat.weights)
    number = np.maximum(valid.sum(axis=1), 1)
    mean = np.where(valid.any(axis=1), np.where(valid, flat.weights, 0).sum(axis=1) / number, np.nan)
    if flat.grid is not None:
        seen = mean[np.isfinite(mean)]
        high = float(np.mean(seen) + np.std(seen)) if len(seen) else 1.0
        draw_image(figure, panels[0], image_of(flat, mean), "mean weight", (0.0, high))
    else:
        _nothing(panels[0], "the flat does not say where its resonators are")
    enough = valid.sum(axis=0) >= max(flat.usable.sum() * FEW_PIXELS, 1)
    by_wave: Callable[[Any], list[float]] = lambda what: [  # noqa: E731
        float(what(flat.weights[valid[:, k], k])) if enough[k] else np.nan for k in range(len(flat.waves))
    ]
    panels[1].errorbar(flat.waves, by_wave(np.median), fmt="o-", color=BLUE, ms=4, label="median")
    panels[1].plot(flat.waves, by_wave(np.std), "s--", color=VERMILION, ms=4, label="standard deviation")
    panels[1].legend(fontsize=8)
    _tidy(panels[1], "Wavelength (nm)", "Weight")
    relative = (flat.errors / flat.weights)[valid]
    _histogram(panels[2], relative, "Relative error of a weight")
    panels[2].set_ylabel("Weights", fontsize=9)
    usable = int(flat.usable.sum())
    lines = [f"Flat {flat.name} ({flat.source} light)", "", f"{usable} of {len(flat.ids)} resonators have weights",
             f"used by {flat.method}", "", *_bin_lines(flat), "",
             *(f"from {name}" for name in flat.sources)]  # fmt: skip
    panels[3].axis("off")
    panels[3].text(0, 1, "\n".join(lines), fontsize=9, va="top", transform=panels[3].transAxes)
    return figure

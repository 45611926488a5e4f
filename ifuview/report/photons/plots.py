"""Pages of the wavelength solutions of photon lists: energy, phase histograms, resolving powers.

Every function takes values and returns a matplotlib Figure; files are written by `save` and `save_pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import Figure, Scale
from ifuview.model.photons.calibration_curves import LaserCurves, WavecalCurves
from ifuview.model.photons.resonators import image_of
from ifuview.model.photons.wavelength_solution import HistogramStatus, WavelengthSolution
from ifuview.report.figures import VERMILION, draw_figure, label, nothing, ramp
from ifuview.report.photons import figures
from ifuview.report.words import PALE, legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Page

DPI = 110
LABEL = 9.0  # points
CENTRAL = (1.0, 99.0)  # percent inside the limits of an image
GIGA = 1e9
RUNNING = 41  # resonators of a running median
PARAMETERS = ("sigma (degree)", "error of center (degree)", "photons", "reduced chi2")


def new_figure(width: float = 8.0, height: float = 5.0) -> Page:
    """An empty figure."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")


def save(figure: Page, path: str) -> None:
    """Write a figure; the suffix of `path` says how."""
    kind = path.rsplit(".", 1)[-1].lower()
    if kind == "pdf":
        save_pages([figure], path)
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(legible(figure)).figure.savefig(path, format=kind)
    figure.set_layout_engine("none")  # it is laid out; to find the places again takes most of the time of a page


def save_pages(drawn: Sequence[Page], path: str) -> None:
    """Write figures as the pages of a PDF."""
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path) as pages:
        for figure in drawn:
            pages.savefig(legible(figure))


def tidy(axes: Axes, x: str, y: str, title: str = "") -> None:
    """Title and labels of the size of these pages."""
    label(axes, title, x, y, LABEL)
    axes.tick_params(labelsize=LABEL - 1)


def pixel_figure(curves: WavecalCurves) -> Page:
    """Energy solution and phase histograms of one resonator."""
    lasers = [laser for laser in curves.lasers if len(laser.counts)]
    columns = min(3, max(1, len(lasers)))
    rows = -(-len(lasers) // columns)
    figure = new_figure(9, 4 + 2.4 * rows)
    grid = figure.add_gridspec(1 + rows, 1, height_ratios=[4] + [2.4] * rows)
    nothing = Figure(x=Scale("Phase (°)"), y=Scale("Photon energy (eV)"), empty="no laser was fitted")
    draw_figure(figure.add_subplot(grid[0]), replace(figures.energy(curves) or nothing, title=""), size=LABEL)
    for row in range(rows):
        own = grid[1 + row].subgridspec(1, columns)
        for column, laser in enumerate(lasers[row * columns : (row + 1) * columns]):
            draw_figure(figure.add_subplot(own[column]), _laser(laser), size=LABEL)
    figure.suptitle(curves.title, fontsize=10, wrap=True)
    return figure


def _laser(laser: LaserCurves) -> Figure:
    """One phase histogram: a green model where it was accepted, red counts where not."""
    good = laser.status is HistogramStatus.GOOD
    says = f"R {laser.resolution:.2f}, chi2 {laser.chi2:.2f}" if good else laser.status.meaning
    drawn = figures.lasers((laser,), "faint" if good else "bad", f"{laser.wave:g} nm: {says}")
    return drawn or Figure(empty="the solution keeps no histogram")


def panels(number: int, wide: float = 3.0, high: float = 2.6) -> tuple[Page, list[Axes]]:
    """A figure with panels side by side, three in a row."""
    columns = min(3, max(number, 1))
    rows = max(1, -(-number // columns))
    figure = new_figure(wide * columns, high * rows + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[number:]:
        axes.set_visible(False)
    return figure, list(grid[:number])


def histogram(axes: Axes, values: Array, label: str, things: str = "Resonators") -> None:
    """Distribution with its median."""
    good = values[np.isfinite(values)]
    drawn = figures.distributions(good[:, None], ("median",), label, things)
    notes = (("text", f"median {np.median(good):.4g}"), ("text", f"{len(good)} values")) if len(good) else ()
    empty = Figure(x=Scale(label), y=Scale(things), empty="nothing fitted")
    draw_figure(axes, replace(drawn, rules=tuple(replace(r, label="") for r in drawn.rules), notes=notes)
                if drawn is not None else empty, size=LABEL)  # fmt: skip


def _per_laser(solution: WavelengthSolution, values: Array | None, label: str, title: str) -> Page:
    """Distributions of a value of each laser."""
    figure, axes = panels(max(len(solution.lasers), 1))
    for k, panel in enumerate(axes):
        if values is None or k >= len(solution.lasers):
            nothing(panel, "the solution does not keep this")
            continue
        histogram(panel, values[solution.solved, k], label)
        panel.set_title(f"{solution.lasers[k]:g} nm", fontsize=9)
    figure.suptitle(title, fontsize=10)
    return figure


def resolution_histogram(solution: WavelengthSolution) -> Page:
    """Distribution of the resolving power at each laser."""
    values = None if solution.fits is None else solution.fits.resolution
    return _per_laser(solution, values, "Resolving power", f"{solution.name}: resolving power E / FWHM")


def center_histogram(solution: WavelengthSolution) -> Page:
    """Distribution of the Gaussian centers of each laser."""
    values = None if solution.fits is None else solution.fits.center
    return _per_laser(solution, values, "Center (degree)", f"{solution.name}: phase of the lasers")


def parameter_histograms(solution: WavelengthSolution) -> Page:
    """Distribution of the fit parameters of each laser."""
    lasers = max(len(solution.lasers), 1)
    figure = new_figure(2.7 * len(PARAMETERS), 1.9 * lasers + 0.4)
    grid = figure.subplots(lasers, len(PARAMETERS), squeeze=False)
    fits = solution.fits
    for k in range(lasers):
        for axes, name in zip(grid[k], PARAMETERS):
            if fits is None or k >= len(solution.lasers):
                nothing(axes, "not kept")
                continue
            values = dict(zip(PARAMETERS, (fits.sigma, fits.center_error, fits.photons, fits.chi2)))[name]
            keep = fits.status[:, k] == HistogramStatus.GOOD
            histogram(axes, values[keep, k].astype(np.float64), name)
            axes.set_ylabel(f"{solution.lasers[k]:g} nm", fontsize=9)
    figure.suptitle(f"{solution.name}: fit parameters", fontsize=10)
    return figure


def resolution_images(solution: WavelengthSolution) -> Page:
    """Image of the resolving power at each laser, and which pixels are solved."""
    fits = solution.fits
    figure, axes = panels(1 + (0 if fits is None else len(solution.lasers)), 3.0, 4.0)
    draw_image(figure, axes[0], image_of(solution, solution.solved.astype(np.float64)), "solved", (0.0, 1.0))
    for k, panel in enumerate(axes[1:]):
        assert fits is not None
        image = image_of(solution, np.where(solution.solved, fits.resolution[:, k], np.nan))
        draw_image(figure, panel, image, f"R at {solution.lasers[k]:g} nm")
    figure.suptitle(f"{solution.name}: resolving power", fontsize=10)
    return figure


def draw_image(figure: Page, axes: Axes, image: Array, title: str, limits: tuple[float, float] | None = None) -> None:
    """An image with its color bar."""
    seen = image[np.isfinite(image)]
    low, high = limits or (tuple(np.percentile(seen, CENTRAL)) if len(seen) else (0.0, 1.0))
    shown = axes.imshow(image, origin="lower", interpolation="nearest", cmap=ramp("viridis"), vmin=low,
                        vmax=max(high, low))  # fmt: skip
    figure.colorbar(shown, ax=axes, shrink=0.8).ax.tick_params(labelsize=7)
    tidy(axes, "x (pixel)", "y (pixel)", title)


def resolution_by_frequency(solution: WavelengthSolution, frequency: Array) -> Page:
    """Median resolving power of each resonator against its frequency (Hz, NaN if unknown), with a running median."""
    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    power = np.full(len(solution.ids), np.nan)
    if solution.fits is not None:
        known = np.isfinite(solution.fits.resolution).any(axis=1)
        power[known] = np.nanmedian(solution.fits.resolution[known], axis=1)
    good = np.isfinite(power) & np.isfinite(frequency) & solution.solved
    if not good.any():
        nothing(axes, "no resonator has a frequency and a resolving power")
        return figure
    order = np.argsort(frequency[good])
    x, y = frequency[good][order] / GIGA, power[good][order]
    axes.plot(x, y, ".", color=PALE, ms=3)
    half = min(RUNNING, len(x)) // 2
    middle = [float(np.median(y[max(0, i - half) : i + half + 1])) for i in range(len(y))]
    axes.plot(x, middle, color=VERMILION, lw=1.5, label="running median")
    axes.legend(fontsize=8)
    tidy(axes, "Frequency (GHz)", "Median resolving power", f"{solution.name}: {len(x)} resonators")
    return figure


def wavecal_summary(solution: WavelengthSolution) -> Page:
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
        lines.append(f"{wave:<14g}{fitted:>8}{found.power[k]:>12.2f}{found.deviation[k]:>12.2f}{middle:>16.2f}")
    lines += ["", *(f"from {name}" for name in solution.sources)]
    axes.text(0, 1, "\n".join(lines), family="monospace", fontsize=8, va="top", transform=axes.transAxes)
    return figure

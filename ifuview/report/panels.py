"""The drawings of a report page: image with traces, cross-section, trace quality, spectrum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ifuview.model.checks import Array
from ifuview.model.figure import Figure
from ifuview.model.inspection import CrossSection, FiberInspection, FiberSpectrum
from ifuview.model.report import ImagePanel, ReportInput
from ifuview.report.figures import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    draw_figure,
    label,
    ramp,
)
from ifuview.report.traces.quality import figures
from ifuview.report.words import PALE, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

Transfer = Callable[[Array], Array]

OTHERS = (ORANGE, GREEN, PURPLE, SKY)
STYLES = ("--", "-.", ":", "--")
NO_VALUE = "#2a4d69"
CENTRAL = (0.1, 99.9)  # percent of the spectrum that is inside the axes before the margin
MARGIN = 0.12
MAX_OVERLAYS = 4
SMALLEST_RESIDUAL = 4.0  # sigma; half height of the residual panel at least
WINGS = 4.5  # sigma of the profile around the outermost fitted fibers
MASKED = "#b0b0b0"
LEGEND_ROOM = 0.3  # of the height of the cross-section


def draw_image(axes: Axes, bar: Axes, report: ReportInput) -> None:
    """The image with its limits, color bar and traces; the selected one stands out."""
    panel = report.image
    if panel is None:
        bar.set_visible(False)
        draw_figure(axes, Figure("Image", empty="no image"))
        return
    shown = axes.imshow(
        panel.data,
        origin="lower",
        extent=panel.extent,
        aspect="auto",
        interpolation="nearest",
        cmap=_color_map(panel),
        norm=_norm(panel),
    )
    axes.grid(False)
    for line in report.overlay:
        width, color = (2.4, VERMILION) if line.selected else (line.width, line.color)
        axes.plot(
            line.x, line.y, color=color, linewidth=width, alpha=1 if line.selected else 0.8, zorder=2 + line.selected
        )
    axes.set_xlim(panel.extent[:2])
    axes.set_ylim(panel.extent[2:])
    _mark_column(axes, report.inspection)
    label(axes, panel.title or "Image", panel.xlabel, panel.ylabel)
    if not panel.bar:
        bar.set_visible(False)
        return
    axes.figure.colorbar(shown, cax=bar, extend="both")
    bar.set_ylabel(plain(panel.unit or "counts"))


def draw_section(axes: Axes, residual: Axes | None, found: FiberInspection | None) -> None:
    """Counts across the fibers, the fitted profiles, and what is left of the counts in units of the error."""
    section = found.section if found else None
    if found is None or section is None:
        draw_figure(axes, Figure("Cross-section", empty="not measured"))
        return
    bottom = "" if section.model is not None else "cross-dispersion (px)"
    columns = f"column {section.column}" if section.ncolumns < 2 else f"median of {section.ncolumns} columns"
    label(
        axes, f"Cross-section of fiber {found.fiber_id}, {columns}", bottom, f"counts ({plain(section.unit or 'adu')})"
    )
    axes.tick_params(labelbottom=section.model is None)
    _draw_counts(axes, section)
    for component in section.components:
        own = component.fiber_id == found.fiber_id
        color, width = (VERMILION, 2.0) if own else (SKY, 1.3)
        name = f"fiber {plain(component.fiber_id)}" if own else None
        axes.plot(section.position, component.model, color=color, linewidth=width, label=name)
    if section.model is not None:
        fit = f"model, reduced chi2 {section.chi2:.2f}" if np.isfinite(section.chi2) else "model"
        axes.plot(section.position, section.model, color=BLUE, linewidth=1.6, linestyle="--", label=fit)
    if residual is not None:
        _draw_residual(residual, section)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + LEGEND_ROOM * (high - low))
    axes.legend(loc="upper right", ncols=3)


def draw_quality(axes: Axes, width: Axes, found: FiberInspection | None) -> None:
    """Measured center minus trace with error bars; the profile width below."""
    quality = found.quality if found else None
    if quality is None or not np.isfinite(quality.offset).any():
        width.set_visible(False)
        draw_figure(axes, Figure("Trace quality", empty="not measured: no trace, or no light in this fiber"))
        return
    drawn = figures(quality, "", "column (px)")
    title = f"Trace quality of fiber {quality.fiber_id}"
    draw_figure(axes, replace(drawn["Offset"], title=title, y=replace(drawn["Offset"].y, label="center - trace (px)")),
                place="upper right")  # fmt: skip
    axes.set_xlabel("")
    axes.tick_params(labelbottom=False)
    draw_figure(width, replace(drawn["Width"], title="", y=replace(drawn["Width"].y, label="width (px)")))


def draw_spectrum(axes: Axes, found: FiberInspection | None) -> None:
    """The spectrum with its error band, masked samples marked, other frames behind it."""
    if found is None or not found.spectra:
        draw_figure(axes, Figure("Spectrum", empty="not measured"))
        return
    first = found.spectra[0]
    along_wave = first.wave is not None and bool(np.isfinite(first.wave).any())
    x = _abscissa(first, along_wave)
    xlabel = "wavelength (Å)" if along_wave else "column (px)"
    label(axes, f"Spectrum of fiber {found.fiber_id} ({first.method})", xlabel, f"flux ({plain(first.unit or 'adu')})")
    for other, color, style in zip(found.spectra[1 : 1 + MAX_OVERLAYS], OTHERS, STYLES, strict=False):
        good = np.where(other.masked, np.nan, other.flux)
        if not along_wave or other.wave is not None:
            where = _abscissa(other, along_wave)
            axes.plot(where, good, color=color, linewidth=1, linestyle=style, label=_name(other, first))
    flux = np.where(first.masked, np.nan, np.asarray(first.flux, float))
    if first.error is not None:
        error = np.where(np.isfinite(first.error) & ~first.masked, first.error, np.nan)
        axes.fill_between(x, flux - error, flux + error, color=SKY, alpha=0.45, linewidth=0, label="1 sigma")
    axes.plot(x, flux, color=BLACK, linewidth=0.9, label=plain(first.label or "flux"))
    _spectrum_range(axes, flux)
    if first.masked.any():
        left_out = np.where(first.masked, first.flux, np.nan)
        axes.plot(x, left_out, color=MASKED, linewidth=0.9)
        if first.masked.all():
            _spectrum_range(axes, left_out)
        low = np.full(int(first.masked.sum()), 0.03)
        axes.plot(x[first.masked], low, "|", color=VERMILION, transform=axes.get_xaxis_transform(), label="masked")
    finite = x[np.isfinite(x)]
    if finite.size > 1:
        axes.set_xlim(finite.min(), finite.max())
    axes.legend(loc="upper right", ncols=3)


def _name(other: FiberSpectrum, first: FiberSpectrum) -> str:
    """Which frame a spectrum is from, with its unit where that is not the unit of the axis."""
    unit = "" if other.unit == first.unit else f" ({other.unit or 'no unit'})"
    return plain((other.label or other.method) + unit)


def _draw_counts(axes: Axes, section: CrossSection) -> None:
    """Measured counts, masked ones hollow, with the trace and the aperture."""
    good = ~section.masked
    error = None if section.error is None else np.where(np.isfinite(section.error), section.error, 0)[good]
    axes.errorbar(
        section.position[good], section.counts[good], yerr=error, fmt="o", markersize=4, color=BLACK, linewidth=1,
        label="counts",
    )  # fmt: skip
    if section.masked.any():
        axes.plot(section.position[~good], section.counts[~good], "x", color=PALE, markersize=6, label="masked")
    low, high = section.aperture
    if np.isfinite(low) and np.isfinite(high):
        axes.axvspan(low, high, color=ORANGE, alpha=0.18, linewidth=0, label="aperture")
    if np.isfinite(section.trace):
        axes.axvline(section.trace, color=VERMILION, linewidth=1.5, linestyle=":", label="trace")


def _draw_residual(axes: Axes, section: CrossSection) -> None:
    """Counts minus model over the error."""
    if section.model is None:
        axes.set_visible(False)
        return
    label(axes, "", "cross-dispersion (px)", "residual / error" if section.error is not None else "residual")
    axes.axhline(0, color=BLACK, linewidth=1)
    left = np.asarray(section.counts, float) - section.model
    if section.error is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            left = left / section.error
    left = np.where(section.masked | ~np.isfinite(left), np.nan, left)
    axes.plot(section.position, left, "o", markersize=4, color=BLACK)
    low, high = _fitted_range(section)
    judged = np.abs(left[(section.position >= low) & (section.position <= high)])
    bound = max(SMALLEST_RESIDUAL, 1.2 * float(np.nanmax(judged))) if np.isfinite(judged).any() else SMALLEST_RESIDUAL
    axes.set_ylim(-bound, bound)
    axes.set_xlim(low, high)


def _fitted_range(section: CrossSection) -> tuple[float, float]:
    """The pixels that the model is about: the fitted fibers and their wings."""
    edges = [e for c in section.components for e in (c.center - WINGS * c.sigma, c.center + WINGS * c.sigma)]
    inside = [e for e in edges if np.isfinite(e)] or [float(section.position[0]), float(section.position[-1])]
    return max(min(inside), float(section.position[0]) - 1), min(max(inside), float(section.position[-1]) + 1)


def _spectrum_range(axes: Axes, flux: Array) -> None:
    """A vertical range that keeps lines in view and lone bad samples out."""
    good = flux[np.isfinite(flux)]
    if good.size == 0:
        return
    low, high = np.percentile(good, CENTRAL)
    pad = MARGIN * (high - low) or abs(high) * MARGIN or 1.0
    axes.set_ylim(low - pad, high + 2 * pad)


def _abscissa(spectrum: FiberSpectrum, along_wave: bool) -> Array:
    """Wavelength or column of the samples."""
    return np.asarray(spectrum.wave if along_wave and spectrum.wave is not None else spectrum.pixel, float)


def _mark_column(axes: Axes, found: FiberInspection | None) -> None:
    """Show which fiber the page is about."""
    if found is not None:
        text = f"fiber {plain(found.fiber_id)}"
        box = {"facecolor": "white", "alpha": 0.85, "edgecolor": VERMILION}
        axes.text(0.012, 0.975, text, transform=axes.transAxes, va="top", color=VERMILION, weight="bold", bbox=box)


def _color_map(panel: ImagePanel) -> Colormap:
    """The color ramp, with a color of its own for pixels without a value."""
    from matplotlib.colors import ListedColormap

    if panel.colors is None:
        return ramp(panel.cmap, NO_VALUE)
    shown = ListedColormap(np.asarray(panel.colors, float)[:, :3] / 255, name="panel")
    return shown.with_extremes(bad=NO_VALUE)


def _norm(panel: ImagePanel) -> Normalize:
    """Limits and transfer; equalization is shown linear, as it depends on the pixels in view."""
    from matplotlib.colors import FuncNorm, Normalize

    lo, hi = (panel.lo, panel.hi) if panel.lo < panel.hi else (panel.lo - 0.5, panel.lo + 0.5)
    e, span = panel.exponent, hi - lo
    pairs: dict[str, tuple[Transfer, Transfer]] = {
        "log": (lambda t: np.log1p(e * t) / np.log1p(e), lambda u: np.expm1(u * np.log1p(e)) / e),
        "pow": (lambda t: (e**t - 1) / (e - 1), lambda u: np.log1p(u * (e - 1)) / np.log(e)),
        "sqrt": (np.sqrt, np.square),
        "squared": (np.square, np.sqrt),
        "asinh": (lambda t: np.arcsinh(10 * t) / np.arcsinh(10), lambda u: np.sinh(u * np.arcsinh(10)) / 10),
        "sinh": (lambda t: np.sinh(3 * t) / np.sinh(3), lambda u: np.arcsinh(u * np.sinh(3)) / 3),
    }
    if panel.transfer not in pairs:
        return Normalize(lo, hi, clip=True)
    there, back = pairs[panel.transfer]

    def forward(value: ArrayLike) -> Array:
        return there(np.clip((np.asarray(value, float) - lo) / span, 0, 1))

    def inverse(value: ArrayLike) -> Array:
        return lo + span * back(np.clip(np.asarray(value, float), 0, 1))

    return FuncNorm((forward, inverse), lo, hi, clip=True)

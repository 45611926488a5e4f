"""The drawings of a report page: image with traces, cross-section, trace quality, spectrum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.inspection import CrossSection, FiberInspection, FiberSpectrum, TraceQuality
from ifuview.model.report import ImagePanel, ReportInput
from ifuview.report.words import plain

# Okabe and Ito's colors, told apart by all kinds of color vision
BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
PALE = "#666666"
OTHERS = (ORANGE, GREEN, PURPLE, SKY)
STYLES = ("--", "-.", ":", "--")
MATPLOTLIB_MAPS = {"grey": "gray", "heat": "afmhot", "rainbow": "turbo", "sls": "nipy_spectral", "cool": "cool"}
NO_VALUE = "#2a4d69"
CENTRAL = (0.1, 99.9)  # percent of the spectrum that is inside the axes before the margin
MARGIN = 0.12
MAX_OVERLAYS = 4
SMALLEST_RESIDUAL = 4.0  # sigma; half height of the residual panel at least
WINGS = 4.5  # sigma of the profile around the outermost fitted fibers
MASKED = "#b0b0b0"
LEGEND_ROOM = 0.3  # of the height of the cross-section


def draw_image(axes: Any, bar: Any, report: ReportInput) -> None:
    """The image with its limits, color bar and traces; the selected one stands out."""
    panel = report.image
    if panel is None:
        bar.set_visible(False)
        _empty(axes, "Image", "no image")
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
    _label(axes, panel.title or "Image", panel.xlabel, panel.ylabel)
    if not panel.bar:
        bar.set_visible(False)
        return
    axes.figure.colorbar(shown, cax=bar, extend="both")
    bar.set_ylabel(plain(panel.unit or "counts"))


def draw_section(axes: Any, residual: Any, found: FiberInspection | None) -> None:
    """Counts across the fibers, the fitted profiles, and what is left of the counts in units of the error."""
    section = found.section if found else None
    if found is None or section is None:
        residual.set_visible(False)
        _empty(axes, "Cross-section", "not measured")
        return
    bottom = "" if section.model is not None else "cross-dispersion (px)"
    columns = f"column {section.column}" if section.ncolumns < 2 else f"median of {section.ncolumns} columns"
    _label(
        axes, f"Cross-section of fiber {found.fiber_id}, {columns}", bottom, f"counts ({plain(section.unit or 'adu')})"
    )
    axes.tick_params(labelbottom=section.model is None)
    _draw_counts(axes, section)
    for component in section.components:
        own = component.fiber_id == found.fiber_id
        color, width = (VERMILION, 2.0) if own else (SKY, 1.3)
        label = f"fiber {plain(component.fiber_id)}" if own else None
        axes.plot(section.position, component.model, color=color, linewidth=width, label=label)
    if section.model is not None:
        fit = f"model, reduced chi2 {section.chi2:.2f}" if np.isfinite(section.chi2) else "model"
        axes.plot(section.position, section.model, color=BLUE, linewidth=1.6, linestyle="--", label=fit)
    _draw_residual(residual, section)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + LEGEND_ROOM * (high - low))
    axes.legend(loc="upper right", ncols=3)


def draw_quality(axes: Any, width: Any, found: FiberInspection | None) -> None:
    """Measured center minus trace with error bars; the profile width below."""
    quality = found.quality if found else None
    if quality is None or not np.isfinite(quality.offset).any():
        width.set_visible(False)
        _empty(axes, "Trace quality", "not measured: no trace, or no light in this fiber")
        return
    _label(axes, f"Trace quality of fiber {quality.fiber_id}", "", "center - trace (px)")
    axes.tick_params(labelbottom=False)
    axes.axhline(0, color=BLACK, linewidth=1)
    _draw_mean(axes, quality)
    _points(axes, quality.column, quality.offset, quality.offset_err)
    _robust_range(axes, quality.offset, quality.offset_err)
    axes.legend(loc="upper right")
    _label(width, "", "column (px)", "width (px)")
    _points(width, quality.column, quality.sigma, quality.sigma_err)
    _robust_range(width, quality.sigma, quality.sigma_err)


def draw_spectrum(axes: Any, found: FiberInspection | None) -> None:
    """The spectrum with its error band, masked samples marked, other frames behind it."""
    if found is None or not found.spectra:
        _empty(axes, "Spectrum", "not measured")
        return
    first = found.spectra[0]
    along_wave = first.wave is not None and bool(np.isfinite(first.wave).any())
    x = _abscissa(first, along_wave)
    xlabel = "wavelength (Å)" if along_wave else "column (px)"
    _label(axes, f"Spectrum of fiber {found.fiber_id} ({first.method})", xlabel, f"flux ({plain(first.unit or 'adu')})")
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


def _draw_counts(axes: Any, section: CrossSection) -> None:
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


def _draw_residual(axes: Any, section: CrossSection) -> None:
    """Counts minus model over the error."""
    if section.model is None:
        axes.set_visible(False)
        return
    _label(axes, "", "cross-dispersion (px)", "residual / error" if section.error is not None else "residual")
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


def _draw_mean(axes: Any, quality: TraceQuality) -> None:
    """Mean offset with its error, if it was measured."""
    mean, error = quality.mean_offset, quality.mean_offset_err
    if np.isfinite(mean) and np.isfinite(error):
        label = f"mean {1000 * mean:+.1f} ± {1000 * error:.1f} mpx"
        axes.axhspan(mean - error, mean + error, color=ORANGE, alpha=0.3, linewidth=0, label=label)
    if np.isfinite(quality.floor):
        axes.axhspan(-quality.floor, quality.floor, color=SKY, alpha=0.2, linewidth=0, label="noise floor of one bin")


def _points(axes: Any, x: Array, y: Array, error: Array) -> None:
    """Points with error bars."""
    bars = np.where(np.isfinite(error), error, 0)
    axes.errorbar(x, y, yerr=bars, fmt="o", markersize=4, color=BLACK, ecolor=PALE, linewidth=1, capsize=2)


def _robust_range(axes: Any, y: Array, error: Array) -> None:
    """A vertical range that single bad points do not stretch beyond use."""
    good = np.isfinite(y) & np.isfinite(error)
    if not good.any():
        return
    low, high = np.percentile(y[good], (2, 98))
    pad = 4 * float(np.median(error[good])) + 0.25 * (high - low) + 1e-6
    axes.set_ylim(min(low - pad, axes.get_ylim()[1]), high + pad)


def _spectrum_range(axes: Any, flux: Array) -> None:
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


def _mark_column(axes: Any, found: FiberInspection | None) -> None:
    """Show which fiber the page is about."""
    if found is not None:
        text = f"fiber {plain(found.fiber_id)}"
        box = {"facecolor": "white", "alpha": 0.85, "edgecolor": VERMILION}
        axes.text(0.012, 0.975, text, transform=axes.transAxes, va="top", color=VERMILION, weight="bold", bbox=box)


def _color_map(panel: ImagePanel) -> Any:
    """The color ramp, with a color of its own for pixels without a value."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    if panel.colors is not None:
        ramp: Any = ListedColormap(np.asarray(panel.colors, float)[:, :3] / 255, name="panel")
    else:
        name = MATPLOTLIB_MAPS.get(panel.cmap, panel.cmap)
        known = matplotlib.colormaps
        ramp = known[name if name in known else "gray"]
    return ramp.with_extremes(bad=NO_VALUE)


def _norm(panel: ImagePanel) -> Any:
    """Limits and transfer; equalization is shown linear, as it depends on the pixels in view."""
    from matplotlib.colors import FuncNorm, Normalize

    lo, hi = (panel.lo, panel.hi) if panel.lo < panel.hi else (panel.lo - 0.5, panel.lo + 0.5)
    e, span = panel.exponent, hi - lo
    pairs: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
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

    def forward(value: Any) -> Any:
        return there(np.clip((np.asarray(value, float) - lo) / span, 0, 1))

    def inverse(value: Any) -> Any:
        return lo + span * back(np.clip(np.asarray(value, float), 0, 1))

    return FuncNorm((forward, inverse), lo, hi, clip=True)


def _label(axes: Any, title: str, xlabel: str, ylabel: str) -> None:
    """Title and axis labels."""
    axes.set_title(plain(title))
    axes.set_xlabel(plain(xlabel))
    axes.set_ylabel(plain(ylabel))


def _empty(axes: Any, title: str, reason: str) -> None:
    """A panel that says why it is empty."""
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, reason, transform=axes.transAxes, ha="center", va="center", color=PALE)

"""The drawings of a report page: image with traces, cross-section, trace quality, spectrum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ifuview.model.checks import Array
from ifuview.model.figure import Figure, Scale
from ifuview.model.frames.report import ImagePanel, PageAxes, ReportInput
from ifuview.model.frames.units import unit_words
from ifuview.model.inspection import FiberInspection, FiberSpectrum
from ifuview.report.figures import (
    VERMILION,
    draw_figure,
    label,
    ramp,
)
from ifuview.report.spectra.section import residual_figure, section_figure
from ifuview.report.spectra.spectrum import WIDE, spectra_figure
from ifuview.report.traces.quality import figures
from ifuview.report.words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

Transfer = Callable[[Array], Array]

NO_VALUE = "#2a4d69"
MAX_OVERLAYS = 4
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
    axes.locator_params(integer=True)
    if panel.square:
        axes.set_aspect("equal", anchor="NE")
    _mark_column(axes, report.inspection)
    label(axes, panel.title or "Image", panel.xlabel, panel.ylabel)
    if not panel.bar:
        bar.set_visible(False)
        return
    axes.apply_aspect()
    place, own = axes.get_position(), bar.get_position()
    bar.set_position((own.x0, place.y0, own.width, place.height))  # as high as the image
    axes.figure.colorbar(shown, cax=bar, extend="both")
    bar.set_ylabel(plain(unit_words(panel.unit) or "counts"))


def draw_section(axes: Axes, residual: Axes | None, found: FiberInspection | None, words: PageAxes) -> None:
    """Counts across the fibers, the fitted profiles, and what is left of the counts in units of the error."""
    section = found.section if found else None
    if found is None or section is None:
        draw_figure(axes, Figure("Cross-section", empty="not measured"))
        return
    place = words.place or f"column {section.column}"
    many = f", median of {section.ncolumns}" if section.ncolumns > 1 else ""
    title = f"Cross-section of fiber {found.fiber_id}, {place}{many}"
    below = residual_figure(section, words.across)
    counts = section_figure(
        section, words.across if below is None else "", f"counts ({unit_words(section.unit) or 'adu'})", title
    )
    draw_figure(axes, counts, place="upper right")
    axes.tick_params(labelbottom=below is None)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + LEGEND_ROOM * (high - low))
    if residual is not None and below is not None:
        draw_figure(residual, below)


def draw_quality(axes: Axes, width: Axes, found: FiberInspection | None, words: PageAxes) -> None:
    """Measured center minus trace with error bars; the profile width below."""
    quality = found.quality if found else None
    if quality is None or not np.isfinite(quality.offset).any():
        width.set_visible(False)
        draw_figure(axes, Figure("Trace quality", empty="not measured: no trace, or no light in this fiber"))
        return
    drawn = figures(quality, "", words.along)
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
    others = [one for one in found.spectra[1 : 1 + MAX_OVERLAYS] if not along_wave or one.wave is not None]
    shown = (first, *others)
    x = _abscissa(first, along_wave)
    known = x[np.isfinite(x)]
    span = (float(known.min()), float(known.max())) if known.size > 1 else None
    figure = spectra_figure(
        shown, [_abscissa(one, along_wave) for one in shown],
        Scale("wavelength (Å)" if along_wave else "column (px)", span), f"flux ({unit_words(first.unit) or 'adu'})",
        names=[first.label or "flux", *(_name(other, first) for other in others)],
        title=f"Spectrum of fiber {found.fiber_id} ({first.method})", central=WIDE,
    )  # fmt: skip
    draw_figure(axes, figure, place="upper right")


def _name(other: FiberSpectrum, first: FiberSpectrum) -> str:
    """Which frame a spectrum is from, with its unit where that is not the unit of the axis."""
    unit = "" if other.unit == first.unit else f" ({unit_words(other.unit) or 'no unit'})"
    return (other.label or other.method) + unit


def _abscissa(spectrum: FiberSpectrum, along_wave: bool) -> Array:
    """Wavelength or column of the samples."""
    return np.asarray(spectrum.wave if along_wave and spectrum.wave is not None else spectrum.pixel, float)


def _mark_column(axes: Axes, found: FiberInspection | None) -> None:
    """Show which fiber the page is about."""
    if found is not None and found.fiber_id:
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

"""Counts across the fibers: live under the cursor, and fitted at the place of the last click."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames.views.sampling import across, canonical_at, fiber_at, fiber_name, wavelength_at
from ifuview.app.frames.views.text import across_axis, along, axis, number, quantity
from ifuview.app.session import Session, Slot
from ifuview.model.figure import DOTTED, Curve, Figure, Rule, Scale
from ifuview.model.image import Kind
from ifuview.model.inspection import CrossSection
from ifuview.report.spectra.section import ends, filed, residual_figure, section_figure, step_curve, trace_rule

HALF_WIDTH = 30  # px on each side of the cursor that the live cut shows
SPECTRA_HALF_WIDTH = 60  # rows on each side for row-stacked spectra
HINT = "Move the pointer over the image to see the counts across the fibers; click a fiber to see its profile fit."


@dataclass(frozen=True, slots=True, eq=False)
class CrossSectionView:
    """The cross-section of the last click.

    Parameters
    ----------
    key : int
        Slot on the canvas.
    section : CrossSection or None
        None: nothing was clicked yet.
    columns : int
        Width of the running median that new sections take.
    title, summary : str
        Which fiber and column; what the fit found.
    hint : str
        What to do when there is no section.
    figure, residual : Figure or None
        Counts with the fit; what is left of them, None without a fit.
    """

    key: int
    section: CrossSection | None
    columns: int
    title: str
    summary: str
    hint: str
    figure: Figure | None = None
    residual: Figure | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CrossSectionHover:
    """The raw cut under the cursor: by itself, in words, and as it lies behind a held section."""

    figure: Figure
    ghost: Curve
    text: str


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    return (session.inspection, session.section_columns, session.current, None if slot is None else slot.image)


def make(session: Session) -> CrossSectionView | None:
    """The view of the last inspection, or a hint what to do; None where the image has no cross-section."""
    slot = session.slot()
    if slot is None or slot.image.kind in (Kind.CUBE, Kind.SPECTRUM):
        return None
    inspection = session.inspection
    owner = None if inspection is None else session.slot(inspection.slot)
    section = inspection.section if inspection is not None and owner is not None else None
    shown = owner if owner is not None and section is not None else slot
    drawn = None if section is None else filed(section, shown.image.orientation.words(shown.image.shape))
    return CrossSectionView(
        key=slot.key,
        section=section,
        columns=session.section_columns,
        title=_title(shown, inspection.fiber_id, section) if inspection is not None and section is not None else "",
        summary="" if drawn is None else _summary(drawn),
        hint=HINT,
        figure=None if drawn is None else _fitted(shown, drawn),
        residual=None if drawn is None else residual_figure(drawn, _xlabel(shown)),
    )


def _fitted(slot: Slot, section: CrossSection) -> Figure:
    """The fitted section; where its residual stands below, the pixels are named there."""
    xlabel = _xlabel(slot) if section.model is None else ""
    return section_figure(section, xlabel, axis(_quantity(slot), section.unit or slot.image.unit))


def hover(session: Session, key: int, x: float, y: float) -> CrossSectionHover | None:
    """The raw cut across the fibers through a native position; None outside the image or for a cube."""
    slot = session.slot(key)
    if slot is None or slot.image.kind in (Kind.CUBE, Kind.SPECTRUM):
        return None
    at = canonical_at(slot, x, y)
    if at is None:
        return None
    cross, column = at
    half = SPECTRA_HALF_WIDTH if slot.image.kind is Kind.RSS else HALF_WIDTH
    lo = max(cross - half, 0)
    counts = across(slot, column, lo, cross + half + 1, session.section_columns)
    row = fiber_at(slot, cross, column)
    trace = float("nan")
    if slot.traces is not None and row is not None and slot.image.kind is not Kind.RSS:
        trace = float(slot.traces.center[row, min(column, slot.traces.ncol - 1)])
    own = slot.image.orientation.words(slot.image.shape)
    position = np.arange(lo, lo + counts.size, dtype=np.float64)
    here = filed(CrossSection(position, counts, None, np.zeros(counts.size, bool), column, trace=trace), own)
    position, counts = here.position, here.counts
    figure = Figure(
        "", Scale(_xlabel(slot), ends(position)), Scale(axis(_quantity(slot), slot.image.unit)),
        (step_curve(position, counts, "text"),), (*trace_rule(here.trace), Rule(own.place(cross), stroke=DOTTED)),
    )  # fmt: skip
    text = _place(slot, fiber_name(slot, row), column, wavelength_at(slot, row, column))
    return CrossSectionHover(figure, step_curve(position, counts, "faint"), text)


def with_ghost(view: CrossSectionView, hover: CrossSectionHover | None) -> Figure:
    """The held section, with the cut under the cursor behind it."""
    figure = view.figure or Figure()
    return figure if hover is None else replace(figure, curves=(*figure.curves, hover.ghost))


def _place(slot: Slot, fiber: str, column: int, wave: float | None) -> str:
    """Fiber, place along it and wavelength in words."""
    parts = [f"fiber {fiber}"] if fiber else []
    parts.append(along(slot.image, column))
    if wave is not None and np.isfinite(wave):
        parts.append(f"{wave:.1f} Å")
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def _title(slot: Slot, fiber: str, section: CrossSection) -> str:
    """Where the section was taken."""
    text = _place(slot, fiber, section.column, None)
    if section.ncolumns > 1:
        text += f" (median of {section.ncolumns})"
    return f"{text} of {slot.title}"


def _summary(section: CrossSection) -> str:
    """What the fit of the clicked fiber found."""
    if not section.components:
        return "" if section.model is None else f"χ² = {number(section.chi2, 3)}"
    trace = section.trace
    where = trace if np.isfinite(trace) else float(np.mean(section.aperture))
    fiber = min(section.components, key=lambda c: abs(c.center - where))
    parts = []
    if np.isfinite(trace):
        parts.append(f"center − trace = {fiber.center - trace:+.3f}{_plus_minus(fiber.center_err)} px")
    parts += [f"σ = {quantity(fiber.sigma, 'px', 3)}", f"flux = {number(fiber.flux)}{_plus_minus(fiber.flux_err)}"]
    parts.append(f"χ² = {number(section.chi2, 3)}")
    return ", ".join(parts)


def _plus_minus(error: float) -> str:
    """The error behind its value; nothing when it is not known."""
    return f" ± {number(error, 2)}" if np.isfinite(error) else ""


def _quantity(slot: Slot) -> str:
    """Name of what is measured."""
    return "Flux" if slot.image.kind is Kind.RSS else "Counts"


def _xlabel(slot: Slot) -> str:
    """Name of the axis across the fibers."""
    if slot.image.kind is Kind.RSS:
        return "Fiber (row)"
    return across_axis(slot.image)

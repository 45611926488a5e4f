"""The report of a session as plain values: picture, overlay, the inspected fiber, verdicts, facts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import colors
from ifuview.app.frames.views.overlay import CACHE
from ifuview.app.frames.views.raster import build_pyramid, gather
from ifuview.app.frames.views.text import across_axis, along, along_axis
from ifuview.app.frames.views.viewport import fit_view
from ifuview.app.night.judging import triage_can_ask
from ifuview.app.reporting.verdicts import verdict_lines
from ifuview.app.session import Session, Slot, usual_aspect
from ifuview.model.figure import Figure
from ifuview.model.frames.report import ImagePanel, PageAxes, Polyline, ReportInput
from ifuview.model.image import Kind
from ifuview.model.inspection import FiberInspection
from ifuview.report.spectra.section import filed

PICTURE = (1400, 900)  # px, at most
MOST_CURVES = 120  # curves that can still be told apart on the page
SELECTED = "#FFFFFF"
DARK_ENOUGH = 115  # of 255; mean of red, green and blue of text on paper
HEADER_KEYS = (
    "OBJECT", "INSTRUME", "CAMERA", "NIGHT", "EXPID", "TILEID", "FLAVOR", "OBSTYPE", "PROGRAM", "EXPTIME", "DATE-OBS",
    "MJD-OBS", "AIRMASS", "BUNIT",
)  # fmt: skip
PACKAGES = ("ifuview", "numpy", "scipy", "astropy", "numba", "matplotlib", "PyQt6")


def report_input(session: Session) -> ReportInput:
    """Everything that the page of a session shows; the session must have a current frame."""
    slot = session.slot()
    assert slot is not None
    found = session.inspection
    axes = _axes(slot, found)
    fiber = f", fiber {found.fiber_id}" if found is not None and found.fiber_id else ""
    report = ReportInput(
        title=f"{slot.title}{fiber}",
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        image=image_panel(slot),
        overlay=polylines(session, slot),
        inspection=_filed(found, slot),
        verdicts=verdict_lines(session, slot),
        facts=facts(found, axes.place),
        evidence=_evidence(session, slot),
        axes=axes,
        files=_files(session),
        header=_header(slot),
        versions=_versions(),
        notes=slot.dataset.notes + ((found.note,) if found is not None and found.note else ()),
    )
    if slot.photons is None:
        return report
    from ifuview.app.photons.views.light_report import with_plots

    return _with_photons(with_plots(report, session), slot)


def _filed(found: FiberInspection | None, slot: Slot) -> FiberInspection | None:
    """What was measured, with the cross-section as the file counts its pixels."""
    if found is None or found.section is None:
        return found
    return replace(found, section=filed(found.section, slot.image.orientation.words(slot.image.shape)))


def _axes(slot: Slot, found: FiberInspection | None) -> PageAxes:
    """Words for the axes of the image, which are rows or columns as its fibers run."""
    image, section = slot.image, None if found is None else found.section
    if image.kind is Kind.RSS:
        place = "" if section is None else f"wavelength pixel {section.column}"
        return PageAxes(place, "wavelength pixel", "fiber (row)")
    name = along_axis(image)
    turned = image.orientation.flip_disp  # plots count along the canonical axis
    label = "along the fibers (px)" if turned else name[0].lower() + name[1:]
    across = across_axis(image)
    return PageAxes("" if section is None else along(image, section.column), label, across[0].lower() + across[1:])


def _with_photons(report: ReportInput, slot: Slot) -> ReportInput:
    """What was counted, in words; for the image of the flags their legend in place of a color bar."""
    from ifuview.app.photons.state import Shown
    from ifuview.app.photons.views.photons import headline, rows

    frame = slot.photons
    assert frame is not None
    report = replace(report, notes=(headline(frame), *report.notes))
    if frame.shown is not Shown.FLAGS or report.image is None:
        return report
    legend = tuple((_ink(row.color), f"{row.name}: {row.count}") for row in rows(frame.source.info.beammap, ()))
    return replace(report, image=replace(report.image, bar=False), selections=(*report.selections, *legend))


def _ink(color: str) -> str:
    """A color dark enough for text on paper."""
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    light = max(sum(parts) / (3 * DARK_ENOUGH), 1.0)
    return "#" + "".join(f"{round(part / light):02x}" for part in parts)


def image_panel(slot: Slot) -> ImagePanel:
    """The whole image, reduced to the size of the page as the canvas would reduce it, native axes."""
    pixels = slot.image.pixels.plane(slot.plane)
    ny, nx = slot.image.shape
    near = nx < 4 * ny and ny < 4 * nx
    aspect = 1.0 if near else PICTURE[1] * nx / (PICTURE[0] * ny)
    view = fit_view((ny, nx), PICTURE, ViewState(aspect=aspect))
    pyramid = slot.pyramid or build_pyramid(pixels, slot.look.reduction)
    tile = gather(pixels, pyramid, view, PICTURE, reduction=slot.look.reduction)
    assert tile is not None
    lo, hi = slot.look.lo, slot.look.hi
    ramp = colors.ramp(slot.look.cmap, np.linspace(0, 1, 256))
    return ImagePanel(
        tile.values[::-1],
        (-0.5, nx - 0.5, -0.5, ny - 0.5),
        0.0 if lo is None else lo,
        1.0 if hi is None else hi,
        transfer=slot.look.transfer.value,
        exponent=slot.look.exponent,
        colors=np.round(255 * (ramp[::-1] if slot.look.invert else ramp)).astype(np.uint8),
        unit=slot.image.unit,
        title=slot.title,
        square=near and usual_aspect(slot.image, slot.dataset.kind) == 1.0,
        xlabel="wavelength pixel" if slot.image.kind is Kind.RSS else "x (px, first = 0)",
        ylabel="fiber" if slot.image.kind is Kind.RSS else "y (px, first = 0)",
    )


def polylines(session: Session, slot: Slot) -> tuple[Polyline, ...]:
    """Traces over the image: thinned to what a page can show, the selected fiber and its neighbors always there."""
    view = CACHE.view(session, replace(slot))
    if view.curves is None:
        return _row_line(session, slot)
    n = view.curves.x.shape[0]
    chosen = session.selection.fiber
    rows = set(range(0, n, max(1, -(-n // MOST_CURVES))))
    if chosen is not None:
        rows |= set(range(max(0, chosen - 2), min(n, chosen + 3)))
    out = []
    for row in sorted(rows):
        color = f"#{int(view.color[row]):06x}" if view.color is not None else "#56B4E9"
        out.append(Polyline(view.curves.x[row], view.curves.y[row], color, row == chosen))
    return tuple(out)


def _row_line(session: Session, slot: Slot) -> tuple[Polyline, ...]:
    """The selected row of row-stacked spectra."""
    fiber = session.selection.fiber
    if slot.image.kind is not Kind.RSS or fiber is None:
        return ()
    width = slot.image.shape[1]
    return (Polyline(np.array([0.0, width - 1.0]), np.array([fiber, fiber], float), SELECTED, True),)


def _evidence(session: Session, slot: Slot) -> Figure | None:
    """What shows the worst of what was found among photons, in the selected fiber, or in the frame without one."""
    if slot.photons is not None:
        from ifuview.app.photons.views.problems import shown

        return shown(slot.photons)
    if not triage_can_ask(slot):
        return None
    from ifuview.app.night import of_fiber

    return of_fiber.evidence(session.triage, slot.dataset.path, session.selection.fiber)


def facts(found: FiberInspection | None, place: str) -> tuple[str, ...]:
    """Numbers of a fiber that are no judgement; `place`: where its cross-section lies."""
    if found is None:
        return ()
    out = []
    section = found.section
    if section is not None and np.isfinite(section.chi2):
        out.append(f"Reduced chi2 of the fitted profiles at {place}: {section.chi2:.2f}.")
    for spectrum in found.spectra[:4]:
        share = float(np.mean(spectrum.masked)) if spectrum.masked.size else 0.0
        out.append(f"{spectrum.label}: {spectrum.method}, {100 * share:.1f} % of the samples are masked.")
    return tuple(out)


def _files(session: Session) -> tuple[str, ...]:
    """Files that went in: of frames, of the amplifiers of raw ones, and of traces."""
    names = [Path(s.dataset.path).name for s in session.slots if s.dataset.path]
    for slot in session.slots:
        names += _amplifier_files(session, slot)
    names += [s.traces.name for s in session.slots if s.traces is not None and Path(s.traces.name).suffix]
    return tuple(dict.fromkeys(names))


def _amplifier_files(session: Session, slot: Slot) -> list[str]:
    """The files of the detector that a raw frame shows."""
    now = None if session.night is None else session.night.shown.get(slot.key)
    raw = None if session.night is None or now is None else session.night.index.raw_exposure(now.expid)
    if raw is None or now is None:
        return []
    return [Path(one.path).name for one in raw.amplifiers if one.camera == now.camera]


def _header(slot: Slot) -> tuple[tuple[str, str], ...]:
    known = ((k, card_words(slot.image.header.get(k, ""))) for k in HEADER_KEYS)
    return tuple((k, words) for k, words in known if words)


def card_words(value: object) -> str:
    """A header value in words; a series in time, which photon lists have, as its span."""
    values = value.get("values") if isinstance(value, Mapping) else None
    if not values:
        return str(value).strip()
    ends = tuple(dict.fromkeys(str(v) for v in (values[0], values[-1])))
    return " to ".join(ends)


def _versions() -> tuple[tuple[str, str], ...]:
    from ifuview import __version__

    out = [("ifuview", __version__)]
    for name in PACKAGES[1:]:
        try:
            out.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(out)

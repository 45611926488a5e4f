"""The spectrum of the selected fiber in this frame and in the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ifuview.app.frames import joined
from ifuview.app.frames.views.sampling import canonical_at, wavelength_at
from ifuview.app.session import Session, Slot
from ifuview.app.spectra import gathered
from ifuview.app.spectra.rows import arms, row_spectrum, spaxel_spectrum
from ifuview.app.spectra.views.best_fit import LABEL, alone, best_fits
from ifuview.app.spectra.views.field import more_arms
from ifuview.engine.context import JobContext
from ifuview.instrument import words
from ifuview.model.checks import Array
from ifuview.model.image import Kind
from ifuview.model.inspection import FiberSpectrum
from ifuview.model.orientation import Orientation
from ifuview.model.region import Region
from ifuview.model.trace import TraceSet

HOVER_BYTES = 64 * 2**20  # cubes above this are read by a job at a click, not under the cursor
STACKED = 12  # selected fibers that are drawn above each other at first
MOST_STACKED = 100
LINES = {"galaxy": "galaxy", "qso": "galaxy", "star": "stellar"}  # line list of what an object is


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumView:
    """Spectra of one fiber or spaxel.

    Parameters
    ----------
    key : int
        Slot on the canvas.
    spectra : tuple of FiberSpectrum
        The one of the frame on the canvas first.
    title, hint : str
    track : ndarray or None
        Cross-dispersion pixel of the fiber at each dispersion pixel of the canvas; None when a click cannot be placed.
    orientation, native
        How to go from there to native pixels.
    wave : ndarray or None
        Wavelength of each dispersion pixel of the first spectrum, Angstrom.
    extraction : str
        "optimal" or "boxcar" if a spectrum is extracted live from a detector image, else "".
    group : tuple of int
        Number of the fiber that each spectrum belongs to when several are stacked; () for one fiber.
    redshift : float or None
        Of the selected fiber, from a joined table.
    window : (float, float) or None
        Wavelength window of the focal plane, Angstrom.
    medium, lines : str
        Air or vacuum of the wavelengths, and the line list that suits what the object is; "" if that is not known.
    chosen : tuple of (Slot, int)
        Frames and rows of all selected fibers, when several are stacked.
    start : int
        Number of the first of them that is drawn.
    gather : str
        How a region or several fibers become one spectrum ("sum", "mean", "median"; "each": they do not); "" where
        there is nothing to gather.
    lead : tuple of int or None
        Of a cube: the plane above its wavelengths, so that a click can show another one.
    pending : bool
        The spectrum is on its way.
    maps, more_arms : bool
        Whether images of a range can be made; other arms of the same fibers are in the night, and not open.
    whole : bool
        The frame is this one spectrum: its image shows nothing more.
    """

    key: int
    spectra: tuple[FiberSpectrum, ...] = ()
    title: str = ""
    hint: str = ""
    track: Array | None = None
    orientation: Orientation = field(default_factory=Orientation)
    native: tuple[int, int] = (0, 0)
    wave: Array | None = None
    extraction: str = ""
    group: tuple[int, ...] = ()
    redshift: float | None = None
    window: tuple[float, float] | None = None
    medium: str = ""
    lines: str = ""
    chosen: tuple[tuple[Slot, int], ...] = ()
    start: int = 0
    gather: str = ""
    lead: tuple[int, ...] | None = None
    pending: bool = False
    maps: bool = False
    more_arms: bool = False
    whole: bool = False


_last: list[tuple[tuple[object, ...], SpectrumView | None]] = []  # what was asked for last, and the answer


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumHover:
    """Dispersion pixel and wavelength under the cursor; the row or spaxel there when it is quick to read."""

    pixel: float
    wave: float | None
    preview: FiberSpectrum | None = None


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = gathered.spectral_now(session)
    place = (session.selection.x, session.selection.y) if slot is not None and slot.image.kind is Kind.CUBE else None
    image = None if slot is None else slot.image
    more = (session.selection.fibers, session.selection.elsewhere, session.tables, session.window, session.models,
            session.gathered, session.gather, session.region)  # fmt: skip
    return (session.inspection, session.current, image, None if slot is None else slot.traces, place, *more)


def make(session: Session) -> SpectrumView | None:
    """The spectra of the inspected fiber, of several, or of a one-dimensional image; None when no image is open.

    While a window is dragged nothing else changes: the spectra of the last view are kept.
    """
    asked = (session.slots, session.current, session.inspection, session.selection, session.tables, session.models,
             session.extraction, session.gathered, session.gather, session.region)  # fmt: skip
    if not _last or any(a is not b for a, b in zip(_last[0][0], asked)):
        _last[:] = [(asked, _made(session))]
    view = _last[0][1]
    return None if view is None else replace(view, window=session.window)


def _made(session: Session) -> SpectrumView | None:
    """The view without the window."""
    view, slot = _spectra(session), gathered.spectral_now(session)
    if view is None or slot is None or not view.spectra:
        return view
    fiber = session.selection.fiber
    known = _joined(session, slot, fiber, "redshift")[1] if fiber is not None and session.tables else None
    redshift = float(known) if isinstance(known, float) and np.isfinite(known) else None
    view = replace(
        view, redshift=redshift, medium=slot.image.medium, maps=gathered.has_maps(slot), more_arms=more_arms(session)
    )
    if fiber is None:
        return view
    about = "" if redshift is None else _about(session, slot, fiber, redshift)
    kind = str(_joined(session, slot, fiber, "class")[1] or "").strip().lower() if session.tables else ""
    fits = () if view.group else best_fits(session, slot, fiber)
    return replace(view, title=f"{view.title}{about}", lines=LINES.get(kind, ""), spectra=(*view.spectra, *fits))


def _about(session: Session, slot: Slot, fiber: int, redshift: float) -> str:
    """What the redshifts say about a fiber."""
    kind, warning = (_joined(session, slot, fiber, name) for name in ("class", "warning"))
    flag = f", {warning[0]} {warning[1]}" if warning[0] else ""
    return f" – best fit {str(kind[1] or '').strip()} z {redshift:.4f}{flag}"


def _joined(session: Session, slot: Slot, fiber: int, meaning: str) -> tuple[str, object]:
    """What the tables say of a fiber: column and value; "" and None if nothing."""
    found = ((name, joined.value(session, slot, fiber, name)) for name in words(meaning))
    return next((pair for pair in found if pair[1] is not None), ("", None))


def _spectra(session: Session) -> SpectrumView | None:
    """The spectra alone."""
    slot = gathered.spectral_now(session)
    if slot is None:
        return None
    image, found = slot.image, session.gathered
    asked = gathered.subject(session)
    if asked is not None and asked[0] == slot.key:
        if found is None or found.asked != asked:
            return SpectrumView(slot.key, hint="The spectrum is being summed.", gather=session.gather, pending=True)
        return gathered_view(slot, found.spectra, found.title, session.gather)
    if image.kind is Kind.SPECTRUM:
        first, *beside = alone(slot)
        track = np.zeros(first.pixel.size)
        return SpectrumView(
            slot.key, (first, *beside), slot.title, "", track, image.orientation, image.shape, first.wave, whole=True
        )
    if image.kind is Kind.RSS and (len(session.selection.fibers) > 1 or session.selection.elsewhere):
        return _stacked(session, slot)
    inspection = session.inspection
    owner = None if inspection is None else session.slot(inspection.slot)
    if inspection is not None and owner is not None and inspection.spectra:
        named = "Spaxel" if owner.image.kind is Kind.CUBE else "Fiber"
        return SpectrumView(
            slot.key,
            inspection.spectra,
            f"{named} {inspection.fiber_id} of {owner.title}",
            inspection.note,
            _track(slot, inspection.fiber),
            image.orientation,
            image.shape,
            inspection.spectra[0].wave,
            session.extraction if any(s.method != "row" for s in inspection.spectra) else "",
            lead=_lead(owner),
        )
    if image.kind is Kind.CUBE and _quick(slot):
        spectrum_at = spaxel_spectrum(slot, session.selection.x, session.selection.y)
        if spectrum_at is not None:
            title = f"Spaxel {spectrum_at.fiber_id} of {slot.title}"
            return SpectrumView(slot.key, (spectrum_at,), title, wave=spectrum_at.wave, lead=_lead(slot))
    what = "spaxel" if image.kind is Kind.CUBE else "fiber"
    note = inspection.note if inspection is not None and owner is not None else ""
    return SpectrumView(slot.key, hint=note or f"Click a {what} to see its spectrum.")


def gathered_view(slot: Slot, spectra: tuple[FiberSpectrum, ...], title: str, how: str) -> SpectrumView:
    """The spectrum of a region or of several fibers together."""
    return SpectrumView(slot.key, spectra, title, wave=spectra[0].wave, gather=how, lead=_lead(slot))


def region_job(session: Session, key: int, region: Region) -> Callable[[JobContext], SpectrumView | None] | None:
    """The work for the spectrum of a region in the hand; None where a region has no spectrum."""
    slot = session.slot(key)
    slot = None if slot is None else gathered.spectral(session, slot)
    if slot is None or not gathered.has_spectrum(slot, region):
        return None

    def run(ctx: JobContext) -> SpectrumView | None:
        found = gathered.live_spectrum(slot, region, session.gather, ctx)
        return None if found is None else gathered_view(slot, found.spectra, found.title, session.gather)

    return run


def _lead(slot: Slot) -> tuple[int, ...] | None:
    """The plane that is shown of a cube, without its wavelength."""
    return tuple(slot.plane[:-1]) if slot.image.kind is Kind.CUBE else None


def _stacked(session: Session, slot: Slot) -> SpectrumView:
    """The spectra of several fibers of one frame."""
    return page(SpectrumView(slot.key, orientation=slot.image.orientation, native=slot.image.shape,
                             chosen=gathered.chosen_fibers(session), gather=gathered.EACH))  # fmt: skip


def page(view: SpectrumView, start: int = 0, count: int = STACKED) -> SpectrumView:
    """The view of a stack with `count` of its fibers, from number `start` on."""
    start = max(0, min(start, len(view.chosen) - 1))
    shown = view.chosen[start : start + min(count, MOST_STACKED)]
    parts = [(number, s) for number, (slot, fiber) in enumerate(shown) for s in arms(slot, fiber)]
    here = bool(shown) and shown[0][0].key == view.key
    frames = dict.fromkeys(slot.title for slot, _ in view.chosen)
    last = f" to {start + len(shown)}" if len(shown) > 1 else ""
    return replace(
        view,
        spectra=tuple(s for _, s in parts),
        title=f"Fibers {start + 1}{last} of {len(view.chosen)} selected in {', '.join(frames)}" if shown else "",
        hint="" if parts else "None of the selected fibers is in this frame.",
        track=_track(shown[0][0], shown[0][1]) if here else None,
        wave=parts[0][1].wave if parts else None,
        group=tuple(number for number, _ in parts),
        start=start,
    )


def same_but_window(a: SpectrumView, b: SpectrumView) -> bool:
    """Whether two views are of the same spectra, so that at most the window is another one."""
    return bool(b.spectra) and a.spectra is b.spectra and a.title == b.title


def owner(spectra: tuple[FiberSpectrum, ...], wave: float) -> FiberSpectrum | None:
    """The spectrum whose arm or frame has a wavelength that the first one, that of the canvas, has not; None if none.

    Of a wavelength in a gap between the arms nothing is said.
    """
    own = [(s, s.wave) for s in spectra if s.wave is not None and s.label != LABEL and s.wave.size]
    covering = [s for s, along in own if float(np.nanmin(along)) <= wave <= float(np.nanmax(along))]
    if not covering or any(s is spectra[0] for s in covering):
        return None
    return next((s for s in covering if s.label == spectra[0].label), covering[0])


def hover(session: Session, key: int, x: float, y: float) -> SpectrumHover | None:
    """Position along the spectrum under the cursor, with the row or spaxel there; None outside the image."""
    slot = session.slot(key)
    if slot is None:
        return None
    slot = gathered.spectral(session, slot)
    if slot.image.kind is Kind.CUBE:
        pixel = float(slot.plane[-1]) if slot.plane else 0.0
        wave = slot.image.wave
        at = float(wave[int(pixel)]) if wave is not None and wave.ndim == 1 else None
        return SpectrumHover(pixel, at, spaxel_spectrum(slot, x, y) if _quick(slot) else None)
    place = canonical_at(slot, x, y)
    if place is None:
        return None
    cross, disp = place
    if slot.image.kind is Kind.RSS:
        preview = row_spectrum(slot, cross, quick=True) if session.selection.fiber is None else None
        return SpectrumHover(float(disp), wavelength_at(slot, cross, disp), preview)
    return SpectrumHover(float(disp), wavelength_at(slot, session.selection.fiber, disp))


def hover_job(session: Session, key: int, x: float, y: float) -> Callable[[object], SpectrumHover] | None:
    """The work for the spaxel under the cursor of a cube too large to be read at each mouse move; None if none."""
    slot = session.slot(key)
    slot = None if slot is None else gathered.spectral(session, slot)
    if slot is None or slot.image.kind is not Kind.CUBE or _quick(slot):
        return None
    place = hover(session, key, x, y)
    return None if place is None else lambda _ctx: replace(place, preview=spaxel_spectrum(slot, x, y))


def pixel_of(view: SpectrumView, x: float, by_wave: bool) -> float:
    """Dispersion pixel of an abscissa of the first spectrum."""
    wave = view.wave
    if not by_wave or wave is None or not view.spectra:
        return x
    order = np.argsort(wave)
    return float(np.interp(x, wave[order], view.spectra[0].pixel[order]))


def plane_at(view: SpectrumView, x: float, by_wave: bool) -> tuple[int, tuple[int, ...]]:
    """Frame and plane of a cube at an abscissa of its spectrum."""
    return view.key, (*(view.lead or ()), round(pixel_of(view, x, by_wave)))


def native_point(view: SpectrumView, pixel: float) -> tuple[float, float] | None:
    """Native image position of a dispersion pixel of the fiber; None when the canvas shows something else."""
    if view.track is None or view.track.size == 0:
        return None
    column = min(max(round(pixel), 0), view.track.size - 1)
    cross = float(view.track[column])
    if not np.isfinite(cross):
        return None
    x, y = view.orientation.to_native(cross, column, view.native)
    return float(x), float(y)


def _track(slot: Slot, fiber: int) -> Array | None:
    """Cross-dispersion pixel of a fiber along the canvas image."""
    ncross, ndisp = slot.image.orientation.shape(slot.image.shape)
    if slot.image.kind is Kind.RSS:
        return np.full(ndisp, float(fiber)) if 0 <= fiber < ncross else None
    traces: TraceSet | None = slot.traces
    if slot.image.kind is Kind.CUBE or traces is None or not 0 <= fiber < traces.nfiber:
        return None
    return traces.center[fiber]


def _quick(slot: Slot) -> bool:
    """Whether one spaxel of a cube can be read under the cursor."""
    return slot.image.pixels.raw.nbytes <= HOVER_BYTES

"""What the worker does for a click on a fiber: cut the band around it, measure, gather its spectra in all frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.selection import on_fiber, pixel_of_wavelength
from ifuview.app.frames.views.overlay import names
from ifuview.app.frames.views.sampling import across, canonical_at, fiber_name, wavelength_at
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.gathered import spectral_now
from ifuview.app.spectra.rows import arms, row_spectrum, spaxel_spectrum
from ifuview.app.traces.limits import limits_for
from ifuview.engine.context import JobContext
from ifuview.model.checks import Array
from ifuview.model.image import Image, Kind
from ifuview.model.inspection import CrossSection, FiberInspection, FiberSpectrum, TraceQuality
from ifuview.model.pixels import Pixels
from ifuview.model.trace import TraceSet

SECTION_HALF_WIDTH = 30  # px on each side of the cursor without traces; rows of row-stacked spectra
MOST_SPECTRA = 6  # frames that the spectrum dock overlays


def inspect_selection(session: Session, ctx: JobContext) -> FiberInspection | None:
    """Measure the selected fiber of a session; None if there is nothing to measure."""
    slot = spectral_now(session)
    if slot is None:
        return None
    fiber = session.selection.fiber
    traced = traced_slot(session) if fiber is not None else None
    section: CrossSection | None = None
    quality: TraceQuality | None = None
    spectra: list[FiberSpectrum] = []
    if traced is not None and fiber is not None and fiber < traced_count(traced):
        column = column_on(traced, session, fiber)
        section, spectrum, quality = measure(traced, fiber, column, session, ctx)
        spectra.append(spectrum)
    if slot is not traced and (found := plain_section(slot, session)) is not None:
        section = found
    alike = {s.title: n for n, s in enumerate(arms_beside(session, slot))}
    spectra = sorted((*rows(session, fiber), *spectra), key=lambda s: alike.get(s.label, len(alike)))
    if slot.image.kind is Kind.CUBE:
        spaxel = spaxel_spectrum(slot, session.selection.x, session.selection.y)
        spectra = [spaxel] if spaxel is not None else []
    return FiberInspection(
        slot.key,
        -1 if fiber is None else fiber,
        fiber_name(slot, fiber) if fiber is not None else "",
        -1 if section is None else section.column,
        section,
        tuple(spectra[:MOST_SPECTRA]),
        quality,
    )


def traced_slot(session: Session) -> Slot | None:
    """The current frame if it is a detector image with traces, else the first such frame of the same camera."""
    slot = session.slot()
    assert slot is not None
    fitting = [
        s
        for s in session.slots
        if s.traces is not None
        and s.image.kind in (Kind.DETECTOR, Kind.IMAGE)
        and (s.image.camera == slot.image.camera or not slot.image.camera)
    ]
    return slot if slot in fitting else next(iter(fitting), None)


def traced_count(slot: Slot) -> int:
    """Number of traces of a frame that has them."""
    assert slot.traces is not None
    return slot.traces.nfiber


def column_on(traced: Slot, session: Session, fiber: int) -> int:
    """Dispersion pixel on the detector image that the selection means: the same pixel, or the same wavelength."""
    slot = session.slot()
    traces = traced.traces
    assert slot is not None and traces is not None
    here = canonical_at(slot, session.selection.x, session.selection.y)
    if here is None:
        return traces.ncol // 2
    if slot is traced or slot.image.shape == traced.image.shape:
        return here[1]
    wave = wavelength_at(slot, fiber, here[1])
    column = None if wave is None else pixel_of_wavelength(traced, fiber, wave)
    return traces.ncol // 2 if column is None else column


def measure(
    slot: Slot, fiber: int, column: int, session: Session, ctx: JobContext
) -> tuple[CrossSection, FiberSpectrum, TraceQuality]:
    """Cross-section, extracted spectrum and trace quality of one fiber of a detector image."""
    from ifuview.engine.spectra.inspect import Band, band_rows, inspect_fiber

    image, traces = slot.image, slot.traces
    assert traces is not None
    ctx.checkpoint(0.05, f"Fiber {traces.fiber_id[fiber]}")
    lo, hi = band_rows(traces, fiber, image.orientation.shape(image.shape)[0])
    pixels = image.pixels.plane(slot.plane)
    ivar = None if image.ivar is None else image.ivar.physical(cut(image, image.ivar.plane(slot.plane), lo, hi))
    mask = None if image.mask is None else cut(image, image.mask.plane(slot.plane), lo, hi)
    return inspect_fiber(
        Band(
            pixels.physical(cut(image, pixels, lo, hi)),
            lo,
            ivar,
            mask,
            image.gain,
            image.readnoise,
            image.orientation.words(image.shape),
        ),
        named(slot, traces),
        fiber,
        column=column,
        ncolumns=session.section_columns,
        method=session.extraction,
        limits=limits_for(image.header, session.doctor_limits),
        quality=judged(slot, fiber),
        unit=image.unit,
        label=slot.title,
        ctx=ctx,
    )


def judged(slot: Slot, fiber: int) -> TraceQuality | None:
    """What the doctor said of a fiber; None if it has not judged the traces that the frame has now."""
    found, evidence = slot.diagnosis, slot.evidence
    if found is None or evidence is None or found.given is not slot.traces:
        return None
    from ifuview.engine.traces.doctor.one import fiber_quality

    return fiber_quality(found, fiber, evidence.fit.noise.source)


def named(slot: Slot, traces: TraceSet) -> TraceSet:
    """The traces with the fiber numbers that the frame's own fiber table gives."""
    return replace(traces, fiber_id=names(slot, traces))


def cut(image: Image, plane: Pixels, lo: int, hi: int) -> Array:
    """Canonical rows lo..hi-1 of a native plane, as stored, C-contiguous."""
    return np.ascontiguousarray(image.orientation.to_canonical(plane.raw)[lo:hi])


def rows(session: Session, fiber: int | None) -> list[FiberSpectrum]:
    """The spectrum of one fiber in every frame of row-stacked spectra that has it."""
    out = []
    here = session.slot()
    for slot in session.slots:
        if slot.image.kind is Kind.SPECTRUM:
            out.append(row_spectrum(slot, 0))
        elif slot.image.kind is Kind.RSS and fiber is not None:
            row = row_in(slot, here, fiber)
            if row is not None and row < slot.image.shape[0]:
                out.extend(arms(slot, row))
    return out


def arms_beside(session: Session, slot: Slot) -> tuple[Slot, ...]:
    """The frame, then the open frames of the same product, exposure and fibers in other arms: they are seen first."""
    from ifuview.app.spectra.views import field

    return next((group for group in field.members(session) if slot in group), (slot,))


def row_in(slot: Slot, here: Slot | None, fiber: int) -> int | None:
    """Row in a frame of a fiber of the frame `here`: that of the same number; the same row where no number is known."""
    if here is None or slot is here:
        return fiber
    mine, theirs = (s.image.fibermap or s.dataset.fibermap for s in (slot, here))
    if mine is None or theirs is None or fiber >= theirs.nfiber or mine.fiber_id == theirs.fiber_id:
        return fiber
    name = theirs.fiber_id[fiber]
    return mine.fiber_id.index(name) if name in mine.fiber_id else None


def plain_section(slot: Slot, session: Session) -> CrossSection | None:
    """Counts across the fibers, or across the rows of an image without traces, at the crosshair."""
    x, y = session.selection.x, session.selection.y
    if (x is None or y is None) and session.selection.fiber is not None:
        x, y = on_fiber(slot, session.selection.fiber, None, None)
    here = canonical_at(slot, x, y)
    if here is None:
        return None
    cross, disp = here
    size = slot.image.orientation.shape(slot.image.shape)[0]
    lo, hi = max(0, cross - SECTION_HALF_WIDTH), min(size, cross + SECTION_HALF_WIDTH + 1)
    counts = across(slot, disp, lo, hi, session.section_columns)
    return CrossSection(
        np.arange(lo, hi, dtype=float), counts, None, ~np.isfinite(counts), disp, session.section_columns,
        unit=slot.image.unit,
    )  # fmt: skip


def warm_up(ctx: JobContext) -> None:
    """Load the compiled kernels that a click needs, with a tiny image."""
    from ifuview.engine.spectra.inspect import Band, inspect_fiber

    rng = np.random.default_rng(0)
    center = np.repeat(np.array([[8.0], [16.0], [24.0]]), 64, axis=1)
    rows_ = np.arange(32.0)[:, None]
    light = sum(100 * np.exp(-0.5 * (rows_ - c) ** 2) for c in (8.0, 16.0, 24.0))
    data = (light + rng.normal(0, 3, (32, 64))).astype(np.float32)
    inspect_fiber(Band(data, gain=1.0, readnoise=3.0), TraceSet(np.arange(3), center), 1, ctx=ctx)

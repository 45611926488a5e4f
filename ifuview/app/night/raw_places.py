"""Where the fibers of a raw exposure lie and at which wavelengths: from the twilight and the arcs of its night."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from ifuview.app.frames.fibers import drawable
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night.raw import detector_image
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Task, slot_of
from ifuview.engine.context import JobContext
from ifuview.engine.night.calibrations import calibrations
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.instrument import instrument
from ifuview.instrument.tables import tables_for
from ifuview.io.night.raw_index import date_folder, index_night
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.night.raw import DETECTOR, RawExposure
from ifuview.model.trace import TraceSet
from ifuview.recipes.fiber_places import ElectronImage, fiber_places

LIT = ("twi", "flt")  # kinds of exposures in which all fibers have light, the better first
ARC = "cmp"


def find_places(index: ExposureIndex, expid: int, camera: str, ctx: JobContext) -> tuple[TraceSet, tuple[str, ...]]:
    """Return the traces of a detector with their wavelengths, and what is worth knowing of them.

    Parameters
    ----------
    index : ExposureIndex
        Of a raw night.
    expid : int
    camera : str

    Raises
    ------
    MissingDataError
        There is no twilight and no flat, or the rows of the fibers are not known.
    FitError
        The light does not fit the rows.
    """
    one = index.raw_exposure(expid)
    if one is None or not one.of(camera):
        raise MissingDataError(f"there is no amplifier of {camera}", str(expid))
    spec = instrument(index.chain.instrument)
    raw, unit = spec.raw, one.of(camera)[0].unit
    assert raw is not None
    detector = raw.detector(unit[1], one.of(camera)[0].name)
    assert detector is not None
    every, night_folder = index.raw_night.exposures if index.raw_night else (), date_folder(one)
    if night_folder and not any(e.kind in LIT for e in every):  # one observation of a night was opened
        every += index_night(night_folder, spec.name, ctx.part(0.0, 0.1)).exposures
    tables = tables_for(spec.name, "", index.folder, os.path.dirname(night_folder))
    rows = [tables.rows(unit, name, one.date) for name in detector.amplifiers]

    def near(kind: str, objects: Sequence[str] = ()) -> tuple[RawExposure, ...]:
        window = raw.windows.get(kind, 0)
        found = calibrations(every, kind, camera, one.date, window=window, swaps=raw.swaps, unit=unit, objects=objects)
        return found.exposures

    lit = next((found for kind in LIT if (found := near(kind))), ())
    if not lit:
        raise MissingDataError(f"no twilight and no flat of {camera} is known", str(one.date), "open the whole night")
    nearest = min(lit, key=lambda e: abs(e.date - one.date))
    flat, noise = _electrons(nearest, camera, spec, ctx.part(0.0, 0.1))
    arcs = [_electrons(e, camera, spec, ctx.part(0.1, 0.3))[0] for e in near(ARC, raw.lamps.get(camera, ()))]
    described = spec.camera(camera)
    grid = (0.0, 0.0) if described is None else (described.wave_min, described.wave_max)
    traces, notes = fiber_places(flat, noise, rows, arcs, tables.lines(camera), grid, ctx.part(0.3, 1.0))
    return traces, tuple(f"{camera} of {one.date}: {text}" for text in notes)


def _electrons(
    exposure: RawExposure, camera: str, spec: InstrumentSpec, ctx: JobContext
) -> tuple[ElectronImage, float]:
    """Electrons of a detector with their variance, NaN where of no use, and the read noise."""
    image = detector_image(exposure.of(camera), camera, spec, [], ctx)
    ivar = np.ones(image.shape, np.float32) if image.ivar is None else image.ivar.native()
    known = ivar > 0
    variance = np.where(known, 1 / np.where(known, ivar, 1), np.nan).astype(np.float32)
    data = np.where(known, image.pixels.native(), np.nan).astype(np.float32)
    return ElectronImage(data, variance), image.readnoise or 1.0


@dataclass(frozen=True, kw_only=True)
class FindPlaces(OfFrame, Task[tuple[TraceSet, tuple[str, ...]] | str]):
    """Fibers and wavelengths of a raw detector picture; a sentence where they cannot be known."""

    kind: ClassVar[JobKind] = JobKind.DETECTOR
    quiet: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> tuple[TraceSet, tuple[str, ...]] | str:
        """Find them, once for all exposures that share them."""
        slot, night = slot_of(session, self.frame), session.night
        place = None if night is None else night.shown.get(self.frame)
        if night is None or place is None:
            return ""
        known = night.places.get(_key(night.index, place.expid, place.camera))
        try:
            found = (known, ()) if known is not None else find_places(night.index, place.expid, place.camera, ctx)
        except (IfuviewError, OSError) as problem:
            return f"{slot.title}: fibers and wavelengths are not known: {problem}"
        return drawable(found[0], slot.image), found[1]

    def apply(self, session: Session, result: tuple[TraceSet, tuple[str, ...]] | str) -> Session:
        """Keep them with the frame, and for the other exposures of the detector."""
        now, night = session.slot(self.frame), session.night
        if isinstance(result, str):
            return note(session, result) if result else session
        place = None if night is None else night.shown.get(self.frame)
        if now is None or night is None or place is None or now.traces is not None:
            return session
        places = {**night.places, _key(night.index, place.expid, place.camera): result[0]}
        session = replace(session, night=replace(night, places=MappingProxyType(places)))
        for text in result[1]:
            session = note(session, text)
        return session.with_slot(replace(now, traces=result[0]))


def _key(index: ExposureIndex, expid: int, camera: str) -> tuple[int, str]:
    """By what traces and wavelengths are shared: the night and the detector."""
    one = index.raw_exposure(expid)
    return 0 if one is None else one.date, camera


def wants_places(session: Session, slot: Slot) -> bool:
    """Whether a frame shows a detector of a raw night whose fibers are not known yet."""
    night = session.night
    place = None if night is None else night.shown.get(slot.key)
    if night is None or place is None or place.other or slot.traces is not None or session.headless:
        return False
    return place.product == DETECTOR and night.index.raw_exposure(place.expid) is not None

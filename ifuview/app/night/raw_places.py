"""Where the fibers of a raw exposure lie and at which wavelengths: from the twilight and the arcs of its night."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ifuview.app.frames.fibers import drawable
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night.raw import detector_image, head_cameras
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Task, slot_of
from ifuview.engine.context import JobContext
from ifuview.engine.night.calibrations import calibrations
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.instrument import instrument
from ifuview.instrument.tables import tables_for
from ifuview.io.night.raw_index import date_folder, index_night
from ifuview.model.checks import Array
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.night.raw import DETECTOR, HEAD, RawExposure
from ifuview.model.trace import Provenance, TraceSet

if TYPE_CHECKING:
    from ifuview.recipes.fiber_places import ElectronImage

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
    from ifuview.recipes.fiber_places import fiber_places  # kernels: not before the first picture

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
        raise MissingDataError(
            f"no twilight and no flat of {camera} is known", str(one.date), "open a folder that has one"
        )
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
    from ifuview.recipes.fiber_places import ElectronImage

    image = detector_image(exposure.of(camera), camera, spec, [], ctx)
    ivar = np.ones(image.shape, np.float32) if image.ivar is None else image.ivar.native()
    known = ivar > 0
    variance = np.where(known, 1 / np.where(known, ivar, 1), np.nan).astype(np.float32)
    data = np.where(known, image.pixels.native(), np.nan).astype(np.float32)
    return ElectronImage(data, variance), image.readnoise or 1.0


@dataclass(frozen=True, slots=True, eq=False)
class FoundPlaces:
    """Fibers and wavelengths of a picture, those of each of its detectors, and what is worth knowing of them."""

    traces: TraceSet
    own: Mapping[str, TraceSet]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FindPlaces(OfFrame, Task[FoundPlaces | str]):
    """Fibers and wavelengths of a raw detector picture, or of a whole head; a sentence where they cannot be known."""

    kind: ClassVar[JobKind] = JobKind.DETECTOR
    quiet: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> FoundPlaces | str:
        """Find them, once for all exposures that share them."""
        slot, night = slot_of(session, self.frame), session.night
        place = None if night is None else night.shown.get(self.frame)
        exposure = None if night is None or place is None else night.index.find(place.expid)
        if night is None or place is None or exposure is None:
            return ""
        cameras = head_cameras(exposure.parts, place.camera) if place.product == HEAD else (place.camera,)
        own: dict[str, TraceSet] = {}
        notes: tuple[str, ...] = ()
        for n, camera in enumerate(cameras):
            known = night.places.get(_key(night.index, place.expid, camera))
            part = ctx.part(n / len(cameras), (n + 1) / len(cameras))
            try:
                own[camera], said = (known, ()) if known else find_places(night.index, place.expid, camera, part)
            except (IfuviewError, OSError) as problem:
                said = (f"{slot.title}: fibers and wavelengths of {camera} are not known: {problem}",)
            notes += said
        if not own:
            return " ".join(notes)
        high = slot.image.shape[0] // len(cameras)
        whole = stacked([(own[camera], n * high) for n, camera in enumerate(cameras) if camera in own])
        return FoundPlaces(drawable(whole, slot.image), own, notes)

    def apply(self, session: Session, result: FoundPlaces | str) -> Session:
        """Keep them with the frame, and for the other exposures of the detector."""
        now, night = session.slot(self.frame), session.night
        if isinstance(result, str):
            return note(session, result) if result else session
        place = None if night is None else night.shown.get(self.frame)
        if now is None or night is None or place is None or now.traces is not None:
            return session
        more = {_key(night.index, place.expid, camera): traces for camera, traces in result.own.items()}
        session = replace(session, night=replace(night, places=MappingProxyType({**night.places, **more})))
        for text in result.notes:
            session = note(session, text)
        return session.with_slot(replace(now, traces=result.traces))


def stacked(parts: Sequence[tuple[TraceSet, int]]) -> TraceSet:
    """Traces of detectors that lie one above the other as those of one picture; (traces, first row of the detector)."""
    if len(parts) == 1 and parts[0][1] == 0:
        return parts[0][0]
    every = [traces for traces, _ in parts]

    def joined(name: str) -> Array | None:
        values = [getattr(one, name) for one in every]
        return None if any(value is None for value in values) else np.concatenate(values)

    center = np.concatenate([traces.center + row for traces, row in parts])
    return TraceSet(
        np.arange(len(center), dtype=np.int32), center, joined("sigma"), joined("wave"), joined("valid"),
        joined("error"), rms=joined("rms"), status=joined("status"),
        provenance=Provenance(notes=tuple(note for one in every for note in one.provenance.notes)),
    )  # fmt: skip


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
    return place.product in (DETECTOR, HEAD) and night.index.raw_exposure(place.expid) is not None

"""Raw nights of one file an amplifier as the ExposureIndex that lists any night: each detector has three pictures."""

from __future__ import annotations

import os
from types import MappingProxyType

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.instrument import instrument
from ifuview.instrument.tables import tables_for
from ifuview.io.archive.paths import is_folder, split
from ifuview.io.night.raw_index import index_night, is_raw_name
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.night.exposures import Exposure, ExposureIndex, FileState, ProductFile
from ifuview.model.night.raw import AMPLIFIERS, DETECTOR, HEAD, OVERSCAN, RawExposure, RawNight
from ifuview.model.reduction.tables import FocalSlot

PICTURES = (AMPLIFIERS, OVERSCAN, DETECTOR)
OF_HEADS = (AMPLIFIERS, OVERSCAN, HEAD, DETECTOR)  # where all detectors of a head see the same wavelengths
TITLES = {HEAD: "whole IFU", AMPLIFIERS: "all amplifiers", OVERSCAN: "with overscan", DETECTOR: "detector"}
OBSERVATIONS, NUMBERS = 10**7, 100  # in a night, and exposures in an observation


def raw_exposures(path: str, ctx: JobContext = SILENT) -> ExposureIndex | None:
    """The raw exposures below a folder, in an archive, or that one amplifier belongs to; None where there are none."""
    if not is_folder(path, ctx) and not is_raw_name(path):
        return None
    night = index_night(path, ctx=ctx)
    return exposure_index(night) if night.exposures else None


def exposure_index(night: RawNight) -> ExposureIndex:
    """A raw night in the form in which every night is listed and opened."""
    raw = instrument(night.instrument).raw
    assert raw is not None
    slots = _slots(night)
    pictures = OF_HEADS if slots else PICTURES
    exposures = [_exposure(e, n, pictures) for n, e in enumerate(night.exposures)]
    return ExposureIndex(
        folder=night.path,
        root=night.path,
        exposures=tuple(exposures),
        notes=night.notes,
        chain=ChainSpec(
            night.instrument, products=pictures, shown=pictures, first=pictures[::-1],
            titles=MappingProxyType(TITLES), detector=DETECTOR,
        ),
        raw_night=night,
        order=tuple(one.camera for one in raw.detectors) if all(one.slot for one in raw.detectors) else night.cameras,
        slots=slots,
    )  # fmt: skip


def _slots(night: RawNight) -> tuple[FocalSlot, ...]:
    """The focal plane of an instrument whose detectors are those of any fiber head; none if it is in no table."""
    raw = instrument(night.instrument).raw
    if raw is None or all(one.slot for one in raw.detectors):
        return ()
    try:
        tables = tables_for(night.instrument, "", night.path, os.path.dirname(night.path))
        return tables.focal_plane(max(night.dates, default=0))
    except MissingDataError:
        return ()


def _exposure(e: RawExposure, place: int, pictures: tuple[str, ...]) -> Exposure:
    """One exposure; its number tells it from all others, its label is that of the observatory."""
    told = bool(e.observation)
    files: dict[tuple[str, str], ProductFile] = {}
    lost: dict[str, str] = {}
    for camera in e.cameras:
        usable = e.of(camera)
        first = (usable or tuple(a for a in e.amplifiers if a.camera == camera))[0]
        state = FileState.READY if usable else FileState.DAMAGED
        status = os.stat(split(first.path)[0])
        file = ProductFile(first.path, status.st_size, status.st_mtime_ns, state)
        files |= {(camera, picture): file for picture in pictures}
    for camera, name in (*e.missing, *((a.camera, a.name) for a in e.amplifiers if a.problem)):
        lost[camera] = f"{lost[camera]} {name}" if camera in lost else name
    return Exposure(
        night=e.date,
        expid=(e.date * OBSERVATIONS + e.observation) * NUMBERS + (e.number if told else place % NUMBERS),
        obstype=e.kind,
        exptime=e.exptime,
        files=MappingProxyType(files),
        cameras=tuple(dict.fromkeys((*e.cameras, *(camera for camera, _ in e.missing)))),
        bad_amplifiers=MappingProxyType(lost),
        table=MappingProxyType(_table(e)),
        label=f"{e.observation}/{e.number}" if told else e.start,
        object=e.object,
        target=e.target,
        parts=e.amplifiers,
        notes=e.notes,
    )


def _table(e: RawExposure) -> dict[str, str]:
    """What else is known of an exposure, by the names that tables of exposures have."""
    values = {"SEEING": e.seeing, "TRANSPARENCY": e.transparency, "AIRMASS": e.header.get("AIRMASS")}
    words = {"PROGRAM": e.header.get("QPROG"), **values}
    return {name: str(value) for name, value in words.items() if value not in (None, "")}

"""Where row-stacked spectra lie on the detector: the psf beside them, read for frames that have no pixels of it."""

from __future__ import annotations

import os
from functools import lru_cache

import numpy as np

from ifuview.app.frames.state import DetectorPlace
from ifuview.app.session import Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

KEPT = 6  # psf files that stay in memory: one for each camera that is blinked


def detector_of(slot: Slot, ctx: JobContext = SILENT) -> DetectorPlace | None:
    """The place of a frame's spectra on the detector; None when no psf with wavelengths fits.

    Raises
    ------
    FileFormatError, MissingDataError
        The psf cannot be read.
    """
    from ifuview import instrument
    from ifuview.app.frames.fibers import trace_companions
    from ifuview.io.fits.amplifiers import amplifiers

    if slot.image.kind is not Kind.RSS:
        return None
    spec = instrument.instrument(slot.dataset.instrument)
    orientation = spec.orientation_of(slot.image.header)
    for path in trace_companions(slot.dataset):
        ctx.checkpoint(0.2, f"Reading {os.path.basename(path)}")
        status = os.stat(path)
        sections = amplifiers(slot.image.header, spec)
        shape = (max(a.y1 for a in sections), max(a.x1 for a in sections)) if sections else None
        traces = _read(path, status.st_size, status.st_mtime_ns, shape, orientation)
        if traces.wave is not None and traces.nfiber == slot.image.shape[0]:
            return DetectorPlace(traces, shape or _covered(traces, orientation), orientation, sections)
    return None


def _covered(traces: TraceSet, orientation: Orientation) -> tuple[int, int]:
    """Native shape of the part of the detector that the traces cover."""
    return orientation.shape((int(np.nanmax(traces.center)) + 1, traces.ncol))


def traces_of(dataset: Dataset, image: Image, ctx: JobContext = SILENT) -> TraceSet | None:
    """Traces of a detector image from the first psf beside it, ready to be drawn; None without one.

    Raises
    ------
    FileFormatError, MissingDataError
        The psf cannot be read.
    """
    from ifuview.app.frames.fibers import drawable, trace_companions

    paths = trace_companions(dataset)
    if image.kind is not Kind.DETECTOR or not paths:
        return None
    ctx.checkpoint(0.8, f"Reading {os.path.basename(paths[0])}")
    status = os.stat(paths[0])
    return drawable(_read(paths[0], status.st_size, status.st_mtime_ns, image.shape, image.orientation), image)


@lru_cache(maxsize=KEPT)
def _read(path: str, size: int, mtime: int, shape: tuple[int, int] | None, orientation: Orientation) -> TraceSet:
    """Traces of a file; read once as long as it stays the same."""
    from ifuview import io

    return io.read_traces(path, None if shape is None else orientation.shape(shape), orientation)

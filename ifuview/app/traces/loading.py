"""Traces of a detector image: read from a file, found beside it, or measured from nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.fibers import drawable, trace_companions
from ifuview.app.session import Slot
from ifuview.app.traces.wavelengths import in_angstrom
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.model.image import Image, Kind
from ifuview.model.quality import TraceBit
from ifuview.model.trace import TraceSet

SAME_FIBER = 3.5  # px; a measured trace farther from a given one is another fiber
DEFAULT_READNOISE = 3.0  # electron; used only where neither the header nor an ivar plane tells


def load_traces(path: str, image: Image | None = None, ctx: JobContext = SILENT) -> TraceSet:
    """Read traces from any known form; they must fit `image` if one is given. Wavelengths in nm become Angstrom.

    Parameters
    ----------
    path : str
        FITS, ECSV, CSV or JSON; of several detectors with the EXTNAME of one, as file.fits[CHAN03].
    image : Image, optional
        The detector image that they are for. Default: none is compared with.
    ctx : JobContext, optional
        Progress and cancellation.

    Raises
    ------
    FileFormatError
        Not traces, no fibers, a missing column, or traces of a detector of another size.
    """
    from ifuview import io

    ctx.checkpoint(0.1, "Reading traces")
    if image is None:
        return _told(io.read_traces(path, None, None))
    return drawable(_told(io.read_traces(path, image.orientation.shape(image.shape), image.orientation)), image)


def _told(traces: TraceSet) -> TraceSet:
    """Traces with wavelengths in Angstrom; a note of their provenance says where they were taken to be nm."""
    traces, said = in_angstrom(traces)
    if not said:
        return traces
    notes = (*traces.provenance.notes, said.strip())
    return replace(traces, provenance=replace(traces.provenance, notes=notes))


def measure_traces(image: Image, ctx: JobContext = SILENT) -> TraceSet:
    """Trace all fibers of a detector image from nothing (it should be a flat).

    Parameters
    ----------
    image : Image
        Of the detector, in any orientation.
    ctx : JobContext, optional
        Progress and cancellation.

    Raises
    ------
    FitError
        There is too little light.
    """
    from ifuview.engine.traces.flat import trace_flat

    if image.kind is Kind.RSS:
        raise UsageError("row-stacked spectra have no traces", image.name, "open the detector image")
    ctx.checkpoint(0.05, "Reading the image")
    data = np.ascontiguousarray(image.canonical())
    ctx.checkpoint(0.1, "Loading the kernels")
    if image.gain not in (None, 1.0):
        data *= np.float32(image.gain)
    traces = trace_flat(data, image.readnoise or DEFAULT_READNOISE, ctx=ctx.part(0.1, 0.95))
    ctx.checkpoint(0.95, "Drawing the traces")
    return drawable(traces, image)


def aligned(measured: TraceSet, given: TraceSet) -> TraceSet:
    """Measured traces in the rows of the given ones, so that a fiber keeps its number, its target and its wavelengths.

    Each goes to the nearest given trace; a fiber without a measured trace is NaN there and bears the bit DEAD.
    """
    column = measured.ncol // 2
    there = given.center[:, column]
    center, sigma = np.full((2, given.nfiber, given.ncol), np.nan)
    error = np.full(center.shape, np.nan)
    for row, position in enumerate(measured.center[:, column]):
        near = int(np.nanargmin(np.abs(there - position)))
        if abs(there[near] - position) <= SAME_FIBER:
            center[near] = measured.center[row]
            sigma[near] = np.nan if measured.sigma is None else measured.sigma[row]
            error[near] = np.nan if measured.error is None else measured.error[row]
    status = np.where(np.isfinite(center[:, column]), 0, int(TraceBit.DEAD)).astype(np.uint32)
    return replace(given, center=center, sigma=sigma, error=error, valid=np.isfinite(center), status=status, coeff=None,
                   rms=None, basis="sampled", argument="column", name=measured.name)  # fmt: skip


def with_traces(slot: Slot, path: str | None = None, ctx: JobContext = SILENT) -> Slot:
    """The frame with traces from `path`, else its own, else from the first companion file that fits."""
    if slot.image.kind not in (Kind.DETECTOR, Kind.IMAGE):
        return slot
    if path:
        return replace(slot, traces=load_traces(path, slot.image, ctx))
    if slot.image.kind is not Kind.DETECTOR:
        return slot
    if slot.dataset.traces is not None:
        return replace(slot, traces=drawable(slot.dataset.traces, slot.image))
    for companion in trace_companions(slot.dataset):
        return replace(slot, traces=load_traces(companion, slot.image, ctx))
    return slot

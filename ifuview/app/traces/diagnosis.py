"""`ifuview diagnose`: read an image and its traces, run the trace doctor, write everything into a folder or nothing.

The same functions serve the command line, the worker of the window and notebooks: `diagnose_image` has no files,
`run` has them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ifuview.app.traces.diagnosis_files import load, read_fitting
from ifuview.app.traces.diagnosis_outputs import write_all
from ifuview.app.traces.diagnosis_request import FORMATS, PARTS, Outcome, Request, check_names, read_limits
from ifuview.app.traces.limits import limits_for
from ifuview.app.traces.on_light import check_on_light
from ifuview.app.traces.wavelengths import in_angstrom
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.files import check_folder
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image, Kind
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import DoctorLimits, TraceDiagnosis, fiber_labels


def diagnose_image(
    image: Image,
    traces: TraceSet | None,
    *,
    plane: tuple[int, ...] = (),
    block: Array | None = None,
    limits: DoctorLimits | None = None,
    only: tuple[str, ...] = (),
    ctx: JobContext = SILENT,
) -> TraceDiagnosis:
    """Diagnose the traces of an open image; without traces, trace it from nothing first.

    Parameters
    ----------
    image : Image
        A detector image, any orientation.
    traces : TraceSet or None
        In the canonical axes of the image.
    plane : tuple of int
        Indices of the leading axes of a cube.
    block : (nfiber,), optional
        Default: from the fiber table of the image, else from the gaps.
    limits : DoctorLimits, optional
        From where on a deviation is a fault. Default: those of the program.
    only : tuple of str
        Parts of the diagnosis; () for all.
    ctx : JobContext, optional
        Progress and cancellation.

    Raises
    ------
    UsageError, FitError
        Not a detector image, traces of another one, or nothing to measure.
    """
    from ifuview.engine.traces.doctor.diagnose import diagnose

    if image.kind is Kind.RSS or image.kind is Kind.SPECTRUM:
        raise UsageError(f"{image.name} holds extracted spectra, which have no traces", todo="give the detector image")
    ctx.checkpoint(0.0, "Reading the image")
    data = image.orientation.to_canonical(image.pixels.plane(plane).native())
    ivar = None if image.ivar is None else image.orientation.to_canonical(image.ivar.plane(plane).native())
    mask = None if image.mask is None else image.orientation.to_canonical(image.mask.plane(plane).raw)
    table = image.fibermap
    if traces is None:
        from ifuview.engine.traces.doctor.nothing import trace_all

        step = ctx.part(0.05, 0.4)
        traces = trace_all(data, ivar=ivar, mask=mask, gain=image.gain, readnoise=image.readnoise, ctx=step).traces
        if table is not None and table.nfiber == traces.nfiber:
            traces = replace(traces, fiber_id=table.fiber_id)
    else:
        check_on_light(data, traces)
    block = known_blocks(table, traces) if block is None else block
    found = diagnose(
        data, labelled(traces, table), ivar=ivar, mask=mask, gain=image.gain, readnoise=image.readnoise, block=block,
        limits=limits, only=only, axes=image.orientation.words(image.shape), ctx=ctx.part(0.1, 1.0),
    )  # fmt: skip
    return numbered(found, traces)


def known_blocks(table: FiberMap | None, traces: TraceSet) -> Array | None:
    """Block of each fiber from a fiber table; None where it does not say."""
    if table is None or table.nfiber != traces.nfiber or table.block is None or np.unique(table.block).size < 2:
        return None
    return table.block


def labelled(traces: TraceSet, table: FiberMap | None) -> TraceSet:
    """Traces that name fibers as a diagnosis does: as the fiber table of the image, if it has one, with their rows."""
    if table is None or table.nfiber != traces.nfiber:
        return traces
    return replace(traces, fiber_id=fiber_labels(table.fiber_id))


def numbered(found: TraceDiagnosis, traces: TraceSet) -> TraceDiagnosis:
    """The diagnosis with the trace sets as the file of the traces numbers its fibers."""
    ids = traces.fiber_id
    measured, corrected = replace(found.measured, fiber_id=ids), replace(found.corrected, fiber_id=ids)
    return replace(found, given=traces, measured=measured, corrected=corrected)


def run(request: Request, ctx: JobContext = SILENT) -> Outcome:
    """Do it all; nothing is written unless everything is.

    Raises
    ------
    IfuviewError
        With one sentence about what is wrong with the input or the output folder.
    """
    limits = read_limits(request.thresholds)
    check_names(request.only, PARTS, "--only")
    check_names(request.formats, FORMATS, "--formats")
    folder = Path(request.output)
    check_folder(folder)
    image, traces, inputs, path, lies = load(request, ctx.part(0.0, 0.2))
    limits = limits_for(image.header, limits)
    block = _blocks(request, traces, ctx)
    traces, said = (None, "") if traces is None else in_angstrom(traces)
    found = diagnose_image(image, traces, block=block, limits=limits, only=request.only, ctx=ctx.part(0.2, 0.55))
    found = replace(found, sentence=f"{found.sentence}{lies}{said}")
    from ifuview.app.traces.doctor_metrics import metrics_of

    metrics = metrics_of(found, inputs, against(request, image, found))
    files = write_all(request, image, found, metrics, inputs, path, ctx.part(0.55, 1.0))
    return Outcome(found, metrics, files)


def _blocks(request: Request, traces: TraceSet | None, ctx: JobContext) -> Array | None:
    """Block of each fiber from a fiber file."""
    if not request.fibers:
        return None
    from ifuview.app.frames.opening.reading import open_dataset

    table = open_dataset(request.fibers, ctx).fibermap
    if table is None:
        raise MissingDataError("holds no table of fibers", request.fibers, "give a file with one row per fiber")
    if traces is not None and table.nfiber != traces.nfiber:
        text = f"the table has {table.nfiber} fibers, the traces have {traces.nfiber}"
        raise UsageError(text, request.fibers, "give the table of the same fibers")
    return table.block if table.block is not None and np.unique(table.block).size > 1 else None


def against(request: Request, image: Image, found: TraceDiagnosis) -> dict[str, float]:
    """Given traces minus reference traces, as global metrics."""
    if not request.reference:
        return {}
    reference = read_fitting(request.reference, image)
    if found.given is None or reference.center.shape != found.given.center.shape:
        raise UsageError("the reference has other fibers", request.reference, "give a reference of the same fibers")
    difference = found.given.center - reference.center
    known = difference[np.isfinite(difference)]
    if not known.size:
        return {}
    n = max(found.nfiber, 1)
    return {
        "reference_mean_px": float(known.mean()), "reference_mean_px_err": float(known.std() / np.sqrt(n)),
        "reference_rms_px": float(np.sqrt((known**2).mean())),
        "reference_rms_px_err": float(known.std() / np.sqrt(2 * n)),
        "reference_max_px": float(np.abs(known).max()), "reference_max_px_err": 0.0,
    }  # fmt: skip

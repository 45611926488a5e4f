"""What the worker does for the findings: diagnose a frame, judge with other limits, save what was corrected, export."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ifuview.app.frames.views.overlay import names
from ifuview.app.session import Session, Slot
from ifuview.app.traces.limits import limits_for
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError, UsageError
from ifuview.files import sha256, told
from ifuview.model.checks import Array
from ifuview.model.image import Kind
from ifuview.model.pixels import Pixels
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import DoctorLimits, TraceDiagnosis
from ifuview.sets import filled

CORRECTED = " (corrected)"
REPORT_SUFFIX = "-traces"  # of the folder that a report is exported to


def diagnose(slot: Slot, limits: DoctorLimits | None = None, ctx: JobContext = SILENT) -> tuple[TraceDiagnosis, Any]:
    """Measure all fibers of a frame and judge its traces; a frame without traces is traced from nothing first.

    Returns
    -------
    (TraceDiagnosis, evidence)
        The evidence goes to `judge_again` when the limits change.

    Raises
    ------
    UsageError
        No detector image, or traces of another one.
    """
    from ifuview.app.traces.diagnosis import known_blocks, labelled
    from ifuview.app.traces.on_light import check_on_light
    from ifuview.engine.traces.doctor.diagnose import judge
    from ifuview.engine.traces.doctor.gather import gather

    image, traces = slot.image, slot.traces
    if image.kind not in (Kind.DETECTOR, Kind.IMAGE):
        raise UsageError("traces are diagnosed on a detector image", slot.title, "show one")
    ctx.checkpoint(0.02, "Reading the image")
    data, ivar, mask = image.canonical(slot.plane), _layer(slot, image.ivar), _bits(slot)
    if traces is None:
        from ifuview.engine.traces.doctor.nothing import trace_all

        step = ctx.part(0.05, 0.4)
        traces = trace_all(data, ivar=ivar, mask=mask, gain=image.gain, readnoise=image.readnoise, ctx=step).traces
        traces = replace(traces, fiber_id=names(slot, traces))
    else:
        check_on_light(data, traces)
    block = known_blocks(image.fibermap or slot.dataset.fibermap, traces)
    evidence = gather(
        data,
        labelled(traces, image.fibermap),
        ivar=ivar,
        mask=mask,
        gain=image.gain,
        readnoise=image.readnoise,
        block=block,
        axes=image.orientation.words(image.shape),
        ctx=ctx.part(0.4, 0.8),
    )
    found = judge(evidence, limits_for(image.header, limits), ctx=ctx.part(0.8, 0.98))
    return of_the_file(found, traces), evidence


def judge_again(
    evidence: Any, limits: DoctorLimits, given: TraceSet | None, ctx: JobContext = SILENT
) -> TraceDiagnosis:
    """The diagnosis of `given` traces with other limits, of what was measured before."""
    from ifuview.engine.traces.doctor.diagnose import judge

    return of_the_file(judge(evidence, limits, ctx=ctx), given)


def of_the_file(found: TraceDiagnosis, given: TraceSet | None) -> TraceDiagnosis:
    """The diagnosis names fibers as the canvas does; its trace sets keep the numbers of their file."""
    from ifuview.app.traces.diagnosis import numbered

    if given is None:
        return found
    name = f"{given.name.removesuffix(CORRECTED)}{CORRECTED}"
    found = numbered(found, given)
    return replace(found, corrected=replace(found.corrected, name=name))


def diagnosed(session: Session, key: int, found: TraceDiagnosis, evidence: Any) -> Session:
    """The session with the diagnosis of a frame, its traces if it had none, and numbers to color the traces by."""
    slot = session.slot(key)
    if slot is None:
        return session
    numbers = tuple((name, np.asarray(values)) for name, values in found.per_fiber.items() if not name.endswith("_err"))
    traces = found.given if slot.traces is None else slot.traces
    now = replace(slot, diagnosis=found, evidence=evidence, traces=traces)
    return replace(session.with_slot(now), metrics=numbers, problem=0)


def save_corrected(slot: Slot, path: str, ctx: JobContext = SILENT) -> str:
    """Write the corrected traces, in the form of the file they came from if there is one; return what was done.

    Raises
    ------
    MissingDataError
        Nothing was diagnosed.
    """
    from ifuview.io.traces.corrected import write_corrected
    from ifuview.io.traces.write import write_traces

    found = _known(slot)
    ctx.checkpoint(0.1, "Writing traces")
    source = source_of(found.given)
    what = found.corrected.provenance.changed or found.sentence
    if source:
        miss = write_corrected(source, found.corrected, path, what, slot.image.orientation, slot.image.shape)
        return f"Corrected traces written to {path} in the form of {os.path.basename(source)} (exact to {miss:.4f} px)"
    write_traces(path, found.corrected, slot.image.orientation, slot.image.shape)
    return f"Corrected traces written to {path}"


def source_of(traces: TraceSet | None) -> str:
    """The file that traces came from; "" if they were measured here or it is gone."""
    inputs = () if traces is None else traces.provenance.inputs
    return inputs[0] if inputs and os.path.isfile(inputs[0]) else ""


def export(slot: Slot, folder: str, ctx: JobContext = SILENT) -> str:
    """Write the report of the diagnosis and its numbers into a new folder inside `folder`; return its path."""
    from ifuview import __version__
    from ifuview.app.traces.doctor_metrics import as_json, metrics_of
    from ifuview.report.traces.doctor import write_doctor
    from ifuview.report.traces.doctor_report import DoctorReport

    found = _known(slot)
    if not os.path.isdir(folder):
        raise UsageError("the folder does not exist", folder, "choose another folder")
    target = Path(folder) / (_plain(slot.title) + REPORT_SUFFIX)
    files = [("image", slot.dataset.path), ("traces", source_of(found.given))]
    ctx.checkpoint(0.05, "Reading the image")
    report = DoctorReport(
        found,
        slot.image.canonical(slot.plane),
        unit=slot.image.unit or "counts",
        title=f"Traces of {slot.title}",
        inputs=tuple((role, os.path.basename(path), sha256(path)) for role, path in files if os.path.isfile(path)),
        created=time.strftime("%Y-%m-%d %H:%M"),
        version=__version__,
    )
    with told(target, "the report", "choose another folder"), filled(target) as part:
        write_doctor(report, part, ctx=ctx.part(0.1, 1.0))
        (part / "metrics.json").write_text(as_json(metrics_of(found, report.inputs)), "utf-8")
    return str(target)


def _known(slot: Slot) -> TraceDiagnosis:
    """The diagnosis of a frame."""
    if slot.diagnosis is None:
        raise MissingDataError("the traces of this frame were not diagnosed", slot.title, "diagnose them first")
    found: TraceDiagnosis = slot.diagnosis
    return found


def _layer(slot: Slot, pixels: Pixels | None) -> Array | None:
    """A layer of the image in canonical axes."""
    return None if pixels is None else slot.image.orientation.to_canonical(pixels.plane(slot.plane).native())


def _bits(slot: Slot) -> Array | None:
    """Mask bits in canonical axes."""
    mask = slot.image.mask
    return None if mask is None else slot.image.orientation.to_canonical(np.asarray(mask.plane(slot.plane).raw))


def _plain(title: str) -> str:
    """A title as a file name."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in title).strip("-.") or "frame"

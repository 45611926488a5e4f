"""The files that a diagnosis writes, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ifuview.app.traces.diagnosis_files import exchanged
from ifuview.app.traces.diagnosis_request import Request
from ifuview.engine.context import JobContext
from ifuview.files import told
from ifuview.model.image import Image
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import TraceDiagnosis
from ifuview.sets import filled

METRICS, FIBERS, MEASURED = "metrics.json", "per_fiber.ecsv", "traces_measured.fits"
MEASURED_STEP = 16  # columns between the points of the measured traces


def write_all(
    request: Request,
    image: Image,
    found: TraceDiagnosis,
    metrics: dict[str, Any],
    inputs: tuple[tuple[str, str, str], ...],
    path: str | None,
    ctx: JobContext,
) -> tuple[str, ...]:
    """Write every file or none; return the names."""
    from ifuview.app.traces.doctor_metrics import as_json, fiber_table
    from ifuview.io.traces.write import write_traces

    with told(request.output, "the results", "choose another folder"), filled(request.output) as part:
        ctx.checkpoint(0.0, "Writing the numbers")
        if "json" in request.formats:
            (part / METRICS).write_text(as_json(metrics), encoding="utf-8", errors="backslashreplace")
        (part / FIBERS).write_text(fiber_table(found), encoding="utf-8", errors="backslashreplace")
        ctx.checkpoint(0.05, "Writing the traces")
        write_traces(str(part / MEASURED), sparse(found.measured), image.orientation, image.shape)
        write_corrected_traces(part, image, found, path, request.swap)
        wanted = tuple(f for f in request.formats if f != "json")
        if wanted:
            from datetime import UTC, datetime

            from ifuview import __version__
            from ifuview.report.traces.doctor import write_doctor
            from ifuview.report.traces.doctor_report import DoctorReport

            report = DoctorReport(
                found, image.canonical(), image.unit or "counts", f"Traces of {inputs[0][1]}", inputs,
                datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), __version__,
            )  # fmt: skip
            write_doctor(report, part, wanted, ctx.part(0.2, 1.0))
        return tuple(sorted(str(p.relative_to(part)) for p in part.rglob("*") if p.is_file()))


def write_corrected_traces(
    part: Path, image: Image, found: TraceDiagnosis, path: str | None, swap: bool = False
) -> str:
    """Write the corrected traces in the form of the given file, x and y as it has them; return the name."""
    from ifuview.io.traces.corrected import corrected_name, write_corrected
    from ifuview.io.traces.write import write_traces

    changed = found.corrected.provenance.changed or "nothing"
    if path is None:
        name = "traces_corrected.fits"
        write_traces(str(part / name), sparse(found.corrected), image.orientation, image.shape)
        return name
    name = corrected_name(path)
    lies = exchanged(image.orientation) if swap else image.orientation
    native = image.shape[::-1] if swap else image.shape
    write_corrected(path, found.corrected, part / name, changed, lies, (native[0], native[1]))
    return name


def sparse(traces: TraceSet) -> TraceSet:
    """The same traces with points at every MEASURED_STEP columns and at the ends of what is valid."""
    keep = np.zeros(traces.ncol, bool)
    keep[::MEASURED_STEP] = keep[-1] = True
    valid = np.asarray(traces.valid) & np.isfinite(traces.center)
    edge = np.zeros_like(valid)
    edge[:, 1:] |= valid[:, 1:] & ~valid[:, :-1]
    edge[:, :-1] |= valid[:, :-1] & ~valid[:, 1:]
    return replace(traces, valid=(valid & keep) | edge)

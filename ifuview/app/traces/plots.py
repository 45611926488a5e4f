"""Two plots of the trace-diagnostics plan as files: traces over the image, and the quality of one trace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ifuview.app.traces.plan import traces_in
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import TraceDiagnosis

Path = str | os.PathLike[str]


def plot_traces_on_2d_spectrum(
    image: Array, traces: TraceSet | Mapping[Any, Any] | TraceDiagnosis, output: Path | None = None
) -> Any:
    """Draw traces over an image (cross-dispersion, dispersion); return the matplotlib Figure, written to `output`."""
    from ifuview.report.traces.plan import traces_on_image

    lines = traces.given if isinstance(traces, TraceDiagnosis) else traces_in(traces)
    if lines is None:
        raise UsageError("this diagnosis has no given traces")
    return traces_on_image(image, lines.center, None if output is None else os.fspath(output))


def plot_individual_trace_quality(diagnosis: TraceDiagnosis, fiber: int | str, output: Path | None = None) -> Any:
    """Draw offsets, flux and width of one fiber, by row or id; return the matplotlib Figure, written to `output`."""
    from ifuview.report.traces.plan import one_fiber

    row = diagnosis.file_id.index(str(fiber)) if str(fiber) in diagnosis.file_id else int(fiber)
    if not 0 <= row < diagnosis.nfiber:
        raise UsageError(f"there is no fiber {fiber}", todo=f"choose 0 to {diagnosis.nfiber - 1}")
    return one_fiber(diagnosis, row, None if output is None else os.fspath(output))

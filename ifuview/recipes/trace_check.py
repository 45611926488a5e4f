"""The recipe "trace check": an image and, if there are any, its traces in; a diagnosis out."""

from __future__ import annotations

from dataclasses import dataclass, field

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.doctor.diagnose import diagnose
from ifuview.engine.doctor.nothing import trace_all
from ifuview.model.checks import Array
from ifuview.model.doctor import DoctorLimits, TraceDiagnosis
from ifuview.model.trace import TraceSet

NAME = "trace_check"
TITLE = "Check traces"
STEPS = (("trace", 0.35), ("diagnose", 0.65))  # with their weights; the first is left out where traces are given


@dataclass(frozen=True, slots=True)
class Params:
    """What can be chosen."""

    limits: DoctorLimits = field(default_factory=DoctorLimits)
    only: tuple[str, ...] = ()


def run(
    image: Array,
    traces: TraceSet | None = None,
    *,
    ivar: Array | None = None,
    mask: Array | None = None,
    gain: float | None = None,
    readnoise: float | None = None,
    block: Array | None = None,
    params: Params | None = None,
    ctx: JobContext = SILENT,
) -> TraceDiagnosis:
    """Trace the image if needed and diagnose; arguments as in `engine.doctor.diagnose.diagnose`."""
    params = params or Params()
    start = 0.0
    if traces is None:
        start = STEPS[0][1]
        step = ctx.part(0.0, start)
        traces = trace_all(image, ivar=ivar, mask=mask, gain=gain, readnoise=readnoise, ctx=step).traces
    return diagnose(
        image, traces, ivar=ivar, mask=mask, gain=gain, readnoise=readnoise, block=block, limits=params.limits,
        only=params.only, ctx=ctx.part(start, 1.0),
    )  # fmt: skip

"""Tasks of the traces: read, measure, diagnose, judge again, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.fibers import drawable
from ifuview.app.frames.intents import Intent, ShowDock, ShowProblem
from ifuview.app.frames.judging import OfJudged
from ifuview.app.frames.state import Proof
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Change, Outcome, Plan, Task, Telling, slot_of
from ifuview.app.traces import intents as want
from ifuview.app.traces.loading import aligned, load_traces, measure_traces, with_traces
from ifuview.app.traces.steps import traces_on_all
from ifuview.app.traces.views import findings
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.model.trace import TraceSet
from ifuview.model.verdict import Verdict

if TYPE_CHECKING:
    from ifuview.engine.traces.doctor.gather import Evidence
    from ifuview.model.traces.doctor import DoctorLimits, TraceDiagnosis


def _come(session: Session, slot: Slot, traces: TraceSet) -> Session:
    """The session with traces on a frame and its like."""
    session = traces_on_all(session, slot, traces)
    return note(session, _words(slot, traces))


def _words(slot: Slot, traces: TraceSet) -> str:
    """Where the traces of a frame came from, and what was made of them."""
    return ". ".join([f"{slot.title}: {traces.nfiber} traces from {traces.name}", *traces.provenance.notes])


@dataclass(frozen=True, kw_only=True)
class FindTraces(OfFrame, Task[Slot]):
    """The traces that lie beside a frame."""

    kind: ClassVar[JobKind] = JobKind.TRACES
    quiet: bool = True

    def run(self, session: Session, ctx: JobContext) -> Slot:
        """Read the first that fit."""
        return with_traces(slot_of(session, self.frame), ctx=ctx)

    def apply(self, session: Session, result: Slot) -> Session:
        """Use them, unless others came meanwhile."""
        now = session.slot(self.frame)
        if now is None or now.traces is not None or result.traces is None:
            return session
        session = session.with_slot(replace(now, traces=result.traces))
        return note(session, _words(now, result.traces))


@dataclass(frozen=True, kw_only=True)
class ReadTraces(OfFrame, Task[TraceSet]):
    """The traces of a file, for a frame."""

    kind: ClassVar[JobKind] = JobKind.TRACES
    path: str

    def run(self, session: Session, ctx: JobContext) -> TraceSet:
        """Read; they must fit the image."""
        return load_traces(self.path, slot_of(session, self.frame).image, ctx)

    def apply(self, session: Session, result: TraceSet) -> Session:
        """Put them on the frame and its like."""
        slot = session.slot(self.frame)
        return session if slot is None else _come(session, slot, result)


def load(session: Session, intent: want.LoadTraces) -> Outcome:
    """Read a trace file for the current frame."""
    slot = session.slot()
    if slot is None:
        raise UsageError("no frame to put the traces on", intent.path, "open an image first")
    return ReadTraces(title=f"Traces {intent.path}", frame=slot.key, path=intent.path)


@dataclass(frozen=True, kw_only=True)
class TraceFibers(OfFrame, Task[TraceSet]):
    """All fibers of a frame traced from nothing."""

    kind: ClassVar[JobKind] = JobKind.TRACES
    newest: bool = True
    aside: bool = True

    @property
    def of(self) -> str:
        """All frames together: tracing takes long."""
        return "measured"

    def run(self, session: Session, ctx: JobContext) -> TraceSet:
        """Trace."""
        return measure_traces(slot_of(session, self.frame).image, ctx)

    def apply(self, session: Session, result: TraceSet) -> Session:
        """Put them onto the frame; where it has traces already, onto a copy, to be blinked against them."""
        slot = session.slot(self.frame)
        if slot is None:
            return session
        if slot.traces is None:
            return _come(session, slot, result)
        traces = aligned(result, slot.traces)
        copy = replace(
            slot,
            key=session.next_key,
            title=f"{slot.title} (measured traces)",
            traces=traces,
            past_traces=(),
            undone_traces=(),
        )
        words = f"{copy.title}: {traces.nfiber} traces; blink them against the {slot.traces.nfiber} given"
        return note(session.adding(copy), words)


def measure(session: Session, _: want.MeasureTraces) -> Outcome:
    """Trace the current frame."""
    slot = session.slot()
    return session if slot is None else TraceFibers(title=f"Trace {slot.title}", frame=slot.key)


@dataclass(frozen=True, kw_only=True)
class DiagnoseTraces(OfJudged, Task["tuple[TraceDiagnosis, Evidence]"]):
    """What is wrong with the traces of a frame; `traces` are those that it had when it was asked.

    `leads`: the view is taken to the worst of it, if there is any.
    """

    kind: ClassVar[JobKind] = JobKind.DIAGNOSE
    traces: TraceSet | None
    newest: bool = True
    aside: bool = True
    leads: bool = False

    def run(self, session: Session, ctx: JobContext) -> tuple[TraceDiagnosis, Evidence]:
        """Measure and judge."""
        from ifuview.app.traces.doctor import diagnose

        slot = slot_of(session, self.frame)
        found, evidence = diagnose(slot, session.doctor_limits, ctx)
        drawable(found.corrected, slot.image)
        return found, evidence

    def apply(self, session: Session, result: tuple[TraceDiagnosis, Evidence]) -> Outcome:
        """Keep it; where other traces came meanwhile (the file beside the image was read), ask again."""
        from ifuview.app.traces.doctor import diagnosed

        now = session.slot(self.frame)
        if now is None:
            return session
        if now.traces is not self.traces:
            words = f"{now.title}: other traces came meanwhile; these are diagnosed now"
            return Change(note(session, words), (replace(self, traces=now.traces),))
        session = note(diagnosed(session, self.frame, *result), f"{now.title}: {result[0].sentence}")
        free = now.view.fit and session.selection.fiber is None  # the user looks at no other place, nor at a fiber
        if self.leads and session.current == self.frame and result[0].verdict is Verdict.FAIL and free:
            return Change(session, (ShowProblem(number=0), ShowDock("findings")))
        return marked(session) if self.leads and session.current == self.frame else session


def marked(session: Session) -> Session:
    """The session with the place of the first problem marked, which the bar speaks of; the view stays."""
    found = findings.make(session)
    boxes = () if found is None else [row.box for row in findings.problems(found)[:1] if row.box is not None]
    return replace(session, proof=Proof(frozenset({found.slot}), box=boxes[0])) if found and boxes else session


def _diagnosis_of(slot: Slot) -> DiagnoseTraces:
    return DiagnoseTraces(title=f"Diagnose {slot.title}", frame=slot.key, traces=slot.traces)


def diagnose_current(session: Session, _: want.Diagnose) -> Outcome:
    """Diagnose the current frame."""
    slot = session.slot()
    if slot is None:
        return note(session, "open a detector image and its traces to diagnose them")
    return _diagnosis_of(slot)


@dataclass(frozen=True, kw_only=True)
class JudgeAgain(OfFrame, Task["TraceDiagnosis"]):
    """The diagnosis of a frame with other limits, of what was measured before."""

    kind: ClassVar[JobKind] = JobKind.JUDGE
    evidence: Evidence
    limits: DoctorLimits
    quiet: bool = True
    front: bool = True
    newest: bool = True

    @property
    def of(self) -> str:
        """All frames together."""
        return ""

    def run(self, session: Session, ctx: JobContext) -> TraceDiagnosis:
        """Judge."""
        from ifuview.app.traces.doctor import judge_again

        slot = slot_of(session, self.frame)
        given = None if slot.diagnosis is None else slot.diagnosis.given
        found = judge_again(self.evidence, self.limits, given, ctx)
        drawable(found.corrected, slot.image)
        return found

    def apply(self, session: Session, result: TraceDiagnosis) -> Session:
        """Keep it; a frame with corrected traces follows to those that the new limits correct."""
        from ifuview.app.traces.doctor import diagnosed

        slot = session.slot(self.frame)
        if slot is None or slot.evidence is not self.evidence:
            return session
        applied = slot.diagnosis is not None and slot.traces is slot.diagnosis.corrected
        session = diagnosed(session, self.frame, result, self.evidence)
        return session.with_slot(replace(slot_of(session, self.frame), traces=result.corrected)) if applied else session


def set_thresholds(session: Session, intent: want.SetThresholds) -> Outcome:
    """Keep the limits and judge the diagnosis of the current frame with them."""
    session = replace(session, doctor_limits=intent.limits)
    slot = session.slot()
    if slot is None or slot.evidence is None:
        return session
    judging = JudgeAgain(title="Judge with other limits", frame=slot.key, evidence=slot.evidence, limits=intent.limits)
    return Change(session, (judging,))


@dataclass(frozen=True, kw_only=True)
class WriteTraces(OfFrame, Telling):
    """The corrected traces of a frame in a file."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    path: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say what was done."""
        from ifuview.app.traces.doctor import save_corrected

        return save_corrected(slot_of(session, self.frame), self.path, ctx)


def save(session: Session, intent: want.SaveTraces) -> Outcome:
    """Write the corrected traces of the current frame."""
    slot = session.slot()
    return session if slot is None else WriteTraces(title=f"Save {intent.path}", frame=slot.key, path=intent.path)


@dataclass(frozen=True, kw_only=True)
class WriteDiagnosis(OfFrame, Telling):
    """The report of a diagnosis in a folder."""

    kind: ClassVar[JobKind] = JobKind.REPORT
    folder: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say where."""
        from ifuview.app.traces.doctor import export

        return f"Report of the diagnosis written to {export(slot_of(session, self.frame), self.folder, ctx)}"


def export_diagnosis(session: Session, intent: want.ExportDiagnosis) -> Outcome:
    """Write the report of the diagnosis of the current frame."""
    slot = session.slot()
    if slot is None:
        return session
    return WriteDiagnosis(title=f"Report {intent.folder}", frame=slot.key, folder=intent.folder)


TASKS: Mapping[type[Intent], Plan] = {
    want.LoadTraces: load,
    want.MeasureTraces: measure,
    want.Diagnose: diagnose_current,
    want.SetThresholds: set_thresholds,
    want.SaveTraces: save,
    want.ExportDiagnosis: export_diagnosis,
}

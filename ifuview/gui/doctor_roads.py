"""Inward road of the diagnosis: its intents become jobs whose results become sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ifuview.app import intents as want
from ifuview.app import steps
from ifuview.app.jobs import JobRequest
from ifuview.app.session import Level, Slot

if TYPE_CHECKING:
    from ifuview.gui.shell.controller import Controller


def roads(controller: Controller) -> dict[type, Callable[[Any], None]]:
    """Intent type -> what carries it out."""
    doctor = DoctorRoads(controller)
    return {
        want.Diagnose: doctor.diagnose,
        want.SetThresholds: doctor.set_thresholds,
        want.ApplyCorrection: doctor.change_traces,
        want.UndoTraces: doctor.change_traces,
        want.SaveTraces: doctor.save,
        want.ExportDiagnosis: doctor.export,
    }


class DoctorRoads:
    """What the controller does for the diagnosis."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller

    def diagnose(self, _: want.Diagnose) -> None:
        """Measure and judge on the worker."""
        control = self.controller
        slot = control.session.slot()
        if slot is None:
            control.say(Level.INFO, "open a detector image and its traces to diagnose them")
            return
        self._measure(slot)

    def _measure(self, slot: Slot) -> None:
        """Measure and judge one frame."""
        control = self.controller
        limits = control.session.doctor_limits

        def run(ctx: Any) -> Any:
            from ifuview.app.frames.fibers import drawable
            from ifuview.app.traces import doctor as doctor_jobs

            found, evidence = doctor_jobs.diagnose(slot, limits, ctx)
            drawable(found.corrected, slot.image)
            return found, evidence

        control.submit(JobRequest(f"Diagnose {slot.title}", run, slot="diagnose"), lambda r: self._found(slot, *r))

    def _found(self, slot: Slot, found: Any, evidence: Any) -> None:
        from ifuview.app.traces import doctor as doctor_jobs

        control = self.controller
        now = control.session.slot(slot.key)
        if now is None:
            return  # closed meanwhile
        if now.traces is not slot.traces:  # the trace file beside the image was still being read
            control.say(Level.INFO, f"{slot.title}: other traces came meanwhile; these are diagnosed now")
            self._measure(now)
            return
        control.store.put(doctor_jobs.diagnosed(control.session, slot.key, found, evidence))
        control.say(Level.INFO, f"{slot.title}: {found.sentence}")

    def set_thresholds(self, intent: want.SetThresholds) -> None:
        """Keep the limits and judge the diagnosis of the current frame with them."""
        control = self.controller
        control.store.put(replace(control.session, doctor_limits=intent.limits))
        slot = control.session.slot()
        if slot is None or slot.evidence is None:
            return
        evidence, key = slot.evidence, slot.key
        given = None if slot.diagnosis is None else slot.diagnosis.given

        def run(ctx: Any) -> Any:
            from ifuview.app.frames.fibers import drawable
            from ifuview.app.traces import doctor as doctor_jobs

            found = doctor_jobs.judge_again(evidence, intent.limits, given, ctx)
            drawable(found.corrected, slot.image)
            return found

        control.submit(
            JobRequest("Judge with other limits", run, slot="judge", quiet=True, front=True),
            lambda found: self._judged(key, evidence, found),
        )

    def _judged(self, key: int, evidence: Any, found: Any) -> None:
        from ifuview.app.traces import doctor as doctor_jobs

        control = self.controller
        slot = control.session.slot(key)
        if slot is None or slot.evidence is not evidence:
            return
        applied = slot.diagnosis is not None and slot.traces is slot.diagnosis.corrected
        session = doctor_jobs.diagnosed(control.session, key, found, evidence)
        if applied:  # the frame follows to the traces that the new limits correct
            session = session.with_slot(replace(session.slot(key) or slot, traces=found.corrected))
        control.store.put(session)

    def change_traces(self, intent: want.Intent) -> None:
        """Apply or undo, then measure the selected fiber anew."""
        control = self.controller
        before = control.session
        control.store.put(steps.STEPS[type(intent)](before, intent))
        if control.session is before:
            control.say(Level.INFO, "there is no correction to apply or undo in this frame")
            return
        slot = control.session.slot()
        if slot is not None and slot.traces is not None:
            control.say(Level.INFO, f"{slot.title}: now with {slot.traces.name}")
        control.reinspect()

    def save(self, intent: want.SaveTraces) -> None:
        """Write the corrected traces on the worker."""
        self._write("Save", intent.path, "save_corrected", "{}")

    def export(self, intent: want.ExportDiagnosis) -> None:
        """Write the report on the worker."""
        self._write("Report", intent.folder, "export", "Report of the diagnosis written to {}")

    def _write(self, what: str, path: str, function: str, words: str) -> None:
        control = self.controller
        slot = control.session.slot()
        if slot is None:
            return

        def run(ctx: Any) -> Any:
            from ifuview.app.traces import doctor as doctor_jobs

            return getattr(doctor_jobs, function)(slot, path, ctx)

        control.submit(JobRequest(f"{what} {path}", run), lambda said: control.say(Level.INFO, words.format(said)))

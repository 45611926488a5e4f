"""Inward road of the triage: cameras are looked at on the worker; a finding is shown between two products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ifuview.app import intents as want
from ifuview.app.jobs import JobRequest
from ifuview.app.session import Layout, Level

if TYPE_CHECKING:
    from ifuview.gui.shell.controller import Controller
    from ifuview.model.night.triage import Finding


def roads(controller: Controller) -> dict[type, Callable[[Any], None]]:
    """Intent type -> what carries it out."""
    triage = TriageRoads(controller)
    return {
        want.Triage: triage.run,
        want.ShowFinding: triage.show,
        want.ExportTriage: triage.export,
    }


class TriageRoads:
    """What the controller does for the triage."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller

    def run(self, intent: want.Triage) -> None:
        """Look at the cameras on the worker."""
        from ifuview.app.night import triage_window

        control = self.controller
        session = control.session
        words = triage_window.request(session, intent.scope)[-1]

        def work(ctx: Any) -> Any:
            return triage_window.run(session, intent.scope, ctx)

        control.submit(JobRequest(f"Triage of {words}", work, slot="triage"), self._found)

    def _found(self, state: Any) -> None:
        control = self.controller
        control.store.put(replace(control.session, triage=state))
        for problem in state.result.problems:
            control.say(Level.WARNING, problem)
        count = len(state.result.findings)
        control.say(Level.INFO, f"Triage of {state.scope}: {count} finding{'s' if count != 1 else ''}")
        control.shell.emit(want.ShowDock("triage"))

    def show(self, intent: want.ShowFinding) -> None:
        """Open the two products between which a finding appears, go to its place and blink."""
        from ifuview.app.night import triage_window
        from ifuview.gui.night_roads import NightRoads

        control = self.controller
        state = control.session.triage
        if state is None or not 0 <= intent.number < len(state.result.findings):
            return
        finding = state.result.findings[intent.number]
        places = triage_window.places(control.session, finding)
        if not places:
            self._go(finding)
            return

        def arrived() -> None:
            from ifuview.app.night import open_night

            if len(places) > 1:
                control.store.put(open_night.blinking(control.session, places))
            self._go(finding)

        if control.session.layout is Layout.BLINK:
            control.store.put(replace(control.session, layout=Layout.SINGLE))
        NightRoads(control).show(places, arrived)

    def _go(self, finding: Finding) -> None:
        """Move the canvas to the place and select the fibers."""
        from ifuview.app.night import triage_window

        control = self.controller
        slot = control.session.slot()
        if slot is None:
            return
        if len(slot.image.shape) == 2 and slot.image.wave is not None:
            control.handle(want.SetView(slot.key, triage_window.view_of(slot, finding)))
        fibers = finding.fibers
        if 0 < len(fibers) < slot.image.shape[0]:
            source = finding.detail.get("source", fibers[len(fibers) // 2])
            control.handle(want.SelectFiber(source, fibers))

    def export(self, intent: want.ExportTriage) -> None:
        """Write the report on the worker."""
        control = self.controller
        state = control.session.triage
        if state is None:
            control.say(Level.INFO, "there is no triage to write; press Triage first")
            return

        def work(ctx: Any) -> Any:
            from ifuview.app.night import triage_window

            return triage_window.export(state, intent.folder, ctx)

        control.submit(
            JobRequest(f"Triage report in {intent.folder}", work),
            lambda path: control.say(Level.INFO, f"Triage written to {path}"),
        )

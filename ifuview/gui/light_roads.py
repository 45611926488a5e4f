"""Inward road of the light of selections: counted on the worker, always for what is selected now; written to files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QTimer

from ifuview.app import intents as want
from ifuview.app.jobs import JobRequest, JobStatus
from ifuview.app.session import Level

if TYPE_CHECKING:
    from ifuview.app.photons.state import Lights, Request
    from ifuview.app.session import Session
    from ifuview.gui.shell.controller import Controller

PATIENCE = 1.0  # s that a count may take before a newer request ends it: what moves is drawn on the way
SLOT = "light"
SHAPES = ("box", "circle", "")


def roads(controller: Controller) -> dict[type, Callable[[Any], None]]:
    """Intent type -> what carries it out."""
    light = LightRoads(controller)
    return {
        want.DrawRegions: light.draw,
        want.SetLight: light.set_option,
        want.CountLight: light.count,
        want.SaveLight: light.save,
    }


class LightRoads:
    """What the controller does for the light of selections."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._asked: Request | None = None  # what is or was counted last, also if that was cancelled
        self._job = 0
        self._since = 0.0
        self._kept: dict[bool, Any] = {}  # photons in memory, of either thread that counts
        self._raised = False  # the dock, when something was selected first
        controller.store.changed.connect(self._selected)
        controller.shell.connect(self._dock_shown)
        self._later = QTimer(controller)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._again)

    def draw(self, intent: want.DrawRegions) -> None:
        """Let a drag on the canvas draw a shape, or no more; of a photon list its light is shown."""
        from ifuview.app.photons.which import photon_frame

        control = self.controller
        session = control.session
        if intent.shape not in SHAPES:
            control.say(Level.ERROR, f"{intent.shape!r} cannot be drawn; choose box or circle")
            return
        overlay = replace(session.overlay, regions=True) if intent.shape else session.overlay
        control.store.put(replace(session, drawing=intent.shape, overlay=overlay))
        slot = photon_frame(session)
        if intent.shape and slot is not None and slot.photons is not None:
            self._raise()

    def _raise(self) -> None:
        self._raised = True
        self.controller.shell.emit(want.ShowDock("light"))

    def _dock_shown(self, intent: Any) -> None:
        """Who asked for the light has seen it; who asked for speckles clicks for them."""
        if isinstance(intent, want.ShowDock) and intent.on and intent.key in ("light", "speckle"):
            self._raised = True

    def _selected(self, old: Session, new: Session) -> None:
        """The first pixel that is clicked in a photon list shows its light."""
        if self._raised or self.controller.headless or new.selection is old.selection or new.selection.x is None:
            return
        slot = new.slot()
        if slot is not None and slot.photons is not None:
            self._raise()

    def set_option(self, intent: want.SetLight) -> None:
        """Bin or show light otherwise."""
        from ifuview.app.photons.light import options_of

        control = self.controller
        options = replace(options_of(control.session), **{intent.name: intent.value})
        control.store.put(replace(control.session, light=options))

    # counting

    def count(self, _: want.CountLight | None = None) -> None:
        """Count what is selected now, unless that is known or under way."""
        from ifuview.app.photons import light

        asked = light.request(self.controller.session)
        known = self.controller.session.lights
        if asked is None or (known is not None and known.request == asked) or asked == self._asked:
            return
        waited = time.monotonic() - self._since
        if self._running and waited < PATIENCE:
            self._later.start(round(1000 * (PATIENCE - waited)) + 1)
            return
        self._submit(asked)

    def _submit(self, asked: Request) -> None:
        from ifuview.app.photons import light

        quick = light.is_quick(asked)
        kept = self._kept.setdefault(quick, light.Kept())
        self._asked, self._since = asked, time.monotonic()
        self._later.stop()
        request = JobRequest(
            "Light of the selections", lambda ctx: light.count(asked, kept, ctx), slot=SLOT,
            quiet=not light.is_large(asked), front=quick, aside=not quick,
        )  # fmt: skip
        self._job = self.controller.submit(request, self._counted)

    @property
    def _running(self) -> bool:
        """Whether the count of before is under way."""
        return any(j.id == self._job and j.status is JobStatus.RUNNING for j in self.controller.session.jobs)

    def _counted(self, lights: Lights) -> None:
        self.controller.store.put(replace(self.controller.session, lights=lights))
        if self._later.isActive():
            self._again()

    def _again(self) -> None:
        """Something newer was asked for meanwhile."""
        self._later.stop()
        self.count()

    # files

    def save(self, intent: want.SaveLight) -> None:
        """Count anew what is selected and write it."""
        from ifuview.app.photons import light

        control = self.controller
        asked = light.request(control.session)
        if asked is None:
            control.say(Level.INFO, "there is no light to save: click a pixel of a photon list or draw a region in it")
            return

        def work(ctx: Any) -> tuple[str, ...]:
            return light.save(light.count(asked, None, ctx), intent.what, intent.path)

        control.submit(
            JobRequest(f"Save {intent.path}", work),
            lambda paths: control.say(Level.INFO, f"Light written to {', '.join(paths)}"),
        )

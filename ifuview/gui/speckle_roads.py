"""Inward road of speckle maps, lucky images and the search for bad pixels: jobs whose results become frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifuview.app import intents as want
from ifuview.app.jobs import JobRequest
from ifuview.app.session import Level

if TYPE_CHECKING:
    from ifuview.app.frames.opened import Opened
    from ifuview.gui.shell.controller import Controller


def roads(controller: Controller) -> dict[type, Callable[[Any], None]]:
    """Intent type -> what carries it out."""
    speckle = SpeckleRoads(controller)
    return {
        want.Speckle: speckle.make,
        want.Lucky: speckle.lucky,
        want.SaveSpeckle: speckle.save,
    }


def add_frames(controller: Controller, found: tuple[Opened, ...], after: int) -> None:
    """Put images made from a photon list behind its frame (key `after`), the first of them current."""
    from ifuview.app import steps
    from ifuview.app.frames.opened import new_slot
    from ifuview.app.frames.state import Parent

    session = controller.session
    keys = []
    for opened in found:
        slot = replace(new_slot(session, opened), made_of=Parent(after))
        session = session.adding(steps.placed(session, slot))
        keys.append(slot.key)
    place = next((i for i, s in enumerate(session.slots) if s.key == after), None)
    if place is not None:
        old = [s for s in session.slots if s.key not in keys]
        new = [s for s in session.slots if s.key in keys]
        session = replace(session, slots=(*old[: place + 1], *new, *old[place + 1 :]))
    session = replace(session.showing(keys[0]), previous=after if place is not None else session.previous)
    controller.store.put(session)
    for key in keys:
        controller.opened.emit(key)
        made = controller.session.slot(key)
        if made is not None:
            controller.follow_up(made)


class SpeckleRoads:
    """What the controller does for the statistics of speckles."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller

    def make(self, intent: want.Speckle) -> None:
        """Fit every pixel on the worker; the maps open beside the photon frame."""
        from ifuview.app.photons import speckle_maps
        from ifuview.app.photons.which import asked

        control = self.controller
        slot, frame = asked(control.session)

        def run(ctx: Any) -> Any:
            maps = speckle_maps.make_maps(frame, intent, ctx.part(0.0, 0.98))
            return maps, speckle_maps.map_frames(maps, intent.snr)

        def done(result: Any) -> None:
            maps, found = result
            now = control.session.slot(slot.key)
            if now is not None and now.photons is not None:
                changed = replace(now, photons=replace(now.photons, speckle=maps))
                control.store.put(control.session.with_slot(changed))
            add_frames(control, found, slot.key)
            control.say(Level.INFO, f"{slot.title}: {speckle_maps.summary(maps)}; press b to blink them")

        control.submit(JobRequest(f"Speckle maps of {slot.title}", run, slot="speckle"), done)

    def lucky(self, _: want.Lucky) -> None:
        """The sharpest moments of the star at the crosshair."""
        from ifuview.app.photons import speckle_maps
        from ifuview.app.photons.which import asked, crosshair

        control = self.controller
        slot, frame = asked(control.session)
        x, y = crosshair(control.session)

        def done(opened: Opened) -> None:
            add_frames(control, (opened,), slot.key)
            control.say(Level.INFO, f"{opened.image.name}")

        control.submit(
            JobRequest(f"Lucky image of {slot.title}", lambda ctx: speckle_maps.lucky_frame(frame, x, y, ctx),
                       slot="lucky"), done,
        )  # fmt: skip

    def save(self, intent: want.SaveSpeckle) -> None:
        """Write the maps."""
        from ifuview.app.photons import speckle_maps

        control = self.controller
        session = control.session
        control.submit(
            JobRequest(f"Save {Path(intent.path).name}", lambda ctx: speckle_maps.save(session, intent.path, ctx)),
            lambda path: control.say(Level.INFO, f"Speckle maps written to {path}"),
        )

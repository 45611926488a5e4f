"""Inward road of the calibration stack: steps are made on the worker; another stack is another source of photons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifuview.app import intents as want
from ifuview.app.jobs import JobRequest
from ifuview.app.photons.state import PhotonFrame
from ifuview.app.session import Layout, Level, Slot
from ifuview.errors import UsageError

if TYPE_CHECKING:
    from ifuview.gui.shell.controller import Controller

MORE = {  # said of a step that is new on the stack
    "found": "; they are left out (switch the step off in Calibrations to see them)",
    "wavecal": "; pixels without a solution stay phases, are flagged wavecal.bad and left out",
}


def roads(controller: Controller) -> dict[type, Callable[[Any], None]]:
    """Intent type -> what carries it out."""
    stack = CalibrationRoads(controller)
    return {
        want.LoadCalibration: lambda i: stack.load(i.kind, i.path),
        want.FindBadPixels: lambda i: stack.load("badpixels", method=i.method),
        want.SwitchCalibration: stack.switch,
        want.CompareCalibration: stack.compare,
        want.ShowSolution: stack.show,
        want.PlotCalibrations: stack.plot,
        want.WriteCalibrated: stack.write,
    }


class CalibrationRoads:
    """What the controller does for the calibrations of a photon list."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller

    def load(self, kind: str, path: str = "", method: str = "") -> None:
        """Make a step on the worker and put it on the stack."""
        from ifuview.app.photons import calibration
        from ifuview.app.photons.sources import waits
        from ifuview.app.photons.which import asked

        control = self.controller
        slot, frame = asked(control.session)

        def done(step: Any) -> None:
            now = control.session.slot(slot.key)
            if now is None or now.photons is None:
                return
            steps = calibration.with_step(now.photons.stack, step)
            text = calibration.words(step, frame.raw.info)
            if (why := waits(frame.raw.info, steps, step)) != "":
                text += f"; it {why}"
            more = "" if why else MORE.get(step.key, "") or calibration.weight_words(frame, step)
            control.say(Level.INFO, f"{calibration.title(step)}: {text}{more}")
            self._apply(now, steps, step)

        name = Path(path).name or kind
        control.submit(
            JobRequest(f"Calibration {name}",
                       lambda ctx: calibration.make_step(frame, kind, path, method, ctx)), done,
        )  # fmt: skip

    def _apply(self, slot: Slot, steps: tuple[Any, ...], fresh: Any = None) -> None:
        """Show another stack at once; the picture follows when the worker has its photons. The newest wish counts."""
        from ifuview.app.photons.sources import is_large, photons_of

        control = self.controller
        frame = slot.photons
        assert frame is not None
        key, raw, before, follow = slot.key, frame.raw, frame.stack, frame.live is not None
        wished = replace(frame, stack=steps)
        if is_large(frame):
            wished = replace(wished, live=None)  # nothing holds the old one while the new one is made
        control.store.put(control.session.with_slot(replace(slot, photons=wished)))

        def back(_: Any) -> None:
            now = control.session.slot(key)
            if now is not None and now.photons is not None and now.photons.stack is steps:
                undone = replace(now.photons, stack=before)
                control.store.put(control.session.with_slot(replace(now, photons=undone)))
                if follow and undone.live is None:
                    control.handle(want.IndexPhotons(key))

        def work(ctx: Any) -> Any:
            return photons_of(raw, steps, follow, ctx)

        control.submit(
            JobRequest(f"Calibrations of {slot.title}", work, slot=f"stack {key}"),
            lambda found: self._restack(key, steps, found, fresh), back,
        )  # fmt: skip

    def _restack(self, key: int, steps: tuple[Any, ...], found: tuple[Any, Any], fresh: Any = None) -> None:
        """Give a frame another stack and count it anew; a second frame of a large list has no live image."""
        from ifuview.app.photons import calibration

        control = self.controller
        slot = control.session.slot(key)
        if slot is None or slot.photons is None:
            return
        if slot.photons.playing:
            control.handle(want.PlayPhotons(False))
            slot = control.session.slot(key) or slot
        frame = calibration.restacked(slot.photons, steps, *found)
        if fresh is not None:
            frame = calibration.taking_hold(frame, fresh)
        control.store.put(control.session.with_slot(replace(slot, photons=frame)))
        self._recount(key, frame)

    def _recount(self, key: int, frame: PhotonFrame) -> None:
        """The picture of the frame, then what the sliders need."""
        from ifuview.app.photons.sources import is_large

        control = self.controller
        control.handle(want.ShowPhotons(frame.shown.value, key))
        alone = sum(s.photons is not None and s.photons.raw is frame.raw for s in control.session.slots) == 1
        if control.headless or frame.live is not None or not hasattr(frame.raw, "first"):
            return
        if alone or not is_large(frame):
            control.handle(want.IndexPhotons(key))

    def switch(self, intent: want.SwitchCalibration) -> None:
        """Switch a step, or take it away."""
        from ifuview.app.photons import calibration
        from ifuview.app.photons.which import asked

        control = self.controller
        slot, frame = asked(control.session)
        self._apply(slot, calibration.switched(frame.stack, intent.number, intent.on))

    def compare(self, intent: want.CompareCalibration) -> None:
        """A second frame with one step, or all, the other way; the two blink."""
        from ifuview.app.photons import calibration
        from ifuview.app.photons.sources import is_large, photons_of
        from ifuview.app.photons.which import asked

        control = self.controller
        slot, frame = asked(control.session)
        if not frame.stack:
            raise UsageError("there is no calibration to blink against", todo="load one first")
        if intent.number is None:
            on = any(s.on for s in frame.stack)
            steps, what = calibration.switched(frame.stack, None, not on), "calibrations"
        else:
            on = intent.number < len(frame.stack) and frame.stack[intent.number].on
            steps = calibration.switched(frame.stack, intent.number, not on)
            what = calibration.title(frame.stack[intent.number]).lower()
        words = f"{'without' if on else 'with'} {what}"

        def done(found: Any) -> None:
            now = control.session.slot(slot.key)
            if now is None or now.photons is None:
                return
            control.store.put(control.session.showing(slot.key))
            control.handle(want.CopyPhotons())
            copy: Slot | None = control.session.slot()
            if copy is None or copy.photons is None or copy.key == slot.key:
                return
            name = f"{frame.name or slot.title} {words}"
            named = replace(copy, title=name, photons=replace(copy.photons, name=name))
            control.store.put(control.session.with_slot(named))
            self._restack(copy.key, steps, found)
            control.when_settled(lambda: self._blink(slot.key, copy.key))

        def work(ctx: Any) -> Any:
            live = frame.live is not None and not is_large(frame)
            return photons_of(frame.raw, steps, live, ctx)

        control.submit(JobRequest(f"The other way: {slot.title}", work, slot=f"compare {slot.key}"), done)

    def _blink(self, *keys: int) -> None:
        """Blink between frames if they are still there."""
        control = self.controller
        if all(control.session.slot(key) is not None for key in keys):
            control.handle(want.SetLayout(Layout.BLINK, keys=keys))

    def show(self, intent: want.ShowSolution) -> None:
        """An image of a solution as a frame."""
        from ifuview.app.photons import calibration
        from ifuview.app.photons.which import asked
        from ifuview.gui.speckle_roads import add_frames

        control = self.controller
        slot, frame = asked(control.session)

        def done(opened: Any) -> None:
            add_frames(control, (opened,), slot.key)
            if intent.plane is not None and opened.image.nplanes > 1 and control.session.current is not None:
                control.handle(want.SetPlane(control.session.current, (intent.plane,)))

        control.submit(
            JobRequest(f"{intent.what} of {slot.title}",
                       lambda ctx: calibration.images(frame, intent.what, ctx), slot="solution image"), done,
        )  # fmt: skip

    def plot(self, intent: want.PlotCalibrations) -> None:
        """All plots of the solutions into a folder."""
        from ifuview.app.photons import calibration
        from ifuview.app.photons.views.calibrations import pixel
        from ifuview.app.photons.which import asked

        control = self.controller
        frame = asked(control.session)[1]
        at = pixel(control.session, frame.raw.info)

        def work(ctx: Any) -> Any:
            return calibration.plot(frame, intent.folder, at, ctx)

        control.submit(
            JobRequest(f"Plots in {intent.folder}", work),
            lambda names: control.say(Level.INFO, f"{len(names)} plots written to {intent.folder}"),
        )

    def write(self, intent: want.WriteCalibrated) -> None:
        """Write a calibrated file."""
        from ifuview.app.photons import calibration
        from ifuview.app.photons.which import asked

        control = self.controller
        frame = asked(control.session)[1]

        def done(result: Any) -> None:
            info, notes = result
            count = f"{info.nphoton} photons" if info.nphoton >= 0 else "the photons"
            control.say(Level.INFO, f"{count} written to {intent.path}", "\n".join(notes))

        def work(ctx: Any) -> Any:
            return calibration.write(frame, intent.path, ctx)

        control.submit(JobRequest(f"Write {Path(intent.path).name}", work, slot=f"write {intent.path}"), done)

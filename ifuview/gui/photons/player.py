"""Playing a photon list through time: one step after the other on a timer, the next ones counted meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QTimer

from ifuview.app import intents as want
from ifuview.app.jobs import JobRequest
from ifuview.app.photons import images as steps
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.photons.which import frame_of
from ifuview.app.session import Session, Slot

if TYPE_CHECKING:
    from ifuview.app.photons.playing import Step
    from ifuview.gui.photon_roads import PhotonRoads

TIMER = "photon play"


class Player:
    """Shows one step of time after the other; the next ones are counted while these are shown."""

    def __init__(self, roads: PhotonRoads, key: int) -> None:
        self.roads, self.control, self.key = roads, roads.controller, key
        self._steps: list[Step] = []
        self._asked: int | None = None
        self._made_for: Any = None
        self._limits: tuple[float, float] | None = None
        self._time = 0.0  # where the next chunk begins
        self.timer = QTimer(self.control)
        self.timer.setObjectName(TIMER)
        self.timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin at the start of the time range, or of the file."""
        _, frame = self.roads.now(self.key)
        assert frame is not None
        self._time = frame.cut.start or 0.0
        if self._time + frame.step >= steps.span_of(frame):
            self._time = 0.0
        self.timer.start(round(1000 / frame.fps))
        self._ask()

    def stop(self) -> None:
        """End; the frame keeps the step that it shows."""
        self.timer.stop()
        self.timer.deleteLater()
        self._steps.clear()
        slot, frame = self.roads.now(self.key)
        if slot is not None and frame is not None and frame.playing:
            still = replace(slot, photons=replace(frame, playing=False))
            self.control.store.put(self.control.session.with_slot(still))

    def refresh(self) -> None:
        """Another cut, step or speed: count again from the time that is shown."""
        _, frame = self.roads.now(self.key)
        if frame is None:
            return
        self.timer.setInterval(round(1000 / frame.fps))
        if self._made_for == _played(frame):
            return
        self._steps.clear()
        self._limits = None
        self._time = frame.cut.start or 0.0
        self._asked = None
        self._ask()

    def _ask(self) -> None:
        """Count the next steps."""
        slot, frame = self.roads.now(self.key)
        if slot is None or frame is None:
            return
        shown = frame.shown if frame.shown is not Shown.FLAGS else Shown.COUNTS
        dataset, start, made_for = slot.dataset, self._time, _played(frame)
        self._made_for = made_for

        def run(ctx: Any) -> Any:
            from ifuview.app.photons.playing import CHUNK, play_chunk

            return play_chunk(dataset, frame, start, CHUNK, shown, ctx)

        def done(found: tuple[Step, ...]) -> None:
            self._asked = None
            if made_for != self._made_for or not self.timer.isActive():
                return
            self._steps.extend(found)
            last = found[-1].cut.stop or 0.0
            self._time = 0.0 if last + 1e-9 >= steps.span_of(frame) else last
            if self._limits is None:
                self._limits = steps.shared_limits(step.image.pixels.raw for step in found)

        def failed(_: Any) -> None:
            self.control.handle(want.PlayPhotons(False))

        request = JobRequest("Count the next steps", run, slot="photon play", quiet=True, front=True)
        self._asked = self.control.submit(request, done, failed)

    def _tick(self) -> None:
        session = self.control.session
        slot = session.slot(self.key)
        if frame_of(slot) is None or slot is None:
            self.timer.stop()
            return
        if self._steps:
            self.control.store.put(self._shown(session, slot, self._steps.pop(0)))
        from ifuview.app.photons.playing import CHUNK

        waiting = self._asked is not None and self.control.is_pending(self._asked)
        if len(self._steps) < CHUNK // 2 and not waiting:
            self._ask()

    def _shown(self, session: Session, slot: Slot, step: Step) -> Session:
        """The session with one step in the frame."""
        frame = frame_of(slot)
        assert frame is not None
        shown = frame.shown if frame.shown is not Shown.FLAGS else Shown.COUNTS
        slot = steps.with_look(slot, shown, self.roads.look())
        frame = frame_of(slot)
        assert frame is not None
        look = slot.look
        if look.limit_mode.value != "user" and self._limits is not None:
            look = replace(look, lo=self._limits[0], hi=self._limits[1])
        title = steps.title(frame.name, frame.source.info, step.cut, shown)
        photons = replace(frame, cut=step.cut, image=step.counted, preview=False)
        return session.with_slot(replace(slot, image=step.image, photons=photons, look=look, pyramid=None, title=title))


def _played(frame: PhotonFrame) -> Any:
    """What the pictures of playing depend on besides the time."""
    cut = frame.cut
    return frame.step, cut.low, cut.high, cut.exclude, frame.shown is Shown.RATE, id(frame.live)

"""Inward road of photon lists: cuts, playing and saving become jobs whose counts are the pictures of the frames."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ifuview.app import intents as want
from ifuview.app.frames.state import Made
from ifuview.app.jobs import JobRequest
from ifuview.app.photons import images as steps
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.photons.units import plain
from ifuview.app.photons.views.photons import INDEX
from ifuview.app.photons.which import frame_of, is_photons
from ifuview.app.session import Level, Session, Slot
from ifuview.app.steps import look_of
from ifuview.errors import UsageError
from ifuview.gui.photons.player import Player
from ifuview.model.image import Kind

if TYPE_CHECKING:
    from ifuview.app.photons.counting import Counted
    from ifuview.gui.shell.controller import Controller
    from ifuview.model.photons.lists import PhotonCut

LEAST_STEP, MOST_FPS = 1e-3, 50.0  # s, 1/s
EQUAL = 0.01  # exposures that differ by less are the same
FIBER_DOCKS = ("spectrum", "quality", "section")
FIBERS = (Kind.DETECTOR, Kind.RSS, Kind.SPECTRUM)
OPENING = "the photon list is still being opened"


def roads(controller: Controller) -> dict[type, Callable[[Any], None]]:
    """Intent type -> what carries it out."""
    photon = controller.photon_roads
    return {
        want.SetPhotonCut: photon.set_cut,
        want.ShowPhotons: photon.show,
        want.PlayPhotons: photon.play,
        want.CopyPhotons: photon.copy,
        want.SavePhotons: photon.save,
        want.IndexPhotons: photon.index,
        want.UseBeammap: photon.use_beammap,
    }


@dataclass(slots=True)
class Wish:
    """The count that a frame waits for; a newer one takes its place."""

    cut: PhotonCut
    shown: Shown
    final: bool


class PhotonRoads:
    """What the controller does for photon lists."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._wishes: dict[int, Wish] = {}
        self._jobs: dict[int, int] = {}  # frame -> its count that waits or runs
        self._player: Player | None = None
        self._aside = False  # the docks of fibers

    # opening

    def use_beammap(self, intent: want.UseBeammap) -> None:
        """Open raw packets anew with a beam map."""
        slot = self.controller.session.slot(intent.key)
        frame = frame_of(slot)
        if slot is None or frame is None:
            raise UsageError("this frame is not of a photon list", intent.path, "choose one of raw packets")
        if frame.playing:
            self.play(want.PlayPhotons(False))
        self.begin(replace(slot, photons=None, title=frame.name), os.path.expanduser(intent.path))

    def begin(self, slot: Slot, beammap: str = "") -> None:
        """Open the photon list of a new frame; then its index, which is made if there is none."""
        control, path = self.controller, slot.dataset.path
        if slot.photons is not None:
            return

        name = slot.title.removesuffix(".h5").removesuffix(".hdf5")

        def run(ctx: Any) -> PhotonFrame:
            from ifuview.app.photons import counting

            return counting.open_frame(path, name, ctx, beammap)

        def done(frame: PhotonFrame) -> None:
            now = control.session.slot(slot.key)
            if now is None:
                return
            if frame.beammap:
                now = self._mapped(now, frame)
            titled = replace(
                now, photons=frame, title=steps.title(frame.name, frame.source.info, frame.cut, Shown.FLAGS)
            )
            control.store.put(control.session.with_slot(titled))
            if not frame.source.info.beammap.flags.any():
                self.show(want.ShowPhotons(Shown.COUNTS, slot.key))  # no flag to be seen
            if not control.headless:
                self._set_aside()
                for dock in ("calibrations", "photons"):
                    control.shell.emit(want.ShowDock(dock))
                self.index(want.IndexPhotons(slot.key))

        control.submit(JobRequest(f"Photons of {slot.title}", run, quiet=True, front=True), done)

    def _mapped(self, slot: Slot, frame: PhotonFrame) -> Slot:
        """The frame with the flags of a beam map, and a word about it."""
        from ifuview.app.photons import beammaps

        for note in frame.source.info.notes:
            if note not in slot.dataset.notes:
                self.controller.say(Level.INFO, f"{frame.name}: {note}")
        dataset = beammaps.mapped(slot.dataset, frame.source.info)
        return steps.showing_flags(replace(slot, dataset=dataset, photons=replace(frame, shown=Shown.FLAGS)))

    def _set_aside(self) -> None:
        """Hide the docks of fibers where there are none; the light has its place once something is selected."""
        control = self.controller
        if self._aside or any(slot.image.kind in FIBERS for slot in control.session.slots):
            return
        self._aside = True
        for dock in FIBER_DOCKS:
            control.shell.emit(want.ShowDock(dock, False))

    def other(self, slot: Slot) -> None:
        """A frame that is no photon list was opened: one with fibers brings their docks back."""
        if not self._aside or slot.image.kind not in FIBERS:
            return
        self._aside = False
        for dock in FIBER_DOCKS:
            self.controller.shell.emit(want.ShowDock(dock))

    def index(self, intent: want.IndexPhotons) -> None:
        """Make or open the index and load the live image, while everything else goes on."""
        control = self.controller
        slot = control.session.slot(intent.key)
        frame = frame_of(slot)
        if slot is None or frame is None:
            raise UsageError(OPENING if is_photons(slot) else "there is no photon list", todo="open one")
        before = frame

        def run(ctx: Any) -> Any:
            from ifuview.app.photons import counting

            return counting.made_live(before, ctx)

        def done(found: Any) -> None:
            self._live(before, *found)

        name = f"{INDEX}{steps.base_title(slot)}"
        control.submit(JobRequest(name, run, slot=f"index {frame.raw.info.path}", aside=True), done)

    def _live(self, before: PhotonFrame, raw: Any, source: Any, live: Any) -> None:
        """Give a live image to all frames that count the same photons; those under another stack ask for theirs."""
        control = self.controller
        session, keys, others = control.session, [], []
        for slot in session.slots:
            frame = frame_of(slot)
            if frame is not None and frame.source is before.source:
                session = session.with_slot(replace(slot, photons=replace(frame, raw=raw, source=source, live=live)))
                keys.append(slot.key)
            elif frame is not None and frame.raw is before.raw and raw is not before.raw:
                session = session.with_slot(replace(slot, photons=replace(frame, raw=raw)))
                others.append(slot.key)
        control.store.put(session)
        for key in others:
            self.index(want.IndexPhotons(key))
        if live is not None and keys:
            what = "photons follow" if live.exact else "photons are many: an estimate of them follows"
            control.say(Level.INFO, f"{plain(len_of(source))} {what} the sliders now")

    # counting

    def set_cut(self, intent: want.SetPhotonCut) -> None:
        """Count other photons; while a slider is dragged, only as often as pictures are ready."""
        control = self.controller
        slot = control.session.slot(intent.key)
        frame = frame_of(slot)
        if slot is None or frame is None:
            return
        if intent.final:
            try:
                self._check(frame, intent.cut)
            except UsageError:
                control.store.put(control.session.with_slot(replace(slot, photons=replace(frame))))  # drawn as it was
                raise
        times = (intent.cut.start, intent.cut.stop) != (frame.cut.start, frame.cut.stop)
        if frame.playing and times:
            self.play(want.PlayPhotons(False))
            slot, frame = self.now(intent.key)
            if slot is None or frame is None:
                return
        same = (intent.cut.start, intent.cut.stop, intent.cut.low, intent.cut.high) == (
            frame.cut.start, frame.cut.stop, frame.cut.low, frame.cut.high)  # fmt: skip
        shown = frame.shown if frame.shown is not Shown.FLAGS or same else Shown.COUNTS
        if not intent.final and frame.live is None:
            return  # a pass over the file is worth waiting for until the hand is still
        if intent.final:
            control.store.put(control.session.with_slot(replace(slot, photons=replace(frame, cut=intent.cut))))
        if frame.playing or shown is Shown.FLAGS:
            if self._player is not None:
                self._player.refresh()
            return
        self._wish(intent.key, intent.cut, shown, intent.final)

    def _check(self, frame: PhotonFrame, cut: PhotonCut) -> None:
        from ifuview.app.photons import counting

        counting.check_cut(frame, cut)

    def now(self, key: int) -> tuple[Slot | None, PhotonFrame | None]:
        """A frame as it is now, and its photon half."""
        slot = self.controller.session.slot(key)
        return slot, frame_of(slot)

    def _wish(self, key: int, cut: PhotonCut, shown: Shown, final: bool) -> None:
        self._wishes[key] = Wish(cut, shown, final)
        job = self._jobs.get(key)
        if job is None or not self.controller.is_pending(job):
            self._next(key)

    def _next(self, key: int) -> None:
        """Count what is wished for last."""
        control = self.controller
        wish = self._wishes.pop(key, None)
        slot = control.session.slot(key)
        if wish is None or slot is None:
            self._jobs.pop(key, None)
            return
        session: Session = control.session
        frame = frame_of(slot)
        assert frame is not None
        if frame.shown is not wish.shown:  # the look of what is shown next, so that its limits are found
            session = session.with_slot(steps.with_look(slot, wish.shown, self.look()))

        def run(ctx: Any) -> Any:
            from ifuview.app.photons import counting

            return counting.recount(session, key, wish.cut, wish.shown, final=wish.final, ctx=ctx)

        def done(found: Counted | None) -> None:
            self._next(key)  # counted while this one is painted
            if found is not None:
                control.store.put(self.counted(control.session, found, wish.final))

        name = f"Count {steps.base_title(slot)}"
        quick = frame.live is not None
        self._jobs[key] = control.submit(
            JobRequest(name, run, quiet=quick, front=True), done, lambda _: self._failed(key)
        )

    def _failed(self, key: int) -> None:
        """A count failed: the frame says what is in its picture; what was wished meanwhile is tried."""
        control = self.controller
        slot, frame = self.now(key)
        if slot is not None and frame is not None and frame.image is not None:
            back = replace(frame, cut=frame.image.cut, shown=frame.shown)
            control.store.put(control.session.with_slot(replace(slot, photons=back)))
        self._wishes.pop(key, None)
        self._jobs.pop(key, None)

    def look(self) -> Any:
        """The look that the preferences or the command line ask for; None for the usual one."""
        fields = self.controller.look_fields
        return look_of(fields) if fields else None

    def counted(self, session: Session, found: Counted, final: bool) -> Session:
        """The session with what was counted in its frame, and in the differences made from it."""
        slot = session.slot(found.key)
        frame = frame_of(slot)
        if slot is None or frame is None:
            return session
        slot = steps.with_look(slot, found.shown, self.look())
        frame = frame_of(slot)
        assert frame is not None
        look = slot.look
        if found.limits is not None:
            look = replace(look, lo=found.limits[0], hi=found.limits[1])
        cut = found.cut if final or frame.cut is not found.cut else frame.cut
        frame = replace(frame, cut=cut, image=found.counted, preview=found.preview)
        name = steps.title(frame.name, frame.source.info, cut, found.shown)
        title = name if final else slot.title  # lists and windows take a new name when the hand is still
        slot = replace(slot, image=found.image, photons=frame, look=look, pyramid=None, title=title)
        return _with_made(session.with_slot(slot), found.made)

    # what is shown

    def show(self, intent: want.ShowPhotons) -> None:
        """Flags, counts or rate."""
        control = self.controller
        slot = control.session.slot(intent.key)
        frame = frame_of(slot)
        if slot is None or frame is None:
            waiting = is_photons(slot)
            todo = "try again in a moment" if waiting else "choose one that is"
            raise UsageError(OPENING if waiting else "this frame is not of a photon list", todo=todo)
        shown = Shown(intent.what)
        if shown is Shown.FLAGS:
            if frame.playing:
                self.play(want.PlayPhotons(False))
                slot = control.session.slot(slot.key) or slot
            self._wishes.pop(slot.key, None)
            control.store.put(control.session.with_slot(steps.showing_flags(slot)))
        elif frame.playing:
            control.store.put(control.session.with_slot(steps.with_look(slot, shown, self.look())))
            if self._player is not None:
                self._player.refresh()
        else:
            self._wish(slot.key, frame.cut, shown, True)

    # playing

    def play(self, intent: want.PlayPhotons) -> None:
        """Play through time, or stop; other steps and speeds take hold at once."""
        control = self.controller
        if not intent.on and self._player is not None:
            player, self._player = self._player, None
            player.stop()
        slot = control.session.slot()
        frame = frame_of(slot)
        if slot is None or frame is None:
            if intent.on:
                raise UsageError("there is no photon list to play", todo="open one, or choose its frame")
            return
        step = frame.step if intent.step is None else max(intent.step, LEAST_STEP)
        fps = frame.fps if intent.fps is None else min(max(intent.fps, 0.1), MOST_FPS)
        if intent.on and frame.live is None:
            raise UsageError("playing needs the index of the photon list", frame.source.info.path,
                             "wait until it is made, or make it in the Photons dock")  # fmt: skip
        changed = replace(frame, step=step, fps=fps, playing=intent.on)
        control.store.put(control.session.with_slot(replace(slot, photons=changed)))
        if not intent.on:
            return
        if self._player is not None and self._player.key == slot.key:
            self._player.refresh()
            return
        if self._player is not None:
            self._player.stop()
        self._player = Player(self, slot.key)
        self._player.start()

    # two frames

    def copy(self, _: want.CopyPhotons) -> None:
        """A second frame of the same list."""
        control = self.controller
        slot = control.session.slot()
        if frame_of(slot) is None:
            raise UsageError("there is no photon list to show twice", todo="open one, or choose its frame")
        assert slot is not None
        control.store.put(steps.copied(control.session, slot))
        control.opened.emit(control.session.current)

    def made(self, intent: want.Combine, key: int) -> None:
        """A difference of photon frames is there: from now on it follows them."""
        control = self.controller
        session = control.session
        slot = session.slot(key)
        parents = [session.slot(intent.a), session.slot(intent.b)]
        if slot is not None and any(frame_of(p) is not None for p in parents):
            link = Made(intent.a, intent.b, intent.how, (slot.look.lo, slot.look.hi))
            control.store.put(session.with_slot(replace(slot, made_of=link)))
            self._say_exposures([frame_of(p) for p in parents])

    def _say_exposures(self, frames: list[PhotonFrame | None]) -> None:
        """Counts of unequal times are no comparison."""
        times = [f.image.exposure for f in frames if f is not None and f.image is not None and f.shown is Shown.COUNTS]
        if len(times) == 2 and abs(times[0] - times[1]) > EQUAL * max(times):
            self.controller.say(
                Level.WARNING,
                f"these are counts of {times[0]:.6g} s and of {times[1]:.6g} s; choose Rate in both frames to compare",
            )

    # saving

    def save(self, intent: want.SavePhotons) -> None:
        """Write the image, a cube or a movie on the worker."""
        control = self.controller
        slot = control.session.slot()
        if frame_of(slot) is None:
            raise UsageError("this frame is not of a photon list", intent.path, "choose one that is")
        path = os.path.expanduser(intent.path)

        def run(ctx: Any) -> str:
            from ifuview.app.photons import counting

            assert slot is not None
            return counting.save(slot, intent.what, path, intent.axis, intent.bins, ctx)

        what = intent.what.capitalize()
        control.submit(JobRequest(f"Save {path}", run), lambda at: control.say(Level.INFO, f"{what} written to {at}"))


def _with_made(session: Session, made: tuple[tuple[int, Any], ...]) -> Session:
    """Put differences that were made anew into their frames; limits that the user chose stay."""
    for key, opened in made:
        slot = session.slot(key)
        if slot is None or slot.made_of is None:
            continue
        look, link = slot.look, slot.made_of
        if (look.lo, look.hi) == link.limits:
            look = replace(look, lo=opened.look.lo, hi=opened.look.hi)
            link = replace(link, limits=(look.lo, look.hi))
        image, title = opened.image, opened.image.name
        slot = replace(slot, image=image, dataset=opened.dataset, look=look, made_of=link, pyramid=None, title=title)
        session = session.with_slot(slot)
    return session


def len_of(source: Any) -> int:
    """Photons of a source."""
    return int(source.info.nphoton)

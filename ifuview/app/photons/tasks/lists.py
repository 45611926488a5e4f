"""Tasks of photon lists: open, index, count, show, save."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.intents import Intent, ShowDock
from ifuview.app.frames.state import Made
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.messages import note
from ifuview.app.photons import intents as want
from ifuview.app.photons.counting import images
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.photons.tasks import play as play_tasks
from ifuview.app.photons.units import plain
from ifuview.app.photons.which import frame_of, is_photons, known
from ifuview.app.session import Level, Session, Slot
from ifuview.app.tasks import ALWAYS, Change, Outcome, Plan, Task, Telling, slot_of
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.model.photons.lists import PhotonCut, PhotonSource

if TYPE_CHECKING:
    from ifuview.app.frames.opening.opened import Opened
    from ifuview.app.photons.counting.counts import Counted
    from ifuview.app.photons.state import Live

Indexed = tuple[PhotonSource, PhotonSource, "Live | None"]  # the index, what lies on top of it, its live image
OPENING = "the photon list is still being opened"
NO_LIST = "this frame is not of a photon list"
CHOOSE = "choose one that is"


# opening


@dataclass(frozen=True, kw_only=True)
class OpenPhotons(OfFrame, Task[PhotonFrame]):
    """The photon list of a frame, raw packets by a beam map; then its index, which is made if there is none."""

    kind: ClassVar[JobKind] = JobKind.PHOTONS
    path: str
    name: str
    beammap: str = ""
    quiet: bool = True
    front: bool = True

    def run(self, session: Session, ctx: JobContext) -> PhotonFrame:
        """Open it."""
        from ifuview.app.photons.counting.counts import open_frame

        return open_frame(self.path, self.name, ctx, self.beammap)

    def apply(self, session: Session, result: PhotonFrame) -> Outcome:
        """Show its flags, or its counts if no pixel is flagged."""
        now = session.slot(self.frame)
        if now is None:
            return session
        info = result.source.info
        if result.beammap:
            session, now = _mapped(session, now, result)
        title = images.title(result.name, info, result.cut, Shown.FLAGS)
        session = session.with_slot(replace(now, photons=result, title=title))
        then: list[Intent] = []
        if not info.beammap.flags.any():
            then.append(want.ShowPhotons(Shown.COUNTS, self.frame))  # no flag to be seen
        if not session.headless:
            then += [ShowDock("calibrations", front=False), ShowDock("photons"), want.IndexPhotons(self.frame)]
        return Change(session, tuple(then))


def _mapped(session: Session, slot: Slot, frame: PhotonFrame) -> tuple[Session, Slot]:
    """The frame with the flags of a beam map, and a word about it."""
    from ifuview.app.photons.beammaps import mapped

    info = frame.source.info
    for text in info.notes:
        if text not in slot.dataset.notes:
            session = note(session, f"{frame.name}: {text}")
    slot = replace(slot, dataset=mapped(slot.dataset, info), photons=replace(frame, shown=Shown.FLAGS))
    return session, images.showing_flags(slot)


def opening(slot: Slot, name: str = "", beammap: str = "") -> OpenPhotons:
    """The task that opens the photon list of a frame."""
    name = (name or slot.title).removesuffix(".h5").removesuffix(".hdf5")
    return OpenPhotons(
        title=f"Photons of {name or slot.title}", frame=slot.key, path=slot.dataset.path, name=name, beammap=beammap
    )


def use_beammap(session: Session, intent: want.UseBeammap) -> Outcome:
    """Open raw packets anew with a beam map."""
    slot = session.slot(intent.key)
    frame = frame_of(slot)
    if slot is None or frame is None:
        raise UsageError(NO_LIST, intent.path, "choose one of raw packets")
    task = opening(slot, frame.name, os.path.expanduser(intent.path))
    return Change(play_tasks.stopped(session), (task,))


# the index


@dataclass(frozen=True, kw_only=True)
class MakeIndex(Task[Indexed]):
    """The index of a photon list and its live image, while everything else goes on."""

    kind: ClassVar[JobKind] = JobKind.INDEX
    before: PhotonFrame
    aside: bool = True
    newest: bool = True

    @property
    def of(self) -> str:
        """The file."""
        return self.before.raw.info.path

    def run(self, session: Session, ctx: JobContext) -> Indexed:
        """Make it or open it."""
        from ifuview.app.photons.counting.counts import made_live

        return made_live(self.before, ctx)

    def apply(self, session: Session, result: Indexed) -> Change:
        """Give it to all frames that count the same photons; those under another stack ask for theirs."""
        raw, source, live = result
        given, others = 0, []
        for slot in session.slots:
            frame = frame_of(slot)
            if frame is not None and frame.source is self.before.source:
                session = session.with_slot(replace(slot, photons=replace(frame, raw=raw, source=source, live=live)))
                given += 1
            elif frame is not None and frame.raw is self.before.raw and raw is not self.before.raw:
                session = session.with_slot(replace(slot, photons=replace(frame, raw=raw)))
                others.append(slot.key)
        if live is not None and given:
            what = "photons follow" if live.exact else "photons are many: an estimate of them follows"
            session = note(session, f"{plain(source.info.nphoton)} {what} the sliders now")
        return Change(session, tuple(want.IndexPhotons(key) for key in others))


def index(session: Session, intent: want.IndexPhotons) -> Outcome:
    """Make or open the index of a frame."""
    slot = session.slot(intent.key)
    frame = frame_of(slot)
    if slot is None or frame is None:
        raise UsageError(OPENING if is_photons(slot) else "there is no photon list", todo="open one")
    return MakeIndex(title=f"Index of {images.base_title(slot)}", before=frame)


# counting


@dataclass(frozen=True, kw_only=True)
class CountCut(OfFrame, Task["Counted | None"]):
    """The picture of a frame with the photons of a cut; while one is counted only the newest wish waits."""

    kind: ClassVar[JobKind] = JobKind.COUNT
    cut: PhotonCut
    shown: Shown
    final: bool = True
    front: bool = True
    newest: bool = True
    patience: float = ALWAYS

    def run(self, session: Session, ctx: JobContext) -> Counted | None:
        """Count, and find the limits of what is shown next."""
        from ifuview.app.photons.counting.counts import recount

        slot = session.slot(self.frame)
        if slot is not None:
            session = session.with_slot(images.with_look(slot, self.shown, session.base_look))
        return recount(session, self.frame, self.cut, self.shown, final=self.final, ctx=ctx)

    def apply(self, session: Session, result: Counted | None) -> Session:
        """Show it."""
        return session if result is None else counted(session, result, self.final)

    def failed(self, session: Session, error: BaseException) -> Session:
        """The frame says what is in its picture."""
        slot = session.slot(self.frame)
        frame = frame_of(slot)
        if slot is None or frame is None or frame.image is None:
            return session
        return session.with_slot(replace(slot, photons=replace(frame, cut=frame.image.cut)))


def counting(slot: Slot, cut: PhotonCut, shown: Shown, final: bool = True) -> CountCut:
    """The task that counts a frame; what takes less than a picture is not listed."""
    frame = frame_of(slot)
    quick = frame is not None and frame.live is not None
    title = f"Count {images.base_title(slot)}"
    return CountCut(title=title, frame=slot.key, cut=cut, shown=shown, final=final, quiet=quick)


def counted(session: Session, found: Counted, final: bool) -> Session:
    """The session with what was counted in its frame, and in the differences made from it."""
    slot = session.slot(found.key)
    if slot is None or frame_of(slot) is None:
        return session
    slot = images.with_look(slot, found.shown, session.base_look)
    frame = frame_of(slot)
    assert frame is not None
    look = slot.look
    if found.limits is not None:
        look = replace(look, lo=found.limits[0], hi=found.limits[1])
    cut = found.cut if final or frame.cut is not found.cut else frame.cut
    frame = replace(frame, cut=cut, image=found.counted, preview=found.preview)
    name = images.title(frame.name, frame.source.info, cut, found.shown)
    title = name if final else slot.title  # lists and windows take a new name when the hand is still
    slot = replace(slot, image=found.image, photons=frame, look=look, pyramid=None, title=title)
    return _with_made(session.with_slot(slot), found.made)


def _with_made(session: Session, made: tuple[tuple[int, Opened], ...]) -> Session:
    """Put differences that were made anew into their frames; limits that the user chose stay."""
    for key, opened in made:
        slot = session.slot(key)
        if slot is None or not isinstance(slot.made_of, Made):
            continue
        look, link = slot.look, slot.made_of
        if (look.lo, look.hi) == link.limits:
            look = replace(look, lo=opened.look.lo, hi=opened.look.hi)
            link = replace(link, limits=(look.lo, look.hi))
        image, title = opened.image, opened.image.name
        slot = replace(slot, image=image, dataset=opened.dataset, look=look, made_of=link, pyramid=None, title=title)
        session = session.with_slot(slot)
    return session


def set_cut(session: Session, intent: want.SetPhotonCut) -> Outcome:
    """Count other photons; while a slider is dragged, only as often as pictures are ready."""
    from ifuview.app.photons.counting.counts import check_cut

    slot = session.slot(intent.key)
    frame = frame_of(slot)
    if slot is None or frame is None:
        return session
    cut, old = intent.cut, frame.cut
    if intent.final:
        try:
            check_cut(frame, cut)
        except UsageError as error:
            as_it_was = session.with_slot(replace(slot, photons=replace(frame)))  # another object: drawn again
            return note(as_it_was, str(error), Level.ERROR)
    if frame.playing and (cut.start, cut.stop) != (old.start, old.stop):
        session = play_tasks.stopped(session, slot.key)
        slot, frame = known(session, slot.key)
    same = (cut.start, cut.stop, cut.low, cut.high) == (old.start, old.stop, old.low, old.high)
    shown = frame.shown if frame.shown is not Shown.FLAGS or same else Shown.COUNTS
    if not intent.final and frame.live is None:
        return session  # a pass over the file is worth waiting for until the hand is still
    if intent.final:
        slot = replace(slot, photons=replace(frame, cut=cut))
        session = session.with_slot(slot)
    if frame.playing:
        return play_tasks.begun_again(session, slot.key)
    if shown is Shown.FLAGS:
        return session
    return Change(session, (counting(slot, cut, shown, intent.final),))


def show(session: Session, intent: want.ShowPhotons) -> Outcome:
    """Flags, counts or rate."""
    slot = session.slot(intent.key)
    frame = frame_of(slot)
    if slot is None or frame is None:
        waiting = is_photons(slot)
        raise UsageError(OPENING if waiting else NO_LIST, todo="try again in a moment" if waiting else CHOOSE)
    shown = Shown(intent.what)
    if shown is Shown.FLAGS:
        session = play_tasks.stopped(session, slot.key)
        session = session.with_slot(images.showing_flags(slot_of(session, slot.key)))
        return Change(session, stop=(JobKey(JobKind.COUNT, slot.key),))
    if frame.playing:
        session = session.with_slot(images.with_look(slot, shown, session.base_look))
        return play_tasks.begun_again(session, slot.key)
    return counting(slot, frame.cut, shown)


# saving


@dataclass(frozen=True, kw_only=True)
class WritePhotons(OfFrame, Telling):
    """The image, a cube or a movie of a photon frame in a file."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    what: str
    path: str
    axis: str
    bins: int

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say where."""
        from ifuview.app.photons.counting.counts import save

        slot = slot_of(session, self.frame)
        path = save(slot, self.what, self.path, self.axis, self.bins, ctx)
        return f"{self.what.capitalize()} written to {path}"


def save_photons(session: Session, intent: want.SavePhotons) -> Outcome:
    """Write what the current frame shows."""
    slot = session.slot()
    if slot is None or frame_of(slot) is None:
        raise UsageError(NO_LIST, intent.path, CHOOSE)
    path = os.path.expanduser(intent.path)
    return WritePhotons(
        title=f"Save {path}", frame=slot.key, what=intent.what, path=path, axis=intent.axis, bins=intent.bins
    )


TASKS: Mapping[type[Intent], Plan] = {
    want.IndexPhotons: index,
    want.UseBeammap: use_beammap,
    want.SetPhotonCut: set_cut,
    want.ShowPhotons: show,
    want.SavePhotons: save_photons,
}

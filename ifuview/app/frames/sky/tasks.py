"""Tasks of the sky: what a header asks for beyond arithmetic is made ready; frames are brought to one sky."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames import intents as want
from ifuview.app.frames import steps
from ifuview.app.frames.sky import maps
from ifuview.app.frames.sky.lock import follow, follow_all, sky_of
from ifuview.app.frames.sky.maps import SkyMap
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.session import Level, Session, Slot
from ifuview.app.tasks import Change, Plan, Task, slot_of
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError


@dataclass(frozen=True, kw_only=True)
class MakeSky(OfFrame, Task[SkyMap | str]):
    """Where the pixels of a frame lie on the sky, by astropy; a sentence where that is not known."""

    kind: ClassVar[JobKind] = JobKind.SKY
    quiet: bool = True
    once: bool = True
    leader: int | None = None  # frame whose sky is shown then

    def run(self, session: Session, ctx: JobContext) -> SkyMap | str:
        """Ask astropy."""
        slot = slot_of(session, self.frame)
        try:
            return maps.make(slot.image, slot.dataset.path)
        except (IfuviewError, OSError) as problem:
            return f"{slot.title}: {problem}"

    def apply(self, session: Session, result: SkyMap | str) -> Session:
        """Keep it with the frame, which follows the others if they are tied by the sky."""
        now = session.slot(self.frame)
        if isinstance(result, str) or now is None:
            return session if now is None else note(session, str(result), Level.WARNING)
        slot = replace(now, sky=result)
        ahead = (self.leader, session.current, session.previous, *(s.key for s in session.slots))
        leader = next((s for key in ahead if (s := session.slot(key)) and s.key != slot.key and sky_of(s)), None)
        tied = session.locks.sky or self.leader is not None
        return session.with_slot(follow(slot, leader) if leader is not None and tied else slot)


def wanted(slot: Slot) -> bool:
    """Whether the sky of a frame is still to be asked for."""
    return sky_of(slot) is None and maps.wanted(slot.image)


def make_sky(slot: Slot, leader: int | None = None) -> MakeSky:
    """The task for a frame."""
    return MakeSky(title=f"Sky coordinates of {slot.title}", frame=slot.key, leader=leader)


def set_lock(session: Session, intent: want.SetLock) -> Change:
    """Switch a lock; switching it on also matches once."""
    out = steps.set_lock(session, intent)
    return _tied(out) if intent.what == "sky" and intent.on else Change(out)


def match(session: Session, intent: want.Match) -> Change:
    """Copy one property of the current frame to all others."""
    return _tied(session) if intent.what == "sky" else Change(steps.match(session, intent))


def _tied(session: Session) -> Change:
    """All frames on the sky of the current one, as soon as it is known; who cannot is said."""
    leader = session.slot()
    if leader is None:
        return Change(session)
    pending = tuple(make_sky(s, leader.key) for s in session.slots if wanted(s))
    without = [s.title for s in session.slots if sky_of(s) is None and not wanted(s)]
    session = follow_all(session, leader)
    if without:
        session = note(session, f"No sky coordinates, stays where it is: {', '.join(without)}.", Level.WARNING)
    return Change(session, pending)


TASKS: Mapping[type[want.Intent], Plan] = {want.SetLock: set_lock, want.Match: match}

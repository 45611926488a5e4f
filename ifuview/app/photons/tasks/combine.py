"""The task that makes a difference or ratio of two frames; of photon frames it follows them from then on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.adding import added
from ifuview.app.frames.combine import combine
from ifuview.app.frames.intents import Combine, Intent
from ifuview.app.frames.memory import within_bounds
from ifuview.app.frames.opening.opened import Opened
from ifuview.app.frames.state import Made
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.photons.state import Shown
from ifuview.app.photons.which import frame_of
from ifuview.app.session import Level, Session
from ifuview.app.tasks import Outcome, Plan, Task, slot_of
from ifuview.engine.context import JobContext

EQUAL = 0.01  # exposures that differ by less are the same


@dataclass(frozen=True, kw_only=True)
class CombineFrames(Task[Opened]):
    """The difference or ratio of two frames."""

    kind: ClassVar[JobKind] = JobKind.COMBINE
    a: int
    b: int
    how: str

    def run(self, session: Session, ctx: JobContext) -> Opened:
        """Make it."""
        return combine(slot_of(session, self.a), slot_of(session, self.b), self.how, ctx)

    def apply(self, session: Session, result: Opened) -> Session:
        """Show it in a frame of its own."""
        key = session.next_key
        session = added(session, (result,))
        for text in dict.fromkeys(result.dataset.notes):
            session = note(session, f"{slot_of(session, key).title}: {text}")
        session = within_bounds(session)
        parents = [frame_of(session.slot(k)) for k in (self.a, self.b)]
        slot = slot_of(session, key)
        link = Made(self.a, self.b, self.how, (slot.look.lo, slot.look.hi))
        session = session.with_slot(replace(slot, made_of=link))
        shown = [p.image.exposure for p in parents if p is not None and p.image and p.shown is Shown.COUNTS]
        if len(shown) < 2 or abs(shown[0] - shown[1]) <= EQUAL * max(shown):
            return session
        words = f"these are counts of {shown[0]:.6g} s and of {shown[1]:.6g} s; choose Rate in both frames to compare"
        return note(session, words, Level.WARNING)


def combine_frames(session: Session, intent: Combine) -> Outcome:
    """Combine two frames that are open."""
    a, b = session.slot(intent.a), session.slot(intent.b)
    if a is None or b is None:
        return session
    return CombineFrames(title=f"{intent.how} of {a.title} and {b.title}", a=a.key, b=b.key, how=intent.how)


TASKS: Mapping[type[Intent], Plan] = {Combine: combine_frames}

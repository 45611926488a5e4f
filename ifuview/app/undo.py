"""One undo for traces, calibrations, reductions and judgments: what was changed last is taken back first, or redone.

Each keeps its own changes beside what they changed, so that what is closed takes its changes with it; their numbers
say in which order they were made. What was taken back is there until something else is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ifuview.app.frames.intents import Intent, SetLayout, ShowDock
from ifuview.app.frames.steps import shown
from ifuview.app.messages import note
from ifuview.app.night.intents import TakeBack, UndoJudgment
from ifuview.app.photons.intents import TakeBackCalibration
from ifuview.app.session import Layout, Session
from ifuview.app.tasks import Change, Outcome, Plan
from ifuview.app.traces.intents import Undo, UndoTraces

NOTHING = "nothing was changed that could be taken back"
NOTHING_BACK = "nothing was taken back that could be done again"
Found = tuple[int, Intent, int | None]  # the number of a change, what takes it back, and the frame that shows it


def last_of_each(session: Session, *, again: bool = False) -> Iterator[Found]:
    """The last change of everything that keeps its changes; `again`: what of it was taken back last."""
    for slot in session.slots:
        if traces := slot.undone_traces if again else slot.past_traces:
            yield traces[-1].number, UndoTraces(slot.key, again), slot.key
        photons = slot.photons
        if photons is not None and (stacks := photons.undone if again else photons.past):
            yield stacks[-1].number, TakeBackCalibration(slot.key, again), slot.key
    reduction, detections = session.reduction, session.detections
    if reduction is not None and (changes := reduction.undone if again else reduction.past):
        from ifuview.app.night.reduction.live.showing import frame_of_step

        yield changes[-1].number, TakeBack(again), frame_of_step(session)
    if detections is not None and (given := detections.undone if again else detections.past):
        yield given[-1].number, UndoJudgment(again), None


def last(session: Session) -> Found | None:
    """The change that was made last; None if there is none."""
    return max(last_of_each(session), key=lambda found: found[0], default=None)


def following(session: Session) -> Found | None:
    """What is done again next: the first after the last change; None if there is none."""
    now = last(session)
    later = (one for one in last_of_each(session, again=True) if now is None or one[0] > now[0])
    return min(later, key=lambda found: found[0], default=None)


def next_number(session: Session) -> int:
    """The number of a change that is made now: what was taken back before is of no use from then on."""
    known = (*last_of_each(session), *last_of_each(session, again=True))
    return 1 + max((number for number, *_ in known), default=0)


def undo(session: Session, intent: Undo) -> Outcome:
    """Take back what was done last, anywhere, or do it again, on the frame that shows it; that says what it was."""
    found = following(session) if intent.again else last(session)
    if found is None:
        return note(session, NOTHING_BACK if intent.again else NOTHING)
    _, back, key = found
    if key is None or session.slot(key) is None:
        return Change(session, (back, ShowDock("detections")) if isinstance(back, UndoJudgment) else (back,))
    hidden = session.layout is Layout.BLINK and session.blink_keys and key not in session.blink_keys
    first = (SetLayout(Layout.SINGLE),) if hidden else ()
    return Change(shown(session, key), (*first, back))


TASKS: Mapping[type[Intent], Plan] = {Undo: undo}

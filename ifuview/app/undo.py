"""One undo for traces, calibrations, reductions and judgments: what was changed last is taken back first.

Each keeps its own changes beside what they changed, so that what is closed takes its changes with it; their numbers
say in which order they were made.
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
Found = tuple[int, Intent, int | None]  # the number of a change, what takes it back, and the frame that shows it


def last_of_each(session: Session) -> Iterator[Found]:
    """The last change of everything that keeps its changes."""
    for slot in session.slots:
        if slot.past_traces:
            yield slot.past_traces[-1].number, UndoTraces(slot.key), slot.key
        if slot.photons is not None and slot.photons.past:
            yield slot.photons.past[-1].number, TakeBackCalibration(slot.key), slot.key
    reduction, detections = session.reduction, session.detections
    if reduction is not None and reduction.past:
        from ifuview.app.night.reduction.live.showing import frame_of_step

        yield reduction.past[-1].number, TakeBack(), frame_of_step(session)
    if detections is not None and detections.past:
        yield detections.past[-1].number, UndoJudgment(), None


def last(session: Session) -> Found | None:
    """The change that was made last; None if there is none."""
    return max(last_of_each(session), key=lambda found: found[0], default=None)


def next_number(session: Session) -> int:
    """The number of a change that is made now."""
    found = last(session)
    return 1 if found is None else found[0] + 1


def undo(session: Session, intent: Undo) -> Outcome:
    """Take back what was done last, anywhere, and show where that was; what takes it back says what it was."""
    found = last(session)
    if found is None:
        return note(session, NOTHING)
    _, back, key = found
    if key is None or session.slot(key) is None:
        return Change(session, (back, ShowDock("detections")) if isinstance(back, UndoJudgment) else (back,))
    hidden = session.layout is Layout.BLINK and session.blink_keys and key not in session.blink_keys
    first = (SetLayout(Layout.SINGLE),) if hidden else ()
    return Change(shown(session, key), (*first, back))


TASKS: Mapping[type[Intent], Plan] = {Undo: undo}

"""Steps of the traces: (session, intent) -> next session, pure and quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ifuview.app.frames.intents import Intent
from ifuview.app.frames.past import Past, turned
from ifuview.app.frames.steps import spread
from ifuview.app.messages import note
from ifuview.app.session import Session, Slot
from ifuview.app.traces import intents as want
from ifuview.app.undo import next_number
from ifuview.model.image import Kind
from ifuview.model.trace import TraceSet

NOTHING = "there is no correction to apply or undo in this frame"


def traces_on_all(session: Session, slot: Slot, traces: TraceSet) -> Session:
    """Put traces on a frame and on the frames of the same detector that have none."""
    number = next_number(session)

    def changed(s: Slot) -> Slot:
        return replace(s, traces=traces, past_traces=_past(s, number, traces.name), undone_traces=())

    def change(s: Slot) -> Slot:
        same_detector = s.image.kind is slot.image.kind is Kind.DETECTOR and s.image.camera == slot.image.camera
        fits = s.key == slot.key or (s.traces is None and same_detector)
        return changed(s) if fits else s

    return spread(session, slot, change, True, same_size=True)


def apply_correction(session: Session, _: want.ApplyCorrection) -> Session:
    """The corrected traces of the diagnosis become those of the frame; the earlier ones are kept."""
    slot = session.slot()
    if slot is None or slot.diagnosis is None or slot.traces is None or slot.traces is slot.diagnosis.corrected:
        return note(session, NOTHING)
    corrected = slot.diagnosis.corrected
    past = _past(slot, next_number(session), corrected.name)
    changed = replace(slot, traces=corrected, past_traces=past, undone_traces=())
    session = _without_other(session.with_slot(changed))
    return note(session, f"{slot.title}: now with {corrected.name}")


def _past(slot: Slot, number: int, name: str) -> tuple[Past[TraceSet | None], ...]:
    """The changes of a frame with one more, to traces of a name."""
    return (*slot.past_traces, Past(number, f"traces {name}", slot.traces))


def undo_traces(session: Session, intent: want.UndoTraces) -> Session:
    """The traces before the last change, or after it `again`, of all frames that were changed with this one."""
    slot = session.slot(intent.key)
    changes = () if slot is None else slot.undone_traces if intent.again else slot.past_traces
    if slot is None or not changes:
        return note(session, NOTHING)
    last = changes[-1]

    def other(s: Slot) -> Slot:
        own = s.undone_traces if intent.again else s.past_traces
        if not own or own[-1].number != last.number:
            return s
        found, past, undone = turned(s.past_traces, s.undone_traces, s.traces, intent.again)
        return replace(s, traces=found.before, past_traces=past, undone_traces=undone)

    session = _without_other(spread(session, slot, other, True))
    now = "without traces" if last.before is None else f"with {last.before.name}"
    done = "used again" if intent.again else "taken back"
    return note(session, f"{slot.title}: {last.words} {done}; now {now}")


def _without_other(session: Session) -> Session:
    """The session with the traces of its frames drawn, not the others that they are blinked against."""
    return replace(session, overlay=replace(session.overlay, alternate=False))


STEPS: Mapping[type[Intent], Callable[[Session, Any], Session]] = {
    want.ApplyCorrection: apply_correction,
    want.UndoTraces: undo_traces,
}

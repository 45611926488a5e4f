"""Steps of the traces: (session, intent) -> next session, pure and quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ifuview.app.frames.intents import Intent
from ifuview.app.frames.steps import spread
from ifuview.app.messages import note
from ifuview.app.session import Session, Slot
from ifuview.app.traces import intents as want
from ifuview.model.image import Kind
from ifuview.model.trace import TraceSet

NOTHING = "there is no correction to apply or undo in this frame"


def traces_on_all(session: Session, slot: Slot, traces: TraceSet) -> Session:
    """Put traces on a frame and on the frames of the same detector that have none."""

    def change(s: Slot) -> Slot:
        same_detector = s.image.kind is slot.image.kind is Kind.DETECTOR and s.image.camera == slot.image.camera
        fits = s.key == slot.key or (s.traces is None and same_detector)
        return replace(s, traces=traces) if fits else s

    return spread(session, slot, change, True, same_size=True)


def apply_correction(session: Session, _: want.ApplyCorrection) -> Session:
    """The corrected traces of the diagnosis become those of the frame; the earlier ones are kept."""
    slot = session.slot()
    if slot is None or slot.diagnosis is None or slot.traces is None or slot.traces is slot.diagnosis.corrected:
        return note(session, NOTHING)
    corrected = replace(slot, traces=slot.diagnosis.corrected, past_traces=(*slot.past_traces, slot.traces))
    return _with_other(session, corrected)


def undo_traces(session: Session, _: want.UndoTraces) -> Session:
    """The traces before the last correction."""
    slot = session.slot()
    if slot is None or not slot.past_traces:
        return note(session, NOTHING)
    earlier = replace(slot, traces=slot.past_traces[-1], past_traces=slot.past_traces[:-1])
    return _with_other(session, earlier)


def _with_other(session: Session, slot: Slot) -> Session:
    """The session with a frame that has other traces now."""
    assert slot.traces is not None
    session = replace(session.with_slot(slot), overlay=replace(session.overlay, alternate=False))
    return note(session, f"{slot.title}: now with {slot.traces.name}")


STEPS: Mapping[type[Intent], Callable[[Session, Any], Session]] = {
    want.ApplyCorrection: apply_correction,
    want.UndoTraces: undo_traces,
}

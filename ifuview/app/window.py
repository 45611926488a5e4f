"""What the window shows around the canvas and the docks: title, last message, extensions, switches, the running job."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.app.frames.views import image as canvas
from ifuview.app.jobs import JobBook, JobRecord, JobStatus
from ifuview.app.session import Layout, Message, Session, Slot

PROGRAM = "ifuview"
ANSWERS = ("triage", "tables", "inspection")  # of a session; a new one means that something went well
PARTS = ("image", "traces", "regions", "diagnosis", "plane")  # of a frame; likewise


@dataclass(frozen=True, slots=True, eq=False)
class WindowView:
    """Everything around canvas and docks.

    Parameters
    ----------
    title : str
    message : Message or None
        What was said last.
    slot : Slot or None
        The current frame.
    layout : Layout
    drawing : str
        Shape that a drag on the canvas draws.
    night : bool
        A night is open.
    photons : bool
        The current frame is of a photon list.
    picture : bool
        There is an image, or nothing at all, that the middle of the window is for; not where tables are open alone.
    colorbar, magnifier, panner : bool
        Whether each is shown.
    session : Session
        What it was made from, to see what was done since.
    """

    title: str
    message: Message | None
    slot: Slot | None
    layout: Layout
    drawing: str
    night: bool
    photons: bool
    picture: bool
    colorbar: bool
    magnifier: bool
    panner: bool
    session: Session


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (
        session.slots, session.current, session.layout, session.blink_keys, session.drawing, session.overlay,
        session.messages, session.night, *(getattr(session, name) for name in ANSWERS),
    )  # fmt: skip


def make(session: Session) -> WindowView:
    """The window of a session."""
    slot, overlay = session.slot(), session.overlay
    return WindowView(
        title=title(session),
        message=session.messages[-1] if session.messages else None,
        slot=slot,
        layout=session.layout,
        drawing=session.drawing,
        night=session.night is not None,
        photons=slot is not None and slot.dataset.kind == "photons",
        picture=slot is not None or session.night is not None or not session.tables,
        colorbar=overlay.colorbar and not (slot is not None and slot.look.cmap == "flags"),
        magnifier=overlay.magnifier,
        panner=overlay.panner,
        session=session,
    )


def title(session: Session) -> str:
    """Title of the window: the current frame, or between how many frames is blinked."""
    slot = session.slot()
    if slot is None:
        return PROGRAM
    if session.layout is Layout.BLINK and len(session.slots) > 1:
        return f"Blinking {len(canvas.blinks(session))} frames, from {slot.title} - {PROGRAM}"
    return f"{slot.title} - {PROGRAM}"


def went_well(old: Session, new: Session) -> bool:
    """Whether something was done since: a frame opened, another one shown, traces or regions changed, a triage..."""
    if len(new.slots) > len(old.slots) or (new.current, new.layout) != (old.current, old.layout):
        return True
    if any(getattr(new, name) is not getattr(old, name) for name in ANSWERS):
        return True
    before = {slot.key: slot for slot in old.slots} if new.slots is not old.slots else {}
    return any(
        getattr(slot, part) is not getattr(before[slot.key], part)
        for slot in new.slots
        if slot.key in before
        for part in PARTS
    )


def running(book: JobBook) -> JobRecord | None:
    """The job that the status line tells of: one that runs, else the next one."""
    told = [j for j in book.records if not j.quiet]
    by_status = (next((j for j in told if j.status is s), None) for s in (JobStatus.RUNNING, JobStatus.QUEUED))
    return next((job for job in by_status if job is not None), None)

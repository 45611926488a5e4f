"""Tasks of the detections: read with their file, shown wherever their place is open, judged, saved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ifuview.app.frames.intents import Intent, SetPlane, ShowDock
from ifuview.app.frames.past import Past, turned
from ifuview.app.frames.selection import pixel_of_wavelength
from ifuview.app.frames.steps import set_plane
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import intents as want
from ifuview.app.night.detections.state import DetectionState
from ifuview.app.session import Level, Selection, Session, Slot
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.app.undo import next_number
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.files import product_stem
from ifuview.model.image import Kind
from ifuview.model.night.detections import DetectionTable, Judgment

OBSERVATION = "observation"  # kind of the files that have detections
TABLE = "Detections"


def first_reading(session: Session, slot: Slot) -> tuple[ReadDetections, ...]:
    """What reads the detections of a file that has just been opened, if it has any and they are not read yet."""
    dataset = slot.dataset
    known = session.detections is not None and session.detections.path == dataset.path
    if known or dataset.kind != OBSERVATION or slot.image is not dataset.images[0]:
        return ()
    if not any(table.name == TABLE for table in dataset.tables):
        return ()
    return (ReadDetections(title=f"Detections of {slot.title}", path=dataset.path),)


@dataclass(frozen=True, kw_only=True)
class ReadDetections(Task[DetectionState]):
    """All detections of a file with what was said of them."""

    kind: ClassVar[JobKind] = JobKind.TABLES
    path: str
    quiet: bool = True

    @property
    def of(self) -> str:
        """The file."""
        return f"detections {self.path}"

    def run(self, session: Session, ctx: JobContext) -> DetectionState:
        """Read them."""
        from ifuview.io.night.judgments import judgments_path, read_judgments
        from ifuview.io.products.virus.detections import DetectionFile, read_detections

        table = read_detections(self.path)
        beside = judgments_path(self.path)
        said: Mapping[int, Judgment] = {}
        if os.path.isfile(beside):
            try:
                said = read_judgments(beside, table)
            except IfuviewError as problem:
                ctx.checkpoint(1.0, str(problem))
                beside = ""
        source = DetectionFile(self.path, table)
        return DetectionState(
            self.path, product_stem(self.path), table, source, said=said, saved=beside if said else ""
        )  # fmt: skip

    def apply(self, session: Session, result: DetectionState) -> Outcome:
        """Show them."""
        words = f"{result.title}: {len(result.table)} detections"
        words += f", {len(result.said)} of them judged in {os.path.basename(result.saved)}" if result.said else ""
        session = note(replace(session, detections=result), words)
        return Change(session, () if session.headless else (ShowDock("detections"),))


def state_of(session: Session) -> DetectionState:
    """The detections that are open.

    Raises
    ------
    UsageError
        There are none.
    """
    if session.detections is None:
        raise UsageError("no detections are open", todo="open the file of a reduced observation")
    return session.detections


def show(session: Session, intent: want.ShowDetection) -> Session:
    """Look at a detection: its fibers selected, the crosshair at its wavelength, cubes of its head at its plane."""
    state = state_of(session)
    if not 0 <= intent.row < len(state.table):
        return session
    session = replace(session, detections=replace(state, row=intent.row))
    table, row = state.table, intent.row
    for slot in session.slots:
        if slot.image.kind is Kind.CUBE and cube_of(slot, state.path, str(table.slot[row])):
            session = _in_cube(session, slot, table, row)
    return _in_fibers(session, state.path, table, row)


def cube_of(slot: Slot, path: str, head: str) -> bool:
    """Whether a frame is the cube of a head of an observation."""
    name = os.path.basename(slot.dataset.path)
    return name.startswith(product_stem(path).removesuffix(".h5")) and f"_{head}_" in name


def _in_cube(session: Session, slot: Slot, table: DetectionTable, row: int) -> Session:
    """A cube at the wavelength of a detection, its place under the crosshair where the cube is on the canvas."""
    wave, image = slot.image.wave, slot.image
    if wave is not None and np.isfinite(table.wave[row]):
        plane = int(np.argmin(np.abs(wave - table.wave[row])))
        session = set_plane(session, SetPlane(slot.key, (plane,)))
    step, first = (tuple(_real(image.header.get(f"{key}{n}")) for n in (1, 2)) for key in ("CDELT", "CRVAL"))
    x, y = (table.x[row] - first[0]) / step[0], (table.y[row] - first[1]) / step[1]
    if slot.key == session.current and np.isfinite([x, y]).all():
        session = replace(session, selection=replace(session.selection, x=float(x), y=float(y)))
    return session


def _real(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _in_fibers(session: Session, path: str, table: DetectionTable, row: int) -> Session:
    """The spectra of the head with the fibers nearest to a detection selected, one an exposure, the nearest first.

    They come to the canvas unless a cube of the head is there.
    """
    head = str(table.slot[row])
    slot = next((
        one for one in session.slots
        if one.image.kind is Kind.RSS and one.image.camera == head
        and one.image.fibermap is not None
        and (one.dataset.path == path or (not one.dataset.path and path in one.dataset.spec))
    ), None)  # fmt: skip
    fibers = None if slot is None else slot.image.fibermap
    if slot is None or fibers is None or fibers.focal_x is None or fibers.focal_y is None:
        return session
    away = np.hypot(np.asarray(fibers.focal_x) - table.x[row], np.asarray(fibers.focal_y) - table.y[row])
    number = np.asarray(fibers.table.get("exp", np.zeros(away.size)))
    nearest = [int(own[np.argmin(away[own])]) for own in (np.flatnonzero(number == n) for n in np.unique(number))]
    nearest.sort(key=lambda k: float(away[k]))
    now = session.slot()
    if now is not None and now.image.kind is Kind.CUBE and cube_of(now, path, head):
        rest = (slot.key, tuple(nearest))
        return replace(session, selection=replace(session.selection, elsewhere=(rest,)))
    x = pixel_of_wavelength(slot, nearest[0], float(table.wave[row])) if np.isfinite(table.wave[row]) else None
    place = None if x is None else float(x)
    session = session.showing(slot.key)
    if not slot.view.fit and place is not None:
        session = session.with_slot(replace(slot, view=replace(slot.view, x=place, y=float(nearest[0]))))
    return replace(session, selection=Selection(nearest[0], place, float(nearest[0]), tuple(nearest)))


def judge(session: Session, intent: want.JudgeDetection) -> Session:
    """Say of a detection what it is; said once more, it is as if nothing had been said."""
    state = state_of(session)
    row = state.row if intent.row < 0 else intent.row
    if not 0 <= row < len(state.table):
        raise UsageError("no detection is chosen", todo="click a row of the detections first")
    before, given = state.said.get(row), Judgment(intent.judgment)
    said = {**state.said, row: given}
    if before is given:
        del said[row]
    past = Past(next_number(session), f"detection {row + 1} called {given.value}", (row, before))
    return replace(session, detections=replace(state, said=said, past=(*state.past, past), undone=(), saved=""))


def undo(session: Session, intent: want.UndoJudgment) -> Session:
    """Take back the last judgment, or give it `again`, and look at what it was about."""
    state = state_of(session)
    changes = state.undone if intent.again else state.past
    if not changes:
        raise UsageError("nothing was judged that could be taken back")
    row, given = changes[-1].before
    last, past, undone = turned(state.past, state.undone, (row, state.said.get(row)), intent.again)
    said = {number: one for number, one in state.said.items() if number != row}
    if given is not None:
        said[row] = given
    session = replace(session, detections=replace(state, said=said, past=past, undone=undone, saved=""))
    session = note(session, f"{state.title}: {last.words}, {'once more' if intent.again else 'that is taken back'}")
    return show(session, want.ShowDetection(row))


@dataclass(frozen=True, kw_only=True)
class WriteJudgments(Task[str]):
    """What was said of the detections, as a table."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    state: DetectionState
    path: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write it."""
        from ifuview.io.night.judgments import write_judgments

        write_judgments(self.path, self.state.path, self.state.table, self.state.said)
        return self.path

    def apply(self, session: Session, result: str) -> Session:
        """Say where."""
        now = session.detections
        if now is not None and now.said is self.state.said:
            session = replace(session, detections=replace(now, saved=result))
        return note(session, f"{len(self.state.said)} judgments written to {result}", Level.INFO)


def save(session: Session, intent: want.SaveJudgments) -> WriteJudgments:
    """Write what was said."""
    from ifuview.io.night.judgments import judgments_path

    state = state_of(session)
    path = intent.path or judgments_path(state.path)
    return WriteJudgments(title=f"Judgments in {path}", state=state, path=path)


TASKS: Mapping[type[Intent], Plan] = {
    want.ShowDetection: show,
    want.JudgeDetection: judge,
    want.UndoJudgment: undo,
    want.SaveJudgments: save,
}

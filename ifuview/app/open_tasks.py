"""Tasks that open files: what a file or a folder is decides where it goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ifuview.app.frames import intents as want
from ifuview.app.frames.adding import added, remember
from ifuview.app.frames.look import Look
from ifuview.app.frames.memory import check_room, within_bounds
from ifuview.app.frames.opening.opened import Opened, TablesOnly, new_slot
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night.intents import OpenFolder, OpenTrends
from ifuview.app.opening import is_packed_night, is_photons, open_images
from ifuview.app.session import TRACE_KINDS, Session, Slot
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.app.traces.intents import LoadTraces
from ifuview.engine.context import JobContext
from ifuview.model.dataset import Dataset
from ifuview.model.image import Kind

Found = tuple[Opened, ...]


def frames_opened(session: Session, found: Found) -> Session:
    """The session with frames for the images of a file, which is remembered, and what the file says of itself."""
    first = session.next_key
    session = remember(added(session, found), found[0].dataset.spec or found[0].dataset.path)
    said: dict[str, str] = {}
    for slot in session.slots:
        if slot.key >= first:
            for text in slot.dataset.notes:
                said.setdefault(text, slot.title)
    for text, title in said.items():
        session = note(session, f"{title}: {text}")
    return within_bounds(session)


@dataclass(frozen=True, kw_only=True)
class ReadFile(Task[Found | Dataset]):
    """The images of a file, or its tables if it has no image; `early` is a reading that began before."""

    kind: ClassVar[JobKind] = JobKind.OPEN
    spec: str
    every: bool = False
    cube: bool = False
    look: Look | None = None
    early: Callable[[JobContext], Found] | None = None

    @property
    def of(self) -> str:
        """The file."""
        return self.spec

    def run(self, session: Session, ctx: JobContext) -> Found | Dataset:
        """Read it, if there is room."""
        check_room(session, self.spec)
        try:
            if self.early is not None:
                return self.early(ctx)
            return open_images(self.spec, every=self.every, cube=self.cube, look=self.look, ctx=ctx)
        except TablesOnly as found:
            return found.dataset

    def news(self, session: Session, value: Found | Dataset) -> Outcome:
        """Show the first image of a file that is still being fetched."""
        return session if isinstance(value, Dataset) else frames_opened(session, value)

    def apply(self, session: Session, result: Found | Dataset) -> Outcome:
        """Show frames or tables; traces that fit the image on the canvas become its traces."""
        if isinstance(result, Dataset):
            from ifuview.app.spectra.tasks import tables_opened

            return tables_opened(session, result)
        if (begun := self._begun(session, result)) is not None:
            return in_place(session, begun, result[0])
        slot, dataset = session.slot(), result[0].dataset
        fits = slot is not None and slot.image.kind in (Kind.DETECTOR, Kind.IMAGE) and slot.dataset.kind != "traces"
        if dataset.kind in TRACE_KINDS and fits:
            return Change(session, (LoadTraces(dataset.path),))
        return frames_opened(session, result)

    def _begun(self, session: Session, result: Found) -> Slot | None:
        """The frame that shows the first image of this file, from the time when there was no more of it."""
        if "://" not in self.spec:
            return None
        now = result[0].dataset
        known = (slot for slot in session.slots if slot.dataset.spec == now.spec)
        return next((slot for slot in known if slot.dataset.path != now.path), None)


def in_place(session: Session, old: Slot, opened: Opened) -> Session:
    """The session with an image in the place of a frame; what was drawn on one of the same size stays."""
    slot = replace(new_slot(session, opened), key=old.key)
    if slot.image.shape == old.image.shape:
        slot = replace(
            slot, view=old.view, regions=old.regions, traces=slot.traces if old.traces is None else old.traces
        )
    return session.with_slot(slot)


def open_file(session: Session, intent: want.OpenFile) -> Task[Any]:
    """Read a file, index a folder, or restore a session."""
    if intent.spec.endswith(".json"):
        from ifuview.app.night.trends.tasks import open_trends
        from ifuview.app.saved.intents import RestoreSession
        from ifuview.app.saved.keep import is_session
        from ifuview.app.saved.restore import restore
        from ifuview.io.night.trends import is_trend_file

        if is_session(intent.spec):
            return restore(session, RestoreSession(intent.spec))
        if is_trend_file(intent.spec):
            return open_trends(session, OpenTrends((intent.spec,)))
    elsewhere = "://" in intent.spec and intent.spec.endswith("/")
    if elsewhere or (os.path.isdir(intent.spec) and not is_photons(intent.spec)) or is_packed_night(intent.spec):
        from ifuview.app.night.tasks import open_folder

        return open_folder(session, OpenFolder(intent.spec))
    return ReadFile(
        title=f"Open {intent.spec}", spec=intent.spec, every=intent.every, cube=intent.cube,
        look=intent.look or session.base_look, once=intent.once,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReadAnew(OfFrame, Task[Found]):
    """The file of a frame read again, or another image of it, in its place."""

    kind: ClassVar[JobKind] = JobKind.OPEN
    spec: str
    words: str = ""
    beside: bool = False  # as a new frame

    def run(self, session: Session, ctx: JobContext) -> Found:
        """Read it."""
        return open_images(self.spec, ctx=ctx)

    def apply(self, session: Session, result: Found) -> Session:
        """Show it; what was drawn on an image of the same size stays."""
        if self.beside:
            return frames_opened(session, result)
        old = session.slot(self.frame)
        if old is None:
            return session
        session = in_place(session, old, result[0])
        return note(session, f"{old.title}: {self.words}") if self.words else session


def choose_image(session: Session, intent: want.ChooseImage) -> Outcome:
    """Another image or HDU of the file of a frame."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    spec = f"{slot.dataset.path}[{intent.hdu}]"
    return ReadAnew(title=f"Open {spec}", frame=slot.key, spec=spec, beside=intent.new)


def reload(session: Session, intent: want.Reload) -> Outcome:
    """Read the file of a frame again."""
    slot = session.slot(intent.key)
    if slot is None or not slot.dataset.path:
        return session
    spec = slot.dataset.spec or slot.dataset.path
    return ReadAnew(title=f"Reload {slot.title}", frame=slot.key, spec=spec, words="read again")


TASKS: Mapping[type[want.Intent], Plan] = {
    want.OpenFile: open_file,
    want.ChooseImage: choose_image,
    want.Reload: reload,
}

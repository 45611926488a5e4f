"""Tasks of spectra and tables: inspect, choose, show an arm, read what lies beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames import joined
from ifuview.app.frames.intents import ChooseSpectra, Intent, ShowDock
from ifuview.app.frames.look import Look, ViewState
from ifuview.app.frames.opening.opened import first_look, first_plane
from ifuview.app.frames.opening.reading import open_dataset
from ifuview.app.frames.selection import pixel_of_wavelength, select_rows
from ifuview.app.frames.steps import shown
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.session import Level, Session, Slot
from ifuview.app.spectra import intents as want
from ifuview.app.spectra.companions import read_tables
from ifuview.app.spectra.gathered import chosen_fibers, of_fibers, of_region, spectral, subject
from ifuview.app.spectra.state import Gathered
from ifuview.app.tasks import Change, Outcome, Plan, Task, slot_of
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.files import product_stem
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image
from ifuview.model.inspection import FiberInspection


@dataclass(frozen=True, kw_only=True)
class Inspect(Task[FiberInspection | None]):
    """Cross-section, spectrum and trace quality of what is selected; of two, the older that still waits is dropped."""

    kind: ClassVar[JobKind] = JobKind.INSPECT
    title: str = "Inspect the selected fiber"
    quiet: bool = True
    front: bool = True
    newest: bool = True

    def run(self, session: Session, ctx: JobContext) -> FiberInspection | None:
        """Measure."""
        from ifuview.app.spectra.inspect import inspect_selection

        return inspect_selection(session, ctx)

    def apply(self, session: Session, result: FiberInspection | None) -> Session:
        """Show it."""
        return replace(session, inspection=result)


@dataclass(frozen=True, kw_only=True)
class Gather(Task[Gathered | None]):
    """One spectrum of the region or of the fibers that are selected; a newer wish takes its place."""

    kind: ClassVar[JobKind] = JobKind.GATHER
    title: str = "Spectrum of the selection"
    quiet: bool = True
    front: bool = True
    newest: bool = True

    def run(self, session: Session, ctx: JobContext) -> Gathered | None:
        """Sum."""
        asked, slot, found = subject(session), session.slot(), None
        if session.region is not None:
            slot = session.slot(session.region[0])
            slot = None if slot is None else spectral(session, slot)
            found = None if slot is None else of_region(slot, session.region[1], session.gather, ctx)
        elif slot is not None:
            found = of_fibers(slot, chosen_fibers(session), session.gather, ctx)
        return None if found is None or asked is None else replace(found, asked=asked)

    def apply(self, session: Session, result: Gathered | None) -> Session:
        """Show it, unless it is no longer asked for."""
        return replace(session, gathered=result) if subject(session) is not None else session


# tables and best fits


@dataclass(frozen=True, kw_only=True)
class ReadTables(Task[Dataset]):
    """The tables of a file beside the frames."""

    kind: ClassVar[JobKind] = JobKind.TABLES
    path: str
    quiet: bool = True
    once: bool = True

    @property
    def of(self) -> str:
        """The file."""
        return self.path

    def run(self, session: Session, ctx: JobContext) -> Dataset:
        """Read."""
        return read_tables(self.path, ctx)

    def apply(self, session: Session, result: Dataset) -> Session:
        """Put them beside the frames."""
        return with_tables(session, result)


@dataclass(frozen=True, kw_only=True)
class ReadModels(ReadTables):
    """The best fits of spectra."""

    beside: str

    def run(self, session: Session, ctx: JobContext) -> Dataset:
        """Read."""
        return open_dataset(self.path, ctx)

    def apply(self, session: Session, result: Dataset) -> Session:
        """Put them beside the spectra."""
        rest = tuple(m for m in session.models if m.path != result.path)
        session = replace(session, models=(*rest, result))
        return note(session, f"Best fits of {len(result.images)} arms beside {self.beside}")


def read_beside(session: Session, path: str, models: Sequence[str], tables: Sequence[str]) -> tuple[ReadTables, ...]:
    """Those of the best fits and tables that lie beside a new frame of spectra which are not open."""
    new_models = [p for p in models if all(model.path != p for model in session.models)]
    new_tables = [p for p in tables if all(table.path != p for table in session.tables)]
    return (
        *(ReadModels(title=f"Best fits {file}", path=file, beside=path) for file in new_models),
        *(ReadTables(title=f"Tables {file}", path=file) for file in new_tables),
    )


def with_tables(session: Session, dataset: Dataset) -> Session:
    """The session with the tables of a file, and a word on whether they belong to the current frame."""
    tables = joined.open_tables(dataset)
    session = replace(session, tables=joined.with_tables(session.tables, tables))
    slot = session.slot()
    if not tables:
        return session
    said = f"{product_stem(dataset.path)}: {', '.join(f'{t.table.name} with {t.nrow} rows' for t in tables)}"
    session = note(session, said)
    empty = [t.title for t in tables if t.nrow == 0]
    if empty:
        session = note(session, f"{', '.join(empty)}: the table is empty, it has not one row", Level.WARNING)
    problem = joined.why_not(tables[0], slot) if slot is not None and joined.fibermap_of(slot) is not None else ""
    return note(session, f"{problem}; the table is shown by itself", Level.WARNING) if problem else session


def tables_opened(session: Session, dataset: Dataset) -> Change:
    """A file that has tables and no pixels: its tables are shown."""
    session = with_tables(session, dataset)
    for text in dataset.notes:
        session = note(session, text)
    return Change(session, (ShowDock("tables"),))


# choosing


def choose(session: Session, intent: ChooseSpectra) -> Change:
    """Select the fibers that a text names."""
    from ifuview.app.spectra.choice import choose as chosen

    slot = session.slot()
    if slot is None:
        raise UsageError("there are no spectra to choose from", todo="open a file of spectra first")
    found = chosen(intent.text, slot, session.tables)
    rows = tuple(int(row) for row in found.rows)
    count = "1 spectrum" if len(rows) == 1 else f"{len(rows)} spectra"
    more = f" ({found.note})" if found.note else ""
    session = select_rows(session, rows)
    session = note(session, f"{slot.title}: {count} chosen by {intent.text}{more}")
    return Change(session, () if session.headless else (ShowDock("spectrum"),))


@dataclass(frozen=True, kw_only=True)
class ShowImage(OfFrame, Task[Look]):
    """Another arm of a frame, with the crosshair of the selected fiber at a wavelength."""

    kind: ClassVar[JobKind] = JobKind.ARM
    camera: str
    wave: float
    newest: bool = True
    front: bool = True

    @property
    def of(self) -> str:
        """All frames together: the last wish counts."""
        return ""

    def run(self, session: Session, ctx: JobContext) -> Look:
        """Find its limits."""
        return first_look(_arm(slot_of(session, self.frame), self.camera))

    def apply(self, session: Session, result: Look) -> Session:
        """Show it."""
        now = session.slot(self.frame)
        if now is None:
            return session
        image = _arm(now, self.camera)
        changed = replace(
            now, image=image, plane=first_plane(image), look=result, view=ViewState(aspect=0.0), pyramid=None
        )
        return _at_wave(session.with_slot(changed), self.frame, self.wave)


def _arm(slot: Slot, camera: str) -> Image:
    """The image of a camera in the file of a frame."""
    return next((i for i in slot.dataset.images if i.camera == camera), slot.image)


def show_arm(session: Session, intent: want.ShowArm) -> Outcome:
    """Another arm of a frame, or another frame, with the crosshair at a wavelength."""
    slot = next((s for s in session.slots if s.title == intent.title), None)
    if slot is None:
        return session
    image = _arm(slot, intent.camera)
    if image is slot.image:
        return _at_wave(shown(session, slot.key), slot.key, intent.wave)
    return ShowImage(title=f"Limits of {image.name}", frame=slot.key, camera=intent.camera, wave=intent.wave)


def _at_wave(session: Session, key: int, wave: float) -> Session:
    """The session with the crosshair of the selected fiber at a wavelength."""
    slot, chosen = session.slot(key), session.selection
    if slot is None or chosen.fiber is None:
        return session
    pixel = pixel_of_wavelength(slot, chosen.fiber, wave)
    if pixel is None:
        return session
    x, y = slot.image.orientation.to_native(float(chosen.fiber), float(pixel), slot.image.shape)
    return replace(session, selection=replace(chosen, x=float(x), y=float(y)))


TASKS: Mapping[type[Intent], Plan] = {
    ChooseSpectra: choose,
    want.ShowArm: show_arm,
}

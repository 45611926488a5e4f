"""Tasks of the night: folders are indexed and watched, products are read and shown; the demo."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.adding import remember
from ifuview.app.frames.fibers import arms_beside
from ifuview.app.frames.intents import BeginTour, ChooseSpectra, Demo, Intent, OpenFile, SelectSlot, ShowDock
from ifuview.app.frames.steps import shown
from ifuview.app.frames.tour import TourPlan
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night import cameras, open_night
from ifuview.app.night import intents as want
from ifuview.app.night.judging import first_look
from ifuview.app.night.showing import blinked, show
from ifuview.app.night.state import Night
from ifuview.app.night.triage.fix import judgement_of, look_for_others
from ifuview.app.session import Layout, Level, Session
from ifuview.app.tasks import Change, Outcome, Plan, Task, as_change
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError, MissingDataError, UsageError
from ifuview.files import FITS_SUFFIXES, is_folder
from ifuview.model.night.exposures import ExposureIndex

LIST_SUFFIXES = (".h5", ".hdf5")  # of photon lists and the like
MOST_NAMED = 5  # files in a sentence
FEW_FILES = 8  # of a folder without exposures, which are all opened
MOST_FOLDERS = 20  # that are looked into for files

# folders


@dataclass(frozen=True, kw_only=True)
class ScanFolder(Task[ExposureIndex]):
    """The exposures of a folder."""

    kind: ClassVar[JobKind] = JobKind.FOLDER
    path: str
    newest: bool = True

    def run(self, session: Session, ctx: JobContext) -> ExposureIndex:
        """Look through it."""
        return open_night.scan_folder(os.path.expanduser(self.path), ctx)


@dataclass(frozen=True, kw_only=True)
class IndexFolder(ScanFolder):
    """A folder whose exposures are listed; `watched`: and looked through again from now on."""

    watched: bool = False
    follow: bool = False  # a new file is shown
    results: str = ""

    def run(self, session: Session, ctx: JobContext) -> ExposureIndex:
        """Look through it.

        Raises
        ------
        MissingDataError
            It has nothing that could be listed, and not a few files; those that can be opened one by one are named.
        """
        found = super().run(session, ctx)
        if not self.watched and _bare(found) and not 0 < len(_files_in(found.folder)) <= FEW_FILES:
            raise MissingDataError("no products of cameras or tiles are in this folder", self.path, _todo(found.folder))
        return found

    def apply(self, session: Session, result: ExposureIndex) -> Outcome:
        """List them; a few files of no night are opened."""
        if _bare(result) and not self.watched:
            files = [os.path.join(result.folder, name) for name in _files_in(result.folder)]
            told = f"{result.folder} is no night: its {len(files)} file{'s' * (len(files) != 1)} are opened"
            return Change(note(session, told), tuple(OpenFile(path) for path in files))
        now = session.night
        if self.watched and now is not None and now.index.folder == result.folder:
            return self._watched_too(session, result)
        opened = Night(result, watched=self.watched, newest=self.follow, results=self.results)
        if now is not None and now.index.folder == result.folder:
            opened = replace(opened, shown=now.shown)  # the frames of it that are open
        session = note(replace(session, night=opened), open_night.summary(result))
        for text in result.notes:
            session = note(session, text)
        only = result.exposures[0].expid if len(result.exposures) == 1 and result.exposures[0].parts else None
        asked = only is not None and not self.watched and (session.slots or session.headless)
        then = (*((want.ShowProduct(only),) if asked else ()), *first_look(session, result))
        others = () if result.raw_night is not None or session.headless else look_for_others(opened)
        named = self.path if "://" in self.path else result.folder
        return Change(remember(session, named), (ShowDock("exposures", front=False), *then, *others))

    def _watched_too(self, session: Session, result: ExposureIndex) -> Session:
        """The folder that is open, watched from now on: its frames and what was judged stay."""
        session = open_night.refreshed(session, result)[0]
        night = replace(open_night.night_of(session), watched=True, newest=self.follow, results=self.results)
        return note(replace(session, night=night), f"Watched from now on: {open_night.summary(result)}")


def _bare(found: ExposureIndex) -> bool:
    """Whether a folder has nothing that could be listed."""
    return not found.exposures and not found.tiles


def _todo(folder: str) -> str:
    """What to do with a folder without exposures."""
    single = _files_in(folder)
    for place in (
        () if single else sorted(entry.path for entry in os.scandir(folder) if is_folder(entry))[:MOST_FOLDERS]
    ):
        single += [os.path.join(os.path.basename(place), name) for name in _files_in(place)]
    if not single:
        return "choose a production, a night, an exposure or a tile"
    more = f" and {len(single) - MOST_NAMED} more" if len(single) > MOST_NAMED else ""
    return f"open one of its files: {', '.join(single[:MOST_NAMED])}{more}"


def _files_in(folder: str) -> list[str]:
    """Names of the files in a folder that can be opened one by one."""
    return sorted(name for name in os.listdir(folder) if name.endswith((*FITS_SUFFIXES, *LIST_SUFFIXES)))


def open_folder(session: Session, intent: want.OpenFolder) -> IndexFolder:
    """Index a folder and list what it has."""
    return IndexFolder(title=f"Look through {intent.path}", path=intent.path)


@dataclass(frozen=True, kw_only=True)
class CompareFolder(ScanFolder):
    """Another production, to compare with."""

    kind: ClassVar[JobKind] = JobKind.COMPARED

    def apply(self, session: Session, result: ExposureIndex) -> Outcome:
        """Show the same product of it."""
        night = replace(open_night.night_of(session), compared=result)
        session = note(replace(session, night=night), f"Compared with {open_night.summary(result)}")
        place = open_night.here(session)
        there = place is not None and open_night.has(result, place.expid, place.camera, place.product)
        shown = (want.OtherProduction(),) if there else ()
        return Change(session, (*shown, *judgement_of(session, result.folder)))


def compare(session: Session, intent: want.CompareProduction) -> Outcome:
    """Index another production."""
    open_night.night_of(session)
    return CompareFolder(title=f"Look through {intent.path}", path=intent.path)


def watch(session: Session, intent: want.WatchFolder) -> Outcome:
    """Index a folder and look for new files from now on; or end that."""
    night = session.night
    if not intent.on:
        return session if night is None else replace(session, night=replace(night, watched=False))
    path = intent.path or open_night.night_of(session).index.folder
    return IndexFolder(
        title=f"Look through {path}", path=path, watched=True, follow=intent.newest, results=intent.results
    )


# products


def show_exposure_of(session: Session, intent: want.ShowExposureOf) -> Outcome:
    """An exposure by its name; the camera that a place belongs to, where it says one."""
    index = open_night.night_of(session).index
    found = next((
        e for e in index.exposures
        if intent.exposure in (e.name, str(e.expid)) and (not intent.night or not e.night or e.night == intent.night)
    ), None)  # fmt: skip
    if found is None:
        raise MissingDataError(f"exposure {intent.night or ''} {intent.exposure} is not in this folder", index.folder)
    words = intent.place.split()
    parts = [part.camera for part in found.parts if words[:2] == [part.slot, part.name]]
    camera = next((one for one in (*parts, *words[:1]) if any(c == one for c, _ in found.files)), "")
    return Change(session, (want.ShowProduct(found.expid, camera),))


def show_tile_file(session: Session, intent: want.ShowTileFile) -> Outcome:
    """A product of a tile; what lies beside it is read with it."""
    slot = next((s for s in session.slots if s.dataset.path == intent.path), None)
    if intent.choose:
        begun = (OpenFile(intent.path, once=True),) if slot is None else ()
        session = replace(session if slot is None else shown(session, slot.key), gather="median")
        return Change(session, (ShowDock("tables"), *begun), settled=(ChooseSpectra(intent.choose),))
    if slot is not None:
        return shown(session, slot.key)
    if any(table.path == intent.path for table in session.tables):
        return Change(session, (ShowDock("tables"),))
    return Change(session, (OpenFile(intent.path, once=True),))


def show_product(session: Session, intent: want.ShowProduct) -> Outcome:
    """One product; at once if it is open already. A blink ends with it."""
    if session.layout is Layout.BLINK:
        session = replace(session, layout=Layout.SINGLE, blink_keys=())
    place = open_night.chosen(session, intent.expid, intent.camera, intent.product)
    if session.night is not None and session.night.place is None and not intent.product:
        session = replace(session, night=replace(session.night, auto=place))  # nobody has chosen it
    return as_change(session, show(session, (place,)))


def blink(session: Session, intent: want.BlinkAlong) -> Outcome:
    """Open what is missing, then blink from what is shown; asked once more, stop."""
    night = open_night.night_of(session)
    if session.layout is (Layout.TILE if intent.tile else Layout.BLINK) and night.along == intent.along:
        return replace(session, layout=Layout.SINGLE, blink_keys=())
    places, now = blinked(session, intent.along), open_night.here(session)
    last = tuple(p for p in places if p == now)
    shown = (*(p for p in places if p != now), *last)
    return show(session, shown, blink=places, along=intent.along, tile=intent.tile)


@dataclass(frozen=True, kw_only=True)
class IndexForCameras(ScanFolder):
    """The folder of a frame that was opened by its path; then all cameras of its exposure."""

    def apply(self, session: Session, result: ExposureIndex) -> Outcome:
        """Show them; what the folder has is known also where that fails."""
        session = cameras.adopted(session, result)
        try:
            change = as_change(session, show(session, cameras.all_cameras(session)))
        except IfuviewError as error:
            return note(session, str(error), Level.ERROR)
        return replace(change, session=note(change.session, open_night.summary(result)))


def all_cameras(session: Session, _: want.ShowAllCameras) -> Outcome:
    """Open the other cameras of this exposure; its folder is looked through first if that is not known yet."""
    folder = cameras.folder_to_index(session)
    if folder:
        return IndexForCameras(title=f"Look through {folder}", path=folder)
    session = cameras.adopted(session)
    return show(session, cameras.all_cameras(session))


def show_arms(session: Session, _: want.ShowArms) -> Outcome:
    """The other arms behind the frame on the canvas: a spectrum is shown through all of them."""
    places, now, slot = cameras.other_arms(session), open_night.here(session), session.slot()
    if places and now is not None:
        return show(session, (*places, now))
    files = () if now is not None or slot is None else arms_beside(session, slot)
    if slot is None or not files:
        where = "do not lie beside it" if now is None else "are not in the night that is open"
        raise UsageError(f"the other arms of these fibers {where}, or are open", todo="open their folder")
    return Change(session, tuple(OpenFile(file) for file in files), settled=(SelectSlot(slot.key),))


def show_field(session: Session, intent: want.ShowField) -> Outcome:
    """The products that the chain is told by, in all cameras that have the window, and the focal plane."""
    session = replace(session, window=intent.window)
    index = open_night.night_of(session).index
    now = open_night.here(session)
    try:
        whole = cameras.all_cameras(session)
    except UsageError:  # this camera is the only one
        whole = () if now is None else (now,)
    products = [p for p in index.chain.field or index.chain.first if p != index.chain.detector]
    each = [replace(p, product=q) for q in products for p in whole if open_night.has(index, p.expid, p.camera, q)]
    last = [p for p in each if p == now]
    change = as_change(session, show(session, (*(p for p in each if p != now), *last)))
    return replace(change, then=(*change.then, ShowDock("focal")))


@dataclass(frozen=True, kw_only=True)
class Simulate(Task[TourPlan]):
    """The files of the demo and the tour through them."""

    kind: ClassVar[JobKind] = JobKind.DEMO

    def run(self, session: Session, ctx: JobContext) -> TourPlan:
        """Simulate."""
        from ifuview.app.night.demo import prepare  # writing files is asked for, not part of every start

        return prepare(ctx)

    def apply(self, session: Session, result: TourPlan) -> Change:
        """Open them all; the tour begins."""
        return Change(session, (*(OpenFile(spec) for spec in result.files), BeginTour(result)))


TASKS: Mapping[type[Intent], Plan] = {
    Demo: lambda session, _: Simulate(title="Simulate the demo data"),
    want.OpenFolder: open_folder,
    want.CompareProduction: compare,
    want.WatchFolder: watch,
    want.ShowTileFile: show_tile_file,
    want.ShowProduct: show_product,
    want.ShowExposureOf: show_exposure_of,
    want.StepExposure: lambda session, i: show(session, (open_night.stepped_exposure(session, i.step),)),
    want.StepCamera: lambda session, i: show(session, (open_night.stepped_camera(session, i.step),)),
    want.SameTile: lambda session, _: show(session, (open_night.same_tile(session),)),
    want.OtherProduction: lambda session, _: show(session, (open_night.other_production(session),)),
    want.BlinkAlong: blink,
    want.ShowArms: show_arms,
    want.ShowAllCameras: all_cameras,
    want.ShowField: show_field,
}

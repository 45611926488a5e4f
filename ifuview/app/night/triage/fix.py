"""What became of the findings in another production: which others there are, and the same cameras judged there."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.night.state import Fix, Night
from ifuview.app.session import Session
from ifuview.app.tasks import Task
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.files import is_folder
from ifuview.model.night.exposures import ExposureIndex

EXPOSURE = re.compile(r"\d{8}")
MOST = 4  # productions that are offered


@dataclass(frozen=True, kw_only=True)
class FindProductions(Task[tuple[str, ...]]):
    """Folders beside or in a production that hold some of its exposures again."""

    kind: ClassVar[JobKind] = JobKind.COMPARED
    index: ExposureIndex
    quiet: bool = True
    aside: bool = True

    @property
    def of(self) -> str:
        """By the folder."""
        return self.index.folder

    def run(self, session: Session, ctx: JobContext) -> tuple[str, ...]:
        """Look for them."""
        return productions(self.index)

    def apply(self, session: Session, result: tuple[str, ...]) -> Session:
        """Offer them."""
        night = session.night
        if night is None or night.index.folder != self.index.folder:
            return session
        return replace(session, night=replace(night, others=result))


def productions(index: ExposureIndex) -> tuple[str, ...]:
    """Folders in or beside that of an index in which exposures of it lie, and that are no part of it."""
    own = {os.path.dirname(file.path) for exposure in index.exposures for file in exposure.files.values()}
    names = {f"{exposure.expid:08d}" for exposure in index.exposures}
    out = []
    for base in (index.folder, os.path.dirname(index.folder.rstrip(os.sep))):
        for place in _folders(base):
            inside = [p for p in _folders(place) if os.path.basename(p) in names]
            if inside and not own & set(inside) and os.path.realpath(place) != os.path.realpath(index.folder):
                out.append(place)
    return tuple(dict.fromkeys(out))[:MOST]


def _folders(place: str) -> list[str]:
    """Folders in a folder; none where it cannot be read."""
    try:
        with os.scandir(place) as found:
            return sorted(entry.path for entry in found if is_folder(entry))
    except OSError:
        return []


@dataclass(frozen=True, kw_only=True)
class JudgeFix(Task[Fix]):
    """The cameras that were judged, judged in another production."""

    kind: ClassVar[JobKind] = JobKind.TRIAGE
    folder: str
    newest: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> Fix:
        """Judge those that are there."""
        from ifuview.app.night.triage.run import counterparts, fixed_in

        state, name = session.triage, os.path.basename(self.folder.rstrip(os.sep))
        if state is None:
            return Fix(name)
        again = counterparts(tuple(one.camera for one in state.done), self.folder, ctx)
        found, said = [], []
        for number, (place, camera) in enumerate(again.items()):
            ctx.checkpoint(number / len(again), f"Judge {camera.label} of {name}")
            before = [f for f in state.result.findings if (f.expid, f.camera) == place]
            try:
                found += fixed_in(camera, before)
            except IfuviewError as problem:
                said.append(str(problem))
        return Fix(name, tuple(found), tuple(again), tuple(said))

    def apply(self, session: Session, result: Fix) -> Session:
        """The bar says what became of the problem."""
        if session.triage is None:
            return session
        for problem in result.problems:
            session = note(session, problem)
        assert session.triage is not None
        return replace(session, triage=replace(session.triage, fix=result))


def judgement_of(session: Session, folder: str) -> tuple[JudgeFix, ...]:
    """The judgement of another production, where there is something that it can have mended."""
    state = session.triage
    if state is None or not state.result.findings:
        return ()
    return (JudgeFix(title=f"Judge what {os.path.basename(folder)} has mended", folder=folder),)


def look_for_others(night: Night) -> tuple[FindProductions, ...]:
    """The search for other productions of a night."""
    return (FindProductions(title="Look for other productions", index=night.index),)

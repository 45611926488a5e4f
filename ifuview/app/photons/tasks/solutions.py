"""Tasks of the solutions in a calibration stack: shown, plotted, and written with the photons as a new list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.adding import added_behind
from ifuview.app.frames.intents import Intent, SetPlane
from ifuview.app.frames.state import Parent
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.photons import intents as want
from ifuview.app.photons.which import asked, known
from ifuview.app.session import Session
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.engine.context import JobContext
from ifuview.model.photons.lists import PhotonInfo

if TYPE_CHECKING:
    from ifuview.app.frames.opening.opened import Opened


@dataclass(frozen=True, kw_only=True)
class DrawSolution(OfFrame, Task["Opened"]):
    """An image of a solution in the stack of a photon frame."""

    kind: ClassVar[JobKind] = JobKind.SOLUTION
    what: str
    plane: int | None
    newest: bool = True

    @property
    def of(self) -> str:
        """All frames together: the last wish counts."""
        return ""

    def run(self, session: Session, ctx: JobContext) -> Opened:
        """Make it."""
        from ifuview.app.photons.calibration.stack import images as images_of

        return images_of(known(session, self.frame)[1], self.what, ctx)

    def apply(self, session: Session, result: Opened) -> Change:
        """Show it behind the photon frame."""
        key = session.next_key
        session = added_behind(session, (result,), self.frame, Parent(self.frame))
        if self.plane is None or result.image.nplanes < 2:
            return Change(session)
        return Change(session, (SetPlane(key, (self.plane,)),))


def show_solution(session: Session, intent: want.ShowSolution) -> Outcome:
    """An image of a solution as a frame."""
    slot = asked(session)[0]
    return DrawSolution(title=f"{intent.what} of {slot.title}", frame=slot.key, what=intent.what, plane=intent.plane)


@dataclass(frozen=True, kw_only=True)
class PlotSolutions(OfFrame, Task[list[str]]):
    """All plots of the solutions of a photon frame in a folder."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    aside: bool = True
    folder: str
    at: tuple[int, int] | None

    def run(self, session: Session, ctx: JobContext) -> list[str]:
        """Plot."""
        from ifuview.app.photons.calibration.stack import plot

        return plot(known(session, self.frame)[1], self.folder, self.at, ctx)

    def apply(self, session: Session, result: list[str]) -> Session:
        """Say so."""
        return note(session, f"{len(result)} plots written to {self.folder}")


def plot_solutions(session: Session, intent: want.PlotCalibrations) -> Outcome:
    """All plots, with those of the pixel at the crosshair."""
    from ifuview.app.photons.views.calibrations import pixel

    slot, frame = asked(session)
    at = pixel(session, frame.raw.info)
    return PlotSolutions(title=f"Plots in {intent.folder}", frame=slot.key, folder=intent.folder, at=at)


@dataclass(frozen=True, kw_only=True)
class WriteList(OfFrame, Task[tuple[PhotonInfo, tuple[str, ...]]]):
    """The photons of a frame with the steps that are on, as a new list."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    path: str
    newest: bool = True
    aside: bool = True

    @property
    def of(self) -> str:
        """The new file."""
        return self.path

    def run(self, session: Session, ctx: JobContext) -> tuple[PhotonInfo, tuple[str, ...]]:
        """Write."""
        from ifuview.app.photons.calibration.stack import write

        return write(known(session, self.frame)[1], self.path, ctx)

    def apply(self, session: Session, result: tuple[PhotonInfo, tuple[str, ...]]) -> Session:
        """Say so."""
        info, notes = result
        count = f"{info.nphoton} photons" if info.nphoton >= 0 else "the photons"
        return note(session, f"{count} written to {self.path}", detail="\n".join(notes))


def write_list(session: Session, intent: want.WriteCalibrated) -> Outcome:
    """Write a calibrated list."""
    name = Path(intent.path).name
    return WriteList(title=f"Write {name}", frame=asked(session)[0].key, path=intent.path)


TASKS: Mapping[type[Intent], Plan] = {
    want.ShowSolution: show_solution,
    want.PlotCalibrations: plot_solutions,
    want.WriteCalibrated: write_list,
}

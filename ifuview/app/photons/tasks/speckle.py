"""Tasks of photon statistics: speckle maps and lucky images become frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ifuview.app.frames.adding import added_behind
from ifuview.app.frames.intents import Intent
from ifuview.app.frames.state import Parent
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.photons import intents as want
from ifuview.app.photons.which import asked, crosshair, known
from ifuview.app.session import Session
from ifuview.app.tasks import Outcome, Plan, Task, Telling
from ifuview.engine.context import JobContext

if TYPE_CHECKING:
    from ifuview.app.frames.opening.opened import Opened
    from ifuview.model.photons.speckle import SpeckleMaps


@dataclass(frozen=True, kw_only=True)
class MakeMaps(OfFrame, Task["tuple[SpeckleMaps, tuple[Opened, ...]]"]):
    """Maps of Ic, Is and Ip of a photon frame."""

    kind: ClassVar[JobKind] = JobKind.SPECKLE
    asked: want.Speckle
    newest: bool = True
    aside: bool = True

    @property
    def of(self) -> str:
        """All frames together: maps take long."""
        return ""

    def run(self, session: Session, ctx: JobContext) -> tuple[SpeckleMaps, tuple[Opened, ...]]:
        """Fit every pixel."""
        from ifuview.app.photons import speckle_maps

        maps = speckle_maps.make_maps(known(session, self.frame)[1], self.asked, ctx.part(0.0, 0.98))
        return maps, speckle_maps.map_frames(maps, self.asked.snr)

    def apply(self, session: Session, result: tuple[SpeckleMaps, tuple[Opened, ...]]) -> Session:
        """Show them behind the photon frame."""
        from ifuview.app.photons.speckle_maps import summary

        maps, found = result
        now = session.slot(self.frame)
        if now is not None and now.photons is not None:
            session = session.with_slot(replace(now, photons=replace(now.photons, speckle=maps)))
        session = added_behind(session, found, self.frame, Parent(self.frame))
        return note(session, f"{Path(maps.info.path).name}: {summary(maps)}; press b to blink them")


def make_maps(session: Session, intent: want.Speckle) -> Outcome:
    """Fit the current photon frame."""
    slot = asked(session)[0]
    return MakeMaps(title=f"Speckle maps of {slot.title}", frame=slot.key, asked=intent)


@dataclass(frozen=True, kw_only=True)
class MakeLucky(OfFrame, Task["Opened"]):
    """The image of the sharpest moments of the star at a pixel."""

    kind: ClassVar[JobKind] = JobKind.LUCKY
    at: tuple[int, int]
    newest: bool = True
    aside: bool = True

    @property
    def of(self) -> str:
        """All frames together."""
        return ""

    def run(self, session: Session, ctx: JobContext) -> Opened:
        """Make it."""
        from ifuview.app.photons.speckle_maps import lucky_frame

        return lucky_frame(known(session, self.frame)[1], *self.at, ctx)

    def apply(self, session: Session, result: Opened) -> Session:
        """Show it behind the photon frame."""
        session = added_behind(session, (result,), self.frame, Parent(self.frame))
        return note(session, f"{result.image.name}")


def make_lucky(session: Session, _: want.Lucky) -> Outcome:
    """Of the star at the crosshair."""
    slot = asked(session)[0]
    return MakeLucky(title=f"Lucky image of {slot.title}", frame=slot.key, at=crosshair(session))


@dataclass(frozen=True, kw_only=True)
class WriteMaps(Telling):
    """The maps made last in a file."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    path: str

    def run(self, session: Session, ctx: JobContext) -> str:
        """Write, and say where."""
        from ifuview.app.photons.speckle_maps import save

        return f"Speckle maps written to {save(session, self.path, ctx)}"


def save_maps(session: Session, intent: want.SaveSpeckle) -> Outcome:
    """Write the maps."""
    return WriteMaps(title=f"Save {Path(intent.path).name}", path=intent.path)


TASKS: Mapping[type[Intent], Plan] = {
    want.Speckle: make_maps,
    want.Lucky: make_lucky,
    want.SaveSpeckle: save_maps,
}

"""Tasks of the light of selections: always that of what is selected now, and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.intents import DrawRegions, Intent, ShowDock
from ifuview.app.frames.views.regions import DRAWN
from ifuview.app.jobs import JobKind
from ifuview.app.messages import note
from ifuview.app.photons import intents as want
from ifuview.app.photons import light
from ifuview.app.photons.state import LightRequest, Lights
from ifuview.app.photons.which import photon_frame
from ifuview.app.session import Level, Session
from ifuview.app.tasks import Change, Outcome, Plan, Task
from ifuview.engine.context import JobContext
from ifuview.model.image import Kind

PATIENCE = 1.0  # s that a count may take before a newer request ends it: what moves is drawn on the way
SHAPES = ("", *DRAWN)
NOTHING = "there is no light to save: click a pixel of a photon list or draw a region in it"


@dataclass(frozen=True, kw_only=True)
class LightCount(Task[Lights]):
    """The light of selections."""

    kind: ClassVar[JobKind] = JobKind.LIGHT
    title: str = "Light of the selections"
    asked: LightRequest
    newest: bool = True
    patience: float = PATIENCE

    def run(self, session: Session, ctx: JobContext) -> Lights:
        """Count it, with the photons that this thread has in memory."""
        return light.count(self.asked, light.kept(), ctx)

    def apply(self, session: Session, result: Lights) -> Session:
        """Show it."""
        return replace(session, lights=result)


def count(session: Session, _: want.CountLight) -> Outcome:
    """Count what is selected now, unless that is known, under way, or was cancelled."""
    asked = light.request(session)
    if asked is None or asked == session.light_asked or (session.lights and session.lights.request == asked):
        return session
    quick = light.is_quick(asked)
    task = LightCount(asked=asked, quiet=not light.is_large(asked), front=quick, aside=not quick)
    return Change(replace(session, light_asked=asked), (task,))


def draw(session: Session, intent: DrawRegions) -> Outcome:
    """Let a drag on the canvas draw a shape, or no more; of photons their light, of a cube the spectrum is shown."""
    if intent.shape not in SHAPES:
        return note(session, f"{intent.shape!r} cannot be drawn; choose {', '.join(DRAWN)}", Level.ERROR)
    overlay = replace(session.overlay, regions=True) if intent.shape else session.overlay
    session = replace(session, drawing=intent.shape, overlay=overlay)
    slot = photon_frame(session)
    photons = bool(intent.shape) and slot is not None and slot.photons is not None
    current = session.slot()
    cube = bool(intent.shape) and current is not None and current.image.kind is Kind.CUBE
    shown = "light" if photons else "spectrum" if cube and not session.headless else ""
    return Change(session, (ShowDock(shown),) if shown else ())


@dataclass(frozen=True, kw_only=True)
class WriteLight(Task[tuple[str, ...]]):
    """The light of selections in files."""

    kind: ClassVar[JobKind] = JobKind.SAVE
    asked: LightRequest
    what: str
    path: str

    def run(self, session: Session, ctx: JobContext) -> tuple[str, ...]:
        """Count anew what is selected and write it."""
        return light.save(light.count(self.asked, None, ctx), self.what, self.path)

    def apply(self, session: Session, result: tuple[str, ...]) -> Session:
        """Say so."""
        return note(session, f"Light written to {', '.join(result)}")


def save(session: Session, intent: want.SaveLight) -> Outcome:
    """Write the light of what is selected."""
    asked = light.request(session)
    if asked is None:
        return note(session, NOTHING)
    return WriteLight(title=f"Save {intent.path}", asked=asked, what=intent.what, path=intent.path)


TASKS: Mapping[type[Intent], Plan] = {
    DrawRegions: draw,
    want.CountLight: count,
    want.SaveLight: save,
}

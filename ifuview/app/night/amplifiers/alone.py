"""A raw amplifier that was opened alone is judged by its read-out, as those of a night are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKind
from ifuview.app.night.amplifiers.health import health_of
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Task
from ifuview.engine.ccd.health import AmplifierHealth
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.instrument import instrument
from ifuview.io.night.raw_index import index_night, is_raw_name


@dataclass(frozen=True, kw_only=True)
class JudgeAmplifier(OfFrame, Task[AmplifierHealth | None]):
    """The file of a frame is read once more, with its overscan."""

    kind: ClassVar[JobKind] = JobKind.VERDICT
    path: str
    quiet: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> AmplifierHealth | None:
        """Ask it; none where the file is no amplifier that can be told."""
        try:
            night = index_night(self.path, ctx=ctx)
        except IfuviewError:
            return None
        found = [amplifier for exposure in night.exposures for amplifier in exposure.amplifiers]
        return health_of(found[0], night.instrument) if len(found) == 1 else None

    def apply(self, session: Session, result: AmplifierHealth | None) -> Session:
        """Keep it with the frame."""
        now = session.slot(self.frame)
        return session if now is None or result is None else session.with_slot(replace(now, health=result))


def of_amplifier(session: Session, slot: Slot) -> tuple[JudgeAmplifier, ...]:
    """The judgement of an amplifier of no night that is open."""
    path = slot.dataset.path
    name = slot.dataset.instrument
    if session.night is not None or instrument(name).raw is None or not is_raw_name(path, name):
        return ()
    return (JudgeAmplifier(title=f"Judge {slot.title}", frame=slot.key, path=path),)

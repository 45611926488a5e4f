"""A photon list is judged as it is opened, aside of what the user does; the bar goes from one problem to the next."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ifuview.app.frames.intents import Intent, Judge, PickPoint, SetLayout, ShowCell, ShowDock, ShowProblem
from ifuview.app.frames.selection import pick_point
from ifuview.app.frames.steps import set_layout
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.messages import no_problem
from ifuview.app.photons import intents as want
from ifuview.app.photons.counting import images
from ifuview.app.photons.state import PhotonFrame, PhotonJudged, Shown
from ifuview.app.photons.tasks import play as play_tasks
from ifuview.app.photons.tasks.lists import counting
from ifuview.app.photons.which import known, photon_frame
from ifuview.app.session import Layout, Session, Slot
from ifuview.app.tasks import Change, Outcome, Task
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.photons.lists import PhotonCut
from ifuview.model.photons.verdict import PhotonFault, PhotonStep

if TYPE_CHECKING:
    from ifuview.model.photons.lists import PhotonInfo, PhotonSource
    from ifuview.model.photons.verdict import PhotonFinding, PhotonVerdict

DOCK = "photon-problems"
IN_TIME = (PhotonFault.DROP, PhotonFault.SPIKE, PhotonFault.FEEDLINE_DROP)  # seen in the image of their moment
STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class JudgePhotons(OfFrame, Task["PhotonVerdict"]):
    """The verdict on the photon list of a frame."""

    kind: ClassVar[JobKind] = JobKind.VERDICT
    before: PhotonFrame
    quiet: bool = True
    aside: bool = True
    newest: bool = True

    def run(self, session: Session, ctx: JobContext) -> PhotonVerdict:
        """Pass over the photons and ask."""
        return judge_frame(self.before, ctx)

    def apply(self, session: Session, result: PhotonVerdict) -> Outcome:
        """Keep the answer: what is new is marked in the picture on the canvas; sliders and legend stay."""
        return _told(session, self.before, PhotonJudged(self.before.stack, result))

    def failed(self, session: Session, error: BaseException) -> Session:
        """The bar says why there is no verdict."""
        return _told(session, self.before, PhotonJudged(self.before.stack, why=str(error)))


def _told(session: Session, before: PhotonFrame, judged: PhotonJudged) -> Session:
    """The session with a verdict in all frames of the list under the same calibrations."""
    for slot in session.slots:
        frame = slot.photons
        same = frame is not None and (frame.raw is before.raw or frame.raw.info.path == before.raw.info.path != "")
        if frame is not None and same and judged.about(frame.stack):
            session = session.with_slot(replace(slot, photons=replace(frame, judged=judged)))
    return session


def judge_frame(frame: PhotonFrame, ctx: JobContext = SILENT) -> PhotonVerdict:
    """Judge the photons of a frame under its calibrations, their order in the file as it was written."""
    from ifuview.app.photons.lists import unchanged
    from ifuview.engine.photons.judge.judge import judge_photons

    info, path = frame.source.info, frame.raw.info.path
    on_disk = os.path.exists(path)
    written = _written(frame, ctx) if on_disk else frame.raw
    plain = frame.source is frame.raw or not frame.stack
    source, original = (written, None) if plain else (frame.source, written)
    nominal, flat = _laser(path, info), bool(info.calibrations.get("flatcal"))
    with unchanged(path) if on_disk else nullcontext():
        return judge_photons(source, nominal=nominal, flat=flat, original=original, ctx=ctx)


def _written(frame: PhotonFrame, ctx: JobContext) -> PhotonSource:
    """The photons in the order of the file: not those of an index."""
    from ifuview.io.photons.opening import open_photons

    return open_photons(frame.raw.info.path, frame.beammap or None, ctx)


def _laser(path: str, info: PhotonInfo) -> float:
    """Wavelength (nm) of the laser that name or header speak of; NaN for none."""
    from ifuview.app.photons.calibration.solve import laser_wave

    try:
        return laser_wave(path, info)
    except IfuviewError:
        return np.nan


def first_verdict(old: Slot | None, slot: Slot) -> list[JudgePhotons]:
    """The judgement of a list that has just been read, or whose calibrations are others now."""
    frame, before = slot.photons, None if old is None else old.photons
    if frame is None or (frame.judged is not None and frame.judged.about(frame.stack)):
        return []
    asked = before is not None and before.judged is None  # and the answer has not come yet
    if asked and before is not None and _same_photons(before, frame):
        return []
    return [judgement(slot, frame)]


def _same_photons(one: PhotonFrame, other: PhotonFrame) -> bool:
    """Whether two states of a frame are of the same photons, which may have got an index meanwhile."""
    same = PhotonJudged(one.stack).about(other.stack)
    return same and (one.beammap, one.state) == (other.beammap, other.state)


def judgement(slot: Slot, frame: PhotonFrame) -> JudgePhotons:
    """The task that judges a frame."""
    return JudgePhotons(title=f"Judge {frame.name or slot.title}", frame=slot.key, before=frame)


# what the bar asks for


def judged(session: Session) -> bool:
    """Whether the bar speaks of a photon list."""
    return photon_frame(session) is not None


def judge(session: Session, intent: Judge) -> Outcome:
    """Judge the photon list that is meant, or stop that."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        return session
    frame = slot.photons
    if not intent.on:
        stopped = _told(session, frame, PhotonJudged(frame.stack, why=STOPPED))
        return Change(stopped, stop=(JobKey(JobKind.VERDICT, slot.key),))
    return Change(_told(session, frame, PhotonJudged(frame.stack)), (judgement(slot, frame),))


def go_to_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Another problem: its pixels marked in the image that shows them, the clearest under the crosshair."""
    slot = photon_frame(session)
    now = None if slot is None or slot.photons is None else slot.photons.judged
    findings = () if now is None or now.found is None else now.found.findings
    if slot is None or slot.photons is None or now is None or not findings:
        return no_problem(session, asked=now is not None and now.found is not None)
    if intent.number is not None:
        number = intent.number
    elif now.problem < 0:  # of all: the first, or backwards the last
        number = min(intent.step, 0) % len(findings)
    else:
        number = (now.problem + intent.step) % len(findings)
    if not 0 <= number < len(findings):
        return session
    session = session.with_slot(replace(slot, photons=replace(slot.photons, judged=replace(now, problem=number))))
    if session.layout is Layout.BLINK:  # of the problem before
        session = set_layout(session, SetLayout(Layout.SINGLE))
    if intent.blink and findings[number].times is not None:
        return _blinked(session, slot.key, findings[number])
    return Change(*_shown(session, slot.key, findings[number]))


def _blinked(session: Session, key: int, finding: PhotonFinding) -> Change:
    """The photons of the moment of a problem, blinked with as many seconds beside it."""
    session = play_tasks.stopped(session, key).showing(key)
    slot, frame = known(session, key)
    start, stop = finding.times or (0.0, 0.0)
    twins = [s for s in session.slots if s.key != key and s.photons is not None and s.photons.raw is frame.raw]
    if not twins:
        session = images.copied(session, slot).showing(key)
        twins = [session.slots[-1]]
    beside = _beside(start, stop, frame.source.info.duration)
    cuts = PhotonCut(start, stop, exclude=()), PhotonCut(*beside, exclude=())
    counts = tuple(counting(s, cut, Shown.COUNTS) for s, cut in zip((slot, twins[0]), cuts))
    return Change(session, (*counts, SetLayout(Layout.BLINK, keys=(key, twins[0].key))))


def _beside(start: float, stop: float, end: float) -> tuple[float, float]:
    """As long a time before, else after, or as much of it as there is."""
    before, after = min(stop - start, start), min(stop - start, end - stop)
    return (start - before, start) if before >= after else (stop, stop + after)


def _shown(session: Session, key: int, finding: PhotonFinding) -> tuple[Session, tuple[Task[Any] | Intent, ...]]:
    """The session at a finding, and what brings its picture."""
    session = play_tasks.stopped(session, key).showing(key)
    slot, frame = known(session, key)
    if len(finding.pixels):
        x, y = (float(v) for v in finding.pixels[0])
        session = pick_point(session, PickPoint(key, x, y))
    start, stop = finding.times if finding.times is not None and finding.fault in IN_TIME else (None, None)
    cut = PhotonCut(start, stop, exclude=())
    shown = frame.shown is not Shown.FLAGS and frame.cut == cut
    return session, (ShowDock(DOCK), *(() if shown else (counting(slot, cut, Shown.COUNTS),)))


def show_cell(session: Session, intent: ShowCell) -> Outcome:
    """The picture of a step: all photons, flags, weighted photons, or those of pixels that are not left out."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        raise UsageError("the photon list is still being opened", todo="try again in a moment")
    if session.layout is Layout.BLINK:
        session = set_layout(session, SetLayout(Layout.SINGLE))
    session = play_tasks.stopped(session, slot.key).showing(slot.key)
    if intent.key == PhotonStep.WAVELENGTHS:
        return Change(session, (want.ShowPhotons(Shown.FLAGS, slot.key),))
    return Change(session, (counting(known(session, slot.key)[0], CUTS[PhotonStep(intent.key)], Shown.COUNTS),))


CUTS = {
    PhotonStep.PACKETS: PhotonCut(exclude=()),
    PhotonStep.LIST: PhotonCut(exclude=()),
    PhotonStep.FLAT: PhotonCut(weighted=True),
    PhotonStep.IMAGE: PhotonCut(),
}

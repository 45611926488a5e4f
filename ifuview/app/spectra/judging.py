"""Spectra of no chain are judged by themselves as they are opened; the bar goes from one problem to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ifuview.app.frames.intents import Judge, SelectFiber, ShowProblem
from ifuview.app.frames.judging import OfJudged, judge_current
from ifuview.app.frames.selection import select_fiber
from ifuview.app.frames.state import Proof
from ifuview.app.jobs import JobKind
from ifuview.app.messages import no_problem
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.state import JudgedSpectra
from ifuview.app.tasks import Change, Outcome, Task
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.judge import LEAST_FIBERS, judge_spectra
from ifuview.instrument import instrument
from ifuview.model.image import Image, Kind

if TYPE_CHECKING:
    from ifuview.model.spectra.verdict import SpectraFinding, SpectraVerdict


@dataclass(frozen=True, kw_only=True)
class JudgeSpectra(OfJudged, Task["SpectraVerdict"]):
    """The verdict on the spectra of a frame."""

    kind: ClassVar[JobKind] = JobKind.VERDICT
    image: Image
    quiet: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> SpectraVerdict:
        """Ask them."""
        return judged_image(self.image, ctx)

    def apply(self, session: Session, result: SpectraVerdict) -> Outcome:
        """Keep the answer with the frame; what is wrong is shown, unless the user has chosen a fiber meanwhile."""
        now = session.slot(self.frame)
        if now is None or now.image is not self.image:
            return session
        session = session.with_slot(replace(now, judged=JudgedSpectra(self.image, result)))
        if session.current != self.frame:
            return session
        session = replace(session, problem=0)
        if not result.findings:
            return session
        wrong = not result.findings[0].known and session.selection.fiber is None
        return Change(session, (ShowProblem(number=0),)) if wrong else marked(session, self.frame, result.findings[0])


def judged_image(image: Image, ctx: JobContext = SILENT) -> SpectraVerdict:
    """Judge the spectra of an image; what its mask marks is unknown."""
    ivar = None if image.ivar is None else image.ivar.native()
    if ivar is not None and image.mask is not None:
        ivar = np.where(image.mask.native() != 0, 0.0, ivar)
    wave = image.wave if image.wave is not None and np.ndim(image.wave) == 1 else None
    return judge_spectra(image.pixels.native(), ivar, wave, about_zero=image.about_zero, ctx=ctx)


def verdict_of(slot: Slot) -> SpectraVerdict | None:
    """The verdict on what a frame shows; None where it was not judged."""
    judged = slot.judged
    return None if judged is None or judged.image is not slot.image else judged.verdict


def can_judge(session: Session, slot: Slot | None) -> bool:
    """Whether a frame shows spectra with errors, of a file, and there is no night and no chain that would tell more."""
    if slot is None or session.night is not None or not slot.dataset.path:
        return False
    image, chain = slot.image, instrument(slot.dataset.instrument).chain
    if chain is not None and chain.judged:
        return False
    return image.kind is Kind.RSS and image.ivar is not None and image.shape[0] >= LEAST_FIBERS


def first_verdict(session: Session, slot: Slot) -> tuple[JudgeSpectra, ...]:
    """The judgement of spectra that have just been opened."""
    if not can_judge(session, slot):
        return ()
    return (JudgeSpectra(title=f"Judge {slot.title}", frame=slot.key, image=slot.image),)


def judge(session: Session, intent: Judge) -> Outcome:
    """Judge the spectra of the current frame, or stop that."""
    return judge_current(session, intent, JobKind.VERDICT, lambda slot: first_verdict(session, slot))


def marked(session: Session, key: int, one: SpectraFinding) -> Session:
    """The session with the place of a finding marked."""
    return replace(session, proof=Proof(frozenset({key}), one.fibers, one.wave))


def go_to_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Another finding: its fibers chosen, its wavelengths marked."""
    slot = session.slot()
    found = None if slot is None else verdict_of(slot)
    if slot is None or found is None or not found.findings:
        return no_problem(session, asked=found is not None)
    number = (session.problem + intent.step if intent.number is None else intent.number) % len(found.findings)
    one = found.findings[number]
    session = marked(replace(session, problem=number), slot.key, one)
    middle = len(one.fibers) // 2
    return select_fiber(session, SelectFiber(one.fibers[middle], one.fibers)) if one.fibers else session

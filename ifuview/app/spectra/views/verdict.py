"""The verdict on spectra that were opened without the products that they were made of."""

from __future__ import annotations

from ifuview.app.frames.views.problem_marks import run_words, runs
from ifuview.app.frames.views.text import waves
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.judging import can_judge, verdict_of
from ifuview.model.image import Image
from ifuview.model.spectra.verdict import SpectraFault, SpectraFinding, SpectraVerdict
from ifuview.model.verdict import VerdictProblem, VerdictState, VerdictView

DOT = " \u00b7 "
NAMED = 4  # runs of fibers that are written out
WORDS = {
    SpectraFault.EMPTY: ("{fibers} without data", "nothing is known of {them}"),
    SpectraFault.LOST: (
        "{fibers} without data",
        "masked or without error in a run of fibers: a column of the detector, or what lay on it",
    ),
    SpectraFault.CONSTANT: ("{fibers} with one number at all wavelengths", "it has errors, so it is no mask"),
    SpectraFault.BELOW: ("{fibers} below the sky", "{amount:.1f} times the noise of a pixel at all wavelengths"),
    SpectraFault.DARK: ("{fibers} without light", "less than a tenth of the others' at all wavelengths"),
    SpectraFault.NOISY: ("{fibers} noisier than its errors", "scatters {amount:.1f} times as much as they say"),
    SpectraFault.SKY_LEFT: ("{sky} in all faint fibers", "{amount:+.1f} times the noise of a pixel{or_line}"),
    SpectraFault.RUN: (
        "{fibers} deviate together",
        "{amount:+.1f} times the noise of a pixel: of the detector, the sky over the field, or a line of a target",
    ),
    SpectraFault.ERRORS: ("errors too {size}", "pixels of faint fibers scatter {amount:.2f} times as much as they say"),
}


def make(session: Session) -> VerdictView | None:
    """The bar; None where the canvas shows no spectra that can be judged."""
    slot = session.slot()
    if slot is None or not can_judge(session, slot):
        return None
    found = verdict_of(slot)
    if found is None and session.judges and slot.key not in session.unjudged:
        return VerdictView(VerdictState.JUDGING, f"judging {slot.image.shape[0]} spectra of {slot.title}", fraction=0.0)
    if found is None:
        return VerdictView(VerdictState.NOT_JUDGED, f"spectra not judged yet: {slot.image.shape[0]} of {slot.title}")
    return _with(session, slot, found)


def _with(session: Session, slot: Slot, found: SpectraVerdict) -> VerdictView:
    problems = tuple(_problem(slot.image, finding, number) for number, finding in enumerate(found.findings))
    number = min(session.problem, len(problems) - 1)
    shown = problems[number] if number >= 0 else None
    nothing = f"nothing found in {found.judged} fibers"
    if found.not_asked or not found.judged:
        state, words = VerdictState.LOOK, f"SPECTRA: {nothing}"
    else:
        state, words = VerdictState.CLEAN, f"SPECTRA clean: {nothing}"
    left = f"not asked: {', '.join(found.not_asked)}" if found.not_asked else ""
    judged = f"judged {found.judged} of {found.nfiber} fibers by themselves, {100 * found.share:.0f} % of their pixels"
    return VerdictView(
        state=state if shown is None else shown.state,
        headline=words if shown is None else shown.headline,
        detail=left if shown is None else shown.detail,
        judged=judged if shown is None else "; ".join(filter(None, (judged, left))),
        problems=problems,
        problem=number,
        dock="",
    )


def _problem(image: Image, one: SpectraFinding, number: int) -> VerdictProblem:
    state = VerdictState.LOOK if one.known else VerdictState.WRONG
    headline, detail = (
        words.format(
            fibers=fibers_words(image, one.fibers),
            them="them" if len(one.fibers) > 1 else "it",
            amount=abs(one.amount) if one.fault is SpectraFault.BELOW else one.amount,
            sky="light left" if one.amount > 0 else "too much sky taken off",
            or_line=": sky, or a line of a target that fills the field" if one.amount > 0 else "",
            size="small" if one.amount > 1 else "large",
        )
        for words in WORDS[one.fault]
    )
    wave = "" if one.wave is None else waves(*one.wave)
    sigma = "" if one.significance == float("inf") else f"{one.significance:.0f} sigma"
    head = DOT.join(filter(None, (f"SPECTRA {state.value}: {headline}", wave)))
    return VerdictProblem(state, "spectra", head, DOT.join(filter(None, (detail, sigma))), (number,))


def fibers_words(image: Image, rows: tuple[int, ...]) -> str:
    """Fibers by the names of the instrument, neighbors as a run."""
    found = [run_words(image, *run) for run in runs(rows, gap=1)]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"fiber{'s' * (len(rows) != 1)} {', '.join(found[:NAMED])}{more}"

"""The problems of a photon list as the dock lists them, each with what is known of it and the figure that shows it."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.app.photons.state import PhotonFrame, PhotonJudged
from ifuview.app.photons.views import verdict
from ifuview.app.photons.which import photon_frame
from ifuview.app.session import Session
from ifuview.model.figure import Figure
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding, PhotonVerdict
from ifuview.model.verdict import VerdictState

HINT = "Open a photon list: it is judged, and what is wrong with it is listed here by cause, the worst first."
RUNNING = "The photons are being judged ..."
ASK = "Nobody has judged these photons yet: press Judge in the bar above."
LEAVE_OUT = "To leave them out of images: Calibrations, Add, Hot, cold and dead pixels."
ADVICE = {  # what takes a fault away
    **dict.fromkeys((PhotonFault.HOT, PhotonFault.COLD, PhotonFault.DEAD), LEAVE_OUT),
    PhotonFault.WRONG_LINE: "Another wavelength solution: Calibrations, Add, Solution.",
    PhotonFault.WRONG_FLAT: "Another flat: Calibrations, Add, Solution.",
    PhotonFault.COSMIC: "To leave them out: Calibrations, Add, Cosmic rays.",
    PhotonFault.ORDER: "The index that is made on opening has them in order.",
}


@dataclass(frozen=True, slots=True, eq=False)
class ProblemRow:
    """One problem in short words."""

    finding: PhotonFinding
    state: VerdictState
    name: str
    amount: str
    sigma: str
    step: str


@dataclass(frozen=True, slots=True, eq=False)
class ProblemsView:
    """Everything that the dock shows.

    Parameters
    ----------
    rows : tuple of ProblemRow
    headline : str
        What the verdict rests on; what was not asked, and why.
    problem : int
        Which row the bar speaks of; -1: none.
    hint : str
        In the place of all, where there is no verdict.
    """

    rows: tuple[ProblemRow, ...] = ()
    headline: str = ""
    problem: int = -1
    hint: str = ""


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = photon_frame(session)
    frame = None if slot is None else slot.photons
    return (
        slot is None,
        frame is None,
        None if frame is None else frame.judged,
        None if frame is None else frame.stack,
    )


def make(session: Session) -> ProblemsView | None:
    """The view of the photon list that is meant; None without one."""
    slot = photon_frame(session)
    frame = None if slot is None else slot.photons
    if slot is None:
        return None
    if frame is None:
        return ProblemsView(hint=RUNNING)  # it is being opened first
    judged = frame.judged or PhotonJudged(frame.stack, why="" if session.judges else ASK)
    if judged.found is None:
        return ProblemsView(hint=judged.why or RUNNING)
    raw = verdict.is_raw(frame)
    rows = tuple(_row(finding, raw=raw) for finding in judged.found.findings)
    return ProblemsView(rows, _headline(judged.found), judged.problem)


def _row(finding: PhotonFinding, *, raw: bool) -> ProblemRow:
    sigma, step = verdict.sigma_words(finding), verdict.step_of(finding, raw=raw).value
    return ProblemRow(
        finding,
        verdict.state_of(finding),
        verdict.words(finding),
        verdict.amount_words(finding),
        sigma,
        step,
    )


def _headline(found: PhotonVerdict) -> str:
    """What was asked of how much, and what was not."""
    lines = [verdict.judged_words(found).partition(";")[0].capitalize() + "."]
    lines.append(f"Asked: {', '.join(found.asked)}.")
    if found.not_asked:
        lines.append(f"Not asked: {'; '.join(f'{what} ({why})' for what, why in found.not_asked.items())}.")
    return " ".join(lines)


def explanation(view: ProblemsView, number: int) -> str:
    """All that is known of one problem."""
    finding = view.rows[number].finding
    advice = "" if finding.known else ADVICE.get(finding.fault, "")
    return "\n".join(filter(None, (finding.text, verdict.where(finding), advice)))


def shown(frame: PhotonFrame) -> Figure | None:
    """What shows the problem of a list that the bar speaks of, else the worst; None without one."""
    from ifuview.report.photons.evidence import of_finding

    judged = frame.judged
    findings = () if judged is None or judged.found is None else judged.found.findings
    return of_finding(findings[max(judged.problem, 0)]) if judged is not None and findings else None


def evidence(view: ProblemsView, number: int) -> Figure | None:
    """What shows a problem."""
    from ifuview.report.photons.evidence import of_finding

    return of_finding(view.rows[number].finding)

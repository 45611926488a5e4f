"""The answer that the window gives before anything is pressed: verdict, problems by cause, chain of steps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Outcome of a comparison with a limit; "not measured" is neither a pass nor a zero."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    NOT_MEASURED = "not-measured"


class VerdictState(StrEnum):
    """What is known of the whole, or of one step of it."""

    WRONG = "wrong"
    LOOK = "look"
    CLEAN = "clean"
    JUDGING = "judging"
    NOT_JUDGED = "not judged"


# behind white letters, and on paper; any two differ by 0.07 (OKLab) for a deuteranope and a protanope, too
VERDICT_COLORS = {
    VerdictState.WRONG: "#cf3b30",
    VerdictState.LOOK: "#664800",
    VerdictState.CLEAN: "#1a7f4e",
    VerdictState.JUDGING: "#2a5fa8",
    VerdictState.NOT_JUDGED: "#585d63",
}
VERDICT_INK = {  # the same as letters on a light and on a dark window
    VerdictState.WRONG: ("#b02a20", "#ff8a7a"),
    VerdictState.LOOK: ("#664800", "#f2c14e"),
}
VERDICT_SIGNS = {  # they say the same
    VerdictState.WRONG: "\u2718",
    VerdictState.LOOK: "\u25b2",
    VerdictState.CLEAN: "\u2714",
    VerdictState.JUDGING: "\u2026",
    VerdictState.NOT_JUDGED: "?",
}


def as_state(verdict: Verdict) -> VerdictState:
    """What a comparison with limits says, in the words that stand for every kind of judgement."""
    return {
        Verdict.FAIL: VerdictState.WRONG, Verdict.WARN: VerdictState.LOOK, Verdict.PASS: VerdictState.CLEAN,
        Verdict.NOT_MEASURED: VerdictState.NOT_JUDGED,
    }[verdict]  # fmt: skip


@dataclass(frozen=True, slots=True)
class VerdictProblem:
    """Findings of one cause, wherever they were seen.

    Parameters
    ----------
    state : VerdictState
        WRONG, or LOOK for what is known already or no fault.
    step : str
        The first that is wrong, for people.
    headline : str
        What, where, at which wavelengths.
    detail : str
        Which fibers, how much, how sure.
    members : tuple of int
        Numbers of its findings, the clearest first.
    """

    state: VerdictState
    step: str
    headline: str
    detail: str
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChainCell:
    """One step of the data's flow.

    Parameters
    ----------
    key : str
        Product or step, as an intent names it.
    title : str
    state : VerdictState
    first : bool
        The first step that is wrong.
    there : bool
        Whether there is something to show.
    shown : bool
        Whether it is on the canvas.
    hint : str
        Why it is in that state.
    """

    key: str
    title: str
    state: VerdictState
    first: bool = False
    there: bool = True
    shown: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class VerdictView:
    """Everything on the verdict bar and the chain strip.

    Parameters
    ----------
    state : VerdictState
    headline, detail : str
        Of the problem that is shown; else what was judged.
    judged : str
        How much the verdict rests on, and how much was not asked.
    unasked : str
        What was not asked, with the reasons; lines.
    problems : tuple of Problem
        The worst first.
    problem : int
        Which of them is shown; -1 for none.
    chain : tuple of ChainCell
    fraction : float or None
        How much is judged while it is being judged.
    proof, report : bool
        Whether there are two pictures to blink, and a report to write.
    dock : str
        Key of the dock that lists the problems, "" for none.
    more : tuple of (words, what is asked for)
        What else can be looked at of the problem.
    asks : bool
        Whether there is a test that can be begun.
    """

    state: VerdictState
    headline: str
    detail: str = ""
    judged: str = ""
    unasked: str = ""
    problems: tuple[VerdictProblem, ...] = ()
    problem: int = -1
    chain: tuple[ChainCell, ...] = ()
    fraction: float | None = None
    proof: bool = False
    report: bool = False
    dock: str = "triage"
    more: tuple[tuple[str, tuple[object, ...]], ...] = ()
    asks: bool = True

"""The verdict on a reduction: what came of each step, the first wrong one, and the chain of the steps."""

from __future__ import annotations

from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.session import Session
from ifuview.model.verdict import ChainCell, VerdictProblem, VerdictState, VerdictView
from ifuview.recipes.graph import StepVerdict

DOT = " \u00b7 "


def make(session: Session) -> VerdictView | None:
    """The bar of the reduction that was made last; None without one."""
    state = session.reduction
    if state is None:
        return None
    problems = tuple(
        _problem(state, one, number)
        for number, one in enumerate(state.verdicts)
        if one.state in (VerdictState.WRONG, VerdictState.LOOK)
    )
    if state.running:
        return _being_made(state)
    made = f"{len(state.steps)} of {len(state.plan)} steps made"
    stopped = not state.line and len(state.steps) < len(state.plan)
    line = DOT.join((f"stopped, {made}", state.camera, state.title)) if stopped else state.line
    nothing = VerdictState.NOT_JUDGED if stopped else VerdictState.CLEAN
    judged = sum(one.state is not VerdictState.NOT_JUDGED for one in state.verdicts)
    first = next((n for n, problem in enumerate(problems) if problem.state is VerdictState.WRONG), 0)
    number = min(state.problem if state.problem >= 0 else first, len(problems) - 1)
    shown = problems[number] if problems else None
    return VerdictView(
        state=nothing if shown is None else shown.state,
        headline=line if shown is None else shown.headline,
        detail=("nothing wrong in those" if stopped else "") if shown is None else f"{shown.detail}{DOT}{line}",
        judged=f"judged {judged} of {len(state.verdicts)} steps",
        problems=problems,
        problem=number,
        chain=_chain(state),
    )


def _being_made(state: ReductionState) -> VerdictView:
    """The bar while steps are made."""
    title = dict(state.plan)[state.running]
    return VerdictView(
        state=VerdictState.JUDGING,
        headline=DOT.join((f"Reducing: {title}", state.camera, state.title)),
        detail=state.change,
        judged=f"{len(state.steps)} of {len(state.plan)} steps made",
        chain=_chain(state),
        fraction=state.fraction,
    )


def _problem(state: ReductionState, one: StepVerdict, number: int) -> VerdictProblem:
    title = one.title
    headline = DOT.join((f"{title.upper()} {one.state.value}: {one.text}", state.camera, state.title))
    return VerdictProblem(one.state, title, headline, one.place or "all fibers", (number,))


def _chain(state: ReductionState) -> tuple[ChainCell, ...]:
    first = next((one.step for one in state.verdicts if one.state is VerdictState.WRONG), "")
    known = {one.step: one for one in state.verdicts}
    cells = []
    for step, title in state.plan:
        one, there, shown = known.get(step), state.value(step) is not None, step == state.shown
        if one is None:
            wait = VerdictState.JUDGING if step == state.running else VerdictState.NOT_JUDGED
            cells.append(
                ChainCell(
                    step, title, wait, False, False, shown, "being made" if step == state.running else "not made yet"
                )
            )
        else:
            cells.append(ChainCell(step, title, one.state, step == first, there, shown, one.text))
    return tuple(cells)

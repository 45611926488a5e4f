"""What the verdict bar asks for, of whatever it speaks of: the night, or the traces of the frame on the canvas."""

from __future__ import annotations

from collections.abc import Mapping

from ifuview.app.frames.intents import Intent, Judge, ShowProblem
from ifuview.app.session import Session
from ifuview.app.tasks import Outcome, Plan


def of_night(session: Session) -> bool:
    """Whether the bar speaks of a night, or of a product of one."""
    return session.triage is not None or session.night is not None


def judge(session: Session, intent: Judge) -> Outcome:
    """Judge, go on, or stop."""
    if not of_night(session):
        from ifuview.app.traces import judging as traces

        if traces.judged(session):
            return traces.judge(session, intent)
    from ifuview.app.night import judging as night

    return night.judge(session, intent)


def show_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Go to a problem."""
    if of_night(session):
        from ifuview.app.night import judging as night

        return night.go_to_problem(session, intent)
    from ifuview.app.traces import judging as traces

    return traces.go_to_problem(session, intent)


TASKS: Mapping[type[Intent], Plan] = {Judge: judge, ShowProblem: show_problem}

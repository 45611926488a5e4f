"""What the verdict bar asks for, of whatever it speaks of: photons, a reduction, the night, traces or spectra."""

from __future__ import annotations

from collections.abc import Mapping

from ifuview.app.frames.intents import Intent, Judge, ShowCell, ShowProblem
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.photons.which import photon_frame
from ifuview.app.session import Session
from ifuview.app.tasks import Change, Outcome, Plan


def of_night(session: Session) -> bool:
    """Whether the bar speaks of a night, or of a product of one."""
    if session.night is not None or session.triage is None:
        return session.night is not None
    slot = session.slot()
    return slot is None or session.triage.about(slot.dataset.path)


def of_raw_night(session: Session) -> bool:
    """Whether the bar speaks of the amplifiers of raw exposures."""
    return session.night is not None and session.night.index.raw_night is not None


def of_reduction(session: Session) -> bool:
    """Whether the bar speaks of a reduction: one was made, and one of its frames or its exposure is on the canvas."""
    state = session.reduction
    if state is None:
        return False
    if session.current in state.frames.values():
        return True
    now = None if session.night is None else session.night.shown.get(session.current or -1)
    return now is not None and (now.expid, now.camera) == (state.expid, state.camera)


def judge(session: Session, intent: Judge) -> Outcome:
    """Judge, go on, or stop."""
    state = session.reduction
    if not intent.on and state is not None and state.running and of_reduction(session):
        return Change(session, stop=(JobKey(JobKind.REDUCE),))
    if photon_frame(session) is not None:
        from ifuview.app.photons import judging as photons

        return photons.judge(session, intent)
    if of_raw_night(session):
        from ifuview.app.night import health

        return health.judge(session, intent)
    if not of_night(session):
        from ifuview.app.traces import judging as traces

        if traces.judged(session):
            return traces.judge(session, intent)
        from ifuview.app.spectra import judging as spectra

        if spectra.can_judge(session, session.slot()):
            return spectra.judge(session, intent)
    from ifuview.app.night import judging as night

    return night.judge(session, intent)


def show_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Go to a problem."""
    if photon_frame(session) is not None:
        from ifuview.app.photons import judging as photons

        return photons.go_to_problem(session, intent)
    if of_reduction(session):
        from ifuview.app.night.reduction.live import showing as reduction

        return reduction.go_to_problem(session, intent)
    if of_raw_night(session):
        from ifuview.app.night import health

        return health.go_to_problem(session, intent)
    if of_night(session):
        from ifuview.app.night import judging as night

        return night.go_to_problem(session, intent)
    from ifuview.app.spectra import judging as spectra

    if spectra.can_judge(session, session.slot()):
        return spectra.go_to_problem(session, intent)
    from ifuview.app.traces import judging as traces

    return traces.go_to_problem(session, intent)


def show_cell(session: Session, intent: ShowCell) -> Outcome:
    """Show a step of the chain: of photons, a product of the night, or of the reduction."""
    if photon_frame(session) is not None:
        from ifuview.app.photons import judging as photons

        return photons.show_cell(session, intent)
    from ifuview.app.night import intents as want

    return Change(
        session, (want.ShowStep(intent.key) if of_reduction(session) else want.ShowProduct(product=intent.key),)
    )


TASKS: Mapping[type[Intent], Plan] = {Judge: judge, ShowProblem: show_problem, ShowCell: show_cell}

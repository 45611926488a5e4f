"""The headless door: open files as the window would, inspect a fiber, write the report.

Nothing here loads Qt; heavy libraries are imported by the function that needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ifuview.app.frames.fibers import default_fiber, find_fiber
from ifuview.app.frames.opening.opened import new_slot
from ifuview.app.night.judging import triage_can_ask
from ifuview.app.opening import open_images
from ifuview.app.session import Selection, Session
from ifuview.app.tasks import Change, Outcome, Task, as_change
from ifuview.app.traces.loading import with_traces
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, UsageError

if TYPE_CHECKING:
    from ifuview.model.inspection import FiberInspection


def inspect(session: Session, ctx: JobContext = SILENT) -> FiberInspection | None:
    """Return cross-section, spectrum and trace quality of the selected fiber of a session (None: nothing selected).

    Parameters
    ----------
    session : Session
        As `make_session` returns it.
    ctx : JobContext, optional
        Progress and cancellation.
    """
    from ifuview.app.spectra.inspect import inspect_selection

    return inspect_selection(session, ctx)


def make_session(
    paths: Sequence[str], traces: str | None = None, fiber: str | int | None = None, ctx: JobContext = SILENT
) -> Session:
    """Open files headless, as the window would: their companions' traces loaded, a fiber selected and inspected.

    Parameters
    ----------
    paths : sequence of str
        As for `open_dataset`; the first is shown.
    traces : str, optional
        Trace file. Default: the one that lies beside the first image.
    fiber : int or str, optional
        Row of the fiber from 0, or the instrument's own number as text. Default: none.
    ctx : JobContext, optional
        Progress and cancellation.

    Returns
    -------
    Session
        `session.slots` are the frames, `session.inspection` what is known of the fiber.

    Raises
    ------
    IfuviewError
        A file cannot be read, or there is no such fiber.
    """
    session = _opened(paths, traces, ctx)
    row = default_fiber(session) if fiber is None else find_fiber(session, str(fiber))
    session = _with_photons(replace(session, selection=Selection(fiber=row)), ctx.part(0.6, 0.7))
    return replace(session, inspection=inspect(session, ctx.part(0.7, 0.9)))


def _opened(paths: Sequence[str], traces: str | None, ctx: JobContext) -> Session:
    """The files, the first of them shown, with their traces."""
    session = Session()
    for i, path in enumerate(paths):
        step = ctx.part(0.6 * i / len(paths), 0.6 * (i + 1) / len(paths))
        for opened in open_images(path, ctx=step):
            session = session.adding(new_slot(session, opened))
    session = replace(session, slots=tuple(with_traces(s, traces, ctx) for s in session.slots))
    return session.showing(session.slots[0].key) if session.slots else session


def _with_photons(session: Session, ctx: JobContext) -> Session:
    """The session with its photon lists open, as the window opens them."""
    from ifuview.app.photons.which import is_photons

    lists = [slot for slot in session.slots if is_photons(slot)]
    if not lists:
        return session
    from ifuview.app.photons.tasks.lists import opening

    alone = replace(session, headless=True)
    for slot in lists:
        alone = _carried_out(alone, opening(slot), ctx)
    return replace(alone, headless=session.headless)


def _carried_out(session: Session, outcome: Outcome, ctx: JobContext) -> Session:
    """The session after what an outcome calls for, but for what only a window has."""
    from ifuview.app.intents import WINDOW, carried_out

    change = as_change(session, outcome)
    session = change.session
    for item in change.then:
        if isinstance(item, Task):
            session = _carried_out(session, item.apply(session, item.run(session, ctx)), ctx)
        elif type(item) not in WINDOW:
            session = _carried_out(session, carried_out(session, item), ctx)
    return session


def report(
    paths: Sequence[str],
    output: str,
    traces: str | None = None,
    fiber: str | int | None = None,
    ctx: JobContext = SILENT,
) -> str:
    """Open files, judge the first, inspect one fiber and write the report; return the path written."""
    return write_report(judged(paths, traces, fiber, ctx.part(0.0, 0.85)), output, ctx.part(0.85, 1.0))


def judged(
    paths: Sequence[str], traces: str | None = None, fiber: str | int | None = None, ctx: JobContext = SILENT
) -> Session:
    """Open files as `make_session` does, and judge the first as the window would.

    Without a fiber the session has one that the worst finding is in, else the middle one; it is not inspected yet.
    """
    session = _opened(paths, traces, ctx)
    if fiber is not None:
        session = replace(session, selection=Selection(fiber=find_fiber(session, str(fiber))))
    session = _asked(_with_photons(session, ctx.part(0.6, 0.7)), ctx.part(0.7, 1.0))
    if session.selection.fiber is None:
        session = replace(session, selection=Selection(fiber=default_fiber(session)))
    return session


def _asked(session: Session, ctx: JobContext) -> Session:
    """The session with the verdict on its current frame that a window gives unasked; the worst fiber is chosen."""
    slot = session.slot()
    if slot is None or slot.photons is not None:  # these are judged with their light, see `prepared`
        return session
    if triage_can_ask(slot):
        from ifuview.app.night.of_fiber import asked, worst_fiber

        session = asked(session, slot.dataset.path, ctx)
        if session.selection.fiber is not None:
            return session
        return replace(session, selection=Selection(fiber=worst_fiber(session.triage, slot.dataset.path)))
    from ifuview.app.follow import first_verdicts

    return _carried_out(session, Change(session, tuple(first_verdicts(session, None, slot))), ctx)


def write_report(session: Session, output: str, ctx: JobContext = SILENT) -> str:
    """Write the report of a session: its current frame, the overlay and the selected fiber; return its path.

    Parameters
    ----------
    session : Session
    output : str
        The suffix says what is written, as report.png.
    ctx : JobContext, optional
        Progress and cancellation.

    Raises
    ------
    UsageError
        Nothing is open, the suffix is unknown, or the folder cannot be written.
    """
    from ifuview.app.reporting.fiber_report import report_input
    from ifuview.report import write

    if session.slot() is None:
        raise UsageError("there is nothing to report", todo="open a file first")
    session = prepared(session, ctx.part(0.0, 0.3))
    ctx.checkpoint(0.3, "Drawing the report")
    write(report_input(session), output)
    return output


def prepared(session: Session, ctx: JobContext = SILENT) -> Session:
    """The session with all that a page of its current frame shows: light, fiber and verdict, where they were not made.

    Parameters
    ----------
    session : Session
        It has a current frame.
    ctx : JobContext, optional
        Progress and cancellation.
    """
    slot = session.slot()
    assert slot is not None
    if slot.photons is not None:
        from ifuview.app.photons.views.light_report import with_light

        session = _photons_judged(with_light(session, ctx.part(0.0, 0.5)), ctx.part(0.5, 1.0))
    if session.inspection is None and session.selection.fiber is not None:
        session = replace(session, inspection=inspect(session, ctx))
    if triage_can_ask(slot):
        from ifuview.app.night.of_fiber import asked

        session = asked(session, slot.dataset.path, ctx)
    return session


def _photons_judged(session: Session, ctx: JobContext) -> Session:
    """The session with the photon list on the canvas judged, where that was not done yet; what stops it is said."""
    from ifuview.app.photons.judging import judge_frame
    from ifuview.app.photons.state import PhotonJudged

    slot = session.slot()
    if slot is None or slot.photons is None or slot.photons.judged is not None:
        return session
    frame = slot.photons
    try:
        judged = PhotonJudged(frame.stack, judge_frame(frame, ctx))
    except IfuviewError as problem:
        judged = PhotonJudged(frame.stack, why=str(problem))
    return session.with_slot(replace(slot, photons=replace(frame, judged=judged)))

"""The night is judged as it is opened: one camera after the other, those on the canvas first, the answer as it grows.

Each camera is a task of its own, so that whatever is asked for meanwhile comes between two of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from ifuview.app.frames.intents import Intent, Judge, ShowDock, ShowProblem
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.messages import no_problem, note
from ifuview.app.night import intents as want
from ifuview.app.night import open_night
from ifuview.app.night.showing import proved
from ifuview.app.night.state import TriageState
from ifuview.app.night.triage.growing import grown, joined
from ifuview.app.night.triage.tasks import at_proof
from ifuview.app.session import Level, Session, Slot
from ifuview.app.tasks import Change, Outcome, Task, as_change
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.instrument import instrument
from ifuview.model.image import Kind

if TYPE_CHECKING:
    from ifuview.app.night.triage.files import CameraFiles
    from ifuview.app.night.triage.growing import Answers
    from ifuview.model.night.exposures import ExposureIndex


@dataclass(frozen=True, kw_only=True)
class FindCameras(Task["list[CameraFiles]"]):
    """Which cameras of a folder, or of a product's exposure, can be judged; `more`: other products that are open.

    What was judged of those stays; of `path` itself unless it is to be judged `again`.
    """

    kind: ClassVar[JobKind] = JobKind.VERDICT
    path: str
    more: tuple[str, ...] = ()
    again: bool = False
    quiet: bool = True
    newest: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> list[CameraFiles]:
        """List them; none is no fault."""
        from ifuview.app.night.triage.files import find_cameras

        indexes = () if session.night is None else (session.night.index,)
        try:
            return find_cameras((self.path, *self.more), ctx=ctx, indexes=indexes)
        except IfuviewError:
            return []

    def apply(self, session: Session, result: list[CameraFiles]) -> Outcome:
        """Begin with those on the canvas; what was judged of them stays."""
        if not result:
            return session
        now = open_night.here(session)
        first = result[0].expid if now is None else now.expid
        camera = "" if now is None else now.camera
        result.sort(key=lambda c: (c.expid != first, c.expid, c.camera != camera, c.camera))
        name = os.path.basename(self.path.rstrip(os.sep)) or self.path
        before = None if session.triage is None or not self.more else session.triage
        own = [c for c in result if self.again and self.path in c.files.values()]
        known = () if before is None else before.done
        done = tuple(one for one in known if one.camera in result and one.camera not in own)
        asked = [one.camera for one in done]
        todo = tuple(camera for camera in result if camera not in asked)
        state = TriageState(scope=name, todo=todo)
        if before is not None:
            state = grown(replace(before, scope=name), done, (), todo)
        session = replace(session, triage=state)
        if todo and session.night is not None and not session.slots:
            first_seen = Judge(by_user=False)  # the first picture is read before: no black canvas meanwhile
            return Change(session, settled=(first_seen,))
        return Change(session, (JudgeCamera(title=_title(todo), todo=todo),) if todo else ())


@dataclass(frozen=True, kw_only=True)
class JudgeCamera(Task["Answers"]):
    """The next camera is judged, and what all together say."""

    kind: ClassVar[JobKind] = JobKind.VERDICT
    todo: tuple[CameraFiles, ...]
    quiet: bool = True
    newest: bool = True
    aside: bool = True

    def run(self, session: Session, ctx: JobContext) -> Answers:
        """Ask it."""
        from ifuview.app.night.triage.growing import answers
        from ifuview.app.night.triage.run import judged_camera

        before = session.triage
        assert before is not None
        return answers(before, (judged_camera(self.todo[0], ctx=ctx),), before.scope)

    def apply(self, session: Session, result: Answers) -> Outcome:
        """Keep the answer; the first thing that is wrong is gone to, unless the user is elsewhere; go on."""
        if session.triage is None or session.triage.todo != self.todo:
            return session  # another triage has taken its place
        state = joined(session.triage, result)
        known = [one.camera for one in state.done]
        todo = tuple(camera for camera in self.todo[1:] if camera not in known)
        session = replace(session, triage=replace(state, todo=todo))
        if state.stopped:
            return session
        more = (JudgeCamera(title=_title(todo), todo=todo),) if todo else ()
        if not more:
            for problem in state.result.problems:
                session = note(session, problem, Level.WARNING)
        change = as_change(session, _taken_there(session))
        return replace(change, then=(*change.then, *more))


def _title(todo: Sequence[CameraFiles]) -> str:
    return f"Judge {todo[0].label}"


def _taken_there(session: Session) -> Outcome:
    """Go to the worst problem whenever another one turns out to be that, until the user goes anywhere."""
    from ifuview.app.night.triage.window import places
    from ifuview.app.night.views.verdict import is_wrong

    state, night = session.triage, session.night
    if state is None or state.taken or not state.groups or session.headless:
        return session
    number = state.groups[0][0]
    worst = state.result.findings[number]
    if not is_wrong(worst):
        return session
    if state.problem < 0 and _fiber_wanted(session):
        return proved(replace(session, triage=state.at(number)))
    if _user_moved(session):
        return replace(session, triage=replace(state, taken=True))
    pair = places(session, worst)
    if (state.number == number and state.problem == 0) or (night is not None and not pair):
        return session
    night = None if night is None else replace(night, auto=pair[-1], left=open_night.here(session))
    state = replace(state, problem=0, finding=number)
    return at_proof(replace(session, triage=state, night=night), worst, blink=False)


def _fiber_wanted(session: Session) -> bool:
    """Whether a product was opened alone for one of its fibers: what is wrong is marked beside, the fiber stays."""
    slot = session.slot()
    alone = session.night is None and slot is not None and slot.view.fit
    return alone and session.selection.fiber is not None


def _user_moved(session: Session) -> bool:
    """Whether the user has gone to another product, or into the picture of the one that was opened alone."""
    night = session.night
    if night is not None:
        on_its_way = night.auto is not None and open_night.key_of(session, night.auto) is None
        unmoved = (None, night.auto, night.left) if on_its_way else (None, night.auto)
        return open_night.is_elsewhere(session) or open_night.here(session) not in unmoved
    slot = session.slot()
    return slot is None or not slot.view.fit


def triage_can_ask(slot: Slot) -> bool:
    """Whether a frame is a product that a triage asks about."""
    chain = instrument(slot.dataset.instrument).chain
    return bool(slot.dataset.path) and slot.image.kind is Kind.RSS and chain is not None and bool(chain.judged)


def of_product(session: Session, slot: Slot) -> tuple[FindCameras, ...]:
    """The judgement of a product that was opened alone, with those of its camera that lie beside it."""
    asked = session.triage is not None and session.triage.about(slot.dataset.path)
    if session.night is not None or asked:
        return ()
    if not triage_can_ask(slot):
        return ()
    return (FindCameras(title=f"Judge {slot.title}", path=slot.dataset.path, more=_others(session, slot)),)


# what the bar asks for


def judge(session: Session, intent: Judge) -> Outcome:
    """Judge what is open, or go on where it was stopped; or stop."""
    state = session.triage
    if not intent.on:
        return Change(session, stop=(JobKey(JobKind.VERDICT),)) if state is None else Change(
            replace(session, triage=replace(state, stopped=True)), stop=(JobKey(JobKind.VERDICT),)
        )  # fmt: skip
    if state is not None and state.stopped and not intent.by_user:
        return session
    if state is not None and state.todo:
        session = replace(session, triage=replace(state, stopped=False))
        return Change(session, (JudgeCamera(title=_title(state.todo), todo=state.todo),))
    title, slot = "Judge what is open", session.slot()
    if session.night is not None:
        return FindCameras(title=title, path=session.night.index.folder)
    if slot is None or not slot.dataset.path:
        return session
    return FindCameras(title=title, path=slot.dataset.path, more=_others(session, slot), again=True)


def _others(session: Session, slot: Slot) -> tuple[str, ...]:
    """Other products that are open and that a triage asks about."""
    return tuple(dict.fromkeys(s.dataset.path for s in session.slots if s.key != slot.key and triage_can_ask(s)))


def go_to_problem(session: Session, intent: ShowProblem) -> Outcome:
    """Another problem, its pictures and its place; `blink`: between the two pictures."""
    state = session.triage
    if state is None or not state.groups:
        asked = state is not None and bool(state.result.cameras)
        return no_problem(session, asked=asked, left=asked and bool(state and state.todo))
    now = max(state.problem, 0 if not intent.step else state.problem)
    number = intent.number if intent.number is not None else (now + intent.step) % len(state.groups)
    if not 0 <= number < len(state.groups):
        return session
    chosen = state.number if intent.blink and number == now else state.groups[number][0]
    return at_proof(replace(session, triage=state.at(chosen)), state.result.findings[chosen], blink=intent.blink)


def _first_raw(session: Session, index: ExposureIndex) -> tuple[Intent, ...]:
    """The first exposure of the sky on the canvas, and the verdict on all amplifiers."""
    from ifuview.app.night.health import first_look as of_raw

    shown = of_raw(index) if not session.slots else None
    heads = (ShowDock("heads"),) if index.slots else ()
    begun = () if shown is None else (shown, *heads)
    return (*begun, Judge()) if session.judges else begun


def first_judged(index: ExposureIndex) -> tuple[int, str] | None:
    """The exposure and camera that are judged first, else the first that have any file."""
    with_files = [exposure for exposure in index.exposures if exposure.files]
    sky = [exposure for exposure in with_files if exposure.obstype not in index.chain.lamps]
    for exposure in sky:
        own = sorted(camera for camera, product in exposure.files if product in index.chain.judged)
        if own:
            return exposure.expid, own[0]
    return next(((exposure.expid, "") for exposure in (*sky, *with_files)), None)


def first_look(session: Session, index: ExposureIndex) -> tuple[Task[Any] | Intent, ...]:
    """What follows on a folder that has just been opened: its first product on the canvas, and its verdict."""
    if index.raw_night is not None and not session.headless:
        return _first_raw(session, index)
    if session.headless or not (index.exposures or index.calibrations) or not index.chain.judged:
        return ()
    begun: tuple[Task[Any] | Intent, ...] = ()
    if not session.slots and (first := first_judged(index)) is not None:
        begun = (want.ShowProduct(first[0], first[1]),)
    return begun if not session.judges else (*begun, FindCameras(title=f"Judge {index.folder}", path=index.folder))

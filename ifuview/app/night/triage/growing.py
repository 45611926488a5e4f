"""A triage in the window grows camera by camera: what all that have been asked say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ifuview.app.night.state import TriageState
from ifuview.app.night.triage.files import CameraFiles
from ifuview.app.night.triage.run import arrays_of
from ifuview.app.night.triage.sum import Triaged, summed
from ifuview.model.night.triage import Finding


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What some cameras have answered.

    Parameters
    ----------
    new : tuple of Triaged
    unread : tuple of str
        Why others could not be asked.
    scope : str
        Where they come from, in words.
    before : TriageState or None
        What was known when they were asked.
    after : TriageState
        Both together.
    """

    new: tuple[Triaged, ...]
    unread: tuple[str, ...]
    scope: str
    before: TriageState | None
    after: TriageState


def answers(before: TriageState | None, asked: Sequence[Triaged | str], scope: str) -> Answers:
    """Answers of cameras, or why there is none, with what was known before; that of the same cameras is replaced."""
    new = tuple(one for one in asked if not isinstance(one, str))
    unread = tuple(one for one in asked if isinstance(one, str))
    return Answers(new, unread, scope, before, _both(before, new, unread, scope))


def joined(now: TriageState | None, found: Answers) -> TriageState:
    """Answers with what is known by now, at the problem that is shown now; nothing of other cameras is lost."""
    if now is None:
        return found.after if found.before is None else _both(None, found.new, found.unread, found.scope)
    same = found.before is not None and now.done is found.before.done and now.unread is found.before.unread
    after = found.after if same else _both(now, found.new, found.unread, found.scope)
    return _at_same_problem(now, replace(after, todo=now.todo, stopped=now.stopped, fix=now.fix))


def grown(
    before: TriageState, done: tuple[Triaged, ...], unread: tuple[str, ...], todo: tuple[CameraFiles, ...] = ()
) -> TriageState:
    """The answer of all cameras that have been asked, at the problem that was chosen."""
    from ifuview.engine.night.problems import grouped

    result = summed(list(done), list(unread), ())
    state = replace(
        before,
        result=result,
        arrays=arrays_of(done),
        groups=grouped(result.findings),
        fiber_ids={(t.camera.expid, t.camera.camera): t.found.numbers.get("fiber_id") for t in done},
        done=done,
        unread=unread,
        todo=todo,
    )
    return _at_same_problem(before, state)


def _both(before: TriageState | None, new: tuple[Triaged, ...], unread: tuple[str, ...], scope: str) -> TriageState:
    state = before or TriageState(scope=scope)
    own, known = {_place(one) for one in new}, {_place(one) for one in state.done}
    if scope not in state.scope and not own <= known:
        state = replace(state, scope=scope if known <= own else f"{state.scope} and {scope}")
    others = tuple(one for one in state.done if _place(one) not in own)
    still = tuple(text for text in state.unread if not any(_speaks_of(text, one.camera) for one in new))
    return grown(state, (*others, *new), tuple(dict.fromkeys((*still, *unread))), state.todo)


def _place(one: Triaged) -> tuple[int, str]:
    return one.camera.expid, one.camera.camera


def _speaks_of(text: str, camera: CameraFiles) -> bool:
    """Whether a sentence on what could not be read is about a camera."""
    return camera.label in text or any(path in text for path in camera.files.values())


def _at_same_problem(old: TriageState, new: TriageState) -> TriageState:
    """The new answer at the problem that was chosen in the old one."""
    if old.problem < 0 or old.shown is None:
        return replace(new, problem=-1, finding=-1, taken=old.taken)
    wanted = _name(old.shown)
    number = next((n for n, finding in enumerate(new.result.findings) if _name(finding) == wanted), -1)
    return replace(new.at(number), taken=old.taken)


def _name(finding: Finding) -> tuple[object, ...]:
    """What tells a finding from all others."""
    return finding.kind, finding.expid, finding.camera, finding.fibers, finding.wave_range

"""A triage in the window grows camera by camera: what all that have been asked say together."""

from __future__ import annotations

from dataclasses import replace

from ifuview.app.night.state import TriageState
from ifuview.app.night.triage.files import CameraFiles
from ifuview.app.night.triage.run import arrays_of
from ifuview.app.night.triage.sum import Triaged, summed


def grown(
    before: TriageState, done: tuple[Triaged, ...], unread: tuple[str, ...], todo: tuple[CameraFiles, ...] = ()
) -> TriageState:
    """The answer of all cameras that have been asked."""
    from ifuview.engine.night.problems import grouped

    result = summed(list(done), list(unread), ())
    return replace(
        before,
        result=result,
        arrays=arrays_of(done),
        groups=grouped(result.findings),
        fiber_ids={(t.camera.expid, t.camera.camera): t.found.numbers.get("fiber_id") for t in done},
        done=done,
        unread=unread,
        todo=todo,
    )


def with_camera(before: TriageState | None, one: Triaged | str, scope: str) -> TriageState:
    """What was found so far with the answer of one more camera; that of the same camera before is replaced.

    Parameters
    ----------
    before : TriageState or None
    one : Triaged or str
        The answer, or why there is none.
    scope : str
        Where the camera comes from.
    """
    state = before or TriageState(scope=scope)
    if scope not in state.scope:
        state = replace(state, scope=f"{state.scope} and {scope}")
    if isinstance(one, str):
        return grown(state, state.done, tuple(dict.fromkeys((*state.unread, one))), state.todo)
    own = one.camera.expid, one.camera.camera
    others = tuple(t for t in state.done if (t.camera.expid, t.camera.camera) != own)
    return grown(state, (*others, one), state.unread, state.todo)

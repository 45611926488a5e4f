"""The pictures of the steps of a reduction, by the recipe that makes them."""

from __future__ import annotations

from ifuview.app.frames.opening.opened import Opened
from ifuview.app.night.reduction import frames as channel
from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.night.virus.live import frames as head
from ifuview.app.night.virus.live.steps import NAME
from ifuview.model.trace import TraceSet

FIRST = "field"  # step of a channel that is shown when all is done


def of_head(state: ReductionState) -> bool:
    """Whether a fiber head of an observation is reduced, not a channel."""
    return state.recipe is not None and state.recipe.name == NAME


def picture(state: ReductionState, step: str) -> str:
    """Name of the picture of a step, another one when what it shows is; "": there is none."""
    return head.picture(state, step) if of_head(state) else channel.picture(state, step)


def traces_on(state: ReductionState, step: str) -> TraceSet | None:
    """The traces that lie on the picture of a step."""
    return None if of_head(state) else channel.traces_on(state, step)


def frame_of(state: ReductionState, step: str) -> Opened:
    """The picture of a step, and the traces on it.

    Raises
    ------
    MissingDataError
        The step was not made.
    """
    return head.frame_of(state, step) if of_head(state) else channel.frame_of(state, step)


def first_shown(state: ReductionState) -> str:
    """The step that is shown when all is done."""
    return head.FIRST if of_head(state) else FIRST

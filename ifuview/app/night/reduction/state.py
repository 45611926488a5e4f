"""What the session knows of the reduction of one channel of a raw exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ifuview.recipes.graph import StepResult, StepVerdict
from ifuview.recipes.lrs2.values import ChannelSetup

if TYPE_CHECKING:
    from ifuview.app.night.reduction.run import ReducedChannel


@dataclass(frozen=True, slots=True, eq=False)
class ReductionState:
    """One channel of one exposure, as far as it is reduced.

    Parameters
    ----------
    expid : int
        Of the exposure in the index of the night.
    camera : str
    title : str
        Of the exposure, for people.
    steps : mapping of str to StepResult
        By step, in their order.
    verdicts : tuple of StepVerdict
    done : ReducedChannel or None
        What products are written from.
    setup : ChannelSetup or None
    line : str
        What came of it.
    notes : tuple of str
    shown : str
        Step on the canvas.
    frames : mapping of str to int
        Step to the key of its frame.
    params : mapping of str to object
        Parameters by step, where they are not the defaults.
    problem : int
        Which verdict the bar speaks of, -1: the worst.
    """

    expid: int
    camera: str
    title: str = ""
    steps: Mapping[str, StepResult] = field(default_factory=dict)
    verdicts: tuple[StepVerdict, ...] = ()
    done: ReducedChannel | None = None
    setup: ChannelSetup | None = None
    line: str = ""
    notes: tuple[str, ...] = ()
    shown: str = ""
    frames: Mapping[str, int] = field(default_factory=dict)
    problem: int = -1
    params: Mapping[str, object] = field(default_factory=dict)

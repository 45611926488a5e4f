"""What the session knows of the reduction of one channel of a raw exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ifuview.model.checks import Header
from ifuview.model.night.raw import RawExposure

if TYPE_CHECKING:  # recipes take 0.7 s of CPU to load: on the worker, not with the first wish to reduce
    from ifuview.app.frames.past import Past
    from ifuview.app.night.reduction.channel import ReducedChannel
    from ifuview.recipes.graph import Given, Recipe, StepResult, StepVerdict
    from ifuview.recipes.lrs2.channel import ChannelField
    from ifuview.recipes.lrs2.values import ChannelSetup

LRS2 = "lrs2"
SCIENCE = "sci"  # kind of an exposure


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
        By step, in their order; those that are made.
    verdicts : tuple of StepVerdict
    done : ReducedChannel or None
        What products are written from.
    setup : ChannelSetup or None
    line : str
        What came of it.
    notes : tuple of str
    shown : str
        Step on the canvas.
    follows : bool
        The canvas shows each step as it is made, until another is chosen.
    frames : mapping of str to int
        Picture of a step, as `picture` names it, to the key of its frame.
    params : mapping of str to object
        Parameters by step, where they are not the defaults.
    problem : int
        Which verdict the bar speaks of, -1: the worst.
    raw : RawExposure or None
    folder : str
        Of its night, with the calibrations.
    given : mapping of str to Given
        What the steps are made from.
    running : str
        Step that is being made; "": none.
    before : ReductionState or None
        With the parameters of before the last change.
    change : str
        What was changed, for people.
    recipe : Recipe or None
    past : tuple of Past
        Each change that was made, with the parameters of before it; the last can be taken back.
    undone : tuple of Past
        Those that were taken back, with the parameters that they gave.
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
    follows: bool = True
    frames: Mapping[str, int] = field(default_factory=dict)
    problem: int = -1
    params: Mapping[str, object] = field(default_factory=dict)
    raw: RawExposure | None = None
    folder: str = ""
    given: Mapping[str, Given] = field(default_factory=dict)
    running: str = ""
    before: ReductionState | None = None
    change: str = ""
    past: tuple[Past[Mapping[str, object]], ...] = ()
    undone: tuple[Past[Mapping[str, object]], ...] = ()
    recipe: Recipe | None = None

    @property
    def plan(self) -> tuple[tuple[str, str], ...]:
        """Name and title of all steps, in their order."""
        if self.recipe is None:
            return tuple((one.step, one.title or one.step) for one in self.verdicts)
        return tuple((step.name, step.title) for step in self.recipe.steps)

    def params_of(self, step: str) -> object:
        """The parameters that a step is, or will be, made with."""
        return self.params.get(step, None if self.recipe is None else self.recipe.step(step).params)

    @property
    def fraction(self) -> float | None:
        """How many of the steps are made, while they are being made."""
        return len(self.steps) / max(len(self.plan), 1) if self.running else None

    def value(self, step: str) -> object:
        """What a step has made; None where it has not."""
        found = self.steps.get(step)
        return None if found is None else found.value


@dataclass(frozen=True, slots=True)
class FieldPlace:
    """A circle in the field of a head, and a ring about it, arcsec; a radius of 0 is a lenslet."""

    x: float
    y: float
    radius: float = 0.0
    inner: float = 0.0
    outer: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SkyChannel:
    """A channel of the target, without sky.

    Parameters
    ----------
    expid : int
        Of its exposure.
    head : str
        The fiber head that it belongs to.
    title : str
        Of its exposure, for people.
    made : ChannelField
    raw : RawExposure
    header : mapping
        Cards of the exposure.
    """

    expid: int
    head: str
    title: str
    made: ChannelField
    raw: RawExposure
    header: Header

"""What calibrates the exposures of a channel: made once, judged, and held as far as exposures need it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ifuview.app.night.reduction.setup import ARC, INPUTS, SKIES, near
from ifuview.engine.context import SILENT, JobContext
from ifuview.io.archive.paths import split
from ifuview.io.archive.store import STORE
from ifuview.model.figure import Figure
from ifuview.model.night.raw import RawExposure, RawNight
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import Given, StepResult, StepVerdict, run
from ifuview.recipes.lrs2.figures import figures_of
from ifuview.recipes.lrs2.judge import judged
from ifuview.recipes.lrs2.recipe import CALIBRATIONS, RECIPE
from ifuview.recipes.lrs2.values import ChannelSetup

ALONE = ("flat", "arcs")  # that exposures do not need once the others are made
CONSTANT = ("setup", *INPUTS, SKIES)  # inputs that calibrations are made from


@dataclass(frozen=True, slots=True, eq=False)
class ChannelCalibration:
    """Calibrations of a channel.

    Parameters
    ----------
    key : tuple of str
        Of what they were made from.
    steps : mapping of str to StepResult
    verdicts : tuple of StepVerdict
    setup : ChannelSetup
    drawn : mapping of str to tuple of Figure
        Of the steps, once values are given up.
    notes : tuple of str
        What was odd about the raw frames.
    """

    key: tuple[str, ...]
    steps: Mapping[str, StepResult]
    verdicts: tuple[StepVerdict, ...]
    setup: ChannelSetup
    drawn: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def value(self, step: str) -> object:
        """What a step has made; None where it has not."""
        return self.steps[step].value if step in self.steps else None

    def light(self) -> ChannelCalibration:
        """The same without what exposures do not need; figures take its place."""
        if self.drawn:
            return self
        drawn = {name: figures_of(self, name) for name in self.steps}
        steps = {name: one.given_up() if name in ALONE else one for name, one in self.steps.items()}
        return replace(self, steps=steps, drawn=drawn)


def key_of(inputs: Mapping[str, Given], params: Mapping[str, object] | None) -> tuple[str, ...]:
    """What the calibrations of an exposure depend on."""
    own = tuple(inputs[name].key if name in inputs else "" for name in CONSTANT)
    return *own, *(repr((params or {}).get(name)) for name in CALIBRATIONS)


def calibrate(
    inputs: Mapping[str, Given], setup: ChannelSetup, params: Mapping[str, object] | None = None,
    cache: ValueCache | None = None, ctx: JobContext = SILENT, made: Callable[[StepResult], None] | None = None,
) -> ChannelCalibration:  # fmt: skip
    """Make the calibrations that an exposure asks for."""
    steps = run(RECIPE, inputs, params, CALIBRATIONS, cache, ctx, made)
    notes = odd(steps, ("biases", "dark", "flat"))
    return ChannelCalibration(key_of(inputs, params), steps, judged(steps, setup), setup, notes=notes)


def odd(steps: Mapping[str, StepResult], names: Collection[str]) -> tuple[str, ...]:
    """What steps that read raw frames say of them."""
    return tuple(note for name in names if name in steps for note in getattr(steps[name].value, "notes", ()))


def archives(
    night: RawNight, todo: Iterable[tuple[str, RawExposure]], kinds: Collection[str] = tuple(INPUTS.values())
) -> frozenset[str]:
    """The files that exposures by channel, and what calibrates them, are read from."""
    out: set[str] = set()
    for camera, exposure in todo:
        own: Sequence[RawExposure] = [exposure]
        for kind in kinds:
            own = [*own, *near(night, exposure, camera, kind).exposures]
        out.update(split(a.path)[0] for one in own for a in one.of(camera))
    return frozenset(out)


def let_go(
    night: RawNight, todo: Sequence[tuple[str, RawExposure]], kinds: Collection[str] = tuple(INPUTS.values())
) -> None:
    """Give up inflated archives that nothing is left to be read from; of the first in `todo` these kinds still are."""
    STORE.keep_only(archives(night, todo[:1], kinds) | archives(night, todo[1:]))


def let_go_of_lit(night: RawNight, todo: Sequence[tuple[str, RawExposure]], one: StepResult) -> None:
    """When the last step before the arcs has read its frames: give up their archives."""
    if one.step == "flat":
        let_go(night, todo, (ARC,))


def give_back() -> None:
    """Give free memory back to the system, where the C library keeps it until it is asked."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)

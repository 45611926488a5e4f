"""What is found of one step, against the limits of the instrument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array
from ifuview.model.verdict import VerdictState
from ifuview.recipes.graph import StepResult, StepVerdict
from ifuview.recipes.lrs2.values import ChannelSetup

ORDER = (VerdictState.WRONG, VerdictState.LOOK, VerdictState.CLEAN, VerdictState.NOT_JUDGED)
Spans = tuple[tuple[float, float], ...]


class Findings:
    """Answers about a step, the worst of which is the verdict.

    Parameters
    ----------
    step : str
    steps : mapping of str to StepResult
        Those that are made.
    setup : ChannelSetup
    """

    def __init__(self, step: str, steps: Mapping[str, StepResult], setup: ChannelSetup) -> None:
        self.step, self.steps, self.setup = step, steps, setup
        self._found: list[StepVerdict] = []

    def value(self, step: str) -> object:
        """What another step has made; None where it has not."""
        one = self.steps.get(step)
        return None if one is None else one.value

    def say(
        self, state: VerdictState, text: str, fibers: Iterable[int] = (), waves: Spans = (), sigma: float = np.nan
    ) -> None:
        """An answer that needs no limit."""
        self._found.append(StepVerdict(self.step, state, text, tuple(map(int, fibers)), "", waves, float(sigma)))

    def limits(self, name: str) -> tuple[float, float]:
        """From where on a number wants a look, and is wrong; infinite where the instrument says nothing."""
        return self.setup.spec.step_limits.get(name, (np.inf, np.inf))

    def measure(
        self, name: str, value: float, text: str, fibers: Iterable[int] = (), waves: Spans = (), sigma: float = np.nan
    ) -> None:
        """A number that is better the smaller it is."""
        look, wrong = self.limits(name)
        if not np.isfinite(value) or not np.isfinite(look):
            state = VerdictState.NOT_JUDGED
        else:
            state = VerdictState.WRONG if value >= wrong else VerdictState.LOOK if value >= look else VerdictState.CLEAN
        bad = state in (VerdictState.WRONG, VerdictState.LOOK)
        self.say(state, text, fibers if bad else (), waves if bad else (), sigma if bad else np.nan)

    def verdict(self) -> StepVerdict:
        """The worst answers with their place, then the words of the others."""
        found = sorted(self._found, key=lambda one: ORDER.index(one.state))
        worst = [one for one in found if one.state is found[0].state]
        fibers = next((one.fibers for one in worst if one.fibers), ())
        waves = next((one.waves for one in worst if one.waves), ())
        sigma = max((one.sigma for one in worst if np.isfinite(one.sigma)), default=np.nan)
        text = "; ".join(one.text for one in found if one.text)
        return StepVerdict(self.step, found[0].state, text, fibers, "", waves, sigma)


def several(count: int, noun: str) -> str:
    """A number of things in words."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def spans(wave: Array, chosen: Array, apart: int = 8) -> Spans:
    """Wavelengths of the samples that are chosen along one axis, those less than `apart` samples apart as one."""
    return tuple((float(wave[a]), float(wave[b - 1])) for a, b in runs(chosen, apart - 1))


def middle_wave(wave: Array) -> NDArray[np.float64]:
    """Wavelengths of the middle fiber."""
    return np.asarray(wave if wave.ndim == 1 else wave[wave.shape[0] // 2])

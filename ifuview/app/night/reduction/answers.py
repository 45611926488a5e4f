"""What the steps of a reduction say of themselves, by the recipe that made them: figures and numbers."""

from __future__ import annotations

from ifuview.app.night.reduction.state import ReductionState
from ifuview.model.figure import Figure
from ifuview.recipes.lrs2.figures import figures_of
from ifuview.recipes.lrs2.numbers import StepNumber, numbers


def step_figures(state: ReductionState, step: str) -> tuple[Figure, ...]:
    """The figures of a step; none where it has not been made or has none."""
    return figures_of(state, step)


def step_numbers(state: ReductionState) -> tuple[StepNumber, ...]:
    """The numbers of all steps that are made."""
    return numbers(state)

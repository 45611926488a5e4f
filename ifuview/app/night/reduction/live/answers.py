"""What the steps of a reduction say of themselves, by the recipe that made them: figures and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ifuview.app.night.reduction.state import FieldPlace, ReductionState, SkyChannel
from ifuview.app.night.virus.live import judge as heads
from ifuview.app.night.virus.live.steps import NAME
from ifuview.errors import IfuviewError
from ifuview.model.checks import Array
from ifuview.model.figure import Figure
from ifuview.recipes.lrs2.channel import cell, light, places_figure, spectra_figure, spectrum_at
from ifuview.recipes.lrs2.figures import FIGURES, figures_of
from ifuview.recipes.lrs2.numbers import StepNumber, numbers
from ifuview.recipes.virus.light.sky import NEAREST

SOURCE = "spectrum"


class LensletLight(NamedTuple):
    """Mean flux density of each lenslet, (nfiber,), NaN where a channel does not know it; and where it is from."""

    value: Array
    words: str


def step_figures(state: ReductionState, step: str) -> tuple[Figure, ...]:
    """The figures of a step; none where it has not been made or has none."""
    if state.recipe is not None and state.recipe.name == NAME:
        return heads.figures(state.steps, step)
    return figures_of(state, step)


def step_numbers(state: ReductionState) -> tuple[StepNumber, ...]:
    """The numbers of all steps that are made."""
    if state.recipe is not None and state.recipe.name == NAME:
        return heads.numbers(state.steps)
    return numbers(state)


def choices_of(state: ReductionState, now: str) -> tuple[str, ...]:
    """What a text that is not of a fixed list may be: the head that lends its sky."""
    from ifuview.app.night.virus.live.making import lending_slots

    if state.recipe is None or state.recipe.name != NAME:
        return (now,)
    return tuple(dict.fromkeys((NEAREST, *lending_slots(state), now)))


def lenslet_light(lead: SkyChannel, group: Sequence[SkyChannel], window: tuple[float, float] | None) -> LensletLight:
    """Light of each lenslet of a head, and of which wavelengths.

    Those of the window, each channel its part, weighted by Angstrom; all of the leading one if nobody has any.
    """
    parts: list[tuple[SkyChannel, float, float]] = []
    done = -np.inf
    for one in sorted(group, key=lambda one: one.made.range):
        first, last = one.made.range
        low, high = (first, last) if window is None else (max(window[0], first, done), min(window[1], last))
        if window is not None and high > low:
            parts.append((one, low, high))
            done = high
    parts = parts or [(lead, *lead.made.range)]
    value = np.stack([light(one.made, low, high) for one, low, high in parts])
    weight = np.array([high - low for _, low, high in parts])[:, None]
    words = ", ".join(f"{one.made.camera} {low:.0f}\u2013{high:.0f} \u00c5" for one, low, high in parts)
    return LensletLight((value * weight).sum(axis=0) / weight.sum(), words)


def lenslet_cell(channel: SkyChannel) -> Array:
    """Corners of a lenslet about its center, (6, 2), arcsec."""
    layout = channel.made.setup.layout
    return cell(layout.x, layout.y, channel.made.setup.lenslet)


def place_spectra(found: Sequence[tuple[SkyChannel, FieldPlace]]) -> Figure:
    """Spectra of channels, each at its place."""
    made = []
    for channel, at in found:
        try:
            spectrum = spectrum_at(channel.made, at.x, at.y, at.radius, at.inner, at.outer)
        except IfuviewError:
            continue
        made.append((channel.made.camera, spectrum))
    return spectra_figure(made) if made else Figure("Spectrum", empty="no lenslet lies inside the circle")


def source_places(channels: Sequence[SkyChannel]) -> Figure:
    """Where the source lies along wavelength."""
    return places_figure([one.made for one in channels])


def telling_step(state: ReductionState) -> str:
    """The last step that is made and has figures, that of the source if it is."""
    told = heads.TELLING if state.recipe is not None and state.recipe.name == NAME else tuple(FIGURES)
    made = [step for step, one in state.steps.items() if one.value is not None and step in told]
    return SOURCE if SOURCE in made else made[-1] if made else next(reversed(list(state.steps)), "")

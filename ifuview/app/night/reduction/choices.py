"""Words of the command line as parameters of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ifuview.app.night.reduction.elsewhere import Elsewhere, at_of
from ifuview.errors import UsageError
from ifuview.model.reduction.params import Value, changed
from ifuview.recipes.lrs2.recipe import RECIPE

SIDES = ("uv", "orange", "red", "farred")


class ReduceWords(Protocol):
    """What was chosen on the command line."""

    date: str | None
    sides: tuple[str, ...]
    use_flat: bool
    correct_ftf: bool | None
    central_wave: float | None
    wavelength_bin: float | None
    source_x: float | None
    source_y: float | None
    standard_star_date: str | None
    standard_star_obsid: str | None
    sky_date: str | None
    sky_obsid: str | None
    sky_components: int | None
    telluric: bool


def params_of(words: ReduceWords) -> Mapping[str, object]:
    """Parameters by step.

    Raises
    ------
    UsageError
        A channel that does not exist; one coordinate of a source without the other; a number out of its bounds.
    """
    wrong = [one for one in words.sides if one not in SIDES]
    if wrong:
        raise UsageError(f"there is no channel {wrong[0][:80]!r}", "--sides", f"choose of {', '.join(SIDES)}")
    if (words.source_x is None) != (words.source_y is None):
        raise UsageError("a source has two coordinates", "ifuview reduce", "give --source_x and --source_y")
    chosen: dict[str, dict[str, Value | None]] = {
        "flat": {"use_flat": words.use_flat or None},
        "sources": {"x": words.source_x, "y": words.source_y},
        "sky": {"single": words.correct_ftf, "components": words.sky_components},
        "spectrum": {"telluric": words.telluric or None},
        "picture": {"center": words.central_wave, "half": words.wavelength_bin},
    }  # fmt: skip
    out: dict[str, object] = {}
    for step, values in chosen.items():
        given = {name: value for name, value in values.items() if value is not None}
        if given:
            out[step] = changed(RECIPE.step(step).params, step, **given)
    return out


def elsewhere_of(words: ReduceWords) -> Elsewhere:
    """What is taken from other exposures.

    Raises
    ------
    UsageError
        A night without an observation, or none that is one.
    """
    return Elsewhere(
        at_of(words.standard_star_date, words.standard_star_obsid, words.date, "--standard_star"),
        at_of(words.sky_date, words.sky_obsid, words.date, "--sky"),
    )

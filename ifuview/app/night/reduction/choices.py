"""Words of the command line as parameters of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from ifuview.app.night.reduction.elsewhere import Elsewhere, at_of
from ifuview.errors import UsageError
from ifuview.model.reduction.params import ParamField, Value, changed, check, fields_of
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
        raise UsageError("a source has two coordinates", "reduce", "give --source_x and --source_y")
    chosen: dict[str, tuple[str, str, Value | None]] = {
        "--use_flat": ("flat", "use_flat", words.use_flat or None),
        "--source_x": ("sources", "x", words.source_x),
        "--source_y": ("sources", "y", words.source_y),
        "--correct_ftf": ("sky", "single", words.correct_ftf),
        "--sky_components": ("sky", "components", words.sky_components),
        "--telluric": ("spectrum", "telluric", words.telluric or None),
        "--central_wave": ("picture", "center", words.central_wave),
        "--wavelength_bin": ("picture", "half", words.wavelength_bin),
    }
    out: dict[str, object] = {}
    for word, (step, name, value) in chosen.items():
        if value is not None:
            params = out.get(step, RECIPE.step(step).params)
            check(*_field(params, name, word, value))
            out[step] = changed(params, step, **{name: value})
    return out


def _field(params: object, name: str, word: str, value: Value) -> tuple[ParamField, str, str, Value, Value]:
    """What `check` needs of a word: a number that is typed is one, also where it need not be given."""
    field, now = fields_of(params)[name]
    return replace(field, optional=False), word, "reduce", value, now


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

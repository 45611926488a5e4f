"""Words of the command line as parameters of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from ifuview.errors import UsageError
from ifuview.recipes.camera.lamps import FlatParams
from ifuview.recipes.lrs2.recipe import RECIPE
from ifuview.recipes.lrs2.science import PictureParams, SkyParams

SIDES = ("uv", "orange", "red", "farred")


class ReduceWords(Protocol):
    """What was chosen on the command line."""

    sides: tuple[str, ...]
    use_flat: bool
    correct_ftf: bool
    central_wave: float | None
    wavelength_bin: float | None
    source_x: float | None
    source_y: float | None
    standard_star_date: str | None
    standard_star_obsid: str | None


def params_of(words: ReduceWords) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """Parameters by step, and what of the words has no use.

    Raises
    ------
    UsageError
        A channel that does not exist; one coordinate of a source without the other.
    """
    wrong = [one for one in words.sides if one not in SIDES]
    if wrong:
        raise UsageError(f"there is no channel {wrong[0][:80]!r}", "--sides", f"choose of {', '.join(SIDES)}")
    out: dict[str, object] = {}
    if words.use_flat:
        flat = RECIPE.step("flat").params
        assert isinstance(flat, FlatParams)
        out["flat"] = replace(flat, use_flat=True)
    if (words.source_x is None) != (words.source_y is None):
        raise UsageError("a source has two coordinates", "ifuview reduce", "give --source_x and --source_y")
    if words.source_x is not None and words.source_y is not None:
        sky = RECIPE.step("sky").params
        assert isinstance(sky, SkyParams)
        out["sky"] = replace(sky, x=words.source_x, y=words.source_y)
    if words.central_wave is not None or words.wavelength_bin is not None:
        picture = PictureParams()
        center = picture.center if words.central_wave is None else words.central_wave
        half = picture.half if words.wavelength_bin is None else words.wavelength_bin
        out["picture"] = PictureParams(center, half)
    notes = []
    if words.standard_star_date or words.standard_star_obsid:
        notes.append("--standard_star_date and --standard_star_obsid: the packaged response is used")
    if words.correct_ftf:
        notes.append("--correct_ftf: the response of single fibers always follows from the sky where it is known")
    return out, tuple(notes)

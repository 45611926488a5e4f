"""Numbers as the docks write them: a point for decimals, few digits, a dash for what is not known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.frames.units import unit_words

if TYPE_CHECKING:
    from ifuview.model.image import Image

UNKNOWN = "–"
COLUMN = "Column (px)"


def number(value: float | None, digits: int = 4) -> str:
    """`value` with `digits` significant digits; a dash when it is None or not finite."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value:.{digits}g}"


def quantity(value: float | None, unit: str = "", digits: int = 4) -> str:
    """`value` with its unit."""
    text = number(value, digits)
    return f"{text} {unit_words(unit)}" if unit and text != UNKNOWN else text


def with_error(value: float, error: float, unit: str = "") -> str:
    """`value` ± `error`, rounded to two digits of the error."""
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return quantity(value, unit)
    places = max(0, 1 - math.floor(math.log10(error)))
    text = f"{value:.{places}f} ± {error:.{places}f}"
    return f"{text} {unit_words(unit)}" if unit else text


def waves(first: float, last: float) -> str:
    """A range of wavelengths in Angstrom; one number where it is that narrow."""
    one, other = f"{first:.0f}", f"{last:.0f}"
    return f"{one} \u00c5" if one == other else f"{one}\u2013{other} \u00c5"


def axis(name: str, unit: str = "") -> str:
    """Axis label: name with its unit in brackets."""
    return f"{name} ({unit_words(unit)})" if unit else name


def along(image: Image, place: float) -> str:
    """Where along the fibers something is, as the file counts: `column 9`, or `row y 9` if fibers run along y."""
    x, y = image.orientation.to_native(0.0, place, image.shape)
    return f"row y {float(y):.0f}" if image.orientation.transpose else f"column {float(x):.0f}"


def along_axis(image: Image) -> str:
    """Label of the axis along the fibers."""
    return "Row y (px)" if image.orientation.transpose else COLUMN


def across_axis(image: Image) -> str:
    """Label of the axis across the fibers of a detector."""
    return "Column x (px)" if image.orientation.transpose else "Row y (px)"


NICE_STEPS = (1.0, 2.0, 5.0, 10.0)


def round_numbers(lo: float, hi: float, n: int) -> Array:
    """Return about `n` round numbers between `lo` and `hi`."""
    if not hi > lo:
        return np.empty(0)
    rough = (hi - lo) / n
    unit = 10.0 ** np.floor(np.log10(rough))
    step = unit * next(s for s in NICE_STEPS if s * unit >= rough * (1 - 1e-9))
    return np.arange(np.ceil(lo / step), np.floor(hi / step) + 1) * step

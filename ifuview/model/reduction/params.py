"""Parameters of a step: a frozen dataclass; its fields say what they are called, in what unit, in what bounds."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TypeVar

from ifuview.errors import UsageError

NAMED = "param"
Kind = TypeVar("Kind", float, int, bool, str, tuple[int, ...])
Value = float | int | bool | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ParamField:
    """How a parameter is shown and what it may be.

    Parameters
    ----------
    label, unit, hint : str
        For people.
    lo, hi : float
        Bounds of a number, or of each of several, both included.
    choices : tuple of str
        What a text may be; empty: any.
    optional : bool
        A number that need not be given: NaN.
    """

    label: str
    unit: str = ""
    lo: float = float("-inf")
    hi: float = float("inf")
    choices: tuple[str, ...] = ()
    hint: str = ""
    optional: bool = False


def param(
    default: Kind,
    label: str,
    unit: str = "",
    lo: float = float("-inf"),
    hi: float = float("inf"),
    choices: tuple[str, ...] = (),
    hint: str = "",
) -> Kind:
    """A field of a parameters' dataclass, as `dataclasses.field`."""
    optional = isinstance(default, float) and math.isnan(default)
    named = ParamField(label, unit, lo, hi, choices, hint, optional)
    found: Kind = dataclasses.field(default=default, metadata={NAMED: named})
    return found


def fields_of(params: object) -> dict[str, tuple[ParamField, Value]]:
    """Field and present value of each parameter, by name."""
    if not dataclasses.is_dataclass(params):
        return {}
    return {
        one.name: (one.metadata[NAMED], getattr(params, one.name))
        for one in dataclasses.fields(params)
        if NAMED in one.metadata
    }


def changed(params: object, step: str, **values: Value) -> object:
    """The parameters with other values, each checked against its field.

    Raises
    ------
    UsageError
        No parameter of that name, or a value beyond its bounds.
    """
    known = fields_of(params)
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"there is no parameter {name}", step, f"it has {', '.join(known) or 'none'}")
        check(known[name][0], name, step, value, known[name][1])
    assert dataclasses.is_dataclass(params) or not values
    return dataclasses.replace(params, **values) if values else params  # type: ignore[type-var]


def check(one: ParamField, name: str, step: str, value: Value, now: Value) -> None:
    """Raise UsageError for a value that the field does not take, called as `name` of `step`; `now` is of its kind."""
    if isinstance(now, tuple) or isinstance(value, tuple):
        if not isinstance(now, tuple) or not isinstance(value, tuple):
            raise UsageError(f"{name} cannot be {str(value)[:80]}", step, "give several numbers, or one")
        for part in value:
            check(one, name, step, part, 0)
    elif isinstance(now, str):
        if one.choices and value not in one.choices:
            raise UsageError(f"{name} cannot be {str(value)[:80]!r}", step, f"give one of {', '.join(one.choices)}")
    elif isinstance(value, str) or not (one.lo <= value <= one.hi or (one.optional and math.isnan(value))):
        raise UsageError(
            f"{name} cannot be {str(value)[:80]}",
            step,
            f"give a number from {one.lo:g} to {one.hi:g} {one.unit}".rstrip(),
        )

"""Frozen values as what JSON knows, and back: a value that does not fit its field is named and left at its default."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")

MOST_ITEMS = 100_000  # of a list
MOST_TEXT = 1 << 17  # characters
MOST_NUMBER = 1 << 63

_known: dict[object, Mapping[str, object]] = {}


class OddValue(Exception):
    """A value is not what its field holds."""


def to_plain(value: object) -> object:
    """A value as mappings, lists, texts and numbers; None and what JSON has no number for are left out."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        given = {one.name: getattr(value, one.name) for one in fields(value)}
        return {name: plain for name, v in given.items() if (plain := to_plain(v)) is not None}
    if isinstance(value, tuple):
        return [to_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} is nothing that a session is kept with")


def from_plain(kind: type[Value], content: object, bad: list[str], where: str = "") -> Value:
    """A frozen value of what JSON gave.

    Parameters
    ----------
    kind : dataclass
    content : mapping
    bad : list of str
        Gets the names of the fields whose values do not fit; they are at their defaults.

    Raises
    ------
    OddValue
        It is no mapping, or a field without a default does not fit.
    """
    if not isinstance(content, Mapping):
        raise OddValue(where or kind.__name__)
    hints, given = _hints(kind), {}
    for one in fields(kind):  # type: ignore[arg-type]
        if one.name not in content:
            continue
        name = f"{where}.{one.name}".lstrip(".")
        try:
            given[one.name] = _fitted(hints[one.name], content[one.name], bad, name)
        except OddValue as odd:
            if one.default is MISSING and one.default_factory is MISSING:
                raise
            bad.append(str(odd))
    try:
        return kind(**given)
    except (TypeError, ValueError) as problem:  # a field without a default is not there
        raise OddValue(where or kind.__name__) from problem


def _hints(kind: type[object]) -> Mapping[str, object]:
    """Types of the fields of a class."""
    if kind not in _known:
        _known[kind] = get_type_hints(kind)
    return _known[kind]


def _fitted(hint: object, value: object, bad: list[str], where: str) -> object:
    """A value as the type of its field."""
    if hint is object:
        return _frozen(value)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(hint), value, bad, where)
    if origin is tuple:
        return _items(get_args(hint), value, bad, where)
    if is_dataclass(hint) and isinstance(hint, type):
        return from_plain(hint, value, bad, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(value)
        except ValueError as problem:
            raise OddValue(where) from problem
    return _simple(hint, value, where)


def _one_of(hints: tuple[object, ...], value: object, bad: list[str], where: str) -> object:
    """A value as the first type that it fits."""
    for hint in hints:
        if hint is type(None):
            if value is None:
                return None
            continue
        try:
            return _fitted(hint, value, bad, where)
        except OddValue:
            continue
    raise OddValue(where)


def _items(hints: tuple[object, ...], value: object, bad: list[str], where: str) -> tuple[object, ...]:
    """A list as a tuple of one type or of as many as it has."""
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        raise OddValue(where)
    each = [hints[0]] * len(value) if hints[-1] is Ellipsis else list(hints)
    if len(each) != len(value):
        raise OddValue(where)
    return tuple(_item(h, v, bad, f"{where}[{n}]") for n, (h, v) in enumerate(zip(each, value, strict=True)))


def _item(hint: object, value: object, bad: list[str], where: str) -> object:
    """One of a list; in place of a value that has no sense the usual one, so that the others keep their places."""
    try:
        return _fitted(hint, value, bad, where)
    except OddValue:
        usual = _usual(hint)
        if usual is None:
            raise
        bad.append(where)
        return usual


def _usual(hint: object) -> object:
    """A value with all fields at their defaults; None if there is none."""
    if not (isinstance(hint, type) and is_dataclass(hint)):
        return None
    try:
        return hint()
    except TypeError:
        return None


def _frozen(value: object) -> object:
    """What may be anything, with tuples in place of lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _simple(hint: object, value: object, where: str) -> object:
    """A truth value, number or text."""
    if hint is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST_NUMBER:
        value = float(value)
    fits = type(value) is hint
    if isinstance(value, float):
        fits = fits and math.isfinite(value)
    elif isinstance(value, int):
        fits = fits and abs(value) < MOST_NUMBER
    elif isinstance(value, str):
        fits = fits and len(value) <= MOST_TEXT and "\0" not in value
    if not fits:
        raise OddValue(where)
    return value

"""Checks that the parts of an instrument file share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any


def checked_part(table: object, part: str, known: Iterable[str]) -> Mapping[str, Any]:
    """Return a part, which is a table with known keys alone.

    Raises
    ------
    ValueError
        It is not; the text says what is wrong.
    """
    if not isinstance(table, Mapping):
        raise ValueError(f"{part} must be written [{part}]")
    known = tuple(known)
    if unknown := sorted(set(table) - set(known)):
        raise ValueError(f"[{part}] has no {', '.join(unknown)} (known: {', '.join(known)})")
    return table


def check_pattern(part: str, name: str, pattern: str, groups: tuple[str, ...]) -> None:
    """Raise ValueError for what is no regular expression, or lacks a group."""
    try:
        known = re.compile(pattern).groupindex
    except re.error as problem:
        raise ValueError(f"[{part}] {name} is no regular expression ({problem})") from problem
    if lacking := [group for group in groups if pattern and group not in known]:
        raise ValueError(f"[{part}] {name} lacks the group {', '.join(lacking)}")

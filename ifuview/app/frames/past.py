"""A change that can be taken back, wherever it was made: its number tells which of all was the last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

Before = TypeVar("Before")


@dataclass(frozen=True, slots=True, eq=False)
class Past(Generic[Before]):
    """One change.

    Parameters
    ----------
    number : int
        Changes are counted over the whole session (`app.undo.next_number`); frames that were changed by one wish bear
        the same number.
    words : str
        What was done, for people.
    before :
        What it was before; of a change that was taken back: what it was with it.
    """

    number: int
    words: str
    before: Before


Changes = tuple[Past[Before], ...]


def turned(
    source: Changes[Before], target: Changes[Before], now: Before
) -> tuple[Past[Before], Changes[Before], Changes[Before]]:
    """The last change of `source`, the rest of it, and `target` with that change, which leads back to what is `now`.

    From what was done to what was taken back, or the other way round.
    """
    last = source[-1]
    return last, source[:-1], (*target, replace(last, before=now))

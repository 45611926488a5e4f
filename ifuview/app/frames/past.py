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
    past: Changes[Before], undone: Changes[Before], now: Before, again: bool
) -> tuple[Past[Before], Changes[Before], Changes[Before]]:
    """The last change that was done, or that was taken back where it is done `again`; `past` and `undone` after it.

    It has gone from the one to the other, and leads back from there to what is `now`.
    """
    last = (undone if again else past)[-1]
    back = replace(last, before=now)
    return (last, (*past, back), undone[:-1]) if again else (last, past[:-1], (*undone, back))

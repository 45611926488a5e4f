"""A change that can be taken back, wherever it was made: its number tells which of all was the last."""

from __future__ import annotations

from dataclasses import dataclass
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
        What it was before.
    """

    number: int
    words: str
    before: Before

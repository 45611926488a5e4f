"""Heads of an observation: which there are, their exposures, kept in memory or aside, and the recipe run on them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ifuview.errors import MissingDataError
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.placed import HeadProducts
from ifuview.recipes.cache import nbytes
from ifuview.recipes.graph import StepResult

IN_MEMORY = 60 << 20  # bytes of extracted exposures


class HeldExposures:
    """Extracted exposures by slot: in memory as long as there is room, else in files of a folder of our own.

    Parameters
    ----------
    folder : str
        Emptied by whoever made it.
    room : int, bytes
        Of those in memory.
    """

    def __init__(self, folder: str, room: int = IN_MEMORY) -> None:
        self._folder, self._room = folder, room
        self._here: dict[str, tuple[IfuExposure, ...]] = {}
        self._size = 0

    def put(self, slot: str, exposures: tuple[IfuExposure, ...]) -> None:
        """Keep the exposures of a slot."""
        size = nbytes(exposures)
        if self._size + size <= self._room or not self._folder:
            self._here[slot] = exposures
            self._size += size
            return
        put_aside(self._path(slot), plain_exposures(exposures))

    def take(self, slot: str) -> tuple[IfuExposure, ...]:
        """The exposures of a slot, which are not kept any longer."""
        if slot in self._here:
            return self._here.pop(slot)
        found = take_back(self._path(slot))
        assert isinstance(found, tuple)
        return found

    def _path(self, slot: str) -> str:
        return os.path.join(self._folder, f"{slot}.held")


def plain_exposures(exposures: Sequence[IfuExposure]) -> tuple[IfuExposure, ...]:
    """The same with dictionaries for what cannot be put aside."""
    return tuple(replace(one, header=dict(one.header), lamps=dict(one.lamps)) for one in exposures)


def plain_head(head: HeadProducts) -> HeadProducts:
    """The same with dictionaries for what cannot be put aside."""
    record = replace(head.record, parameters=dict(head.record.parameters), inputs=dict(head.record.inputs))
    return replace(head, exposures=plain_exposures(head.exposures), header=dict(head.header), record=record)


def put_aside(path: str, value: object) -> None:
    """Write a value to a file of our own."""
    with open(path, "wb") as file:
        pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)


def take_back(path: str) -> object:
    """The value that this program has put into a file, which is gone then."""
    with open(path, "rb") as file:
        found: object = pickle.load(file)
    os.unlink(path)
    return found


def slots_of(exposures: Sequence[RawExposure]) -> tuple[str, ...]:
    """Slots that exposures have something of."""
    return tuple(sorted({a.slot for e in exposures for a in e.amplifiers if a.slot}))


def around(slots: Sequence[str], here: Sequence[str], reach: int) -> tuple[str, ...]:
    """Slots with those of `here` that are up to `reach` columns and rows away: of 047 the column is 04, the row 7."""
    if reach <= 0:
        return tuple(slots)
    near = [
        other for other in here
        if any(abs(_column(other) - _column(s)) <= reach and abs(_row(other) - _row(s)) <= reach for s in slots)
    ]  # fmt: skip
    return tuple(dict.fromkeys((*slots, *near)))


def _column(slot: str) -> int:
    return int(slot[:-1] or 0) if slot.isdecimal() else -99


def _row(slot: str) -> int:
    return int(slot[-1]) if slot.isdecimal() else -99


def value_of(steps: Mapping[str, StepResult], name: str, slot: str) -> object:
    """What a step has made.

    Raises
    ------
    MissingDataError
        It could not, or what it rests on could not.
    """
    one = steps[name]
    if one.value is None:
        first = next((step for step in steps.values() if step.value is None), one)
        raise MissingDataError(f"{first.step} was not made: {first.reason}", slot)
    return one.value

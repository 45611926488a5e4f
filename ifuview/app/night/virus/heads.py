"""Heads of an observation: which there are, and what their first turn has made, kept aside for the second."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np

from ifuview.errors import MissingDataError
from ifuview.files import told
from ifuview.model.checks import digest, is_whole
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.placed import HeadProducts
from ifuview.recipes.graph import StepResult
from ifuview.recipes.virus.shot_values import HeadFlux, HeadPictures

TODO = "choose a folder with more room"
LARGE = 1 << 16  # bytes of an array that is looked for among those put aside already


@dataclass(frozen=True, slots=True, eq=False)
class FirstTurn:
    """What the first turn has made of a head, for the second.

    Parameters
    ----------
    response : HeadFlux
    pictures : HeadPictures
    """

    response: HeadFlux
    pictures: HeadPictures


class HeldHeads:
    """First turns by slot, in files of a folder: memory does not grow with the number of heads.

    Parameters
    ----------
    folder : str
        Emptied by whoever made it.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def put(self, slot: str, first: FirstTurn) -> None:
        """Keep what was made of a slot."""
        response = replace(first.response, exposures=plain_exposures(first.response.exposures))
        put_aside(self._path(slot), replace(first, response=response))

    def get(self, slot: str) -> FirstTurn:
        """What was made of a slot."""
        with open(self._path(slot), "rb") as file:
            found = pickle.load(file)
        assert isinstance(found, FirstTurn)
        return found

    def drop(self, slot: str) -> None:
        """Keep a slot no longer."""
        os.unlink(self._path(slot))

    def _path(self, slot: str) -> str:
        return os.path.join(self._folder, f"{slot}.held")


def plain_exposures(exposures: Sequence[IfuExposure]) -> tuple[IfuExposure, ...]:
    """The same with dictionaries for what cannot be put aside."""
    return tuple(replace(one, header=dict(one.header), lamps=dict(one.lamps)) for one in exposures)


def plain_head(head: HeadProducts) -> HeadProducts:
    """The same with dictionaries for what cannot be put aside."""
    record = replace(head.record, parameters=dict(head.record.parameters), inputs=dict(head.record.inputs))
    return replace(head, exposures=plain_exposures(head.exposures), header=dict(head.header), record=record)


class _Aside(pickle.Pickler):
    """Writes an array that is there twice only once: exposures share their calibrations."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._known: dict[tuple[object, ...], object] = {}

    def reducer_override(self, value: object) -> Any:
        """An array with the numbers of an earlier one is that one."""
        if isinstance(value, np.ndarray) and value.nbytes > LARGE:
            first = self._known.setdefault((value.shape, value.dtype.str, digest(value)), value)
            if first is not value:
                return _itself, (first,)
        return NotImplemented


def _itself(value: object) -> object:
    return value


def put_aside(path: str, value: object) -> None:
    """Write a value to a file of our own.

    Raises
    ------
    UsageError
        The disk is full, or takes no more.
    """
    with told(os.path.dirname(path), "what is kept aside meanwhile", TODO), open(path, "wb") as file:
        _Aside(file).dump(value)


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


def lenders_of(heads: Sequence[HeadPictures]) -> dict[str, str]:
    """The nearest head that sees sky, for each slot that is full of light."""
    seeing = [one for one in heads if not one.crowded]
    out = {}
    for one in heads:
        if one.crowded and seeing:
            out[one.slot] = min(seeing, key=lambda other: np.hypot(*np.subtract(other.focal, one.focal))).slot
    return out


def _column(slot: str) -> int:
    return int(slot[:-1] or 0) if is_whole(slot) else -99


def _row(slot: str) -> int:
    return int(slot[-1]) if is_whole(slot) else -99


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
        raise MissingDataError(f"{first.step} was not made: {first.reason.rstrip('.')}", slot)
    return one.value

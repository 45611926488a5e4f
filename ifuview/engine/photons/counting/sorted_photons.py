"""Photons resonator by resonator, in groups of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import bounds
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import PhotonBlock, PhotonCut, PhotonSource


class Group(NamedTuple):
    """Resonators with all of their photons that pass a cut.

    resonator : int32 (n,), ascending
    first : int64 (n + 1,), where the photons of each begin and end
    time : uint32, microseconds, ascending within a resonator
    """

    resonator: Array
    first: Array
    time: Array


def by_resonator(source: PhotonSource, cut: PhotonCut, ctx: JobContext = SILENT) -> Iterator[Group]:
    """Go through a list in groups of whole resonators, in the order of the list.

    Raises
    ------
    UsageError
        The rows do not come by resonator; an index of the file puts them so.
    """
    if not source.info.sorted:
        raise UsageError("its photons are not sorted by resonator", source.info.path, "make an index of it first")
    asked = bounds(source.info, cut)
    rest_resonator, rest_time = np.empty(0, np.int32), np.empty(0, np.uint32)
    for block in source.blocks(value=asked.by_value, ctx=ctx):
        resonator, time = _passing(block, asked)
        resonator, time = np.concatenate([rest_resonator, resonator]), np.concatenate([rest_time, time])
        end = int(np.searchsorted(resonator, block.resonator[-1])) if len(block.resonator) else 0
        if end:
            yield _group(resonator[:end], time[:end])
        rest_resonator, rest_time = resonator[end:], time[end:]
    if len(rest_resonator):
        yield _group(rest_resonator, rest_time)


def _passing(block: PhotonBlock, asked: tuple[int, int, float, float, bool]) -> tuple[Array, Array]:
    """Copies of the resonators and times that pass."""
    first, last, low, high, by_value = asked
    ok = (block.time >= first) & (block.time < last)
    if by_value and block.value is not None:
        ok &= (block.value >= low) & (block.value < high)
    return block.resonator[ok], block.time[ok]


def _group(resonator: Array, time: Array) -> Group:
    """Find where each resonator begins."""
    starts = np.flatnonzero(np.diff(resonator, prepend=-1))
    return Group(resonator[starts], np.append(starts, len(resonator)).astype(np.int64), time)

"""Weights that make up for the dead time of the resonators.

A photon whose resonator caught N others within dt on either side of it met a local rate of N / (2 dt); a detector
that is blind for tau after each photon catches the part 1 - rate tau of the light, so the photon stands for
1 / (1 - N tau / (2 dt)). Neighbors are counted, not their times summed, and a photon is not its own neighbor: the
other photons around one photon of steady light come at the rate of the light.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK, PhotonBlock, PhotonSource

WINDOW = 1000e-6  # s; on either side
DEAD_TIME = 10e-6  # s


def linearity_weights(resonator: Array, time: Array, *, window: float = WINDOW, dead_time: float = DEAD_TIME) -> Array:
    """Return the weight of each photon.

    Parameters
    ----------
    resonator, time : ndarray, shape (n,)
        By (resonator, time), with all photons of each resonator; microseconds.
    window : float, s
        On either side of a photon, ends included.
    dead_time : float, s

    Returns
    -------
    ndarray, float32, shape (n,)

    Raises
    ------
    FitError
        Neighbors so many that the dead time leaves no room for them.
    """
    out = np.empty(len(time), np.float32)
    per_neighbor = dead_time / (2 * window)
    if not _weights(resonator, time, round(window / TICK), per_neighbor, out):
        raise FitError(
            f"a resonator counts faster than a dead time of {dead_time / TICK:g} microseconds allows",
            todo="give a shorter dead time",
        )
    return out


@njit(cache=True, nogil=True)
def _weights(resonator: Array, time: Array, window: int, per_neighbor: float, out: Array) -> bool:
    """Two pointers follow each photon; False if a weight would not be positive."""
    size = len(time)
    first = 0  # of the window
    beyond = 0  # after the window
    for i in range(size):
        if i > 0 and resonator[i] != resonator[i - 1]:
            first = i
            beyond = i
        t = np.int64(time[i])
        while np.int64(time[first]) < t - window:
            first += 1
        beyond = max(beyond, i + 1)
        while beyond < size and resonator[beyond] == resonator[i] and np.int64(time[beyond]) <= t + window:
            beyond += 1
        room = 1.0 - (beyond - first - 1) * per_neighbor
        if room <= 0:
            return False
        out[i] = 1.0 / room
    return True


def whole_resonators(source: PhotonSource, *, weight: bool = True, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
    """Yield the photons of a source sorted by (resonator, time), each resonator's in one block.

    Holds back the last resonator of a block until the next one shows where it ends.
    """
    held: list[PhotonBlock] = []
    for block in source.blocks(value=True, weight=weight, ctx=ctx):
        if not len(block.time):
            continue
        start = int(np.searchsorted(block.resonator, block.resonator[-1]))
        if held and (start > 0 or held[-1].resonator[-1] != block.resonator[-1]):
            first = int(np.searchsorted(block.resonator, held[-1].resonator[-1], side="right"))
            if first:
                held.append(block.rows(slice(0, first)))
            yield PhotonBlock.join(held)
            held = []
            if start > first:
                yield block.rows(slice(first, start))
        elif start > 0:
            yield block.rows(slice(0, start))
        held.append(block.rows(np.arange(start, len(block.time))))
    if held:
        yield PhotonBlock.join(held)

"""The photons of a few resonators in memory, so that one selection is counted in many ways after one read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.binned import fetched
from ifuview.engine.photons.counting.cut import live_bins
from ifuview.model.checks import Array
from ifuview.model.photons.lists import PhotonBlock, PhotonInfo, PhotonSource


class Held:
    """A source of photons like the one that it was taken from, of some resonators alone.

    Attributes
    ----------
    info : PhotonInfo
        Of the source, unchanged: edges, flags and dead time stay what they are.
    resonators : ndarray, int32
        What is held, ascending; photons of others are not known here.
    block : PhotonBlock
        By (resonator, time).
    """

    def __init__(self, source: PhotonSource, resonators: Array, block: PhotonBlock) -> None:
        self.info: PhotonInfo = source.info
        self.resonators, self.block = resonators, block
        self._source = source  # knows what is masked

    def __len__(self) -> int:
        return len(self.block.time)

    def live_bins(self, edges: Array) -> Array:
        """Seconds of each time bin that the source did not mask."""
        return live_bins(self._source, edges)

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons that are held."""
        ctx.checkpoint()
        yield self.block.columns(value=value, weight=weight)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few of the resonators, by (resonator, time)."""
        which = self.block.resonator
        wanted = np.sort(np.asarray(resonators, dtype=np.int32))
        first, last = np.searchsorted(which, wanted), np.searchsorted(which, wanted, side="right")
        if len(wanted) and last[-1] - first[0] == (last - first).sum():  # they lie side by side
            rows: slice | Array = slice(int(first[0]), int(last[-1]))
        else:
            rows = np.concatenate([np.arange(a, b) for a, b in zip(first, last)]) if len(wanted) else np.arange(0)
        return self.block.columns(value=True, weight=weight).rows(rows)


def hold(
    source: PhotonSource, resonators: Array, *, weight: bool = False, most: int, ctx: JobContext = SILENT
) -> Held | None:
    """Fetch the photons of some resonators; None if they are more than `most`."""
    blocks, total = [], 0
    for block in fetched(source, np.sort(resonators), weight, ctx):
        total += len(block.time)
        if total > most:
            return None
        blocks.append(block)
    return Held(source, resonators, PhotonBlock.join(blocks))

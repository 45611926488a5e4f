"""A preview of a photon list that is too large for memory: a coarse cube of sums, exact counts by one pass."""

from __future__ import annotations

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import Bounds, bounds
from ifuview.engine.photons.counting.image import add_block, count_image
from ifuview.engine.photons.counting.sorted_columns import CODES, as_image, code_range
from ifuview.model.checks import Array
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.lists import PhotonCut, SortedColumns

COARSE_CELLS = 40_000_000  # of the preview of large lists: 160 MB
VALUE_STEPS = 64  # of the preview


class CoarseImage:
    """A preview of a list that is too large for memory, and exact counts by a pass over it.

    Parameters
    ----------
    columns : SortedColumns
    ctx : JobContext, optional
    """

    exact = False  # `preview` is an estimate

    def __init__(self, columns: SortedColumns, ctx: JobContext = SILENT) -> None:
        from ifuview.engine.photons.counting import live_kernels as k

        self.columns, self.info = columns, columns.info
        self.latest = columns.latest
        nres = len(columns.first) - 1
        steps = max(COARSE_CELLS // (nres * VALUE_STEPS), 1)
        self._span = (self.latest + 1) / steps
        self._zero, scale = code_range(columns)
        self._scale = scale / CODES * VALUE_STEPS
        self._sums = np.zeros((nres, steps + 1, VALUE_STEPS + 1), np.uint32)
        cells = self._sums[:, 1:, 1:]
        for block in columns.blocks(ctx=ctx):
            assert block.value is not None
            k.fill_coarse(
                resonator=block.resonator, time=block.time, value=block.value, tick=1 / self._span, zero=self._zero,
                scale=self._scale, cube=cells,
            )  # fmt: skip
        np.cumsum(self._sums, axis=1, out=self._sums)
        np.cumsum(self._sums, axis=2, out=self._sums)

    def counts(self, asked: Bounds, ctx: JobContext = SILENT) -> Array:
        """Return the photons per resonator, exact, by one pass over the columns."""
        out = np.zeros(len(self.columns.first) - 1, np.int64)
        for block in self.columns.blocks(value=asked.by_value, ctx=ctx):
            add_block(block, asked, out, out, out)
        return out

    def preview(self, asked: Bounds, ctx: JobContext = SILENT) -> Array:
        """Return the photons per resonator as if they were spread evenly in each cell, int64."""
        ctx.checkpoint()
        steps, values = self._sums.shape[1] - 1, self._sums.shape[2] - 1
        t = np.clip(np.array([asked.first, asked.last]) / self._span, 0, steps)
        v = np.array([0.0, values])
        if asked.by_value:
            v = np.clip((np.array([asked.low, asked.high]) - self._zero) * self._scale, 0, values)
        upper, lower = self._at(t[1], v), self._at(t[0], v)
        return np.rint(np.maximum(upper - lower, 0)).astype(np.int64)

    def image(self, cut: PhotonCut, ctx: JobContext = SILENT) -> PhotonImage:
        """Return the photons per pixel, exact."""
        if cut.weighted:
            return count_image(self.columns, cut, ctx)
        return as_image(self.columns, self.counts(bounds(self.info, cut), ctx), cut)

    def _at(self, t: float, v: Array) -> Array:
        """Sum of the cells before time t, from value v[0] to v[1]; in between by straight lines."""
        out = np.zeros(len(self._sums))
        for value, sign in ((v[1], 1.0), (v[0], -1.0)):
            for i, wi in _corners(t, self._sums.shape[1]):
                for j, wj in _corners(value, self._sums.shape[2]):
                    out += sign * wi * wj * self._sums[:, i, j]
        return out


def _corners(x: float, size: int) -> tuple[tuple[int, float], tuple[int, float]]:
    """The two grid points around x and their shares."""
    low = min(int(x), size - 2)
    return (low, 1 - (x - low)), (low + 1, x - low)

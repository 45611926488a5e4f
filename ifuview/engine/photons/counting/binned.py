"""Photons of an aperture in bins of one column: what light curves and spectra share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import bounds, inner_edges, other_limits
from ifuview.model.checks import Array
from ifuview.model.photons.images import BinAxis
from ifuview.model.photons.light import Aperture
from ifuview.model.photons.lists import TICK, PhotonBlock, PhotonCut, PhotonSource

FEW = 256  # resonators that are fetched by themselves; for more all photons are passed
AT_ONCE = 32  # resonators fetched together: bounds the memory
NOTHING = np.empty(0, np.float32)


def bin_aperture(
    source: PhotonSource, aperture: Aperture, axis: BinAxis, edges: Array, cut: PhotonCut, ctx: JobContext = SILENT
) -> tuple[Array, Array, Array, Array]:
    """Return sums and their variances of the aperture, then of its background region scaled to the aperture.

    Sums of whole pixels without weights are int64.
    """
    parts = [(aperture.resonators, aperture.weights), (aperture.background, aperture.background_weights)]
    sums = [np.zeros((2, len(edges) - 1)) for _ in parts]
    time_like = axis is BinAxis.TIME
    asked = bounds(source.info, cut)
    keys = inner_edges(source.info, np.round(edges / TICK) if time_like else edges, cut, time_like)
    _pass(
        source=source, parts=parts, sums=sums, keys=keys, limits=other_limits(asked, time_like), time_like=time_like,
        by_value=asked.by_value, weighted=cut.weighted, ctx=ctx,
    )  # fmt: skip
    (counts, variance), ring = sums
    if not cut.weighted and np.all(aperture.weights == 1):
        counts = np.rint(counts).astype(np.int64)
    scale = aperture.background_scale
    return counts, variance, ring[0] * scale, ring[1] * scale * scale


def _pass(
    source: PhotonSource, parts: list[tuple[Array, Array]], sums: list[Array], keys: Array,
    limits: tuple[float, float], time_like: bool, by_value: bool, weighted: bool, ctx: JobContext,
) -> None:  # fmt: skip
    """Add the photons of each part into its sums."""
    from ifuview.engine.photons.counting import kernels

    edges, first, scale = kernels.bin_table(keys)
    factors = []
    for resonators, weights in parts:
        factor = np.zeros(source.info.beammap.nresonator + 1)
        factor[resonators] = weights
        factors.append(factor)

    def add(block: PhotonBlock, part: int) -> None:
        value = NOTHING if block.value is None else block.value
        key, other = (block.time, value if by_value else NOTHING) if time_like else (value, block.time)
        weight = NOTHING if block.weight is None or not weighted else block.weight
        kernels.sum_chosen(
            resonator=block.resonator, key=key, other=other, weight=weight, low=limits[0], high=limits[1], edges=edges,
            first=first, scale=scale, factor=factors[part], sums=sums[part][0], squares=sums[part][1],
        )  # fmt: skip

    if sum(len(r) for r, _ in parts) <= FEW:
        for part, (resonators, _) in enumerate(parts):
            for block in fetched(source, resonators, weighted, ctx):
                add(block, part)
        return
    for block in source.blocks(value=by_value or not time_like, weight=weighted, ctx=ctx):
        for part, (resonators, _) in enumerate(parts):
            if len(resonators):
                add(block, part)


def fetched(
    source: PhotonSource, resonators: Array, weighted: bool = False, ctx: JobContext = SILENT
) -> Iterator[PhotonBlock]:
    """Photons of some resonators, a few resonators at a time."""
    for first in range(0, len(resonators), AT_ONCE):
        ctx.checkpoint(first / len(resonators), "Photons of the selection")
        yield source.photons_of(resonators[first : first + AT_ONCE].tolist(), weight=weighted)

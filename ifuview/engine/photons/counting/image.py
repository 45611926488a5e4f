"""Counts per pixel of a photon list, in one pass over its photons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import Bounds, at_once, bounds, live_time, time_range
from ifuview.model.checks import Array
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.lists import TICK, PhotonBlock, PhotonCut, PhotonSource

NOTHING = np.empty(0, np.float32)


def count_image(source: PhotonSource, cut: PhotonCut = PhotonCut(), ctx: JobContext = SILENT) -> PhotonImage:  # noqa: B008
    """Return the photons per pixel that pass a cut.

    Parameters
    ----------
    source : PhotonSource
        A file, its index, or photons in memory.
    cut : PhotonCut, optional
        Default: all times and values, unweighted, without the pixels of `PROBLEM_FLAGS`.
    ctx : JobContext, optional
        Checked by the source at each block.

    Returns
    -------
    PhotonImage
        Exact counts. Two pixels of one resonator show the same photons, which `photons` counts once; photons of
        unknown resonators are in no pixel.
    """
    beammap = source.info.beammap
    asked = bounds(source.info, cut)
    counts = np.zeros(beammap.nresonator + 1, np.int64)
    sums, squares = (np.zeros(len(counts)), np.zeros(len(counts))) if cut.weighted else (counts, counts)
    latest = -1
    known = None if cut.weighted or cut.start is not None or cut.stop is not None or asked.by_value else at_once(source)
    if known is not None:
        counts[:], latest = known
    else:
        for block in source.blocks(value=asked.by_value, weight=cut.weighted, ctx=ctx):
            latest = max(latest, add_block(block, asked, counts, sums, squares))
    excluded = beammap.flagged(cut.exclude)
    start, stop = time_range(source.info, cut, latest)
    return PhotonImage(
        counts=blanked(beammap.image(sums), excluded),
        variance=blanked(beammap.image(squares), excluded).astype(np.float64), excluded=excluded, info=source.info,
        cut=cut, photons=int(counts[seen(source, excluded)].sum()), start=start, stop=stop,
        exposure=live_time(source, start, stop), last=latest * TICK if latest >= 0 else -1.0,
    )  # fmt: skip


def sum_of_images(images: Sequence[PhotonImage]) -> PhotonImage:
    """Return the sum of images of one list over times that do not overlap; its cut spans all of them."""
    first = images[0]
    start, stop = min(one.start for one in images), max(one.stop for one in images)
    return replace(
        first,
        counts=np.sum([one.counts for one in images], axis=0),
        variance=np.sum([one.variance for one in images], axis=0),
        cut=replace(first.cut, start=start, stop=stop),
        photons=sum(one.photons for one in images),
        start=start,
        stop=stop,
        exposure=sum(one.exposure for one in images),
        last=max(one.last for one in images),
    )


def add_block(block: PhotonBlock, asked: Bounds, counts: Array, sums: Array, squares: Array) -> int:
    """Count one block into arrays (nresonator + 1,); the latest time that counted, or -1.

    Unweighted where `sums` is `counts`.
    """
    from ifuview.engine.photons.counting import kernels

    resonator, time, value, weight = block
    first, last, low, high, _ = asked
    if sums is not counts:
        ones = np.ones(len(time), np.float32) if weight is None else weight
        chosen = value if asked.by_value and value is not None else NOTHING
        return int(
            kernels.sum_cut(
                resonator=resonator,
                time=time,
                value=chosen,
                weight=ones,
                first=first,
                last=last,
                low=low,
                high=high,
                counts=counts,
                sums=sums,
                squares=squares,
            )
        )
    if asked.by_value and value is not None:
        return int(
            kernels.count_cut(
                resonator=resonator, time=time, value=value, first=first, last=last, low=low, high=high, counts=counts
            )
        )
    return int(kernels.count_time(resonator, time, first, last, counts))


def seen(source: PhotonSource, excluded: Array) -> Array:
    """Bool (nresonator + 1,): resonators that a pixel shows which is not left out."""
    index = source.info.beammap.index
    out = np.zeros(source.info.beammap.nresonator + 1, bool)
    out[index[(index >= 0) & ~excluded]] = True
    return out


def blanked(image: Array, excluded: Array) -> Array:
    """The image (..., ny, nx) with 0 where a pixel is left out."""
    image[..., excluded] = 0
    return image

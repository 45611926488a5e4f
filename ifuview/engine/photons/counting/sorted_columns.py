"""Columns of a photon list sorted by (resonator, time), and the 16-bit codes that stand for their values."""

from __future__ import annotations

import numpy as np

from ifuview.engine.photons.counting.cut import live_time, time_range
from ifuview.engine.photons.counting.image import blanked, seen
from ifuview.model.checks import Array
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.lists import TICK, PhotonCut, SortedColumns

READ_ROWS = 1 << 20  # rows encoded at a time
SAMPLE_BLOCKS, SAMPLE_ROWS = 64, 4096  # looked at to choose the codes
TAIL = 1e-4  # share of values on each side that may share the outermost code
CODES = 65535  # of values; one more stands for none


def as_image(columns: SortedColumns, counts: Array, cut: PhotonCut) -> PhotonImage:
    """Return counts per resonator as the image of a cut."""
    beammap = columns.info.beammap
    excluded = beammap.flagged(cut.exclude)
    start, stop = time_range(columns.info, cut, columns.latest if cut.stop is None else -1)
    image = blanked(beammap.image(counts), excluded)
    exposure = live_time(columns, start, stop)
    photons = int(counts[seen(columns, excluded)].sum())
    last = columns.latest * TICK if cut.stop is None and cut.low is None and cut.high is None else -1.0
    return PhotonImage(
        counts=image, variance=image.astype(np.float64), excluded=excluded, info=columns.info, cut=cut, photons=photons,
        start=start, stop=stop, exposure=exposure, last=last,
    )  # fmt: skip


def code_range(columns: SortedColumns) -> tuple[float, float]:
    """Zero and codes per unit such that nearly all values have a code of their own width."""
    nrow = int(columns.first[-1])
    rows = min(SAMPLE_ROWS, nrow)
    sample = np.zeros((SAMPLE_BLOCKS, rows), np.float32)
    for i in range(SAMPLE_BLOCKS):
        columns.read("value", (nrow - rows) * i // max(SAMPLE_BLOCKS - 1, 1), sample[i])
    values = sample[np.isfinite(sample)].astype(np.float64)
    if not len(values):
        return 0.0, 1.0
    low, high = np.quantile(values, [TAIL, 1 - TAIL])
    margin = 0.05 * (high - low) or max(abs(low), 1.0) * 1e-3
    return float(low - margin), float(CODES / (high - low + 2 * margin))


def gather(columns: SortedColumns, rows: Array) -> Array:
    """Values of many rows, read block by block."""
    nrow = int(columns.first[-1])
    out = np.empty(len(rows), np.float32)
    block = np.empty(min(READ_ROWS, nrow), np.float32)
    order = np.argsort(rows, kind="stable")
    places = rows[order]
    for start in range(0, nrow, READ_ROWS):
        stop = min(start + READ_ROWS, nrow)
        a, b = np.searchsorted(places, [start, stop])
        if b > a:
            columns.read("value", start, block[: stop - start])
            out[order[a:b]] = block[places[a:b] - start]
    return out

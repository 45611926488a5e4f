"""Is a defect in the detector image: in rows between the bundles, where no light is; in light beside the traces?

What the read-out added is also between the bundles. What was lost because traces moved shows as light beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ifuview.engine.night.stats import mad
from ifuview.engine.numeric.medians import MEDIAN_ERROR
from ifuview.model.checks import Array
from ifuview.model.night.chain import Section

GAP = 12.0  # px between two traces that leave room for pixels without light
HALF_GAP = 2  # px on both sides of the middle of a gap
LEAST_PIXELS = 10  # of a row
SMOOTH = 201  # rows: what is wider than this is no row
SEEN, SEEN_ERRORS = 0.2, 6.0  # correlation of the rows with those of the spectra, and its significance
BESIDE = 40  # rows beside a band
NOISY, NOISY_BY = 1.5, 1.0  # read noise over that of the other amplifiers, and electron more than it
REACH = 3  # px on both sides of a trace
EVERY = 8  # rows that are looked at
MOVED = 0.15  # px that the light lies beside the traces of a block, more than elsewhere


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """The image of the detector.

    Parameters
    ----------
    image : ndarray, shape (ncross, ndisp), electron
        Canonical axes.
    bad : ndarray of bool or None, same shape
    """

    image: Array
    bad: Array | None = None
    read_noise: Mapping[str, float] = field(default_factory=dict)


def noisy(read_noise: Mapping[str, float], amplifier: str) -> float | None:
    """Read noise of an amplifier over the median of the others if it is far above them, else None."""
    others = [value for name, value in read_noise.items() if name != amplifier]
    own = read_noise.get(amplifier)
    if own is None or not others:
        return None
    middle = float(np.median(others))
    return own / middle if own > max(NOISY * middle, middle + NOISY_BY) else None


def gap_rows(detector: Detector, cross: Array, disp: Array, section: Section, bundle: int) -> Array | None:
    """Level of each row of an amplifier between the bundles, NaN where unknown; None if there are no gaps."""
    rows = np.arange(int(section.disp[0]), min(int(section.disp[1]), detector.image.shape[1]))
    columns = []
    for right in range(bundle, cross.shape[0], bundle):
        ends = [np.interp(rows, disp[f], cross[f], left=np.nan, right=np.nan) for f in (right - 1, right)]
        middle = np.where(ends[1] - ends[0] > GAP, 0.5 * (ends[0] + ends[1]), np.nan)
        inside = (middle > section.cross[0] + HALF_GAP) & (middle < section.cross[1] - HALF_GAP - 1)
        if inside.any():
            columns.append(np.where(inside, middle, np.nan))
    if not columns:
        return None
    at = np.array(columns)[:, None, :] + np.arange(-HALF_GAP, HALF_GAP + 1)[None, :, None]
    at = at.reshape(-1, rows.size)
    known = np.isfinite(at)
    place = np.clip(np.rint(np.where(known, at, 0)).astype(int), 0, detector.image.shape[0] - 1)
    values = detector.image[place, rows].astype(np.float64)
    if detector.bad is not None:
        known &= ~detector.bad[place, rows]
    values[~known] = np.nan
    enough = known.sum(axis=0) >= LEAST_PIXELS
    out = np.full(rows.size, np.nan)
    if enough.any():
        out[enough] = np.nanmedian(values[:, enough], axis=0)
    return out


def follows(gaps: Array, levels: Array) -> tuple[float, float]:
    """(correlation, significance) of the rows between the bundles with the rows of the spectra."""
    known = np.isfinite(gaps) & np.isfinite(levels)
    if np.count_nonzero(known) < SMOOTH:
        return float("nan"), 0.0
    parts = []
    for values in (gaps, levels):
        rest = values[known] - np.convolve(
            np.pad(values[known], SMOOTH // 2, mode="edge"), np.ones(SMOOTH) / SMOOTH, "valid"
        )
        limit = 5 * max(float(mad(rest)), 1e-9)
        parts.append(np.clip(rest, -limit, limit))
    value = float(np.corrcoef(*parts)[0, 1])
    return value, abs(value) * float(np.sqrt(known.sum()))


def stands_out(gaps: Array, first: int, last: int) -> tuple[float, float]:
    """(level, significance) of a band of rows over the rows beside it; `first` and `last` count from the section."""
    own = gaps[max(first, 0) : last + 1]
    near = np.concatenate([gaps[max(first - BESIDE, 0) : max(first, 0)], gaps[last + 1 : last + 1 + BESIDE]])
    own, near = own[np.isfinite(own)], near[np.isfinite(near)]
    if not own.size or near.size < LEAST_PIXELS:
        return float("nan"), 0.0
    level = float(np.median(own) - np.median(near))
    error = MEDIAN_ERROR * max(float(mad(near)), 1e-9) * float(np.sqrt(1 / own.size + 1 / near.size))
    return level, abs(level) / error


def masked_on(detector: Detector, cross: Array, disp: Array, fibers: Sequence[int], columns: slice) -> float:
    """Share of the pixels on the traces of some fibers that are masked; NaN where none lies on the detector."""
    own = list(fibers)
    across, along = (np.rint(a[own, columns]).astype(int) for a in (cross, disp))
    shape = detector.image.shape
    there = (across >= 0) & (across < shape[0]) & (along >= 0) & (along < shape[1])
    if not there.any():
        return float("nan")
    return 0.0 if detector.bad is None else float(detector.bad[across[there], along[there]].mean())


def off_trace(detector: Detector, cross: Array, disp: Array) -> Array:
    """Where the light of each fiber lies beside its trace, px, shape (nfiber,); NaN where there is none."""
    out = np.full(cross.shape[0], np.nan)
    steps = np.arange(-REACH, REACH + 1)
    for fiber in range(cross.shape[0]):
        rows = np.arange(int(np.ceil(disp[fiber].min())), int(disp[fiber].max()), EVERY)
        rows = rows[(rows >= 0) & (rows < detector.image.shape[1])]
        center = np.interp(rows, disp[fiber], cross[fiber])
        place = np.rint(center).astype(int)[:, None] + steps
        good = (place[:, 0] >= 0) & (place[:, -1] < detector.image.shape[0])
        place, rows, center = place[good], rows[good], center[good]
        if not rows.size:
            continue
        light = detector.image[place, rows[:, None]].astype(np.float64)
        if detector.bad is not None:
            light[detector.bad[place, rows[:, None]].any(axis=1)] = 0.0
        total = float(light.sum())
        if total > 0:
            out[fiber] = float(((place - center[:, None]) * light).sum()) / total
    return out

"""Single fibers and blocks of them: dead, faint, beside a bright star, off position, block losing light."""

from __future__ import annotations

import numpy as np

from ifuview.engine.triage.stats import MEDIAN_ERROR, mad
from ifuview.model.checks import Array

LOW = 0.25  # change of throughput against the flat that counts (scatter of good fibers: 0.035)
ERRORS = 6.5  # and this many errors: targets have lines of their own
DEAD = 0.1  # throughput of a dead fiber
DARK = 0.3  # of its neighbors' level: dead where there are too few sky lines to tell
BRIGHT = 50.0  # sky levels of a row that lights its neighbors
REACH = 5  # fibers on both sides that it does
LOSS, LOSS_SCATTER = 0.05, 5.0  # level of a block: part and scatters (clean: 0.007)
NEAR_BLOCKS = 5  # blocks that one is compared with where half of them differ from the others
MIN_BLOCKS = 4  # to compare one with the others
LOW_PERCENTILE = 20.0  # of the fibers of a block: its sky, whatever the targets do
OFF_POSITION = 0.05  # mm; 0.03 poor, 0.1 bad
OFF_SHARE = 0.5  # of the fibers of a block


def odd_fibers(value: Array, error: Array) -> Array:
    """Fibers whose throughput is not the flat's."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(value - 1) > np.maximum(LOW, ERRORS * error))


def dark_fibers(seen: Array, size: int) -> Array:
    """Fibers far below the low level of their block, shape (nfiber,): works without sky lines.

    Parameters
    ----------
    seen : ndarray, shape (nfiber,)
        Median of the flat-fielded frame.
    """
    if seen.size < size:
        return np.asarray(seen < DARK * np.median(seen))
    level = np.repeat(block_levels(seen, size), size)
    level = np.append(level, np.full(seen.size - level.size, level[-1] if level.size else 1.0))
    return np.asarray(seen < DARK * level)


def block_levels(seen: Array, size: int) -> Array:
    """Low level of every block, relative to the median of the blocks."""
    count = seen.size // size
    return np.asarray(np.percentile(seen[: count * size].reshape(count, size), LOW_PERCENTILE, axis=1))


def losing_blocks(seen: Array, size: int) -> list[tuple[int, float, float]]:
    """(block, level over the others', significance) of the blocks that lose or gain light."""
    level = block_levels(seen, size)
    middle = float(np.median(level)) if level.size else 0.0
    if middle <= 0 or level.size < MIN_BLOCKS:
        return []
    level = level / middle
    padded = np.pad(level, NEAR_BLOCKS // 2, mode="reflect")
    near = level - np.median(np.lib.stride_tricks.sliding_window_view(padded, NEAR_BLOCKS), axis=1)
    out = []
    for k, (whole, beside) in enumerate(zip(level - 1, near, strict=True)):
        everywhere, here = (max(float(mad(values)), 1e-3) for values in (level, near))
        alone = abs(whole) > max(LOSS, LOSS_SCATTER * everywhere)
        if alone or min(abs(whole), abs(beside)) > max(LOSS, LOSS_SCATTER * here):  # an amplifier may lift half of them
            out.append((k, float(1 + whole), float(abs(whole) / min(everywhere, here))))
    return out


def bright_rows(flux: Array, sky: float) -> list[tuple[int, int, int, float]]:
    """(fiber, first, last, brightness in sky levels) of rows bright enough to light their neighbors.

    Parameters
    ----------
    flux : ndarray, shape (nfiber,)
        Median sky-subtracted flux.
    """
    out = []
    for fiber in np.flatnonzero(flux > BRIGHT * sky):
        near = flux[max(fiber - REACH, 0) : fiber + REACH + 1]
        if flux[fiber] == near.max():
            last = min(int(fiber) + REACH, flux.size - 1)
            out.append((int(fiber), max(int(fiber) - REACH, 0), last, float(flux[fiber] / sky)))
    return out


def off_position(offset: Array, size: int) -> list[tuple[int, float, float]]:
    """(block, median offset in mm, share of its fibers) of blocks that are not where they should be."""
    out = []
    for block in range(offset.size // size):
        part = offset[block * size : (block + 1) * size]
        part = part[np.isfinite(part)]
        if part.size and np.mean(part > OFF_POSITION) > OFF_SHARE:
            out.append((block, float(np.median(part)), float(np.mean(part > OFF_POSITION))))
    return out


def target_light(flux: Array, is_sky: Array, block: int, size: int) -> tuple[float, float]:
    """Median light of the targets of a block over that of all other targets, and its error; NaN if unknown.

    Parameters
    ----------
    flux : ndarray, shape (nfiber,)
        Mean sky-subtracted flux.
    """
    inside = np.zeros(flux.size, bool)
    inside[block * size : (block + 1) * size] = True
    parts = [flux[where & kind] for where in (inside, ~inside) for kind in (~is_sky, is_sky)]
    own, empty, other, nothing = parts
    if not own.size or not other.size:
        return float("nan"), float("nan")
    zero, level = (float(np.median(v)) if v.size else 0.0 for v in (empty, nothing))  # a wrong sky is no light
    middle = float(np.median(other)) - level
    if middle <= 0:
        return float("nan"), float("nan")
    errors = [MEDIAN_ERROR * float(mad(own)) / np.sqrt(own.size)]
    if empty.size:  # a handful: their own scatter says little
        errors.append(MEDIAN_ERROR * float(mad(nothing)) / np.sqrt(empty.size) if nothing.size else 0.0)
    return (float(np.median(own)) - zero) / middle, float(np.hypot.reduce(errors)) / middle

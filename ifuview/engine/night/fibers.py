"""Single fibers and blocks of them: dead, faint, beside a bright star, off position, block losing light."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.stats import mad, middle
from ifuview.engine.numeric.medians import MEDIAN_ERROR
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array

LOW = 0.25  # change of throughput against the flat that counts (scatter of good fibers: 0.035)
ERRORS = 6.5  # and this many errors: targets have lines of their own
DEAD = 0.1  # throughput of a dead fiber
DARK = 0.3  # of the level of the sky: lost whatever the sky lines say
BRIGHT = 50.0  # sky levels of a row that lights its neighbors
REACH = 5  # fibers on both sides that it does
LOSS, LOSS_SCATTER = 0.05, 5.0  # level of a block: part and scatters (clean: 0.007)
NEAR_BLOCKS = 5  # blocks that one is compared with where half of them differ from the others
USUAL_BLOCKS = 20  # that LOSS_SCATTER is for
MIN_BLOCKS = 4  # to compare one with the others
LEAST_KNOWN = 0.4  # of the fibers of a block must be measured
LOW_PERCENTILE = 20.0  # of the fibers of a block: its sky, whatever the targets do
OFF_POSITION = 0.05  # mm; 0.03 poor, 0.1 bad
FAR_OFF = 0.1  # mm of a single fiber
SHORTEST_RUN, NEAR_OFF = 5, 3  # fibers of a run; in place between those that are not
OFF_SHARE = 0.5  # of the fibers of a block
CLIP = 4.0  # sigma of a pixel from the median of its fiber: cosmic rays
MIN_SPREAD = 3  # values that tell their own scatter


def odd_fibers(value: Array, error: Array) -> Array:
    """Fibers whose throughput is not the flat's."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(value - 1) > np.maximum(LOW, ERRORS * error))


def sky_level(level: Array, model: Array, size: int) -> Array:
    """What a fiber that sees only sky should have at least: no more than its block, nor than the sky model says.

    Targets add light, a wrong sky model or an amplifier may lift either of the two.

    Parameters
    ----------
    level, model : ndarray, shape (nfiber,)
        Median of the flat-fielded frame and of the sky model.
    """
    if level.size < size:
        return np.minimum(model, middle(level))
    blocks = np.repeat(block_levels(level, size), size)
    return np.minimum(model, np.append(blocks, np.full(level.size - blocks.size, blocks[-1])))


def below_sky(level: Array, error: float, expected: Array, part: Array) -> Array:
    """Fibers that give less than a part of the sky that they see, shape (nfiber,): works without sky lines."""
    return np.asarray((level < part * expected) & (expected - level > ERRORS * error))


def block_levels(seen: Array, size: int) -> Array:
    """Low level of every block, relative to the median of the blocks."""
    count = seen.size // size
    blocks = seen[: count * size].reshape(count, size)
    if not np.isnan(blocks).any():
        return np.asarray(np.percentile(blocks, LOW_PERCENTILE, axis=1))
    known = [block[np.isfinite(block)] for block in blocks]
    return np.array([np.percentile(k, LOW_PERCENTILE) if k.size >= size * LEAST_KNOWN else np.nan for k in known])


def losing_blocks(seen: Array, size: int) -> list[tuple[int, float, float]]:
    """(block, level over the others', significance) of the blocks that lose or gain light."""
    level = block_levels(seen, size)
    typical = float(middle(level)) if level.size else 0.0
    if not typical > 0 or np.count_nonzero(np.isfinite(level)) < MIN_BLOCKS:
        return []
    level = level / typical
    padded = np.pad(level, NEAR_BLOCKS // 2, mode="reflect")
    near = level - middle(np.lib.stride_tricks.sliding_window_view(padded, NEAR_BLOCKS), axis=1)
    few = 1 + (LOSS_SCATTER**2 + 1) / (4 * np.count_nonzero(np.isfinite(level)))  # Student's t, first order
    few = few / (1 + (LOSS_SCATTER**2 + 1) / (4 * USUAL_BLOCKS))
    out = []
    for k, (whole, beside) in enumerate(zip(level - 1, near, strict=True)):
        everywhere, here = (few * max(float(mad(values)), 1e-3) for values in (level, near))
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


def off_position(offset: Array, size: int) -> list[tuple[tuple[int, ...], float, float]]:
    """(fibers, median offset in mm, share of them) of runs and single fibers that are not in their place."""
    off = np.isfinite(offset) & (offset > OFF_POSITION)
    out = []
    for first, last in runs(off, NEAR_OFF):
        part = offset[first:last]
        part = part[np.isfinite(part)]
        share = float(np.mean(part > OFF_POSITION))
        if last - first >= SHORTEST_RUN and share > OFF_SHARE:
            low, high = round(first / size) * size, round(last / size) * size
            near = low < high and abs(low - first) <= NEAR_OFF and abs(high - last) <= NEAR_OFF
            span = (low, min(high, offset.size)) if near else (first, last)
            out.append((tuple(range(*span)), float(np.median(part)), share))
        else:
            alone = [f for f in range(first, last) if off[f] and offset[f] > FAR_OFF]
            out += [((f,), float(offset[f]), 1.0) for f in alone]
    return out


def steady_light(flux: Array, sigma: Array, use: Array) -> Array:
    """Mean of every fiber over the wavelengths in `use`, weighted, without cosmic rays, shape (nfiber,).

    Parameters
    ----------
    flux : ndarray, shape (nfiber, nwave)
    sigma : ndarray, shape (nwave,)
        Noise of a pixel.
    """
    values, noise = flux[:, use], sigma[use]
    typical = middle(values, axis=1, keepdims=True)
    kept = np.clip(values, typical - CLIP * noise, typical + CLIP * noise)
    if np.isnan(kept).any():
        weight = np.isfinite(kept) * noise**-2.0
        total = np.maximum(weight.sum(axis=1), 1e-12)
        return np.asarray(np.where(weight.any(axis=1), (np.nan_to_num(kept) * weight).sum(axis=1) / total, np.nan))
    return np.asarray(kept.astype(np.float64) @ noise**-2.0 / np.sum(noise**-2.0))


def target_light(flux: Array, is_sky: Array, fibers: tuple[int, ...], left_out: Array) -> tuple[float, float]:
    """Median light of the targets of some fibers over that of all other targets, and its error; NaN if unknown.

    Parameters
    ----------
    flux : ndarray, shape (nfiber,)
        Sky-subtracted; see `steady_light`.
    left_out : ndarray of bool, shape (nfiber,)
        Fibers with other light than their own, not compared with.
    """
    inside = np.zeros(flux.size, bool)
    inside[list(fibers)] = True
    outside = ~inside if np.count_nonzero(~inside & ~left_out) < len(fibers) else ~inside & ~left_out
    inside, outside = inside & np.isfinite(flux), outside & np.isfinite(flux)
    own, empty, other, nothing = (flux[where & kind] for where in (inside, outside) for kind in (~is_sky, is_sky))
    if not own.size or not other.size:
        return float("nan"), float("nan")
    level, level_error = _middle(nothing, nothing)
    zero, zero_error = _middle(empty, nothing) if empty.size else (level, level_error)  # its sky may be off
    (dim, dim_error), (bright, bright_error) = _middle(own, own), _middle(other, other)
    full = bright - level
    if full <= 0:
        return float("nan"), float("nan")
    light = (dim - zero) / full
    errors = dim_error, zero_error, light * bright_error, light * level_error
    return light, float(np.hypot.reduce(errors)) / full


def _middle(values: Array, alike: Array) -> tuple[float, float]:
    """Median and its error, from the scatter of values alike (a handful says little of its own); 0 of nothing."""
    if not values.size:
        return 0.0, 0.0
    spread = max(float(mad(values)) if values.size >= MIN_SPREAD else 0.0, float(mad(alike)) if alike.size else 0.0)
    return float(np.median(values)), MEDIAN_ERROR * spread / np.sqrt(values.size)

"""One frame from many of a kind: bias, dark, lamp or twilight.

The mean without outliers: pixels beyond `CLIP` of their own expected noise from the median of the frames are left out,
so that nearly all the information of the frames is kept and a cosmic ray of one is not. With two frames the lower of
two that disagree is kept, with one there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import median
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import UNUSABLE, CcdFrame, ReductionBit

CLIP = 5.0  # sigma
ROWS = 128  # worked on at once: the frames of a block stay in the cache
NOISE_CLIP = 5.0
NOISE_PIXELS = 400_000  # of a pair of frames, that tell the noise to a thousandth
LEVEL_PIXELS = 400_000  # in whole columns, that tell the level of a frame to a thousandth of its fibers' light
LEAST_LIGHT = 1.0  # electrons; a frame of a lower level cannot be scaled
SCALE_ERROR = 0.02  # of the counts: how well frames of different level agree after scaling


def combine(frames: Sequence[CcdFrame], *, scale: bool = False, total: bool = False) -> CcdFrame:
    """Return the mean of frames without outliers.

    Parameters
    ----------
    frames : sequence of CcdFrame
        Of one shape.
    scale : bool
        Bring all to the level of the brightest first (twilights).
    total : bool
        The mean times the number of frames (lamps of which each shows its own lines are added by the caller).

    Raises
    ------
    FitError
        No frame, or frames of different shape.
    """
    if not frames:
        raise FitError("there is no frame to combine")
    if len({f.shape for f in frames}) > 1:
        raise FitError("frames of different size cannot be combined")
    if len(frames) == 1:
        return frames[0]
    factor = _factors(frames) if scale else np.ones(len(frames))
    data, variance = np.empty(frames[0].shape, np.float32), np.empty(frames[0].shape, np.float32)
    mask = np.zeros(frames[0].shape, np.uint32)
    share = SCALE_ERROR if scale else 0.0
    for row in range(0, data.shape[0], ROWS):
        rows = slice(row, row + ROWS)
        stack = np.stack([f.data[rows] * np.float32(k) for f, k in zip(frames, factor, strict=True)])
        spread = np.stack([f.variance[rows] * np.float32(k**2) for f, k in zip(frames, factor, strict=True)])
        bits = np.stack([f.mask[rows] for f in frames])
        data[rows], variance[rows], mask[rows] = _mean(stack, spread, bits, share)
    many = np.float32(len(frames) if total else 1)
    return CcdFrame(data * many, variance * many**2, mask)


def add(frames: Sequence[CcdFrame]) -> CcdFrame:
    """Sum of frames, each of another lamp; a pixel that is bad in one is bad."""
    if not frames:
        raise FitError("there is no frame to add")
    data, variance, mask = (np.array(a) for a in (frames[0].data, frames[0].variance, frames[0].mask))
    for frame in frames[1:]:
        data += frame.data
        variance += frame.variance
        mask |= frame.mask
    return CcdFrame(data, variance, mask)


def _factors(frames: Sequence[CcdFrame]) -> NDArray[np.float64]:
    """What brings each frame to the level of the brightest."""
    step = max(frames[0].data.size // LEVEL_PIXELS, 1)
    some = [CcdFrame(f.data[:, ::step], f.variance[:, ::step], f.mask[:, ::step]) for f in frames]
    common = np.logical_and.reduce([f.usable() for f in some])  # one of them may lack an amplifier
    shown = [f.data[common] if common.any() else f.data[f.usable()] for f in some]
    level = np.array([float(median(d[d >= median(d)])) if d.size else 0.0 for d in shown])
    if level.max() < LEAST_LIGHT:
        return np.ones(level.size)
    return np.asarray(level.max() / np.maximum(level, LEAST_LIGHT))


def _mean(stack: Array, spread: Array, bits: Array, share: float) -> tuple[Array, Array, Array]:
    """Weighted mean of what agrees with the median; bits of pixels that are bad in all frames stay."""
    good = (bits & np.uint32(UNUSABLE)) == 0
    lone = ~good.any(axis=0)
    good |= lone
    ordered = _ordered(np.where(good, stack, np.float32(np.inf)))
    count = good.sum(axis=0)
    middle = np.take_along_axis(ordered, ((count - 1) // 2)[None], axis=0)[0]
    sigma = np.sqrt(spread.mean(axis=0) if len(stack) == 2 else median(spread, axis=0)) + share * np.abs(middle)
    good &= stack - middle < CLIP * sigma
    weight = np.where(good, 1.0 / spread.mean(axis=(1, 2), keepdims=True), 0).astype(np.float32)
    norm = weight.sum(axis=0)
    data = np.where(norm > 0, (weight * stack).sum(axis=0) / np.where(norm > 0, norm, 1), middle)
    variance = (weight**2 * spread).sum(axis=0) / np.where(norm > 0, norm, 1) ** 2
    variance = np.where(norm > 0, variance, spread.max(axis=0))
    every = np.bitwise_and.reduce(bits, axis=0) | (np.bitwise_or.reduce(bits, axis=0) & ~np.uint32(UNUSABLE))
    return data, variance, np.where(lone, every | np.bitwise_or.reduce(bits, axis=0), every)


def _ordered(stack: Array) -> Array:
    """The frames sorted pixel by pixel; two or three of them without the slow road of a general sort."""
    if len(stack) not in (2, 3):
        return np.sort(stack, axis=0)
    low, high = np.minimum(stack[0], stack[1]), np.maximum(stack[0], stack[1])
    if len(stack) == 2:
        return np.stack([low, high])
    last = stack[2]
    return np.stack([np.minimum(low, last), np.maximum(low, np.minimum(high, last)), np.maximum(high, last)])


def frame_noise(frames: Sequence[CcdFrame]) -> tuple[float, float]:
    """Read noise of a pixel (electrons) from frames of equal exposure, and its error; unbiased also for two.

    Differences of neighboring frames have twice the variance whatever the structure in them; their clipped rms is
    divided by the square root of two. (The median absolute deviation of 5 frames would be 19 % low.)
    """
    if len(frames) < 2:
        return float("nan"), float("nan")
    total, count = 0.0, 0
    for one, two in pairwise(frames):
        some = slice(None, None, max(one.data.size // NOISE_PIXELS, 1))
        known = ((one.mask[:, some] | two.mask[:, some]) & np.uint32(UNUSABLE)) == 0
        delta = (one.data[:, some] - two.data[:, some])[known].astype(np.float64)
        delta -= np.median(delta)
        sigma = delta.std()
        for _ in range(3):
            kept = delta[np.abs(delta) < NOISE_CLIP * sigma]
            sigma = kept.std()
        total, count = total + float((kept**2).sum()), count + kept.size
    if count == 0:
        return float("nan"), float("nan")
    noise = float(np.sqrt(total / count / 2))
    return noise, noise / float(np.sqrt(2 * count * len(frames) / (2 * (len(frames) - 1))))


def masked(frame: CcdFrame, where: Array, bit: ReductionBit) -> CcdFrame:
    """The frame with a bit set in some pixels."""
    mask = np.array(frame.mask)
    mask[where] |= np.uint32(bit)
    return CcdFrame(frame.data, frame.variance, mask)

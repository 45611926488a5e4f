"""Dark current: hot pixels, warm columns above charge traps, and what is smooth of it.

The rate of a pixel is its mean over dark exposures by their time. A pixel far above its neighborhood is hot; a run of
a column that lies above the columns beside it is warm. Only what is measured well above its noise is subtracted from
an exposure, so that a short dark adds no noise to a long one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.ccd.masters import combine
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit

HOT = 6.0  # sigma above the level of a pixel that is hot
RUN = 32  # rows whose mean tells a warm column
LEAST_SHARE = 0.5  # of the usual noise, that no pixel is below
WARM = 6.0  # sigma of that mean, above the columns beside
BESIDE = 3  # columns on each side to compare with, the next ones left out: four in all


@dataclass(frozen=True, slots=True, eq=False)
class DarkCurrent:
    """Rate of each pixel.

    Parameters
    ----------
    rate : ndarray of float32, shape (nrow, ncol), electrons/s
        The level of the amplifier, and of hot pixels and warm columns their own.
    error : ndarray of float32, shape (nrow, ncol), electrons/s
    mask : ndarray of uint32, shape (nrow, ncol), ReductionBit
        HOT, TRAP.
    """

    rate: NDArray[np.float32]
    error: NDArray[np.float32]
    mask: NDArray[np.uint32]


def master_dark(frames: Sequence[CcdFrame], exptime: Sequence[float], count: int = 1) -> DarkCurrent:
    """Return the dark current.

    Parameters
    ----------
    frames : sequence of CcdFrame
        Dark exposures of one amplifier, after the bias.
    exptime : sequence of float, s
    count : int
        Exposures of that time that each frame is the mean of.

    Raises
    ------
    FitError
        No frame has a time above 0.
    """
    timed = [(f, t) for f, t in zip(frames, exptime, strict=True) if t > 0]
    if not timed:
        raise FitError("no dark exposure has an exposure time")
    rates = [CcdFrame(f.data / np.float32(t), f.variance / np.float32(t**2), f.mask) for f, t in timed]
    mean = combine(rates)
    data = np.asarray(mean.data)
    level = float(np.median(data))
    noise = float(np.sqrt(np.median(mean.variance)))
    own = (
        np.maximum(data - level, 0) / sum(t for _, t in timed) / count
    )  # photons of its own current: not of a cold one
    hot = data - level > HOT * np.sqrt(np.maximum(mean.variance - own, (LEAST_SHARE * noise) ** 2))
    warm, height = _warm(np.where(hot, level, data), noise)
    rate = np.full(data.shape, level, np.float32)
    rate[warm] += height[warm]
    rate[hot] = data[hot]
    error = np.full(data.shape, noise / np.sqrt(data.size), np.float32)
    error[warm] = noise / np.sqrt(RUN)
    error[hot] = np.sqrt(mean.variance[hot])
    mask = np.zeros(data.shape, np.uint32)
    mask[hot] |= np.uint32(ReductionBit.HOT)
    mask[warm & ~hot] |= np.uint32(ReductionBit.TRAP)
    return DarkCurrent(rate, error, mask)


def _warm(data: Array, noise: float) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Runs of columns above those beside them, and by how much."""
    from scipy.ndimage import uniform_filter1d

    share = uniform_filter1d(np.ones((data.shape[0], 1), np.float32), RUN, axis=0, mode="constant")  # that is inside
    mean = uniform_filter1d(np.asarray(data, np.float32), RUN, axis=0, mode="constant") / share
    beside = [np.roll(mean, s, axis=1) for s in range(-BESIDE, BESIDE + 1) if abs(s) > 1]
    above = mean - _middle(beside)
    above[:, :BESIDE], above[:, -BESIDE:] = 0, 0
    sigma = noise / np.sqrt(RUN * share) * np.sqrt(1 + np.pi / 2 / len(beside))
    warm = above > WARM * sigma
    return warm, above


def _middle(four: Sequence[Array]) -> Array:
    """Median of four arrays: the mean of what is neither the least nor the greatest; much faster than sorting."""
    least, greatest, total = four[0].copy(), four[0].copy(), four[0].copy()
    for one in four[1:]:
        np.minimum(least, one, out=least)
        np.maximum(greatest, one, out=greatest)
        total += one
    return np.asarray((total - least - greatest) / np.float32(len(four) - 2))


def without_dark(frame: CcdFrame, dark: DarkCurrent, exptime: float) -> CcdFrame:
    """An exposure less its dark current, hot pixels and warm columns marked; its photon noise stays in the variance."""
    time = np.float32(max(exptime, 0.0))
    return CcdFrame(frame.data - dark.rate * time, frame.variance + (dark.error * time) ** 2, frame.mask | dark.mask)

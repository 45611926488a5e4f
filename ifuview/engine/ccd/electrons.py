"""Counts of one amplifier to electrons with variance and mask: overscan, bias, gain, saturation.

The variance is that of the read-out as the overscan shows it, of the photons (the data where they are positive) and
of the bias. Saturated pixels are marked with the charge that they spill along their column: neighbors above the share
`SPILLED` of the limit, and one more.
"""

from __future__ import annotations

import numpy as np

from ifuview.engine.ccd.overscan import DROPPED, Overscan, read_overscan
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import CcdFrame, ReadOut, ReductionBit

SATURATION = 65535  # ADU, end of 16 bits
FULL_NOISE = 4.0  # times the read noise below the end of the range: a full pixel lies there as often as at the end
SPILLED = 0.9  # share of the limit above which a neighbor of a saturated pixel holds charge of it
SPILL_ROWS = 16  # px, farthest that spilled charge is followed
MANY_ZEROS = 0.5  # share of zeros above which nothing was read
NOISE_TIMES = 2.0  # measured noise above so many times that of the header is noted
LEAST_NOISE = 1e-3  # electrons
BIT_STEP = 8  # px, between those whose spread tells which bits must change


def electrons(
    counts: Array,
    overscan: Array,
    *,
    gain: float,
    read_noise: float,
    amplifier: str = "",
    bias: CcdFrame | None = None,
    by_row: bool = True,
    dropped: int = DROPPED,
    saturation: float = SATURATION,
) -> tuple[CcdFrame, ReadOut]:
    """Return the electrons of an amplifier and what its read-out says.

    Parameters
    ----------
    counts : ndarray, shape (nrow, ncol), ADU
        The data section.
    overscan : ndarray, shape (nrow, n), ADU
        Of the same rows, the column next to the data first. With no columns the level is 0 and the noise that of the
        header, both noted.
    gain : float, electrons per ADU
    read_noise : float, electrons
        As the header has it: used where the overscan does not tell.
    amplifier : str
    bias : CcdFrame, optional
        Structure that is left after the overscan, electrons.
    by_row : bool
        The overscan level follows the rows as a straight line: between exposures it tilts by some tenths of an
        electron, which is percents of a faint sky. Else one number.
    dropped : int
        Columns of the overscan left out at the side of the data.
    saturation : float, ADU

    Notes
    -----
    An amplifier that holds nothing (all counts the same, or mostly zeros) is masked as a whole and noted; so is one
    with a bit of the converter that does not change where the bit is more than the noise of a usual pixel: its numbers
    are off by up to that, in a way that changes with the light. A smaller one costs noise, which the overscan shows.
    """
    read, level = read_out(
        counts, overscan, gain=gain, read_noise=read_noise, amplifier=amplifier, by_row=by_row, dropped=dropped,
        saturation=saturation,
    )  # fmt: skip
    data = np.subtract(counts, level, dtype=np.float32) * np.float32(gain)
    mask = np.zeros(counts.shape, np.uint32)
    if bias is not None:
        data -= bias.data
        mask |= bias.mask
    variance = np.maximum(data, 0) + np.float32(read.noise**2) + (np.float32(0) if bias is None else bias.variance)
    lost = ~np.isfinite(variance)
    if lost.any():
        mask[lost] |= np.uint32(ReductionBit.NO_DATA)
        data[lost] = variance[lost] = 0
    if read.saturated:
        full = np.asarray(counts >= full_from(saturation, read.noise / gain))
        mask[spilled(full, np.asarray(counts, np.float32), saturation)] |= np.uint32(ReductionBit.SATURATED)
    if read.problem:
        mask |= np.uint32(ReductionBit.AMPLIFIER)
    return CcdFrame(data, variance, mask), read


def read_out(
    counts: Array,
    overscan: Array,
    *,
    gain: float,
    read_noise: float,
    amplifier: str = "",
    by_row: bool = True,
    dropped: int = DROPPED,
    saturation: float = SATURATION,
) -> tuple[ReadOut, Array]:
    """Return what the read-out of an amplifier says, and the level (ADU) to take off each of its rows.

    Parameters as in `electrons`.
    """
    level, notes = _level(overscan, counts.shape[0], read_noise / gain, by_row, dropped)
    noise = level.noise * gain
    if np.isfinite(noise) and read_noise > 0 and noise > NOISE_TIMES * read_noise:
        notes.append(f"the read noise is {noise:.1f} e, the header says {read_noise:.1f}")
    if not (np.isfinite(noise) and noise > LEAST_NOISE):
        noise = read_noise
        notes.append(f"the overscan does not tell the read noise: {noise:g} e, of the header or usual, is taken")
    zero, problem = float(np.mean(counts == 0)), ""
    if zero > MANY_ZEROS or float(np.ptp(counts)) == 0:
        problem = "nothing was read: all counts are the same" if zero <= MANY_ZEROS else "most counts are zero"
        notes = [problem]  # what else it shows is of no use
    stuck = () if problem else stuck_bits(counts)
    if stuck:
        notes.append(f"bit {', '.join(map(str, stuck))} of the converter does not change")
        light = max(float(np.median(counts[::BIT_STEP, ::BIT_STEP] - level.level.mean())) * gain, 0.0)
        if gain * 2 ** max(stuck) > np.hypot(noise, np.sqrt(light)):  # noise does not even it out
            problem = notes[-1]
    read = ReadOut(
        amplifier=amplifier, level=float(level.level.mean()), level_error=level.error, noise=float(noise),
        noise_error=level.noise_error * gain, gain=gain, zero=zero,
        saturated=float(np.mean(counts >= full_from(saturation, noise / gain))),
        notes=tuple(notes), stuck=stuck, problem=problem,
    )  # fmt: skip
    return read, level.level


def full_from(saturation: float, noise: float) -> float:
    """Counts (ADU) from which a pixel may be full: noise (ADU) moves one off the end of the range."""
    return saturation - float(np.fmin(FULL_NOISE * noise, (1 - SPILLED) * saturation))


def stuck_bits(counts: Array) -> tuple[int, ...]:
    """Bits of whole numbers that are the same everywhere, of those that the spread of the numbers must change.

    Parameters
    ----------
    counts : ndarray, shape (nrow, ncol), ADU
        Of an unsigned type; others have no bits to look at.
    """
    if counts.dtype.kind != "u" or not counts.size:
        return ()
    low, high = np.percentile(counts[::BIT_STEP, ::BIT_STEP], (1, 99))
    always, ever = int(np.bitwise_and.reduce(counts, axis=None)), int(np.bitwise_or.reduce(counts, axis=None))
    tested = range(int(np.log2(max(high - low, 1.0))))  # a spread of two periods of a bit shows it set and not
    return tuple(b for b in tested if always >> b & 1 or not ever >> b & 1)


def _level(overscan: Array, nrow: int, noise: float, by_row: bool, dropped: int) -> tuple[Overscan, list[str]]:
    """The overscan's level, or zero where there is none."""
    try:
        return read_overscan(overscan, by_row=by_row, dropped=dropped), []
    except FitError:
        nothing = Overscan(np.zeros((nrow, 1), np.float32), float("nan"), noise, float("nan"))
        return nothing, ["there is no overscan: no level is subtracted"]


def spilled(full: Array, counts: Array, limit: float) -> Array:
    """Saturated pixels and those of their columns that hold charge of them, bool of the same shape.

    Parameters
    ----------
    full : ndarray of bool, shape (nrow, ncol)
        Pixels at the limit.
    counts : ndarray, shape (nrow, ncol), ADU
    limit : float, ADU
    """
    high = counts >= SPILLED * limit
    out = full.copy()
    for _ in range(SPILL_ROWS):
        grown = out.copy()
        grown[1:] |= out[:-1] & high[1:]
        grown[:-1] |= out[1:] & high[:-1]
        if np.array_equal(grown, out):
            break
        out = grown
    touched = out.copy()
    touched[1:] |= out[:-1]
    touched[:-1] |= out[1:]
    return touched

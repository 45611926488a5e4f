"""What of an exposure's spectra is not used, and why: from samples to fibers, columns and whole amplifiers.

Rules in the order in which they build on each other (after a published quick reduction, with each reason
kept as a bit of its own): the neighbors of samples whose profile does not fit; what bleeds from a saturated fiber;
fibers that carry little light; a fiber, a column of an amplifier and an amplifier of which too much is lost; an
amplifier whose read-out is too noisy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from ifuview.engine.numeric.medians import known_medians
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit


@dataclass(frozen=True, slots=True)
class MaskLimits:
    """Bounds of what is used.

    Parameters
    ----------
    chi2_grow : int
        Columns beside a sample that the profile does not fit.
    bleed : int
        Fibers beside a saturated one in the same columns.
    low, dead : float
        Response of a fiber below which it is left out, and is called dead.
    fiber, column, amplifier : float
        Share of samples lost above which all of a fiber, a column of an amplifier, an amplifier are.
    noise : float, electrons
        Read noise above which an amplifier is not used.
    """

    chi2_grow: int = 2
    bleed: int = 2
    low: float = 0.5
    dead: float = 0.05
    fiber: float = 0.2
    column: float = 0.2
    amplifier: float = 0.2
    noise: float = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class MaskBlock:
    """An amplifier: its fibers first:last, its read noise (electrons, NaN unknown), why it is not used, "" if it is."""

    first: int
    last: int
    noise: float = float("nan")
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TotalMask:
    """Bits of all samples (nfiber, ncol), uint32, and of each amplifier why it is not used, "" if it is."""

    mask: NDArray[np.uint32]
    reasons: tuple[str, ...]


def total_mask(
    mask: Array, response: Array, dead: Array, blocks: tuple[MaskBlock, ...], limits: MaskLimits | None = None
) -> TotalMask:
    """Return bits for all that is not used.

    Parameters
    ----------
    mask : ndarray of uint32, shape (nfiber, ncol), ReductionBit
    response : ndarray, shape (nfiber, ncol)
        Of the fibers over that of a mean one; 0 where it is not known.
    dead : ndarray of bool, shape (nfiber,)
        That are known to carry no light.
    blocks : tuple of MaskBlock
        Amplifiers.
    limits : MaskLimits, optional
    """
    limits = limits or MaskLimits()
    out = np.array(mask, np.uint32)
    bit = {one: np.uint32(int(one)) for one in ReductionBit}
    chi2 = (out & bit[ReductionBit.CHI2]) != 0
    if chi2.any() and limits.chi2_grow > 0:
        out[binary_dilation(chi2, np.ones((1, 2 * limits.chi2_grow + 1), bool))] |= bit[ReductionBit.CHI2]
    known = np.isfinite(response) & (response > 0)
    out[~known] |= bit[ReductionBit.NORMALIZATION]
    level = known_medians(response, known, 0.0)
    gone = np.asarray(dead, bool) | (level < limits.dead)
    low = ~gone & (level < limits.low)
    out[gone] |= bit[ReductionBit.DEAD_FIBER]
    out[low] |= bit[ReductionBit.LOW_FIBER] | bit[ReductionBit.FIBER]
    reasons = []
    for block in blocks:
        part = slice(block.first, block.last)
        _bleed(out[part], limits.bleed)
        reason = block.problem or _lost(out[part], ~(gone | low)[part], limits)
        if not reason and block.noise > limits.noise:
            reason = f"read noise {block.noise:.1f} e is above {limits.noise:g} e"
        if reason:
            out[part] |= bit[ReductionBit.AMPLIFIER]
        reasons.append(reason)
    return TotalMask(out, tuple(reasons))


def _bleed(mask: Array, reach: int) -> None:
    """Call saturated what lies beside a saturated fiber, in place."""
    bit = np.uint32(int(ReductionBit.SATURATED))
    full = (mask & bit) != 0
    if full.any() and reach > 0:
        mask[binary_dilation(full, np.ones((2 * reach + 1, 1), bool))] |= bit


def _lost(mask: Array, alive: Array, limits: MaskLimits) -> str:
    """Take out fibers and columns of which too much is lost, in place; why the amplifier is not to be used."""
    bad = (mask & int(UNUSABLE)) != 0
    if not alive.any():
        return "no fiber carries light"
    mask[bad.mean(axis=1) > limits.fiber] |= np.uint32(int(ReductionBit.FIBER))
    mask[:, bad[alive].mean(axis=0) > limits.column] |= np.uint32(int(ReductionBit.COLUMN))
    share = float(((mask[alive] & int(UNUSABLE)) != 0).mean())
    return f"{100 * share:.0f} % of its samples are lost" if share > limits.amplifier else ""

"""A pattern over wavelength that all fibers of one amplifier share, and those of its neighbor do not.

Levels of detector rows are curved stripes; these are straight: as if the read-out had followed the wavelengths, or part
of the products had been made with another sky. Between the lines of the sky nothing else does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array

CLIP = 5.0  # sigma that a pixel can count
FIBERS, PIXELS = 40, 200  # that tell a mean, and a pattern
SMOOTH = 41  # px whose median is taken off: what is wider is asked for as a drift
LIMIT = 4.0  # mean chi2 of the difference between neighbors; healthy ones show 0.9 to 1.3
ALONE = 3.0  # times the power of its neighbor's


@dataclass(frozen=True, slots=True, eq=False)
class SharedPattern:
    """What the fibers of some amplifiers share.

    Parameters
    ----------
    names : tuple of str
        The amplifier that has it, or two of which one has it: a sky model makes the reverse of it in the other one.
    level : ndarray, shape (nwave,)
        Of the first over the other one, in units of the noise; 0 where unknown.
    excess, rms : float
        Mean chi2 of that, and how strong it is, in units of the noise.
    """

    names: tuple[str, ...]
    level: Array
    excess: float
    rms: float


def pattern(z: Array, good: Array, free: Array, pair: Mapping[str, Array]) -> SharedPattern | None:
    """Compare two amplifiers that read the same rows; None if they share all.

    Parameters
    ----------
    z : ndarray, shape (nfiber, nwave)
        Residual in units of its noise, 0 where unknown.
    good : ndarray of bool, shape (nfiber, nwave)
    free : ndarray of bool, shape (nwave,)
        Wavelengths without lines of the sky.
    pair : mapping of str to ndarray of bool, shape (nfiber, nwave)
        Pixels that each of the two reads.
    """
    kept = np.clip(z, -CLIP, CLIP)
    count = {name: np.count_nonzero(area & good, axis=0) for name, area in pair.items()}
    known = np.logical_and.reduce([n >= FIBERS for n in count.values()])
    use = np.flatnonzero(known & free)
    if use.size < PIXELS:
        return None
    mean = {
        name: np.where(known, np.einsum("fk,fk->k", kept, area & good) / np.maximum(count[name], 1), 0.0)
        for name, area in pair.items()
    }  # fmt: skip
    narrow = {name: _narrow(values[use]) for name, values in mean.items()}
    one, two = narrow
    noise = sum(1.0 / count[name][use] for name in narrow)
    excess = float(np.mean((narrow[one] - narrow[two]) ** 2 / noise))
    if excess < LIMIT:
        return None
    power = {name: float(np.mean(values**2 - 1 / count[name][use])) for name, values in narrow.items()}
    strong, weak = sorted(power, key=lambda name: -power[name])
    names = (strong,) if power[strong] > ALONE * max(power[weak], 0.0) else (one, two)
    other = two if names[0] == one else one
    rms = float(np.sqrt(np.mean((narrow[one] - narrow[two]) ** 2 - noise)))
    return SharedPattern(names, mean[names[0]] - mean[other], excess, rms)


def _narrow(values: Array) -> Array:
    """The values without what is smooth."""
    padded = np.pad(values, SMOOTH // 2, mode="reflect")
    return values - median(np.lib.stride_tricks.sliding_window_view(padded, SMOOTH), 1)

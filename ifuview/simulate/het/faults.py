"""What can be wrong with one exposure: its light, and how it was read out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from ifuview.model.checks import Array
from ifuview.simulate.het.ccd import ReadPixels


@dataclass(frozen=True, slots=True, eq=False)
class ShotFaults:
    """Faults of an exposure; fibers are counted through the detector, from 0.

    Parameters
    ----------
    level : float
        Times the usual light.
    dead : tuple of int
        Fibers without light.
    swapped : tuple of (int, int)
        Fibers that have each other's light.
    uneven : float
        Scatter of the fibers' light against other exposures.
    more : mapping of int to float
        Light of fibers against what it ought to be.
    seed : int
        Of `uneven`.
    noise : mapping of str to float
        Amplifiers, "056LL", with so many times the read noise that their headers say.
    stuck : mapping of str to int
        Bit of the converter that is always set.
    """

    level: float = 1.0
    dead: tuple[int, ...] = ()
    swapped: tuple[tuple[int, int], ...] = ()
    uneven: float = 0.0
    more: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    seed: int = 9
    noise: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    stuck: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def on_light(self, electrons: Array) -> Array:
        """The electrons of all fibers, shape (nfiber, ncol), with these faults."""
        nfiber = electrons.shape[0]
        order, factor = np.arange(nfiber), np.full(nfiber, float(self.level))
        for one, other in self.swapped:
            order[[one, other]] = order[[other, one]]
        if self.uneven:
            factor *= np.clip(1 + self.uneven * np.random.default_rng(self.seed).standard_normal(nfiber), 0.2, None)
        for fiber, times in self.more.items():
            factor[fiber] *= times
        factor[list(self.dead)] = 0.0
        return np.asarray(electrons[order] * factor[:, None])

    def on_read(self, read: ReadPixels, tag: str) -> ReadPixels:
        """An amplifier as its broken converter gives it."""
        if tag not in self.stuck:
            return read
        bit = np.uint16(1 << self.stuck[tag])
        return replace(read, numbers=read.numbers | bit, overscan=read.overscan | bit)


NO_FAULTS = ShotFaults()

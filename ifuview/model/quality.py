"""Mask bits by name, for the pixels, fibers and spectra of any instrument.

The names of an instrument's own bits come from its TOML file; the bits that
ifuview itself sets are below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class MaskBits:
    """Bit number to (name, meaning)."""

    bits: Mapping[int, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    def names(self, value: int) -> tuple[str, ...]:
        """Names of the bits set in `value`, lowest first; unnamed bits read "bit N"."""
        value = int(value) & 0xFFFFFFFFFFFFFFFF
        return tuple(self.bits.get(b, (f"bit {b}", ""))[0] for b in range(value.bit_length()) if value >> b & 1)


class TraceBit(IntFlag):
    """Status bits of a fiber's trace."""

    DEAD = 1  # no light where the fiber should be
    LOST = 2  # the trace could not be followed to both edges
    NOT_FITTED = 4  # too few good columns for a fit
    EXTRAPOLATED = 8  # part of the trace lies outside the measured columns

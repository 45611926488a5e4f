"""Pixels as they lie in the file, converted only where they are looked at.

A 1.3 GB cube or a 9k integer image is memory-mapped; the physical value
`zero + scale * raw` is made for the gathered pixels alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ifuview.model.checks import Array, brief, readonly, sizes

Floats = NDArray[np.floating[Any]]  # float32, or float64 of pixels that need it
SINGLE = np.finfo(np.float32)
LARGEST = float(SINGLE.max)
SMALLEST = 1e3 * float(SINGLE.tiny)  # numbers below it lose digits when they are added or squared
GREYS = 256  # steps of single precision that the values must spread over, or they are all one grey
SAMPLED = 64  # places along each axis that tell which precision is needed
HALF = 1 << 63  # BZERO of unsigned 64-bit integers (FITS standard 4.0, 5.2.5), too fine for double precision


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """An n-dimensional image with its linear scaling, NaN where blank.

    Parameters
    ----------
    raw : ndarray, shape (..., ny, nx)
        Stored numbers: any integer or float type, any byte order, possibly a memory map.
        One-dimensional input is taken as one row.
    scale, zero : float
        FITS BSCALE and BZERO: value = zero + scale * raw.
    blank : int or None
        Stored integer that means "no value" (FITS BLANK).
    power : int
        Of inverse variances that are stored as something else: value = (zero + scale * raw) ** power; -1 for
        variances, -2 for sigmas. The value is 0 where that number is not above 0.
    double : bool or None
        Whether values are given in double precision, because single cannot hold them (1e39) or tell them apart
        (1e9 and a little). None: found out from some of them.
    """

    raw: Array
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None
    power: int = 1
    double: bool | None = None

    def __post_init__(self) -> None:
        raw = np.asarray(self.raw)
        if raw.dtype.kind == "i" and raw.dtype.itemsize == 8 and (self.scale, self.zero) == (1.0, HALF):
            raw = unsigned(raw)
            object.__setattr__(self, "zero", 0.0)
            object.__setattr__(self, "blank", None if self.blank is None else self.blank + HALF)
        object.__setattr__(self, "raw", readonly(raw[None, :] if raw.ndim == 1 else raw, "image"))
        if self.double is None:
            object.__setattr__(self, "double", self._needs_double())

    def __repr__(self) -> str:
        return brief(self, sizes(self.shape), self.raw.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the stored array, (..., ny, nx)."""
        return self.raw.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.raw.ndim

    def plane(self, index: tuple[int, ...]) -> Pixels:
        """Return the 2-D plane at `index` of the leading axes (missing indices are 0)."""
        lead = self.raw.ndim - 2
        full = (tuple(index) + (0,) * lead)[:lead]
        return replace(self, raw=self.raw[full]) if lead else self

    def reshaped(self, shape: tuple[int, ...]) -> Pixels:
        """The same numbers in another shape."""
        return replace(self, raw=self.raw.reshape(shape))

    def physical(self, raw: ArrayLike) -> Floats:
        """Convert stored numbers to native values, float32 or (`double`) float64; blank becomes NaN."""
        raw = np.asarray(raw)
        if self.double:
            return self._in_double(raw)
        if raw.dtype.kind == "f":
            out = raw.astype(np.float32)
        else:  # float64 keeps 32-bit integers exact until the scaling is done
            wide = np.float64 if raw.dtype.itemsize > 2 else np.float32
            out = raw.astype(wide)
        if self.scale != 1.0:
            out *= self.scale
        if self.zero != 0.0:
            out += self.zero
        out = out.astype(np.float32, copy=False)
        if self.blank is not None:
            out = np.where(raw == self.blank, np.float32(np.nan), out)
        return out if self.power == 1 else self._raised(out)

    def _in_double(self, raw: Array) -> NDArray[np.float64]:
        """Values in double precision."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            out = raw.astype(np.float64) * self.scale + self.zero
            if self.power != 1:
                known = (out > 0) & np.isfinite(out)
                out = np.where(known, np.where(known, out, 1.0) ** self.power, 0.0)
        return out if self.blank is None else np.where(raw == self.blank, np.nan, out)

    def _needs_double(self) -> bool:
        """Whether single precision is too little, from a sample; stored single precision has no more to give."""
        kind, size = self.raw.dtype.kind, self.raw.dtype.itemsize
        as_stored = (self.scale, self.zero, self.power) == (1.0, 0.0, 1) and size <= (4 if kind == "f" else 2)
        if as_stored or kind not in "iuf" or not self.raw.size:
            return False
        lead, (ny, nx) = self.raw.shape[:-2], self.raw.shape[-2:]
        plane = self.raw[tuple(n // 2 for n in lead)]
        values = self._in_double(plane[:: -(-ny // SAMPLED), :: -(-nx // SAMPLED)])
        values = values[np.isfinite(values) & (values != 0)]
        if not values.size:
            return False
        low, level, high = (float(v) for v in np.percentile(values, (1, 50, 99)))
        if float(np.abs(values).max()) > LARGEST or float(np.median(np.abs(values))) < SMALLEST:
            return True
        return 0 < high - low < GREYS * float(SINGLE.eps) * abs(level)

    def _raised(self, values: Floats) -> Floats:
        """Values to the power, 0 where they say nothing."""
        known = values > 0
        with np.errstate(over="ignore", under="ignore"):
            out = np.where(known, values, 1.0).astype(np.float64) ** self.power
            return np.where(known & np.isfinite(values), np.minimum(out, LARGEST), 0.0).astype(np.float32)

    def take(self, iy: Array, ix: Array) -> Floats:
        """Gather rows `iy` and columns `ix` (outer product) of a 2-D image, shape (len(iy), len(ix))."""
        return self.physical(self.raw[iy].take(ix, axis=1))

    def rows(self, start: int, stop: int) -> Floats:
        """Values of rows start..stop-1 of a 2-D image."""
        return self.physical(self.raw[start:stop])

    def value(self, *index: int) -> float:
        """One value in double precision, NaN where blank."""
        raw = self.raw[index]
        if self.blank is not None and raw == self.blank:
            return float("nan")
        value = float(raw) * self.scale + self.zero
        if self.power == 1:
            return value
        return value**self.power if 0 < value < float("inf") else 0.0

    def integer(self, *index: int) -> int:
        """One stored value as an integer (for masks)."""
        return int(self.raw[index] * self.scale + self.zero) if self.zero or self.scale != 1 else int(self.raw[index])

    def bits(self) -> Pixels:
        """The same as plain mask bits: unsigned numbers that need no scaling (such masks carry a BZERO in FITS)."""
        if self.scale == 1.0 and self.zero == 0.0 and self.raw.dtype.kind in "iu":
            unsigned = self.raw.dtype.str.replace("i", "u")  # the highest bit is no sign
            return self if self.raw.dtype.kind == "u" else replace(self, raw=self.raw.view(unsigned), blank=None)
        values = np.nan_to_num(self.raw.astype(np.float64) * self.scale + self.zero).astype(np.int64)
        return Pixels(values.astype(np.uint32 if np.all(values >> 32 == 0) else np.uint64))

    def native(self) -> Floats:
        """All values as a C-contiguous native array."""
        return np.ascontiguousarray(self.physical(self.raw))


def unsigned(stored: Array) -> NDArray[np.uint64]:
    """64-bit integers that are stored `HALF` below their values."""
    return stored.astype(np.uint64) ^ np.uint64(HALF)

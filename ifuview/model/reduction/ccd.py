"""What a detector gave: electrons with their variance and mask, and what its read-out said of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag

import numpy as np

from ifuview.model.checks import Array, readonly, same_shape


class ReductionBit(IntFlag):
    """Why a pixel or a sample is not used, or how far it is to be trusted; one list for images and spectra."""

    BAD = 1 << 0  # called bad by the pixel mask of the detector
    HOT = 1 << 1  # its dark current lies far above that of others
    LOW_QE = 1 << 2  # its response lies far below that of its neighbors
    TRAP = 1 << 3  # charge is held back while the column is read
    SATURATED = 1 << 4  # at the end of the converter's range, or spilled from such a pixel
    COSMIC = 1 << 5  # hit by a particle
    NO_DATA = 1 << 6  # nothing was read, or no number
    EDGE = 1 << 7  # outside the detector or the common grid
    DEAD_FIBER = 1 << 8  # the fiber carries no light
    LOW_FIBER = 1 << 9  # the fiber carries much less light than others
    CHI2 = 1 << 10  # the profile does not describe the light
    NORMALIZATION = 1 << 11  # the correction of the fiber's response is beyond its limit
    AMPLIFIER = 1 << 12  # the amplifier as a whole is not to be used
    COLUMN = 1 << 13  # too many fibers are lost in this column
    FIBER = 1 << 14  # too many samples are lost in this fiber
    SKY_LINE = 1 << 15  # below a bright sky line
    TELLURIC = 1 << 16  # below strong absorption of the atmosphere
    EXTRAPOLATED = 1 << 17  # made from calibrations beyond where they were measured
    TRAIL = 1 << 18  # below the trail of a satellite


UNUSABLE = (
    ReductionBit.BAD | ReductionBit.HOT | ReductionBit.TRAP | ReductionBit.SATURATED | ReductionBit.COSMIC
    | ReductionBit.NO_DATA | ReductionBit.EDGE | ReductionBit.DEAD_FIBER | ReductionBit.CHI2
    | ReductionBit.NORMALIZATION | ReductionBit.AMPLIFIER | ReductionBit.COLUMN | ReductionBit.FIBER
    | ReductionBit.TRAIL
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CcdFrame:
    """Electrons of one amplifier or of a whole detector, blue on the left, fibers from bottom to top.

    Parameters
    ----------
    data : ndarray of float32, shape (ny, nx), electrons
    variance : ndarray of float32, shape (ny, nx), electrons squared
        Of photons and read-out; positive also where a pixel is masked.
    mask : ndarray of uint32, shape (ny, nx), ReductionBit
    """

    data: Array
    variance: Array
    mask: Array

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "data", readonly(self.data, "electrons", ndim=2, dtype=np.float32))
        for name, kind in (("variance", np.float32), ("mask", np.uint32)):
            same_shape(name, getattr(self, name), self.data.shape)
            put(self, name, readonly(getattr(self, name), name, dtype=kind))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.data.shape[0], self.data.shape[1]

    def usable(self) -> Array:
        """Pixels that no bit of UNUSABLE takes out, bool of shape (ny, nx)."""
        return (self.mask & int(UNUSABLE)) == 0


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What the overscan and the header say of one amplifier's read-out.

    Parameters
    ----------
    amplifier : str
        Its name, as in the file name.
    level, level_error : float, ADU
        Of the overscan, and the error of that.
    noise, noise_error : float, electrons
        Of a single pixel, measured; NaN where it could not be.
    gain : float, electrons per ADU
    saturated : float
        Share of the pixels at the end of the range.
    zero : float
        Share of the pixels that are exactly zero ADU.
    notes : tuple of str
        What was taken from a default, and what is unusual.
    stuck : tuple of int
        Bits of the converter that are the same in all pixels although others of more weight change.
    problem : str
        Why the amplifier is not to be used, "" if it is.
    """

    amplifier: str
    level: float
    level_error: float
    noise: float
    noise_error: float
    gain: float
    saturated: float = 0.0
    zero: float = 0.0
    notes: tuple[str, ...] = field(default=())
    stuck: tuple[int, ...] = ()
    problem: str = ""

"""What a file of calibrations holds of one amplifier: where its fibers lie, their wavelengths, master frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from ifuview.model.checks import Array, readonly, same_shape


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class AmplifierCalibration:
    """Calibrations of one amplifier.

    Parameters
    ----------
    amplifier : str
        LL, LU, RL or RU.
    slot, specid, ifuid, contid : str
        Slot of the focal plane, spectrograph, fiber head and controller; "" where the file does not say it.
    trace : ndarray of float32, shape (nfiber, ncol), px
        Row of each fiber in the oriented amplifier.
    wave : ndarray of float64, shape (nfiber, ncol), Angstrom
    positions : ndarray of float64, shape (nfiber, 2), arcsec
        Of the fibers in their head; NaN where the file does not say it.
    read_noise : float, electrons
        NaN: not said.
    bad : ndarray of bool, shape (nrow, ncol)
        Pixels that are not to be used.
    images : mapping of str to ndarray of float32, shape (nrow, ncol), electrons
        Oriented: masterdark, masterflt, mastertwi, mastercmp, mastersci, masterbias; those that there are.
    spectra : mapping of str to ndarray of float32, shape (nfiber, ncol)
        lampspec, scispec, maskspec; those that there are.
    source : str
        Where it was read.
    """

    amplifier: str
    slot: str
    specid: str
    ifuid: str
    contid: str
    trace: Array
    wave: Array
    positions: Array
    read_noise: float
    bad: Array
    images: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    spectra: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "trace", readonly(self.trace, "trace", ndim=2, dtype=np.float32))
        put(self, "wave", readonly(self.wave, "wavelength", ndim=2, dtype=np.float64))
        put(self, "bad", readonly(self.bad, "pixel mask", ndim=2, dtype=np.bool_))
        put(self, "positions", readonly(self.positions, "fiber positions", ndim=2, dtype=np.float64))
        same_shape("wavelength", self.wave, self.trace.shape)
        same_shape("fiber positions", self.positions, (self.trace.shape[0], 2))
        for name, image in self.images.items():
            same_shape(name, image, self.bad.shape)
        for name, one in self.spectra.items():
            same_shape(name, one, self.trace.shape)

    @property
    def unit(self) -> tuple[str, str, str]:
        """Spectrograph, slot and fiber head."""
        return self.specid, self.slot, self.ifuid

    @property
    def text(self) -> str:
        """As people name it: spectrograph, slot, fiber head and amplifier."""
        return "_".join((*self.unit, self.amplifier))

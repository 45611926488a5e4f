"""A whole observation: calibrated spectra of many fiber heads in several exposures.

Heads are held one by one, so that an observation of many can be streamed; what all share is one small `ShotSolution`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.model.checks import Array, readonly, same_shape
from ifuview.model.reduction.solution import CatalogSpectrum
from ifuview.model.reduction.source import SkyCube
from ifuview.model.reduction.spectra import FiberSpectra

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class AmplifierState:
    """What an amplifier of one exposure is worth.

    Parameters
    ----------
    name : str
    first, last : int
        Its fibers are first:last of the head's.
    noise : float, electrons
        Of the read-out; NaN unknown.
    factor : float
        By which its errors were multiplied, so that what is left without sky agrees with them; NaN: not measured.
    masked : float
        Share of its samples that cannot be used.
    reason : str
        Why none of it is used, "" if it is.
    """

    name: str
    first: int
    last: int
    noise: float = NAN
    factor: float = NAN
    masked: float = NAN
    reason: str = ""

    @property
    def fibers(self) -> slice:
        """Its rows in the arrays of the head."""
        return slice(self.first, self.last)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class IfuField:
    """One exposure of one fiber head on the common grid, without sky.

    Parameters
    ----------
    number : int
        Of the exposure.
    spectra : FiberSpectra, nfiber x nwave
        Sky-subtracted, errors renormalized, bits of all that is not used.
    sky : ndarray of float32, shape (nfiber, nwave)
        That was taken off, in the unit of `spectra`.
    response : ndarray of float32, shape (nfiber, nwave)
        Fiber to fiber, that all was divided by.
    residual : ndarray of float32, shape (nfiber, ncol)
        Without sky in the fibers' own pixels, in the unit of `spectra`.
    x, y : ndarray of float64, shape (nfiber,), arcsec
        In the frame of the head, dither included.
    ra, dec : ndarray of float64, shape (nfiber,), deg
        NaN as long as nothing is known of the sky.
    sky_fibers : ndarray of bool, shape (nfiber,)
        That the sky was made from.
    amplifiers : tuple of AmplifierState
    notes : tuple of str
    native : FiberSpectra or None
        As `residual`, with variance, mask and wavelengths: detections are looked for there, where the noise of samples
        is independent. None: they are looked for on the common grid.
    """

    number: int
    spectra: FiberSpectra
    sky: Array
    response: Array
    residual: Array
    x: Array
    y: Array
    ra: Array
    dec: Array
    sky_fibers: Array
    amplifiers: tuple[AmplifierState, ...]
    notes: tuple[str, ...] = ()
    native: FiberSpectra | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("sky", "response"):
            same_shape(name, getattr(self, name), self.spectra.flux.shape)
        for name in ("sky", "response", "residual"):
            put(self, name, readonly(getattr(self, name), name, ndim=2, dtype=np.float32))
        for name in ("x", "y", "ra", "dec", "sky_fibers"):
            same_shape(name, getattr(self, name), (self.spectra.nfiber,))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class IfuSpectra:
    """All exposures of one fiber head.

    Parameters
    ----------
    slot, specid, ifuid, contid : str
        Slot of the focal plane, spectrograph, fiber head and controller.
    focal : (float, float), arcsec
        Of the slot, as in the table of the focal plane; NaN unknown.
    fields : tuple of IfuField
        By exposure, at least one; all on one grid.
    dead : ndarray of bool, shape (nfiber,)
    size : float, arcsec
        Diameter of a fiber.
    """

    slot: str
    specid: str
    ifuid: str
    contid: str
    focal: tuple[float, float]
    fields: tuple[IfuField, ...]
    dead: Array
    size: float = 1.5

    @property
    def wave(self) -> Array:
        """The grid, (nwave,), Angstrom."""
        return self.fields[0].spectra.wave

    @property
    def nfiber(self) -> int:
        """Fibers of the head."""
        return self.fields[0].spectra.nfiber

    @property
    def x(self) -> Array:
        """In the frame of the head with dithers, exposure after exposure, (nexp * nfiber,)."""
        return np.concatenate([one.x for one in self.fields])

    @property
    def y(self) -> Array:
        """As `x`."""
        return np.concatenate([one.y for one in self.fields])

    @property
    def sky(self) -> Array:
        """That was taken off, exposure after exposure, (nexp * nfiber, nwave)."""
        return np.concatenate([one.sky for one in self.fields])

    def joined(self) -> FiberSpectra:
        """The fibers of all exposures as one field, exposure after exposure."""
        first = self.fields[0].spectra
        return FiberSpectra(
            np.concatenate([one.spectra.flux for one in self.fields]),
            np.concatenate([one.spectra.variance for one in self.fields]),
            np.concatenate([one.spectra.mask for one in self.fields]),
            first.wave,
            first.unit,
            first.medium,
        )


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ReducedIfu:
    """One fiber head of an observation, calibrated.

    Parameters
    ----------
    spectra : IfuSpectra
        1e-17 erg/s/cm2/Angstrom, above the atmosphere as the catalog has it.
    stars : tuple of CatalogSpectrum
    cube : SkyCube or None
        Sum over spaxels is the flux.
    simulated : SkyCube or None
        Likewise with a source put in.
    """

    spectra: IfuSpectra
    stars: tuple[CatalogSpectrum, ...] = ()
    cube: SkyCube | None = None
    simulated: SkyCube | None = None

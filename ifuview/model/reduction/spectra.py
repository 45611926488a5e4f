"""Spectra of fibers with their errors, the wavelengths they lie on, and the lines those were measured from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.model.checks import Array, readonly, same_shape
from ifuview.model.reduction.ccd import UNUSABLE

WHOLE_COLUMN = 0.5  # px, how well whole columns of a list are known at best


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FiberSpectra:
    """Spectra of all fibers of a detector, in the order of its traces.

    Parameters
    ----------
    flux : ndarray of float32, shape (nfiber, nwave), `unit`
    variance : ndarray of float32, shape (nfiber, nwave), `unit` squared
    mask : ndarray of uint32, shape (nfiber, nwave), ReductionBit
    wave : ndarray of float64, shape (nfiber, nwave) or (nwave,), Angstrom
        Of each fiber's own pixels, or of the grid that all share.
    unit : str
        "electron" is the sum over the fiber's profile in one pixel of the dispersion.
    medium : str
        "air" or "vacuum": where `wave` is measured.
    chi2 : ndarray of float32, shape (nfiber, nwave), optional
        Of the profile's fit, for each degree of freedom. None: not fitted.
    """

    flux: Array
    variance: Array
    mask: Array
    wave: Array
    unit: str = "electron"
    medium: str = "air"
    chi2: Array | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "flux", readonly(self.flux, "flux", ndim=2, dtype=np.float32))
        put(self, "wave", readonly(self.wave, "wavelength", dtype=np.float64))
        same_shape("wavelength", self.wave, self.flux.shape[-self.wave.ndim :])
        for name, kind in (("variance", np.float32), ("mask", np.uint32), ("chi2", np.float32)):
            if getattr(self, name) is not None:
                same_shape(name, getattr(self, name), self.flux.shape)
                put(self, name, readonly(getattr(self, name), name, dtype=kind))

    @property
    def nfiber(self) -> int:
        """Number of fibers."""
        return int(self.flux.shape[0])

    def usable(self) -> Array:
        """Samples that no bit of UNUSABLE takes out, bool of shape (nfiber, nwave)."""
        return (self.mask & int(UNUSABLE)) == 0

    def some(self, fibers: Array | slice) -> FiberSpectra:
        """Those of some fibers, by number, mask or slice."""
        wave = self.wave if self.wave.ndim == 1 else self.wave[fibers]
        chi2 = None if self.chi2 is None else self.chi2[fibers]
        return FiberSpectra(
            self.flux[fibers], self.variance[fibers], self.mask[fibers], wave, self.unit, self.medium, chi2
        )


@dataclass(frozen=True, slots=True, eq=False)
class ArcLines:
    """Lines that a lamp may show, by increasing wavelength.

    Parameters
    ----------
    wave : ndarray, shape (nline,), Angstrom
    column : ndarray, shape (nline,), px
        Roughly where each is expected; NaN: not said.
    intensity : ndarray, shape (nline,)
        Relative to other lines of the same element; NaN: not said.
    element : tuple of str
    medium : str
    column_error : float, px
        How well the columns are known but for a shift and a stretch of all.
    """

    wave: Array
    column: Array
    intensity: Array
    element: tuple[str, ...]
    medium: str = "air"
    column_error: float = WHOLE_COLUMN


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class WaveSolution:
    """Wavelength of each pixel of each fiber, how well it is known, and what it rests on.

    Parameters
    ----------
    wave : ndarray of float64, shape (nfiber, ncol), Angstrom
    error : ndarray of float32, shape (nfiber, ncol), Angstrom
        Formal error of the solution.
    line : ndarray of float64, shape (nline,), Angstrom
        Lines of the list that were looked for.
    center, center_error : ndarray of float64, shape (nfiber, nline), px
        Where each was found; NaN where it was not.
    used : ndarray of bool, shape (nfiber, nline)
        What the solution rests on.
    lsf : ndarray of float32, shape (nfiber, ncol), px
        Gaussian sigma of an unresolved line; NaN where not known.
    medium : str
    chi2 : float
        Of the used lines, for each degree of freedom.
    notes : tuple of str
    """

    wave: Array
    error: Array
    line: Array
    center: Array
    center_error: Array
    used: Array
    lsf: Array
    medium: str = "air"
    chi2: float = float("nan")
    notes: tuple[str, ...] = ()

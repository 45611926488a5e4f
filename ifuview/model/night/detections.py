"""Sources that were found blindly in an observation as columns, and what a person says of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ifuview.model.checks import Array, same_shape


class Judgment(StrEnum):
    """What a person says of a detection."""

    REAL = "real"
    FALSE = "false"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, eq=False)
class DetectionTable:
    """Detections as columns of shape (n,).

    Parameters
    ----------
    slot, kind : ndarray of str
        Fiber head; line or continuum.
    x, y : ndarray, arcsec
        In the frame of the head.
    ra, dec : ndarray, deg
    wave : ndarray, Angstrom
        NaN of a continuum.
    flux : ndarray, 1e-17 erg/s/cm2
        Of a line; of a continuum for each Angstrom.
    sn, chi2 : ndarray
    fwhm : ndarray, Angstrom
    doubts : ndarray of int
        Bits of `model.reduction.detection.Doubt`.
    """

    slot: Array
    kind: Array
    x: Array
    y: Array
    ra: Array
    dec: Array
    wave: Array
    flux: Array
    sn: Array
    chi2: Array
    fwhm: Array
    doubts: Array

    def __post_init__(self) -> None:
        for name in ("kind", "x", "y", "ra", "dec", "wave", "flux", "sn", "chi2", "fwhm", "doubts"):
            same_shape(name, np.asarray(getattr(self, name)), self.slot.shape)

    def __len__(self) -> int:
        return int(self.slot.size)


@dataclass(frozen=True, slots=True, eq=False)
class PlaceFibers:
    """Spectra of the fibers around a place of a head, in all exposures.

    Parameters
    ----------
    wave : ndarray, shape (nwave,), Angstrom
    flux, error : ndarray, shape (n, nwave)
        NaN where masked.
    x, y : ndarray, shape (n,), arcsec
    exposure : ndarray of int, shape (n,)
    amplifier : ndarray of str, shape (n,)
    row : ndarray of int, shape (n,)
        Of each among the fibers of its head.
    """

    wave: Array
    flux: Array
    error: Array
    x: Array
    y: Array
    exposure: Array
    amplifier: Array
    row: Array


@dataclass(frozen=True, slots=True, eq=False)
class DetectionSpectrum:
    """What was found at one place, all light of a point source there: shape (nwave,) each; error 0 where unknown."""

    wave: Array
    flux: Array
    error: Array
    model: Array

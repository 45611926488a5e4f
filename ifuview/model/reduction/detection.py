"""Sources found blindly in a field: lines and continua, with what speaks against each; and how many would be found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag

import numpy as np

from ifuview.model.checks import Array, same_shape
from ifuview.model.reduction.spectra import FiberSpectra

LINE, CONTINUUM = "line", "continuum"


class Doubt(IntFlag):
    """Why a detection may be false."""

    ONE_EXPOSURE = 1 << 0  # the light is in one exposure only
    ONE_FIBER = 1 << 1  # one fiber has more light than a source there could give it
    MASKED = 1 << 2  # much of what a source would light is masked
    EDGE = 1 << 3  # at the edge of the field
    AMPLIFIER = 1 << 4  # most of its light comes through an amplifier with more noise than its errors say
    SKY_LINE = 1 << 5  # where the scatter of all fibers is more than their errors say
    NEAR_STAR = 1 << 6  # the light of a brighter source was taken off there
    PROFILE = 1 << 7  # a point source with a Gaussian line does not describe the light
    NARROW = 1 << 8  # narrower than an unresolved line


NO_DOUBT = Doubt(0)
DOUBTS = {
    Doubt.ONE_EXPOSURE: "in one exposure only",
    Doubt.ONE_FIBER: "one fiber has more than a source could give it (cosmic ray?)",
    Doubt.MASKED: "much of its place is masked",
    Doubt.EDGE: "at the edge of the field",
    Doubt.AMPLIFIER: "from an amplifier with more noise than its errors say",
    Doubt.SKY_LINE: "at a wavelength where all fibers scatter more than their errors say",
    Doubt.NEAR_STAR: "on the light of a brighter source that was taken off",
    Doubt.PROFILE: "the light has another shape than a point source with one line",
    Doubt.NARROW: "narrower than an unresolved line (cosmic ray?)",
}


def doubts_text(doubts: Doubt) -> str:
    """What speaks against a detection, for people; "" if nothing does."""
    return "; ".join(text for bit, text in DOUBTS.items() if bit in doubts)


@dataclass(frozen=True, slots=True, eq=False)
class PointSpread:
    """How a point source is seen.

    Parameters
    ----------
    fwhm : tuple of float, arcsec
        Of each exposure, at `wave`; elsewhere as wave ** -0.2.
    wave : float, Angstrom
    beta : float
        Exponent of the Moffat profile.
    dar : ndarray of float64, shape (3, n)
        Wavelength, displacement in x and y (arcsec).
    """

    fwhm: tuple[float, ...]
    wave: float
    beta: float
    dar: Array


@dataclass(frozen=True, slots=True, eq=False)
class FieldFibers:
    """All fibers of one fiber head in all exposures, without sky.

    Parameters
    ----------
    spectra : FiberSpectra, nfiber x nwave
        Flux density in the fibers' own pixels, whose noise is independent.
    x, y : ndarray of float64, shape (nfiber,), arcsec
        In the frame of the head, dither included.
    exposure : ndarray of int, shape (nfiber,)
        Number of the exposure, from 0.
    group : ndarray of int, shape (nfiber,)
        Amplifier and exposure: fibers with one read-out.
    size : float, arcsec
        Diameter of a fiber.
    lsf : float, Angstrom
        Gaussian sigma of an unresolved line.
    """

    spectra: FiberSpectra
    x: Array
    y: Array
    exposure: Array
    group: Array
    size: float
    lsf: float

    def __post_init__(self) -> None:
        for name in ("x", "y", "exposure", "group"):
            same_shape(name, np.asarray(getattr(self, name)), (self.spectra.nfiber,))


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A source that was found.

    Parameters
    ----------
    kind : str
        LINE or CONTINUUM.
    x, y, x_error, y_error : float, arcsec
        In the frame of the head.
    wave, wave_error, fwhm, fwhm_error : float, Angstrom
        Of the line; NaN of a continuum.
    flux, flux_error : float
        Of the line, in the unit of the spectra times Angstrom; of a continuum its mean, in the unit of the spectra.
    sn : float
        By the scatter that the data have, without what is gained by choosing the best place.
    chi2 : float
        Of fibers and pixels against a point source with this line, for each degree of freedom.
    spectrum, error, model : ndarray of float32, shape (nwave,)
        On the common grid: all light of a point source there, 0 error where nothing is known; what was fitted.
    doubts : Doubt
    exposures : ndarray of float64, shape (nexposure, 2)
        Flux that each exposure alone gives, and its error.
    fibers : ndarray of int, shape (n,)
        Rows of the fibers that tell it, the weightiest first.
    """

    kind: str
    x: float
    y: float
    wave: float
    flux: float
    sn: float
    chi2: float
    fwhm: float
    spectrum: Array
    error: Array
    model: Array
    x_error: float = float("nan")
    y_error: float = float("nan")
    wave_error: float = float("nan")
    flux_error: float = float("nan")
    fwhm_error: float = float("nan")
    doubts: Doubt = NO_DOUBT
    exposures: Array = field(default_factory=lambda: np.zeros((0, 2)))
    fibers: Array = field(default_factory=lambda: np.zeros(0, np.intp))


@dataclass(frozen=True, slots=True, eq=False)
class FieldDetections:
    """What was found in a field.

    Parameters
    ----------
    detections : tuple of Detection
        Lines, then continua, the most significant first.
    threshold : float
        Of lines.
    group_scale : ndarray, shape (ngroup,)
        Scatter of each read-out over its errors.
    notes : tuple of str
    """

    detections: tuple[Detection, ...]
    threshold: float
    group_scale: Array
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Completeness:
    """Share of simulated lines that were found, by the signal to noise that a perfect filter would have.

    Parameters
    ----------
    low, high : ndarray of float64, shape (nbin,)
        Signal to noise of each bin.
    planted, found : ndarray of int, shape (nbin,)
    ideal : ndarray of float64, shape (nbin,)
        Share that a matched filter with the true noise finds above the same threshold.
    threshold : float
    lines : ndarray of float64, shape (nline, 8)
        x, y (arcsec), wavelength (Angstrom), flux put in, signal to noise, found (1 or 0), flux and wavelength found.
    """

    low: Array
    high: Array
    planted: Array
    found: Array
    ideal: Array
    threshold: float
    lines: Array

    @property
    def share(self) -> Array:
        """Of each bin; NaN where nothing was planted."""
        return np.where(self.planted > 0, self.found / np.maximum(self.planted, 1), np.nan)

"""What all heads of an observation share: pointing, point spread, refraction, illumination, and their stars."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ifuview.model.checks import Array, same_shape
from ifuview.model.reduction.source import SourceSpectrum

NAN = float("nan")
BANDS = ("g", "r", "i", "z", "y")


@dataclass(frozen=True, slots=True, eq=False)
class StarCatalog:
    """Stars and galaxies that are known around a pointing.

    Parameters
    ----------
    ra, dec : ndarray of float64, shape (nstar,), deg
    magnitude : ndarray of float64, shape (nstar, 5), AB
        In g, r, i, z, y; NaN: not known.
    source : str
        Where it was read from.
    """

    ra: Array
    dec: Array
    magnitude: Array
    source: str = ""

    def __post_init__(self) -> None:
        same_shape("declination", self.dec, self.ra.shape)
        same_shape("magnitudes", self.magnitude, (self.ra.size, len(BANDS)))

    @property
    def g(self) -> Array:
        """Magnitudes in g."""
        return self.magnitude[:, 0]


@dataclass(frozen=True, slots=True)
class Pointing:
    """Where the focal plane lies on the sky.

    Parameters
    ----------
    ra, dec : float, deg
        Of its center.
    turn : float, deg
        Rotation of the PC matrix [[cos, sin], [-sin, cos]] with CDELT (-1", 1").
    ra_offset, dec_offset : float, arcsec
        Against the header, along the sky.
    turn_offset : float, deg
    nstars : int
        It rests on.
    ra_scatter, dec_scatter : float, arcsec
        Of these, in one coordinate; NaN: too few.
    measured : bool
        Against a catalog; else from the header alone.
    """

    ra: float
    dec: float
    turn: float
    ra_offset: float = 0.0
    dec_offset: float = 0.0
    turn_offset: float = 0.0
    nstars: int = 0
    ra_scatter: float = NAN
    dec_scatter: float = NAN
    measured: bool = False

    @property
    def known(self) -> bool:
        """Whether it is a place on the sky."""
        return math.isfinite(self.ra + self.dec + self.turn)


@dataclass(frozen=True, slots=True, eq=False)
class ShotOptics:
    """Point spread and refraction, the same for all heads.

    Parameters
    ----------
    fwhm, fwhm_error : float, arcsec
        Of a Moffat profile at `wave`; elsewhere as (wavelength / wave)^-0.2.
    beta : float
        Exponent of the profile.
    wave : float, Angstrom
        Where the width holds and nothing is displaced.
    dar : ndarray of float64, shape (3, n)
        Wavelength, displacement in x and y (arcsec, frame of a head) of a source there.
    nstars : int
        That both were measured with; 0: defaults.
    """

    fwhm: float
    fwhm_error: float
    beta: float
    wave: float
    dar: Array
    nstars: int = 0


@dataclass(frozen=True, slots=True)
class ExposureSurvey:
    """What is known of one exposure of an observation.

    Parameters
    ----------
    number : int
    exptime : float, s
    illumination, illumination_error : float
        Light of a source over the mean of all exposures, that spectra were divided by.
    x, y : float, arcsec
        Dither, frame of a head.
    area : float, cm2
        Of the mirror that is lit.
    transparency : float
        As the guider has it; 1: not known.
    zero_point : float
        Factor that the spectra of all exposures were multiplied with to agree with the catalog in g.
    zero_point_error : float
    nphotometric : int
        Stars that it rests on.
    """

    number: int
    exptime: float
    illumination: float = 1.0
    illumination_error: float = NAN
    x: float = 0.0
    y: float = 0.0
    area: float = NAN
    transparency: float = 1.0
    zero_point: float = 1.0
    zero_point_error: float = NAN
    nphotometric: int = 0


@dataclass(frozen=True, slots=True)
class MatchedStar:
    """A star of the catalog that was found in the fibers.

    Parameters
    ----------
    slot : str
    index : int
        In the catalog.
    x, y, error : float, arcsec
        Where it was found in the frame of the head at the wavelength of the optics.
    ra, dec : float, deg
        By the pointing, of x and y.
    snr : float
    caught : float
        Share of its light that usable fibers could have caught of what all fibers would.
    used : bool
        For the pointing.
    """

    slot: str
    index: int
    x: float
    y: float
    error: float
    ra: float
    dec: float
    snr: float
    caught: float
    used: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class CatalogSpectrum:
    """Spectrum of a source of the catalog.

    Parameters
    ----------
    index : int
        In the catalog.
    ra, dec : float, deg
    x, y : float, arcsec
        Where it was extracted, in the frame of the head at the wavelength of the optics.
    magnitude : tuple of float, AB
        g, r, i, z, y of the catalog.
    synthetic : float, AB
        g of the spectrum; NaN: too little light.
    spectrum : SourceSpectrum
        `fraction`: of its light that usable fibers caught.
    caught : float
        Share of the light that all fibers would have caught which usable ones did: below 0.7 it lies in broken
        amplifiers or off the head.
    matched : bool
        Found in the fibers where the catalog has it.
    """

    index: int
    ra: float
    dec: float
    x: float
    y: float
    magnitude: tuple[float, ...]
    synthetic: float
    spectrum: SourceSpectrum
    caught: float
    matched: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ShotSolution:
    """What all heads of an observation share.

    Parameters
    ----------
    pointing : Pointing
    optics : ShotOptics
    surveys : tuple of ExposureSurvey
        By exposure.
    stars : tuple of MatchedStar
    notes : tuple of str
        What users have to know, one sentence each.
    throughputs : tuple of (str, float)
        Slot of each head, and its response over that of the median head, which spectra were divided by.
    """

    pointing: Pointing
    optics: ShotOptics
    surveys: tuple[ExposureSurvey, ...]
    stars: tuple[MatchedStar, ...] = ()
    notes: tuple[str, ...] = ()
    throughputs: tuple[tuple[str, float], ...] = ()

    def throughput(self, slot: str) -> float:
        """Response of a head; 1 where it is not known."""
        return dict(self.throughputs).get(slot, 1.0)

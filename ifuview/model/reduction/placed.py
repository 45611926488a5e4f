"""One fiber head with all that its files hold: detections and stars with their places on the sky."""

from __future__ import annotations

from dataclasses import dataclass, field

from ifuview.model.checks import Array, Header
from ifuview.model.reduction.detection import Completeness, Detection
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.products import ReductionRecord
from ifuview.model.reduction.shot import ReducedIfu


@dataclass(frozen=True, slots=True, eq=False)
class PlacedDetection:
    """A detection with its place on the sky (deg) and on the focal plane (arcsec); NaN where that is not known."""

    detection: Detection
    ra: float
    dec: float
    focal_x: float
    focal_y: float


@dataclass(frozen=True, slots=True, eq=False)
class StarImage:
    """A star of the catalog as the fibers see it.

    Parameters
    ----------
    index : int
        In the catalog.
    focal_x, focal_y : float, arcsec
        Where it was found on the focal plane.
    catalog_x, catalog_y : float, arcsec
        Where the catalog has it.
    image : ndarray of float32, shape (nchunk, n, n)
        Light of each spaxel in chunks of wavelength.
    x, y : ndarray of float32, shape (n, n), arcsec
        Of the spaxels, from the star.
    """

    index: int
    focal_x: float
    focal_y: float
    catalog_x: float
    catalog_y: float
    image: Array
    x: Array
    y: Array


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class HeadProducts:
    """All that the files of one fiber head hold.

    Parameters
    ----------
    done : ReducedIfu
    exposures : tuple of IfuExposure
        As extracted, in the order of `done.spectra.fields`.
    header : mapping
        Cards of the first exposure.
    detections : tuple of PlacedDetection
    stars : tuple of StarImage
    completeness : Completeness or None
    seeing : float, arcsec
        FWHM of a point source at its wavelength.
    guided : float, arcsec
        FWHM by the guider; NaN: not known.
    sky_place : ndarray of float64, shape (5,), or None
        Right ascension and declination (deg) of x = y = 0, rotation (deg), and the place of that on the focal plane.
    notes : tuple of str
    """

    done: ReducedIfu
    exposures: tuple[IfuExposure, ...]
    header: Header
    detections: tuple[PlacedDetection, ...] = ()
    stars: tuple[StarImage, ...] = ()
    completeness: Completeness | None = None
    seeing: float = float("nan")
    guided: float = float("nan")
    sky_place: Array | None = None
    record: ReductionRecord = field(default_factory=ReductionRecord)
    notes: tuple[str, ...] = ()

    @property
    def slot(self) -> str:
        """Of the focal plane."""
        return self.done.spectra.slot

    @property
    def text(self) -> str:
        """As file names have it: night, observation and slot."""
        first = self.exposures[0]
        return f"{first.date:08d}_{first.observation:07d}_{int(self.slot):03d}"

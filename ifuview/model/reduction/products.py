"""Everything that the reduction of one exposure, or of a night's calibrations, gives to be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ifuview.model.checks import Array, Header
from ifuview.model.reduction.ccd import CcdFrame
from ifuview.model.reduction.source import SkyCube, SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra


@dataclass(frozen=True, slots=True)
class ProductName:
    """Which exposure and detector products are of: night as YYYYMMDD, numbers of observation and exposure."""

    night: int
    observation: int
    exposure: int
    channel: str

    @property
    def text(self) -> str:
        """As file names have it."""
        return f"{self.night:08d}_{self.observation:07d}_exp{self.exposure:02d}_{self.channel}"


@dataclass(frozen=True, slots=True, eq=False)
class ReductionRecord:
    """What products were made from and how.

    Parameters
    ----------
    parameters : mapping of str to str
        "step.name" to value, all that were used.
    inputs : mapping of str to str
        Name of each file that was read and its SHA-256.
    notes : tuple of str
        What users have to know, one sentence each.
    version : str
        Of the program.
    """

    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    inputs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class DetectorImages:
    """Pictures of the detector that belong to the spectra; shape (ny, nx) each.

    Parameters
    ----------
    image : CcdFrame
        Electrons; cosmic rays are in its mask.
    flattened : callable
        Gives it without scattered light, over the flat: made when it is written, as it is large.
    wave : callable
        Gives the wavelength of each pixel, Angstrom; 0 where no fiber is near.
    fiber : ndarray of int
        Number of the fiber whose trace is near, from 1; 0: none.
    """

    image: CcdFrame
    flattened: Callable[[], Array]
    wave: Callable[[], Array]
    fiber: Array


@dataclass(frozen=True, slots=True, eq=False)
class ReducedExposure:
    """One detector of one exposure, from observed spectra to cubes.

    Parameters
    ----------
    name : ProductName
    header : mapping
        Cards of the raw exposure.
    observed, subtracted : FiberSpectra
        On one grid of wavelengths: with sky, and without it (variance of both).
    sky : ndarray of float32, shape (nfiber, nwave)
        In the unit of `observed`.
    positions : ndarray of float64, shape (nfiber, 6)
        x, y in the IFU and on the focal plane (arcsec), right ascension and declination (deg); NaN unknown.
    spectrum : SourceSpectrum or None
        Of the first source; None: no source.
    sources : tuple of SourceFit
    response : ndarray of float64, shape (nwave,), erg/electron
        What the flux was calibrated with; NaN: not calibrated.
    dar : ndarray of float64, shape (3, n)
        Wavelength, x and y (arcsec): refraction as used.
    native : FiberSpectra
        As extracted, electrons in the fibers' own pixels.
    native_subtracted : FiberSpectra or None
        There, too, in the unit of `subtracted`.
    center : (float, float) or None, arcsec
        Of a source that fills the field.
    lsf : ndarray or None, shape (nfiber, nwave), px
        Gaussian sigma in those pixels.
    profile : ndarray or None
        Of the fibers.
    images : DetectorImages or None
    cubes : mapping of str to SkyCube
        Of "obs", "sky" and "skysub".
    collapsed : ndarray of float32, shape (ny, nx), or None
        Picture of the field.
    area : float, cm2
    transparency : float
    record : ReductionRecord
    """

    name: ProductName
    header: Header
    observed: FiberSpectra
    subtracted: FiberSpectra
    sky: Array
    positions: Array
    spectrum: SourceSpectrum | None
    sources: tuple[SourceFit, ...]
    response: Array
    dar: Array
    native: FiberSpectra
    native_subtracted: FiberSpectra | None = None
    center: tuple[float, float] | None = None
    lsf: Array | None = None
    profile: Array | None = None
    images: DetectorImages | None = None
    cubes: Mapping[str, SkyCube] = field(default_factory=lambda: MappingProxyType({}))
    collapsed: Array | None = None
    area: float = float("nan")
    transparency: float = 1.0
    record: ReductionRecord = field(default_factory=ReductionRecord)


@dataclass(frozen=True, slots=True, eq=False)
class ReducedCalibration:
    """Calibrations of one detector of a night.

    Parameters
    ----------
    night : int
        YYYYMMDD.
    channel : str
    images : mapping of str to ndarray
        masterbias, bigW, flat, bigF, masterarc, masterFlat (ny, nx).
    spectra : mapping of str to ndarray
        wavelength, trace, arcspec, fltspec, Flatspec (nfiber, nx), response (2, n), dead (nfiber, 2).
    xypos : ndarray, shape (nfiber, 2), arcsec
    record : ReductionRecord
    """

    night: int
    channel: str
    images: Mapping[str, Array]
    spectra: Mapping[str, Array]
    xypos: Array
    record: ReductionRecord = field(default_factory=ReductionRecord)

"""What is on the sky: the sky's own light, a source with its shape, its spectrum, and the cube."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.checks import Array


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class SkyModel:
    """Light of the sky in each fiber.

    Parameters
    ----------
    model, variance : ndarray of float32, shape (nfiber, nwave), in the unit of the spectra
        As each fiber sees it, at its own wavelengths.
    fibers : ndarray of bool, shape (nfiber,)
        That the model was made from.
    surface : ndarray of float32, shape (nfiber,)
        Brightness in each fiber over its mean: the gradient over the field.
    method : str
        In one line, for people.
    notes : tuple of str
    """

    model: Array
    variance: Array
    fibers: Array
    surface: Array
    method: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SourceFit:
    """A point source: where it lies, how wide it is, how sure.

    Parameters
    ----------
    x, y, x_error, y_error : float, arcsec
        In the frame of the IFU, at the reference wavelength `wave`.
    fwhm, fwhm_error : float, arcsec
        Of the Moffat profile at `wave`.
    beta : float
        Exponent of the Moffat profile.
    snr : float
        Of the detection.
    wave : float, Angstrom
    chi2 : float
        For each degree of freedom.
    dar : ndarray of float64, shape (3, n)
        Wavelength, and the displacement in x and y (arcsec) of the source there.
    """

    x: float
    y: float
    x_error: float
    y_error: float
    fwhm: float
    fwhm_error: float
    beta: float
    snr: float
    wave: float
    chi2: float
    dar: Array


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class SourceSpectrum:
    """Spectrum of one source, and of the sky under it.

    Parameters
    ----------
    wave : ndarray of float64, shape (nwave,), Angstrom
    flux, variance : ndarray of float64, shape (nwave,), `unit` and `unit` squared
        All light of the source: corrected for what the fibers do not catch.
    sky, sky_variance : ndarray of float64, shape (nwave,)
        With the same weights.
    mask : ndarray of uint32, shape (nwave,), ReductionBit
    fraction : ndarray of float64, shape (nwave,)
        Share of the source's light that the fibers used have caught.
    unit, medium : str
    method : str
    """

    wave: Array
    flux: Array
    variance: Array
    sky: Array
    sky_variance: Array
    mask: Array
    fraction: Array
    unit: str = "erg/s/cm2/Angstrom"
    medium: str = "air"
    method: str = ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CubeGrid:
    """Where the spaxels of a cube lie, in arcsec of the IFU's frame: centers along x and y, and their size."""

    x: Array
    y: Array
    step: float


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class SkyCube:
    """Spectra resampled to a regular grid on the sky; the sum over spaxels is the flux.

    Parameters
    ----------
    data, variance : ndarray of float32, shape (nwave, ny, nx), `unit` and `unit` squared
    mask : ndarray of uint32, shape (nwave, ny, nx), ReductionBit
    wave : ndarray of float64, shape (nwave,), Angstrom
    grid : CubeGrid
    unit, medium : str
    """

    data: Array
    variance: Array
    mask: Array
    wave: Array
    grid: CubeGrid
    unit: str = "erg/s/cm2/Angstrom"
    medium: str = "air"

"""What the steps of an observation hand to each other, beside the values of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.lenslet import Face, Lenslets
from ifuview.engine.spectra.sky.many import ManySky
from ifuview.engine.spectra.stars.peaks import Peak
from ifuview.model.checks import Array
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.reduction.tables import FocalSlot, WaveCurve

PLANCK_LIGHT = 1.98644586e-8  # erg Angstrom: energy of a photon times its wavelength
GRID = np.linspace(3470.0, 5540.0, 1036)  # Angstrom, that all products share
DITHERS = ((0.0, 0.0), (1.215, -0.70), (1.215, 0.70))  # arcsec in the frame of a head, of three exposures
TURN = 1.55  # deg, of the focal plane against the parallactic angle
WIDTH_WAVE = 4500.0  # Angstrom, where widths of the point spread hold


@dataclass(frozen=True, slots=True, eq=False)
class ShotSetup:
    """What is known beforehand of all heads.

    Parameters
    ----------
    grid : ndarray, shape (nwave,), Angstrom
        Of the products.
    response : WaveCurve
        erg for each electron.
    band : WaveCurve
        Transmission of the filter that fluxes are compared in.
    refraction : ndarray, shape (3, n)
        Wavelength, x and y (arcsec) of a source.
    slots : tuple of FocalSlot
    dithers : tuple of (float, float), arcsec
        By exposure, when there are as many.
    size : float, arcsec
        Diameter of a fiber.
    """

    grid: Array
    response: WaveCurve
    band: WaveCurve
    refraction: Array
    slots: tuple[FocalSlot, ...]
    dithers: tuple[tuple[float, float], ...] = DITHERS
    size: float = 1.5

    def focal(self, slot: str) -> tuple[float, float]:
        """Focal-plane x and y of a head's origin, arcsec; NaN for a slot that is not in the table."""
        for one in self.slots:
            if one.slot == slot:
                return one.y, one.x  # the axes of table and head are swapped
        return float("nan"), float("nan")


def shot_setup(
    throughput: WaveCurve, band: WaveCurve, refraction: Array, slots: tuple[FocalSlot, ...], size: float = 1.5
) -> ShotSetup:
    """The setup by the tables of the instrument; throughput in electrons for each photon on the mirror."""
    return ShotSetup(GRID, electron_energy(throughput), band, refraction, slots, size=size)


def electron_energy(throughput: WaveCurve) -> WaveCurve:
    """Energy that one electron stands for, of the electrons for each photon on the mirror."""
    energy = PLANCK_LIGHT / throughput.wave / throughput.value
    return WaveCurve(throughput.wave, energy, "erg/electron", throughput.medium, throughput.source)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class HeadFlux:
    """All exposures of one head as flux density in the fibers' own pixels, the sky still in it.

    Parameters
    ----------
    exposures : tuple of IfuExposure
        By number.
    flux : tuple of FiberSpectra, nfiber x ncol
        1e-17 erg/s/cm2/Angstrom, response of the fibers removed; bits of all that is not used.
    response : tuple of ndarray of float32, shape (nfiber, ncol)
        That was divided out.
    reasons : tuple of tuple of str
        Of each exposure and amplifier, why it is not used.
    block : ndarray of int, shape (nfiber,)
        Amplifier of each fiber.
    dither : ndarray, shape (2, nexp), arcsec
    focal : (float, float), arcsec
        Of the head's origin.
    size : float, arcsec
        Diameter of a fiber.
    twilight : float, electron/Angstrom
        That a mean fiber gets of the twilight all heads were flat-fielded with; NaN unknown.
    notes : tuple of str
    """

    exposures: tuple[IfuExposure, ...]
    flux: tuple[FiberSpectra, ...]
    response: tuple[Array, ...]
    reasons: tuple[tuple[str, ...], ...]
    block: NDArray[np.intp]
    dither: NDArray[np.float64]
    focal: tuple[float, float]
    size: float
    twilight: float = float("nan")
    notes: tuple[str, ...] = ()

    def plane(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Focal-plane x and y (arcsec) of the fibers of one exposure, by its place in the tuple."""
        one, base = self.exposures[number], np.nan_to_num(np.array(self.focal))
        return one.x + self.dither[0, number] + base[0], one.y + self.dither[1, number] + base[1]

    def lenslets(self, more: Array | None = None) -> Lenslets:
        """Fibers of all exposures in the frame of the head; `more` (2, nexp) is added to the dithers."""
        move = self.dither if more is None else self.dither + more
        x = np.concatenate([one.x + move[0, n] for n, one in enumerate(self.exposures)])
        y = np.concatenate([one.y + move[1, n] for n, one in enumerate(self.exposures)])
        return Lenslets(x, y, self.size, Face.CIRCLE)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class HeadSkies:
    """Sky of each exposure of a head, and what users have to know of it."""

    skies: tuple[ManySky, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class HeadPictures:
    """Light of one head in chunks of wavelength, without sky, and the sources in it.

    Parameters
    ----------
    slot : str
    focal : (float, float), arcsec
    wave : ndarray, shape (nchunk,), Angstrom
    light, variance : ndarray, shape (nchunk, nexp * nfiber)
        Of all exposures; variance infinite where nothing is known.
    sky : ndarray, shape (nexp * nfiber,)
        Mean brightness of the sky in each fiber.
    exposure : ndarray of int, shape (nexp * nfiber,)
        Place in `numbers`.

    lenslets : Lenslets
        Dithers included.
    dither : ndarray, shape (2, nexp), arcsec
        That is in these.
    peaks : tuple of Peak

    cover : float
        Share of a source's light that all fibers together catch.
    numbers : tuple of int
        Of the exposures.
    exptimes : tuple of float, s
    twilight : float
        As in HeadFlux.
    expected : bool
        Dithers are as asked for; else nothing is known of them.
    crowded : bool
        Light of sources reaches most fibers, so that the sky rests on the darkest.
    """

    slot: str
    focal: tuple[float, float]
    wave: Array
    light: Array
    variance: Array
    sky: Array
    exposure: NDArray[np.intp]
    lenslets: Lenslets
    dither: NDArray[np.float64]
    peaks: tuple[Peak, ...]
    cover: float
    numbers: tuple[int, ...]
    exptimes: tuple[float, ...]
    twilight: float = float("nan")
    expected: bool = True
    crowded: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSource:
    """A source to be put into a head: place (arcsec), FWHM (arcsec) and spectrum (1e-17 erg/s/cm2/A)."""

    x: float
    y: float
    fwhm: float
    wave: Array
    flux: Array

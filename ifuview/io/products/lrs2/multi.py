"""Spectra of all fibers read back from `multi_*` files, of this program or of the published pipeline."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.files import Name
from ifuview.io.products.lrs2.exposure import NATIVE, NATIVE_ERROR, NATIVE_WAVE
from ifuview.model.checks import Array, Header
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.products import ProductName
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

FILE = re.compile(r"multi_(\d{8})_(\d{7})_exp(\d+)_([a-z]+)\.fits(\.gz|\.fz)?")
UNIT, SCALE = "1e-17 erg/s/cm2/Angstrom", 1e-17  # so that squares are numbers of single precision
SUBTRACTED, ERROR, POSITIONS, EXTRACTED, REFRACTION = 2, 3, 5, 6, 7  # numbers of HDUs, as they always are
ROWS = 5  # of the spectrum that are needed: wavelength, flux, sky, and the errors of both
OWN_CARDS = re.compile(r"CHANNEL|SOURCE[XY]|SEEING|SRC\w+|NSOURCE|EXTEND[XY]|MILLUM|THROUGHP")


@dataclass(frozen=True, slots=True, eq=False)
class MultiFile:
    """One detector of one exposure.

    Parameters
    ----------
    path : str
    name : ProductName
    header : mapping
        Cards of the raw exposure.
    x, y : ndarray of float64, shape (nfiber,), arcsec
    spectrum : SourceSpectrum or None
        Of the first source.
    dar : ndarray, shape (3, n)
        Refraction as used.
    source, center : (float, float) or None, arcsec
        Place of a point source where `dar` is zero; middle of a source that fills the field.
    native : bool
        Whether spectra are in the fibers' own pixels.
    """

    path: str
    name: ProductName
    header: Header
    x: Array
    y: Array
    spectrum: SourceSpectrum | None
    dar: Array
    source: tuple[float, float] | None
    center: tuple[float, float] | None
    native: bool

    def spectra(self) -> FiberSpectra:
        """Without the sky; raises FileFormatError where they cannot be read."""
        with _opened(self.path) as found:
            if self.native:
                flux, error, wave = (found[name].data for name in (NATIVE, NATIVE_ERROR, NATIVE_WAVE))
            else:
                flux, error, wave = found[SUBTRACTED].data, found[ERROR].data, found[EXTRACTED].data[0]
            flux, error = (np.asarray(v, np.float64) / SCALE for v in (flux, error))
            good = np.isfinite(flux) & np.isfinite(error) & (error > 0)
            mask = np.where(good, np.uint32(0), np.uint32(int(ReductionBit.NO_DATA)))
            return FiberSpectra(
                np.where(good, flux, 0), np.where(good, error, 0) ** 2, mask, np.asarray(wave, np.float64), UNIT
            )


def is_multi(path: Name) -> bool:
    """Whether a file has the name of such a product."""
    return FILE.fullmatch(Path(path).name) is not None


def read_multi(path: Name) -> MultiFile:
    """What a file holds, but for the spectra of the fibers, which are read when they are needed.

    Raises
    ------
    FileFormatError
        It is no such product.
    MissingDataError
        It is not there.
    """
    match = FILE.fullmatch(Path(path).name)
    if match is None:
        raise FileFormatError("this is not named as spectra of all fibers are", str(path), "give multi_*.fits")
    name = ProductName(int(match[1]), int(match[2]), int(match[3]), match[4])
    with _opened(path) as found:
        cards = found[0].header
        header = {key: cards[key] for key in cards if key and not OWN_CARDS.fullmatch(key)}
        positions = np.asarray(found[POSITIONS].data, np.float64)
        rows = np.asarray(found[EXTRACTED].data, np.float64)
        dar = np.asarray(found[REFRACTION].data, np.float64)
        if positions.shape[0] != found[SUBTRACTED].shape[0] or rows.shape[0] < ROWS or dar.shape[0] != 3:
            raise ValueError("shapes do not belong together")
        native = all(one in found for one in (NATIVE, NATIVE_ERROR, NATIVE_WAVE))
        place, center = _pair(cards, "SOURCEX", "SOURCEY"), _pair(cards, "EXTENDX", "EXTENDY")
    spectrum = _spectrum(rows)
    return MultiFile(str(path), name, header, positions[:, 0], positions[:, 1], spectrum, dar, place, center, native)


@contextmanager
def _opened(path: Name) -> Iterator[fits.HDUList]:
    """An open file; what is wrong with it in one sentence."""
    if not Path(path).is_file():
        raise MissingDataError("there is no such file", str(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", AstropyUserWarning)  # a file that is cut short is only warned of
            with open(path, "rb") as stream, fits.open(stream, memmap=False) as found:
                yield found
    except (OSError, KeyError, IndexError, TypeError, ValueError, AttributeError, AstropyUserWarning) as problem:
        raise FileFormatError(
            "this is no whole file with the spectra of all fibers", str(path), "reduce the exposure again"
        ) from problem


def _pair(cards: Mapping[str, object], x: str, y: str) -> tuple[float, float] | None:
    """Two cards as numbers."""
    try:
        found = float(str(cards[x])), float(str(cards[y]))
    except (KeyError, ValueError):
        return None
    return found if np.isfinite(found).all() else None


def _spectrum(rows: Array) -> SourceSpectrum | None:
    """The source's spectrum; None where there is none."""
    wave, flux, sky, error, sky_error = (np.nan_to_num(row) for row in rows[:ROWS])
    good = (error > 0) & np.isfinite(rows[1])
    if not good.any():
        return None
    mask = np.where(good, np.uint32(0), np.uint32(int(ReductionBit.NO_DATA)))
    return SourceSpectrum(
        wave, flux / SCALE, np.where(good, error / SCALE, 0) ** 2, sky / SCALE, (sky_error / SCALE) ** 2, mask,
        np.full(wave.size, np.nan), UNIT,
    )  # fmt: skip

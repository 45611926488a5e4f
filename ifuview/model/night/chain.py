"""The products of one camera and exposure as plain arrays, in the order in which they are made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ifuview.model.checks import Array

PRODUCTS = ("frame", "flat", "sky", "sframe", "fluxcalib", "cframe", "traces")
MADE = ("frame", "flat", "sky", "sframe", "fluxcalib", "cframe")  # spectra in the order in which they are made
SPECTRA = ("sframe", "frame", "sky", "flat", "fluxcalib", "cframe")  # the one that decides on shape and fibers first


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """The pixels that one amplifier reads, half-open, in canonical axes (cross-dispersion, dispersion)."""

    name: str
    cross: tuple[float, float]
    disp: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """Pixels of a product that its mask marks though their inverse variance is not 0.

    Parameters
    ----------
    product : str
    pixels : ndarray of int, shape (nfiber,)
        How many of each fiber.
    bits : tuple of (str, int)
        Names of the bits, and how many of the pixels have each.
    """

    product: str
    pixels: Array
    bits: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """What is known of one camera; every product may be missing (None).

    Parameters
    ----------
    wave : ndarray, shape (nwave,), Angstrom
    frame, sframe, cframe : ndarray, shape (nfiber, nwave)
        Extracted, sky-subtracted, calibrated flux.
    frame_ivar, sframe_ivar, flat_ivar, sky_ivar, fluxcalib_ivar, cframe_ivar : ndarray, shape (nfiber, nwave)
        0 = unusable.
    flat, sky, fluxcalib : ndarray, shape (nfiber, nwave)
        What is divided by, subtracted, divided by.
    cross, disp : ndarray, shape (nfiber, nwave), px
        Detector position of each extracted pixel, canonical axes.
    sections : tuple of Section
        Amplifiers.
    focal_x, focal_y : ndarray, shape (nfiber,), mm; NaN where unknown
    offset : ndarray, shape (nfiber,), mm
        Distance of the fiber from where it should be; NaN where unknown.
    is_sky : ndarray of bool, shape (nfiber,)
        Fibers that look at empty sky.
    known : ndarray of bool, shape (nfiber,)
        Fibers that the fiber table already calls bad.
    known_text : tuple of str
        What it calls them, "" where nothing.
    bad_amplifiers : tuple of str, or None
        Amplifiers that the night log calls bad; None where there is no log.
    fiber_id : ndarray of int, shape (nfiber,)
        Numbers of the fibers in the fiber table.
    wave_faults : tuple of (str, float)
        Products whose wavelengths are not those of the others, and by up to how much (Angstrom).
    table_faults : tuple of (tuple of int, str)
        Fibers whose rows differ between the tables of the products, and words about it.
    marked : tuple of Marked
        Products whose mask and inverse variance say different things.
    """

    wave: Array
    frame: Array | None = None
    frame_ivar: Array | None = None
    flat: Array | None = None
    sky: Array | None = None
    sframe: Array | None = None
    sframe_ivar: Array | None = None
    fluxcalib: Array | None = None
    cframe: Array | None = None
    flat_ivar: Array | None = None
    sky_ivar: Array | None = None
    fluxcalib_ivar: Array | None = None
    cframe_ivar: Array | None = None
    cross: Array | None = None
    disp: Array | None = None
    sections: tuple[Section, ...] = ()
    focal_x: Array | None = None
    focal_y: Array | None = None
    offset: Array | None = None
    is_sky: Array | None = None
    known: Array | None = None
    known_text: tuple[str, ...] = ()
    bad_amplifiers: tuple[str, ...] | None = None
    fiber_id: Array | None = None
    wave_faults: tuple[tuple[str, float], ...] = ()
    table_faults: tuple[tuple[tuple[int, ...], str], ...] = ()
    marked: tuple[Marked, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of fibers and of wavelengths."""
        for name in SPECTRA:
            array = getattr(self, name)
            if array is not None:
                return int(array.shape[0]), int(array.shape[1])
        return 0, int(np.size(self.wave))

    def has(self, *names: str) -> bool:
        """Whether all of these products are there."""
        return all(getattr(self, "disp" if name == "traces" else name) is not None for name in names)

    @property
    def missing(self) -> tuple[str, ...]:
        """Products that are not there."""
        return tuple(name for name in PRODUCTS if not self.has(name))

"""Rows of spectra, spaxels and all arms of a fiber as spectra with errors and masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.views.sampling import along, fiber_name, pixel_at
from ifuview.app.session import Slot
from ifuview.model.checks import Array
from ifuview.model.image import Kind
from ifuview.model.inspection import FiberSpectrum


def arms(slot: Slot, row: int) -> tuple[FiberSpectrum, ...]:
    """The spectrum of a fiber in every arm of the file, that of the image on the canvas first."""
    image = slot.image
    others = [
        i for i in slot.dataset.images if i.kind is Kind.RSS and i.wave is not None and i.shape[0] == image.shape[0]
    ]
    names = [i.camera for i in others]
    if image not in others or len(others) < 2 or len(set(names)) < len(names) or not all(names):
        return (row_spectrum(slot, row),)
    ordered = sorted(others, key=lambda i: i is not image)
    return tuple(replace(row_spectrum(replace(slot, image=i), row), arm=i.camera) for i in ordered)


def row_spectrum(slot: Slot, row: int, *, quick: bool = False) -> FiberSpectrum:
    """One canonical row of an image as a spectrum; `quick` leaves the errors and the mask out."""
    image = slot.image
    flux = along(slot, row)
    pixel = np.arange(flux.size, dtype=np.float64)
    wave = image.wave
    if wave is not None and wave.ndim == 2:
        wave = wave[row]
    masked = ~np.isfinite(flux)
    error = None
    if not quick:
        x, y = image.orientation.to_native(np.asarray(row), np.arange(flux.size), image.shape)
        if image.mask is not None:
            masked = masked | (image.mask.plane(slot.plane).raw[y, x] != 0)
        if image.ivar is not None:
            ivar = image.ivar.plane(slot.plane)
            error = error_of(ivar.physical(ivar.raw[y, x]))
    return FiberSpectrum(fiber_name(slot, row), pixel, wave, flux, error, masked, "row", image.unit, slot.title)


def spaxel_spectrum(slot: Slot, x: float | None, y: float | None) -> FiberSpectrum | None:
    """The spectrum of the spaxel at a native position of a cube; None outside."""
    at = pixel_at(slot, x, y)
    if at is None or slot.image.pixels.ndim < 3:
        return None
    ix, iy = at
    image = slot.image
    lead = slot.plane[:-1] if len(slot.plane) == image.pixels.ndim - 2 else (0,) * (image.pixels.ndim - 3)
    where: tuple[int | slice, ...] = (*lead, slice(None), iy, ix)
    flux = image.pixels.physical(image.pixels.raw[where])
    masked = ~np.isfinite(flux)
    if image.mask is not None:
        masked = masked | (image.mask.raw[where] != 0)
    error = None if image.ivar is None else error_of(image.ivar.physical(image.ivar.raw[where]))
    wave = image.wave if image.wave is not None and image.wave.shape == flux.shape else None
    pixel = np.arange(flux.size, dtype=np.float64)
    return FiberSpectrum(f"({ix}, {iy})", pixel, wave, flux, error, masked, "row", image.unit, slot.title)


def error_of(ivar: Array) -> Array:
    """1-sigma error of an inverse variance; inf where nothing is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ivar > 0, 1.0 / np.sqrt(ivar), np.inf)

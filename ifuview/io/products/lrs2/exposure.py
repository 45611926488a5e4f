"""The files of one exposure of one channel: multi, spectrum and cubes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ifuview.io.products.lrs2.cards import (
    comments,
    error_of,
    image,
    mask_image,
    primary,
    provenance,
    raw_cards,
    scaled,
    single,
    wave_cards,
)
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.products import DetectorImages, ReducedExposure
from ifuview.model.reduction.source import SkyCube

CUBES = ("obs", "sky", "skysub")
ROWS = ("wavelength", "F_lambda", "Sky_lambda", "e_F_lambda", "e_Sky_lambda", "response")
NATIVE, NATIVE_ERROR, NATIVE_WAVE = "native_skysub", "native_skysub_error", "native_wavelength"
COLLAPSED = (20, 33)  # of a picture that was not made
RIGHT_POSITIONS = "fiber_positions: right ascension in degrees (hours of the header times 15)"
RIGHT_ERRORS = "error_spectra: noise of the spectra and of the sky model; 0 is masked (see the HDU mask)"
RIGHT_FLUX = "extracted_spectrum: all light of the source, the share that fibers miss is corrected"
RIGHT_CUBE = "The sum over spaxels is the sum over fibers: spaxels hold light, not brightness"
AIR = "Wavelengths are in air"


def write_multi(path: Path, done: ReducedExposure) -> None:
    """Write the spectra of all fibers with all that belongs to them; 14 HDUs by their known numbers, then others."""
    unit = done.observed.unit
    wave = wave_cards(done.observed.wave)
    observed, plain = single(done.observed.flux, unit)
    cards = {**wave, **_source_cards(done), **_light_cards(done), "CHANNEL": done.name.channel}
    first = primary(observed, "observed_spectra", raw_cards(done.header), cards, plain)
    comments(first.header, (AIR, RIGHT_POSITIONS, RIGHT_ERRORS, RIGHT_FLUX, *done.record.notes))
    error = error_of(done.subtracted.variance, done.subtracted.mask, unit)
    fibers = [
        first,
        image(single(done.sky, unit)[0], "sky_spectra", wave, plain),
        image(single(done.subtracted.flux, unit)[0], "skysub_spectra", wave, plain),
        image(error, "error_spectra", wave, plain),
        image(_picture(done), "collapsed_image"),
        image(done.positions.astype(np.float64), "fiber_positions"),
        image(spectrum_rows(done), "extracted_spectrum", wave),
        image(done.dar.astype(np.float64), "adr"),
    ]
    fits.HDUList(fibers).writeto(path, output_verify="silentfix")
    del fibers
    for hdu in chain(_detector(done), _beyond(done)):  # large: one after the other
        with fits.open(path, "append", memmap=False, output_verify="silentfix") as file:
            file.append(hdu)


def write_spectrum(path: Path, done: ReducedExposure) -> None:
    """Write the spectrum of the source: six rows."""
    rows = spectrum_rows(done)
    cards: dict[str, object] = {
        **_source_cards(done),
        **_light_cards(done),
        "CHANNEL": done.name.channel,
        "DWAVE": float(rows[0, 1] - rows[0, 0]),
        "WAVE0": float(rows[0, 0]),
        "WAVESOL": "WAVE0 + DWAVE * linspace(0, NAXIS1)",
        "WAVEUNIT": "A",
        "FLUXUNIT": scaled(rows[:1], done.observed.unit)[1],
        **{f"ROW{n}": name for n, name in enumerate(ROWS, 1)},
    }
    first = primary(rows, "extracted_spectrum", raw_cards(done.header), cards, "")
    comments(first.header, (AIR, RIGHT_FLUX, *done.record.notes))
    hdus = [first]
    if done.spectrum is not None:
        hdus.append(mask_image(done.spectrum.mask, "source_mask"))
        hdus.append(image(np.nan_to_num(done.spectrum.fraction), "fraction"))
    fits.HDUList([*hdus, provenance(done.record)]).writeto(path, output_verify="silentfix")


def write_cube(path: Path, done: ReducedExposure, kind: str) -> None:
    """Write one cube, with errors (the roots of its variance; 0 is masked) and mask behind it."""
    cube = done.cubes[kind]
    data, plain = single(cube.data, cube.unit)
    cards = {
        **grid_cards(cube), **_source_cards(done), **_light_cards(done), "CHANNEL": done.name.channel,
    }  # fmt: skip
    first = primary(data, kind, raw_cards(done.header), cards, plain)
    comments(first.header, (AIR, RIGHT_CUBE, *done.record.notes))
    hdus = [
        first,
        image(error_of(cube.variance, cube.mask, cube.unit), "error", grid_cards(cube), plain),
        mask_image(cube.mask),
        provenance(done.record),
    ]
    fits.HDUList(hdus).writeto(path, output_verify="silentfix")


def spectrum_rows(done: ReducedExposure) -> NDArray[np.float64]:
    """Wavelength, flux, sky, their errors and response, (6, nwave); zeros where there is no source."""
    wave = np.asarray(done.observed.wave)
    rows = np.zeros((len(ROWS), wave.size))
    rows[0], rows[5] = wave, np.nan_to_num(done.response)
    found = done.spectrum
    if found is not None:
        rows[1], rows[2] = scaled(found.flux, found.unit)[0], scaled(found.sky, found.unit)[0]
        rows[3] = error_of(found.variance, found.mask, found.unit)
        rows[4] = scaled(np.sqrt(np.maximum(found.sky_variance, 0)), found.unit)[0]
    return rows


def _picture(done: ReducedExposure) -> NDArray[np.float32]:
    """Of the field."""
    if done.collapsed is None:
        return np.zeros(COLLAPSED, np.float32)
    return single(done.collapsed, done.observed.unit)[0]


def _detector(done: ReducedExposure) -> Iterator[fits.ImageHDU]:
    """Pictures of the detector, in their known order; empty ones keep the numbers of the HDUs after them."""
    names = ("bigw", "image", "flattened_image", "trace", "cosmics")
    units = ("Angstrom", "electron", "", "", "")
    found = done.images
    for name, unit in zip(names, units):
        picture = np.zeros((1, 1), np.float32)
        if found is not None and name == "cosmics":
            picture = found.image.mask & int(ReductionBit.COSMIC) != 0
        elif found is not None:
            picture = _picture_of(found, name)
        yield image(picture.astype(np.float32, copy=False), name, unit=unit if found is not None else "")
    yield image(done.native.flux, "unrectified_spectra", unit=done.native.unit)


def _picture_of(found: DetectorImages, name: str) -> Array:
    """One of the pictures of the detector."""
    if name == "image":
        return found.image.data
    if name == "trace":
        return found.fiber
    return found.wave() if name == "bigw" else found.flattened()


def _beyond(done: ReducedExposure) -> Iterator[fits.ImageHDU | fits.BinTableHDU]:
    """What the published pipeline does not keep."""
    wave = wave_cards(done.observed.wave)
    yield image(done.subtracted.variance, "variance", wave, f"({done.subtracted.unit})^2")
    yield mask_image(done.subtracted.mask)
    yield image(np.broadcast_to(done.native.wave, done.native.flux.shape), NATIVE_WAVE, unit="Angstrom")
    yield image(done.native.variance, "native_variance", unit=f"({done.native.unit})^2")
    yield mask_image(done.native.mask, "native_mask")
    if (own := done.native_subtracted) is not None:
        light, plain = single(own.flux, own.unit)
        yield image(light, NATIVE, unit=plain)
        yield image(error_of(own.variance, own.mask, own.unit), NATIVE_ERROR, unit=plain)
    if done.lsf is not None:
        yield image(done.lsf.astype(np.float32), "native_lsf_sigma", unit="pix")
    if done.profile is not None:
        yield image(done.profile.astype(np.float32), "profile")
    if done.images is not None:
        yield mask_image(done.images.image.mask, "image_mask")
        yield image(done.images.image.variance, "image_variance", unit="electron^2")
    yield provenance(done.record)


def _source_cards(done: ReducedExposure) -> dict[str, object]:
    """Place and width of the source, if one was found; the middle of one that fills the field."""
    if not done.sources:
        return {} if done.center is None else {"EXTENDX": float(done.center[0]), "EXTENDY": float(done.center[1])}
    first = done.sources[0]
    cards: dict[str, object] = {
        "SOURCEX": first.x,
        "SOURCEY": first.y,
        "SEEING": first.fwhm,
        "SRCXERR": first.x_error,
        "SRCYERR": first.y_error,
        "SRCSNR": first.snr,
        "SRCWAVE": first.wave,
        "SRCBETA": first.beta,
        "NSOURCE": len(done.sources),
    }
    return cards


def _light_cards(done: ReducedExposure) -> dict[str, object]:
    """Illumination and throughput as used."""
    return {"MILLUM": float(done.area), "THROUGHP": float(done.transparency)}


def grid_cards(cube: SkyCube) -> dict[str, object]:
    """World coordinates of a cube: arcsec in the frame of the IFU, Angstrom."""
    out: dict[str, object] = {}
    for axis, values in ((1, cube.grid.x), (2, cube.grid.y)):
        out |= {f"CRVAL{axis}": float(values[0]), f"CDELT{axis}": float(cube.grid.step), f"CRPIX{axis}": 1.0}
        out |= {f"CTYPE{axis}": "pixel", f"CUNIT{axis}": "arcsec"}
    return {**out, **wave_cards(cube.wave, 3)}

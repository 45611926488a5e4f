"""Coadds and grouped spectra: several bands in one file, HDUs named BAND_FLUX, BAND_IVAR, BAND_WAVELENGTH and so on."""

from __future__ import annotations

from ifuview.errors import MissingDataError
from ifuview.io.fits_fast import Hdu
from ifuview.io.plain_fits import READER as PLAIN
from ifuview.io.plain_fits import full_header, hdu_pixels
from ifuview.io.probe import FileProbe
from ifuview.io.products import family, fibers, instrument_of, layer, mask_layer, wavelengths
from ifuview.io.section import cut
from ifuview.io.source import QUIET, Progress
from ifuview.io.spec import FileSpec
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.instrument import InstrumentSpec

TAIL = "_FLUX"
FAMILIES = ("coadd", "spectra")


class CoaddFits:
    """One image a band, in the order of their wavelengths."""

    name = "coadded spectra"

    def score(self, probe: FileProbe) -> float:
        """Needs a BAND_FLUX with its BAND_WAVELENGTH."""
        return 0.75 if _bands(probe) else 0.0

    def read(self, probe: FileProbe, spec: FileSpec, ctx: Progress = QUIET) -> Dataset:
        """All bands, or the one asked for by its letter or EXTNAME."""
        bands = _bands(probe)
        if spec.hdu is not None:
            wanted = spec.hdu.upper() if isinstance(spec.hdu, str) else probe.fits.select(spec.hdu).info.name.upper()
            bands = tuple(band for band in bands if wanted in (band, band + TAIL))
            if not bands:
                return PLAIN.read(probe, spec, ctx)
        instrument = instrument_of(probe)
        notes = list(probe.fits.notes)
        images = []
        for number, band in enumerate(bands):
            ctx.checkpoint(number / len(bands), f"reading {band}{TAIL}")
            images.append(cut(_image(probe, band, instrument, notes, ctx), spec))
        images.sort(key=lambda image: float("inf") if image.wave is None else float(image.wave.min()))
        if not images:
            raise MissingDataError("there are no spectra in this file", spec.path)
        return Dataset(
            path=spec.path,
            spec=spec.text,
            instrument=instrument.name,
            kind=family(spec.path, FAMILIES) or "coadd",
            images=tuple(images),
            fibermap=images[0].fibermap,
            hdus=tuple(hdu.info for hdu in probe.fits.hdus),
            notes=tuple(dict.fromkeys(notes)),
            block=instrument.block,
        )


READER = CoaddFits()


def _bands(probe: FileProbe) -> tuple[str, ...]:
    """Names of the bands that have flux and wavelengths."""
    names = (hdu.info.name.upper() for hdu in probe.fits.hdus if _is_flux(hdu))
    return tuple(band for name in names if f"{(band := name.removesuffix(TAIL))}_WAVELENGTH" in probe.names)


def _is_flux(hdu: Hdu) -> bool:
    return hdu.info.name.upper().endswith(TAIL) and hdu.has_image and len(hdu.info.shape) == 2


def _image(probe: FileProbe, band: str, instrument: InstrumentSpec, notes: list[str], ctx: Progress) -> Image:
    """One band."""
    fits = probe.fits
    hdu = fits.select(band + TAIL)
    stored = hdu_pixels(hdu)
    nspec, nwave = stored.shape
    return Image(
        name=hdu.info.name,
        kind=Kind.RSS,
        pixels=stored,
        ivar=layer(fits, f"{band}_IVAR", stored.shape, notes, ctx),
        mask=mask_layer(fits, f"{band}_MASK", stored.shape, notes, ctx),
        mask_bits=instrument.mask_bits("spectrum"),
        unit=hdu.info.unit,
        wave=wavelengths(fits, (f"{band}_WAVELENGTH",), nspec, nwave, notes),
        fibermap=fibers(fits, instrument, nspec, notes),
        camera=band.lower(),
        stage=family(probe.path, FAMILIES) or "coadd",
        header=full_header(fits, hdu),
    )

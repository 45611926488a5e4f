"""Coadds, grouped spectra and their best fits: HDUs named BAND_FLUX or BAND_MODEL, BAND_IVAR, BAND_WAVELENGTH, ..."""

from __future__ import annotations

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.io.fits.fast import Hdu
from ifuview.io.fits.plain import READER as PLAIN
from ifuview.io.fits.plain import full_header, hdu_pixels
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.products.parts import family, fibers, instrument_of, layer, mask_layer, wavelengths
from ifuview.io.section import cut
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.instrument import InstrumentSpec

TAIL, MODEL = "_FLUX", "_MODEL"
FAMILIES = ("coadd", "spectra", "rrmodel")


class CoaddFits:
    """One image a band, in the order of their wavelengths."""

    name = "coadded spectra"

    def score(self, probe: FileProbe) -> float:
        """Needs a BAND_FLUX, or a BAND_MODEL, with its BAND_WAVELENGTH."""
        return 0.75 if _bands(probe) or _bands(probe, MODEL) else 0.0

    def read(self, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """All bands, or the one asked for by its letter or EXTNAME."""
        bands, tail = _bands(probe), TAIL
        if not bands:
            bands, tail = _bands(probe, MODEL), MODEL
        if spec.hdu is not None:
            wanted = spec.hdu.upper() if isinstance(spec.hdu, str) else probe.fits.select(spec.hdu).info.name.upper()
            bands = tuple(band for band in bands if wanted in (band, band + tail))
            if not bands:
                return PLAIN.read(probe, spec, ctx)
        instrument = instrument_of(probe)
        notes = list(probe.fits.notes)
        images = []
        for number, band in enumerate(bands):
            ctx.checkpoint(number / len(bands), f"reading {band}{tail}")
            images.append(cut(_image(probe, band, tail, instrument, notes, ctx), spec))
        images.sort(key=_first_wave)
        fits_of = _bands(probe, MODEL) if tail == TAIL and spec.section is None else ()
        models = (_image(probe, band, MODEL, instrument, notes, ctx) for band in fits_of)
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
            models=tuple(sorted((m for m in models if m.shape[0] == images[0].shape[0]), key=_first_wave)),
        )


READER = CoaddFits()


def _bands(probe: FileProbe, tail: str = TAIL) -> tuple[str, ...]:
    """Names of the bands that have flux (or a model) and wavelengths."""
    names = (hdu.info.name.upper() for hdu in probe.fits.hdus if _is_band(hdu, tail))
    return tuple(band for name in names if f"{(band := name.removesuffix(tail))}_WAVELENGTH" in probe.names)


def _is_band(hdu: Hdu, tail: str) -> bool:
    return hdu.info.name.upper().endswith(tail) and hdu.has_image and len(hdu.info.shape) == 2


def _first_wave(image: Image) -> float:
    """For the order of the bands."""
    return float("inf") if image.wave is None else float(image.wave.min())


def _image(
    probe: FileProbe, band: str, tail: str, instrument: InstrumentSpec, notes: list[str], ctx: JobContext
) -> Image:
    """One band; a model has neither errors nor a mask."""
    fits = probe.fits
    own = tail == TAIL
    hdu = fits.select(band + tail)
    stored = hdu_pixels(hdu)
    nspec, nwave = stored.shape
    return Image(
        name=hdu.info.name,
        kind=Kind.RSS,
        pixels=stored,
        ivar=layer(fits, f"{band}_IVAR", stored.shape, notes, ctx) if own else None,
        mask=mask_layer(fits, f"{band}_MASK", stored.shape, notes, ctx) if own else None,
        mask_bits=instrument.mask_bits("spectrum"),
        unit=hdu.info.unit,
        wave=wavelengths(fits, (f"{band}_WAVELENGTH",), nspec, nwave, notes),
        fibermap=fibers(fits, instrument, nspec, notes),
        camera=band.lower(),
        stage=family(probe.path, FAMILIES) or "coadd",
        header=full_header(fits, hdu),
    )

"""Row-stacked spectra: FLUX, SKY, FIBERFLAT or FLUXCALIB with IVAR, MASK, wavelengths and a fiber table, by EXTNAME."""

from __future__ import annotations

from typing import Any

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.io.fits.fast import Hdu
from ifuview.io.fits.plain import READER as PLAIN
from ifuview.io.fits.plain import full_header, hdu_pixels
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.fits.table import read_table
from ifuview.io.fits.world import axis_wavelength, wcs_cards
from ifuview.io.products.parts import (
    companions,
    family,
    fibers,
    instrument_of,
    layer,
    mask_layer,
    numbered_fibers,
    wavelengths,
)
from ifuview.io.section import cut
from ifuview.model.dataset import Dataset, Table
from ifuview.model.image import Image, Kind
from ifuview.model.instrument import InstrumentSpec

MAIN = {"FLUX": "spectra", "SKY": "sky", "FIBERFLAT": "fiberflat", "FLUXCALIB": "fluxcalib"}  # the first wins
WAVE = ("WAVELENGTH", "WAVE", "WAVE_TRACE", "LAMBDA")
LSF = ("LSF", "LSF_TRACE")
FAMILIES = (
    *("frame", "sframe", "cframe", "qframe", "sky", "fiberflat", "fluxcalib"),
    *("lvmframe", "lvmfframe", "lvmsframe", "lvmcframe", "mgframe", "mgsframe", "mgfframe", "mgcframe"),
)
SIDE_TABLES = ("SCORES", "FIBERCORR", "STDSTAR_FIBERMAP")


class SpectraFits:
    """Extracted spectra, one fiber a row."""

    name = "row-stacked spectra"

    def score(self, probe: FileProbe) -> float:
        """Needs one of the main HDUs in two dimensions."""
        return 0.7 if _main(probe) is not None else 0.0

    def read(self, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """The main HDU with its layers; another HDU of the same shape is shown with the same wavelengths and fibers."""
        fits, main = probe.fits, _main(probe)
        if main is None:
            raise MissingDataError("there are no spectra in this file", spec.path)
        chosen = main if spec.hdu is None else fits.select(spec.hdu, spec.version)
        if chosen.info.shape != main.info.shape:
            return PLAIN.read(probe, spec, ctx)
        instrument = instrument_of(probe)
        notes = list(fits.notes)
        image = _image(probe, chosen, main, instrument, notes, ctx)
        stage = family(spec.path, FAMILIES) or MAIN[main.info.name.upper()]
        image = cut(image, spec)
        return Dataset(
            path=spec.path,
            spec=spec.text,
            instrument=instrument.name,
            kind=stage,
            images=(image,),
            fibermap=image.fibermap,
            tables=_tables(probe, notes),
            hdus=tuple(hdu.info for hdu in fits.hdus),
            notes=tuple(notes),
            companions=companions(spec.path, image.header, instrument),
            block=instrument.block,
        )


READER = SpectraFits()


def _main(probe: FileProbe) -> Hdu | None:
    """The HDU that the file is about."""
    for name in MAIN:
        hdu = probe.fits.find(name)
        if hdu is not None and hdu.has_image and len(hdu.info.shape) == 2:
            return hdu
    return None


def _image(
    probe: FileProbe, chosen: Hdu, main: Hdu, instrument: InstrumentSpec, notes: list[str], ctx: JobContext
) -> Image:
    """The spectra with everything that belongs to them."""
    fits = probe.fits
    stored = hdu_pixels(chosen, ctx)
    nspec, nwave = stored.shape
    header = full_header(fits, main)
    wave = wavelengths(fits, WAVE, nspec, nwave, notes)
    if wave is None:
        found = axis_wavelength(header, 1, nwave)
        wave = None if found is None else found[0]
        notes.append("the file has no wavelengths" if found is None else "the wavelengths are those of the WCS")
    if instrument.medium == "air":
        notes.append("the wavelengths are in air")
    own = chosen is main
    lsf = next((lsf for name in LSF if (lsf := layer(fits, name, stored.shape, [])) is not None), None)
    return Image(
        name=chosen.info.name,
        kind=Kind.RSS,
        pixels=stored,
        ivar=layer(fits, "IVAR", stored.shape, notes, ctx) if own else None,
        mask=mask_layer(fits, "MASK", stored.shape, notes, ctx) if own else None,
        mask_bits=instrument.mask_bits("spectrum"),
        unit=chosen.info.unit,
        wave=wave,
        lsf=None if lsf is None else lsf.native(),
        fibermap=fibers(fits, instrument, nspec, notes) or numbered_fibers(header, instrument, nspec),
        camera=str(instrument.keyword("camera", header) or "").strip().lower(),
        stage=family(probe.path, FAMILIES) or MAIN[main.info.name.upper()],
        header=header,
        wcs=wcs_cards(chosen.header),
    )


def _tables(probe: FileProbe, notes: list[str]) -> tuple[Table, ...]:
    """Side tables, and the one-dimensional arrays of one value a fiber as columns of a table."""
    out = []
    for name in SIDE_TABLES:
        hdu = probe.fits.find(name)
        if hdu is not None and hdu.info.kind == "table" and hdu.data is not None:
            out.append(read_table(hdu))
    main = _main(probe)
    nspec = main.info.shape[0] if main is not None else -1
    columns: dict[str, Any] = {
        hdu.info.name: hdu_pixels(hdu).native()[0].astype(np.float64)
        for hdu in probe.fits.hdus
        if hdu.info.shape == (nspec,) and hdu.info.kind == "image" and hdu.data is not None
    }
    if columns:
        out.append(Table("per fiber", columns))
    return tuple(out)

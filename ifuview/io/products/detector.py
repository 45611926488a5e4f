"""Detector images with inverse variance and mask: HDUs IMAGE, IVAR, MASK, READNOISE and a fiber table, by EXTNAME."""

from __future__ import annotations

from ifuview.engine.context import SILENT, JobContext
from ifuview.io.fits.amplifiers import amplifiers
from ifuview.io.fits.cards import real
from ifuview.io.fits.plain import READER as PLAIN
from ifuview.io.fits.plain import full_header, hdu_pixels
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.fits.world import wcs_cards
from ifuview.io.products.parts import companions, fibers, instrument_of, layer, mask_layer
from ifuview.io.section import cut
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind

MAIN = "IMAGE"


class DetectorFits:
    """Images before extraction."""

    name = "detector image"

    def score(self, probe: FileProbe) -> float:
        """Needs an IMAGE beside its IVAR or MASK."""
        return 0.8 if _is_main(probe) else 0.0

    def read(self, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """IMAGE with its layers; another HDU of the same size is shown with the same geometry."""
        fits = probe.fits
        main = fits.select(MAIN)
        chosen = main if spec.hdu is None else fits.select(spec.hdu, spec.version)
        if chosen.info.shape != main.info.shape:
            return PLAIN.read(probe, spec, ctx)
        instrument = instrument_of(probe)
        notes = list(fits.notes)
        ctx.checkpoint(0.1, f"reading {chosen.info.name}")
        stored = hdu_pixels(chosen, ctx)
        ctx.checkpoint(0.5, "reading IVAR")
        ivar = layer(fits, "IVAR", stored.shape, notes, ctx) if chosen is main else None
        ctx.checkpoint(0.8, "reading MASK")
        mask = mask_layer(fits, "MASK", stored.shape, notes, ctx) if chosen.info.name.upper() != "MASK" else None
        header = full_header(fits, main)
        sections = amplifiers(header, instrument)
        noises = [amp.readnoise for amp in sections if amp.readnoise]
        table = fibers(fits, instrument, 0, notes)
        beside = companions(spec.path, header, instrument)
        if instrument.companions and not any("psf" in path.rpartition("/")[2] for path in beside):
            notes.append("no trace file (psf) lies beside this image; open one with -traces")
        unit = chosen.info.unit or ("electron" if chosen is main and instrument.name != "plain" else "")
        image = Image(
            name=chosen.info.name,
            kind=Kind.DETECTOR,
            pixels=stored,
            ivar=ivar,
            mask=mask,
            mask_bits=instrument.mask_bits("pixel"),
            unit=unit,
            orientation=instrument.orientation_of(header),
            fibermap=table,
            amplifiers=sections,
            gain=1.0 if unit.startswith("electron") else None,
            readnoise=sum(noises) / len(noises) if noises else real(instrument.keyword("readnoise", header)),
            camera=str(instrument.keyword("camera", header) or "").strip().lower(),
            stage="preproc",
            header=header,
            wcs=wcs_cards(header),
        )
        return Dataset(
            path=spec.path,
            spec=spec.text,
            instrument=instrument.name,
            kind="preproc",
            images=(cut(image, spec),),
            fibermap=table,
            hdus=tuple(hdu.info for hdu in fits.hdus),
            notes=tuple(notes),
            companions=beside,
            block=instrument.block,
        )


READER = DetectorFits()


def _is_main(probe: FileProbe) -> bool:
    """Whether IMAGE is a 2-D image."""
    hdu = probe.fits.find(MAIN)
    return hdu is not None and hdu.has_image and len(hdu.info.shape) == 2

"""Any product that an instrument file describes: images with errors, mask, wavelengths, fibers and line spread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.fits.amplifiers import amplifiers
from ifuview.io.fits.cards import real
from ifuview.io.fits.detector_header import as_detector
from ifuview.io.fits.fast import label
from ifuview.io.fits.plain import OTHER_ORDER
from ifuview.io.fits.plain import READER as PLAIN
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.fits.table import read_table
from ifuview.io.fits.world import wcs_cards
from ifuview.io.products.choose import ChosenProduct, Part, choose, fibers_for, of_band, waves_for
from ifuview.io.products.companions import companions, family, other_arms
from ifuview.io.products.errors_masks import calibrated, errors_beside, inverse_variance, mask_and_bits
from ifuview.io.products.fibers import fibers_of, numbered_fibers
from ifuview.io.products.layers import Hdus, ProductLayer, Turned, squeezed
from ifuview.io.products.waves import Asked, Wave, line_spread, wavelengths
from ifuview.io.section import cut
from ifuview.io.spectral.axis import AIR, IN_AIR
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset, Table
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.product import FiberSpec
from ifuview.model.quality import MaskBits

Fibers = dict[tuple[int, tuple[FiberSpec, ...]], FiberMap | None]  # read once for all parts of a file
OWN, GENERIC = 0.8, 0.3  # scores: a file of a known instrument, any file with errors, mask or wavelengths
NO_WAVELENGTHS = "the file has no wavelengths"
NO_TRACES = "no trace file (psf) lies beside this image; open one with -traces"
UNREADABLE, UNKNOWN = "unreadable", "unknown"  # kind of a product, medium of wavelengths
MEDIUM_NOTES = {AIR: IN_AIR, UNKNOWN: "whether the wavelengths are in air or in vacuum is not stated"}
MOST_CALIBRATED = 1 << 28  # pixels that are multiplied: all of them are held in memory then
ROWS = ("rss", "spectrum")  # kinds of one spectrum a row


class ProductFits:
    """Products of the instrument files."""

    name = "product of an instrument"

    def score(self, probe: FileProbe) -> float:
        """Needs a product that fits."""
        chosen = choose(probe)
        return 0.0 if chosen is None else GENERIC if chosen.generic else OWN

    def read(self, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """The main HDUs with what belongs to them; another HDU of their shape with the same wavelengths and fibers."""
        return dataset_of(choose(probe), probe, spec, ctx)


READER = ProductFits()


def dataset_of(chosen: ChosenProduct | None, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
    """What a file holds, as the product that it is.

    Raises
    ------
    MissingDataError, FileFormatError
        It is none, or one that cannot be shown.
    """
    if chosen is None:
        raise MissingDataError("this is no product of a known instrument", spec.path)
    product, fits = chosen.product, probe.fits
    if product.kind == UNREADABLE and spec.hdu is None:
        raise FileFormatError(product.note or f"a {product.name} cannot be shown", spec.path)
    if spec.hdu is not None and str(spec.hdu).upper() not in {part.band.upper() for part in chosen.parts}:
        chosen = chosen._replace(product=product._replace(factor=""))
    shown = () if product.kind == UNREADABLE else tuple(_shown(chosen, probe, spec))
    if not shown:
        return PLAIN.read(probe, spec, ctx)
    notes = [*fits.notes, *([product.note] if product.note else []), *chosen.lost]
    images: list[Image] = []
    fibers: Fibers = {}
    for number, (part, layer) in enumerate(shown):
        ctx.checkpoint(number / len(shown), f"reading {layer.name}")
        images.append(cut(_Reading(chosen, probe, part, notes, fibers, ctx).image(layer), spec))
    if len(images) > 1:
        images.sort(key=_first_wave)
    first = images[0]
    beside = companions(spec.path, first.header, chosen.instrument)

    def of_spectra(name: str) -> tuple[Image, ...]:
        reading = partial(_Reading, chosen, probe, notes=notes, fibers=fibers, ctx=ctx)
        return () if spec.section is not None or not name else _beside(chosen.parts, first, reading, name)

    if first.kind is Kind.DETECTOR and chosen.instrument.companions and not any("psf" in name_of(p) for p in beside):
        notes.append(NO_TRACES)
    return Dataset(
        path=spec.path,
        spec=spec.text,
        instrument=chosen.instrument.name,
        kind=first.stage,
        images=tuple(images),
        fibermap=first.fibermap,
        tables=_tables(chosen, probe, notes) if product.kind in ROWS else (),
        hdus=tuple(hdu.info for hdu in fits.hdus),
        notes=tuple(dict.fromkeys(notes)),
        companions=beside,
        arms=other_arms(spec.path, first.camera, chosen.instrument) if first.kind is Kind.RSS else (),
        block=chosen.instrument.block,
        models=tuple(replace(model, ivar=None) for model in of_spectra(product.model)),
        skies=of_spectra(product.sky),
    )


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def _shown(chosen: ChosenProduct, probe: FileProbe, spec: FileSpec) -> Iterator[tuple[Part, ProductLayer]]:
    """What is asked for: all parts, one of them by band or name, or another layer of the shape of a part."""
    if spec.hdu is None:
        yield from ((part, part.layer) for part in chosen.parts)
        return
    word = spec.hdu.upper() if isinstance(spec.hdu, str) else ""
    own = [part for part in chosen.parts if word and word == part.band.upper()]
    if own:
        yield own[0], own[0].layer
        return
    if (chosen.product.table or chosen.product.rows) and word:
        layer = chosen.parts[0].source.find(word)
    else:
        hdu = probe.fits.select(spec.hdu, spec.version)
        layer = Hdus(probe.fits).layer(hdu) if hdu.has_image else None
    if layer is None:
        return
    alike = [part for part in chosen.parts if part.layer.shape == layer.shape]
    same = [part for part in alike if (part.layer.name, part.layer.version) == (layer.name, layer.version)]
    versions = [part for part in alike if part.layer.version == layer.version]
    if alike:
        part = (same or versions or alike)[0]
        yield part, part.layer if same else layer


def _first_wave(image: Image) -> float:
    """For the order of the bands."""
    return float("inf") if image.wave is None else float(image.wave.min())


class _Reading:
    """One part of a product, read."""

    def __init__(
        self, chosen: ChosenProduct, probe: FileProbe, part: Part, notes: list[str], fibers: Fibers, ctx: JobContext
    ) -> None:
        self.chosen, self.probe, self.part, self.notes, self.ctx = chosen, probe, part, notes, ctx
        self.fibers = fibers
        self.product, self.instrument = chosen.product, chosen.instrument
        self.asked = Asked(probe.fits, part.source, part.layer, self.product.kind)

    def image(self, shown: ProductLayer) -> Image:
        """The image of one layer of the shape of the part."""
        main, product = self.part.layer, self.product
        own = shown is main
        pixels = shown.read(self.ctx)
        mask, bits = self._mask(shown)
        wave = self._wave()
        medium = self._medium(wave)
        stage = family(self.probe.path, product.families) or product.name
        image = Image(
            name=shown.name,
            kind=self._kind(),
            pixels=pixels,
            ivar=self._ivar(shown),
            mask=mask,
            mask_bits=bits,
            unit=shown.unit or (product.unit if own else ""),
            wave=None if wave is None else wave.values,
            medium=medium,
            lsf=line_spread(of_band(product.lsf, self.part, "hdu"), self.asked) if product.kind == "rss" else None,
            fibermap=self._fibers(),
            camera=self.part.band.lower() or str(self.instrument.keyword("camera", main.header) or "").strip().lower(),
            stage=stage,
            about_zero=shown.name in product.residuals or (own and stage in product.residuals),
            header=main.header,
            wcs=wcs_cards(shown.header),
        )
        if own and product.factor:
            image = self._calibrated(image)
        if image.kind is Kind.DETECTOR:
            return self._detector(image)
        return as_detector(image, self.instrument) if product.kind == "image" else image

    def _kind(self) -> Kind:
        """Spectra of a table are many where it has many rows."""
        if self.product.kind == "spectrum":
            return Kind.SPECTRUM if len(self.part.layer.shape) == 1 else Kind.RSS
        return Kind(self.product.kind)

    def _calibrated(self, image: Image) -> Image:
        """The image times the factor that the file has for it."""
        name = self.part.named(self.product.factor)
        layer = self.part.source.find(name)
        if layer is None or layer.shape != (self.asked.nwave,) or image.pixels.raw.size > MOST_CALIBRATED:
            why = "too large for it" if layer is not None and layer.shape == (self.asked.nwave,) else f"no such {name}"
            self.notes.append(f"flux is {image.name} x {name}; {image.name} is shown as it is: {why}")
            return image
        self.notes.append(f"flux is {image.name} x {name}; [{image.name}] shows it as it is")
        return replace(calibrated(image, layer.values()), unit=layer.unit or image.unit)

    def _ivar(self, shown: ProductLayer) -> Pixels | None:
        """Inverse variance of the main layer, or the own one of another layer."""
        specs = self.product.error
        if shown is not self.part.layer:
            other = next((o for o in self.product.others if self.part.named(o.hdu).upper() == shown.name.upper()), None)
            specs = () if other is None else other.error
        named, path = of_band(specs, self.part, "hdu"), self.probe.fits.path
        own = inverse_variance(named, self.part.source, shown, self.notes, self.ctx)
        return errors_beside(named, path, shown, self.notes, self.ctx) if own is None else own

    def _mask(self, shown: ProductLayer) -> tuple[Pixels | None, MaskBits]:
        """The mask; of detector images and cubes it is shown over every layer but itself."""
        specs = of_band(self.product.mask, self.part, "hdu")
        if self.product.kind == "rss" and shown is not self.part.layer:
            specs = ()
        if any(spec.hdu.upper() == shown.name.upper() for spec in specs):
            specs = ()
        return mask_and_bits(
            specs, self.part.source, self.part.layer, self.product.kind, self.instrument, self.notes, self.ctx
        )

    def _wave(self) -> Wave | None:
        """Wavelengths, with what is to be said of them."""
        if not self.product.wave:
            return None
        wave = self.part.wave or wavelengths(waves_for(self.product, self.part), self.asked, self.notes)
        self.notes.extend((NO_WAVELENGTHS,) if wave is None else wave.notes)
        if isinstance(self.part.source, Turned):
            self.notes.append(OTHER_ORDER.format(self.part.source.axis))
        return wave

    def _medium(self, wave: Wave | None) -> str:
        """Air or vacuum: what the file says, else its instrument file; "" unknown."""
        medium = "" if wave is None else wave.medium or self.product.medium or self.instrument.medium
        self.notes.extend([MEDIUM_NOTES[medium]] if medium in MEDIUM_NOTES else ())
        return "" if medium == UNKNOWN else medium

    def _fibers(self) -> FiberMap | None:
        """Fibers of the rows, or of the detector."""
        if self.product.kind not in ("rss", "detector"):
            return None
        count, specs = self.asked.nspec if self.product.kind == "rss" else 0, fibers_for(self.product, self.part)
        if (count, specs) not in self.fibers:
            found = fibers_of(specs, self.probe.fits, self.instrument, count, self.notes)
            self.fibers[count, specs] = found
        found = self.fibers[count, specs]
        if found is None and count:
            found = numbered_fibers(self.part.layer.header, self.instrument, count)
        return found

    def _detector(self, image: Image) -> Image:
        """With geometry, amplifiers and noise."""
        sections = amplifiers(image.header, self.instrument)
        noises = [amp.readnoise for amp in sections if amp.readnoise]
        stated = real(self.instrument.keyword("readnoise", image.header))
        return replace(
            image,
            orientation=self.instrument.orientation_of(image.header),
            amplifiers=sections,
            gain=1.0 if image.unit.startswith("electron") else None,
            readnoise=sum(noises) / len(noises) if noises else stated,
            wcs=wcs_cards(image.header),
        )


def _beside(parts: tuple[Part, ...], first: Image, reading: Callable[[Part], _Reading], name: str) -> tuple[Image, ...]:
    """What lies in the file with the spectra, one image an arm: their best fits, or the sky taken off them."""
    out = []
    for part in parts:
        layer = part.source.find(part.named(name))
        if layer is None or layer.shape != part.layer.shape or layer.name == first.name:
            continue
        image = reading(part).image(layer)
        if image.shape[0] == first.shape[0]:
            out.append(replace(image, mask=None, header=layer.header))
    return tuple(sorted(out, key=_first_wave))


def _tables(chosen: ChosenProduct, probe: FileProbe, notes: list[str]) -> tuple[Table, ...]:
    """Side tables, and the one-dimensional arrays of one value a fiber as columns of a table."""
    out = []
    for name in chosen.product.tables:
        hdu = probe.fits.find(name)
        if hdu is not None and hdu.info.kind == "table" and hdu.data is not None:
            out.append(read_table(hdu))
    nspec = chosen.parts[0].layer.shape[0] if len(chosen.parts[0].layer.shape) > 1 else -1
    columns: dict[str, Array] = {
        hdu.info.name or label(hdu.info): Hdus(probe.fits).layer(hdu).values()
        for hdu in probe.fits.hdus
        if squeezed(hdu.info.shape) == (nspec,) and hdu.info.kind == "image" and hdu.data is not None
    }
    if columns:
        out.append(Table("per fiber", {name: np.asarray(values) for name, values in columns.items()}))
    return tuple(out)

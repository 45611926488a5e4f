"""Which product of which instrument file a FITS file is, and which of its HDUs (or columns) are the main ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from functools import partial
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from ifuview import instrument as instruments
from ifuview.errors import IfuviewError
from ifuview.io.fits.fast import FitsFile
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.world import spectral_axis
from ifuview.io.products.fibers import fibers_of
from ifuview.io.products.layers import PRIMARY, Columns, Hdus, ProductLayer, Rows, Source, Turned, table_of
from ifuview.io.products.waves import Asked, Wave, wavelengths
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.product import BAND, ErrorSpec, FiberSpec, LsfSpec, MaskSpec, ProductSpec, WaveSpec

MANY = 2  # pixels of an axis of wavelength
WORD = "([^_]+)"  # what {band} stands for
# number of axes of a kind
AXES = {"detector": (2,), "image": (2,), "rss": (2,), "spectrum": (1,), "cube": (3, 4), "unreadable": (2,)}
AXES_IN_TABLE = (1, 2)  # one spectrum, or one a row


class Part(NamedTuple):
    """One main layer of a product: what `{band}` stands for, and its wavelengths if they were looked at already."""

    layer: ProductLayer
    source: Source
    band: str = ""
    wave: Wave | None = None

    def named(self, name: str) -> str:
        """A name of the instrument file with its band."""
        return name.replace(BAND, self.band)


class ChosenProduct(NamedTuple):
    """The product that a file is; `lost` says what wavelengths were looked for and left out."""

    instrument: InstrumentSpec
    product: ProductSpec
    parts: tuple[Part, ...] = ()
    generic: bool = False
    lost: tuple[str, ...] = ()


_CHOSEN: WeakKeyDictionary[FileProbe, ChosenProduct | None] = WeakKeyDictionary()  # asked by score and by read


def instrument_of(probe: FileProbe) -> InstrumentSpec:
    """The instrument that a file speaks of."""
    return instruments.instrument(instruments.recognize(probe.cards, probe.names, probe.path))


def choose(probe: FileProbe) -> ChosenProduct | None:
    """The first product that fits: of the instrument the file speaks of, else of any file; None if none does."""
    if probe not in _CHOSEN:
        _CHOSEN[probe] = _choose(probe)
    return _CHOSEN[probe]


def _choose(probe: FileProbe) -> ChosenProduct | None:
    """Look through the products of the instrument, and of any file."""
    if len(probe.fits.hdus) == 1 and not instruments.may_match(probe.header):
        return None
    own = instrument_of(probe)
    plain = instruments.instrument()
    for spec, generic in ((own, own is plain), *(((plain, True),) if own is not plain else ())):
        found = chosen_of(spec.products, probe, own, generic)
        if found is not None:
            return found
    return None


def chosen_of(
    products: tuple[ProductSpec, ...], probe: FileProbe, instrument: InstrumentSpec, generic: bool = False
) -> ChosenProduct | None:
    """The first of some products that fits; None if none does."""
    lost: list[str] = []
    for product in products:
        parts = tuple(_parts(product, probe, instrument, lost)) if _may_be(product, probe) else ()
        if parts:
            return ChosenProduct(instrument, product, parts, generic, tuple(lost))
    return None


def _may_be(product: ProductSpec, probe: FileProbe) -> bool:
    """Whether name, header and HDUs of a file allow the product."""
    name = os.path.basename(probe.path).lower()
    if product.kind not in AXES or (product.files and not any(fnmatch(name, f.lower()) for f in product.files)):
        return False
    texts = ((str(probe.cards.get(key, "")).strip().lower(), starts) for key, starts in product.header.items())
    if not all(text.startswith(tuple(start.lower() for start in starts)) for text, starts in texts):
        return False
    return all(name.upper() in probe.names or _is_primary(name, probe.fits) for name in product.has)


def _is_primary(name: str, fits: FitsFile) -> bool:
    return name.upper() == PRIMARY and fits.hdus[0].has_image


def _parts(product: ProductSpec, probe: FileProbe, instrument: InstrumentSpec, lost: list[str]) -> Iterator[Part]:
    """The main layers, none where something that the product needs is missing; `lost` gets why wavelengths are out."""
    source = _source(product, probe.fits)
    if source is None:
        return
    for found, band in _mains(product, source, probe.fits):
        layer, own = _turned(product, found, source, probe.fits)
        part = Part(layer, own, band)
        asked = Asked(probe.fits, own, layer, product.kind)
        wave = wavelengths(waves_for(product, part), asked, lost) if "wave" in product.needs else None
        if "wave" in product.needs and wave is None:
            return
        if "fibers" in product.needs and fibers_of(
            fibers_for(product, part), probe.fits, instrument, asked.nspec, []
        ) is None:  # fmt: skip
            return
        yield Part(layer, own, band, wave)


def _turned(product: ProductSpec, layer: ProductLayer, source: Source, fits: FitsFile) -> tuple[ProductLayer, Source]:
    """The main layer and its source; with the axes in another order where wavelength is not the usual one."""
    usual = {"cube": 3, "rss": 1}.get(product.kind)
    if usual is None or product.table or not any(spec.wcs for spec in product.wave):
        return layer, source
    axis, _ = spectral_axis(layer.header, layer.shape, partial(table_of, fits, notes=[]))
    if axis in (0, usual) or layer.shape[len(layer.shape) - axis] < MANY:
        return layer, source
    turned = Turned(source, layer.shape, axis)
    return turned.layer(layer), turned


def _source(product: ProductSpec, fits: FitsFile) -> Source | None:
    """The HDUs, the rows of the first image, or the columns of the first table of that name that has a main column."""
    if product.rows:
        return Rows(fits, product.rows)
    if not product.table:
        return Hdus(fits)
    wanted = {name.upper() for name in product.main}
    for hdu in fits.hdus:
        columns = {str(value).strip().upper() for key, value in hdu.header.items() if key.startswith("TTYPE")}
        named = any(fnmatch(hdu.info.name.upper(), name.upper()) for name in product.table)
        if hdu.info.kind == "table" and named and wanted & columns:
            with suppress(IfuviewError):
                return Columns(fits, hdu)
    return None


def _mains(product: ProductSpec, source: Source, fits: FitsFile) -> Iterator[tuple[ProductLayer, str]]:
    """The main layers and their bands; of several names the first that is there counts."""
    axes = AXES_IN_TABLE if product.table else AXES[product.kind]
    for name in product.main:
        known = re.compile(re.escape(name).replace(re.escape(BAND), WORD), re.IGNORECASE)
        bands = dict.fromkeys(m[1] for own in source.names if (m := known.fullmatch(own))) if BAND in name else ("",)
        found = [
            (layer, band)
            for band in bands
            for version in (_versions(fits, name) if product.each else (None,))
            if (layer := source.find(name.replace(BAND, band), version)) is not None and len(layer.shape) in axes
        ]
        if found:
            yield from found
            return


def _versions(fits: FitsFile, name: str) -> tuple[int, ...]:
    """EXTVERs of the HDUs of that name."""
    return tuple(dict.fromkeys(hdu.info.version for hdu in fits.hdus if hdu.info.name.upper() == name.upper()))


Spec = TypeVar("Spec", ErrorSpec, MaskSpec, WaveSpec, LsfSpec, FiberSpec)


def of_band(specs: tuple[Spec, ...], part: Part, *names: str) -> tuple[Spec, ...]:
    """Specs whose entries `names` speak of the band of a part."""
    if not part.band:
        return specs
    return tuple(_with(spec, {name: part.named(getattr(spec, name)) for name in names}) for spec in specs)


def _with(spec: Spec, changes: dict[str, Any]) -> Spec:
    """A spec with other names."""
    return spec._replace(**changes)


def waves_for(product: ProductSpec, part: Part) -> tuple[WaveSpec, ...]:
    """Where the wavelengths of a part are."""
    return of_band(product.wave, part, "hdu", "table")


def fibers_for(product: ProductSpec, part: Part) -> tuple[FiberSpec, ...]:
    """Where the fibers of a part are."""
    return of_band(product.fibers, part, "table", "header")

"""Any FITS image, cube or spectrum, with no instrument knowledge."""

from __future__ import annotations

from dataclasses import replace

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.io.fits.cards import as_header, word
from ifuview.io.fits.fast import FitsFile, Hdu, label, pixels
from ifuview.io.fits.probe import IDENTITY, FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.fits.world import is_wcs, permuted, spectral_axis, turned_axes, wcs_cards
from ifuview.io.section import cut
from ifuview.io.spectral.axis import AIR, IN_AIR, Tables
from ifuview.model.dataset import Dataset, Table
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

MOST_NAMED = 5  # columns of a table that a message names
OTHER_ORDER = "wavelength is axis {} of the file: the axes are put into another order"


class PlainFits:
    """The reader of last resort."""

    name = "FITS image"

    def score(self, probe: FileProbe) -> float:
        """Anything with HDUs, if nobody knows better."""
        return 0.1

    def read(self, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """The HDU that was asked for, else the first image with pixels."""
        hdu = choose_hdu(probe.fits, spec)
        image, notes = plain_image(probe.fits, hdu, ctx)
        name, block = "plain", "block"
        if any(key in image.header for key in IDENTITY):
            from ifuview.instrument import instrument, recognize

            name = recognize(image.header)
        if name != "plain":
            from ifuview.io.fits.detector_header import as_detector

            described = instrument(name)
            image, block = as_detector(image, described), described.block
        return Dataset(
            path=spec.path,
            spec=spec.text,
            instrument=name,
            block=block,
            kind=str(image.kind),
            images=(cut(image, spec),),
            hdus=tuple(h.info for h in probe.fits.hdus),
            notes=probe.fits.notes + notes,
        )


READER = PlainFits()


def choose_hdu(fits: FitsFile, spec: FileSpec) -> Hdu:
    """The HDU asked for, else the first with pixels.

    Raises
    ------
    MissingDataError
        There is no such HDU.
    FileFormatError
        It, or the whole file, has no pixels to show.
    """
    if spec.hdu is not None:
        hdu = fits.select(spec.hdu, spec.version)
        if not hdu.has_image:
            raise FileFormatError(f"{label(hdu.info)} {_why_not(hdu)}", fits.path, "choose another extension")
        return hdu
    found = next((hdu for hdu in fits.hdus if hdu.has_image), None)
    if found is None:
        listed = ", ".join(f"{label(hdu.info)} {_why_not(hdu)}" for hdu in fits.hdus[:4])
        table = any(hdu.info.kind == "table" for hdu in fits.hdus)
        todo = "a spectrum is a table with columns such as wavelength and flux of one length" if table else ""
        raise FileFormatError(f"there is no image in this file: {listed}", fits.path, todo)
    return found


def plain_image(fits: FitsFile, hdu: Hdu, ctx: JobContext = SILENT) -> tuple[Image, tuple[str, ...]]:
    """Image of one HDU with its wavelengths and WCS cards, and notes for the user."""
    header = full_header(fits, hdu)
    stored, cards = hdu_pixels(hdu, ctx), wcs_cards(hdu.header)
    shape, naxis = stored.shape, len(hdu.info.shape)
    axis, found = spectral_axis(header, shape[-naxis:] if naxis == 1 else shape, _tables(fits))
    notes, wave = found.notes, found.values
    if axis and axis != (3 if len(shape) > 2 else 1):
        turn, order = turned_axes(len(shape), axis)
        stored, cards = replace(stored, raw=stored.raw.transpose(turn)), permuted(cards, order)
        notes += (OTHER_ORDER.format(axis),)
    stored = _squeezed(stored)
    kind = Kind.CUBE if stored.ndim > 2 else Kind.IMAGE
    if stored.ndim == 2 and naxis == 1:
        kind = Kind.SPECTRUM
    elif stored.ndim == 2 and wave is not None:
        kind = Kind.SPECTRUM if stored.shape[0] == 1 else Kind.RSS
    image = Image(
        name=hdu.info.name or f"[{hdu.info.index}]",
        kind=kind,
        pixels=stored,
        unit=hdu.info.unit,
        wave=wave,
        medium=found.medium,
        header=header,
        wcs=cards,
    )
    return image, notes + ((IN_AIR,) if image.medium == AIR else ())


def _tables(fits: FitsFile) -> Tables:
    """Read the tables of a file by name and version."""

    def table(name: str, version: int) -> Table | None:
        from ifuview.io.fits.table import read_table

        hdu = fits.find(name, version) or fits.find(name)
        return None if hdu is None or hdu.info.kind != "table" else read_table(hdu)

    return table


def hdu_pixels(hdu: Hdu, ctx: JobContext = SILENT) -> Pixels:
    """Pixels of an image HDU, tile-compressed or not."""
    if hdu.info.kind == "compressed image":
        from ifuview.io.fits.tiles import tile_pixels

        return tile_pixels(hdu, ctx)
    return pixels(hdu)


def full_header(fits: FitsFile, hdu: Hdu) -> dict[str, object]:
    """Header of an HDU, with the primary header's cards where it has none of its own; axes are always its own."""
    if hdu.info.index == 0:
        return dict(hdu.header)
    base = {
        key: value
        for key, value in fits.primary.items()
        if key not in STRUCTURE and not key.startswith("NAXIS") and not is_wcs(key)
    }
    return base | as_header(hdu.info.cards)


STRUCTURE = (
    "SIMPLE",
    "BITPIX",
    "EXTEND",
    "EXTNAME",
    "EXTVER",
    "BSCALE",
    "BZERO",
    "BLANK",
    "BUNIT",
    "CHECKSUM",
    "DATASUM",
)


def _squeezed(stored: Pixels) -> Pixels:
    """Without leading axes of length 1."""
    shape = stored.shape
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    return stored if shape == stored.shape else stored.reshaped(shape)


def _why_not(hdu: Hdu) -> str:
    """Why an HDU cannot be shown."""
    if hdu.info.kind == "table":
        rows = hdu.info.shape[0]
        names = [word(value) for key, value in hdu.header.items() if key.startswith("TTYPE")]
        listed = ", ".join(names[:MOST_NAMED]) + ", ..." * (len(names) > MOST_NAMED)
        forms = [word(value) for key, value in hdu.header.items() if key.startswith("TFORM")]
        unread = " in ASCII, which is not read" if hdu.header.get("XTENSION") == "TABLE" else ""
        if not unread and any(set(form) & set("PQ") for form in forms):
            unread = " with columns of variable length, which are not read"
        return f"is a table of {rows} row{'' if rows == 1 else 's'} ({listed}){unread}"
    if 0 in hdu.info.shape:
        return f"has no pixels (its size is {' x '.join(str(n) for n in reversed(hdu.info.shape))})"
    return "has no data"

"""Tables and images written as FITS, ECSV, VOTable or CSV, whole or not at all, units as their files spell them."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import numpy as np

from ifuview.files import check_suffix, whole_file
from ifuview.io.objects import outgoing
from ifuview.model.image import Image

if TYPE_CHECKING:
    from astropy.table import Table

# suffix -> format of astropy; FITS is written here
FORMATS = {".fits": "fits", ".ecsv": "ascii.ecsv", ".vot": "votable", ".xml": "votable", ".csv": "ascii.csv"}


def write_table(table: Table, path: str, name: str = "TABLE") -> None:
    """Write a table in the format that the suffix of `path` asks for.

    Raises
    ------
    UsageError
        The suffix is unknown, or the file cannot be written.
    """
    suffix = check_suffix(path, FORMATS, "the table")
    table = table.copy(copy_data=False)
    texts = {c: t for c in table.colnames if (t := _text(table, c))}
    table.meta = {k: v for k, v in table.meta.items() if isinstance(v, (str, int, float)) and k != "name"}
    if suffix in (".vot", ".xml"):
        table.remove_columns([c for c in table.colnames if table[c].dtype.kind == "O"])
    with whole_file(path, "the table") as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of units that a standard does not know
        if suffix == ".fits":
            _write_fits(table, part, name, texts)
        else:
            more = {} if suffix in (".vot", ".xml") else {"overwrite": True}
            table.write(part, format=FORMATS[suffix], **more)


def _text(table: Table, column: str) -> str:
    unit = table[column].unit
    return "" if unit is None else unit.to_string("generic").replace(" ", "") if unit != "" else ""


def _write_fits(table: Table, path: str, name: str, units: dict[str, str]) -> None:
    """With the units as text: astropy refuses those that the standard does not name (electron)."""
    from astropy.io import fits

    for column in table.colnames:
        table[column].unit = None
    hdu = fits.table_to_hdu(table)
    hdu.name = name
    for number, column in enumerate(table.colnames, 1):
        if column in units:
            hdu.header.set(f"TUNIT{number}", units[column], after=f"TFORM{number}")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)


def write_image(image: Image, path: str | os.PathLike[str], plane: tuple[int, ...] | None = None) -> None:
    """Write an image (or one plane of a cube) as FITS: primary, IVAR and MASK where they are known.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cards in an old spelling
        hdus = image_hdus(image, plane)
        with whole_file(path, "the image") as part:
            fits.HDUList(hdus).writeto(part, overwrite=True, output_verify="silentfix")


def image_hdus(image: Image, plane: tuple[int, ...] | None = None) -> list[object]:
    """The HDUs of an image; cards of its header and WCS that FITS can hold."""
    from astropy.io import fits

    parts = outgoing.arrays(image, plane)
    header = fits.Header()
    for cards in (outgoing.cards(image), {k: v for k, v in image.wcs.items() if outgoing.is_card(k, v)}):
        for keyword, value in cards.items():
            if len(keyword) <= 8 and not (isinstance(value, float) and not np.isfinite(value)):
                header[keyword] = value
    if image.unit:
        header["BUNIT"] = image.unit
    hdus: list[object] = [fits.PrimaryHDU(parts["data"], header)]
    if parts["ivar"] is not None:
        hdus.append(fits.ImageHDU(parts["ivar"].astype(np.float32), name="IVAR"))
    if parts["mask"] is not None:
        hdus.append(fits.ImageHDU(parts["mask"].astype(np.uint8), name="MASK"))
    if image.wave is not None and parts["data"].ndim == image.pixels.ndim:
        hdus.append(
            fits.ImageHDU(np.asarray(image.wave, np.float64), fits.Header({"BUNIT": "Angstrom"}), name="WAVELENGTH")
        )
    return hdus

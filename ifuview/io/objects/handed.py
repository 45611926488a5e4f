"""Files that other programs hand over or are handed: addresses to paths, and values to files of their own."""

from __future__ import annotations

import os
import re
import urllib.request
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import unquote, urlsplit

import numpy as np

from ifuview.errors import MissingDataError, UsageError
from ifuview.io.objects import outgoing
from ifuview.io.objects.folder import new_folder
from ifuview.io.objects.writing import write_image, write_table
from ifuview.model.dataset import Dataset
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image
from ifuview.model.inspection import FiberSpectrum

if TYPE_CHECKING:
    from astropy.table import Table

TIMEOUT = 30.0  # s without a byte
MOST_BYTES = 1 << 32
PIECE = 1 << 20
MOST_NAME = 68  # characters of a card
PLACES = {"ra": "pos.eq.ra;meta.main", "dec": "pos.eq.dec;meta.main"}
NAME = re.compile(r"[^\w.+-]")


def fetched(url: str, name: str = "", *, votable: bool = False) -> str:
    """Path of what lies at an address: file:// as it is, http:// and https:// in a folder of this user alone.

    Parameters
    ----------
    name : str
        What a table is called there.
    votable : bool
        It is a VOTable; the path is that of the same table as FITS.

    Raises
    ------
    UsageError, MissingDataError
        Another kind of address, or nothing is there.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" or not parts.scheme:
        path = unquote(parts.path)
        if not os.path.exists(path):
            raise MissingDataError("no such file", path)
    elif parts.scheme in ("http", "https"):
        path = _downloaded(url, os.path.basename(parts.path))
    else:
        raise UsageError(f"{parts.scheme} is no address that can be read", url, "use file:// or https://")
    return _as_fits(path, name) if votable else path


def _downloaded(url: str, name: str) -> str:
    path = os.path.join(new_folder(), NAME.sub("_", name).lstrip(".") or "handed")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as source, open(path, "wb") as out:
            while part := source.read(PIECE):
                out.write(part)
                if out.tell() > MOST_BYTES:
                    raise UsageError("is larger than 4 GiB", url, "save it and open the file")
    except (URLError, OSError) as problem:
        raise MissingDataError(f"cannot be fetched ({problem})", url) from problem
    return path


def _as_fits(path: str, name: str) -> str:
    """A VOTable as a FITS table of that name in a file of its own."""
    from astropy.table import Table

    out = os.path.join(new_folder(), f"{Path(path).stem}.fits")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = Table.read(path, format="votable")
            table.meta = {"EXTNAME": "".join(c for c in name if " " <= c <= "~")[:MOST_NAME]} if name else {}
            table.remove_columns([name for name in table.colnames if table[name].dtype.kind == "O"])
            table.write(out, format="fits")
    except Exception as problem:  # whatever the parsers of XML raise
        raise UsageError(f"is no VOTable that can be read ({problem})", path) from problem
    return out


def image_file(image: Image, plane: tuple[int, ...], name: str) -> str:
    """One plane of an image as a FITS file with its WCS; the path."""
    path = os.path.join(new_folder(), f"{NAME.sub('_', name)}.fits")
    write_image(image, path, plane if image.pixels.ndim > 2 else None)
    return path


def table_file(dataset: Dataset, image: Image, name: str) -> str:
    """The fibers of an image as a VOTable, one row a fiber in their order; the path."""
    path = os.path.join(new_folder(), f"{NAME.sub('_', name)}-fibers.vot")
    table = outgoing.to_table(dataset, image)
    _say_places(table, dataset.fibermap if image.fibermap is None else image.fibermap)
    for column in [c for c in table.colnames if table[c].ndim > 1]:
        table.remove_column(column)
    write_table(table, path)
    return path


def _say_places(table: Table, fibers: FiberMap | None) -> None:
    """Tell other programs by UCD and unit which columns are the place on the sky."""
    for axis, ucd in PLACES.items():
        place = None if fibers is None else getattr(fibers, axis)
        if place is None:
            continue
        numbers = [c for c in table.colnames if table[c].dtype.kind == "f"]
        for column in [c for c in numbers if np.array_equal(table[c], place, equal_nan=True)][:1]:
            table[column].unit = "deg"
            table[column].info.meta = {"ucd": ucd}


def spectrum_file(spectrum: FiberSpectrum, name: str) -> str:
    """One spectrum as a FITS table: wavelength, flux, error, mask; the path."""
    path = os.path.join(new_folder(), f"{NAME.sub('_', name)}-{NAME.sub('_', spectrum.fiber_id)}.fits")
    write_table(outgoing.spectrum_table(spectrum), path, "SPECTRUM")
    return path

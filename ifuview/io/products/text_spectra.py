"""Text tables: ECSV, CSV and VOTable of one spectrum or of fibers, their columns known as those of a FITS table."""

from __future__ import annotations

import io
import os
import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, IfuviewError
from ifuview.inputs import read_text, regular_file
from ifuview.io.fits.fast import FitsFile, fits_of
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.products import tables
from ifuview.io.products.choose import choose
from ifuview.io.products.reading import READER
from ifuview.io.traces.table import SEPARATORS
from ifuview.model.dataset import Dataset
from ifuview.model.fibers import unknown

if TYPE_CHECKING:
    from astropy.table import Table

CSV = "ascii.csv"
FORMATS = {".ecsv": "ascii.ecsv", ".csv": CSV, ".vot": "votable", ".votable": "votable", ".xml": "votable"}
XML = (".vot", ".votable", ".xml")
LEAST_COLUMNS = 2  # of a table
MAX_SIZE = 1 << 28  # bytes of a text file that is taken for spectra
NAMED_UNIT = re.compile(r"(.*?)\s*[(\[]([^)\]]+)[)\]]")  # names of columns such as Wavelength (nm)


def is_votable(path: str) -> bool:
    """Whether a file is a VOTable by its suffix and its first characters."""
    if not path.lower().endswith(XML):
        return False
    with open(path, "rb") as file:
        return b"<VOTABLE" in file.read(4096).upper()


def text_dataset(spec: FileSpec, ctx: JobContext = SILENT, no_traces: str = "") -> Dataset:
    """The spectrum of a text file, else its table, with a note of what it lacks to be a spectrum, and why no traces.

    Raises
    ------
    FileFormatError
        It is no table, or has no two columns, one of them of numbers.
    """
    fits = _as_fits(spec.path)
    probe = FileProbe(spec, fits, fits.primary, frozenset(name for name in fits.names if name))
    if choose(probe) is None:
        if tables.READER.score(probe):
            return tables.READER.read(probe, spec, ctx)
        names, forms = ([str(v) for hdu in fits.hdus for k, v in hdu.header.items() if k.startswith(key)]
                        for key in ("TTYPE", "TFORM"))  # fmt: skip
        text = f"has no columns of wavelength and flux (it has: {', '.join(names)})"
        if len(names) < LEAST_COLUMNS or all(form.endswith("A") for form in forms):
            raise FileFormatError(text, spec.path, "call them wavelength and flux, and give their units")
        found = tables.READER.read(probe, spec, ctx)
        lacking = f"{text}; it holds no traces: {no_traces}" if no_traces else text
        return replace(found, notes=(*found.notes, f"shown as a table: it {lacking}"))
    return READER.read(probe, spec, ctx)


def _as_fits(path: str) -> FitsFile:
    """The table as FITS in memory."""
    if regular_file(path).st_size > MAX_SIZE:
        raise FileFormatError("is too large for a spectrum in text", path)
    suffix = os.path.splitext(path)[1].lower()
    try:
        with warnings.catch_warnings():  # of units in an old spelling
            warnings.simplefilter("ignore")
            return fits_of(_bytes(path, FORMATS[suffix]), path)
    except IfuviewError:
        raise
    except Exception as problem:  # whatever the parsers of text raise
        raise FileFormatError(f"is no table of text that can be read ({problem})", path) from problem


def _bytes(path: str, kind: str) -> bytes:
    """The table as a FITS file, cells without a value as NaN; columns of texts of any length are left out."""
    from astropy.io import fits
    from astropy.table import Column, MaskedColumn

    table = _table(path, kind)
    if not len(table):
        raise FileFormatError("is a table without rows", path)
    table.remove_columns([name for name in table.colnames if table[name].dtype.kind == "O"])
    for name in table.colnames:
        column = table[name]
        if isinstance(column, MaskedColumn):
            table[name] = Column(unknown(np.asarray(column.filled()), column.mask), unit=column.unit)
        if column.unit is None and (named := NAMED_UNIT.fullmatch(name)) and named[1] not in table.colnames:
            table[name].unit = named[2]
            table.rename_column(name, named[1])
    table.meta = {key: value for key, value in table.meta.items() if isinstance(value, (str, int, float))}
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(table)]).writeto(out)
    return out.getvalue()


def _table(path: str, kind: str) -> Table:
    """The table as astropy reads it; of CSV whatever separates the columns: numbers may have a comma beside a ;."""
    from astropy.table import Table

    if kind != CSV:
        return Table.read(path, format=kind)
    lines = [line for line in read_text(path, MAX_SIZE).splitlines() if not line.lstrip().startswith("#")]
    separator = max(SEPARATORS, key=lines[0].count) if lines else ","
    if separator == ";":
        lines = [line.replace(",", ".") for line in lines]
    return Table.read(lines, format=kind, delimiter=separator)

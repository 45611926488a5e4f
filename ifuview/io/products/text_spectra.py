"""Text tables: ECSV, CSV and VOTable of one spectrum or of fibers, their columns known as those of a FITS table."""

from __future__ import annotations

import io
import os
import warnings

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.inputs import regular_file
from ifuview.io.fits.fast import FitsFile, fits_of
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.products import tables
from ifuview.io.products.choose import choose
from ifuview.io.products.reading import READER
from ifuview.model.dataset import Dataset

FORMATS = {".ecsv": "ascii.ecsv", ".csv": "ascii.csv", ".vot": "votable", ".votable": "votable", ".xml": "votable"}
XML = (".vot", ".votable", ".xml")
MAX_SIZE = 1 << 28  # bytes of a text file that is taken for spectra


def is_votable(path: str) -> bool:
    """Whether a file is a VOTable by its suffix and its first characters."""
    if not path.lower().endswith(XML):
        return False
    with open(path, "rb") as file:
        return b"<VOTABLE" in file.read(4096).upper()


def text_dataset(spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
    """The spectrum of a text file, or its table of fibers.

    Raises
    ------
    FileFormatError
        It is no table, or has no column of wavelengths and none of flux, nor one that knows the fiber.
    """
    fits = _as_fits(spec.path)
    probe = FileProbe(spec, fits, fits.primary, frozenset(name for name in fits.names if name))
    if choose(probe) is None:
        if tables.READER.score(probe):
            return tables.READER.read(probe, spec, ctx)
        known = ", ".join(str(v) for hdu in fits.hdus for k, v in hdu.header.items() if k.startswith("TTYPE"))
        text = f"has no columns of wavelength and flux (it has: {known})"
        raise FileFormatError(text, spec.path, "call them wavelength and flux, and give their units")
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
    except Exception as problem:  # whatever the parsers of text raise
        raise FileFormatError(f"is no table of text that can be read ({problem})", path) from problem


def _bytes(path: str, kind: str) -> bytes:
    """The table as a FITS file; columns of texts of any length are left out."""
    from astropy.io import fits
    from astropy.table import Table

    table = Table.read(path, format=kind).filled()
    table.remove_columns([name for name in table.colnames if table[name].dtype.kind == "O"])
    table.meta = {key: value for key, value in table.meta.items() if isinstance(value, (str, int, float))}
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(table)]).writeto(out)
    return out.getvalue()

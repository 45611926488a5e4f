"""Catalogs of stars around a field: the cached table of the published pipeline, ECSV, CSV, VOTable or FITS.

Columns are known by their names in the usual surveys. The cached table is Panstarrs_RA_DEC_RADIUS.dat, in "fixed width,
two lines"; where no file is named, one around the position of the header is looked for.
"""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.inputs import regular_file
from ifuview.model.reduction.solution import BANDS, StarCatalog

if TYPE_CHECKING:
    from astropy.table import Table

CACHED = re.compile(
    r"Panstarrs_(?P<ra>\d+(\.\d*)?)_(?P<dec>[-+]?\d+(\.\d*)?)_(?P<radius>\d+(\.\d*)?)\.dat", re.ASCII | re.IGNORECASE
)
RADIUS = 0.15  # deg, of the cached tables
FORMATS = {
    ".ecsv": "ascii.ecsv", ".csv": "ascii.csv", ".vot": "votable", ".votable": "votable", ".xml": "votable",
    ".fits": "fits", ".fit": "fits", ".gz": "fits",
}  # fmt: skip
RA = ("ramean", "ra", "raj2000", "ra_icrs", "ra_deg", "alpha_j2000", "rastack")
DEC = ("decmean", "dec", "dej2000", "decj2000", "de_icrs", "dec_deg", "delta_j2000", "decstack")
MAGNITUDES = ("{0}apmag", "{0}meanapmag", "{0}meanpsfmag", "{0}psfmag", "{0}mag", "mag_{0}", "{0}meankronmag",
              "{0}kronmag", "{0}_mag", "{0}")  # fmt: skip
NONE = (-99.0, 5.0, 40.0)  # magnitudes below the second or above the third are no measurement
MOST = 1 << 28  # bytes of a catalog


def read_catalog(path: str) -> StarCatalog:
    """Read a catalog.

    Raises
    ------
    FileFormatError
        It is no table, or has no right ascension and declination in degrees, or no magnitude in g.
    MissingDataError
        It has no row.
    """
    if regular_file(path).st_size > MOST:
        raise FileFormatError("is too large for a catalog of one field", path)
    table = _table(path)
    names = {str(name).lower(): str(name) for name in table.colnames}
    ra, dec = _column(table, names, RA), _column(table, names, DEC)
    found = [_column(table, names, tuple(form.format(band) for form in MAGNITUDES)) for band in BANDS]
    if ra is None or dec is None or found[0] is None:
        what = "right ascension" if ra is None else "declination" if dec is None else "magnitude in g"
        raise FileFormatError(
            f"has no column of {what} (it has: {', '.join(list(names.values())[:12])})", path,
            "call them ra, dec (degrees) and g, r, i, z, y",
        )  # fmt: skip
    magnitude = np.stack([np.full(ra.shape, np.nan) if one is None else one for one in found], axis=1)
    magnitude[(magnitude < NONE[1]) | (magnitude > NONE[2])] = np.nan
    good = np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= 90)
    if not good.any():
        raise MissingDataError("the catalog has no source", path)
    return StarCatalog(ra[good] % 360.0, dec[good], magnitude[good], path)


def find_catalog(ra: float, dec: float, folders: Iterable[str]) -> str | None:
    """The cached catalog around a position (deg): of just that name, else the nearest that covers it; None for none."""
    folders = [folder for folder in dict.fromkeys(folders) if folder and os.path.isdir(folder)]
    exact = f"Panstarrs_{ra:.6f}_{dec:.5f}_{RADIUS:.4f}.dat"
    best: tuple[float, str] | None = None
    for folder in folders:
        if os.path.isfile(os.path.join(folder, exact)):
            return os.path.join(folder, exact)
        for name in sorted(os.listdir(folder)):
            match = CACHED.fullmatch(name)
            if match is None:
                continue
            east = ((float(match["ra"]) - ra + 180.0) % 360.0 - 180.0) * math.cos(math.radians(dec))
            apart = math.hypot(east, float(match["dec"]) - dec)
            if apart < float(match["radius"]) and (best is None or apart < best[0]):
                best = apart, os.path.join(folder, name)
    return None if best is None else best[1]


def _table(path: str) -> Table:
    """The table of a file."""
    from astropy.table import Table

    suffix = os.path.splitext(path)[1].lower()
    forms = [FORMATS[suffix]] if suffix in FORMATS else ["ascii.fixed_width_two_line", "ascii"]
    problem: Exception | None = None
    with warnings.catch_warnings():  # of units in an old spelling
        warnings.simplefilter("ignore")
        for form in forms:
            try:
                return Table.read(path, format=form)
            except Exception as found:  # whatever the parsers raise
                problem = found
    raise FileFormatError(
        "is no table that can be read", path, "give ECSV, CSV, VOTable, FITS or fixed width"
    ) from problem


def _column(table: Table, names: dict[str, str], known: tuple[str, ...]) -> np.ndarray | None:
    """A column by the first of its names, as numbers, NaN where nothing is known; None for none."""
    for name in known:
        if name in names:
            column = table[names[name]]
            filled = column.filled(np.nan) if hasattr(column, "filled") and column.dtype.kind == "f" else column
            try:
                out = np.array(filled, np.float64)
            except (TypeError, ValueError):
                continue
            if hasattr(column, "mask") and np.ndim(column.mask):
                out[np.asarray(column.mask)] = np.nan
            return out
    return None

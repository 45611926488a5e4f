"""Spectral axes given by a table (-TAB, Greisen et al. 2006, section 6) with one coordinate."""

from __future__ import annotations

import numpy as np

from ifuview.errors import IfuviewError
from ifuview.io.fits.cards import real, word
from ifuview.io.spectral.axis import Tables, Wavelengths
from ifuview.model.checks import Array, Header
from ifuview.model.dataset import Table


def world_of(header: Header, axis: int, along: Array, tables: Tables | None) -> tuple[Array, str] | Wavelengths:
    """World coordinates of intermediate ones and their unit, else why there are none."""
    name, column, index = (word(header.get(f"PS{axis}_{m}")) for m in (0, 1, 2))
    version = int(real(header.get(f"PV{axis}_1")) or 1)
    try:
        table = tables(name, version) if tables is not None and name else None
    except IfuviewError as problem:
        return _none(f"{name} cannot be read ({problem})")
    if table is None:
        return _none(f"the table {name or 'PS'} of axis {axis} is not there")
    values, unit = _column(table, column)
    places, _ = _column(table, index) if index else (None, "")
    if values is None or (index and (places is None or len(places) != len(values))) or len(values) < 2:
        return _none(f"the table {name} of axis {axis} has no column {column} of one coordinate")
    at = (real(header.get(f"CRVAL{axis}")) or 0.0) + along
    if places is not None:
        order = np.argsort(places)
        at = np.interp(at, places[order], order + 1.0, left=np.nan, right=np.nan)
    row = np.arange(len(values)) + 1.0
    world = np.interp(at, row, values)
    for end, inside in ((0, at < 1), (-1, at > len(values))):  # half a cell beyond the table goes on straight
        slope = values[1] - values[0] if end == 0 else values[-1] - values[-2]
        far = np.abs(at - row[end])
        world = np.where(inside, np.where(far <= 0.5, values[end] + slope * (at - row[end]), np.nan), world)
    if not np.all(np.isfinite(world)):
        return _none(f"the table {name} does not reach over axis {axis}")
    return world, unit or word(header.get(f"CUNIT{axis}"))


def _column(table: Table, name: str) -> tuple[Array | None, str]:
    """One vector of a table of one row (or one number a row), and its unit."""
    own = next((key for key in table.columns if key.lower() == name.lower()), "")
    values = table.columns.get(own)
    if values is None or values.dtype.kind not in "iuf" or sum(n > 1 for n in values.shape) != 1:
        return None, ""
    return values.ravel().astype(np.float64), table.units.get(own, "")


def _none(why: str) -> Wavelengths:
    return Wavelengths(None, notes=(f"there are no wavelengths: {why}",))

"""Wavelengths and line spread of a product, in Angstrom, from wherever its instrument file says they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ifuview.io.fits.fast import FitsFile
from ifuview.io.fits.world import NO_UNIT, angstrom_by_size, axis_wavelength
from ifuview.io.products.layers import Hdus, ProductLayer, Source, table_of
from ifuview.io.products.polynomials import polynomials
from ifuview.io.spectral.axis import angstrom_per, logarithm_of
from ifuview.io.spectral.units import by_equivalence, is_other
from ifuview.model.checks import Array
from ifuview.model.dataset import Table
from ifuview.model.product import LsfSpec, WaveSpec

FWHM_PER_SIGMA = 2.3548200450309493  # sqrt(8 ln 2)


class Wave(NamedTuple):
    """Wavelengths, Angstrom, and what is to be said of them; `medium` is "" where the file does not tell."""

    values: Array
    medium: str = ""
    notes: tuple[str, ...] = ()


class Asked(NamedTuple):
    """What wavelengths are looked for: those of `main` (in `kind`), among its file's HDUs or its table's columns."""

    fits: FitsFile
    source: Source
    main: ProductLayer
    kind: str

    @property
    def nspec(self) -> int:
        """Number of spectra; 0 for a cube."""
        return 0 if self.kind == "cube" else self.main.shape[0] if len(self.main.shape) == 2 else 1

    @property
    def nwave(self) -> int:
        """Number of wavelengths."""
        return self.main.shape[-3] if self.kind == "cube" else self.main.shape[-1]

    def table(self, name: str, version: int) -> Table | None:
        """A table of the file."""
        return table_of(self.fits, name, version, [])


def wavelengths(specs: tuple[WaveSpec, ...], asked: Asked, notes: list[str]) -> Wave | None:
    """The wavelengths of the first of `specs` that is there and fits; None without one."""
    for spec in specs:
        if spec.wcs:
            found = _of_wcs(spec, asked, notes)
        elif spec.header:
            found = _of_header(spec, asked)
        elif spec.form == "poly":
            found = _of_polynomials(spec, asked, notes)
        elif spec.form == "edges":
            found = _of_edges(spec, asked, notes)
        else:
            found = _of_numbers(spec, asked, notes)
        if found is not None:
            return found
    return None


def _of_wcs(spec: WaveSpec, asked: Asked, notes: list[str]) -> Wave | None:
    """World coordinates of one axis."""
    axis = spec.axis or (3 if asked.kind == "cube" else 1)
    header = dict(asked.main.header)
    if spec.unit and not header.get(f"CUNIT{axis}"):
        header[f"CUNIT{axis}"] = spec.unit
    found = axis_wavelength(header, axis, asked.nwave, asked.nspec, asked.table)
    if found is None:
        return None
    if found.values is None:
        notes.extend(found.notes)
        return None
    return Wave(found.values, found.medium, found.notes)


def _of_header(spec: WaveSpec, asked: Asked) -> Wave | None:
    """First value, step and reference pixel of cards."""
    cards = [asked.main.header.get(key) for key in spec.header]
    numbers = [float(n) for n in cards if isinstance(n, (int, float)) and not isinstance(n, bool)]
    if len(numbers) < len(cards) or not numbers[1]:
        return None
    start, step, pixel = (*numbers, 1.0)[:3]
    return _wave(start + (np.arange(asked.nwave) + 1.0 - pixel) * step, spec, "")


def _of_numbers(spec: WaveSpec, asked: Asked, notes: list[str]) -> Wave | None:
    """An image, or a column of a table, of wavelengths or of their logarithms."""
    if spec.table:
        table = table_of(asked.fits, spec.table, asked.main.version, notes)
        column = None if table is None else _column(table.columns, spec.column)
        if table is None or column is None:
            return None
        name, values, unit = spec.table, column.astype(np.float64), table.units.get(spec.column, "")
        if values.size == asked.nwave:
            values = values.ravel()
    else:
        layer = asked.source.find(spec.hdu, asked.main.version)
        if layer is None:
            return None
        name, values, unit = layer.name, layer.values(), layer.unit
    fits = [(asked.nwave,)] if asked.kind == "cube" else [(asked.nwave,), (asked.nspec, asked.nwave)]
    if values.shape not in fits:
        fitting = " x ".join(str(n) for n in asked.main.shape)
        notes.append(f"{name} is left out: its shape {values.shape} does not fit {fitting}")
        return None
    if why := _no_wavelengths(name, values, unit):
        notes.append(why)
        return None
    return _wave(values, spec, unit)


def _of_edges(spec: WaveSpec, asked: Asked, notes: list[str]) -> Wave | None:
    """The middles of bins; of bins of something else, as of times, nothing is said."""
    hdu, table = Hdus(asked.fits).hdu(spec.table, asked.main.version), asked.table(spec.table, asked.main.version)
    edges = None if table is None else _column(table.columns, spec.column)
    if hdu is None or table is None or edges is None:
        return None
    unit = table.units.get(spec.column, "") or str(hdu.header.get("UNIT") or "").strip()
    if is_other(unit) or edges.shape != (asked.nwave + 1,):
        return None
    values = edges.astype(np.float64)
    return _wave((values[1:] + values[:-1]) / 2, spec, unit)


def _column(columns: Mapping[str, Array], name: str) -> Array | None:
    """A column of numbers, in any case of letters."""
    found = next((values for key, values in columns.items() if key.lower() == name.lower()), None)
    return found if found is not None and found.dtype.kind in "iuf" else None


def _of_polynomials(spec: WaveSpec, asked: Asked, notes: list[str]) -> Wave | None:
    """A table of one polynomial a fiber."""
    values = _rows(spec.table or spec.hdu, asked, notes)
    return None if values is None else _wave(values, spec, "")


def _rows(name: str, asked: Asked, notes: list[str]) -> Array | None:
    """Polynomials of a table, one row for each spectrum."""
    table = table_of(asked.fits, name, asked.main.version, notes)
    values = None if table is None else polynomials(table, asked.nwave)
    if values is not None and len(values) != asked.nspec:
        notes.append(f"{name} is left out: it has {len(values)} rows for {asked.nspec} spectra")
        return None
    return values


def _wave(values: Array, spec: WaveSpec, unit: str) -> Wave:
    """Wavelengths of numbers in the file's unit, else that of the instrument file, else by their size."""
    logarithm = logarithm_of(unit)
    if spec.form == "log10" or logarithm is not None:
        with np.errstate(over="ignore"):
            values = 10.0**values
        unit = unit if logarithm is None else logarithm
    factor = angstrom_per(unit)
    if factor is None and unit.strip() and (found := by_equivalence(values, unit)) is not None:
        return Wave(found)
    factor = factor or angstrom_per(spec.unit)
    if factor is None:
        note = f"{unit} is no unit that is known: that of the wavelengths is taken from the size of the numbers"
        return Wave(values * angstrom_by_size(values), notes=(note if unit.strip() else NO_UNIT,))
    return Wave(values * factor)


def _no_wavelengths(name: str, values: Array, unit: str) -> str:
    """Why numbers called wavelengths are none, "" where they may be."""
    if not np.isfinite(values).any():
        return f"{name} is left out: none of its wavelengths is a number"
    usual = logarithm_of(unit) is not None or angstrom_per(unit) is not None  # told at once, other units are astropy's
    return f"{name} is left out: {unit} is a unit of no wavelengths" if not usual and is_other(unit) else ""


def line_spread(specs: tuple[LsfSpec, ...], asked: Asked) -> Array | None:
    """FWHM in Angstrom, shape (nfiber, nwave), from the first of `specs` that fits."""
    for spec in specs:
        if spec.form == "poly":
            values = _rows(spec.hdu, asked, [])
        else:
            layer = asked.source.find(spec.hdu, asked.main.version)
            values = None if layer is None else layer.values()
        if values is not None and values.shape == asked.main.shape:
            factor = (angstrom_per(spec.unit) or 1.0) * (FWHM_PER_SIGMA if spec.kind == "sigma" else 1.0)
            return np.asarray(values * factor, np.float32)
    return None

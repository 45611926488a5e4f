"""Numbers of a file under a name: an HDU, or a column of a table, so that one reader serves both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError
from ifuview.io.fits.fast import FitsFile, Hdu
from ifuview.io.fits.plain import full_header, hdu_pixels
from ifuview.io.fits.table import read_table
from ifuview.io.fits.world import permuted, turned_axes
from ifuview.model.checks import Array, Header
from ifuview.model.dataset import Table
from ifuview.model.pixels import Pixels

PRIMARY = "PRIMARY"


class ProductLayer(NamedTuple):
    """Numbers that are not read yet.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Without leading axes of length 1.
    unit : str
    version : int
        EXTVER.
    header : mapping
        Of the HDU, with what it inherits.
    read : callable(JobContext) -> Pixels
        Of that shape; one dimension is one row.
    """

    name: str
    shape: tuple[int, ...]
    unit: str
    version: int
    header: Header
    read: Callable[[JobContext], Pixels]

    def values(self) -> Array:
        """All numbers in double precision, of `shape`."""
        found = self.read(SILENT)
        values = found.raw.astype(np.float64) * found.scale + found.zero
        if found.blank is not None:
            values = np.where(found.raw == found.blank, np.nan, values)
        return values.reshape(self.shape)


class Source(Protocol):
    """Where layers come from."""

    def find(self, name: str, version: int | None = None) -> ProductLayer | None:
        """The layer of that name (and, where several bear it, of that version) if it has numbers."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all layers, in the order of the file."""


class Hdus:
    """The HDUs of a file that have pixels."""

    def __init__(self, fits: FitsFile) -> None:
        self._fits = fits

    @property
    def names(self) -> tuple[str, ...]:
        """EXTNAMEs."""
        return tuple(hdu.info.name for hdu in self._fits.hdus if hdu.has_image and hdu.info.name)

    def find(self, name: str, version: int | None = None) -> ProductLayer | None:
        """The HDU of that name."""
        hdu = self.hdu(name, version)
        return None if hdu is None or not hdu.has_image else self.layer(hdu)

    def hdu(self, name: str, version: int | None = None) -> Hdu | None:
        """The HDU of that name, whatever it is; PRIMARY is the first one, however it is called."""
        if name.upper() == PRIMARY:
            return self._fits.hdus[0]
        same = [hdu for hdu in self._fits.hdus if hdu.info.name.upper() == name.upper()]
        exact = [hdu for hdu in same if version in (None, hdu.info.version)]
        return exact[0] if exact else same[0] if len(same) == 1 else None

    def layer(self, hdu: Hdu) -> ProductLayer:
        """One HDU as a layer."""
        shape = squeezed(hdu.info.shape)

        def read(ctx: JobContext) -> Pixels:
            found = hdu_pixels(hdu, ctx)
            full = shape if len(shape) > 1 else (1, *shape)
            return found if found.shape == full else found.reshaped(full)

        name = hdu.info.name or f"[{hdu.info.index}]"
        return ProductLayer(name, shape, hdu.info.unit, hdu.info.version, full_header(self._fits, hdu), read)


class Turned:
    """Layers of a source with one axis, that of wavelength, put where it belongs; others as they are."""

    def __init__(self, source: Source, shape: tuple[int, ...], axis: int) -> None:
        self._source, self._shape = source, shape
        self.axis = axis
        self._turn, self._order = turned_axes(len(shape), axis)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all layers."""
        return self._source.names

    def find(self, name: str, version: int | None = None) -> ProductLayer | None:
        """The layer of that name, turned if it has the shape of those that are."""
        found = self._source.find(name, version)
        return found if found is None or found.shape != self._shape else self.layer(found)

    def layer(self, layer: ProductLayer) -> ProductLayer:
        """A layer with its axes in another order."""
        shape = squeezed(tuple(layer.shape[k] for k in self._turn))

        def read(ctx: JobContext) -> Pixels:
            found = layer.read(ctx)
            return replace(found, raw=found.raw.transpose(self._turn).reshape(shape))

        return layer._replace(shape=shape, header=permuted(layer.header, self._order), read=read)


class Columns:
    """The columns of a table: one row of vectors or one row a pixel is a spectrum, more rows of vectors are many."""

    def __init__(self, fits: FitsFile, hdu: Hdu) -> None:
        self.table = read_table(hdu)
        self._header = full_header(fits, hdu)
        self._folded = {name.lower(): name for name in self.table.columns}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.table.columns)

    def find(self, name: str, version: int | None = None) -> ProductLayer | None:
        """The column of that name, in any case of letters."""
        own = self._folded.get(name.lower(), "")
        values = self.table.columns.get(own)
        if values is None or values.dtype.kind not in "iufb" or not values.size:
            return None
        shape = squeezed(values.shape)
        full = shape if len(shape) > 1 else (1, *shape)
        numbers = values.reshape(full)
        if numbers.dtype.kind == "b":
            numbers = numbers.astype(np.uint8)
        return ProductLayer(own, shape, self.table.units.get(own, ""), 1, self._header, lambda ctx: Pixels(numbers))


class Rows:
    """The rows of the first image that its cards name, PREFIX1 the first; then the HDUs of the file."""

    def __init__(self, fits: FitsFile, prefix: str) -> None:
        self._hdus = Hdus(fits)
        self._image = self._hdus.layer(fits.hdus[0])
        rows = range(1, self._image.shape[0] + 1 if len(self._image.shape) == 2 else 1)
        named = {n: str(self._image.header.get(f"{prefix}{n}", "")).strip() for n in rows}
        self._rows = {name.lower(): (n - 1, name) for n, name in named.items() if name}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rows, then the EXTNAMEs."""
        return (*(name for _, name in self._rows.values()), *self._hdus.names)

    def find(self, name: str, version: int | None = None) -> ProductLayer | None:
        """The row of that name, in any case of letters, else the HDU."""
        if name.lower() not in self._rows:
            return self._hdus.find(name, version)
        row, own = self._rows[name.lower()]

        def read(ctx: JobContext) -> Pixels:
            found = self._image.read(ctx)
            return replace(found, raw=found.raw[row : row + 1])

        return self._image._replace(name=own, shape=self._image.shape[1:], read=read)


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without leading axes of length 1."""
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def table_of(
    fits: FitsFile, name: str, version: int | None, notes: list[str], columns: tuple[str, ...] = ()
) -> Table | None:
    """The table HDU of that name, or some of its columns; None, with a note if it cannot be read."""
    hdu = Hdus(fits).hdu(name, version)
    if hdu is None or hdu.info.kind != "table":
        return None
    try:
        return read_table(hdu, columns or None)
    except IfuviewError as problem:
        notes.append(f"{name} is left out: {problem}")
        return None


def fitting(
    source: Source, name: str, main: ProductLayer, shape: tuple[int, ...], notes: list[str]
) -> ProductLayer | None:
    """The layer of that name if it has `shape`; None without one, with a note if it has another shape."""
    found = source.find(name, main.version)
    if found is not None and found.shape != shape:
        notes.append(f"{name} is left out: its shape {found.shape} is not {shape}")
        return None
    return found


def read_layer(layer: ProductLayer, notes: list[str], ctx: JobContext) -> Pixels | None:
    """Its pixels; None with a note if they cannot be read."""
    try:
        return layer.read(ctx)
    except IfuviewError as problem:
        notes.append(f"{layer.name} is left out: {problem}")
        return None

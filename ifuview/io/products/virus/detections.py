"""Detections in the file of an observation: their columns at once, one with its spectrum and fibers when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.io.hdf5.file import check_claim, dataset, h5_open, reading
from ifuview.io.products.virus.fiber_rows import FIRST, LAYOUTS, STEP, heads_of
from ifuview.model.checks import Array
from ifuview.model.night.detections import DetectionSpectrum, DetectionTable, PlaceFibers

if TYPE_CHECKING:
    from h5py import Dataset as Node
    from h5py import File

TABLE = "Detections"
COLUMNS = {
    "slot": "ifuslot", "kind": "kind", "x": "ifux", "y": "ifuy", "ra": "ra", "dec": "dec", "wave": "wave",
    "flux": "flux", "sn": "sn", "chi2": "chi2", "fwhm": "fwhm", "doubts": "doubts",
}  # fmt: skip
NEEDED = ("slot", "x", "y", "wave", "sn")
LINE = "line"


def read_detections(path: str) -> DetectionTable:
    """All detections of a file; columns that it does not have are NaN, 0 or "line".

    Raises
    ------
    MissingDataError, FileFormatError
        It has no such table, or is damaged.
    """
    with h5_open(path) as file:
        node = _table(file, path)
        names = node.dtype.names or ()
        plain = [column for column in COLUMNS.values() if column in names]
        lacking = [COLUMNS[name] for name in NEEDED if COLUMNS[name] not in names]
        if lacking:
            raise FileFormatError(f"its detections have no {', '.join(lacking)}", path)
        with reading(path, TABLE):
            rows = node.fields(plain)[:]
    count = len(rows)

    def column(name: str) -> Array:
        own = COLUMNS[name]
        if own in plain:
            values: Array = rows[own]
            return _texts(values) if values.dtype.kind == "S" or name in ("slot", "kind") else values
        if name == "kind":
            return np.full(count, LINE)
        return np.zeros(count, int) if name == "doubts" else np.full(count, np.nan)

    found = {name: column(name) for name in COLUMNS}
    found["slot"] = np.char.zfill(found["slot"].astype(str), 3)
    return DetectionTable(**found)


@dataclass(frozen=True, slots=True, eq=False)
class DetectionFile:
    """Spectra and fibers of the detections of a file, read when they are asked for."""

    path: str
    table: DetectionTable

    def spectrum(self, row: int) -> DetectionSpectrum:
        """The spectrum of one detection."""
        return read_detection(self.path, row)

    def fibers(self, row: int, reach: float) -> PlaceFibers:
        """The fibers within `reach` (arcsec) of it, the nearest first."""
        table = self.table
        return read_fibers(self.path, str(table.slot[row]), float(table.x[row]), float(table.y[row]), reach)


def read_detection(path: str, row: int) -> DetectionSpectrum:
    """The spectrum of one detection.

    Raises
    ------
    MissingDataError, FileFormatError
        There is no such row, or the file is damaged.
    """
    with h5_open(path) as file:
        node = _table(file, path)
        if not 0 <= row < len(node):
            raise MissingDataError(f"there is no detection {row}", path)
        with reading(path, TABLE):
            one = node[row]
    names = one.dtype.names or ()
    flux = np.asarray(one["spectrum"], np.float64) if "spectrum" in names else np.zeros(0)
    zero = np.zeros(flux.size)
    error, model = (np.asarray(one[n], np.float64) if n in names else zero for n in ("error", "model"))
    return DetectionSpectrum(FIRST + STEP * np.arange(flux.size), flux, error, model)


def read_fibers(path: str, slot: str, x: float, y: float, reach: float) -> PlaceFibers:
    """Fibers of a head within `reach` (arcsec) of a place, the nearest first.

    Raises
    ------
    MissingDataError, FileFormatError
        The file has no such head, or is damaged.
    """
    layout = LAYOUTS[0]
    with h5_open(path) as file:
        heads = heads_of(path, file, layout)
        node, info = dataset(file, layout.table), dataset(file, layout.info)
        if slot not in heads or node is None or info is None:
            raise MissingDataError(f"the file has no fibers of head {slot}", path)
        rows = heads[slot]
        first, last = int(rows[0]), int(rows[-1]) + 1
        with reading(path, layout.info):
            found = info.fields(["ifux", "ifuy", "amp", layout.exposure])[first:last][rows - first]
        away = np.hypot(found["ifux"] - x, found["ifuy"] - y)
        near = np.flatnonzero(away <= reach)
        near = near[np.argsort(away[near], kind="stable")]
        flux, error = _spectra(path, node, rows[near], (layout.flux, layout.error))
    wave = FIRST + STEP * np.arange(flux.shape[1])
    return PlaceFibers(
        wave, flux, error, found["ifux"][near], found["ifuy"][near], found[layout.exposure][near],
        _texts(found["amp"][near]), near,
    )  # fmt: skip


def _table(file: File, path: str) -> Node:
    node = dataset(file, TABLE)
    if node is None or node.ndim != 1:
        raise MissingDataError("the file has no detections", path)
    check_claim(path, node)
    return node


def _spectra(path: str, node: Node, rows: Array, names: tuple[str, str]) -> tuple[Array, Array]:
    """Two columns of a few rows."""
    order = np.argsort(rows)
    shape = (rows.size, *node.dtype[names[0]].shape)
    out = np.full((2, *shape), np.nan, np.float32)
    with reading(path, node.name):
        for place in order:
            one = node[int(rows[place])]
            out[0, place], out[1, place] = one[names[0]], one[names[1]]
    return out[0], out[1]


def _texts(values: Array) -> Array:
    """Texts, or numbers as such."""
    return np.char.decode(values, "ascii", "replace") if values.dtype.kind == "S" else values.astype(str)

"""Fibers of an observation, a row each in a table: which rows a head has, and its spectra as an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ifuview.errors import FileFormatError
from ifuview.io.hdf5.file import check_claim, dataset, reading
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.quality import MaskBits

if TYPE_CHECKING:
    from h5py import Dataset as Node
    from h5py import File

FIRST, STEP = 3470.0, 2.0  # Angstrom, of the common grid
UNIT = "1e-17 erg/s/cm2/Angstrom"
MASKED = MaskBits({0: ("MASKED", "the file has no value or no error there")})
ROW_BYTES = 64 << 20  # that are read at a time


class FiberLayoutOf(NamedTuple):
    """Where a kind of file has its fibers.

    Parameters
    ----------
    name : str
        As users ask for it.
    table, info : str
        Tables of the spectra, and of what fibers are (the same one, or one of as many rows).
    flux, error, wave : str
        Columns; "" of wavelengths: the common grid.
    exposure : str
        Column of the exposure's number.
    unit, medium : str
    """

    name: str
    table: str
    info: str
    flux: str
    error: str
    wave: str
    exposure: str
    unit: str
    medium: str


LAYOUTS = (
    FiberLayoutOf("Fibers", "Fibers", "Info", "spectrum", "error", "", "exp", UNIT, "air"),
    FiberLayoutOf("calfib", "Data/Fibers", "Data/Fibers", "calfib", "calfibe", "", "expnum",
                  "1e-17 erg/s/cm2", "air"),
    FiberLayoutOf("sky_subtracted", "Data/Fibers", "Data/Fibers", "sky_subtracted", "error1D", "wavelength", "expnum",
                  "electron", "air"),
    FiberLayoutOf("Raw", "Raw", "Info", "spectrum", "error", "wave", "exp", "electron/Angstrom", "air"),
)  # fmt: skip


def heads_of(path: str, file: File, layout: FiberLayoutOf) -> Mapping[str, NDArray[np.intp]]:
    """Rows of each head, by its slot, in the order of the file.

    Raises
    ------
    FileFormatError
        The tables do not belong together.
    """
    node, info = dataset(file, layout.table), dataset(file, layout.info)
    if node is None:
        raise FileFormatError(f"has no table {layout.table}", path)
    check_claim(path, node)
    if info is None or info.ndim != 1 or "ifuslot" not in (info.dtype.names or ()):
        return {"all": np.arange(len(node))}
    if len(info) != len(node):
        what = f"{layout.info} has {len(info)} rows and {layout.table} {len(node)}"
        raise FileFormatError(what, path, "copy the file again")
    with reading(path, layout.info):
        slot = info.fields("ifuslot")[:]
    words = _texts(slot)
    names, first, which = np.unique(words, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return {str(names[n]).zfill(3): np.flatnonzero(which == n) for n in order}


def image_of_head(path: str, file: File, layout: FiberLayoutOf, name: str, rows: Array) -> Image:
    """The spectra of one head."""
    node, info = dataset(file, layout.table), dataset(file, layout.info)
    assert node is not None
    columns = [key for key in (layout.flux, layout.error, layout.wave) if key in (node.dtype.names or ())]
    found = {key: _read(path, node, key, rows) for key in columns}
    flux = found[layout.flux]
    error = found.get(layout.error)
    lost = ~np.isfinite(flux) | (np.zeros(flux.shape, bool) if error is None else ~(error > 0))
    wave = found.get(layout.wave)
    if wave is None:
        wave = FIRST + STEP * np.arange(flux.shape[1])
    ivar = None if error is None else Pixels(np.nan_to_num(error), power=-2)
    return Image(
        f"{name} {layout.name}", Kind.RSS, Pixels(flux), ivar=ivar, mask=Pixels(lost.astype(np.uint8)),
        mask_bits=MASKED, unit=layout.unit, wave=np.asarray(wave, np.float64), medium=layout.medium,
        fibermap=None if info is None else _fibers(path, info, layout, rows), camera=name, stage=layout.name,
    )  # fmt: skip


def _read(path: str, node: Node, column: str, rows: Array) -> NDArray[np.float32]:
    """One column of some rows, piece by piece, as rows of tables are long."""
    shape = node.dtype[column].shape
    if len(shape) != 1:
        raise FileFormatError(f"{column} of {node.name} is no spectrum (shape {shape})", path)
    out = np.empty((len(rows), *shape), np.float32)
    step = max(ROW_BYTES // node.dtype.itemsize, 1)
    first, last = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    done = 0
    for start in range(first, last, step):
        stop = min(start + step, last)
        with reading(path, node.name):
            piece = node.fields(column)[start:stop]
        own = rows[(rows >= start) & (rows < stop)]
        out[done : done + own.size] = piece[own - start]
        done += own.size
    return out


def _fibers(path: str, info: Node, layout: FiberLayoutOf, rows: Array) -> FiberMap:
    """What the table says of the fibers of some rows."""
    plain = [key for key in info.dtype.names or () if not info.dtype[key].shape]
    first, last = int(rows[0]), int(rows[-1]) + 1
    with reading(path, info.name):
        found = info.fields(plain)[first:last][rows - first]
    table = {key: _texts(found[key]) if found[key].dtype.kind == "S" else np.asarray(found[key]) for key in plain}
    count = rows.size
    amp = table.get("amp", np.full(count, ""))
    number = table.get(layout.exposure, np.zeros(count, int))
    place = np.zeros(count, int)
    for key in set(zip(amp.tolist(), number.tolist(), strict=True)):
        own = (amp == key[0]) & (number == key[1])
        place[own] = np.arange(own.sum())
    names = tuple(f"{a} {p + 1} exp {e}" for a, p, e in zip(amp, place, number, strict=True))
    block = np.unique(np.char.add(np.char.add(amp.astype(str), " "), number.astype(str)), return_inverse=True)[1]
    return FiberMap(
        np.arange(count), names, (FiberRole.SCIENCE,) * count, block,
        focal_x=_number(table, "ifux"), focal_y=_number(table, "ifuy"), focal_unit="arcsec",
        ra=_number(table, "ra"), dec=_number(table, "dec"), table=table,
    )  # fmt: skip


def _number(table: Mapping[str, Array], name: str) -> Array | None:
    found = table.get(name)
    return None if found is None or found.dtype.kind not in "iuf" else np.asarray(found, np.float64)


def _texts(values: Array) -> NDArray[np.str_]:
    """Texts, or numbers as such."""
    if values.dtype.kind == "S":
        return np.char.strip(np.char.decode(values, "ascii", "replace"))
    return np.asarray(values).astype(str)

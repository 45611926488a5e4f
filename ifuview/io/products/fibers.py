"""The fibers of a product: rows of a table, cards of a header, or arrays; and what a file beside it knows of them."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import numpy as np

from ifuview.errors import IfuviewError
from ifuview.io.fits.fast import FitsFile, read_fits
from ifuview.io.fits.table import read_table
from ifuview.io.products.fiber_table import fiber_map
from ifuview.io.products.layers import Hdus, table_of
from ifuview.model.checks import Array, Header
from ifuview.model.dataset import Table
from ifuview.model.fibers import FiberMap, match, take
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.product import FROM_HEADER, FiberSpec

BLOCK = "B"  # column of a fiber's cards that names its block
MM = "mm"
MANY = 2  # dimensions of an array of more than one value a fiber


def fibers_of(
    specs: tuple[FiberSpec, ...], fits: FitsFile, instrument: InstrumentSpec, count: int, notes: list[str]
) -> FiberMap | None:
    """The fibers of the first of `specs` that has one row for each of `count` spectra (any number if 0)."""
    for spec in specs:
        table = _table(spec, fits, count, notes)
        if table is None or not table.columns:
            continue
        rows = len(next(iter(table.columns.values())))
        if count not in (0, rows):
            what = spec.table or spec.header or ", ".join(spec.arrays)
            notes.append(f"{what} is left out: it has {rows} rows for {count} spectra")
            continue
        return fiber_map(_with_file_beside(table, spec, fits.path, notes), instrument, _unit(spec, fits))
    return None


def _table(spec: FiberSpec, fits: FitsFile, count: int, notes: list[str]) -> Table | None:
    """The fibers as a table, from wherever they are."""
    if spec.table:
        return table_of(fits, spec.table, None, notes, spec.columns)
    if spec.header:
        hdu = Hdus(fits).hdu(spec.header)
        return None if hdu is None else cards_table(hdu.header, spec)
    source = Hdus(fits)
    columns: dict[str, Array] = {}
    for name in spec.arrays:
        layer = source.find(name)
        if layer is None or (count and layer.shape[0] != count):
            continue
        values = layer.values()
        if values.ndim == MANY and spec.each:
            columns |= {f"{name}[{n}]": values[:, n] for n in range(values.shape[1])}
            continue
        if values.ndim == MANY:
            values = np.nanmedian(values, axis=1)
        whole = bool(np.all(np.isfinite(values)) and np.all(values == np.rint(values)))
        columns[name] = values.astype(np.int64) if whole else values
    return Table("fibers", columns) if columns else None


def _unit(spec: FiberSpec, fits: FitsFile) -> str:
    """Unit of the positions."""
    if not spec.unit.startswith(FROM_HEADER):
        return spec.unit or MM
    hdu = Hdus(fits).hdu(spec.header or spec.table)
    return str((fits.primary if hdu is None else hdu.header).get(spec.unit.removeprefix(FROM_HEADER)) or MM).strip()


def cards_table(header: Header, spec: FiberSpec) -> Table:
    """Fibers by number from the cards that fit `pattern`, with the columns of their blocks from `blocks`.

    A column that not every fiber has is left out.
    """
    fibers, blocks = _cards(header, spec.pattern), _cards(header, spec.blocks)
    numbers = sorted(fibers)
    columns: dict[str, Array] = {"fiber": np.array(numbers, np.int64)}
    rows = [{**{f"block_{k}": v for k, v in blocks.get(_whole(f.get(BLOCK)), {}).items()}, **f}
            for f in map(fibers.__getitem__, numbers)]  # fmt: skip
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(name) for row in rows]
        if all(value is not None for value in values):
            columns[name] = np.array(values)
    return Table("fibers", columns if numbers else {})


def _cards(header: Header, pattern: str) -> dict[int, dict[str, object]]:
    """Number to column to value of the cards that fit a pattern."""
    out: dict[int, dict[str, object]] = {}
    if not pattern:
        return out
    known = re.compile(pattern)
    for key, value in header.items():
        found = known.fullmatch(key)
        if found is not None:
            out.setdefault(int(found[1]), {})[found[2]] = value
    return out


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1


def _with_file_beside(table: Table, spec: FiberSpec, path: str, notes: list[str]) -> Table:
    """The table with the columns of the file beside it, joined by the number of the fiber."""
    own = next((values for name, values in table.columns.items() if name in spec.arrays[:1]), None)
    if not spec.beside or own is None:
        return table
    import glob

    found = sorted(glob.glob(os.path.join(glob.escape(os.path.dirname(path) or "."), spec.beside)))
    if not found:
        notes.append(f"no {spec.beside} lies beside this file: what its fibers see is not known")
        return table
    try:
        more = next(read_table(hdu) for hdu in read_fits(found[0]).hdus if hdu.info.kind == "table")
    except (IfuviewError, StopIteration) as problem:
        notes.append(f"{os.path.basename(found[0])} is left out: {problem or 'it has no table'}")
        return table
    if spec.key not in more.columns:
        return table
    index = match(own, more.columns[spec.key])
    columns = {name: take(values, index) for name, values in more.columns.items() if name not in table.columns}
    return replace(table, columns={**table.columns, **columns}, units={**more.units, **table.units})


def numbered_fibers(header: Header, spec: InstrumentSpec, count: int) -> FiberMap | None:
    """Fibers of a file without a table, numbered as the instrument numbers them; None unless all are there."""
    if not spec.nfiber or count != spec.nfiber:
        return None
    camera = str(spec.keyword("camera", header) or "")
    digits = "".join(letter for letter in camera if letter.isdecimal())
    first = int(digits) * count if spec.numbered and 0 < len(digits) <= 2 else 0
    fiber = np.arange(count)
    block = fiber // spec.block_size if spec.block_size else None
    return FiberMap(fiber=fiber, fiber_id=tuple(str(first + row) for row in range(count)), block=block)

"""Tables that are open beside the frames, and which of their rows speak of which fiber."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ifuview.app.frames.state import OpenTable
from ifuview.app.session import Session, Slot
from ifuview.files import product_stem
from ifuview.model.checks import Array, is_whole
from ifuview.model.dataset import Dataset
from ifuview.model.fibers import FiberMap, match, take

TARGET, FIBER = "TARGETID", "FIBER"
KEYS = (TARGET, FIBER)  # what rows are joined by; the first that both sides have
PLACE = ("ra", "dec")  # of rows that are sources in the field of their file, degrees
KEPT = 8  # joins by place
NEAR = 1.5  # arcsec from a source to the fiber that shows it


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """Rows of a table against rows of a frame.

    Parameters
    ----------
    by : str
        Column that they were joined by, "" if nothing is shared.
    in_frame : ndarray of intp, shape (nrow of the table,)
        Row of the frame, -1 where it has none.
    in_table : ndarray of intp, shape (nfiber,)
        Row of the table, -1 where it has none.
    """

    by: str
    in_frame: Array
    in_table: Array


def open_tables(dataset: Dataset) -> tuple[OpenTable, ...]:
    """The tables of a file, named so that they can be told apart."""
    name = product_stem(dataset.path)
    return tuple(OpenTable(dataset.path, f"{name} {table.name}".strip(), table) for table in dataset.tables)


def with_tables(tables: tuple[OpenTable, ...], more: Iterable[OpenTable]) -> tuple[OpenTable, ...]:
    """`tables` and `more`; a file that is read again replaces itself."""
    more = tuple(more)
    paths = {t.path for t in more}
    return (*(t for t in tables if t.path not in paths), *more)


def fibermap_of(slot: Slot) -> FiberMap | None:
    """Fiber table of a frame."""
    return slot.image.fibermap if slot.image.fibermap is not None else slot.dataset.fibermap


def identifiers(slot: Slot) -> dict[str, Array]:
    """What the rows of a frame can be joined by: columns of KEYS, one value a fiber."""
    fibermap = fibermap_of(slot)
    if fibermap is None:
        return {}
    out = {name: v for name in KEYS if (v := _integers(fibermap.table, name)) is not None}
    if not fibermap.table and FIBER not in out and all(is_whole(i) for i in fibermap.fiber_id):
        out[FIBER] = np.array([int(i) for i in fibermap.fiber_id])
    return out


def link(table: OpenTable, slot: Slot) -> Link:
    """Join a table to the fibers of a frame, by target where both know it, else by fiber number."""
    mine = identifiers(slot)
    fibermap = fibermap_of(slot)
    count = fibermap.nfiber if fibermap is not None else 0
    for key in KEYS:
        theirs = _integers(table.table.columns, key)
        if theirs is not None and key in mine:
            in_table = match(mine[key], theirs)
            if np.any(in_table >= 0):
                return Link(key, match(theirs, mine[key]), in_table)
            break  # other targets: the same fiber numbers would mean nothing
    if fibermap is not None and table.path == slot.dataset.path and (found := _by_place(table, fibermap)) is not None:
        return found
    return Link("", np.full(table.nrow, -1, np.intp), np.full(count, -1, np.intp))


@lru_cache(maxsize=KEPT)
def _by_place(table: OpenTable, fibermap: FiberMap) -> Link | None:
    """Sources of a file against the fibers that lie next to them on the sky; None where places are not known.

    Kept for the last tables and fibers, which are values that do not change: every draw of the tables asks.
    """
    from scipy.spatial import cKDTree

    ra, dec = (table.table.columns.get(name) for name in PLACE)
    if ra is None or dec is None or fibermap.ra is None or fibermap.dec is None or ra.dtype.kind != "f":
        return None
    known = np.flatnonzero(np.isfinite(fibermap.ra) & np.isfinite(fibermap.dec))
    rows = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    if not known.size or not rows.size:
        return None
    narrow = np.cos(np.radians(np.median(np.asarray(fibermap.dec)[known])))
    fibers = np.column_stack((np.asarray(fibermap.ra)[known] * narrow, np.asarray(fibermap.dec)[known]))
    sources = np.column_stack((ra[rows] * narrow, dec[rows]))
    away, nearest = cKDTree(fibers).query(sources)
    close = away < NEAR / 3600
    if not close.any():
        return None
    in_frame, in_table = np.full(table.nrow, -1, np.intp), np.full(fibermap.nfiber, -1, np.intp)
    in_frame[rows[close]] = known[nearest[close]]
    for row in np.argsort(-away):  # of several sources the nearest one has the fiber
        if close[row]:
            in_table[known[nearest[row]]] = rows[row]
    return Link("place", in_frame, in_table)


def why_not(table: OpenTable, slot: Slot) -> str:
    """Why a table cannot be joined to a frame, "" if it can."""
    if table.nrow == 0 or link(table, slot).by:
        return ""
    shared = [key for key in KEYS if _integers(table.table.columns, key) is not None and key in identifiers(slot)]
    if not shared:
        return f"{table.title} and {slot.title} have neither {TARGET} nor {FIBER} in common"
    fibermap = fibermap_of(slot)
    word, theirs = _group(table.table.columns)
    _, own = _group(fibermap.table if fibermap is not None else {})
    other = f": it is of {word} {theirs}, the spectra are of {word} {own}" if theirs and own and theirs != own else ""
    return f"none of the {table.nrow} {shared[0]}s of {table.title} is in {slot.title}{other}"


def columns(slot: Slot, tables: Iterable[OpenTable]) -> dict[str, Array]:
    """One value a fiber of every column of the frame's own table, then of the tables that can be joined to it."""
    fibermap = fibermap_of(slot)
    if fibermap is None:
        return {}
    out = {n: v for n, a in fibermap.table.items() if (v := np.asarray(a)).shape == (fibermap.nfiber,)}
    for table in tables:
        found = link(table, slot)
        if found.by:
            for name, values in table.table.columns.items():
                if name not in out and values.ndim == 1:
                    out[name] = take(values, found.in_table)
    return out


def value(session: Session, slot: Slot, row: int, name: str) -> object:
    """One joined value of one fiber, None where it is not known."""
    for table in session.tables:
        values = table.table.columns.get(name)
        if values is not None and values.ndim == 1:
            found = link(table, slot)
            if 0 <= row < found.in_table.size and found.in_table[row] >= 0:
                return values[found.in_table[row]].item()
    return None


def _integers(table: Mapping[str, Array], name: str) -> Array | None:
    """A column of integers, in whatever case it is written; None if it is not there."""
    values = table[name] if name in table else next((v for n, v in table.items() if n.upper() == name), None)
    return values if values is not None and values.ndim == 1 and values.dtype.kind in "iu" else None


def _group(table: Mapping[str, Array]) -> tuple[str, str]:
    """What the instruments call a group of fibers in this table, and the groups that are in it, as text."""
    from ifuview import instrument

    for name in instrument.words("group"):
        values = _integers(table, name)
        if values is not None:
            return name.split("_")[0].lower(), ", ".join(str(p) for p in np.unique(values).tolist()[:10])
    return "", ""

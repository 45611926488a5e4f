"""The tables of the open files: redshifts, fiber tables, QA; each row linked to the spectrum it speaks of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames import joined
from ifuview.app.frames.intents import PickPoint, SetView
from ifuview.app.frames.state import OpenTable
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.views.fiber_table import Column, FiberTableView
from ifuview.instrument import words
from ifuview.model.checks import Array
from ifuview.model.dataset import Table
from ifuview.model.figure import DOT, NONE, Curve, Figure, Scale

WAVE = "wave"  # column of a row that is about one wavelength, Angstrom
CLOSE = 6.0  # zoom at which a line is seen


@dataclass(frozen=True, slots=True, eq=False)
class TablesView:
    """What tables there are, and what is selected.

    Parameters
    ----------
    tables : tuple of OpenTable
    slots : tuple of Slot
        The current one first.
    rows : tuple of int
        Selected rows of the current frame.
    fiber : int or None
    said : str
        Why the tables do not belong to the frame.
    closable : int
        The first so many tables are files of their own; the others come and go with the spectra.
    elsewhere : tuple of (key, rows)
        Selected rows of other frames.
    """

    tables: tuple[OpenTable, ...]
    slots: tuple[Slot, ...]
    rows: tuple[int, ...]
    fiber: int | None
    said: str = ""
    closable: int = 0
    elsewhere: tuple[tuple[int, tuple[int, ...]], ...] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        """Names of the tables."""
        return tuple(t.title for t in self.tables)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """One table as it is shown.

    Parameters
    ----------
    table : FiberTableView
        With the rows of the table that are selected.
    frame : ndarray of int, shape (nrow,)
        Key of the frame that has the row, -1 if none is open.
    row : ndarray of int, shape (nrow,)
        Row in that frame.
    """

    table: FiberTableView
    frame: Array
    row: Array

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that can be an axis."""
        return tuple(c.name for c in self.table.columns if c.numeric and c.values.ndim == 1)


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (session.tables, session.selection, session.current, *((s.image, s.measured) for s in session.slots))


def make(session: Session) -> TablesView | None:
    """All tables; None when there are none."""
    slot = session.slot()
    tables = list(session.tables)
    if slot is not None:
        tables += _own(slot)
    if any(s.measured is not None for s in session.slots):
        from ifuview.app.frames.measuring.sources import table as measured

        tables += filter(None, (measured(session),))
    if not tables:
        return None
    slots = (*((slot,) if slot is not None else ()), *(s for s in session.slots if s is not slot))
    chosen = session.selection
    rows = chosen.fibers or (() if chosen.fiber is None else (chosen.fiber,))
    has_fibers = slot is not None and joined.fibermap_of(slot) is not None
    firsts = {t.path: t for t in reversed(session.tables)}.values()  # one table of each file
    said = [joined.why_not(t, slot) for t in firsts] if slot is not None and has_fibers else []
    return TablesView(tuple(tables), slots, rows, chosen.fiber, "; ".join(filter(None, said)),
                      len(session.tables), chosen.elsewhere)  # fmt: skip


def can_close(view: TablesView, number: int) -> bool:
    """Whether a table is that of a file of its own."""
    return 0 <= number < view.closable


def said_of(view: TablesView, number: int) -> str:
    """What is to be said above a table."""
    table = view.tables[number]
    empty = f"{table.title} is empty: it has {len(table.table.columns)} columns and not one row" * (table.nrow == 0)
    return "; ".join(filter(None, (empty, view.said)))


def sheet(view: TablesView, number: int) -> Sheet:
    """One table with its links to the frames."""
    chosen = view.tables[number]
    frame, row = np.full(chosen.nrow, -1), np.full(chosen.nrow, -1)
    rows: tuple[int, ...] = ()
    fiber = None
    elsewhere = dict(view.elsewhere)
    for i, slot in enumerate(view.slots):
        if joined.fibermap_of(slot) is None:
            continue
        found = _link(chosen, slot)
        new = (frame < 0) & (found.in_frame >= 0)
        frame[new], row[new] = slot.key, found.in_frame[new]
        if i == 0 or slot.key in elsewhere:
            rows += _rows(found.in_table, view.rows if i == 0 else elsewhere[slot.key])
        if i == 0:
            fiber = next(iter(_rows(found.in_table, () if view.fiber is None else (view.fiber,))), None)
    rows = tuple(dict.fromkeys(rows))
    table = FiberTableView(_columns(chosen.table), chosen.nrow, chosen.title, fiber, rows, (chosen.table,))
    return Sheet(table, frame, row)


def target(found: Sheet, rows: Array, current: int | None = None) -> dict[int, tuple[int, ...]]:
    """Frames (key) and rows there that table rows mean; none if none is open.

    The `current` frame comes first if it has one of them, else the one that has most.
    """
    keys = found.frame[rows]
    values, counts = np.unique(keys[keys >= 0], return_counts=True)
    order = sorted(zip(values.tolist(), counts.tolist()), key=lambda vc: (vc[0] != current, -vc[1]))
    return {key: tuple(dict.fromkeys(int(r) for r in found.row[rows][keys == key])) for key, _ in order}


def place(view: TablesView, found: Sheet, row: int) -> tuple[PickPoint, SetView] | None:
    """Where a row with a wavelength is on the canvas: the crosshair on it, and a view that shows it."""
    waves = next((c.values for c in found.table.columns if c.name == WAVE and c.numeric and c.values.ndim == 1), None)
    slot = next((s for s in view.slots if s.key == found.frame[row]), None)
    if waves is None or slot is None or slot.image.wave is None or not np.isfinite(waves[row]):
        return None
    fiber = int(found.row[row])
    grid = slot.image.wave if slot.image.wave.ndim == 1 else slot.image.wave[fiber]
    if not grid[0] <= waves[row] <= grid[-1]:
        return None
    x = float(np.interp(waves[row], grid, np.arange(grid.size)))
    seen = replace(slot.view, x=x, y=float(fiber), zoom=CLOSE, aspect=1.0, fit=False)
    return PickPoint(slot.key, x, float(fiber)), SetView(slot.key, seen)


def plotted(names: tuple[str, str], values: tuple[Array, Array], shown: Array, chosen: Array) -> Figure:
    """Two columns against each other: the rows `shown`, those `chosen` standing out."""
    x, y = values
    points = Curve(x[shown], y[shown], 0, stroke=NONE, symbol=DOT, size=4.0)
    marks = Curve(x[chosen], y[chosen], "bad", stroke=NONE, symbol=DOT, size=8.0)
    return Figure("", Scale(names[0]), Scale(names[1]), (points, marks))


def axes(found: Sheet) -> tuple[str, str]:
    """What the plot shows at first."""
    names = found.numbers
    x = next((n for n in words("x", "tables") if n in names), names[0] if names else "")
    y = next((n for n in words("y", "tables") if n in names), names[-1] if names else "")
    return x, y


def values(found: Sheet, name: str) -> Array:
    """A numeric column as float, NaN where there is none of that name."""
    column = next((c for c in found.table.columns if c.name == name and c.numeric and c.values.ndim == 1), None)
    return np.full(found.table.nrow, np.nan) if column is None else column.values.astype(np.float64)


def _own(slot: Slot) -> list[OpenTable]:
    """The tables that a frame brings along."""
    fibermap = joined.fibermap_of(slot)
    out = []
    if fibermap is not None and fibermap.table:
        out.append(OpenTable(slot.dataset.path, f"{slot.title} fiber table", Table("FIBERMAP", fibermap.table)))
    out += [OpenTable(slot.dataset.path, f"{slot.title} {t.name}", t) for t in slot.dataset.tables if t.columns]
    return out


def _link(table: OpenTable, slot: Slot) -> joined.Link:
    """Rows of a table in a frame; a table of the frame itself may have nothing to be joined by."""
    found = joined.link(table, slot)
    fibermap = joined.fibermap_of(slot)
    if not found.by and table.path == slot.dataset.path and fibermap is not None and table.nrow == fibermap.nfiber:
        own = np.arange(table.nrow)
        return joined.Link("row", own, own)
    return found


def _rows(in_table: Array, fibers: tuple[int, ...]) -> tuple[int, ...]:
    """Rows of the table that some fibers of the frame have."""
    wanted = np.array([f for f in fibers if 0 <= f < in_table.size], dtype=np.intp)
    return tuple(int(r) for r in in_table[wanted] if r >= 0)


def _columns(table: Table) -> tuple[Column, ...]:
    """The columns, the telling ones first."""
    first = words("first", "tables")
    names = [n for n in first if n in table.columns] + [n for n in table.columns if n not in first]
    return tuple(Column(n, v, v.dtype.kind in "iufb") for n in names for v in [np.asarray(table.columns[n])])

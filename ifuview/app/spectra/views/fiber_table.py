"""One row per fiber: what the fiber map, the traces and the metrics know, sorted and filtered."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array, is_whole
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Kind
from ifuview.model.trace import TraceSet

TERM = re.compile(r"^\s*(?P<name>[^=!<>~]+?)\s*(?P<op>==|!=|<=|>=|=|<|>|~)\s*(?P<value>.*?)\s*$")
OPERATE: dict[str, Callable[[Array, Array | float], object]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
JOIN = re.compile(r"\s+and\s+|\s*&+\s*|\s*,\s*")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: values of shape (nrow,) or (nrow, n), numbers or text."""

    name: str
    values: Array
    numeric: bool


@dataclass(frozen=True, slots=True, eq=False)
class FiberTableView:
    """The table and what is selected in it.

    Parameters
    ----------
    columns : tuple of Column
    nrow : int
    title : str
    fiber : int or None
    fibers : tuple of int
        All selected rows.
    source : tuple
        The objects that the columns were made from; the same objects mean the same table.
    """

    columns: tuple[Column, ...]
    nrow: int
    title: str
    fiber: int | None
    fibers: tuple[int, ...]
    source: tuple[object, ...]


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    return (() if slot is None else _source(slot), session.metrics, session.selection, session.current)


def make(session: Session) -> FiberTableView | None:
    """The fibers of the current frame; None when it has none."""
    slot = session.slot()
    if slot is None:
        return None
    fibermap = fiber_map(slot)
    nrow = _nrow(slot, fibermap)
    if nrow == 0:
        return None
    columns = _own_columns(slot, fibermap, nrow)
    names = {c.name.lower() for c in columns}
    columns += [_column(n, np.asarray(v)) for n, v in session.metrics if len(v) == nrow]
    if fibermap is not None:
        table = ((n, np.asarray(v)) for n, v in fibermap.table.items())
        columns += [_column(n, v) for n, v in table if v.shape[:1] == (nrow,) and n.lower() not in names]
    selection = session.selection
    fibers = selection.fibers or (() if selection.fiber is None else (selection.fiber,))
    return FiberTableView(
        tuple(columns), nrow, slot.title, selection.fiber, fibers, (*_source(slot), *(v for _, v in session.metrics))
    )


def fiber_map(slot: Slot) -> FiberMap | None:
    """The fiber map of a frame: that of its image, else that of its file."""
    return slot.image.fibermap if slot.image.fibermap is not None else slot.dataset.fibermap


def cell(column: Column, row: int) -> str:
    """One value as text."""
    value = column.values[row]
    if isinstance(value, np.ndarray):
        return " ".join(_text(v) for v in value.ravel()[:8]) + (" …" if value.size > 8 else "")
    return _text(value)


def order(view: FiberTableView, column: int | None, descending: bool, mask: Array | None = None) -> Array:
    """Rows in the order of a column (NaN last, equal values in table order), only those in `mask`."""
    rows = np.arange(view.nrow)
    if column is not None and 0 <= column < len(view.columns):
        chosen = view.columns[column]
        if chosen.numeric and chosen.values.ndim == 1:
            keys = np.asarray(chosen.values)
            if descending:
                keys = -keys.astype(np.float64) if keys.dtype.kind in "ub" else -keys
            rows = np.argsort(keys, kind="stable")  # NaN comes last either way
        else:
            words = np.array([cell(chosen, i).lower() for i in range(view.nrow)])
            _, rank = np.unique(words, return_inverse=True)
            rows = np.argsort(-rank if descending else rank, kind="stable")
    return rows if mask is None else rows[mask[rows]]


def matches(view: FiberTableView, text: str) -> Array:
    """Which rows pass a filter, shape (nrow,).

    Terms are joined by "and", "&" or a comma. `column op value` with one of
    = != < <= > >= ~ (contains) compares a column; everything else is looked for
    in all text.
    """
    keep = np.ones(view.nrow, dtype=bool)
    for term in JOIN.split(text.strip()):
        if term:
            keep &= _term(view, term)
    return keep


def _term(view: FiberTableView, term: str) -> Array:
    """Which rows pass one term."""
    found = TERM.match(term)
    column = None if found is None else _find(view, found["name"])
    if found is None or column is None:
        return _contains(view, term)
    return _compare(column, found["op"], found["value"], view.nrow)


def _compare(column: Column, op: str, value: str, nrow: int) -> Array:
    """Compare a column with a typed value."""
    if op != "~" and column.numeric and column.values.ndim == 1:
        try:
            number = float(value)
        except ValueError:
            return np.zeros(nrow, dtype=bool) if op != "!=" else np.ones(nrow, dtype=bool)
        left = column.values
        with np.errstate(invalid="ignore"):
            return np.asarray(OPERATE[op](left, number))
    words = np.array([cell(column, i).strip().lower() for i in range(nrow)])
    value = value.strip("\"'").lower()
    if op == "~":
        return np.char.find(words, value) >= 0
    return np.asarray(OPERATE[op](words, np.array(value)))


def _find(view: FiberTableView, name: str) -> Column | None:
    """The column of that name in any case; a beginning is enough when only one column has it."""
    low = name.strip().lower()
    exact = [c for c in view.columns if c.name.lower() == low]
    begins = [c for c in view.columns if c.name.lower().startswith(low)]
    return exact[0] if exact else begins[0] if len(begins) == 1 else None


def _contains(view: FiberTableView, word: str) -> Array:
    """Rows that hold `word` in a text column or as their own number."""
    keep = np.zeros(view.nrow, dtype=bool)
    low = word.strip().lower()
    for column in view.columns:
        if not column.numeric:
            words = np.array([cell(column, i).lower() for i in range(view.nrow)])
            keep |= np.char.find(words, low) >= 0
    return keep


def _own_columns(slot: Slot, fibermap: FiberMap | None, nrow: int) -> list[Column]:
    """Row, number, block, role, target, status: what every fiber has."""
    columns = [Column("Row", np.arange(nrow), True)]
    traces = slot.traces
    ids = fibermap.fiber_id if fibermap is not None else traces.fiber_id if traces is not None else ()
    if len(ids) == nrow:
        numeric = all(map(is_whole, ids))
        columns.append(Column("Fiber", np.array([int(i) for i in ids]) if numeric else np.array(ids), numeric))
    if fibermap is not None:
        columns.append(Column(slot.dataset.block.capitalize(), np.asarray(fibermap.block), True))
        columns.append(Column("Role", np.array([str(r) for r in fibermap.role]), False))
        if any(fibermap.target):
            columns.append(Column("Target", np.array(fibermap.target), False))
        columns.append(Column("Status", _status(fibermap), False))
    if traces is not None and traces.nfiber == nrow and traces.rms is not None:
        columns.append(Column("Trace rms (px)", np.asarray(traces.rms), True))
    return columns


def _status(fibermap: FiberMap) -> Array:
    """Names of the status bits of each fiber, "" for a good one."""
    values, index = np.unique(np.asarray(fibermap.status), return_inverse=True)
    return np.array([", ".join(fibermap.status_bits.names(int(v))) for v in values])[index]


def _column(name: str, values: Array) -> Column:
    """A column of the file's own table."""
    return Column(name, values, values.dtype.kind in "iufb")


def _text(value: object) -> str:
    """A number with few digits, bytes decoded."""
    if isinstance(value, bytes):
        return value.decode("ascii", "replace").strip()
    if isinstance(value, float | np.floating):
        return f"{value:.7g}" if np.isfinite(value) else "–"
    return str(value).strip()


def _nrow(slot: Slot, fibermap: FiberMap | None) -> int:
    """Number of fibers of a frame."""
    if fibermap is not None:
        return fibermap.nfiber
    traces: TraceSet | None = slot.traces
    if traces is not None:
        return traces.nfiber
    return slot.image.orientation.shape(slot.image.shape)[0] if slot.image.kind is Kind.RSS else 0


def _source(slot: Slot) -> tuple[object, ...]:
    """The objects that the table is made from."""
    return (fiber_map(slot), slot.traces, slot.image if fiber_map(slot) is None and slot.traces is None else None)

"""Choose spectra by fiber number, target, object type, spectral type, redshift or any other column.

Terms are joined by a comma, `and`, `&` or `;`. A list of numbers and ranges means fiber numbers (`50:60,4`; `50:60`
ends before 60, `50-60` includes it), or targets if they are that large; a word is an object or spectral type; all
else is `COLUMN op VALUE` with one of = != < <= > >= ~ (contains), for example `SPECTYPE=QSO, Z>4` or `Z=4.3:4.4`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ifuview.app.frames import joined
from ifuview.app.frames.state import OpenTable
from ifuview.app.session import Slot
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.checks import Array, is_whole

TERM = re.compile(r"^(?P<name>[A-Za-z_]\w*)\s*(?P<op>==|!=|<=|>=|=|<|>|~)\s*(?P<value>.+)$")
SPLIT = re.compile(r"\s+and\s+|[&;,]", re.IGNORECASE)
RANGE = re.compile(r"^(?P<lo>-?\d+(?:\.\d+)?)(?:\s*(?P<sign>:|\.\.|-)\s*(?P<hi>-?\d+(?:\.\d+)?))?$")
NUMBERS = ""  # name of a term that is a bare list of numbers
WORD_COLUMNS = ("OBJTYPE", "SPECTYPE", "SUBTYPE")
REDSHIFT_COLUMNS = ("Z", "ZERR", "ZWARN", "SPECTYPE", "SUBTYPE", "DELTACHI2")
LARGE = 10_000_000  # no instrument has that many fibers; targets are numbered higher
HELP = "write for example 3000:3050,3120 or SPECTYPE=QSO, Z>4"


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: a column, an operator, and the values of which one must hold."""

    name: str
    op: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Rows of a frame, and what is to be said about the choice."""

    rows: Array
    note: str = ""


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a choice.

    Raises
    ------
    UsageError
        There is none.
    """
    out: list[Term] = []
    for piece in filter(None, (part.strip() for part in SPLIT.split(text))):
        found = TERM.match(piece)
        if found is not None:
            out.append(Term(found["name"], found["op"].replace("==", "="), (found["value"].strip(" '\""),)))
        elif RANGE.match(piece) and out and out[-1].op == "=" and RANGE.match(out[-1].values[-1]):
            out[-1] = Term(out[-1].name, "=", (*out[-1].values, piece))
        else:
            out.append(Term(NUMBERS, "=" if RANGE.match(piece) else "~", (piece,)))
    if not out:
        raise UsageError("no spectra were named", todo=HELP)
    return tuple(out)


def choose(text: str, slot: Slot, tables: Iterable[OpenTable] = ()) -> Chosen:
    """Rows of a frame that pass every term.

    Parameters
    ----------
    text : str
        See the module.
    slot : Slot
    tables : iterable of OpenTable
        Those that can be joined to the frame add their columns.

    Raises
    ------
    UsageError, MissingDataError
        What is not possible with this file, or that nothing passes.
    """
    tables = tuple(tables)
    count = _count(slot)
    known = {name.upper(): values for name, values in joined.columns(slot, tables).items()}
    keep, notes = np.ones(count, dtype=bool), []
    for term in parse(text):
        passed, note = _apply(term, slot, known, tables, count)
        keep &= passed
        notes += [note] * bool(note)
    rows = np.flatnonzero(keep)
    if rows.size == 0:
        raise UsageError(f"no spectrum of {slot.title} is chosen by {text!r}", todo=HELP)
    return Chosen(rows, "; ".join(notes))


def _count(slot: Slot) -> int:
    """Number of fibers of a frame."""
    fibermap = joined.fibermap_of(slot)
    if fibermap is not None:
        return fibermap.nfiber
    if slot.traces is not None:
        return slot.traces.nfiber
    return slot.image.orientation.shape(slot.image.shape)[0]


def _apply(
    term: Term, slot: Slot, known: dict[str, Array], tables: Sequence[OpenTable], count: int
) -> tuple[Array, str]:
    """Which rows pass one term, and a note."""
    name = term.name.upper()
    if name == NUMBERS and term.op == "~":
        return _word(term.values[0], known, slot, tables, count), ""
    if name == NUMBERS:
        large = all(_number(v) is not None and (_number(v) or 0) >= LARGE for v in term.values)
        name = joined.TARGET if large else joined.FIBER
    if name == joined.FIBER:
        return _fibers(term.values if term.op == "=" else None, term, slot, known, count)
    values = known.get(name)
    if values is None:
        raise _missing(name, slot, tables)
    if term.op == "=" and values.dtype.kind in "iuf":
        return _among(values, term.values), ""
    return _compare(values, term), ""


def _fibers(
    wanted: tuple[str, ...] | None, term: Term, slot: Slot, known: dict[str, Array], count: int
) -> tuple[Array, str]:
    """Rows by fiber number; by row in the camera where the numbers are smaller than those of its fibers."""
    fibermap = joined.fibermap_of(slot)
    names = None if fibermap is None else fibermap.fiber_id
    if joined.FIBER in known:
        numbers = known[joined.FIBER]
    elif joined.TARGET in known:
        raise UsageError(
            "these spectra cannot be chosen by FIBER",
            f"{slot.title} has no FIBER column, as a coadd over tiles that adds up the light of several fibers",
            f"choose by {joined.TARGET}, SPECTYPE or Z",
        )
    elif names is not None and all(map(is_whole, names)):
        numbers = np.array([int(n) for n in names])
    else:
        numbers = np.arange(count)
    if wanted is None:
        return _compare(numbers, term), ""
    found = _among(numbers, wanted)
    if found.any():
        return found, ""
    rows = _among(np.arange(count), wanted)
    if rows.any():
        first = int(numbers.min()) if numbers.size else 0
        return rows, f"counted from fiber {first}, the first of this file"
    span = f"{int(numbers.min())} to {int(numbers.max())}" if numbers.size else "nothing"
    raise UsageError(f"there is no fiber {','.join(wanted)}", slot.title, f"its fibers are {span}")


def _word(word: str, known: dict[str, Array], slot: Slot, tables: Sequence[OpenTable], count: int) -> Array:
    """Rows whose type or role is a word."""
    low = word.strip().lower()
    out = np.zeros(count, dtype=bool)
    for name in WORD_COLUMNS:
        if name in known and known[name].dtype.kind in "US":
            out |= _words(known[name]) == low
    fibermap = joined.fibermap_of(slot)
    if fibermap is not None:
        out |= np.array([role.value == low for role in fibermap.role])
    if not out.any() and low.upper() in ("QSO", "GALAXY", "STAR") and "SPECTYPE" not in known:
        raise _missing("SPECTYPE", slot, tables)
    return out


def _among(values: Array, wanted: tuple[str, ...]) -> Array:
    """Which values are among numbers and ranges."""
    out = np.zeros(values.shape, dtype=bool)
    for text in wanted:
        found = RANGE.match(text)
        if found is None:
            continue
        whole = values.dtype.kind in "iu" and "." not in text.replace("..", "")
        lo = int(found["lo"]) if whole else float(found["lo"])
        if found["hi"] is None:
            out |= values == lo
            continue
        hi = int(found["hi"]) if whole else float(found["hi"])
        out |= (values >= lo) & ((values < hi) if found["sign"] == ":" else (values <= hi))
    return out


def _compare(values: Array, term: Term) -> Array:
    """Compare a column with one value."""
    text = term.values[0]
    number = _number(text)
    if values.dtype.kind in "iufb" and term.op != "~":
        if number is None:
            raise UsageError(f"{text!r} is no number to compare {term.name} with", todo=HELP)
        right: object = int(text) if values.dtype.kind in "iu" and is_whole(text.removeprefix("-")) else number
        left: Array = values
    else:
        left, right = _words(values), text.lower()
        if term.op == "~":
            return np.char.find(left.astype(str), str(right)) >= 0
    with np.errstate(invalid="ignore"):
        match term.op:
            case "=":
                return np.asarray(left == right)
            case "!=":
                return np.asarray(left != right)
            case "<":
                return np.asarray(left < right)
            case "<=":
                return np.asarray(left <= right)
            case ">":
                return np.asarray(left > right)
            case _:
                return np.asarray(left >= right)


def _words(values: Array) -> Array:
    """Texts in lower case without blanks around them."""
    return np.char.lower(np.char.strip(np.asarray(values).astype(str)))


def _number(text: str) -> float | None:
    """A number, None if the text is none; of a range its beginning."""
    found = RANGE.match(text)
    try:
        return float(found["lo"]) if found is not None else float(text)
    except ValueError:
        return None


def _missing(name: str, slot: Slot, tables: Sequence[OpenTable]) -> MissingDataError:
    """Why a column is not there."""
    holders = [t for t in tables if name in t.table.columns]
    if holders:
        return MissingDataError(
            f"{name} is not known for these spectra: {joined.why_not(holders[0], slot)}",
            todo="open the table that belongs to them",
        )
    if name in REDSHIFT_COLUMNS:
        from ifuview.io.products.tables import expected

        wanted = expected(slot.dataset.path)
        where = f": {wanted} is not in {os.path.dirname(slot.dataset.path) or 'this folder'}" if wanted else ""
        return MissingDataError(
            f"{name} is not known for {slot.title}{where}", todo="open the file with their redshifts"
        )
    return MissingDataError(f"{slot.title} has no column {name}", todo="see the tables dock for the columns")

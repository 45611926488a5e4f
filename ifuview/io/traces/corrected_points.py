"""Corrected traces as points: the cross-dispersion number of each point of a table is moved, nothing else."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ifuview.inputs import read_json
from ifuview.io.traces.correction import CARD, CARD_TEXT, REMARK, Correction, as_ascii, say
from ifuview.io.traces.points import Points, orientation_of
from ifuview.io.traces.table import ALIASES, MAX_SIZE, SEPARATORS, identity, is_columns, numbers
from ifuview.io.traces.write import WRITERS, write_traces
from ifuview.model.checks import Array
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

DIGITS = 4  # decimals of px in text
Shape = tuple[int, int]


class Mover:
    """Moves native points of a fiber by what the corrected traces differ from the given ones."""

    def __init__(self, given: TraceSet, traces: TraceSet, lies: Orientation, native: Shape) -> None:
        self.row = {name: i for i, name in enumerate(given.fiber_id)}
        self.step = traces.center - given.center
        self.lies, self.native = lies, native
        self.column = np.arange(given.ncol, dtype=float)

    @property
    def axis(self) -> str:
        """Name of the native coordinate across dispersion."""
        return "x_pixels" if self.lies.transpose else "y_pixels"

    def __call__(self, fiber: str | float, x: Array, y: Array) -> Array:
        """The native coordinate across dispersion after the correction."""
        old = x if self.lies.transpose else y
        row = self.row.get(identity(fiber))
        if row is None:
            return old
        good = np.isfinite(self.step[row])
        if not good.any():
            return old
        cross, disp = self.lies.from_native(x, y, self.native)
        cross = cross + np.interp(disp, self.column[good], self.step[row, good])
        moved = self.lies.to_native(cross, disp, self.native)[0 if self.lies.transpose else 1]
        return np.asarray(np.where(np.isfinite(moved), moved, old))


def _mover(correction: Correction, fibers: Sequence[tuple[Array, Array]]) -> Mover:
    """A mover in the axes of the image or, if nothing is known of it, those that the (x, y) of the fibers show."""
    given, lies, native = correction.given, correction.orientation, correction.native
    if lies is None:
        lies = orientation_of([Points("", x, y) for x, y in fibers if len(x)])
        native = (given.ncol, native[0]) if lies.transpose else native
    return Mover(given, correction.traces, lies, native)


def _column_names(names: list[str]) -> dict[str, str]:
    """Plan's name -> name in the file."""
    lower = {name.strip().lower(): name for name in names}
    return {
        key: next(lower[a] for a in aliases if a in lower)
        for key, aliases in ALIASES.items()
        if set(aliases) & set(lower)
    }


def fits_points(correction: Correction) -> bool:
    """A FITS table in long or list form."""
    from astropy.io import fits

    with fits.open(correction.source, mode="readonly", memmap=False) as hdus:
        for hdu in hdus:
            names = _column_names(list(hdu.columns.names)) if hasattr(hdu, "columns") else {}
            if not {"fiber_id", "x_pixels", "y_pixels"} <= set(names):
                continue
            fiber, x, y = (hdu.data[names[key]] for key in ("fiber_id", "x_pixels", "y_pixels"))
            lists = np.ndim(x[0]) > 0
            rows = _rows_of(np.arange(len(fiber)) if lists else fiber)
            picked = [(np.ravel(x[r]).astype(float), np.ravel(y[r]).astype(float)) for r in rows]
            move = _mover(correction, picked)
            for r, (px, py) in zip(rows, picked, strict=True):
                moved = move(np.asarray(fiber)[r[0]].item(), px, py)
                target = hdu.data[names[move.axis]]
                target[r[0] if lists else r] = moved
            say(hdu, correction.what)
            hdus.writeto(correction.part, overwrite=True, output_verify="silentfix+ignore")
            return True
    return False


def _rows_of(fiber: Sequence[str | float] | Array) -> list[Array]:
    """Rows of each fiber."""
    inverse = np.unique(np.asarray(fiber), return_inverse=True)[1]
    order = np.argsort(inverse, kind="stable")
    return [part for part in np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1) if len(part)]


def text_points(correction: Correction) -> bool:
    """CSV or ECSV: comments, order, other columns and separators stay; a comment line says what was changed."""
    with open(correction.source, encoding="utf-8-sig") as file:
        lines = file.read().splitlines()
    body = [i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    separator = max(SEPARATORS, key=lines[body[0]].count)
    if not lines[body[0]].count(separator):
        separator = " "
    header, *rows = csv.reader([lines[i] for i in body], delimiter=separator, skipinitialspace=True)
    if not rows or any(len(row) != len(header) for row in rows):
        return False
    _move_cells(correction, [name.strip() for name in header], rows)
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows([header, *rows])
    mark = "# # " if lines[0].startswith("# %ECSV") else "# "
    remark = f"{mark}{CARD}: {REMARK}: {as_ascii(correction.what)}"
    with open(correction.part, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write("\n".join([*lines[: body[0]], remark]) + "\n" + out.getvalue())
    return True


def _move_cells(correction: Correction, header: list[str], rows: list[list[str]]) -> None:
    """Move the points in the cells of a table; one row a point, or one row a fiber with lists in its cells."""
    at = {key: header.index(name) for key, name in _column_names(header).items()}

    def cell(row: list[str], key: str) -> Array:
        return numbers(row[at[key]], key, correction.source)

    lists = any(len(cell(row, "x_pixels")) > 1 for row in rows[:3])
    groups = _rows_of(np.arange(len(rows)) if lists else [row[at["fiber_id"]] for row in rows])
    fibers = [[rows[i] for i in group] for group in groups]
    xs, ys = ([np.concatenate([cell(row, k) for row in fiber]) for fiber in fibers] for k in ("x_pixels", "y_pixels"))
    picked = list(zip(xs, ys, strict=True))
    move = _mover(correction, picked)
    place = at[move.axis]
    for fiber, (x, y) in zip(fibers, picked, strict=True):
        moved = move(_text_identity(fiber[0][at["fiber_id"]]), x, y)
        if lists:
            fiber[0][place] = _as_list(moved, fiber[0][place])
        else:
            for row, value in zip(fiber, moved.tolist(), strict=True):
                row[place] = f"{value:.{DIGITS}f}"


def _as_list(values: Array, old: str) -> str:
    """Numbers as a list in a cell, with the brackets and separators of what stood there."""
    text = (", " if "," in old else " ").join(f"{value:.{DIGITS}f}" for value in values)
    return f"[{text}]" if old.lstrip()[:1] in ("[", "(") else text


def _text_identity(text: str) -> str | float:
    """A fiber number in text, as the reader sees it."""
    try:
        return float(text)
    except ValueError:
        return text


def json_points(correction: Correction) -> bool:
    """A dictionary of fibers, a list of records or of columns; each changed record says what was changed."""
    source = correction.source
    whole = read_json(source, MAX_SIZE)
    tree = whole
    for key in ("fibers", "traces"):
        if isinstance(tree, dict) and isinstance(tree.get(key), dict | list):
            tree = tree[key]
    if isinstance(tree, dict) and is_columns(tree):
        _move_columns(correction, tree)
        tree["history"] = [f"{REMARK}: {correction.what}"]
        return _dump(whole, correction.part)
    records = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
    found = []
    for place, record in records:
        names = _column_names([str(name) for name in record])
        x, y = (numbers(record[names[k]], k, source) for k in ("x_pixels", "y_pixels"))
        found.append((record[names["fiber_id"]] if "fiber_id" in names else place, record, names, x, y))
    groups: dict[str, list[int]] = {}
    for at, entry in enumerate(found):
        groups.setdefault(identity(entry[0]), []).append(at)
    joined = [
        (np.concatenate([found[i][3] for i in g]), np.concatenate([found[i][4] for i in g])) for g in groups.values()
    ]
    move = _mover(correction, joined)
    for number, record, names, x, y in found:
        old = x if move.axis == "x_pixels" else y
        moved = move(number, x, y)
        if np.abs(moved - old).max(initial=0.0) > 0.5 * 10.0**-DIGITS:
            value = np.round(moved, DIGITS).tolist()
            record[names[move.axis]] = value if isinstance(record[names[move.axis]], list) else value[0]
            record["history"] = f"{REMARK}: {correction.what}"
    return _dump(whole, correction.part)


def _move_columns(correction: Correction, tree: dict[str, list[Any]]) -> None:
    """The same in a dictionary of equally long columns."""
    names = _column_names(list(tree))
    fiber = tree[names["fiber_id"]]
    x, y = (numbers(tree[names[k]], k, correction.source) for k in ("x_pixels", "y_pixels"))
    groups = _rows_of(fiber)
    move = _mover(correction, [(x[g], y[g]) for g in groups])
    column = tree[names[move.axis]]
    for group in groups:
        for place, value in zip(group, move(fiber[group[0]], x[group], y[group]).tolist(), strict=True):
            column[place] = round(value, DIGITS)


def _dump(whole: object, part: str) -> bool:
    """Write JSON."""
    with open(part, "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(whole, file)
    return True


def all_points(correction: Correction) -> bool:
    """The last resort: every pixel a point, in the same kind of file."""
    part, lies = correction.part, correction.orientation
    suffix = os.path.splitext(part)[1].lower()
    if suffix not in WRITERS:
        return False
    write_traces(part, correction.traces, lies, None if lies is None else correction.native)
    remark = f"{REMARK}, all points written anew: {correction.what}"
    if suffix == ".fits":
        from astropy.io import fits

        with fits.open(part, mode="update", memmap=False) as hdus:
            hdus[1].header[CARD] = (True, CARD_TEXT)
            hdus[1].header.add_history(as_ascii(remark))
    elif suffix == ".csv":
        with open(part, encoding="utf-8") as file:
            text = file.read()
        with open(part, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"# {CARD}: {as_ascii(remark)}\n{text}")
    elif suffix == ".json":
        with open(part, encoding="utf-8") as file:
            tree = json.load(file)
        for record in tree.values():
            record["history"] = remark
        _dump(tree, part)
    return True

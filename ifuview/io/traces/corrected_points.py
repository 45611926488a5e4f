"""Corrected traces as points: the cross-dispersion number of each point of a table is moved, nothing else."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import Any

import numpy as np

from ifuview.io.traces.corrected import CARD, CARD_TEXT, _ascii
from ifuview.io.traces.table import ALIASES, SEPARATORS, _identity, _looks_like_columns, _numbers
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

    def __call__(self, fiber: Any, x: Array, y: Array) -> Array:
        """The native coordinate across dispersion after the correction."""
        old = x if self.lies.transpose else y
        row = self.row.get(_identity(fiber))
        if row is None:
            return old
        good = np.isfinite(self.step[row])
        if not good.any():
            return old
        cross, disp = self.lies.from_native(x, y, self.native)
        cross = cross + np.interp(disp, self.column[good], self.step[row, good])
        moved = self.lies.to_native(cross, disp, self.native)[0 if self.lies.transpose else 1]
        return np.asarray(np.where(np.isfinite(moved), moved, old))


def _mover(given: TraceSet, traces: TraceSet, lies: Orientation | None, native: Shape, across: Orientation) -> Mover:
    """A mover in the axes of the image, or of the points themselves."""
    if lies is None:
        native = (given.ncol, native[0]) if across.transpose else native
    return Mover(given, traces, lies or across, native)


def _lies(xs: list[Array], ys: list[Array]) -> Orientation:
    """Axes as the points show them: along the longer one runs the wavelength."""
    from ifuview.io.traces.points import Points, _orientation

    return _orientation([Points("", x, y) for x, y in zip(xs, ys, strict=True) if len(x)])


def _column_names(names: list[str]) -> dict[str, str]:
    """Plan's name -> name in the file."""
    lower = {name.strip().lower(): name for name in names}
    return {
        key: next(lower[a] for a in aliases if a in lower)
        for key, aliases in ALIASES.items()
        if set(aliases) & set(lower)
    }


def fits_points(
    source: str, part: str, given: TraceSet, traces: TraceSet, what: str, lies: Orientation | None, native: Shape
) -> bool:
    """A FITS table in long or list form."""
    from astropy.io import fits

    from ifuview.io.traces.corrected import _say

    with fits.open(source, mode="readonly", memmap=False) as hdus:
        for hdu in hdus:
            names = _column_names(list(hdu.columns.names)) if hasattr(hdu, "columns") else {}
            if not {"fiber_id", "x_pixels", "y_pixels"} <= set(names):
                continue
            fiber, x, y = (hdu.data[names[key]] for key in ("fiber_id", "x_pixels", "y_pixels"))
            rows = [[i] for i in range(len(fiber))] if np.ndim(x[0]) else _rows_of(fiber)
            picked = [(np.ravel(x[r]).astype(float), np.ravel(y[r]).astype(float)) for r in rows]
            move = _mover(given, traces, lies, native, _lies([p[0] for p in picked], [p[1] for p in picked]))
            for r, (px, py) in zip(rows, picked, strict=True):
                moved = move(np.asarray(fiber)[r[0]].item(), px, py)
                target = hdu.data[names[move.axis]]
                target[r if not np.ndim(x[0]) else r[0]] = moved
            _say(hdu, what)
            hdus.writeto(part, overwrite=True, output_verify="silentfix+ignore")
            return True
    return False


def _rows_of(fiber: Any) -> list[Any]:
    """Rows of each fiber."""
    inverse = np.unique(np.asarray(fiber), return_inverse=True)[1]
    order = np.argsort(inverse, kind="stable")
    return [part for part in np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1) if len(part)]


def text_points(
    source: str, part: str, given: TraceSet, traces: TraceSet, what: str, lies: Orientation | None, native: Shape
) -> bool:
    """CSV or ECSV: comments, order, other columns and separators stay; a comment line says what was changed."""
    with open(source, encoding="utf-8-sig") as file:
        lines = file.read().splitlines()
    body = [i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    separator = max(SEPARATORS, key=lines[body[0]].count)
    if not lines[body[0]].count(separator):
        separator = " "
    table = list(csv.reader([lines[i] for i in body], delimiter=separator, skipinitialspace=True))
    header = [name.strip() for name in table[0]]
    names = _column_names(header)
    at = {key: header.index(name) for key, name in names.items()}
    rows = table[1:]
    if not rows or any(len(row) != len(header) for row in rows):
        return False
    lists = any(len(_numbers(row[at["x_pixels"]], "x_pixels", source)) > 1 for row in rows[:3])
    groups = [[i] for i in range(len(rows))] if lists else _rows_of([row[at["fiber_id"]] for row in rows])
    picked = []
    for group in groups:
        cells = [np.concatenate([_numbers(rows[i][at[k]], k, source) for i in group]) for k in ("x_pixels", "y_pixels")]
        picked.append((cells[0], cells[1]))
    move = _mover(given, traces, lies, native, _lies([p[0] for p in picked], [p[1] for p in picked]))
    for group, (x, y) in zip(groups, picked, strict=True):
        moved = move(_text_identity(rows[group[0]][at["fiber_id"]]), x, y)
        if lists:
            opening = rows[group[0]][at[move.axis]].lstrip()[:1] in ("[", "(")
            joint = ", " if "," in rows[group[0]][at[move.axis]] else " "
            text = joint.join(f"{v:.{DIGITS}f}" for v in moved)
            rows[group[0]][at[move.axis]] = f"[{text}]" if opening else text
        else:
            for line, value in zip(group, moved.tolist(), strict=True):
                rows[line][at[move.axis]] = f"{value:.{DIGITS}f}"
    ecsv = lines[0].startswith("# %ECSV")
    remark = f"# {'# ' if ecsv else ''}{CARD}: {CARD_TEXT.split(',')[0]}: {_ascii(what)}"
    head = lines[: body[0]]
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows([table[0], *rows])
    text = "\n".join([*head, remark] if head else [remark]) + "\n" + out.getvalue()
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def _text_identity(text: str) -> Any:
    """A fiber number in text, as the reader sees it."""
    try:
        return float(text)
    except ValueError:
        return text


def json_points(
    source: str, part: str, given: TraceSet, traces: TraceSet, what: str, lies: Orientation | None, native: Shape
) -> bool:
    """A dictionary of fibers, a list of records or of columns; each changed record says what was changed."""
    with open(source, encoding="utf-8-sig") as file:
        whole = json.load(file)
    tree = whole
    for key in ("fibers", "traces"):
        if isinstance(tree, dict) and isinstance(tree.get(key), dict | list):
            tree = tree[key]
    if isinstance(tree, dict) and _looks_like_columns(tree):
        _move_columns(tree, source, given, traces, lies, native)
        tree["history"] = [f"{CARD_TEXT.split(',')[0]}: {what}"]
        return _dump(whole, part)
    records = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
    found = []
    for place, record in records:
        names = _column_names([str(name) for name in record])
        x, y = (_numbers(record[names[k]], k, source) for k in ("x_pixels", "y_pixels"))
        found.append((record[names["fiber_id"]] if "fiber_id" in names else place, record, names, x, y))
    groups: dict[str, list[int]] = {}
    for at, entry in enumerate(found):
        groups.setdefault(_identity(entry[0]), []).append(at)
    joined = [
        (np.concatenate([found[i][3] for i in g]), np.concatenate([found[i][4] for i in g])) for g in groups.values()
    ]
    move = _mover(given, traces, lies, native, _lies([j[0] for j in joined], [j[1] for j in joined]))
    for number, record, names, x, y in found:
        old = x if move.axis == "x_pixels" else y
        moved = move(number, x, y)
        if np.abs(moved - old).max(initial=0.0) > 0.5 * 10.0**-DIGITS:
            value = np.round(moved, DIGITS).tolist()
            record[names[move.axis]] = value if isinstance(record[names[move.axis]], list) else value[0]
            record["history"] = f"{CARD_TEXT.split(',')[0]}: {what}"
    return _dump(whole, part)


def _move_columns(
    tree: dict[str, Any], source: str, given: TraceSet, traces: TraceSet, lies: Orientation | None, native: Shape
) -> None:
    """The same in a dictionary of equally long columns."""
    names = _column_names(list(tree))
    fiber = tree[names["fiber_id"]]
    x, y = (_numbers(tree[names[k]], k, source) for k in ("x_pixels", "y_pixels"))
    groups = _rows_of(fiber)
    move = _mover(given, traces, lies, native, _lies([x[g] for g in groups], [y[g] for g in groups]))
    column = tree[names[move.axis]]
    for group in groups:
        for place, value in zip(group, move(fiber[group[0]], x[group], y[group]).tolist(), strict=True):
            column[place] = round(value, DIGITS)


def _dump(whole: Any, part: str) -> bool:
    """Write JSON."""
    with open(part, "w", encoding="utf-8") as file:
        json.dump(whole, file)
    return True


def all_points(
    source: str, part: str, given: TraceSet, traces: TraceSet, what: str, lies: Orientation | None, native: Shape
) -> bool:
    """The last resort: every pixel a point, in the same kind of file."""
    from ifuview.io.traces.write import WRITERS, write_traces

    suffix = os.path.splitext(part)[1].lower()
    if suffix not in WRITERS:
        return False
    write_traces(part, traces, lies, native if lies is not None else None)
    remark = f"{CARD_TEXT.split(',')[0]}, all points written anew: {what}"
    if suffix == ".fits":
        from astropy.io import fits

        with fits.open(part, mode="update", memmap=False) as hdus:
            hdus[1].header[CARD] = (True, CARD_TEXT)
            hdus[1].header.add_history(_ascii(remark))
    elif suffix == ".csv":
        with open(part, encoding="utf-8") as file:
            text = file.read()
        with open(part, "w", encoding="utf-8") as file:
            file.write(f"# {CARD}: {_ascii(remark)}\n{text}")
    elif suffix == ".json":
        with open(part, encoding="utf-8") as file:
            tree = json.load(file)
        for record in tree.values():
            record["history"] = remark
        with open(part, "w", encoding="utf-8") as file:
            json.dump(tree, file)
    return True

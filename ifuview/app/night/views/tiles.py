"""Quality of all tiles of a folder side by side: what is known of each fiber, a column for each tile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ifuview.app.session import Session
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.instrument import words
from ifuview.model.checks import Array
from ifuview.model.figure import DOT, NONE, Curve, Figure, Scale
from ifuview.model.night.exposures import TileFile

HINT = "Open a production whose tiles have files of their quality: all tiles stand here side by side."
MOST = 12  # tiles
RANGE = (0.5, 99.5)  # percent of the points of all tiles inside the vertical range
MARGIN = 0.05
SIZE = 3.0  # screen px


@dataclass(frozen=True, slots=True, eq=False)
class TilesView:
    """Which tiles there are; `files` are the newest of each."""

    files: tuple[TileFile, ...] = ()
    left_out: int = 0


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (None if session.night is None else session.night.index,)


def make(session: Session) -> TilesView | None:
    """The tiles; None without one that has such a file."""
    files = _files(session)
    return TilesView(files[:MOST], max(len(files) - MOST, 0)) if files else None


def _files(session: Session) -> tuple[TileFile, ...]:
    """The last file of the quality of each tile."""
    if session.night is None:
        return ()
    families = words("quality", "tables")
    newest = {file.tile: file for file in session.night.index.tiles if file.family in families}
    return tuple(newest.values())


def job(session: Session) -> Callable[[JobContext], tuple[tuple[Figure, ...], ...]] | None:
    """The figures, for the worker: a row for each number, in it a figure for each tile."""
    files = _files(session)[:MOST]
    return (lambda ctx: figures(files, ctx)) if files else None


def figures(files: tuple[TileFile, ...], ctx: JobContext) -> tuple[tuple[Figure, ...], ...]:
    """Read the files; one that cannot be read is an empty figure that says so."""
    from ifuview.app.frames.opening.reading import open_dataset

    found: list[tuple[str, dict[str, Array]]] = []
    for number, file in enumerate(files):
        ctx.checkpoint(number / len(files), f"Tile {file.tile}")
        try:
            tables = open_dataset(file.file.path, ctx).tables
            found.append((f"Tile {file.tile}", _columns([table.columns for table in tables])))
        except (IfuviewError, OSError):
            found.append((f"Tile {file.tile} cannot be read", {}))
    names = [name for name in words("by_fiber", "tables") if any(name in columns for _, columns in found)]
    return tuple(_row(name, found) for name in names)


def _columns(tables: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """The columns of the table with a row for each fiber."""
    fibers = words("fiber_id")
    return next(({"": t[name], **t} for t in tables for name in fibers if name in t), {})


def _row(name: str, found: list[tuple[str, dict[str, Array]]]) -> tuple[Figure, ...]:
    """One number against the fiber for all tiles, on one scale."""
    values = [np.asarray(columns.get(name, ()), dtype=np.float64) for _, columns in found]
    known = np.concatenate([v[np.isfinite(v)] for v in values]) if values else np.empty(0)
    low, high = np.percentile(known, RANGE) if known.size else (0.0, 1.0)
    pad = MARGIN * (high - low) or 1.0
    out = []
    for (title, columns), each in zip(found, values):
        x = np.asarray(columns.get("", np.arange(each.size)), dtype=np.float64)
        curve = Curve(x, each, "text", stroke=NONE, symbol=DOT, size=SIZE)
        curves = (curve,) if each.size else ()
        out.append(Figure(title, Scale("Fiber"), Scale(name, (float(low - pad), float(high + pad))), curves))
    return tuple(out)

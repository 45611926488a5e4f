"""Messages of SAMP as intents, and what the session has to say as messages; pure.

http://www.ivoa.net/documents/SAMP/ and the list of message types there: image.load.fits, table.load.fits and votable,
spectrum.load.ssa-generic, table.highlight.row, table.select.rowList, coord.pointAt.sky.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

import numpy as np

from ifuview.app import intents as want
from ifuview.app.frames import joined
from ifuview.app.frames.fibers import fiber_count
from ifuview.app.frames.sky.worldpos import sky_axes, sky_position
from ifuview.app.frames.state import OpenTable
from ifuview.app.frames.views import skyposition
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array, is_whole

Message = tuple[str, dict[str, object]]
LOADS = ("image.load.fits", "table.load.fits", "table.load.votable", "spectrum.load.ssa-generic")
POINTS = ("table.highlight.row", "table.select.rowList", "coord.pointAt.sky")
NEAR = 60.0  # arcsec: a place farther than this from every fiber is none of them
TABLE = "ifuview-fibers-"  # beginning of the names of tables that were sent


def table_id(slot: Slot) -> str:
    """What the table of the fibers of a frame is called in messages."""
    return f"{TABLE}{os.getpid()}-{slot.key}"


def name_of(params: Mapping[str, object]) -> str:
    """What a table is called in messages: its name, or its address where it has none."""
    return str(params.get("table-id", "") or params.get("url", ""))


def asked(
    session: Session,
    kind: str,
    params: Mapping[str, object],
    path: str = "",
    tables: Mapping[str, str] = MappingProxyType({}),
) -> tuple[want.Intent, ...]:
    """What a message asks for.

    Parameters
    ----------
    path : str
        Where the file that it names lies here.
    tables : mapping
        Paths of the tables that others have sent, by their names in messages.
    """
    if kind in LOADS:
        return (want.OpenFile(path),) if path else ()
    if not isinstance(params, Mapping):
        return ()  # whoever sent it does not keep to the standard
    if kind == "coord.pointAt.sky":
        return _at(session, _number(params, "ra"), _number(params, "dec"))
    rows = _rows(params)
    slot = _slot_of(session, params)
    if slot is None and (table := _table_of(session, tables.get(name_of(params)))) is not None:
        slot, rows = _joined(session, table, rows)
        if slot is None:
            return (want.Note("warning", f"no open frame has the fibers that were chosen in {table.title}"),)
    if slot is None or not rows:
        return ()
    most = fiber_count(slot)
    good = tuple(row for row in rows if 0 <= row < most)
    if not good:
        return (want.Note("warning", f"{slot.title} has no row {rows[0]} that another program chose"),)
    show = () if session.current == slot.key else (want.SelectSlot(slot.key),)
    return (*show, want.SelectFiber(good[0], good if len(good) > 1 else ()))


def _number(params: Mapping[str, object], name: str) -> float:
    """A number of a message; SAMP writes all as text. NaN where there is none."""
    try:
        return float(str(params.get(name)))
    except ValueError:
        return float("nan")


def _rows(params: Mapping[str, object]) -> tuple[int, ...]:
    given = params.get("row-list", [params.get("row")])
    words = [str(row) for row in given] if isinstance(given, list) else []
    return tuple(int(word) for word in words if is_whole(word))


def _slot_of(session: Session, params: Mapping[str, object]) -> Slot | None:
    """The frame whose fibers a table has: one that was sent from here, or that of the file of a frame."""
    name = str(params.get("table-id", ""))
    for slot in session.slots:
        if table_id(slot) == name:
            return slot
    url = urlsplit(str(params.get("url", "") or (name if name.startswith("file:") else "")).partition("#")[0])
    path = unquote(url.path)
    found = [s for s in session.slots if path and s.dataset.path and os.path.realpath(s.dataset.path) == path]
    current = session.slot()
    return current if current in found else found[0] if found else None


def _table_of(session: Session, path: str | None) -> OpenTable | None:
    """The table that another program has sent as that file."""
    return next((t for t in session.tables if path and t.path == path), None)


def _joined(session: Session, table: OpenTable, rows: tuple[int, ...]) -> tuple[Slot | None, tuple[int, ...]]:
    """The frame that has the fibers of some rows of a table, the current one first, and its rows."""
    for slot in sorted(session.slots, key=lambda slot: slot.key != session.current):
        in_frame = joined.link(table, slot).in_frame
        found = tuple(int(in_frame[row]) for row in rows if 0 <= row < table.nrow and in_frame[row] >= 0)
        if found:
            return slot, found
    return None, ()


def _at(session: Session, ra: float, dec: float) -> tuple[want.Intent, ...]:
    """The fiber, or the pixel, of the current frame at a place on the sky (degrees)."""
    slot = session.slot()
    if slot is None or not np.isfinite([ra, dec]).all():
        return ()
    fibers = joined.fibermap_of(slot)
    if fibers is not None and fibers.ra is not None and fibers.dec is not None:
        east = (fibers.ra - ra + 180) % 360 - 180
        away = np.hypot(east * np.cos(np.radians(dec)), fibers.dec - dec) * 3600
        if np.isfinite(away).any() and float(np.nanmin(away)) <= NEAR:
            return (want.SelectFiber(int(np.nanargmin(away))),)
    axes = sky_axes(slot.image.wcs)
    if axes is not None:
        world = np.empty((1, 2))
        world[0, axes.wcs.lng], world[0, axes.wcs.lat] = ra, dec
        try:
            x, y = (float(v) for v in axes.all_world2pix(world, 0)[0])
        except Exception:  # the place has none, in the words of wcslib
            return ()
        ny, nx = slot.image.shape
        if -0.5 <= x < nx - 0.5 and -0.5 <= y < ny - 0.5:
            return (want.PickPoint(slot.key, x, y),)
    return ()


def told(
    old: Session, new: Session, sent: Collection[str] = (), tables: Mapping[str, str] = MappingProxyType({})
) -> tuple[Message, ...]:
    """What others are told of a new selection: the place on the sky, and rows of tables that were `sent` or came."""
    if new.selection == old.selection and new.current == old.current:
        return ()
    slot, chosen = new.slot(), new.selection
    if slot is None:
        return ()
    out: list[Message] = []
    place = skyposition.position(new)
    if place is None and chosen.x is not None and chosen.y is not None:
        place = sky_position(slot.image.wcs, chosen.x, chosen.y)
    if place is not None:
        out.append(("coord.pointAt.sky", {"ra": f"{place[0]:.7f}", "dec": f"{place[1]:.7f}"}))
    if chosen.fiber is None:
        return tuple(out)
    fibers = np.array([chosen.fiber, *(chosen.fibers if len(chosen.fibers) > 1 else ())])
    if (own := table_id(slot)) in sent:
        out += _rows_told(own, fibers)
    for name, path in tables.items():
        if (table := _table_of(new, path)) is not None:
            in_table = joined.link(table, slot).in_table
            out += _rows_told(name, in_table[fibers[fibers < in_table.size]])
    return tuple(out)


def _rows_told(name: str, rows: Array) -> list[Message]:
    """The first of `rows` is highlighted in a table, the others are selected; -1 is no row."""
    out: list[Message] = []
    known = [str(row) for row in rows[1:] if row >= 0]
    if known:
        out.append(("table.select.rowList", {"table-id": name, "row-list": known}))
    if rows.size and rows[0] >= 0:
        out.append(("table.highlight.row", {"table-id": name, "row": str(rows[0])}))
    return out

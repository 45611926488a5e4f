"""Where the fibers of all open cameras, or of a table, sit: positions, names, columns, outlines."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from ifuview.app.frames import joined
from ifuview.app.frames.fibers import arms_beside
from ifuview.app.frames.state import OpenTable
from ifuview.app.frames.views.lasso import hull
from ifuview.app.frames.views.text import axis
from ifuview.app.session import Session, Slot
from ifuview.app.spectra.views.fiber_table import fiber_map
from ifuview.instrument import words
from ifuview.model.checks import Array, is_whole
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Kind

NOWHERE = -1  # key of the frame of a fiber that is in no open one

_last: list[tuple[tuple[object, ...], tuple[tuple[Slot, ...], ...]]] = []  # frames asked for last, and their groups


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Fibers with their positions.

    Parameters
    ----------
    x, y : ndarray, shape (nfiber,)
    xlabel, ylabel : str
    mirror : bool
        x rises to the left (right ascension).
    stretch : float
        Length of a unit of y over that of x.
    ids : tuple of str
    roles : tuple of FiberRole
    key, row : ndarray of int, shape (nfiber,)
        Frame of each fiber (NOWHERE if none) and its row there.
    numbers : tuple of (name, ndarray)
        What the fibers can be colored by.
    outlines : tuple of (x, y)
        Closed lines around the fibers of one camera.
    members : tuple of Slot
        Frames, in the order of their fibers.
    arms : tuple of tuple of Slot
        For each of them all open frames of the same fibers, itself first: a wavelength belongs to one arm.
    source : tuple
        The objects it was made from; the same objects mean the same field.
    title : str
    """

    x: Array
    y: Array
    xlabel: str
    ylabel: str
    mirror: bool
    stretch: float
    ids: tuple[str, ...]
    roles: tuple[FiberRole, ...]
    key: Array
    row: Array
    numbers: tuple[tuple[str, Array], ...]
    outlines: tuple[tuple[Array, Array], ...]
    members: tuple[Slot, ...]
    source: tuple[object, ...]
    title: str
    arms: tuple[tuple[Slot, ...], ...] = ()


def members(session: Session) -> tuple[tuple[Slot, ...], ...]:
    """The open frames of the current product and exposure, those of the same fibers together, in order of fibers.

    The first of each group stands for it: the current frame, or the one whose wavelengths are most like its.
    A drag of the window asks again and again: the answer is kept until the frames change.
    """
    asked = (session.slots, session.current, session.night)
    if not _last or any(a is not b for a, b in zip(_last[0][0], asked)):
        _last[:] = [(asked, _members(session))]
    return _last[0][1]


def _members(session: Session) -> tuple[tuple[Slot, ...], ...]:
    """The groups of frames."""
    slot = session.slot()
    if slot is None or fiber_map(slot) is None:
        return ()
    groups: dict[tuple[str, ...], list[Slot]] = {_ids(slot): [slot]}
    if slot.image.kind is Kind.RSS:
        taken = set(_ids(slot))
        for other in session.slots:
            if other is slot or not _belongs(session, other, slot):
                continue
            ids = _ids(other)
            if ids in groups:
                groups[ids].append(other)
            elif taken.isdisjoint(ids):
                groups[ids] = [other]
                taken.update(ids)
    like = (sorted(group, key=lambda s: (s is not slot, -_common(s, slot))) for group in groups.values())
    return tuple(tuple(group) for group in sorted(like, key=lambda group: _first(group[0])))


def more_arms(session: Session) -> bool:
    """Whether the current product has other arms of the same fibers that are not open: in the night, or beside it."""
    night, slot = session.night, session.slot()
    now = None if night is None or session.current is None else night.shown.get(session.current)
    if now is None and slot is not None:
        return bool(arms_beside(session, slot))
    if night is None or now is None or not now.camera[1:].isdigit():
        return False
    index = night.compared if now.other and night.compared is not None else night.index
    open_now = {(p.expid, p.camera, p.product, p.other) for p in night.shown.values()}
    alike = (c for c in index.cameras if c[1:] == now.camera[1:] and index.file(now.expid, c, now.product) is not None)
    return any((now.expid, c, now.product, now.other) not in open_now for c in alike)


def sources(session: Session) -> tuple[object, ...]:
    """What the field of the open frames depends on."""
    found = [s for group in members(session) for s in group]
    maps = (fiber_map(s) for s in found)
    return (*(s.key for s in found), *maps, *(s.image for s in found), *session.tables,
            *(v for _, v in session.metrics))  # fmt: skip


def of_frames(session: Session) -> Field | None:
    """The fibers of the open cameras; None when it is not known where they sit."""
    groups = members(session)
    found = tuple(group[0] for group in groups)
    slot = session.slot()
    if slot is None or not found:
        return None
    maps = [m for s in found if (m := fiber_map(s)) is not None]
    placed = _placed(maps)
    if placed is None:
        return None
    x, y, xlabel, ylabel, mirror, stretch = placed
    counts = [m.nfiber for m in maps]
    key = np.repeat([s.key for s in found], counts)
    outlines = tuple(hull(x[key == s.key], y[key == s.key]) for s in found) if not mirror and len(found) > 1 else ()
    return Field(
        x,
        y,
        xlabel,
        ylabel,
        mirror,
        stretch,
        tuple(i for m in maps for i in m.fiber_id),
        tuple(r for m in maps for r in m.role),
        key,
        np.concatenate([np.arange(n) for n in counts]),
        _numbers(session, slot, found, maps),
        outlines or ((hull(x, y),) if not mirror and slot.image.kind is Kind.RSS else ()),
        found,
        sources(session),
        slot.title if len(found) == 1 else f"{sum(map(len, groups))} cameras like {slot.title}",
        groups,
    )


def has_places(table: OpenTable) -> bool:
    """Whether a table says where its fibers sit."""
    return bool(_axes(table))


def _axes(table: OpenTable) -> tuple[tuple[Array, Array], ...]:
    """Columns of positions on the focal plane, the best first."""
    pairs = zip(words("focal_x"), words("focal_y"), strict=False)
    columns = table.table.columns
    return tuple((columns[a], columns[b]) for a, b in pairs if a in columns and b in columns)


def of_table(table: OpenTable, session: Session) -> Field:
    """The fibers of a table, linked to the frames that have them."""
    columns = table.table.columns
    x, y = _axes(table)[0]
    key, row = np.full(table.nrow, NOWHERE), np.full(table.nrow, NOWHERE)
    for slot in sorted(session.slots, key=lambda s: s.key != session.current):
        if fiber_map(slot) is not None:
            found = joined.link(table, slot).in_frame
            new = (key == NOWHERE) & (found >= 0)
            key[new], row[new] = slot.key, found[new]
    group = next((columns[n] for n in words("group") if n in columns), np.zeros(table.nrow))
    names = next((columns[n] for n in words("fiber_id") if n in columns), np.arange(table.nrow))
    numbers = tuple((n, v) for n, v in columns.items() if v.ndim == 1 and v.dtype.kind in "iufb")
    return Field(
        np.asarray(x, dtype=np.float64),
        np.asarray(y, dtype=np.float64),
        axis("Focal plane x", "mm"),
        axis("Focal plane y", "mm"),
        False,
        1.0,
        tuple(str(n) for n in names.tolist()),
        (FiberRole.SCIENCE,) * table.nrow,
        key,
        row,
        numbers,
        tuple(hull(x[group == g], y[group == g]) for g in np.unique(group)),
        (),
        (table.table, *(s.key for s in session.slots)),
        table.title,
    )


def _placed(maps: list[FiberMap]) -> tuple[Array, Array, str, str, bool, float] | None:
    """x, y, labels, mirror, stretch: on the focal plane if all know it, else on the sky."""
    focal = [(m.focal_x, m.focal_y) for m in maps if m.focal_x is not None and m.focal_y is not None]
    if len(focal) == len(maps):
        unit = maps[0].focal_unit
        x, y = (np.concatenate([np.asarray(p[i], dtype=np.float64) for p in focal]) for i in (0, 1))
        return x, y, axis("Focal plane x", unit), axis("Focal plane y", unit), False, 1.0
    sky = [(m.ra, m.dec) for m in maps if m.ra is not None and m.dec is not None]
    if len(sky) != len(maps):
        return None
    ra, dec = (np.concatenate([np.asarray(p[i], dtype=np.float64) for p in sky]) for i in (0, 1))
    known = dec[np.isfinite(dec)]
    cosine = float(np.cos(np.radians(known.mean()))) if known.size else 1.0
    return ra, dec, axis("Right ascension", "°"), axis("Declination", "°"), True, 1.0 / max(cosine, 1e-3)


def _numbers(
    session: Session, slot: Slot, found: tuple[Slot, ...], maps: list[FiberMap]
) -> tuple[tuple[str, Array], ...]:
    """Everything with one number per fiber: block, metrics of the current frame, columns of the tables."""
    out: dict[str, Array] = {slot.dataset.block: np.concatenate([np.asarray(m.block) for m in maps])}
    if len(found) == 1:
        out.update((name, v) for name, v in session.metrics if len(v) == maps[0].nfiber)
    parts = [joined.columns(s, session.tables) for s in found]
    known = {n: None for part in parts for n in part}
    first = {n: None for n in words("color", "tables") if n in known}  # what is asked for most
    for name in first | known:
        columns = [
            part[name] if name in part else np.full(m.nfiber, np.nan) for part, m in zip(parts, maps, strict=True)
        ]
        if all(c.dtype.kind in "iufb" for c in columns):
            out.setdefault(name, columns[0] if len(columns) == 1 else np.concatenate(columns))
    return tuple(out.items())


def _belongs(session: Session, other: Slot, slot: Slot) -> bool:
    """Whether a frame is the same product of the same exposure in another camera."""
    a, b = other.image, slot.image
    same = a.kind is b.kind and a.stage == b.stage and fiber_map(other) is not None
    if not same or (a.wave is None) != (b.wave is None) or (a.camera == b.camera != ""):
        return False
    return _exposure(session, other) == _exposure(session, slot)


def _exposure(session: Session, slot: Slot) -> object:
    """What two frames of one exposure have in common: their folder, or the exposure that they were computed of."""
    if slot.dataset.path:
        return os.path.dirname(slot.dataset.path)
    place = None if session.night is None else session.night.shown.get(slot.key)
    return slot.key if place is None else (place.expid, place.other)


def _common(a: Slot, b: Slot) -> float:
    """Angstrom that two frames both cover; negative for a gap between them."""
    if a.image.wave is None or b.image.wave is None or not a.image.wave.size or not b.image.wave.size:
        return 0.0
    return float(min(a.image.wave[..., -1].max(), b.image.wave[..., -1].max()) - max(a.image.wave[..., 0].min(),
                 b.image.wave[..., 0].min()))  # fmt: skip


def _ids(slot: Slot) -> tuple[str, ...]:
    """Names of the fibers of a frame."""
    fibermap = fiber_map(slot)
    return () if fibermap is None else fibermap.fiber_id


def _first(slot: Slot) -> tuple[int, str]:
    """For the order of the cameras: the number of the first fiber."""
    name = next(iter(_ids(slot)), "")
    return (int(name) if is_whole(name) else 0, name)

"""The fibers of all open cameras on the focal plane or the sky, colored by role, a column, or light in a window."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames.state import OpenTable
from ifuview.app.frames.views import colors
from ifuview.app.frames.views.lasso import inside
from ifuview.app.frames.views.text import axis, number
from ifuview.app.session import Session
from ifuview.app.spectra.views import field, window_light
from ifuview.app.spectra.views.field import NOWHERE, Field
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberRole
from ifuview.model.figure import CROSS, DIAMOND, DOT, NONE, RING, SQUARE, STAR, Cloud, Color, Curve, Figure, Scale
from ifuview.model.image import Kind

ROLE = "role"
WINDOW = "light in the window"
COLORS = 64  # of the ramp
TAILS = (1.0, 99.0)  # percentiles that the color range spans
RAMP, RESIDUAL_RAMP = "viridis", "coolwarm"
SIGMAS = 5.0  # robust scatters that the color of a residual reaches at first
MOST_NAMED = 4  # cameras
OPEN_FRAMES = "open frames"
SIZE = 7.0  # screen px of a fiber
MANY, CROWD, MOST_RINGS = 20, 150, 2000  # selected fibers: with thin rings; with pale ones; with rings at all
SYMBOLS: dict[FiberRole, tuple[str, Color]] = {
    FiberRole.SCIENCE: (DOT, 0),
    FiberRole.SKY: (SQUARE, 4),
    FiberRole.STANDARD: (STAR, 1),
    FiberRole.DEAD: (CROSS, "bad"),
    FiberRole.UNASSIGNED: (DIAMOND, "faint"),
}

_last: list[tuple[tuple[object, ...], Field | None]] = []  # of the last view; a drag asks for it often


@dataclass(frozen=True, slots=True, eq=False)
class FocalPlaneView:
    """Fibers, what can color them, and what is selected.

    Parameters
    ----------
    field : Field
    fiber : int or None
        Number in the field of the selected fiber.
    fibers : tuple of int
        Numbers in the field of all selected fibers.
    window : (float, float) or None
        Angstrom.
    tables : tuple of OpenTable
        Tables that have positions.
    session : Session
        For the fields of the tables.
    """

    field: Field
    fiber: int | None
    fibers: tuple[int, ...]
    window: tuple[float, float] | None
    tables: tuple[OpenTable, ...]
    session: Session

    @property
    def x(self) -> Array:
        """Positions."""
        return self.field.x

    @property
    def y(self) -> Array:
        """Positions."""
        return self.field.y

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the fibers."""
        return self.field.ids

    @property
    def roles(self) -> tuple[FiberRole, ...]:
        """Roles of the fibers."""
        return self.field.roles

    @property
    def mirror(self) -> bool:
        """x rises to the left."""
        return self.field.mirror

    @property
    def stretch(self) -> float:
        """Length of a unit of y over that of x."""
        return self.field.stretch

    @property
    def title(self) -> str:
        """What is shown."""
        return self.field.title

    @property
    def choices(self) -> tuple[str, ...]:
        """What the fibers can be colored by."""
        by_light = any(s.image.kind is Kind.RSS and s.image.wave is not None for s in self.field.members)
        return (ROLE, *((WINDOW,) if by_light else ()), *(name for name, _ in self.field.numbers))

    @property
    def places(self) -> tuple[str, ...]:
        """Whose fibers can be shown: those of the frames, those of tables."""
        return (*((OPEN_FRAMES,) if self.field.members else ()), *(t.title for t in self.tables))


@dataclass(frozen=True, slots=True, eq=False)
class Shades:
    """Color of each fiber as 0xRRGGBB of a ramp: index (nfiber,), -1 where unknown; the ramp; its range; a note."""

    index: Array
    ramp: Array
    lo: float
    hi: float
    note: str = ""


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (*field.sources(session), session.selection, session.current, session.window)


def make(session: Session) -> FocalPlaneView | None:
    """Positions of the fibers of the open cameras or of a table; None when they are not known."""
    first = {t.path: t for t in reversed(session.tables) if field.has_places(t)}  # one table of each file
    tables: tuple[OpenTable, ...] = tuple(first[p] for p in dict.fromkeys(t.path for t in session.tables) if p in first)
    found = _field(session)
    if found is None:
        return _view(session, field.of_table(tables[0], session), tables) if tables else None
    return _view(session, found, tables)


def of_place(view: FocalPlaneView, place: str) -> FocalPlaneView:
    """The same for the fibers of a table."""
    table = next((t for t in view.tables if t.title == place), None)
    return view if table is None else _view(view.session, field.of_table(table, view.session), view.tables)


def beside(view: FocalPlaneView) -> tuple[FocalPlaneView, ...]:
    """The same fibers in the other products of the exposure that are open, one view for each product."""
    session, night = view.session, view.session.night
    now = None if night is None or session.current is None else night.shown.get(session.current)
    if night is None or now is None or not view.field.members:
        return ()
    others = {}
    for slot in session.slots:
        place = night.shown.get(slot.key)
        alike = place is not None and (place.expid, place.camera, place.other) == (now.expid, now.camera, now.other)
        if alike and place is not None and place != now and slot.image.kind is Kind.RSS:
            others[place.product] = slot.key
    order = [p for p in night.index.chain.shown if p in others]
    out = []
    for product in order:
        there = replace(session, current=others[product])
        found = field.of_frames(there)
        if found is not None:
            title = night.index.chain.title(product)
            out.append(replace(_view(there, found, ()), field=replace(found, title=title)))
    return tuple(out)


def _field(session: Session) -> Field | None:
    """The field of the open frames, from the last time if nothing changed."""
    sources = field.sources(session)
    if _last and len(_last[0][0]) == len(sources) and all(a is b for a, b in zip(_last[0][0], sources, strict=True)):
        return _last[0][1]
    _last[:] = [(sources, field.of_frames(session))]
    window_light.forget(session.slots)
    return _last[0][1]


def _view(session: Session, found: Field, tables: tuple[OpenTable, ...]) -> FocalPlaneView:
    """The view with the selection as numbers in the field."""
    chosen = session.selection
    current = NOWHERE - 1 if session.current is None else session.current
    alone = (chosen.fiber,) if chosen.fiber is not None else ()
    fiber = next(iter(_places(found, current, alone)), None)
    fibers = [*_places(found, current, chosen.fibers)]
    for key, rows in chosen.elsewhere:
        fibers += _places(found, key, rows)
    return FocalPlaneView(found, fiber, tuple(fibers), session.window, tables, session)


def _places(found: Field, key: int, rows: tuple[int, ...]) -> list[int]:
    """Numbers in the field of some rows of a frame."""
    if not rows:
        return []
    mine = np.flatnonzero(found.key == key)
    place = dict(zip(found.row[mine].tolist(), mine.tolist(), strict=True))
    return [place[row] for row in rows if row in place]


def shades(view: FocalPlaneView, name: str, sigmas: float = SIGMAS) -> Shades | None:
    """Colors by a number or by the light in the window; None for the role or a name that is not there.

    The light is a robust residual: each fiber's median flux in the window minus that of all fibers; the colors
    reach `sigmas` robust scatters to both sides.
    """
    if name == WINDOW:
        return _residual_shades(view, sigmas)
    values = dict(view.field.numbers).get(name)
    if values is None:
        return None
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    lo, hi = (float(v) for v in np.percentile(values[finite], TAILS)) if finite.any() else (0.0, 1.0)
    if hi <= lo:
        lo, hi = lo - 0.5, hi + 0.5
    return _shades(values, lo, hi, RAMP)


def places_figure(view: FocalPlaneView, colored: Shades | None) -> Figure:
    """The fibers, in the color and the symbol of their roles or in `colored`, within their outlines."""
    curves: list[Curve] = []
    points = None
    if colored is None:
        roles = np.array([role.value for role in view.roles])
        for role, (symbol, color) in SYMBOLS.items():
            own = roles == role.value
            if own.any():
                curves.append(Curve(view.x[own], view.y[own], color, role.value, NONE, symbol, size=SIZE))
    else:
        known = colored.index >= 0
        points = Cloud(view.x, view.y, colored.ramp[np.maximum(colored.index, 0)], known)
    gap = np.array([np.nan])
    lines = [np.concatenate([part for xy in view.field.outlines for part in (xy[i], gap)] or [gap]) for i in (0, 1)]
    curves.append(Curve(lines[0], lines[1]))
    return Figure(
        "", Scale(view.field.xlabel, mirror=view.mirror), Scale(view.field.ylabel), tuple(curves), points=points,
        stretch=view.stretch,
    )  # fmt: skip


def ringed(drawn: Figure, view: FocalPlaneView) -> Figure:
    """The same with rings about the selected fibers; of many the rings are thin and pale, so that colors are seen."""
    placed = np.isfinite(view.x) & np.isfinite(view.y)
    chosen = [f for f in {*view.fibers, view.fiber} if f is not None and placed[f]][:MOST_RINGS]
    if not chosen:
        return drawn
    many = len(chosen) > MANY
    ring = Curve(
        view.x[chosen], view.y[chosen], "text", "", NONE, RING, width=1.0 if many else 2.0,
        size=SIZE + (2 if many else 9), pale=len(chosen) > CROWD,
    )  # fmt: skip
    return replace(drawn, curves=(*drawn.curves, ring))


def window_values(view: FocalPlaneView) -> Array | None:
    """Median flux of each fiber in the window, shape (nfiber,); None without a window or frames."""
    if view.window is None or not view.field.members:
        return None
    return np.concatenate([window_light.light_of(group, view.window) for group in view.field.arms])


def _residual_shades(view: FocalPlaneView, sigmas: float) -> Shades | None:
    """Colors by the light in the window."""
    values = window_values(view)
    if values is None:
        return None
    rest, scatter = window_light.residual(values)
    reach = sigmas * scatter if scatter > 0 else 1.0
    lo, hi = view.window or (0.0, 0.0)
    unit = view.field.members[0].image.unit
    if scatter == 0 and not np.isfinite(rest).any():
        return _shades(rest, -1.0, 1.0, RESIDUAL_RAMP, f"No open frame covers {number(lo, 5)} to {number(hi, 5)} Å.")
    names = {
        part.slot.image.camera: None for group in view.field.arms for part in window_light.parts_of(group, (lo, hi))
    }
    arms = f" ({_arm_words(tuple(names))})" if len(view.field.arms[0]) > 1 or len(names) > len(view.field.arms) else ""
    note = (
        f"{axis('Median', unit)} in {number(lo, 5)} to {number(hi, 5)} Å{arms} minus that of all; ± {number(sigmas)} σ"
    )
    return _shades(rest, -reach, reach, RESIDUAL_RAMP, note)


def _arm_words(cameras: tuple[str, ...]) -> str:
    """Cameras that the light is of: all, or how many."""
    return ", ".join(cameras) if len(cameras) <= MOST_NAMED else f"{len(cameras)} cameras"


def _shades(values: Array, lo: float, hi: float, ramp: str, note: str = "") -> Shades:
    """Values on a ramp from `lo` to `hi`."""
    finite = np.isfinite(values)
    place = np.clip((np.where(finite, values, lo) - lo) / (hi - lo) * (COLORS - 1), 0, COLORS - 1)
    index = np.where(finite, np.round(place), -1).astype(np.intp)
    rgb = np.round(colors.ramp(ramp, np.linspace(0.0, 1.0, COLORS)) * 255).astype(np.uint32)
    return Shades(index, rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2], lo, hi, note)


def describe(view: FocalPlaneView, point: int, name: str = ROLE) -> str:
    """One fiber in words."""
    text = f"Fiber {view.ids[point]} ({view.roles[point]}) at {view.x[point]:.4g}, {view.y[point]:.4g}"
    values = window_values(view) if name == WINDOW else dict(view.field.numbers).get(name)
    return text if values is None else f"{text}, {name} {float(values[point]):.4g}"


def nearest(view: FocalPlaneView, x: float, y: float) -> int | None:
    """Number of the fiber nearest to a position."""
    distance = np.hypot(view.x - x, (view.y - y) * view.stretch)
    return None if not np.isfinite(distance).any() else int(np.nanargmin(distance))


def lassoed(view: FocalPlaneView, polygon: Array) -> Array:
    """Numbers of the fibers inside a line."""
    return np.flatnonzero(inside(view.x, view.y, polygon))


def target(view: FocalPlaneView, points: Array) -> tuple[dict[int, tuple[int, ...]], int] | None:
    """Frames (key) that have some fibers and the rows there, and how many fibers are in none; None if all are.

    The current frame comes first if it has one of them, else the one that has most.
    """
    points = np.atleast_1d(points)
    keys, rows = view.field.key[points], view.field.row[points]
    known = keys[keys != NOWHERE]
    if known.size == 0:
        return None
    values, counts = np.unique(known, return_counts=True)
    order = sorted(zip(values.tolist(), counts.tolist()), key=lambda vc: (vc[0] != view.session.current, -vc[1]))
    found = {key: tuple(int(r) for r in rows[keys == key]) for key, _ in order}
    return found, int(points.size - known.size)

"""A number of many exposures side by side: what is usual, and which amplifiers, cameras or fibers are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.app.frames.views.text import axis, number
from ifuview.app.session import Session
from ifuview.instrument import alarms as known_alarms
from ifuview.model.checks import Array
from ifuview.model.figure import DOT, Curve, Figure, Rule, Scale
from ifuview.model.frames.units import unit_words
from ifuview.model.instrument import Alarm
from ifuview.model.night.trends import TrendQuantity, TrendTable

SPREAD = (16.0, 84.0)  # percent, of the band of what is usual
FAR = 5.0  # robust sigma from where on something is not usual
TO_SIGMA = 1.4826
NAMED = 6  # places that are drawn by name
LISTED = 200
LEAST_BEFORE = 3  # values of a place that tell what it was before
FEW = 8  # places that are all drawn by name


@dataclass(frozen=True, slots=True)
class TrendPlace:
    """A place with its farthest value: where, in which exposure, how many robust sigma off, beyond a limit or not.

    `since`: the first exposure that is beyond the limit, "" for none.
    """

    name: str
    value: float
    night: int
    exposure: str
    sigma: float
    mark: str
    since: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TrendsView:
    """Everything on the dock; figures and places are made by `figure` and `places` of the choice of the user."""

    table: TrendTable
    summary: str
    alarms: tuple[Alarm, ...] = ()


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (session.trends, instrument_of(session))


def instrument_of(session: Session) -> str:
    """The instrument of the night that is open, "" without one."""
    return "" if session.night is None else session.night.index.chain.instrument


def make(session: Session) -> TrendsView | None:
    """What is known; None before anything is."""
    table = session.trends
    if table is None or not len(table):
        return None
    nights = sorted({int(n) for n in table.night} - {0})
    span = "" if not nights else f" of {nights[0]}" + (f" to {nights[-1]}" if len(nights) > 1 else "")
    places = np.unique(table.place).size
    summary = f"{len(table)} numbers{span}, {places} amplifiers, cameras or fibers"
    return TrendsView(table, summary, known_alarms(instrument_of(session)))


def label(quantity: TrendQuantity) -> str:
    """A quantity with its unit."""
    return axis(quantity.title, quantity.unit)


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Values (nplace, nexposure), NaN where there is none, with the names of both axes."""

    values: Array
    places: tuple[str, ...]
    exposures: tuple[tuple[int, str], ...]


def _grid(view: TrendsView, name: str, words: str) -> _Grid:
    """The values of a quantity; `words`: only of places that contain all of them."""
    table = view.table
    rows = table.rows(name)
    wanted = words.lower().split()
    if wanted:
        keep = [all(word in place.lower().split() or word in place.lower() for word in wanted)
                for place in table.place[rows].tolist()]  # fmt: skip
        rows = rows[np.array(keep, bool)] if rows.size else rows
    keys = list(zip(table.night[rows].tolist(), table.exposure[rows].tolist(), strict=True))
    exposures = tuple(dict.fromkeys(keys))
    places, which = np.unique(table.place[rows], return_inverse=True)
    column = {key: n for n, key in enumerate(exposures)}
    values = np.full((places.size, len(exposures)), np.nan)
    values[which, [column[key] for key in keys]] = table.value[rows]
    return _Grid(values, tuple(map(str, places)), exposures)


def _far(values: Array) -> Array:
    """How far each value is from what is usual in its exposure, in robust sigma of all."""
    if not values.size:
        return np.zeros(values.shape)
    with np.errstate(invalid="ignore"):
        middle = np.nanmedian(values, axis=0) if len(values) > 2 else np.nanmedian(values)
        off = values - middle
        scatter = TO_SIGMA * float(np.nanmedian(np.abs(off)))
    if scatter > 0:
        return off / scatter
    return np.where(np.isnan(off) | (off == 0), off, np.copysign(np.inf, off))  # most are the same


def _limits(view: TrendsView, name: str) -> TrendQuantity:
    return next(one for one in view.table.quantities if one.name == name)


def _levels(values: Array, limit: TrendQuantity, own: tuple[Alarm, ...]) -> Array:
    """For each exposure of a place: 0, 1 (wants a look) or 2 (wrong), by the file's limits and the alarms."""
    with np.errstate(invalid="ignore"):
        size = np.abs(values)
        out = np.zeros(values.shape, int)
        if not any(alarm.side in ("above", "below") for alarm in own):  # else the alarms count in place of the file
            out = (size >= limit.look).astype(int) + (size >= limit.wrong)
        for alarm in own:
            sizes = values if alarm.side == "above" else -values if alarm.side == "below" else np.abs(_changed(values))
            look, wrong = (-alarm.look, -alarm.wrong) if alarm.side == "below" else (alarm.look, alarm.wrong)
            out = np.maximum(out, (sizes >= look).astype(int) + (sizes >= wrong))
    return out


def _changed(values: Array) -> Array:
    """By how much each value is off the median of those before it; NaN while these are too few."""
    out = np.full(values.shape, np.nan)
    before: list[float] = []
    for n, value in enumerate(values.tolist()):
        if np.isfinite(value):
            if len(before) >= LEAST_BEFORE:
                out[n] = value - float(np.median(before))
            before.append(value)
    return out


def _own_alarms(view: TrendsView, name: str) -> tuple[Alarm, ...]:
    return tuple(alarm for alarm in view.alarms if alarm.number == name)


def places(view: TrendsView, name: str, words: str = "") -> tuple[TrendPlace, ...]:
    """Places by how unusual they are, those beyond a limit first."""
    grid, limit, own = _grid(view, name, words), _limits(view, name), _own_alarms(view, name)
    far = _far(grid.values)
    out = []
    for k, place in enumerate(grid.places):
        known = np.flatnonzero(np.isfinite(grid.values[k]))
        worst = int(known[np.argmax(np.abs(far[k, known]))])
        level = _levels(grid.values[k], limit, own)
        top, since = int(level.max()), ""
        mark = ("", "look", "wrong")[top]
        if top:  # what is beyond a limit is what is told of
            beyond = np.flatnonzero(level == top)
            worst = int(beyond[np.argmax(np.abs(grid.values[k, beyond] - np.nanmedian(grid.values[k])))])
            since = when(grid.exposures[int(beyond[0])])
        elif abs(far[k, worst]) >= FAR:
            mark = "unusual"
        night, exposure = grid.exposures[worst]
        out.append(TrendPlace(place, float(grid.values[k, worst]), night, exposure, float(far[k, worst]), mark, since))
    rank = {"wrong": 0, "look": 1, "unusual": 2, "": 3}
    return tuple(sorted(out, key=lambda p: (rank[p.mark], -abs(p.sigma)))[:LISTED])


def when(exposure: tuple[int, str]) -> str:
    """Night and exposure in words."""
    return f"{exposure[0] or ''} {exposure[1]}".strip()


def beyond_limits(session: Session) -> tuple[str, ...]:
    """One sentence for each number that is wrong somewhere, with the place that is worst and since when."""
    view = make(session)
    out = []
    for quantity in () if view is None else view.table.quantities:
        wrong = [p for p in places(view, quantity.name) if p.mark == "wrong"] if view is not None else []
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            first = wrong[0]
            value = f"{number(first.value)} {unit_words(quantity.unit)}".rstrip()
            out.append(f"{quantity.title} is wrong in {first.name} since {first.since} ({value}){more}")
    return tuple(out)


def figure(view: TrendsView, name: str, words: str = "", chosen: str = "") -> Figure:
    """A quantity along the exposures: the band and the median of all, and what is not usual by name."""
    grid, limit = _grid(view, name, words), _limits(view, name)
    scale = Scale(label(limit))
    count = len(grid.exposures)
    if not count:
        return Figure(limit.title, y=scale, empty="nothing of that name is known")
    x = np.arange(count, dtype=float)
    told = [p.name for p in places(view, name, words) if p.mark][:NAMED]
    if len(grid.places) <= FEW:
        told = list(grid.places)
    if chosen in grid.places:
        told = [chosen, *(one for one in told if one != chosen)][:NAMED]
    curves = []
    if len(grid.places) > FEW:
        low, high = np.nanpercentile(grid.values, SPREAD, axis=0)
        middle = np.nanmedian(grid.values, axis=0)
        curves.append(Curve(x, middle, "text", f"median of {len(grid.places)}", width=2, low=low, high=high))
    curves += [Curve(x, grid.values[grid.places.index(one)], n, one, symbol=DOT, size=6) for n, one in enumerate(told)]
    own = [(a.look, a.wrong) for a in _own_alarms(view, name) if a.side != "change"]
    highest = 3 * float(np.nanmax(np.abs(grid.values)))
    rules = [
        Rule(value, vertical=False, color="bad", label=word)
        for pair in own or [(limit.look, limit.wrong)]
        for value, word in zip(pair, ("look", "wrong"), strict=True)
        if abs(value) <= highest
    ]
    nights = [night for night, _ in grid.exposures]
    starts = [n for n in range(count) if n == 0 or nights[n] != nights[n - 1]]
    rules += [Rule(n - 0.5, label=str(nights[n])) for n in starts if nights[n]]
    ends = f"{grid.exposures[0][1]} \u2026 {grid.exposures[-1][1]}" if count > 1 else grid.exposures[0][1]
    return Figure(
        limit.title, Scale(f"exposures in order, {ends}", (-0.6, count - 0.2)), scale, tuple(curves), tuple(rules)
    )


def exposure_at(view: TrendsView, name: str, words: str, x: float) -> tuple[int, str] | None:
    """Night and exposure at a place of the figure."""
    exposures = _grid(view, name, words).exposures
    n = round(x)
    return exposures[n] if 0 <= n < len(exposures) else None


def line(place: TrendPlace) -> tuple[str, ...]:
    """A place as a row of texts; the unit stands at the figure."""
    sigma = f"{place.sigma:+.1f} \u03c3" if np.isfinite(place.sigma) else ""
    since = f" since {place.since}" if place.since else ""
    return place.name, number(place.value), when((place.night, place.exposure)), sigma, f"{place.mark}{since}"

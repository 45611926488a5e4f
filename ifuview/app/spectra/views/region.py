"""What is in the region that was chosen: statistics in words, its radial profile, its pixels as a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ifuview.app.frames.measuring.sources import cutout
from ifuview.app.frames.sky.lock import sky_of
from ifuview.app.frames.sky.words import position
from ifuview.app.frames.views.text import axis, number
from ifuview.app.session import Session, Slot
from ifuview.engine.context import JobContext
from ifuview.engine.spectra.cubes.inside import CLOSED, inside
from ifuview.model.figure import DOT, NONE, Curve, Figure, Rule, Scale
from ifuview.model.frames.contents import RegionContents
from ifuview.model.frames.units import unit_words
from ifuview.model.region import Region

HINT = "Double click a region of the image to see what is in it."
NO_INSIDE = "A {} has no inside; Cut shows the values along a line."
REACH = 2.0  # sizes of the region that the profile goes out to
MOST_ROWS, MOST_HELD = 5000, 100  # pixels that are listed; of a region in the hand
ARCSEC = 3600.0
HEAD = ("x", "y", "value", "error")


@dataclass(frozen=True, slots=True, eq=False)
class RegionAnswer:
    """What is in a region.

    Parameters
    ----------
    text : str
        The statistics, one line each.
    figure : Figure
        Radial profile.
    rows : tuple of tuple of str
        Pixels, below `HEAD`.
    """

    text: str
    figure: Figure
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class RegionView:
    """What is known before it is measured; of a region in the hand also what is in it."""

    title: str
    hint: str = ""
    held: RegionAnswer | None = None


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = _owner(session)
    return (session.region, None if slot is None else slot.image, None if slot is None else slot.plane,
            session.overlay.sexagesimal)  # fmt: skip


def make(session: Session) -> RegionView | None:
    """Which region it is; None where none is chosen."""
    slot = _owner(session)
    if slot is None or session.region is None:
        return None
    region = session.region[1]
    hint = "" if region.shape in CLOSED else NO_INSIDE.format(region.shape)
    return RegionView(_title(slot, region), hint)


def _title(slot: Slot, region: Region) -> str:
    return f"{region.shape} {region.text}".rstrip() + f" of {slot.title}"


def region_job(session: Session, key: int, region: Region) -> Callable[[JobContext], RegionView] | None:
    """The work for a region in the hand: the same, with few of its pixels listed; None where it has no inside."""
    slot = session.slot(key)
    if slot is None or region.shape not in CLOSED:
        return None
    sexagesimal = session.overlay.sexagesimal
    return lambda _ctx: RegionView(
        _title(slot, region), held=answer(slot, region, sexagesimal=sexagesimal, most=MOST_HELD)
    )


def job(session: Session) -> Callable[[JobContext], RegionAnswer] | None:
    """The work: measure the pixels."""
    slot = _owner(session)
    if slot is None or session.region is None or session.region[1].shape not in CLOSED:
        return None
    region, sexagesimal = session.region[1], session.overlay.sexagesimal
    return lambda _ctx: answer(slot, region, sexagesimal=sexagesimal)


def _owner(session: Session) -> Slot | None:
    """The frame of the region."""
    return None if session.region is None else session.slot(session.region[0])


def answer(slot: Slot, region: Region, *, sexagesimal: bool = False, most: int = MOST_ROWS) -> RegionAnswer:
    """Measure a region of the plane that a frame shows, and put it into words; `most` of its pixels are listed."""
    found = measured(slot, region)
    unit = slot.image.unit
    rows = tuple(
        (str(x), str(y), number(float(v), 6), number(float(e), 3) if math.isfinite(e) else "")
        for x, y, v, e in zip(found.columns[:most], found.rows, found.values, found.errors)
    )
    curve = Curve(found.radius, found.profile, 0, stroke=NONE, symbol=DOT,
                  error=found.profile_error if np.isfinite(found.profile_error).any() else None)  # fmt: skip
    edges = tuple(Rule(r) for r in region.size if region.shape in ("circle", "annulus", "panda"))
    figure = Figure("", Scale(axis("Distance from the center", "px")), Scale(axis("Mean", unit)), (curve,), rules=edges)
    words = _words(slot, found, sexagesimal)
    words += [f"the first {most} pixels are listed"] if found.npix > most else []
    return RegionAnswer("\n".join(words), figure, rows)


def measured(slot: Slot, region: Region) -> RegionContents:
    """The contents of a region of the plane that a frame shows."""
    from ifuview.engine.frames.contents import measure_region

    whole = inside(region, slot.image.shape)
    center = _center(region)
    x0, y0, x1, y1 = _around(region, center, slot.image.shape)
    data, variance = cutout(slot, x0, y0, x1, y1)
    return measure_region(data, variance, whole[y0:y1, x0:x1], (x0, y0), center)


def _center(region: Region) -> tuple[float, float]:
    xs, ys = zip(*region.points)
    return float(np.mean(xs)), float(np.mean(ys))


def _around(region: Region, center: tuple[float, float], shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Columns and rows around a region, first and behind the last, at least a pixel."""
    corners = max(math.dist(center, point) for point in region.points)
    reach = REACH * max(corners, math.hypot(*region.size[-2:]) if region.size else 0.0, 1.0)
    x0, y0 = (min(max(math.floor(c - reach), 0), n - 1) for c, n in zip(center, shape[::-1]))
    x1, y1 = (max(min(math.ceil(c + reach) + 1, n), low + 1) for c, n, low in zip(center, shape[::-1], (x0, y0)))
    return x0, y0, x1, y1


def _words(slot: Slot, found: RegionContents, sexagesimal: bool) -> list[str]:
    """The statistics, line by line."""
    unit, sky = slot.image.unit, sky_of(slot)
    area = f", {number(found.npix * (sky.scale * ARCSEC) ** 2)} arcsec²" if sky is not None and sky.scale else ""
    left = f", {found.npix - found.known} masked or unknown" if found.known < found.npix else ""
    error = f" ± {number(found.total_error, 3)}" if math.isfinite(found.total_error) else ""
    out = [
        f"{found.npix} pixels{left}{area}",
        f"sum {number(found.total, 6)}{error} {unit_words(unit)}".rstrip(),
        f"mean {number(found.mean, 6)}, median {number(found.median, 6)}, scatter {number(found.scatter)}",
        f"from {number(found.low, 6)} to {number(found.high, 6)}",
    ]
    if math.isfinite(found.x):
        place = None if sky is None else sky.read(found.x, found.y)
        words = "" if sky is None or place is None else f", {position(*place, sky.scale, sexagesimal=sexagesimal)}"
        out.append(f"light centered at x {found.x:.2f} y {found.y:.2f}{words}")
    return out

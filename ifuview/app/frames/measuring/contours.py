"""Contours of one frame in the pixels of another: by their skies where both have one, else by equal pixels."""

from __future__ import annotations

import numpy as np

from ifuview.app.frames.measuring.state import Contours
from ifuview.app.frames.sky.lock import sky_of
from ifuview.app.frames.sky.maps import SkyMap
from ifuview.app.frames.views.sampling import shown_plane
from ifuview.app.session import Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.frames.contour import contours, levels_above, levels_between
from ifuview.errors import UsageError
from ifuview.model.checks import Array

NOISE, LIMITS, NONE = "noise", "limits", "none"
SIDE = 1200  # px of the copy that contours are found on
ROWS = 256  # read at once
MOST_PLACES = 20_000  # vertices that are taken from one sky to another


def contours_over(slot: Slot, other: Slot, how: str, ctx: JobContext = SILENT) -> Contours:
    """Contours of `other` for drawing on `slot`.

    Raises
    ------
    UsageError
        The frames have neither the sky nor their size in common, or there is no level.
    """
    here, there = sky_of(slot), sky_of(other)
    alike = slot.image.shape == other.image.shape
    if not alike and (here is None or there is None):
        raise UsageError(
            f"contours of {other.title} cannot be laid over {slot.title}",
            "they have neither a sky (WCS) in common nor the same size", "choose two frames that have",
        )  # fmt: skip
    values, step = coarse(other, ctx)
    look = other.look
    between = how == LIMITS and look.lo is not None and look.hi is not None
    levels = levels_between(look.lo or 0.0, look.hi or 0.0) if between else levels_above(values)
    if not levels:
        todo = "choose levels between the limits" if how == NOISE else "set its limits"
        raise UsageError(f"nothing in {other.title} stands out above its noise", todo=todo)
    ctx.checkpoint(0.6, f"Contours of {other.title}")
    lines = contours(values, levels, step)
    if here is not None and there is not None and here is not there:
        lines = moved(lines, there.copy(), here.copy(), ctx)
    return Contours(other.title, tuple(line for line in lines if len(line) > 1), levels, other.key, how)


def coarse(slot: Slot, ctx: JobContext) -> tuple[Array, tuple[float, float]]:
    """Means of blocks of pixels, and how many pixels along x and y each is."""
    pixels = shown_plane(slot)
    ny, nx = pixels.shape
    fy, fx = max(-(-ny // SIDE), 1), max(-(-nx // SIDE), 1)
    out = np.full((-(-ny // fy), -(-nx // fx)), np.nan)
    edges = np.arange(0, nx, fx)
    rows = max(ROWS // fy, 1) * fy
    for start in range(0, ny, rows):
        ctx.checkpoint(0.5 * start / ny, f"Reading {slot.title}")
        part = np.asarray(pixels.rows(start, min(start + rows, ny)), np.float64)
        known = np.isfinite(part)
        across = np.arange(0, part.shape[0], fy)
        count = np.add.reduceat(np.add.reduceat(known, edges, axis=1, dtype=np.int64), across, axis=0)
        total = np.add.reduceat(np.add.reduceat(np.where(known, part, 0.0), edges, axis=1), across, axis=0)
        with np.errstate(invalid="ignore"):
            out[start // fy : start // fy + across.size] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return out, (float(fx), float(fy))


def moved(lines: tuple[Array, ...], source: SkyMap, target: SkyMap, ctx: JobContext) -> tuple[Array, ...]:
    """Lines from the pixels of one sky to those of another; where that has none they end."""
    every = max(-(-sum(map(len, lines)) // MOST_PLACES), 1)
    out: list[Array] = []
    for n, line in enumerate(lines):
        ctx.checkpoint(0.6 + 0.4 * n / len(lines))
        kept = line[:: every if len(line) > 4 * every else 1]
        kept = kept if len(kept) == len(line) else np.vstack([kept, line[-1:]])
        found = np.full(kept.shape, np.nan)
        for k, (x, y) in enumerate(kept):
            place = source.icrs(float(x), float(y))
            at = None if place is None else target.pixel(*place)
            if at is not None:
                found[k] = at
        out.append(found[np.isfinite(found).all(axis=1)])
    return tuple(out)

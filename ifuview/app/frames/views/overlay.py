"""What is drawn above an image, in native pixel coordinates: traces, labels, iso-wavelength curves, borders, regions.

Trace curves are decimated once for each set of traces: every fiber on the same few columns, with the error of the
straight lines in between kept for several densities, so that the canvas draws the coarsest that looks the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np

from ifuview.app.frames.views.colors import ramp
from ifuview.app.frames.views.text import round_numbers
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array
from ifuview.model.fibers import BLOCKS
from ifuview.model.image import Image, Kind
from ifuview.model.region import Region
from ifuview.model.trace import TraceSet

if TYPE_CHECKING:
    from ifuview.app.frames.views.fiber_marks import Mark

T = TypeVar("T")
VERTICES = (9, 17, 33, 65, 129, 257)  # densities of the decimated curves
TOLERANCE = 0.1  # px, error of the finest density that is kept
BLOCK_COLORS = tuple(int(color[1:], 16) for color in BLOCKS)
UNKNOWN_COLOR = 0x999999
METRIC_MAP, METRIC_STEPS = "viridis", 16
METRIC_CLIP = (2.0, 98.0)  # percentiles of a metric at the ends of the color scale
ISO_CURVES = 10  # wanted number of iso-wavelength curves
NEIGHBORS = 2  # fibers on either side of the selected one that stand out


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Decimated trace curves.

    Parameters
    ----------
    x, y : ndarray, shape (nfiber, nvertex), native px, NaN where there is no trace
    strides : tuple of int
        Steps through the vertices, coarse to fine.
    errors : tuple of float, px
        Largest distance between the traces and straight lines at each stride.
    box : ndarray, shape (4, nfiber)
        Smallest x, largest x, smallest y, largest y of each curve.
    """

    x: Array
    y: Array
    strides: tuple[int, ...]
    errors: tuple[float, ...]
    box: Array


@dataclass(frozen=True, slots=True, eq=False)
class IsoCurve:
    """Where one wavelength falls on the fibers."""

    wave: float
    x: Array
    y: Array


@dataclass(frozen=True, slots=True, eq=False)
class OverlayView:
    """Everything above one image.

    Parameters
    ----------
    curves : Curves or None
    color : ndarray of uint32, shape (nfiber,)
        0xRRGGBB of each curve.
    labels : tuple of str
        Fiber ids.
    first : ndarray of int
        Rows that start a block: labelled before the others when there is little room.
    by_block : bool
        The colors tell the blocks apart, not the values of a metric.
    selected : int or None
        Row of the selected fiber.
    neighbors : tuple of int
        The other selected rows when there are several, else the fibers beside the selected one.
    band : (x0, y0, x1, y1) or None
        Row-stacked spectra: the selected fiber's row.
    iso : tuple of IsoCurve
    amplifiers : tuple of (name, x0, y0, x1, y1)
        Borders in native px, pixel edges.
    regions : tuple of Region
    rings : (inner, outer) or None
        Background annulus of circles, in radii of the circle.
    marks : tuple of Mark
        Row-stacked spectra: where the detector and its fibers show; photons: pixels that the verdict speaks of.
    """

    curves: Curves | None = None
    color: Array | None = None
    labels: tuple[str, ...] = ()
    first: Array | None = None
    by_block: bool = True
    selected: int | None = None
    neighbors: tuple[int, ...] = ()
    band: tuple[float, float, float, float] | None = None
    iso: tuple[IsoCurve, ...] = ()
    amplifiers: tuple[tuple[str, float, float, float, float], ...] = ()
    regions: tuple[Region, ...] = ()
    rings: tuple[float, float] | None = None
    marks: tuple[Mark, ...] = ()

    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        drawn = (self.curves, self.band), (self.iso, self.amplifiers, self.regions, self.marks)
        return all(part is None for part in drawn[0]) and not any(drawn[1])


class OverlayCache:
    """Overlays of the open frames: the same object as long as nothing that it shows has changed."""

    def __init__(self) -> None:
        self._views: dict[int, tuple[tuple[object, ...], OverlayView]] = {}

    def view(self, session: Session, slot: Slot) -> OverlayView:
        """The overlay of a slot."""
        chosen = (session.selection.fiber, session.selection.fibers)
        needs = (
            session.metrics, slot.image, slot.traces, slot.diagnosis, slot.regions, slot.dataset, slot.detector,
            session.overlay, chosen, session.light if slot.photons is not None else None,
            slot.photons is None, None if slot.photons is None else slot.photons.judged,
            session.proof if session.proof is not None and slot.key in session.proof.frames else None, slot.measured,
        )  # fmt: skip
        known = self._views.get(slot.key)
        new = known is None or known[0][0] is not session.metrics  # arrays: the same or not
        if known is None or new or any(a is not b and a != b for a, b in zip(known[0][1:], needs[1:])):
            known = self._views[slot.key] = (needs, make_overlay(session, slot))
        return known[1]

    def keep(self, slots: tuple[Slot, ...]) -> None:
        """Forget frames that are closed."""
        keys = {s.key for s in slots}
        for gone in [k for k in self._views if k not in keys]:
            del self._views[gone]


CACHE = OverlayCache()

# What was worked out for a set of traces, by what it is and where the image has its axes; it goes with the traces.
_MADE: WeakKeyDictionary[TraceSet, dict[tuple[object, ...], object]] = WeakKeyDictionary()


def _made(make: Callable[[TraceSet, Image], T], traces: TraceSet, image: Image) -> T:
    """`make(traces, image)`, remembered as long as the traces live; a job may have made it before."""
    key = (make.__name__, image.shape, image.orientation)
    known = _MADE.setdefault(traces, {})
    if key not in known:
        known[key] = make(traces, image)
    return cast("T", known[key])


def curves_of(traces: TraceSet, image: Image) -> Curves:
    """The decimated curves of traces on an image. Takes 50 ms for 500 fibers at first: let a job ask for it."""
    return _made(decimate, traces, image)


def iso_of(traces: TraceSet, image: Image) -> tuple[IsoCurve, ...]:
    """Where round wavelengths fall on an image."""
    return _made(iso_wavelengths, traces, image)


def make_overlay(session: Session, slot: Slot) -> OverlayView:
    """Return what is to be drawn above `slot`, as the session's switches say."""
    shown, image = session.overlay, slot.image
    view = OverlayView()
    if shown.amplifiers:
        boxes = tuple((a.name, a.x0 - 0.5, a.y0 - 0.5, a.x1 - 0.5, a.y1 - 0.5) for a in image.amplifiers)
        view = replace(view, amplifiers=boxes)
    if shown.regions:
        view = replace(view, regions=slot.regions)
        if slot.photons is not None:
            view = replace(view, rings=slot.photons.rings(session.light))
    if image.kind is Kind.RSS:
        from ifuview.app.frames.views.fiber_marks import fiber_marks

        view = replace(view, marks=fiber_marks(session, slot))
    if image.kind is Kind.RSS and session.selection.fiber is not None:
        view = replace(view, band=_row_band(image, session.selection.fiber))
    if (session.proof, slot.photons, slot.measured, session.health) != (None,) * 4:
        from ifuview.app.frames.views import problem_marks

        view = replace(view, marks=(*view.marks, *problem_marks.marks(session, slot)))
    traces = shown_traces(session, slot)
    if traces is not None and (shown.traces or shown.iso_wave):
        if shown.iso_wave:
            view = replace(view, iso=iso_of(traces, image))
        if shown.traces:
            view = replace(view, curves=curves_of(traces, image), **_marks(session, slot, traces))
    return view


def shown_traces(session: Session, slot: Slot) -> TraceSet | None:
    """The traces of a frame, or what the diagnosis has in their place while both are blinked."""
    found = slot.diagnosis
    if session.overlay.alternate and found is not None:
        other = {id(found.given): found.corrected, id(found.corrected): found.given}
        return other.get(id(slot.traces), slot.traces)
    return slot.traces


def _marks(session: Session, slot: Slot, traces: TraceSet) -> dict:
    """Colors, labels and the selection of the trace curves."""
    block = blocks(slot, traces)
    fiber = session.selection.fiber
    if fiber is not None and not 0 <= fiber < traces.nfiber:
        fiber = None
    around: tuple[int, ...] = ()
    if fiber is not None:
        near = range(fiber - NEIGHBORS, fiber + NEIGHBORS + 1)
        several = session.selection.fibers if len(session.selection.fibers) > 1 else near
        around = tuple(r for r in several if r != fiber and 0 <= r < traces.nfiber)
    return {
        "color": fiber_colors(session, traces.nfiber, block),
        "labels": names(slot, traces) if session.overlay.labels else (),
        "by_block": session.overlay.color_by == "block",
        "first": np.flatnonzero(np.diff(block, prepend=block[:1] - 1)),
        "selected": fiber,
        "neighbors": around,
    }


def names(slot: Slot, traces: TraceSet) -> tuple[str, ...]:
    """Fiber numbers of the frame's own fiber table, else those of the traces."""
    fibermap = slot.image.fibermap
    return fibermap.fiber_id if fibermap is not None and fibermap.nfiber == traces.nfiber else traces.fiber_id


def blocks(slot: Slot, traces: TraceSet) -> Array:
    """Block of each fiber; zeros if nothing is known."""
    fibermap = slot.image.fibermap or slot.dataset.fibermap
    if fibermap is not None and fibermap.nfiber == traces.nfiber and fibermap.block is not None:
        return fibermap.block
    return np.zeros(traces.nfiber, np.int32)


def fiber_colors(session: Session, nfiber: int, block: Array) -> Array:
    """Color of each fiber by block, or by the metric that the session names."""
    metric = dict(session.metrics).get(session.overlay.color_by)
    if metric is None or len(metric) != nfiber:
        order = np.cumsum(np.diff(block, prepend=block[:1]) != 0)
        return np.array(BLOCK_COLORS, np.uint32)[order % len(BLOCK_COLORS)]
    value = np.asarray(metric, np.float64)
    good = np.isfinite(value)
    out = np.full(nfiber, UNKNOWN_COLOR, np.uint32)
    if good.any():
        lo, hi = np.percentile(value[good], METRIC_CLIP)
        place = np.clip((value[good] - lo) / (hi - lo if hi > lo else 1.0), 0, 1)
        step = np.round(place * (METRIC_STEPS - 1)) / (METRIC_STEPS - 1)
        rgb = np.round(ramp(METRIC_MAP, step) * 255).astype(np.uint32)
        out[good] = rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]
    return out


def decimate(traces: TraceSet, image: Image, tolerance: float = TOLERANCE) -> Curves:
    """Return curves of all fibers on the fewest columns that stay within `tolerance` px of the traces."""
    center, ncol = traces.center, traces.ncol
    errors: list[float] = []
    column = np.arange(ncol)
    for n in VERTICES:
        column = np.unique(np.round(np.linspace(0, ncol - 1, min(n, ncol))).astype(int))
        errors.append(_error(center, column))
        if errors[-1] <= tolerance or len(column) == ncol:
            break
    x, y = image.orientation.to_native(
        center[:, column], np.broadcast_to(column, (traces.nfiber, column.size)), image.shape
    )
    lost = ~np.isfinite(center[:, column])
    strides = tuple(2**k for k in range(len(errors) - 1, -1, -1))
    x, y = np.where(lost, np.nan, x), np.where(lost, np.nan, y)
    box = np.stack([reduce(v, axis=1) for v in (x, y) for reduce in (np.fmin.reduce, np.fmax.reduce)])
    return Curves(x, y, strides, tuple(errors), box)


def _error(center: Array, column: Array) -> float:
    """Largest distance between the traces and straight lines between `column`s."""
    every = np.arange(center.shape[1])
    left = np.clip(np.searchsorted(column, every, side="right") - 1, 0, max(len(column) - 2, 0))
    right = np.minimum(left + 1, len(column) - 1)
    width = np.maximum(column[right] - column[left], 1)
    share = (every - column[left]) / width
    worst = 0.0
    for rows in np.array_split(center, max(1, center.shape[0] // 64)):
        line = rows[:, column[left]] * (1 - share) + rows[:, column[right]] * share
        off = np.abs(line - rows)
        worst = max(worst, float(np.nanmax(off)) if np.isfinite(off).any() else 0.0)
    return worst


def iso_wavelengths(traces: TraceSet, image: Image) -> tuple[IsoCurve, ...]:
    """Return curves of equal wavelength at round numbers, if the traces know the wavelength."""
    if traces.wave is None or not np.isfinite(traces.wave).any():
        return ()
    wave = traces.wave
    waves = round_numbers(float(np.nanmin(wave)), float(np.nanmax(wave)), ISO_CURVES)
    column = np.full((traces.nfiber, waves.size), np.nan)
    cross = np.full_like(column, np.nan)
    every = np.arange(traces.ncol, dtype=float)
    for row in range(traces.nfiber):
        good = np.isfinite(wave[row]) & np.isfinite(traces.center[row])
        if good.sum() < 2:
            continue
        rising = wave[row][good][-1] > wave[row][good][0]
        w, c = wave[row][good][:: 1 if rising else -1], every[good][:: 1 if rising else -1]
        column[row] = np.interp(waves, w, c, left=np.nan, right=np.nan)
        cross[row] = np.interp(column[row], every[good], traces.center[row][good])
    order = np.argsort(np.nan_to_num(np.nanmax(traces.center[:, :: max(1, traces.ncol // 8)], axis=1, initial=-np.inf)))
    x, y = image.orientation.to_native(cross[order], column[order], image.shape)
    return tuple(IsoCurve(float(v), x[:, k], y[:, k]) for k, v in enumerate(waves))


def _row_band(image: Image, row: int) -> tuple[float, float, float, float] | None:
    """Edges of the native pixels of one spectrum."""
    ncross, ndisp = image.orientation.shape(image.shape)
    if not 0 <= row < ncross:
        return None
    x, y = image.orientation.to_native(np.array([row - 0.5, row + 0.5]), np.array([-0.5, ndisp - 0.5]), image.shape)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def segments(curves: Curves, rows: Array, stride: int) -> tuple[Array, Array]:
    """Return the line segments (n, 4) native px of some curves at a stride, and the row of each."""
    vertex = np.unique(np.append(np.arange(0, curves.x.shape[1], stride), curves.x.shape[1] - 1))
    x, y = curves.x[np.ix_(rows, vertex)], curves.y[np.ix_(rows, vertex)]
    both = np.stack([x[:, :-1], y[:, :-1], x[:, 1:], y[:, 1:]], axis=-1)
    return both.reshape(-1, 4), np.repeat(rows, vertex.size - 1)


def stride_for(curves: Curves, tolerance: float) -> int:
    """Return the coarsest stride whose error is below `tolerance` px."""
    return next((s for s, e in zip(curves.strides, curves.errors) if e <= tolerance), curves.strides[-1])


def spacing(curves: Curves) -> float:
    """Typical distance of neighboring curves, px."""
    middle = curves.x.shape[1] // 2
    dx, dy = np.diff(curves.x[:, middle]), np.diff(curves.y[:, middle])
    gap = np.hypot(dx, dy)
    return float(np.nanmedian(gap)) if np.isfinite(gap).any() else 0.0

"""Painting of what lies above an image: only what is in view, in screen coordinates worked out by numpy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PyQt6 import sip
from PyQt6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import overlay as marks
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.overlay import OverlayView
from ifuview.gui.canvas.drawing import LINE
from ifuview.gui.canvas.drawing.regions import draw_region
from ifuview.gui.canvas.drawing.text import write_text
from ifuview.model.checks import Array

SCREEN_TOLERANCE = 0.35  # screen px by which a drawn curve may miss its trace
DENSE = 3.0  # screen px between curves below which they are drawn faintly, so that the image stays visible
SOME_APART = 30.0  # screen px between those of dense curves that are drawn where there are no blocks
DENSE_ALPHA, EDGE_ALPHA = 56, 200  # opacity of dense curves, and of the first of each block among them
LABEL_GAP = 14  # screen px, height of a label
CENTERED = 0.3  # of the height of a label: its base line below the curve, so that its middle lies on the curve
LABEL_PAD = 6  # screen px between a curve's end and its label
SELECTED_COLOR = QColor("#ff2d95")
CASING_COLOR = QColor("#ffffff")  # on either side of the chosen fiber: told by more than its color
SELECTED_WIDTH, CASING = 2.5, 5.5  # screen px
NEIGHBOR_COLOR = QColor("#ffd0e6")
ISO_COLOR = QColor(255, 255, 255, 150)
AMPLIFIER_COLOR = QColor(120, 255, 120, 170)
CROSSHAIR_COLOR = QColor("#35e0ff")
SPARSE = 20.0  # screen px between curves above which they get a dark edge, to stand out on bright fibers
EDGE = QColor(0, 0, 0, 130)
FRAMED = 5.0  # screen px of a row from which on it is framed
MARK = 12.0  # screen px, length of the marks at the ends of the selected row
FEW_REGIONS = 60  # that have a dark edge


def draw_overlay(
    p: QPainter,
    view: OverlayView,
    at: ViewState,
    size: viewport.Size,
    *,
    moving: bool = False,
    area: QRect | None = None,
) -> None:
    """Draw what lies on one picture, in a part of the canvas (`area`) only if given; while moving, without labels."""
    for box in view.amplifiers:
        _box(p, at, size, box[1:], AMPLIFIER_COLOR, "" if moving else box[0])
    if view.curves is not None:
        draw_curves(p, view, at, size, area)
    for iso in view.iso:
        _iso(p, iso, at, size, moving)
    if view.marks:
        from ifuview.gui.canvas.fiber_marks import draw_marks

        draw_marks(p, view.marks, at, size, moving=moving, pinned=False)
    if view.band is not None:
        frame_band(p, view.band, at, size)
    for region in view.regions:
        draw_region(p, region, at, size, view.rings, halo=len(view.regions) <= FEW_REGIONS)
    if view.curves is not None and view.labels and not moving:
        draw_labels(p, view, at, size)


def draw_pinned(p: QPainter, view: OverlayView, at: ViewState, size: viewport.Size, *, moving: bool = False) -> None:
    """Draw what stands at the edges of the canvas, and stays there while the picture moves."""
    if view.marks:
        from ifuview.gui.canvas.fiber_marks import draw_marks

        draw_marks(p, view.marks, at, size, moving=moving, pinned=True)
    if view.band is not None:
        mark_band(p, view.band, at, size)


def in_view(view: OverlayView, at: ViewState, size: viewport.Size, area: QRect) -> Array:
    """Rows of the curves whose box meets a part of the canvas."""
    curves = view.curves
    assert curves is not None
    sides = (area.left(), area.right() + 1), (area.top(), area.bottom() + 1)
    corners = [viewport.to_image(at, size, sx, sy) for sx in sides[0] for sy in sides[1]]
    (x0, x1), (y0, y1) = ((min(c), max(c)) for c in zip(*corners))
    left, right, low, high = curves.box
    return np.flatnonzero((right >= x0 - 1) & (left <= x1 + 1) & (high >= y0 - 1) & (low <= y1 + 1))


def draw_curves(p: QPainter, view: OverlayView, at: ViewState, size: viewport.Size, area: QRect | None = None) -> None:
    """Draw the trace curves, one call for each color, the selected fiber last."""
    curves, color = view.curves, view.color
    assert curves is not None and color is not None
    area = QRect(0, 0, *size) if area is None else area
    rows = in_view(view, at, size, area)
    if not rows.size:
        return
    zoom = max(at.zoom, at.zoom * at.aspect)
    stride = marks.stride_for(curves, SCREEN_TOLERANCE / zoom)
    lines, row = marks.segments(curves, rows, stride)
    lines = _screen(lines, at, size)
    keep = _visible(lines, area)
    lines, row = lines[keep], row[keep]
    apart = marks.spacing(curves) * min(at.zoom, at.zoom * at.aspect)
    dense = apart < DENSE
    if apart > SPARSE:
        _lines(p, lines, QPen(EDGE, 3))
    special = {view.selected, *view.neighbors}
    usual = ~np.isin(row, [r for r in special if r is not None])
    if dense and view.first is not None and view.by_block:  # the image itself is to be seen between them
        ends = np.append(view.first, view.first[1:] - 1)
        if view.first.size == 1:  # no blocks: some of all
            ends = np.arange(0, color.size, math.ceil(SOME_APART / max(apart, SOME_APART / color.size)))
        usual &= np.isin(row, np.append(ends, color.size - 1))
    for rgb in np.unique(color[rows]):
        mine, pen = usual & (color[row] == rgb), QColor.fromRgb(int(rgb))
        pen.setAlpha(DENSE_ALPHA if dense and not view.by_block else 255)
        _lines(p, lines[mine], QPen(pen, LINE))
        if dense and view.first is not None:
            pen.setAlpha(EDGE_ALPHA)
            _lines(p, lines[mine & np.isin(row, view.first)], QPen(pen, LINE))
    _lines(p, lines[np.isin(row, view.neighbors)], QPen(NEIGHBOR_COLOR, LINE))
    if view.selected is not None:
        chosen = lines[row == view.selected]
        for line in (QPen(EDGE, CASING + 2), QPen(CASING_COLOR, CASING), QPen(SELECTED_COLOR, SELECTED_WIDTH)):
            _lines(p, chosen, line)


def _screen(lines: Array, at: ViewState, size: viewport.Size) -> Array:
    """Segments (n, 4) from native to screen px."""
    out = np.empty_like(lines)
    out[:, 0], out[:, 1] = viewport.to_screen(at, size, lines[:, 0], lines[:, 1])
    out[:, 2], out[:, 3] = viewport.to_screen(at, size, lines[:, 2], lines[:, 3])
    return out


def _visible(lines: Array, area: QRect) -> Array:
    """Which segments are finite and may touch `area`."""
    x = np.minimum(lines[:, 0], lines[:, 2]), np.maximum(lines[:, 0], lines[:, 2])
    y = np.minimum(lines[:, 1], lines[:, 3]), np.maximum(lines[:, 1], lines[:, 3])
    left, top, right, bottom = area.left() - 2, area.top() - 2, area.right() + 3, area.bottom() + 3
    return (x[1] >= left) & (x[0] <= right) & (y[1] >= top) & (y[0] <= bottom)


def _lines(p: QPainter, lines: Array, pen: QPen) -> None:
    """Draw segments (n, 4) in one call."""
    if not len(lines):
        return
    array: Any = sip.array(QLineF, len(lines))  # type: ignore[call-arg]
    np.frombuffer(array, np.float64).reshape(-1, 4)[:] = lines
    p.setPen(pen)
    p.drawLines(array)


def _polyline(p: QPainter, x: Array, y: Array) -> None:
    """Draw a connected curve, broken where it is not finite."""
    lines = np.stack([x[:-1], y[:-1], x[1:], y[1:]], axis=1)
    _lines(p, lines[np.isfinite(lines).all(axis=1)], p.pen())


def _iso(p: QPainter, iso: marks.IsoCurve, at: ViewState, size: viewport.Size, moving: bool) -> None:
    """Draw one curve of equal wavelength with its value."""
    x, y = viewport.to_screen(at, size, iso.x, iso.y)
    p.setPen(QPen(ISO_COLOR, LINE, Qt.PenStyle.DashLine if not moving else Qt.PenStyle.SolidLine))
    _polyline(p, x, y)
    inside = np.flatnonzero((x > 0) & (x < size[0] - 60) & (y > 20) & (y < size[1] - 8))
    if inside.size and not moving:
        k = inside[np.argmax(y[inside])]
        write_text(p, QPointF(float(x[k]) + 4, float(y[k]) - 4), f"{iso.wave:g} Å", ISO_COLOR)


def draw_labels(p: QPainter, view: OverlayView, at: ViewState, size: viewport.Size) -> None:
    """Write fiber ids where curves enter and leave the canvas: all if there is room, else the first of each block."""
    curves, colors = view.curves, view.color
    assert curves is not None and colors is not None
    metrics = p.fontMetrics()
    wide, high = metrics.horizontalAdvance(max(view.labels, key=len)) + LABEL_PAD, metrics.height()
    rows = in_view(view, at, size, QRect(0, 0, *size))
    gap = marks.spacing(curves) * at.zoom * (1 if viewport.turned(at) else at.aspect)
    if gap < high and view.first is not None:
        rows = np.intersect1d(rows, view.first)
    chosen = [r for r in (view.selected,) if r is not None]
    taken: list[tuple[float, float]] = []
    for row in (*chosen, *(int(r) for r in rows)):
        color = SELECTED_COLOR if row == view.selected else QColor.fromRgb(int(colors[row]))
        for x, y in _label_places(curves, row, at, size, wide):
            if not any(abs(x - a) < wide and abs(y - b) < high for a, b in taken):
                taken.append((x, y))
                write_text(p, QPointF(x, y), view.labels[row], color, back=True)


def _label_places(
    curves: marks.Curves, row: int, at: ViewState, size: viewport.Size, wide: float
) -> list[tuple[float, float]]:
    """Where the curve of a fiber enters and leaves the canvas, a little inside."""
    x, y = viewport.to_screen(at, size, curves.x[row], curves.y[row])
    good = np.isfinite(x) & np.isfinite(y)
    if good.sum() < 2:
        return []
    x, y = x[good], y[good]
    out = []
    if np.ptp(x) >= np.ptp(y):  # it runs across the canvas
        order = np.argsort(x)
        for sx, left in ((max(float(x.min()), 0.0), LABEL_PAD), (min(float(x.max()), size[0]), -wide)):
            sy = float(np.interp(sx, x[order], y[order]))
            if 0 <= sx <= size[0] and LABEL_GAP <= sy <= size[1] + 2:
                out.append((sx + left, sy + CENTERED * LABEL_GAP))
    else:
        order = np.argsort(y)
        for sy in (min(float(y.max()), size[1] - LABEL_PAD), max(float(y.min()), 0.0) + 2 * LABEL_GAP):
            sx = float(np.interp(sy, y[order], x[order]))
            if 0 <= sx <= size[0] and LABEL_GAP <= sy <= size[1]:
                out.append((min(sx + LABEL_PAD, size[0] - wide), sy))
    return out


def _box(
    p: QPainter,
    at: ViewState,
    size: viewport.Size,
    box: tuple[float, ...],
    color: QColor,
    name: str,
) -> None:
    """Draw a rectangle given by native corners, with its name inside a corner."""
    corners = box_corners(at, size, *box)
    rect = corners.boundingRect()
    p.setPen(QPen(color, LINE))
    p.setBrush(Qt.BrushStyle.NoBrush)
    p.drawPolygon(corners)
    if name:
        shown = rect.intersected(QRectF(0, 0, *size))
        if shown.width() > 40 and shown.height() > 20:
            write_text(p, shown.topRight() + QPointF(-8 - p.fontMetrics().horizontalAdvance(name), 16), name, color)


def box_corners(at: ViewState, size: viewport.Size, x0: float, y0: float, x1: float, y1: float) -> QPolygonF:
    """The corners on the screen of a box given by two native corners."""
    x, y = viewport.to_screen(at, size, np.array([x0, x1, x1, x0]), np.array([y0, y0, y1, y1]))
    return QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist())])


def draw_crosshair(p: QPainter, x: float, y: float, at: ViewState, size: viewport.Size) -> None:
    """Draw lines through an image position, with a gap that leaves the pixel free."""
    sx, sy = (float(v) for v in viewport.to_screen(at, size, x, y))
    gap = max(6.0, 0.5 * at.zoom + 2)
    lines = np.array(
        [[0, sy, sx - gap, sy], [sx + gap, sy, size[0], sy], [sx, 0, sx, sy - gap], [sx, sy + gap, sx, size[1]]]
    )
    _lines(p, lines, QPen(CROSSHAIR_COLOR, LINE))


def frame_band(p: QPainter, band: tuple[float, ...], at: ViewState, size: viewport.Size) -> None:
    """Frame the selected row of row-stacked spectra once it is a few screen px high."""
    left, right, top, bottom = _ends(band, at, size)
    if min(right - left, bottom - top) >= FRAMED:
        _box(p, at, size, band, SELECTED_COLOR, "")


def _ends(band: tuple[float, ...], at: ViewState, size: viewport.Size) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of a box on the screen."""
    x, y = viewport.to_screen(at, size, np.array([band[0], band[2]]), np.array([band[1], band[3]]))
    return float(x.min()), float(x.max()), float(y.min()), float(y.max())


def mark_band(p: QPainter, band: tuple[float, ...], at: ViewState, size: viewport.Size) -> None:
    """Mark the selected row of row-stacked spectra where it ends or leaves the canvas."""
    left, right, top, bottom = _ends(band, at, size)
    p.setPen(QPen(CASING_COLOR, 1.5))
    p.setBrush(SELECTED_COLOR)
    for end in (0, 1):
        inward = MARK * (1 - 2 * end)
        if right - left >= bottom - top:
            tip = QPointF(min(right, size[0]) if end else max(left, 0.0), (top + bottom) / 2)
            base, half = QPointF(-inward, 0), QPointF(0, MARK / 2)
        else:
            tip = QPointF((left + right) / 2, min(bottom, size[1]) if end else max(top, 0.0))
            base, half = QPointF(0, -inward), QPointF(MARK / 2, 0)
        p.drawPolygon(QPolygonF([tip - base, tip - half, tip + half]))


def label_font(base: QFont) -> QFont:
    """The font of labels: a little smaller than the window's."""
    font = QFont(base)
    font.setPointSizeF(max(base.pointSizeF() * 0.85, 6.0))
    return font

"""Painting of the marks above row-stacked spectra, and of pixels."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.fiber_marks import Mark, MarkKind
from ifuview.gui.canvas.drawing import LINE

BACK = QColor(0, 0, 0, 205)
COLORS = {
    MarkKind.CCD: QColor(255, 255, 255, 170),
    MarkKind.AMPLIFIER: QColor(120, 255, 120, 220),
    MarkKind.NAME: QColor(120, 255, 120),
    MarkKind.BLOCK: QColor(86, 180, 233, 130),
    MarkKind.PAIR: QColor(86, 180, 233, 230),
    MarkKind.SKY: QColor("#35e0ff"),
    MarkKind.BAD: QColor("#ff9f1c"),
    MarkKind.PIXEL: QColor("#ff9f1c"),
    MarkKind.AREA: QColor("#ff9f1c"),
    MarkKind.RUN: QColor("#ffd54a"),
    MarkKind.SPAN: QColor("#ffd54a"),
    MarkKind.OUTLINE: QColor("#ffd54a"),
    MarkKind.SOURCE: QColor("#35e0ff"),
    MarkKind.CONTOUR: QColor("#2bbf93"),
}
STYLES = {MarkKind.CCD: Qt.PenStyle.DashLine, MarkKind.BLOCK: Qt.PenStyle.DotLine}
TICK = 9.0  # screen px, size of the marks of single fibers
PLACES = {MarkKind.SKY: 0.0, MarkKind.BAD: 12.0}  # screen px from the edge: both can be on
PINNED = (*PLACES, MarkKind.RUN)  # to the edges of the canvas
EDGE = 4.0  # screen px
SHADE = 14  # opacity of the wavelengths of a problem, of 255
ARM = 9.0  # screen px, of a bracket
LEAST = 7.0  # screen px of the frame of a pixel
HALO = 3.0  # screen px of the dark line behind it: seen on bright pixels too
STEP = 8  # of the fibers that make a curve: it is smooth


def draw_marks(
    p: QPainter, marks: tuple[Mark, ...], at: ViewState, size: viewport.Size, *, moving: bool = False,
    pinned: bool | None = None,
) -> None:  # fmt: skip
    """Draw the marks of one picture, or only those that are or are not `pinned`; while it moves, without text."""
    for mark in (one for one in marks if pinned is None or (one.kind in PINNED) is pinned):
        p.setPen(QPen(COLORS[mark.kind], LINE, STYLES.get(mark.kind, Qt.PenStyle.SolidLine)))
        if mark.kind in PLACES:
            _ticks(p, mark, at, size)
        elif mark.kind in (MarkKind.PIXEL, MarkKind.AREA):
            _frames(p, mark, at, size)
        elif mark.kind is MarkKind.RUN:
            _bracket(p, mark, at, size, moving)
        elif mark.kind is MarkKind.SPAN:
            _span(p, mark, at, size, moving)
        elif mark.kind in (MarkKind.OUTLINE, MarkKind.SOURCE):
            _outline(p, mark, at, size, moving)
        elif mark.kind is MarkKind.CONTOUR:
            sx, sy = viewport.to_screen(at, size, mark.x, mark.y)
            p.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(sx.tolist(), sy.tolist())]))
        elif mark.kind is MarkKind.NAME:
            x, y = viewport.to_screen(at, size, mark.x, mark.y)
            _words(p, QPointF(float(x[0]), float(y[0])), mark)
        else:
            _curve(p, mark, at, size, moving)


def _frames(p: QPainter, mark: Mark, at: ViewState, size: viewport.Size) -> None:
    """A frame around each pixel, or one around an area with its name."""
    one = mark.kind is MarkKind.AREA
    low, high = ((mark.x[:1], mark.y[:1]), (mark.x[1:], mark.y[1:])) if one else ((mark.x, mark.y), (mark.x, mark.y))
    x, y = viewport.to_screen(at, size, (low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
    wide, tall = (high[0] - low[0] + 1) * at.zoom, (high[1] - low[1] + 1) * at.zoom * at.aspect
    if viewport.turned(at):
        wide, tall = tall, wide
    lean = viewport.lean(at)
    for pen in (QPen(BACK, HALO), QPen(COLORS[mark.kind], 1.0)):
        p.setPen(pen)
        for middle_x, middle_y, width, height in zip(x.tolist(), y.tolist(), wide.tolist(), tall.tolist()):
            box = QRectF(0, 0, max(width, LEAST) + 2, max(height, LEAST) + 2)
            box.moveCenter(QPointF(0, 0))
            p.save()
            p.translate(middle_x, middle_y)
            p.rotate(-lean)
            p.drawRect(box)
            p.restore()
    if mark.text and x.size:
        _words(p, QPointF(float(x[0] - wide[0] / 2), float(y[0] - tall[0] / 2)) + QPointF(6, 16), mark)


def _bracket(p: QPainter, mark: Mark, at: ViewState, size: viewport.Size, moving: bool) -> None:
    """Brackets on a run of rows where it meets the edges of the canvas, its numbers in the first."""
    level = min(max(at.y, mark.y[0]), mark.y[1])
    meets, along = viewport.ends(at, size, at.x, level, "x", EDGE)[..., 0], viewport.axis(at, "x")
    if np.isnan(meets).any():
        return
    middle = np.array(viewport.to_screen(at, size, at.x, level))
    sides = np.array(viewport.to_screen(at, size, np.full(2, at.x), mark.y)).T - middle
    for edge, arm in zip(meets, (ARM * along, -ARM * along)):
        low, high = edge + sides
        _edged(p, [QPointF(*point) for point in (low + arm, low, high, high + arm)], COLORS[mark.kind])
    if mark.text and not moving:
        x, y = meets[0] + sides.mean(axis=0)
        high_enough = p.fontMetrics().height() < np.hypot(*(sides[1] - sides[0]))
        if viewport.turned(at):
            _words(p, QPointF(min(max(x, 14.0), size[0] - 6.0), y + 2 * ARM), mark)
        else:
            y = min(max(y, 14.0), size[1] - 6.0)
            _words(p, QPointF(x + 6, y + p.fontMetrics().ascent() / 2 if high_enough else y - 4), mark)


def _span(p: QPainter, mark: Mark, at: ViewState, size: viewport.Size, moving: bool) -> None:
    """A range of wavelengths: shaded, with its ends and its numbers."""
    x, y = viewport.to_screen(at, size, mark.x, np.full(2, at.y))
    beyond = QPointF(*(viewport.axis(at, "y") * sum(size)))  # so far that no end is seen
    first, last = (QPointF(a, b) for a, b in zip(x.tolist(), y.tolist()))
    shade = QColor(COLORS[mark.kind])
    shade.setAlpha(SHADE)
    band = QPainterPath()
    band.addPolygon(QPolygonF([first - beyond, first + beyond, last + beyond, last - beyond]))
    p.fillPath(band, shade)
    p.setPen(QPen(COLORS[mark.kind], LINE, Qt.PenStyle.DashLine))
    for end in (first, last):
        p.drawLine(end - beyond, end + beyond)
    if mark.text and not moving:
        seen = min(max(at.x, mark.x.min()), mark.x.max())
        meets = viewport.ends(at, size, [mark.x.mean(), seen], [at.y, at.y], "y")
        top, bottom = meets[..., 0 if np.isfinite(meets[0, 0, 0]) else 1]
        middle = (top + bottom) / 2 if viewport.turned(at) else top
        base = max(min(first.y(), last.y()), 0.0) if viewport.turned(at) else middle[1]
        if np.isfinite(middle).all():
            left = middle[0] - p.fontMetrics().horizontalAdvance(mark.text) / 2
            _words(p, QPointF(min(max(left, 4.0), size[0] - 90.0), base + 16), mark)


def _outline(p: QPainter, mark: Mark, at: ViewState, size: viewport.Size, moving: bool) -> None:
    """A closed line around pixels, its name beside it."""
    x, y = viewport.to_screen(at, size, mark.x, mark.y)
    points = [QPointF(a, b) for a, b in zip(x.tolist(), y.tolist())]
    if points:
        _edged(p, [*points, points[0]], COLORS[mark.kind])
        if mark.text and not moving:
            _words(p, max(points, key=lambda point: point.x()) + QPointF(5, 4), mark)


def _edged(p: QPainter, points: list[QPointF], color: QColor) -> None:
    """A line with a dark edge, seen on bright pixels too."""
    for pen in (QPen(BACK, HALO + 1), QPen(color, 2.0)):
        p.setPen(pen)
        p.drawPolyline(QPolygonF(points))


def _curve(p: QPainter, mark: Mark, at: ViewState, size: viewport.Size, moving: bool) -> None:
    """A line with its text where it leaves the picture at the top."""
    good = np.isfinite(mark.x)
    x, y = mark.x[good], mark.y[good]
    if x.size < 2:
        return
    pick = np.unique(np.append(np.arange(0, x.size, STEP), x.size - 1)) if x.size > STEP else np.arange(x.size)
    sx, sy = viewport.to_screen(at, size, x[pick], y[pick])
    p.drawPolyline(QPolygonF([QPointF(float(a), float(b)) for a, b in zip(sx, sy)]))
    inside = np.flatnonzero((sx > 0) & (sx < size[0] - 80) & (sy > 14) & (sy < size[1]))
    if mark.text and inside.size and not moving:
        k = inside[np.argmin(sy[inside])]
        _words(p, QPointF(float(sx[k]) + 4, float(sy[k]) + 12), mark)


def _ticks(p: QPainter, mark: Mark, at: ViewState, size: viewport.Size) -> None:
    """A small triangle (sky) or cross (bad) for each fiber where its row meets the edge."""
    half = TICK / 2
    meets, turned = viewport.ends(at, size, np.full(mark.y.size, at.x), mark.y, "x", EDGE), viewport.turned(at)
    inside = (PLACES[mark.kind] + half) * viewport.axis(at, "x")[:, None]
    places = (meets[1] - inside if turned else meets[0] + inside).T
    p.setBrush(COLORS[mark.kind] if mark.kind is MarkKind.SKY else Qt.BrushStyle.NoBrush)
    for a, b in places[np.isfinite(places).all(axis=1)].tolist():
        if mark.kind is MarkKind.SKY:
            p.drawPolygon(QPolygonF([QPointF(a - half, b - 2), QPointF(a - half, b + 2), QPointF(a + half, b)]))
        else:
            p.drawLine(QPointF(a - half, b - 2), QPointF(a + half, b + 2))
            p.drawLine(QPointF(a - half, b + 2), QPointF(a + half, b - 2))
    p.setBrush(Qt.BrushStyle.NoBrush)


def _words(p: QPainter, at: QPointF, mark: Mark) -> None:
    """Text that can be read on any image, on a ground of its own."""
    box = QRectF(p.fontMetrics().boundingRect(mark.text)).translated(at)
    p.fillRect(box.adjusted(-2, 0, 2, 0), BACK)
    ink = QColor(COLORS[mark.kind])
    ink.setAlpha(255)
    p.setPen(ink)
    p.drawText(at, mark.text)

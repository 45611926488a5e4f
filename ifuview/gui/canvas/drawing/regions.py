"""Regions above an image, every shape of ds9."""

from __future__ import annotations

import math
from dataclasses import replace

from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF, QTransform

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.regions import BOXES, OVALS, pairs
from ifuview.gui.canvas.drawing.text import write_text
from ifuview.model.region import LINES, PANDAS, Region, Shape

EDGE = QColor(0, 0, 0, 130)
DS9_COLORS = {"green": "#00ff00"}  # where the name means another color in ds9 than in Qt
POINT_ARM = 6  # screen px
ARROW, ARROW_ANGLE = 10.0, 25.0  # screen px and degrees, head of a vector
COMPASS_ARM = 40.0  # px of an arm where the file says none


def draw_region(
    p: QPainter, region: Region, at: ViewState, size: viewport.Size, rings: tuple[float, float] | None = None,
    *, halo: bool = True,
) -> None:  # fmt: skip
    """Draw one region, and around a circle the annulus of its background (`rings` in radii).

    With a dark `halo` it can be seen on bright pixels too.
    """
    p.save()
    color = QColor(DS9_COLORS.get(region.color, region.color))
    pen = QPen(color if color.isValid() else QColor(DS9_COLORS["green"]), 1)
    pen.setCosmetic(True)
    p.setBrush(Qt.BrushStyle.NoBrush)
    if halo:
        edge = QPen(EDGE, 3)
        edge.setCosmetic(True)
        p.setPen(edge)
        _outline(p, region, at, size)
    if not region.include:
        pen.setStyle(Qt.PenStyle.DashLine)
    p.setPen(pen)
    points = _outline(p, region, at, size)
    if rings is not None and region.shape == "circle" and region.include:
        pen.setStyle(Qt.PenStyle.DotLine)
        p.setPen(pen)
        _shape(p, replace(region, shape=Shape.ANNULUS, size=tuple(region.size[0] * r for r in rings)), at, size)
    if region.text and points:
        shift = QPointF(0, 0) if region.shape is Shape.TEXT else QPointF(6, -6)
        write_text(p, points[0] + shift, region.text, pen.color())
    p.restore()


def _outline(p: QPainter, region: Region, at: ViewState, size: viewport.Size) -> list[QPointF]:
    """Draw the outline of a region with the pen as it is; return its points on the screen."""
    points = [QPointF(*(float(v) for v in viewport.to_screen(at, size, x, y))) for x, y in region.points]
    if region.shape is Shape.POINT or (region.shape is Shape.TEXT and not region.text):
        for dx, dy in ((POINT_ARM, POINT_ARM), (POINT_ARM, -POINT_ARM)):
            p.drawLine(points[0] - QPointF(dx, dy), points[0] + QPointF(dx, dy))
    elif region.shape in LINES:
        p.drawPolyline(QPolygonF(points))
        if region.shape in (Shape.VECTOR, Shape.RULER):
            _arrow(p, points[-2], points[-1])
        if region.shape is Shape.RULER:
            _arrow(p, points[1], points[0])
        if region.shape is Shape.PROJECTION and region.size and region.size[0] > 0:
            _beside(p, region, at, size)
    elif region.shape is Shape.POLYGON:
        p.drawPolygon(QPolygonF(points))
    elif region.shape is Shape.COMPASS:
        _compass(p, region, at, size)
    elif region.shape is not Shape.TEXT:
        _shape(p, region, at, size)
    return points


def _arrow(p: QPainter, start: QPointF, stop: QPointF) -> None:
    """The head of an arrow, on the screen."""
    back = QLineF(stop, start)
    for turn in (-ARROW_ANGLE, ARROW_ANGLE):
        side = QLineF.fromPolar(ARROW, back.angle() + turn)
        p.drawLine(side.translated(stop))


def _beside(p: QPainter, region: Region, at: ViewState, size: viewport.Size) -> None:
    """The other edge of a projection."""
    (x0, y0), (x1, y1) = region.points[:2]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    dx, dy = -(y1 - y0) / length * region.size[0], (x1 - x0) / length * region.size[0]
    corners = ((x0, y0), (x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1, y1))
    p.drawPolyline(QPolygonF([QPointF(*map(float, viewport.to_screen(at, size, x, y))) for x, y in corners]))


def _compass(p: QPainter, region: Region, at: ViewState, size: viewport.Size) -> None:
    """Arms to the east and north of the sky, or along x and y of the image, with their names."""
    (x, y), arm = region.points[0], region.size[0] if region.size else COMPASS_ARM
    center = QPointF(*map(float, viewport.to_screen(at, size, x, y)))
    names = ("E", "N") if region.sectors else ("x", "y")
    for angle, name in zip(region.sectors or (0.0, 90.0), names):
        dx, dy = arm * math.cos(math.radians(angle)), arm * math.sin(math.radians(angle))
        tip = QPointF(*map(float, viewport.to_screen(at, size, x + dx, y + dy)))
        p.drawLine(center, tip)
        _arrow(p, center, tip)
        p.drawText(tip + (tip - center) * 0.12, name)


def _shape(p: QPainter, region: Region, at: ViewState, size: viewport.Size) -> None:
    """Draw a circle, ellipse, annulus, box or panda in image coordinates."""
    p.save()
    p.setTransform(QTransform(*viewport.matrix(at, size)), True)
    p.translate(*region.points[0])
    p.rotate(region.angle)
    if region.shape in PANDAS:
        _panda(p, region)
    elif region.shape in BOXES:
        for w, h in pairs(region):
            p.drawRect(QRectF(-w / 2, -h / 2, w, h))
    elif region.shape in OVALS:
        for a, b in pairs(region):
            p.drawEllipse(QPointF(0, 0), a, b)
    else:  # circle (radius,), annulus (radii)
        for radius in region.size:
            p.drawEllipse(QPointF(0, 0), radius, radius)
    p.restore()


def _panda(p: QPainter, region: Region) -> None:
    """Rings and sectors, about the origin and along the axes of the region."""
    first, last, sectors, rings = region.sectors
    if region.shape is Shape.PANDA:
        inner, outer = ((r, r) for r in (region.size[0], region.size[-1]))
    else:
        inner, outer = pairs(region)[0], pairs(region)[-1]
    half = 0.5 if region.shape is Shape.BPANDA else 1.0
    for n in range(max(int(rings), 1) + 1):
        part = n / max(int(rings), 1)
        a, b = (half * (i + part * (o - i)) for i, o in zip(inner, outer))
        if region.shape is Shape.BPANDA:
            p.drawRect(QRectF(-a, -b, 2 * a, 2 * b))
        else:  # Qt counts clockwise on a y that runs down; here y runs up
            p.drawArc(QRectF(-a, -b, 2 * a, 2 * b), round(-16 * first), round(-16 * (last - first)))
    for n in range(max(int(sectors), 1) + 1):
        angle = math.radians(first + n * (last - first) / max(int(sectors), 1))
        cos, sin = math.cos(angle), math.sin(angle)
        ends = []
        for a, b in (inner, outer):
            a, b = half * a, half * b
            if region.shape is Shape.BPANDA:
                reach = min(a / max(abs(cos), 1e-9), b / max(abs(sin), 1e-9))
            else:
                reach = a * b / max(math.hypot(b * cos, a * sin), 1e-9)
            ends.append(QPointF(reach * cos, reach * sin))
        p.drawLine(*ends)

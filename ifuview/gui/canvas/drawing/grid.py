"""The grid of the sky above an image."""

from __future__ import annotations

import math

import numpy as np
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.sky.grid import lines
from ifuview.app.frames.sky.maps import SkyMap
from ifuview.app.frames.views import viewport
from ifuview.gui.canvas.drawing.text import write_text

COLOR = QColor(120, 210, 255, 190)
INSET = 6  # screen px between a label and the edge


def draw_grid(p: QPainter, sky: SkyMap, at: ViewState, size: viewport.Size, *, sexagesimal: bool) -> None:
    """Draw lines of equal right ascension and declination with their values at the edges."""
    corners = [viewport.to_image(at, size, sx, sy) for sx in (0, size[0]) for sy in (0, size[1])]
    xs, ys = zip(*corners)
    box = min(xs), min(ys), max(xs), max(ys)
    p.save()
    pen = QPen(COLOR, 1, Qt.PenStyle.DotLine)
    pen.setCosmetic(True)
    p.setPen(pen)
    labels = []
    for line in lines(sky, box, sexagesimal):
        sx, sy = viewport.to_screen(at, size, line.x, line.y)
        good = np.isfinite(sx) & np.isfinite(sy)
        for run in np.split(np.arange(sx.size), np.flatnonzero(~good)):
            points = [QPointF(float(sx[k]), float(sy[k])) for k in run if good[k]]
            if len(points) > 1:
                p.drawPolyline(QPolygonF(points))
        place = _label_place(sx, sy, size)
        if place is not None:
            labels.append((place, line.label))
    taken: list[QPointF] = []
    wide, high = p.fontMetrics().horizontalAdvance("000.0000°"), p.fontMetrics().height()
    for place, words in labels:
        if not any(abs(place.x() - o.x()) < wide and abs(place.y() - o.y()) < high for o in taken):
            taken.append(place)
            write_text(p, place, words, COLOR)
    p.restore()


def _label_place(sx: np.ndarray, sy: np.ndarray, size: viewport.Size) -> QPointF | None:
    """Where a line is nearest to the lower edge of the canvas, or if it runs across to the left one; None nowhere."""
    with np.errstate(invalid="ignore"):
        x = np.linspace(0, sx.size - 1, 8 * sx.size)
        fx, fy = (np.interp(x, np.arange(v.size), v) for v in (sx, sy))
        seen = (fx > 0) & (fx < size[0] - INSET) & (fy > INSET) & (fy < size[1])
    if not seen.any():
        return None
    low = float(np.ptp(fy[seen])) > float(np.ptp(fx[seen]))
    k = int(np.argmax(np.where(seen, fy, -math.inf)) if low else np.argmin(np.where(seen, fx, math.inf)))
    return QPointF(float(fx[k]) + INSET * low, min(float(fy[k]), size[1] - INSET) - INSET * (not low) / 2)

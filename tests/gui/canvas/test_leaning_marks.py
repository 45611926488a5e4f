"""Marks of a problem lie on its fibers and wavelengths in a view that is turned by any angle."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.fiber_marks import Mark, MarkKind
from ifuview.gui.canvas.fiber_marks import draw_marks

SIZE = (400, 300)
GROUND = QColor("#404040")
ROWS, COLUMNS = (90.0, 120.0), (60.0, 110.0)  # of the image: fibers, wavelengths
NOTHING = np.empty(0)
LINE = 3.0  # px, half of a line with its dark edge
ANGLES = (0.0, 30.0, 90.0, 137.0, 180.0, 271.0)


def painted(mark: Mark, at: ViewState) -> tuple[np.ndarray, np.ndarray]:
    """Image positions (x, y) of all pixels that a mark changes."""
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    image.fill(GROUND)
    p = QPainter(image)
    draw_marks(p, (mark,), at, SIZE)
    p.end()
    pixels = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint32).reshape(SIZE[::-1])
    sy, sx = np.nonzero(pixels != GROUND.rgb())
    return np.array([viewport.to_image(at, SIZE, a + 0.5, b + 0.5) for a, b in zip(sx, sy)]).reshape(-1, 2).T


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("flip", [False, True])
def test_marks_lie_where_they_belong(qtbot: QtBot, angle: float, flip: bool) -> None:
    at = ViewState(x=100.0, y=100.0, zoom=1.0, rotation=angle, flip_x=flip, fit=False)
    x, y = painted(Mark(MarkKind.RUN, NOTHING, np.array(ROWS)), at)
    assert ROWS[0] - LINE <= y.min() < ROWS[0] + LINE and ROWS[1] - LINE < y.max() <= ROWS[1] + LINE
    gap = np.diff(np.sort(x)).max()
    assert gap > min(SIZE) / 2  # one at each end of the rows
    x, y = painted(Mark(MarkKind.SPAN, np.array(COLUMNS), NOTHING), at)
    assert COLUMNS[0] - LINE <= x.min() and x.max() <= COLUMNS[1] + LINE
    wanted = (COLUMNS[1] - COLUMNS[0]) * min(SIZE)
    assert x.size > 0.8 * wanted  # from edge to edge
    x, y = painted(Mark(MarkKind.BAD, NOTHING, np.array(ROWS)), at)
    assert np.abs(y[:, None] - np.array(ROWS)).min(axis=1).max() < 9.0 and x.size
    reach = np.abs((np.array([x, y]).T - (at.x, at.y)) @ (1.0, 0.0)).min()
    assert reach > min(SIZE) / 4  # at the edge


def test_nothing_is_drawn_of_what_is_not_seen(qtbot: QtBot) -> None:
    for angle in ANGLES:
        at = ViewState(x=1000.0, y=1000.0, zoom=1.0, rotation=angle, fit=False)
        for kind in (MarkKind.RUN, MarkKind.BAD):
            assert painted(Mark(kind, NOTHING, np.array(ROWS), "90-120"), at)[0].size == 0
        assert painted(Mark(MarkKind.SPAN, np.array(COLUMNS), NOTHING, "words"), at)[0].size == 0

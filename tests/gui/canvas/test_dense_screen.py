"""On a screen of many pixels marks and lines are as large as on others, and lie on the same pixels of the image."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtGui import QFont, QImage, QPainter
from pytestqt.qtbot import QtBot

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.fiber_marks import Mark, MarkKind
from ifuview.app.frames.views.overlay import OverlayView
from ifuview.gui.canvas.layer import Layer

SIZE = (201, 150)  # px of the desktop
PIXELS = (np.array([20.0, 71.0]), np.array([33.0, 60.0]))


def painted(ratio: float, moved: float = 0.0) -> np.ndarray:
    """Alpha of the marks of two pixels, px of the screen; panned there from another place if `moved` (image px)."""
    size = round(SIZE[0] * ratio), round(SIZE[1] * ratio)
    at = ViewState(x=50.0, y=50.0, zoom=1.25 * ratio, fit=False)
    overlay, layer = OverlayView(marks=(Mark(MarkKind.PIXEL, *PIXELS),)), Layer()
    layer.ratio = ratio
    for view, moving in ((ViewState(x=50.0 - moved, y=50.0, zoom=at.zoom, fit=False), False), (at, bool(moved))):
        image = QImage(*size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(0)
        p = QPainter(image)
        font = QFont()
        font.setPointSizeF(9 * ratio)
        p.setFont(font)
        layer.paint(p, overlay, view, size, moving=moving)
        p.end()
    pixels = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint32).reshape(size[::-1])
    return np.asarray(pixels >> 24)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("moved", [0.0, 40.0])
def test_marks_are_as_large_and_lie_where_they_belong(qtbot: QtBot, ratio: float, moved: float) -> None:
    seen = painted(ratio, moved) > 128
    assert seen.sum() == pytest.approx((painted(1.0) > 128).sum() * ratio**2, rel=0.25)  # edges fall between pixels
    rows, columns = np.nonzero(seen)
    size = seen.shape[::-1]
    at = ViewState(x=50.0, y=50.0, zoom=1.25 * ratio, fit=False)
    sx, sy = viewport.to_screen(at, size, *PIXELS)
    for x, y in zip(sx, sy):
        near = np.hypot(columns + 0.5 - x, rows + 0.5 - y) < 15 * ratio
        middle = (columns[near].min() + columns[near].max() + 1) / 2, (rows[near].min() + rows[near].max() + 1) / 2
        assert middle == pytest.approx((x, y), abs=1.01)  # px of the screen


def drawn(overlay: OverlayView, ratio: float, moved: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Alpha of an overlay, px of the screen; panned there by so many image px if `moved`."""
    size = round(SIZE[0] * ratio), round(SIZE[1] * ratio)
    at, layer = ViewState(x=50.0, y=50.0, zoom=ratio, fit=False), Layer()
    layer.ratio = ratio
    before = ViewState(x=50.0 - moved[0], y=50.0 - moved[1], zoom=ratio, fit=False)
    for view, moving in ((before, False), (at, any(moved))):
        image = QImage(*size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(0)
        p = QPainter(image)
        layer.paint(p, overlay, view, size, moving=moving)
        p.end()
    pixels = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint32).reshape(size[::-1])
    return np.asarray(pixels >> 24)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("kind", [MarkKind.RUN, MarkKind.SKY, MarkKind.BAD])
def test_marks_at_the_edges_stand_once_while_the_picture_moves(qtbot: QtBot, kind: MarkKind, ratio: float) -> None:
    overlay = OverlayView(marks=(Mark(kind, np.empty(0), np.array([30.0, 70.0])),))
    still = drawn(overlay, ratio)
    assert still.any()
    for moved in ((40.0, 0.0), (-40.0, 11.0)):
        np.testing.assert_array_equal(drawn(overlay, ratio, moved), still)


def test_the_selected_row_is_marked_once_while_the_picture_moves(qtbot: QtBot) -> None:
    overlay = OverlayView(band=(-200.0, 49.5, 300.0, 50.5))
    np.testing.assert_array_equal(drawn(overlay, 1.0, (40.0, 0.0)), drawn(overlay, 1.0))


@pytest.mark.parametrize("kind", [MarkKind.BLOCK, MarkKind.PAIR, MarkKind.CCD, MarkKind.AMPLIFIER])
def test_lines_are_as_wide_on_a_dense_screen_as_on_others(qtbot: QtBot, kind: MarkKind) -> None:
    """A pen without a width is one px of the screen, which is half a line at a scale of 2."""
    overlay = OverlayView(marks=(Mark(kind, np.linspace(0.0, 100.0, 101), np.full(101, 50.0)),))
    wide = [np.unique(np.nonzero(drawn(overlay, ratio))[0]).size for ratio in (1.0, 2.0)]
    assert wide == [1, 2]

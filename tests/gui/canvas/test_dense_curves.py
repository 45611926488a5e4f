"""Curves of many fibers leave the image to be seen, with blocks and without."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import overlay
from ifuview.gui.canvas import layers

FIBERS, WIDTH, GROUND = 280, 60, "#404040"


@pytest.mark.parametrize(
    ("pitch", "first", "drawn"),
    [(2.2, [0], (15, 25)), (2.2, [0, 140], (4, 4)), (8.0, [0], (FIBERS, FIBERS))],
    ids=["no blocks", "blocks", "room for all"],
)
def test_the_image_is_seen_between_dense_curves(
    qtbot: QtBot, pitch: float, first: list[int], drawn: tuple[int, int]
) -> None:
    """Some of all, 30 px apart; of blocks the first and the last of each; all where they have room."""
    height = round(FIBERS * pitch)
    image = QImage(WIDTH, height, QImage.Format.Format_RGB32)
    image.fill(QColor(GROUND))
    x = np.array(np.broadcast_to(np.arange(float(WIDTH)), (FIBERS, WIDTH)))
    y = np.array(np.broadcast_to(pitch * np.arange(FIBERS)[:, None] + pitch / 2, (FIBERS, WIDTH)))
    curves = overlay.Curves(x, y, (1,), (0.0,), np.stack([x.min(1), x.max(1), y.min(1), y.max(1)]))
    view = overlay.OverlayView(
        curves=curves, color=np.full(FIBERS, overlay.BLOCK_COLORS[0]), first=np.array(first), by_block=True
    )
    p = QPainter(image)
    at = ViewState(x=WIDTH / 2 - 0.5, y=height / 2 - 0.5, zoom=1.0, fit=False)
    layers.draw_curves(p, view, at, (WIDTH, height))
    p.end()
    lines = sum(image.pixelColor(WIDTH // 2, n).name() != GROUND for n in range(height))
    assert drawn[0] <= lines <= 2 * drawn[1]  # a curve between two pixels may touch both

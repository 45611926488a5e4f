"""Frames tied by the sky follow the hand while it drags, not only at its end."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest

from ifuview.app import intents as want
from ifuview.app.frames.look import ViewState
from ifuview.app.frames.sky.lock import sky_of
from ifuview.app.frames.views import image as image_view
from ifuview.app.frames.views import viewport
from ifuview.app.session import Layout, Locks, Session
from ifuview.gui.canvas.image_canvas import ImageCanvas
from ifuview.io.fits.world import wcs_cards
from tests.gui.canvas.test_image_canvas import picture, slot

SCALE = 1e-4


def tied(key, shape, scale, angle):
    a = np.deg2rad(angle)
    cards = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 20.0, "CRVAL2": 60.0, "CRPIX1": shape[1] / 2,
        "CRPIX2": shape[0] / 3, "CD1_1": -scale * np.cos(a), "CD1_2": scale * np.sin(a), "CD2_1": scale * np.sin(a),
        "CD2_2": scale * np.cos(a),
    }  # fmt: skip
    one = slot(key, np.zeros(shape, np.float32))
    return replace(one, image=replace(one.image, wcs=wcs_cards(cards)), view=ViewState(x=20, y=15, zoom=4.0, fit=False))


@pytest.fixture
def canvas(qtbot):
    widget = ImageCanvas()
    widget.resize(600, 300)
    qtbot.addWidget(widget)
    widget.show()
    slots = (tied(1, (40, 50), SCALE, 0.0), tied(2, (80, 100), SCALE / 2, 90.0))
    widget.session = Session(slots=slots, current=1, layout=Layout.TILE, locks=Locks(view=False, sky=True))
    widget.draw(image_view.make(widget.session))
    widget.asked = []
    widget.intent.connect(widget.asked.append)
    return widget


def centers(canvas):
    """ICRS at the center of both tiles, deg."""
    views = [canvas.view_of(key) for key in (1, 2)]
    return [np.array(sky_of(s).icrs(v.x, v.y)) for s, v in zip(canvas.session.slots, views)]


def test_the_other_tile_follows_a_drag_and_keeps_the_scale(canvas):
    start = QPoint(150, 150)
    QTest.mousePress(canvas, Qt.MouseButton.MiddleButton, pos=start)
    for step in (20, 40):
        QTest.mouseMove(canvas, start + QPoint(step, step // 2))
    first, second = centers(canvas)
    assert np.abs(first - second).max() < 1e-3 * SCALE
    one, two = (canvas.view_of(key) for key in (1, 2))
    assert (one.x, one.y) != (20, 15)
    assert two.zoom == pytest.approx(one.zoom / 2, rel=1e-3)
    east = [np.subtract(viewport.to_screen(v, (300, 280), v.x + dx, v.y + dy), (150, 140))
            for v, dx, dy in ((one, -1, 0), (two, 0, 2))]  # fmt: skip
    assert east[0] == pytest.approx(east[1], abs=1e-2)
    QTest.mouseRelease(canvas, Qt.MouseButton.MiddleButton, pos=start + QPoint(40, 20))
    (asked,) = canvas.asked
    assert isinstance(asked, want.SetView)


def test_the_grid_is_painted_over_each_picture_with_a_sky(canvas):
    before = picture(canvas)
    canvas.draw(image_view.make(replace(canvas.session, overlay=replace(canvas.session.overlay, grid=True))))
    changed = picture(canvas) != before
    half = changed.shape[1] // 2
    assert changed[:, :half].sum() > 300 and changed[:, half:].sum() > 300

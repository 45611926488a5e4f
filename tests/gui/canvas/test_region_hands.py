"""Regions by mouse on the canvas: one SetRegions at the end of each gesture; other gestures go on working."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest

from ifuview.app import intents as want
from ifuview.app.frames.views import image as image_view
from ifuview.app.frames.views import viewport
from ifuview.app.session import Session
from ifuview.gui.canvas.image_canvas import ImageCanvas
from ifuview.model.region import Region, Shape
from tests.gui.canvas.test_image_canvas import NX, NY, slot

SIZE = (400, 320)
LEFT = Qt.MouseButton.LeftButton
CIRCLE = Region(Shape.CIRCLE, ((25.0, 20.0),), (5.0,), text="7", color="#E69F00")


@pytest.fixture
def canvas(qtbot):
    """A canvas whose SetRegions come back as a new view."""
    widget = ImageCanvas()
    widget.resize(*SIZE)
    qtbot.addWidget(widget)
    widget.show()
    widget.asked = []
    widget.session = Session(slots=(slot(1, np.zeros((NY, NX), np.float32)),), current=1, drawing="circle")

    def carry_out(intent):
        widget.asked.append(intent)
        if type(intent) in want.TABLE:
            put(widget, want.TABLE[type(intent)](widget.session, intent))

    widget.intent.connect(carry_out)
    put(widget, widget.session)
    return widget


def put(canvas, session):
    canvas.session = session
    canvas.draw(image_view.make(session))


def with_regions(canvas, *regions, **fields):
    put(canvas, replace(canvas.session, slots=(replace(canvas.session.slots[0], regions=regions),), **fields))


def at(canvas, x, y):
    sx, sy = viewport.to_screen(canvas.view_of(1), canvas.tile_size(1), x, y)
    ratio = canvas.devicePixelRatioF()  # the view counts pixels of the screen, the mouse those of the desktop
    return QPoint(round(float(sx) / ratio), round(float(sy) / ratio))


def drag(canvas, start, stop, *, release=True, button=LEFT):
    QTest.mousePress(canvas, button, pos=at(canvas, *start))
    for f in (0.5, 1.0):
        QTest.mouseMove(canvas, at(canvas, *(a + f * (b - a) for a, b in zip(start, stop))))
    if release:
        QTest.mouseRelease(canvas, button, pos=at(canvas, *stop))


def wheel(canvas, place, steps=1, modifiers=Qt.KeyboardModifier.NoModifier):
    spot = QPointF(at(canvas, *place))
    event = QWheelEvent(
        spot, canvas.mapToGlobal(spot), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton, modifiers,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    canvas.wheelEvent(event)


def test_a_drag_draws_and_asks_once(canvas):
    drag(canvas, (10, 10), (14, 10), release=False)
    assert canvas.asked == []
    assert canvas.hands.regions.live is not None
    QTest.mouseRelease(canvas, LEFT, pos=at(canvas, 14, 10))
    (asked,) = canvas.asked
    (circle,) = asked.regions
    assert circle.shape == "circle"
    assert circle.points[0] == pytest.approx((10, 10), abs=0.2)
    assert circle.size[0] == pytest.approx(4, abs=0.2)
    assert circle.text == "1"
    put(canvas, replace(canvas.session, drawing="box"))
    drag(canvas, (30, 25), (36, 29))
    first, box = canvas.asked[-1].regions
    assert first == circle
    assert box.size == pytest.approx((6, 4), abs=0.2)
    assert box.color != circle.color
    assert canvas.hands.regions.chosen() == box


def test_a_click_selects_a_region_or_picks_the_pixel(canvas):
    with_regions(canvas, CIRCLE)
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 24, 21))
    assert canvas.asked == [want.ShowRegion(1, 0)]
    assert canvas.hands.regions.chosen() is CIRCLE
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 3, 4))
    assert isinstance(canvas.asked[-1], want.PickPoint)
    assert canvas.hands.regions.chosen() is None


def test_a_drag_moves_a_handle_resizes_and_delete_removes(canvas):
    other = Region(Shape.POINT, ((2.0, 2.0),))
    with_regions(canvas, other, CIRCLE)
    drag(canvas, (25, 20), (30, 15))
    assert canvas.asked[-1].regions[0] is other
    moved = canvas.asked[-1].regions[1]
    assert moved.points[0] == pytest.approx((30, 15), abs=0.2)
    assert moved.size == CIRCLE.size
    drag(canvas, (35, 15), (38, 15))
    resized = canvas.asked[-1].regions[1]
    assert resized.size[0] == pytest.approx(8, abs=0.2)
    assert resized.points == moved.points
    assert canvas.hands.regions.remove()
    assert canvas.asked[-1].regions == (other,)
    assert not canvas.hands.regions.remove()


def test_the_wheel_zooms_and_with_ctrl_resizes_the_region(canvas, qtbot):
    with_regions(canvas, CIRCLE)
    zoom = canvas.view_of(1).zoom
    wheel(canvas, (25, 20), 1, Qt.KeyboardModifier.ControlModifier)
    wheel(canvas, (25, 20), 1, Qt.KeyboardModifier.ControlModifier)
    assert canvas.view_of(1).zoom == zoom
    qtbot.waitUntil(lambda: bool(canvas.asked), timeout=3000)
    (asked,) = canvas.asked
    assert asked.regions[0].size[0] == pytest.approx(5 * 1.1**2)
    wheel(canvas, (25, 20))
    assert canvas.view_of(1).zoom > zoom


def test_escape_drops_what_is_being_drawn(canvas):
    drag(canvas, (10, 10), (14, 10), release=False)
    assert canvas.hands.regions.drop()
    QTest.mouseMove(canvas, at(canvas, 16, 10))
    QTest.mouseRelease(canvas, LEFT, pos=at(canvas, 16, 10))
    assert not any(isinstance(a, want.SetRegions) for a in canvas.asked)
    assert not canvas.hands.busy()


def test_without_the_tool_or_with_other_buttons_the_picture_is_panned(canvas):
    with_regions(canvas, CIRCLE)
    drag(canvas, (25, 20), (30, 20), button=Qt.MouseButton.MiddleButton)
    assert isinstance(canvas.asked[-1], want.SetView)
    drag(canvas, (25, 20), (30, 20), button=Qt.MouseButton.RightButton)
    assert isinstance(canvas.asked[-1], want.SetLook)
    with_regions(canvas, CIRCLE, drawing="")
    assert canvas.cursor().shape() == Qt.CursorShape.ArrowCursor
    drag(canvas, (25, 20), (30, 20))
    assert isinstance(canvas.asked[-1], want.SetView)


def test_hidden_regions_are_not_lost(canvas):
    with_regions(canvas, CIRCLE)
    put(canvas, replace(canvas.session, overlay=replace(canvas.session.overlay, regions=False)))
    drag(canvas, (5, 5), (9, 5))
    assert not any(isinstance(a, want.SetRegions) for a in canvas.asked)


def test_the_region_in_the_hand_is_drawn_once(canvas):
    with_regions(canvas, CIRCLE)
    drag(canvas, (25, 20), (35, 30), release=False)
    overlay = canvas.hands.regions.overlay(canvas.view.pictures[0])
    assert overlay.regions == ()
    assert canvas.hands.regions.overlay(canvas.view.pictures[0]) is overlay
    canvas.grab_image()
    QTest.mouseRelease(canvas, LEFT, pos=at(canvas, 35, 30))
    assert canvas.hands.regions.overlay(canvas.view.pictures[0]).regions == canvas.asked[-1].regions


def test_the_text_of_a_region_is_changed(canvas):
    with_regions(canvas, CIRCLE)
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 25, 20))
    canvas.hands.regions.rename("companion")
    assert canvas.asked[-1].regions[0].text == "companion"

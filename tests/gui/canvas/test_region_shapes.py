"""Every shape drawn, turned, closed and hit by mouse; and painted where it lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from ifuview.app import intents as want
from ifuview.app.frames.views import regions as shapes
from ifuview.engine.spectra.cubes.inside import CLOSED, inside
from ifuview.model.region import Region, Shape
from tests.gui.canvas.test_image_canvas import picture
from tests.gui.canvas.test_region_hands import LEFT, at, canvas, drag, put, with_regions  # noqa: F401

SHIFT = Qt.KeyboardModifier.ShiftModifier
PANDA = (20.0, 110.0, 2.0, 2.0)
EACH = [
    Region(Shape.ELLIPSE, ((25.0, 20.0),), (9.0, 5.0), 30.0),
    Region(Shape.ELLIPSE, ((25.0, 20.0),), (4.0, 2.0, 9.0, 5.0), 30.0),
    Region(Shape.BOX, ((25.0, 20.0),), (6.0, 4.0, 18.0, 12.0), 20.0),
    Region(Shape.ANNULUS, ((25.0, 20.0),), (3.0, 5.0, 9.0)),
    Region(Shape.PANDA, ((25.0, 20.0),), (4.0, 10.0), sectors=PANDA),
    Region(Shape.EPANDA, ((25.0, 20.0),), (4.0, 3.0, 12.0, 9.0), 15.0, sectors=PANDA),
    Region(Shape.BPANDA, ((25.0, 20.0),), (6.0, 4.0, 22.0, 16.0), 15.0, sectors=(0.0, 360.0, 3.0, 1.0)),
    Region(Shape.POLYGON, ((15.0, 12.0), (36.0, 14.0), (24.0, 30.0))),
]


@pytest.mark.parametrize(
    ("shape", "size"), [("ellipse", (6.0, 4.0)), ("annulus", (3.606, 7.211)), ("vector", ()), ("line", ())]
)
def test_a_drag_draws_the_shape(canvas, shape, size):  # noqa: F811
    put(canvas, replace(canvas.session, drawing=shape))
    drag(canvas, (20, 15), (26, 19))
    (region,) = canvas.asked[-1].regions
    assert region.shape == shape and region.size == pytest.approx(size, abs=0.25)
    assert region.points[0] == pytest.approx((20, 15), abs=0.2)


def test_clicks_draw_a_polygon_that_its_first_corner_or_a_double_click_closes(canvas):  # noqa: F811
    put(canvas, replace(canvas.session, drawing="polygon"))
    for corner in ((10, 10), (20, 10), (20, 20)):
        QTest.mouseClick(canvas, LEFT, pos=at(canvas, *corner))
        QTest.mouseMove(canvas, at(canvas, corner[0] + 1, corner[1] + 3))
    assert canvas.asked == [] and len(canvas.hands.regions.live.points) == 4
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 10, 10))
    (polygon,) = canvas.asked[-1].regions
    assert np.array(polygon.points) == pytest.approx(np.array(((10, 10), (20, 10), (20, 20))), abs=0.2)
    for corner in ((30, 30), (40, 30), (40, 35)):
        QTest.mouseClick(canvas, LEFT, pos=at(canvas, *corner))
    QTest.mouseDClick(canvas, LEFT, pos=at(canvas, 32, 35))
    assert len(canvas.asked[-1].regions) == 2 and len(canvas.asked[-1].regions[1].points) == 3
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 5, 30))
    assert canvas.hands.regions.drop()
    assert len(canvas.asked[-1].regions) == 2


def test_a_text_is_placed_by_a_click_and_asked_for(canvas, qtbot):  # noqa: F811
    put(canvas, replace(canvas.session, drawing="text"))
    with qtbot.waitSignal(canvas.text_wanted):
        QTest.mouseClick(canvas, LEFT, pos=at(canvas, 12, 30))
    (text,) = canvas.asked[-1].regions
    assert text.shape is Shape.TEXT and text.points[0] == pytest.approx((12, 30), abs=0.2)


def test_shift_turns_and_a_double_click_asks_what_is_in_it(canvas):  # noqa: F811
    box = Region(Shape.BOX, ((25.0, 20.0),), (20.0, 10.0))
    with_regions(canvas, box)
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 25, 20))
    QTest.mousePress(canvas, LEFT, SHIFT, pos=at(canvas, 35, 25))
    QTest.mouseMove(canvas, at(canvas, 30, 30))
    QTest.mouseMove(canvas, at(canvas, 20, 30))
    QTest.mouseRelease(canvas, LEFT, SHIFT, pos=at(canvas, 20, 30))
    (turned,) = canvas.asked[-1].regions
    assert turned.angle == pytest.approx(90, abs=2) and turned.size == box.size
    QTest.mouseDClick(canvas, LEFT, pos=at(canvas, 25, 20))
    assert canvas.asked[-2:] == [want.ShowRegion(1, 0), want.ShowDock("region")]


@pytest.mark.parametrize("region", EACH, ids=lambda r: f"{r.shape}{len(r.size)}")
def test_what_is_painted_is_the_edge_of_what_is_inside(canvas, region):  # noqa: F811
    before = picture(canvas)
    with_regions(canvas, replace(region, color="#ffffff"))
    after = picture(canvas)
    painted = (after != before) & (after & 0xFF > 200)
    assert painted.sum() > 100
    found = inside(region, (40, 50))
    assert found.sum() > 20
    rows, columns = np.nonzero(painted)
    view, size = canvas.view_of(1), canvas.tile_size(1)
    from ifuview.app.frames.views import viewport

    places = [viewport.to_image(view, size, x + 0.5, y + 0.5) for x, y in zip(columns, rows)]
    near = [found[max(round(y) - 1, 0) : round(y) + 2, max(round(x) - 1, 0) : round(x) + 2].any() for x, y in places]
    assert np.mean(near) > 0.97


@pytest.mark.parametrize("region", EACH, ids=lambda r: f"{r.shape}{len(r.size)}")
def test_handles_resize_and_a_turn_keeps_the_area(region):
    for number, (x, y) in enumerate(shapes.handles(region)):
        again = shapes.resized(region, number, x, y)
        assert np.allclose(again.size, region.size) and np.allclose(again.points, region.points, atol=1e-9)
    turned = shapes.rotated(region, (30.0, 20.0), (25.0, 25.0))
    assert inside(turned, (60, 60)).sum() == pytest.approx(inside(region, (60, 60)).sum(), rel=0.12, abs=6)
    assert region.shape in CLOSED

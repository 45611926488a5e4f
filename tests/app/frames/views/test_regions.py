"""Regions under the hand: drawn, hit, moved, resized."""

import pytest

from ifuview.app.frames.views import regions as shapes
from ifuview.model.region import Region, Shape

SLOP = (0.5, 0.5)
BOX = Region(Shape.BOX, ((10.0, 20.0),), (4.0, 6.0))
CIRCLE = Region(Shape.CIRCLE, ((10.0, 20.0),), (3.0,))


def test_a_drag_draws_a_box_between_corners_and_a_circle_from_its_center():
    box = shapes.drawn("box", (8, 23), (12, 17))
    assert box.points == ((10.0, 20.0),)
    assert box.size == (4, 6)
    circle = shapes.drawn("circle", (10, 20), (13, 24), text="1", color="red")
    assert circle.size == (5.0,)
    assert (circle.text, circle.color) == ("1", "red")
    assert min(shapes.drawn("box", (1, 1), (1, 1)).size) > 0


def test_colors_and_labels_are_distinct_until_the_palette_is_used_up():
    known = ()
    for _ in range(len(shapes.PALETTE)):
        one = Region(
            Shape.BOX, ((0.0, 0.0),), (1.0, 1.0), text=shapes.next_label(known), color=shapes.next_color(known)
        )
        known = (*known, one)
    assert len({r.color for r in known}) == len(shapes.PALETTE)
    assert [r.text for r in known] == [str(n + 1) for n in range(len(known))]
    assert shapes.next_label(known[:1] + known[2:]) == "2"
    assert shapes.next_color(known) in shapes.PALETTE


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0])
def test_the_opposite_corner_of_a_box_stays(angle):
    box = Region(Shape.BOX, ((10.0, 20.0),), (4.0, 6.0), angle=angle)
    corner, fixed = shapes.handles(box)[2], shapes.handles(box)[0]
    target = corner[0] + 1.3, corner[1] + 0.4
    new = shapes.resized(box, 2, *target)
    assert shapes.handles(new)[2] == pytest.approx(target)
    assert shapes.handles(new)[0] == pytest.approx(fixed)
    assert new.angle == angle


def test_circles_ellipses_annuli_lines_and_polygons_change_at_their_handles():
    assert shapes.resized(CIRCLE, 0, 10, 25).size == (5.0,)
    ellipse = Region(Shape.ELLIPSE, ((0.0, 0.0),), (2.0, 4.0))
    assert shapes.resized(ellipse, 1, 0, 7).size == (2.0, 7.0)
    ring = Region(Shape.ANNULUS, ((0.0, 0.0),), (2.0, 4.0))
    assert shapes.resized(ring, 0, 5, 0).size == (4.0, 5.0)
    line = Region(Shape.LINE, ((0.0, 0.0), (4.0, 0.0)))
    assert shapes.resized(line, 1, 4, 4).points == ((0.0, 0.0), (4, 4))
    assert shapes.moved(line, 1, 2).points == ((1.0, 2.0), (5.0, 2.0))
    assert shapes.handles(Region(Shape.POINT, ((1.0, 1.0),))) == ()


def test_the_region_drawn_last_is_hit_and_handles_have_a_reach():
    regions = (BOX, CIRCLE, Region(Shape.POLYGON, ((0.0, 0.0), (4.0, 0.0), (0.0, 4.0))))
    assert shapes.hit(regions, 10, 20, SLOP) == 1
    assert shapes.hit(regions, 12.2, 23.2, SLOP) == 0
    assert shapes.hit(regions, 1, 1, SLOP) == 2
    assert shapes.hit(regions, 3.5, 3.5, SLOP) is None
    assert shapes.hit((Region(Shape.LINE, ((0.0, 0.0), (4.0, 4.0))),), 2.2, 1.8, SLOP) == 0
    assert shapes.handle_at(BOX, 12.4, 23.3, SLOP) == 2
    assert shapes.handle_at(BOX, 10, 20, SLOP) is None


def test_a_region_grows_about_its_center_and_never_vanishes():
    assert shapes.scaled(BOX, 2).size == (8.0, 12.0)
    assert min(shapes.scaled(CIRCLE, 1e-6).size) == shapes.SMALLEST
    line = shapes.scaled(Region(Shape.LINE, ((0.0, 0.0), (4.0, 0.0))), 2)
    assert line.points == ((-2.0, 0.0), (6.0, 0.0))

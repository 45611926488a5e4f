"""Screen and image positions are each other's inverse, at every turn."""

import itertools

import numpy as np
import pytest

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import viewport

SIZE = (301, 200)
TURNS = list(itertools.product((0, 33.3, 90, 180, 235, 270), (False, True), (False, True)))


@pytest.mark.parametrize(("rotation", "flip_x", "flip_y"), TURNS)
def test_the_way_to_the_screen_and_back_is_exact(rotation, flip_x, flip_y):
    view = ViewState(10.3, 7.9, 2.7, 1.3, False, rotation, flip_x, flip_y)
    for x, y in ((0, 0), (10.3, 7.9), (-5.5, 40.25)):
        sx, sy = viewport.to_screen(view, SIZE, x, y)
        assert viewport.to_image(view, SIZE, float(sx), float(sy)) == pytest.approx((x, y), abs=1e-9)


def test_rows_run_upwards_and_columns_to_the_right():
    view = ViewState(5, 5, 2.0, fit=False)
    assert tuple(map(float, viewport.to_screen(view, (100, 80), 5, 5))) == (50.0, 40.0)
    assert tuple(map(float, viewport.to_screen(view, (100, 80), 6, 7))) == (52.0, 36.0)


def test_rotation_is_counter_clockwise():
    view = ViewState(0, 0, 1.0, rotation=90, fit=False)
    assert tuple(map(float, viewport.to_screen(view, (0, 0), 1, 0))) == (0.0, -1.0)


@pytest.mark.parametrize("rotation", [0, 20, 90, 160, 180, 230, 270])
@pytest.mark.parametrize("aspect", [1.0, 2.5])
def test_a_fitted_image_touches_the_canvas_and_stays_inside(rotation, aspect):
    view = viewport.fit_view((40, 90), SIZE, ViewState(rotation=rotation, aspect=aspect))
    x, y = viewport.to_screen(view, SIZE, np.array([-0.5, 89.5, -0.5, 89.5]), np.array([-0.5, 39.5, 39.5, -0.5]))
    wide, high = np.ptp(x), np.ptp(y)
    assert wide <= SIZE[0] + 1e-6
    assert high <= SIZE[1] + 1e-6
    assert max(wide / SIZE[0], high / SIZE[1]) == pytest.approx(1.0)
    assert (x[0] + x[1]) / 2 == pytest.approx(SIZE[0] / 2)


@pytest.mark.parametrize(("rotation", "flip_x", "flip_y"), TURNS)
def test_what_is_under_the_cursor_stays_there_while_zooming(rotation, flip_x, flip_y):
    view = ViewState(10, 7, 2.0, 1.0, False, rotation, flip_x, flip_y)
    spot = (37.0, 150.0)
    before = viewport.to_image(view, SIZE, *spot)
    assert viewport.to_image(viewport.zoomed(view, SIZE, 1.2, spot), SIZE, *spot) == pytest.approx(before)


def test_panning_moves_the_picture_with_the_hand():
    view = ViewState(10, 7, 4.0, fit=False)
    moved = viewport.panned(view, SIZE, 8, 4)
    assert (moved.x, moved.y) == pytest.approx((8.0, 8.0))

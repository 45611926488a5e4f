"""The canvas is fed a view and read back; gestures end in one intent. All places are pixels of the screen."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from ifuview.app import intents as want
from ifuview.app.frames.look import LimitMode, Look, Reduction, Smooth, ViewState
from ifuview.app.frames.views import colors, raster, viewport
from ifuview.app.frames.views import image as image_view
from ifuview.app.session import Layout, Locks, Overlay, Selection, Session, Slot
from ifuview.gui.canvas.arrange import arrange
from ifuview.gui.canvas.caption import words
from ifuview.gui.canvas.image_canvas import ImageCanvas
from ifuview.gui.canvas.stages import pixels_of
from ifuview.gui.canvas.widgets import ColorBar
from ifuview.model.dataset import Dataset
from ifuview.model.frames.units import unit_words
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.region import Region, Shape
from ifuview.model.trace import TraceSet

SIZE = (200, 160)
NY, NX = 40, 50
LOOK = Look(lo=0.0, hi=100.0, reduction=Reduction.NEAREST)


def slot(key, data, **fields):
    return Slot(
        key, f"frame {key}", Dataset("a.fits"), Image("IMAGE", Kind.DETECTOR, Pixels(data)), look=LOOK, **fields
    )


def session(n=3, **fields):
    data = [np.full((NY, NX), 100.0 * k / max(n - 1, 1), np.float32) for k in range(n)]
    return replace(Session(slots=tuple(slot(k + 1, d) for k, d in enumerate(data)), current=1), **fields)


def place(canvas, x, y):
    """A place on the screen as Qt counts it."""
    ratio = canvas.devicePixelRatioF()
    return QPoint(round(x / ratio), round(y / ratio))


def resize(canvas, width, height):
    at = place(canvas, width, height)
    canvas.resize(at.x(), at.y())


@pytest.fixture
def canvas(qtbot):
    widget = ImageCanvas()
    widget.setMinimumSize(1, 1)
    resize(widget, *SIZE)
    qtbot.addWidget(widget)
    widget.show()
    widget.asked = []
    widget.intent.connect(widget.asked.append)
    return widget


def picture(canvas):
    image = canvas.grab_image()
    return pixels_of(image).copy()


def show(canvas, state):
    canvas.draw(image_view.make(state))
    return picture(canvas)


def test_the_first_row_is_at_the_bottom_and_colors_follow_the_limits(canvas):
    data = np.zeros((NY, NX), np.float32)
    data[0], data[-1, -1] = 100.0, 50.0
    seen = show(canvas, Session(slots=(slot(1, data),), current=1))
    assert seen[-1, 100] == 0xFFFFFFFF
    assert seen[0, 0] == 0xFF000000
    assert int(seen[0, -1] & 0xFF) == pytest.approx(127, abs=1)


def test_nan_has_a_color_of_its_own_and_masked_pixels_too(canvas):
    data = np.full((NY, NX), 50.0, np.float32)
    data[20, 10] = np.nan
    mask = np.zeros((NY, NX), np.int32)
    mask[20, 30] = 2
    image = Image("IMAGE", Kind.DETECTOR, Pixels(data), mask=Pixels(mask))
    look = replace(LOOK, mask_shown=2, mask_opacity=1.0)
    seen = show(canvas, Session(slots=(replace(slot(1, data), image=image, look=look),), current=1))
    row = 160 - 4 * 20 - 2
    assert seen[row, 42] == colors.blank_color("grey")
    assert seen[row, 122] == 0xFFFF3030
    assert seen[row, 100] not in (colors.blank_color("grey"), 0xFFFF3030)


def test_frames_switch_and_space_shows_the_previous_one(canvas, qtbot):
    state = session(previous=3)
    assert show(canvas, state)[-1, -1] == 0xFF000000
    assert show(canvas, replace(state, current=3))[-1, -1] == 0xFFFFFFFF
    show(canvas, state)
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    assert picture(canvas)[-1, -1] == 0xFFFFFFFF
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert picture(canvas)[-1, -1] == 0xFF000000


def test_blink_goes_round_all_frames(canvas, qtbot):
    canvas.draw(image_view.make(session(layout=Layout.BLINK, blink_ms=10)))
    seen = set()
    qtbot.waitUntil(lambda: seen.add(canvas.displayed()) or seen == {1, 2, 3}, timeout=3000)
    canvas.draw(image_view.make(session()))
    assert canvas.displayed() == 1


def test_tiles_show_all_frames_with_their_titles(canvas):
    resize(canvas, 600, 300)
    seen = show(canvas, session(layout=Layout.TILE))
    middles = [seen[r.center().y(), r.center().x()] & 0xFF for _, r in canvas.tiles()]
    assert [round(int(m) / 255, 1) for m in middles] == [0.0, 0.5, 1.0]
    assert canvas.tile_at(QPoint(5, 5)) is None  # a title


@pytest.mark.parametrize(("n", "mode"), [(1, "grid"), (3, "row"), (3, "column"), (7, "grid")])
def test_tiles_do_not_overlap_and_stay_inside(n, mode):
    covered = np.zeros((300, 500), int)
    for x, y, w, h in arrange(n, 500, 300, mode):
        covered[y : y + h, x : x + w] += 1
        assert x + w <= 500
        assert y + h <= 300
    assert covered.max() == 1
    assert covered.mean() > 0.75


def test_a_click_picks_the_pixel_under_the_cursor(canvas):
    show(canvas, session())
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place(canvas, 42, 160 - 4 * 20 - 2))
    (asked,) = canvas.asked
    assert isinstance(asked, want.PickPoint)
    assert (round(asked.x), round(asked.y)) == (10, 20)


def test_a_click_on_another_tile_makes_it_current(canvas):
    resize(canvas, 600, 300)
    show(canvas, session(layout=Layout.TILE))
    key, rect = canvas.tiles()[2]
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place(canvas, rect.center().x(), rect.center().y()))
    assert canvas.asked[0] == want.SelectSlot(key)


def drag(canvas, button, start, stop):
    QTest.mousePress(canvas, button, pos=start)
    for k in range(1, 5):
        QTest.mouseMove(canvas, start + (stop - start) * k / 4)
    QTest.mouseRelease(canvas, button, pos=stop)


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton])
def test_a_drag_pans_and_asks_once(canvas, button):
    show(canvas, session())
    drag(canvas, button, place(canvas, 100, 80), place(canvas, 120, 72))
    (asked,) = canvas.asked
    assert asked.key == 1
    assert not asked.view.fit
    assert (asked.view.x, asked.view.y) == pytest.approx((24.5 - 5, 19.5 - 2))


def test_a_right_drag_changes_bias_and_contrast_and_asks_once(canvas):
    show(canvas, session())
    drag(canvas, Qt.MouseButton.RightButton, place(canvas, 100, 80), place(canvas, 120, 96))
    (asked,) = canvas.asked
    assert isinstance(asked, want.SetLook)
    assert (asked.look.bias, asked.look.contrast) == pytest.approx((0.6, 2.0))


def test_a_middle_click_centers(canvas):
    show(canvas, session())
    QTest.mouseClick(canvas, Qt.MouseButton.MiddleButton, pos=place(canvas, 40, 40))
    (asked,) = canvas.asked
    assert (asked.view.x, asked.view.y) == pytest.approx((9.5, 29.5))


def wheel(canvas, x, y, steps):
    none = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    at = QPointF(place(canvas, x, y))
    canvas.wheelEvent(QWheelEvent(at, at, QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton, *none, False))


@pytest.mark.parametrize("at_center", [False, True])
def test_the_wheel_zooms_and_asks_once_when_it_rests(canvas, qtbot, at_center):
    canvas.wheel_at_center = at_center
    show(canvas, session())
    before = canvas.image_at(QPoint(50, 40))
    for _ in range(3):
        wheel(canvas, 50, 40, 1)
    assert canvas.current_view(1).zoom == pytest.approx(4 * 1.2**3)
    after = canvas.image_at(QPoint(50, 40))
    assert (after == pytest.approx(before)) is not at_center
    qtbot.waitUntil(lambda: bool(canvas.asked), timeout=2000)
    assert len(canvas.asked) == 1
    assert canvas.asked[0].view.zoom == pytest.approx(4 * 1.2**3)


def test_locked_frames_follow_the_hand(canvas):
    canvas.draw(image_view.make(session(locks=Locks(view=True, limits=True))))
    canvas.set_view_live(1, ViewState(3, 4, 7.0, fit=False))
    canvas.set_limits_live(1, -5.0, 5.0)
    assert canvas.current_view(2).zoom == 7.0
    assert (canvas.look_of(3).lo, canvas.look_of(3).limit_mode) == (-5.0, LimitMode.USER)
    canvas.draw(image_view.make(session(locks=Locks(view=False))))
    canvas.set_view_live(1, ViewState(3, 4, 7.0, fit=False))
    canvas.set_limits_live(1, -5.0, 5.0)
    assert canvas.current_view(2).zoom == 4.0
    assert canvas.look_of(3).lo == 0.0


@pytest.mark.parametrize(("rotation", "flip_x", "step"), [(0, False, (1, 0)), (0, True, (-1, 0)), (90, False, (0, -1))])
def test_an_arrow_moves_the_crosshair_by_a_pixel_on_the_screen(canvas, qtbot, rotation, flip_x, step):
    state = session(selection=Selection(x=20.0, y=15.0))
    view = ViewState(rotation=rotation, flip_x=flip_x)
    canvas.draw(image_view.make(replace(state, slots=tuple(replace(s, view=view) for s in state.slots))))
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas.crosshair() == (20.0 + step[0], 15.0 + step[1])
    qtbot.waitUntil(lambda: bool(canvas.asked), timeout=2000)
    assert canvas.asked == [want.PickPoint(1, 20.0 + step[0], 15.0 + step[1])]


def test_a_trace_is_drawn_on_its_pixels(canvas):
    resize(canvas, 500, 400)  # ten screen pixels for each of the image
    traces = TraceSet(np.arange(1), np.full((1, NX), 20.0))
    state = Session(slots=(slot(1, np.zeros((NY, NX), np.float32), traces=traces),), current=1)
    seen = show(canvas, replace(state, overlay=Overlay(labels=False)))
    rows = np.flatnonzero(seen[:, 250] != 0xFF000000)
    middle = 400 - 10 * 20 - 5  # screen position of the center of row 20
    assert rows.tolist() in ([middle - 1], [middle])  # the edge between two screen pixels


@pytest.mark.parametrize("shape", ["point", "circle", "ellipse", "box", "polygon", "line", "annulus"])
def test_regions_are_drawn_where_they_are(canvas, shape):
    points = {"polygon": ((5.0, 5.0), (30.0, 5.0), (30.0, 30.0)), "line": ((5.0, 5.0), (30.0, 30.0))}.get(
        shape, ((20.0, 20.0),)
    )
    sizes = {"circle": (5.0,), "point": (), "polygon": (), "line": ()}.get(shape, (3.0, 6.0))
    region = Region(Shape(shape), points, sizes, color="#ff0000")
    state = Session(slots=(slot(1, np.zeros((NY, NX), np.float32), regions=(region,)),), current=1)
    y, x = np.nonzero(show(canvas, state) == 0xFFFF0000)
    assert x.size > 8
    assert x.min() >= 15 and x.max() <= 130
    assert y.min() >= 30 and y.max() <= 145


def test_panning_moves_the_overlay_as_if_drawn_anew(canvas):
    traces = TraceSet(np.arange(5), np.linspace(3, 36, 5)[:, None] + np.linspace(-2, 2, NX)[None])
    state = Session(slots=(slot(1, np.zeros((NY, NX), np.float32), traces=traces),), current=1)
    state = replace(state, overlay=Overlay(labels=False))
    show(canvas, state)
    canvas.hands.button = Qt.MouseButton.LeftButton
    canvas.set_view_live(1, raster.resolve(ViewState(22.0, 17.5, 4.0, fit=False), (NY, NX), SIZE))
    moved = picture(canvas)
    canvas.hands.button = None
    anew = show(canvas, replace(state, slots=(replace(state.slots[0], view=ViewState(22.0, 17.5, 4.0, fit=False)),)))
    assert (moved != anew).mean() < 0.002  # ends of line segments may round the other way


def test_closed_frames_leave_nothing_behind(canvas):
    show(canvas, session(layout=Layout.TILE))
    show(canvas, Session())
    assert not canvas._stages
    assert not canvas._layers
    assert canvas.tiles() == []


def test_the_cursor_is_told_of_and_so_is_its_leaving(canvas, qtbot):
    show(canvas, session())
    with qtbot.waitSignal(canvas.hovered) as told:
        spot, none = QPointF(place(canvas, 42, 78)), Qt.MouseButton.NoButton
        move = QMouseEvent(QEvent.Type.MouseMove, spot, spot, none, none, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(canvas, move)  # Wayland lets no program move the pointer
    assert told.args[0] == 1
    assert (round(told.args[1]), round(told.args[2])) == (10, 20)


def test_any_look_can_be_drawn(canvas):
    data = np.random.default_rng(0).normal(50, 20, (NY, NX)).astype(np.float32)
    state = Session(slots=(slot(1, data),), current=1)
    for transfer in type(LOOK.transfer):
        for smooth in Smooth:
            look = replace(LOOK, transfer=transfer, smooth=smooth, cmap="viridis", invert=True)
            seen = show(canvas, replace(state, slots=(replace(state.slots[0], look=look),)))
            assert len(np.unique(seen)) > 5


def test_while_blinking_the_canvas_says_which_frame_it_shows(canvas, qtbot):
    bar = ColorBar()
    qtbot.addWidget(bar)
    canvas.shown.connect(lambda key: bar.draw(canvas.view, key))
    plain = show(canvas, session())
    assert not (plain[10:30, 10:60] != plain[10, 10]).any()
    units = ("electron", "adu", "count")
    state = session(layout=Layout.BLINK, blink_ms=60_000)
    slots = tuple(replace(s, image=replace(s.image, unit=unit)) for s, unit in zip(state.slots, units))
    told = []
    canvas.shown.connect(told.append)
    seen = []
    show(canvas, replace(state, slots=slots))
    for _ in slots:
        canvas._next_blink()
        at = canvas.view.picture(canvas.displayed())
        caption = picture(canvas)[:60, : SIZE[0]]
        assert (caption != caption[-1, -1]).any()
        assert bar._picture is at and bar._picture.unit == unit_words(units[at.key - 1])
        seen.append(caption.tobytes())
    assert told == [2, 3, 1]
    assert len(set(seen)) == 3
    assert words(at, (0.0, 100.0)) == ("0", "e", "100")
    canvas.draw(image_view.make(session(layout=Layout.BLINK, blink_ms=10)))
    assert not canvas.followed()  # too fast for the rest of the window


@pytest.mark.parametrize("zoom", [1.0, 4.0])
@pytest.mark.parametrize(("rotation", "flip"), [(30.0, False), (-77.0, True)])
def test_a_view_at_any_angle_shows_each_pixel_where_the_read_out_has_it(canvas, zoom, rotation, flip):
    data = np.add.outer(np.arange(NY), np.arange(NX) % 2 * 50).astype(np.float32)
    view = ViewState(x=24.3, y=19.1, zoom=zoom, fit=False, rotation=rotation, flip_x=flip)
    seen = show(canvas, Session(slots=(slot(1, data, view=view),), current=1))
    size = canvas.size_px()
    below, right = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    x, y = viewport.to_image(view, size, right, below)
    step = 1 / zoom  # a screen pixel to either side: two roundings to the nearest
    edge = step - 0.5
    inside = (x > edge) & (x < NX - 1 - edge) & (y > edge) & (y < NY - 1 - edge)
    column, row = (np.floor(v[inside] + 0.5).astype(int) for v in (x, y))
    given = (seen[inside] & 0xFF).astype(int)
    near = [
        data[np.clip(np.floor(y[inside] + dy + 0.5).astype(int), 0, NY - 1),
             np.clip(np.floor(x[inside] + dx + 0.5).astype(int), 0, NX - 1)]
        for dx in (-step, 0, step) for dy in (-step, 0, step)
    ]  # fmt: skip
    wanted = np.array(near) * 2.55
    assert (np.abs(wanted - given).min(axis=0) <= 1.5).mean() > 0.99
    if zoom > 1:
        exact = np.abs(data[row, column] * 2.55 - given) <= 1.5
        assert exact.mean() > 1 - 3 * 0.7 / zoom  # only at the borders of pixels
    far = (x < -2) | (x > NX + 1) | (y < -2) | (y > NY + 1)
    assert far.any() and np.ptp(seen[far].astype(np.int64)) == 0  # the ground around it

"""Panner, magnifier, color bar and thumbnails."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest

from ifuview.app.frames.look import Look, Transfer, ViewState
from ifuview.app.frames.views import image as image_view
from ifuview.app.session import Session, Slot
from ifuview.gui.canvas.scale import label, ticks
from ifuview.gui.canvas.stages import pixels_of
from ifuview.gui.canvas.thumbnail import thumbnail
from ifuview.gui.canvas.widgets import ColorBar, Magnifier, Panner
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

NY, NX = 40, 50


def one(data=None):
    data = np.zeros((NY, NX), np.float32) if data is None else data
    image = Image("IMAGE", Kind.DETECTOR, Pixels(data), unit="electron")
    return Slot(1, "a", Dataset("a.fits"), image, look=Look(lo=0.0, hi=100.0))


def view(slot):
    return image_view.make(Session(slots=(slot,), current=1))


def seen(widget):
    image = widget.grab().toImage()
    image = image.convertToFormat(image.Format.Format_RGB32)
    return pixels_of(image).copy()


def test_the_panner_asks_for_the_place_under_the_hand(qtbot):
    panner = Panner()
    qtbot.addWidget(panner)
    panner.resize(100, 80)
    panner.draw(view(one()))
    panner.follow(1, ViewState(10, 10, 8.0, fit=False), (100, 80))
    assert len(np.unique(seen(panner))) > 1  # the box
    with qtbot.waitSignal(panner.intent) as asked:
        QTest.mouseClick(panner, Qt.MouseButton.LeftButton, pos=QPoint(50, 40))
    assert asked.args[0].view.x == pytest.approx(24.5, abs=0.6)
    assert asked.args[0].view.zoom == 8.0


def test_the_magnifier_shows_the_pixel_under_the_cursor(qtbot):
    data = np.zeros((NY, NX), np.float32)
    data[20, 30] = 100.0
    magnifier = Magnifier()
    qtbot.addWidget(magnifier)
    magnifier.resize(100, 80)
    magnifier.show()
    magnifier.draw(view(one(data)))
    magnifier.look_at(1, 30.2, 19.9)
    picture, ratio = seen(magnifier), round(magnifier.devicePixelRatioF())
    assert picture[40 * ratio, 50 * ratio] & 0xFF == 0xFF
    assert picture[10, 10] & 0xFF == 0


def test_the_color_bar_follows_a_drag(qtbot):
    bar = ColorBar()
    qtbot.addWidget(bar)
    bar.resize(400, 40)
    slot = one()
    bar.draw(view(slot))
    before = seen(bar)
    assert before[8, 20] & 0xFF < 30
    bar.follow(1, replace(slot.look, invert=True))
    assert seen(bar)[8, 20] & 0xFF > 220


def test_ticks_are_round_numbers_in_their_places():
    assert ticks(Look(), 0, 100, 5) == [(v, v / 100) for v in (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)]
    for value, place in ticks(Look(transfer=Transfer.SQRT), 0, 100, 5):
        assert (value / 100) ** 0.5 == pytest.approx(place, abs=0.01)
    assert ticks(Look(), 3, 3, 5) == [(3, 0.0)]


def test_labels_have_as_many_digits_as_the_limits_need():
    assert label(20.0, (0, 100)) == "20"
    assert label(10000.25, (10000, 10001)) == "10000.25"
    assert label(1e-17, (0, 1)) == "0"


@pytest.mark.parametrize("size", [(40, None), (60, 20)])
def test_a_thumbnail_shows_the_whole_frame(qtbot, size):
    data = np.zeros((NY, NX), np.float32)
    data[:20] = 100.0
    image = thumbnail(one(data), *size)
    assert image.width() <= size[0]
    assert image.height() <= (size[1] or size[0])
    picture = pixels_of(image)
    assert picture[-1, 5] == 0xFFFFFFFF
    assert picture[0, 5] == 0xFF000000


@pytest.mark.parametrize("value", [np.nan, np.inf, 7.0])
def test_an_image_without_contrast_is_drawn_all_the_same(qtbot, value):
    slot = replace(one(np.full((NY, NX), value, np.float32)), look=Look(lo=None, hi=None))
    panner, magnifier, bar = Panner(), Magnifier(), ColorBar()
    for widget in (panner, magnifier, bar):
        qtbot.addWidget(widget)
        widget.resize(120, 90)
        widget.draw(view(slot))
        ratio = round(widget.devicePixelRatioF())
        assert seen(widget).shape == (90 * ratio, 120 * ratio)
    for limits in ((np.nan, np.nan), (0.0, np.inf), (5.0, 5.0), (9.0, 3.0)):
        bar.follow(1, Look(lo=limits[0], hi=limits[1]))
        seen(bar)
    assert not thumbnail(slot, 40).isNull()

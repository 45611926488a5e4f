"""Decimated traces, iso-wavelength curves and colors."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.frames.views import image as image_view
from ifuview.app.frames.views import overlay
from ifuview.app.frames.views.text import round_numbers
from ifuview.app.session import Overlay, Selection, Session, Slot
from ifuview.model.dataset import Dataset
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Amplifier, Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from ifuview.model.trace import TraceSet

NY, NX, N = 300, 400, 20


def traces(n=N, bend=8.0):
    column = np.arange(NX)
    center = np.linspace(10, NY - 20, n)[:, None] + bend * ((column / NX - 0.5) ** 2)[None]
    return TraceSet(np.arange(n), center, wave=np.broadcast_to(5000.0 + 0.5 * column, (n, NX)))


def image(**fields):
    return Image("IMAGE", Kind.DETECTOR, Pixels(np.zeros((NY, NX), np.float32)), **fields)


def session(**fields):
    fibers = FiberMap(np.arange(N), block=np.arange(N) // 5)
    slot = Slot(1, "a", Dataset("a.fits"), image(fibermap=fibers), traces=traces())
    return replace(Session(slots=(slot,), current=1), **fields)


def test_decimated_curves_stay_within_a_tenth_of_a_pixel():
    full = traces()
    curves = overlay.decimate(full, image())
    assert curves.x.shape[1] < NX / 4
    for row in (0, 7, N - 1):
        line = np.interp(np.arange(NX), curves.x[row], curves.y[row])
        assert np.abs(line - full.center[row]).max() <= 0.1
    assert curves.errors[-1] <= 0.1


def test_a_lost_stretch_is_not_drawn():
    center = np.array(traces().center)
    center[3, 200:] = np.nan
    curves = overlay.decimate(TraceSet(np.arange(N), center), image())
    lines, row = overlay.segments(curves, np.array([3]), 1)
    finite = np.isfinite(lines).all(axis=1)
    assert finite.any()
    assert lines[finite][:, 2].max() < 200
    assert set(row) == {3}


@pytest.mark.parametrize(
    "orientation", [Orientation(True), Orientation(False, True, False), Orientation(True, True, True)]
)
def test_curves_lie_at_the_native_pixels_of_any_orientation(orientation):
    shape = (NX, NY) if orientation.transpose else (NY, NX)
    turned = replace(image(), pixels=Pixels(np.zeros(shape, np.float32)), orientation=orientation)
    full = traces()
    curves = overlay.decimate(full, turned)
    cross, disp = orientation.from_native(curves.x[5], curves.y[5], shape)
    expected = np.interp(disp[np.argsort(disp)], np.arange(NX), full.center[5])
    np.testing.assert_allclose(cross[np.argsort(disp)], expected, atol=1e-6)


def test_iso_wavelength_curves_are_at_round_numbers():
    curves = overlay.iso_wavelengths(traces(), image())
    waves = [c.wave for c in curves]
    assert np.allclose(np.diff(waves), waves[1] - waves[0])
    assert all(w % 10 == 0 for w in waves)
    for curve in curves:
        np.testing.assert_allclose(curve.x, (curve.wave - 5000) / 0.5, atol=1e-6)


def test_blocks_next_to_each_other_differ_in_color():
    view = image_view.make(session()).pictures[0].overlay
    colors = view.color[::5]
    assert (colors[1:] != colors[:-1]).all()
    assert view.first.tolist() == [0, 5, 10, 15]


def test_a_metric_colors_the_fibers_and_unknown_is_grey():
    metric = np.linspace(0, 1, N)
    metric[4] = np.nan
    view = image_view.make(session(overlay=Overlay(color_by="flux"), metrics=(("flux", metric),))).pictures[0].overlay
    assert view.color[4] == overlay.UNKNOWN_COLOR
    assert view.color[0] != view.color[-1]


def test_the_selected_fiber_has_its_neighbors():
    view = image_view.make(session(selection=Selection(fiber=0))).pictures[0].overlay
    assert (view.selected, view.neighbors) == (0, (1, 2))


def test_an_overlay_is_made_again_only_when_something_in_it_changed():
    first = session()
    before = image_view.make(first).pictures[0].overlay
    assert image_view.make(replace(first, blink_ms=17)).pictures[0].overlay is before
    assert image_view.make(replace(first, selection=Selection(fiber=3))).pictures[0].overlay is not before


def test_closed_traces_are_forgotten():
    opened = session()
    image_view.make(opened)
    held = weakref.ref(opened.slots[0].traces)
    assert held() in overlay._MADE
    image_view.make(Session())
    assert not overlay.CACHE._views
    del opened
    gc.collect()
    assert held() is None


def test_amplifier_borders_run_along_pixel_edges():
    one = session()
    slot = replace(one.slots[0], image=image(amplifiers=(Amplifier("A", 0, 200, 0, 300),)))
    view = image_view.make(one.with_slot(slot)).pictures[0].overlay
    assert view.amplifiers == (("A", -0.5, -0.5, 199.5, 299.5),)


def test_round_numbers():
    assert round_numbers(0, 100, 5).tolist() == [0, 20, 40, 60, 80, 100]
    assert round_numbers(3, 3, 5).size == 0

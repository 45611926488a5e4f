"""The dock of lenslets: hexagons that tile the field, a click, a circle that is dragged by its middle and its edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.night.reduction.state import FieldPlace
from ifuview.app.night.views.lenslets import HeadMap, LensletColors, LensletsAnswer, LensletsView
from ifuview.model.figure import Curve, Figure
from ifuview.recipes.lrs2.channel import cell

SIZE = 0.59


def head(**more: object) -> HeadMap:
    rows = [(np.arange(10 - r % 2) - (9 - r % 2) / 2, np.full(10 - r % 2, r - 3.0)) for r in range(7)]
    x, y = (np.concatenate(part) * SIZE for part in zip(*rows))
    sky = np.hypot(x, y) > 1.5
    given = HeadMap(
        "exposure 7", x, y, cell(x, y, SIZE), sky, FieldPlace(0.3, 0.0, 1.0), (0.0, 0.0), (0.3, 0.0), True, True
    )
    return replace(given, **more)


def view(*heads: HeadMap) -> LensletsView:
    return LensletsView(heads, heads[0].place, None, ("uv", "red"), "uv", False)


def test_hexagons_tile_the_field():
    one = head()
    area = 0.5 * abs(np.sum(one.cell[:, 0] * np.roll(one.cell[:, 1], 1) - one.cell[:, 1] * np.roll(one.cell[:, 0], 1)))
    assert area == pytest.approx(SIZE * SIZE)  # of rows a pitch apart
    regular = cell(one.x, one.y * np.sqrt(3) / 2, SIZE)
    sides = np.hypot(*(regular - np.roll(regular, 1, axis=0)).T)
    assert np.allclose(sides, SIZE / np.sqrt(3), atol=0.01)


@pytest.fixture
def dock(build):
    made = build("lenslets")
    made.resize(900, 320)
    other = head(place=FieldPlace(-0.7, 0.5, 1.0), shift=(-1.0, 0.5), current=False)
    made.draw(view(head(), other))
    return made


def test_a_click_asks_for_the_lenslet_in_all_heads(dock):
    one = dock.maps[0].head
    dock.maps[0].clicked.emit(one.x[20] + 0.1, one.y[20])
    assert dock.asked == [want.PlaceAperture(one.x[20], one.y[20]), want.SelectFiber(20)]
    dock.asked.clear()
    dock.maps[1].clicked.emit(one.x[20], one.y[20])  # in the other head the source lies elsewhere
    assert dock.asked == [want.PlaceAperture(one.x[20] + 1.0, one.y[20] - 0.5)]
    dock.maps[0].clicked.emit(50.0, 0.0)
    assert len(dock.asked) == 1


def test_the_circle_is_dragged_by_its_middle_and_its_edges(dock):
    one = dock.maps[0]
    place = FieldPlace(0.0, 0.0, 1.0, 2.0, 3.0)
    assert [one._hold(place, away) for away in (0.1, 0.9, 2.1, 2.9)] == ["center", "radius", "inner", "outer"]
    for held, to, expected in (
        ("center", (0.5, -0.5), replace(place, x=0.5, y=-0.5)),
        ("radius", (0.0, 1.5), replace(place, radius=1.5)),
        ("inner", (5.0, 0.0), replace(place, inner=2.9)),
        ("outer", (0.0, 4.0), replace(place, outer=4.0)),
    ):
        one._held, one._from = held, (0.0, 0.0)
        assert one._dragged(place, *to) == expected


def test_a_drag_is_told_in_the_head_on_the_canvas_and_not_too_often(dock, qtbot):
    for n in range(5):
        dock.maps[1].placed.emit(FieldPlace(0.1 * n, 0.2, 1.0))
    qtbot.waitUntil(lambda: bool(dock.asked))
    qtbot.wait(60)
    assert len(dock.asked) == 1
    assert (dock.asked[0].x, dock.asked[0].y) == (pytest.approx(1.4), pytest.approx(-0.3))


def test_a_line_around_lenslets_makes_the_sky_from_them(dock):
    dock.lasso.setChecked(True)
    assert all(one.lasso.on for one in dock.maps)
    square = np.array([[-3.0, 0.7], [3.0, 0.7], [3.0, 2.0], [-3.0, 2.0]])
    dock.maps[0].lasso.drawn.emit(square)
    (asked,) = dock.asked
    chosen = dict(asked.values)["fibers"]
    assert asked.step == "sky" and len(chosen) == 19
    assert not dock.lasso.isChecked()
    dock.maps[1].lasso.drawn.emit(square)
    assert isinstance(dock.asked[1], want.Note)


def test_ring_circle_and_source(dock):
    dock.ring.click()
    assert dock.asked[-1] == want.PlaceAperture(0.3, 0.0, 1.0, pytest.approx(1.4), pytest.approx(2.0))
    dock.radius.setValue(2.0)
    assert dock.asked[-1].radius == 2.0
    dock.use.click()
    assert dict(dock.asked[-1].values)["radius"] == 1.0  # of the view, that the session has
    dock.again.click()
    assert dock.asked[-1] == want.PlaceAperture(0.3, 0.0, 1.5)


def test_light_and_figures_are_drawn(dock):
    x = np.linspace(3600.0, 4600.0, 50)
    spectra = Figure("circle", curves=(Curve(x, x, 0, "uv"),))
    places = Figure("places", curves=(Curve(x, -x, 1),))
    n = dock.maps[0].head.x.size
    value = np.arange(float(n))
    value[3] = np.nan
    light = LensletColors(np.full(n, 0x112233, np.uint32), value, 0.0, 9.0, "uv 3640\u20134645 \u00c5")
    dock.answer(LensletsAnswer((light, light), spectra, places))
    assert dock.maps[0].cells.colors()[3] == 0x808080 and dock.maps[0].cells.colors()[4] == 0x112233
    assert dock.plot.figure is spectra
    dock.figure.setCurrentIndex(1)
    dock.figure.activated.emit(1)
    assert dock.plot.figure is places
    dock.draw(None)
    assert "Ctrl+Shift+J" in dock.pages.hint

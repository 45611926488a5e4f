"""Light dock: feed a view, read the plots back; in a window, the light follows selections and the cut."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QApplication

from ifuview.app import intents as want
from ifuview.app.frames.views.regions import PALETTE
from ifuview.app.jobs import JobKind
from ifuview.app.photons import light
from ifuview.app.photons.state import LightOptions
from ifuview.app.photons.views import light as pure
from ifuview.app.photons.views.light import LightPart
from ifuview.app.session import Level
from ifuview.gui.parts._figure_items import readable
from ifuview.gui.parts._panes import LEAST, arrangement
from ifuview.gui.photons.light import LightDock
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.store import Store
from ifuview.gui.shell.worker import Worker
from ifuview.model import figure as values
from ifuview.model.photons.lists import PhotonCut
from tests.app.photons.views.made_light import BOX, CIRCLE, counted, photon_list, session


@pytest.fixture(scope="module")
def source():
    return photon_list()


@pytest.fixture
def dock(qtbot):
    widget = LightDock()
    widget.asked = []
    widget.intent.connect(widget.asked.append)
    qtbot.addWidget(widget)
    widget.resize(900, 560)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def drawn(plot):
    return [x for items in plot.plot.curves for x in [items.line.getData()[0]] if x is not None and x.size]


def test_selections_are_drawn_side_by_side_and_named(dock, source):
    dock.draw(pure.make(counted(session(CIRCLE, BOX, source=source))))
    assert dock.asked == []
    assert len(drawn(dock.plots[LightPart.CURVE])) == 3
    assert len(drawn(dock.plots[LightPart.SPECTRUM])) == 3
    assert len(drawn(dock.plots[LightPart.HISTOGRAM])) == 9
    assert len(drawn(dock.plots[LightPart.INTERVALS])) == 6
    for words in ("pixel 8,6", "1: circle", "2: box"):
        assert words in dock.legend.text()
    assert "Ic" in dock.plots[LightPart.HISTOGRAM].plot.notes.text()
    dock.draw(pure.make(counted(session(source=source))))
    assert len(drawn(dock.plots[LightPart.SPECTRUM])) == 1


def test_what_is_not_counted_yet_is_asked_for(dock, source):
    dock.draw(pure.make(session(source=source)))
    assert dock.asked == [want.CountLight()]
    assert dock.pages.hint == pure.COUNTING
    dock.draw(pure.make(session(pixel=None, source=source)))
    assert dock.pages.hint == pure.PICK_HINT
    assert len(dock.asked) == 1


def test_the_switches_ask_for_other_options_and_show_those_of_the_session(dock, source):
    dock.draw(pure.make(counted(session(CIRCLE, source=source))))
    dock.width_box.stepBy(1)
    assert dock.asked[-1] == want.SetLight("width", 0.02)
    dock.bins_box.setCurrentIndex(dock.bins_box.findData(40))
    dock.bins_box.activated.emit(dock.bins_box.currentIndex())
    assert dock.asked[-1] == want.SetLight("bins", 40)
    dock.background_on.click()
    assert dock.asked[-1] == want.SetLight("background", False)
    dock.inner.setValue(3.0)
    assert dock.asked[-2:] == [want.SetLight("outer", 3.5), want.SetLight("inner", 3.0)]
    dock.circle_on.click()
    assert dock.asked[-1] == want.DrawRegions("circle")
    number = len(dock.asked)
    state = counted(session(CIRCLE, source=source, width=0.5, inner=2.0, outer=4.0, rate=False, background=False))
    dock.draw(pure.make(replace(state, drawing="box")))
    assert (dock.width_box.value(), dock.inner.value(), dock.outer.value()) == (500, 2, 4)
    assert dock.box_on.isChecked()
    assert not dock.background_on.isChecked()
    assert len(dock.asked) == number


def test_bin_widths_go_from_a_millisecond_to_ten_seconds(dock, source):
    dock.draw(pure.make(counted(session(source=source))))
    seen = []
    for _ in range(14):
        dock.width_box.stepBy(1)
        seen.append(dock.width_box.value())
    assert seen[:4] == [20, 50, 100, 200]
    assert seen[-1] == 10_000
    dock.width_box.stepBy(-30)
    assert dock.width_box.value() == 1


def test_axes_are_logarithmic_or_of_a_typed_range(dock, source):
    dock.draw(pure.make(counted(session(source=source))))
    plot = dock.plots[LightPart.SPECTRUM]
    top = plot.plot.plotItem.vb.viewRange()[1][1]
    plot.log_on.click()
    assert plot.plot.plotItem.vb.viewRange()[1][1] == pytest.approx(np.log10(top), abs=0.2)
    plot.range.setText("1:1000")
    plot.range.editingFinished.emit()
    assert plot.plot.plotItem.vb.viewRange()[1] == pytest.approx([0, 3])
    plot.range.setText("nonsense")
    plot.range.editingFinished.emit()
    assert plot.plot.plotItem.vb.viewRange()[1][1] < 3


def test_a_zoomed_light_curve_shows_single_bins(dock, source):
    dock.draw(pure.make(counted(session(source=source))))
    plot = dock.plots[LightPart.CURVE]
    assert "means" in plot.name.text()
    plot.plot.show_x(4.0, 5.0)
    assert "means" not in plot.name.text()
    (x,) = drawn(plot)
    assert np.diff(x).max() == pytest.approx(0.01)
    dock.full.click()
    assert "means" in plot.name.text()


def test_numbers_are_read_out_and_copied(dock, source, qapp):
    dock.draw(pure.make(counted(session(source=source))))
    plot = dock.plots[LightPart.SPECTRUM]
    plot.plot.pointed.emit(1000.0, 1.0)
    assert "nm" in dock.readout.text()
    plot.plot.left.emit()
    assert dock.readout.text() == ""
    plot.copy.click()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text().startswith("# Spectrum: pixel 8,6")


def test_plots_share_the_room_or_are_tabs(dock, source):
    dock.draw(pure.make(counted(session(source=source))))
    dock.resize(1200, 600)
    assert dock.panes.shape == (2, 2)
    dock.resize(1500, 330)
    assert dock.panes.shape == (1, 4)
    dock.resize(360, 900)
    assert dock.panes.shape == (4, 1)
    dock.resize(360, 300)
    assert dock.panes.currentWidget() is dock.panes.tabs
    assert dock.panes.tabs.count() == 4
    dock.resize(1200, 600)
    assert all(plot.isVisible() for plot in dock.plots.values())
    for width in range(100, 2000, 170):
        rows, columns = arrangement((width, 500), 4)
        assert rows * columns in (0, 4)
        assert not columns or width / columns >= LEAST[0]


@pytest.mark.parametrize("paper", ["#ffffff", "#1d1f21"])
@pytest.mark.parametrize("name", [*PALETTE, "green", "#E69F00", "#35E0FF", "white", "black", "?"])
def test_colors_of_regions_stand_out_on_the_paper(paper, name):
    found = readable(name, QColor(paper))
    assert values._contrast(found.getRgb()[:3], values.rgb(paper)) >= values.CONTRAST
    assert found.name() == values.readable(name, values.rgb(paper))


# ---- with a worker ----


@pytest.fixture
def control(qtbot):
    """A controller with its worker, without a window."""
    store, worker = Store(session(pixel=None)), Worker()
    worker.start()
    found = Controller(store, worker)
    yield found
    worker.shut_down()


def settle(qtbot, control):
    qtbot.waitUntil(lambda: not control.busy, timeout=30_000)


def test_counting_goes_to_the_worker_and_the_newest_wins(control, qtbot, source):
    control.store.put(session(source=source))
    control.handle(want.CountLight())
    control.handle(want.CountLight())  # under way
    assert len([j for j in control.jobs.book.records if j.key.kind is JobKind.LIGHT]) == 1
    settle(qtbot, control)
    assert control.session.lights.request == light.request(control.session)
    first = control.session.lights
    control.handle(want.CountLight())  # known
    assert not control.busy
    for width in (0.1, 0.2, 0.5, 1.0):
        control.handle(want.SetLight("width", width))
        control.handle(want.CountLight())
    qtbot.waitUntil(lambda: control.session.lights.request.options.width == 1.0, timeout=30_000)
    settle(qtbot, control)
    assert control.session.lights is not first
    assert control.session.light == LightOptions(width=1.0)


def test_a_cancelled_count_is_not_begun_again_by_itself(control, qtbot, source, monkeypatch):
    def slow(asked, kept=None, ctx=None):
        while True:
            ctx.checkpoint()

    count = light.count
    monkeypatch.setattr(light, "count", slow)
    control.store.put(session(source=source))
    control.handle(want.CountLight())
    control.handle(want.CancelJob(None))
    settle(qtbot, control)
    control.handle(want.CountLight())
    assert not control.busy
    monkeypatch.setattr(light, "count", count)
    control.handle(want.SetLight("width", 1.0))
    control.handle(want.CountLight())
    settle(qtbot, control)
    assert control.session.lights.request.options.width == 1.0


def test_drawing_is_switched_and_light_is_saved(control, qtbot, source, tmp_path):
    shown = []
    control.shell.connect(shown.append)
    control.store.put(session(CIRCLE, source=source))
    control.handle(want.SetOverlay("regions", False))
    control.handle(want.DrawRegions("box"))
    assert control.session.drawing == "box"
    assert control.session.overlay.regions
    assert want.ShowDock("light") in shown
    control.handle(want.DrawRegions("star"))
    assert control.session.drawing == "box"
    assert control.session.messages[-1].level is Level.ERROR
    control.handle(want.SaveLight("spectrum", str(tmp_path / "s.ecsv")))
    settle(qtbot, control)
    assert len(list(tmp_path.glob("s-*.ecsv"))) == 2
    control.store.put(session(pixel=None, source=source))
    control.handle(want.SaveLight("curve", str(tmp_path / "c.fits")))
    assert "no light to save" in control.session.messages[-1].text


def test_the_dock_follows_the_theme(dock, source, qapp):
    dock.draw(pure.make(counted(session(CIRCLE, source=source))))
    before = dock.plots[LightPart.SPECTRUM].plot.curves[0].line.opts["pen"].color().name()
    palette = dock.palette()
    palette.setColor(palette.ColorRole.Base, QColor("#101010"))
    palette.setColor(palette.ColorRole.Text, QColor(Qt.GlobalColor.white))
    dock.setPalette(palette)
    qapp.processEvents()
    assert dock.plots[LightPart.SPECTRUM].plot.curves[0].line.opts["pen"].color().name() != before


def test_while_a_slider_is_dragged_the_plots_are_redrawn_now_and_then(dock, source, qtbot):
    drawn = []
    plot = dock.plots[LightPart.SPECTRUM]
    plot.draw = lambda view, draw=plot.draw: drawn.append(view) or draw(view)
    views = [pure.make(counted(session(source=source, cut=PhotonCut(stop=stop)))) for stop in (10.0, 8.0, 6.0, 4.0)]
    for view in views:
        dock.draw(view)
    assert drawn == views[:1]
    qtbot.waitUntil(lambda: len(drawn) > 1, timeout=3000)
    assert drawn == [views[0], views[-1]]

"""Focal plane and tables docks with several cameras: colors of a window, lasso, links."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PyQt6.QtWidgets import QApplication

from ifuview.app import intents as want
from ifuview.app.frames.state import OpenTable
from ifuview.app.session import Session
from ifuview.app.spectra.views import focal_plane
from ifuview.model.dataset import Table
from tests.app.spectra.views.test_focal_plane import BUMP_WAVE, camera

WINDOW = BUMP_WAVE


def session() -> Session:
    return Session((camera(3), camera(2)), 3, window=WINDOW)


def test_a_window_colors_all_cameras(build, view_of):
    dock = build("focal")
    dock.draw(view_of("focal", replace(session(), window=None)))
    dock.color_by.setCurrentIndex(dock.color_by.findData(focal_plane.WINDOW))
    assert "Window" in dock.note.text()
    dock.draw(view_of("focal", session()))
    QApplication.processEvents()
    assert dock.plot.cloud.dots.isVisible()
    assert dock.plot.cloud.dots.getData()[0].size == 100
    assert "6100 to 6150" in dock.note.text()
    before = float(dock.bar.high.text())
    dock.reach.setValue(10.0)
    assert float(dock.bar.high.text()) > 1.9 * before


def test_the_dots_are_where_the_fibers_are(build, view_of):
    dock = build("focal")
    dock.draw(view_of("focal", session()))
    dock.color_by.setCurrentIndex(dock.color_by.findData(focal_plane.WINDOW))
    QApplication.processEvents()
    image = dock.plot.grab().toImage()
    ratio = dock.plot.devicePixelRatioF()
    for point in (12, 26, 63):  # not under the outline
        scene = dock.plot.plotItem.vb.mapViewToScene(_point(dock, point))
        place = dock.plot.mapFromScene(scene)
        seen = image.pixelColor(round(place.x() * ratio), round(place.y() * ratio)).rgb() & 0xFFFFFF
        assert seen == dock.plot.cloud.dots._color[point] & 0xFFFFFF


def _point(dock, number):
    from PyQt6.QtCore import QPointF

    return QPointF(float(dock._view.x[number]), float(dock._view.y[number]))


def test_a_lasso_selects_in_the_frame_that_has_the_fibers(build, view_of):
    dock = build("focal")
    dock.draw(view_of("focal", session()))
    dock.lasso.drawn.emit(np.array([(19.5, -0.5), (23.5, -0.5), (23.5, 0.5), (19.5, 0.5)]))
    assert dock.asked == [want.SelectSlot(2), want.SelectFiber(0, (0, 1, 2, 3))]


def table() -> OpenTable:
    columns = {
        "FIBER": 2 * 50 + np.arange(20),
        "TARGETID": 2 * 10**12 + np.arange(20),
        "Z": np.linspace(0, 4, 20),
        "SPECTYPE": np.where(np.arange(20) < 5, "QSO", "GALAXY"),
    }
    return OpenTable("redrock-2.fits", "redrock-2 REDSHIFTS", Table("REDSHIFTS", columns))


def test_tables_are_plotted_filtered_and_lassoed(build, view_of):
    dock = build("tables")
    dock.draw(view_of("tables", replace(session(), tables=(table(),))))
    assert dock.which.currentText() == "redrock-2 REDSHIFTS"
    assert (dock.x_box.currentText(), dock.y_box.currentText()) == ("FIBER", "Z")
    assert dock.plot.curves[0].points.getData()[0].size == 20
    dock.sheet.filter.setText("SPECTYPE=QSO")
    dock.sheet._apply_filter()
    assert dock.plot.curves[0].points.getData()[0].size == 5
    dock.lasso.drawn.emit(np.array([(101.5, -1), (110, -1), (110, 5), (101.5, 5)]))
    assert dock.asked == [want.SelectSlot(2), want.SelectFiber(2, (2, 3, 4))]


def test_rows_of_a_table_that_belongs_to_nothing_are_selected_in_the_plot(build, view_of):
    dock = build("tables")
    dock.draw(view_of("tables", Session(tables=(table(),))))
    dock.plot.clicked.emit(103.0, float(dock._place[1][3]))
    assert dock.asked == []
    assert "no open frame" in dock.note.text()
    assert dock.plot.curves[1].points.getData()[0].tolist() == [103]


def test_selected_spectra_are_marked_in_the_table(build, view_of):
    dock = build("tables")
    selected = replace(session(), current=2, tables=(table(),))
    selected = replace(selected, selection=replace(selected.selection, fiber=7, fibers=(7, 9)))
    dock.draw(view_of("tables", selected))
    assert sorted(i.row() for i in dock.sheet.table.selectionModel().selectedRows()) == [7, 9]
    assert dock.plot.curves[1].points.getData()[0].tolist() == [107, 109]
    assert dock.asked == []


def test_a_lasso_is_drawn_with_the_mouse(build, view_of, qtbot):
    from PyQt6.QtCore import QEvent, QPointF, Qt
    from PyQt6.QtGui import QMouseEvent

    dock = build("focal")
    dock.draw(view_of("focal", session()))
    dock.lasso_on.click()
    qtbot.wait(50)
    before = dock.plot.plotItem.vb.viewRange()
    port, button = dock.plot.viewport(), Qt.MouseButton.LeftButton
    corners = [(19.5, -0.5), (23.5, -0.5), (23.5, 0.5), (21.5, 0.5), (19.5, 0.5)]
    kinds = [QEvent.Type.MouseButtonPress, *[QEvent.Type.MouseMove] * 4, QEvent.Type.MouseButtonRelease]
    for kind, (x, y) in zip(kinds, [*corners, corners[-1]], strict=True):
        scene = dock.plot.plotItem.vb.mapViewToScene(QPointF(x, y))
        place = QPointF(dock.plot.mapFromScene(scene))
        none = Qt.MouseButton.NoButton
        pressed = none if kind is QEvent.Type.MouseButtonRelease else button
        event = QMouseEvent(kind, place, port.mapToGlobal(place), none if kind is QEvent.Type.MouseMove else button,
                            pressed, Qt.KeyboardModifier.NoModifier)  # fmt: skip
        QApplication.sendEvent(port, event)
        qtbot.wait(15)  # the plot takes at most a hundred moves a second
    assert dock.asked == [want.SelectSlot(2), want.SelectFiber(0, (0, 1, 2, 3))]
    assert dock.plot.plotItem.vb.viewRange() == before


def test_maps_of_other_products_have_room_in_a_high_narrow_panel(build, view_of, monkeypatch):
    """They stand in a row, without axes, above the focal plane."""
    dock = build("focal")
    view = view_of("focal", session())
    monkeypatch.setattr(focal_plane, "beside", lambda _view: (view, view, view))
    dock.resize(360, 560)
    dock.show()
    dock.draw(view)
    QApplication.processEvents()
    for plot in dock.side.maps:
        box = plot.plotItem.vb.rect()
        assert plot.isVisible() and min(box.width(), box.height()) > 50
    assert len({plot.y() for plot in dock.side.maps}) == 1 and dock.side.geometry().bottom() < dock.plot.y()

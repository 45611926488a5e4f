"""Frames, limits, fiber table, focal plane, header, pixels, jobs, messages: feed a view, act like a user."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication

from ifuview.app import intents as want
from ifuview.app.frames.look import LimitMode, Smooth, Transfer
from ifuview.app.frames.views import jobs as jobs_view
from ifuview.app.frames.views import pixel_table
from ifuview.app.session import Layout, Session
from ifuview.gui.frames._frame_list import close_box
from ifuview.model.fibers import FiberMap
from tests.app.frames.views import made

# frames


def test_frames_are_listed_and_a_click_selects_one(build, view_of, qtbot):
    dock = build("frames")
    dock.draw(view_of("frames", made.session()))
    assert dock.list.keys() == [1, 2, 3]
    assert dock.list.current_key() == 1
    place = dock.list.visualItemRect(dock.list.item(1)).center()
    qtbot.mouseClick(dock.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert dock.asked == [want.SelectSlot(2)]


def test_the_cross_and_the_delete_key_close_frames(build, view_of, qtbot):
    dock = build("frames")
    dock.draw(view_of("frames", made.session()))
    cross = close_box(dock.list.visualItemRect(dock.list.item(2))).center()
    qtbot.mouseClick(dock.list.viewport(), Qt.MouseButton.LeftButton, pos=cross)
    assert dock.asked == [want.CloseSlot(3)]
    qtbot.keyClick(dock.list, Qt.Key.Key_Delete)
    assert dock.asked[1:] == [want.CloseSlot(1)]


def test_moving_a_row_asks_for_the_new_order(build, view_of):
    dock = build("frames")
    dock.draw(view_of("frames", made.session()))
    dock.list.model().moveRow(dock.list.rootIndex(), 0, dock.list.rootIndex(), 3)
    QApplication.processEvents()
    assert want.MoveSlot(1, 2) in dock.asked


def test_layout_locks_and_match(build, view_of):
    dock = build("frames")
    dock.draw(view_of("frames", made.session()))
    dock.layout_buttons[Layout.BLINK].click()
    dock.interval.setValue(250)
    dock.locks["limits"].click()
    dock.match.menu().actions()[2].trigger()
    assert dock.asked == [
        want.SetLayout(Layout.BLINK, 500),
        want.SetLayout(Layout.SINGLE, 250),
        want.SetLock("limits", True),
        want.Match("limits"),
    ]


def test_the_blink_time_is_that_of_the_session_also_without_a_frame(build, view_of):
    dock = build("frames")
    dock.draw(view_of("frames", Session(blink_ms=350)))
    assert dock.interval.value() == 350


def test_difference_takes_the_selected_pair_or_the_last_two(build, view_of):
    dock = build("frames")
    dock.draw(view_of("frames", made.session()))
    assert dock.pair() == (1, 2)
    dock.list.item(0).setSelected(True)
    dock.list.item(2).setSelected(True)
    dock.difference.click()
    dock.ratio.click()
    assert dock.asked == [want.Combine(1, 3, "difference"), want.Combine(1, 3, "ratio")]
    assert "preproc − cube" in dock.difference.toolTip()


def test_the_plane_slider_moves_through_a_cube_and_plays(build, view_of, qtbot):
    dock = build("frames")
    dock.draw(view_of("frames", made.session(3)))
    row = dock._plane_rows[0]
    assert (row.slider.maximum(), row.slider.value(), row.text.text()) == (29, 11, "Plane 12 of 30, 4022.00 Å")
    row.slider.setValue(20)
    assert dock.asked == [want.SetPlane(3, (20,))]
    row.play.click()
    qtbot.waitUntil(lambda: len(dock.asked) > 2, timeout=3000)
    dock.draw(view_of("frames", made.session(1)))
    assert not row.play.isChecked()


# limits


def test_the_histogram_and_the_handles_show_the_look(build, view_of):
    dock = build("limits")
    dock.draw(view_of("limits", made.session()))
    assert [h.value() for h in dock.handles] == [0.0, 500.0]
    assert (dock.low.value(), dock.high.value()) == (0.0, 500.0)
    assert dock.mode.currentText() == "zscale"


def test_a_dragged_handle_is_live_and_counts_when_let_go(build, view_of, qtbot):
    dock = build("limits")
    session = made.session()
    dock.draw(view_of("limits", session))
    live = []
    dock.limits_live.connect(lambda *a: live.append(a))
    dock.handles[1].setValue(300.0)
    dock.handles[1].sigDragged.emit(dock.handles[1])
    assert live == [(1, 0.0, 300.0)]
    assert dock.asked == []
    dock.handles[1].sigPositionChangeFinished.emit(dock.handles[1])
    look = session.slot(1).look
    assert dock.asked == [want.SetLook(1, replace(look, limit_mode=LimitMode.USER, lo=0.0, hi=300.0))]


def test_a_handle_follows_the_mouse(build, view_of, qtbot):
    dock = build("limits")
    dock.draw(view_of("limits", made.session()))
    QApplication.processEvents()
    vb = dock.plot.plotItem.vb
    viewport = dock.plot.viewport()

    def at(value: float) -> QPoint:
        inside = vb.viewRange()[1]
        return dock.plot.mapFromScene(vb.mapViewToScene(_point(value, sum(inside) / 2)))

    live = []
    dock.limits_live.connect(lambda key, lo, hi: live.append((lo, hi)))
    _move(viewport, at(500.0), Qt.MouseButton.NoButton)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=at(500.0))
    for value in (480.0, 440.0, 400.0):
        qtbot.wait(20)  # pyqtgraph drops moves that come faster than 100 Hz
        _move(viewport, at(value), Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=at(400.0))
    QApplication.processEvents()
    assert live
    assert dock.asked[-1].look.hi == pytest.approx(400.0, abs=10)


def _point(x, y):
    from PyQt6.QtCore import QPointF

    return QPointF(x, y)


def _move(viewport, pos, down):
    """A mouse move with some buttons down."""
    from PyQt6.QtCore import QEvent, QPointF
    from PyQt6.QtGui import QMouseEvent

    place = QPointF(pos)
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        place,
        QPointF(viewport.mapToGlobal(pos)),
        Qt.MouseButton.NoButton,
        down,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(viewport, event)


def test_modes_transfer_colors_and_smoothing_ask_for_a_look(build, view_of):
    dock = build("limits")
    session = made.session()
    dock.draw(view_of("limits", session))
    look = session.slot(1).look

    def choose(box, data):
        index = next(i for i in range(box.count()) if box.itemData(i) == data)
        box.setCurrentIndex(index)
        box.activated.emit(index)

    choose(dock.mode, (LimitMode.PERCENTILE, 99.5))
    choose(dock.transfer, Transfer.ASINH)
    choose(dock.cmap, "heat")
    choose(dock.smooth, Smooth.GAUSSIAN)
    dock.invert.click()
    dock.low.setValue(25.0)
    expected = (
        replace(look, limit_mode=LimitMode.PERCENTILE, percent=99.5, lo=None, hi=None),
        replace(look, transfer=Transfer.ASINH),
        replace(look, cmap="heat"),
        replace(look, smooth=Smooth.GAUSSIAN),
        replace(look, invert=True),
        replace(look, limit_mode=LimitMode.USER, lo=25.0),
    )
    assert dock.asked == [want.SetLook(1, e) for e in expected]


def test_mask_bits_are_chosen_by_name(build, view_of):
    dock = build("limits")
    session = made.session()
    dock.draw(view_of("limits", session))
    names = [a.text() for a in dock.bits_menu.actions() if not a.isSeparator()]
    assert names == ["All", "None", "BADPIX  bad pixel", "COSMIC  cosmic ray"]
    dock.bits_menu.actions()[-1].trigger()
    assert dock.asked[-1].look.mask_shown == 8
    slot = session.slot(1)
    dock.draw(view_of("limits", session.with_slot(replace(slot, look=replace(slot.look, mask_shown=9)))))
    assert dock.bits.text() == "BADPIX, COSMIC"


def test_an_unusual_percentile_is_shown(build, view_of):
    dock = build("limits")
    session = made.session()
    slot = session.slot(1)
    look = replace(slot.look, limit_mode=LimitMode.PERCENTILE, percent=97.3)
    dock.draw(view_of("limits", session.with_slot(replace(slot, look=look))))
    assert dock.mode.currentText() == "97.3 % of the pixels"


# fiber table


def test_the_selected_fiber_is_selected_in_the_table(build, view_of):
    dock = build("fibers")
    dock.draw(view_of("fibers", made.session()))
    rows = [i.row() for i in dock.table.selectionModel().selectedRows()]
    assert rows == [5]
    assert dock.count.text() == "12 fibers"


def test_a_click_selects_a_fiber_also_when_sorted(build, view_of, qtbot):
    dock = build("fibers")
    dock.draw(view_of("fibers", made.session()))
    dock.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert dock.model.source_row(0) == 11
    assert [dock.model.source_row(i.row()) for i in dock.table.selectionModel().selectedRows()] == [5]
    place = dock.table.visualRect(dock.model.index(1, 1)).center()
    qtbot.mouseClick(dock.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert dock.asked[-1] == want.SelectFiber(10)
    place = dock.table.visualRect(dock.model.index(3, 1)).center()
    qtbot.mouseClick(dock.table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, place)
    assert dock.asked[-1] == want.SelectFiber(8, (10, 9, 8))


def test_the_filter_leaves_rows_out_and_keeps_the_selection(build, view_of, qtbot):
    dock = build("fibers")
    dock.draw(view_of("fibers", made.session()))
    dock.filter.setText("OBJTYPE=TGT")
    qtbot.waitUntil(lambda: dock.model.rowCount() == 8, timeout=3000)
    assert dock.count.text() == "8 of 12 fibers"
    assert [dock.model.source_row(i.row()) for i in dock.table.selectionModel().selectedRows()] == [5]
    assert dock.asked == []


def test_another_selection_does_not_reset_the_table(build, view_of):
    dock = build("fibers")
    session = made.session()
    dock.draw(view_of("fibers", session))
    dock.table.setColumnWidth(1, 77)
    resets = []
    dock.model.modelReset.connect(lambda: resets.append(1))
    dock.draw(view_of("fibers", replace(session, selection=replace(session.selection, fiber=7))))
    assert resets == []
    assert dock.table.columnWidth(1) == 77
    assert [i.row() for i in dock.table.selectionModel().selectedRows()] == [7]
    assert dock.asked == []


def test_rows_are_copied_as_text(build, view_of):
    dock = build("fibers")
    dock.draw(view_of("fibers", made.session()))
    dock.table.copy()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].startswith("Row\tFiber\tBundle")
    assert lines[1].startswith("5\t505\t1")


# focal plane


def test_fibers_are_drawn_where_they_sit_and_a_click_selects(build, view_of):
    dock = build("focal")
    view = view_of("focal", made.session())
    dock.draw(view)
    QApplication.processEvents()
    drawn = [items.points.getData()[0] for items in dock.plot.curves if items.points is not None]
    assert np.array_equal(np.sort(np.concatenate(drawn[:-1])), np.sort(view.x))
    assert drawn[-1] == pytest.approx([view.x[5]])
    assert "505" in dock.info.text()
    assert "sky" in dock.key_line.text()
    dock.plot.clicked.emit(float(view.x[3]), float(view.y[3]))
    dock.plot.clicked.emit(500.0, 500.0)
    assert dock.asked == [want.SelectFiber(3)]
    dock.plot.pointed.emit(float(view.x[4]), float(view.y[4]))
    assert "504 (dead)" in dock.info.text()


def test_fibers_are_colored_by_a_number_with_its_range(build, view_of):
    dock = build("focal")
    dock.draw(view_of("focal", made.session()))
    dock.color_by.setCurrentIndex(dock.color_by.findData("throughput"))
    assert dock.bar.isVisibleTo(dock)
    assert not dock.key_line.isVisibleTo(dock)
    assert float(dock.bar.low.text()) == pytest.approx(0.804, abs=0.01)
    dock.draw(view_of("focal", made.session()))
    assert dock.color_by.currentData() == "throughput"


def test_unknown_places_are_no_problem(build, view_of):
    slot = made.detector()
    lost = FiberMap(fiber=np.arange(3), focal_x=np.array([np.nan, 1, 2]), focal_y=np.array([np.nan, 1, 3]))
    slot = replace(slot, image=replace(slot.image, fibermap=lost))
    dock = build("focal")
    dock.draw(view_of("focal", Session((slot,), 1)))
    QApplication.processEvents()


# header


def test_hdus_are_listed_and_another_one_is_asked_for(build, view_of):
    dock = build("header")
    dock.draw(view_of("header", made.session()))
    assert dock.hdus.topLevelItemCount() == 4
    assert dock.hdus.currentItem().text(0) == "▸ [0] IMAGE"
    assert dock.cards.topLevelItemCount() == 3
    dock.hdus.setCurrentItem(dock.hdus.topLevelItem(1))
    assert dock.cards.topLevelItemCount() == 1
    dock.show_button.click()
    dock.new_button.click()
    dock.hdus.itemDoubleClicked.emit(dock.hdus.topLevelItem(1), 0)
    assert dock.asked == [want.ChooseImage(1, 1), want.ChooseImage(1, 1, True), want.ChooseImage(1, 1)]
    dock.hdus.setCurrentItem(dock.hdus.topLevelItem(2))
    assert not dock.show_button.isEnabled()


def test_cards_are_searched_and_copied(build, view_of):
    dock = build("header")
    dock.draw(view_of("header", made.session()))
    dock.search.setText("exposure")
    assert dock.cards.topLevelItemCount() == 1
    assert dock.count.text() == "1 of 3 cards"
    dock.cards.selectAll()
    dock._copy()
    assert QApplication.clipboard().text() == "EXPTIME = 900.0 / [s] exposure time"


# pixels


def test_the_pixel_table_shows_as_many_values_as_asked(build):
    dock = build("pixels")
    dock.hover(pixel_table.hover(made.session(), 1, 100, 30))
    assert len(dock.grid.cells) == 7
    dock.size_box.setCurrentIndex(0)
    assert len(dock.grid.cells) == 3
    assert dock.grid.cells[1][1] == dock.grid.cells[1][1].strip()
    assert "COSMIC" in dock.text.text()
    dock.size_box.setCurrentIndex(5)
    assert not dock.grab().isNull()


# jobs and messages


def test_jobs_can_be_cancelled_one_by_one_or_all(build):
    dock = build("jobs")
    dock.draw(jobs_view.make(made.session(), made.job_book()))
    shown = [w for w in dock.rows if w.isVisibleTo(dock)]
    assert [w.id for w in shown] == [2, 5, 4, 1]
    assert shown[0].bar.value() == 40
    shown[0].cancel.click()
    dock.cancel_all.click()
    assert dock.asked == [want.CancelJob(2), want.CancelJob(None)]
    assert not shown[3].cancel.isVisibleTo(dock)


def test_messages_fold_their_details_away(build, view_of):
    dock = build("messages")
    dock.draw(view_of("messages", made.session()))
    first = dock.tree.topLevelItem(0)
    assert "second" in first.text(0)
    assert first.childCount() == 1
    assert not first.isExpanded()
    dock.copy_button.click()
    assert QApplication.clipboard().text().endswith("    line 2")
    dock.only.click()
    assert dock.tree.topLevelItemCount() == 1


def test_limits_beyond_single_precision_are_written_with_an_exponent(build, view_of):
    from ifuview.app.frames.look import Look
    from ifuview.model.image import Image, Kind
    from ifuview.model.pixels import Pixels

    values = 1e300 * np.random.default_rng(1).random((30, 40))
    slot = replace(made.session().slots[0], image=Image("A", Kind.IMAGE, Pixels(values)), look=Look(lo=1e299, hi=9e299))
    dock = build("limits")
    dock.draw(view_of("limits", replace(made.session(), slots=(slot,), current=slot.key)))
    assert (dock.low.text(), dock.high.text()) == ("1e+299", "9e+299")
    assert dock.high.value() == 9e299 and dock.high.valueFromText("2.5e299") == 2.5e299

"""Docks of detections and of trends: keys judge, a click tells, figures stand beside their lists."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt

from ifuview.app import intents as want
from ifuview.app.night.views import detections as pure
from ifuview.app.session import Session
from ifuview.engine.context import SILENT
from tests.app.night.test_detections import observation, opened, path  # noqa: F401
from tests.app.night.test_trends import folder, table  # noqa: F401


@pytest.fixture
def detections(build, view_of, opened):  # noqa: F811
    made = build("detections")
    made.resize(1000, 360)
    made.draw(view_of("detections", opened.session))
    made.runner = opened
    return made


def redraw(dock, view_of) -> None:
    """What the controller and the presenter do."""
    asked, dock.asked[:] = list(dock.asked), []
    dock.runner.ask(*asked)
    dock.draw(view_of("detections", dock.runner.session))


def test_keys_judge_and_go_on(detections, view_of, qtbot):
    detections.list.setCurrentIndex(detections.list.rows.index(0, 0))
    assert detections.asked == [want.ShowDetection(0)]
    redraw(detections, view_of)
    qtbot.keyClick(detections.list, Qt.Key.Key_R)
    assert detections.asked == [want.JudgeDetection("real"), want.ShowDetection(1)]
    redraw(detections, view_of)
    assert detections.list.rows.data(detections.list.rows.index(0, 0)).endswith("real")
    qtbot.keyClick(detections.list, Qt.Key.Key_Backspace)
    assert detections.asked == [want.UndoJudgment()]
    redraw(detections, view_of)
    assert detections.list.currentIndex().row() == 0 and not detections.back.isEnabled()
    assert not detections.asked  # that a row is marked tells nobody


def test_figures_of_another_detection_are_not_shown(detections, view_of):
    detections.runner.ask(want.ShowDetection(1))
    answer = pure.job(detections.runner.session)(SILENT)
    detections.draw(view_of("detections", detections.runner.session))
    detections.answer(answer)
    assert detections.plots["fibers"].isVisible() and "one exposure" in detections.words.text()
    assert detections.plots["fibers"].map.isVisible()
    detections.runner.ask(want.ShowDetection(0))
    detections.draw(view_of("detections", detections.runner.session))
    detections.answer(answer)  # too late
    assert detections.plots["line"].figure is answer.line


def test_rows_are_chosen(detections):
    detections.choice.setCurrentIndex(detections.choice.findData("clean"))
    detections.choice.activated.emit(0)
    assert detections.list.rows.rowCount() == 1
    detections.least.setValue(1000.0)
    assert detections.list.rows.rowCount() == 0


def test_trends_name_what_is_not_usual(build, view_of, table):  # noqa: F811
    dock = build("trends")
    dock.draw(view_of("trends", Session(trends=table)))
    assert (
        dock.tree.topLevelItem(0).text(0) == "047 RL"
        and dock.tree.topLevelItem(0).text(4) == "wrong since 20190822 2/3"
    )
    dock.tree.itemClicked.emit(dock.tree.topLevelItem(0), 0)
    dock.panel.plot.clicked.emit(0.2, 3.0)
    assert dock.asked[0].place == "047 RL" and dock.asked[1] == want.ShowExposureOf(20190822, "2/1", "")
    dock.words.setText("046")
    assert dock.tree.topLevelItemCount() == 4
    dock.draw(None)
    assert "qa.json" in dock.pages.hint


def test_a_narrow_list_has_what_matters_without_scrolling(detections, qtbot):
    listed = detections.list
    names = [listed.rows.headerData(n, Qt.Orientation.Horizontal) for n in range(listed.rows.columnCount())]
    shown = lambda: [name for n, name in enumerate(names) if not listed.isColumnHidden(n)]  # noqa: E731
    for width in (400, 1000):  # beside the image of a window of 1280 px; below it
        listed.setMinimumWidth(width)
        listed.setMaximumWidth(width)
        qtbot.waitUntil(lambda width=width: listed.width() == width)
        bar = listed.horizontalScrollBar()
        qtbot.waitUntil(lambda bar=bar: bar.maximum() == 0)
        assert {"Judged", "IFU", "\u03bb\n(\u00c5)", "S/N", "Flux\n(1e-17)", "Kind", "May be\nfalse"} <= set(shown())
        assert ("Dec" in shown()) == (width == 1000)
    index = listed.rows.index(0, 0)
    assert "RA: " in listed.rows.data(index, Qt.ItemDataRole.ToolTipRole)

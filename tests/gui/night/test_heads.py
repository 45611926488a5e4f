"""The dock of fiber heads: a click on an amplifier goes to its detector, colors are verdicts or numbers."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt

from ifuview.app import intents as want
from ifuview.model.night.raw import AMPLIFIERS, DETECTOR
from ifuview.model.verdict import VerdictState
from tests.app.night.test_heads import found, index, session  # noqa: F401


@pytest.fixture
def dock(build, view_of, index):  # noqa: F811
    made = build("heads")
    made.draw(view_of("heads", session(index, found(index, 24.0, VerdictState.WRONG))))
    return made


def test_a_click_goes_to_the_detector(dock):
    view = dock._view
    cell = next(c for c in view.cells if (c.camera, c.name) == ("046L", "LU"))
    left, low = view.corner(cell)
    dock.map.clicked.emit(left + 2.0, low + 2.0)
    dock.map.clicked.emit(1e4, 1e4)
    dock.every.click()
    assert dock.asked == [
        want.ShowProduct(view.expid, "046L", DETECTOR),
        want.ShowProduct(view.expid, product=AMPLIFIERS),
    ]


def test_what_is_not_known_is_hatched(dock):
    styles = [brush.style() for brush in dock.map.cells.brushes]
    assert styles.count(Qt.BrushStyle.SolidPattern) == 1 and styles.count(Qt.BrushStyle.BDiagPattern) == 10
    dock.color_by.setCurrentIndex(dock.color_by.findData("read noise"))
    dock._paint()
    styles = [brush.style() for brush in dock.map.cells.brushes]
    assert styles.count(Qt.BrushStyle.SolidPattern) == 1 and dock.ramp.isVisible() and not dock.key_line.isVisible()
    assert dock.color_by.currentText() == "read noise (e)"


def test_the_choice_stays_when_more_is_known(dock, view_of, index):  # noqa: F811
    dock.color_by.setCurrentIndex(dock.color_by.findData("overscan"))
    dock.draw(view_of("heads", session(index, found(index, 3.0, VerdictState.CLEAN))))
    assert dock.color_by.currentData() == "overscan"


def test_without_a_night_of_heads_there_is_a_hint(dock):
    dock.draw(None)
    assert "raw night" in dock.pages.hint

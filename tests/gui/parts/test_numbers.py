"""Boxes of numbers read what people type, whatever their country."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QLocale, Qt
from PyQt6.QtWidgets import QApplication, QDoubleSpinBox

from ifuview.gui.parts._widgets import plain_numbers


@pytest.fixture(params=["C", "de_DE", "en_US"])
def country(request):
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(before)


@pytest.fixture
def box(qtbot, country):
    out = QDoubleSpinBox()
    out.setRange(0, 1e6)
    out.setDecimals(3)
    plain_numbers(out, "Width")
    qtbot.addWidget(out)
    out.selectAll()
    return out


@pytest.mark.parametrize("typed", ["1.5", "1,5"])
@pytest.mark.parametrize("inner", [False, True])
def test_a_decimal_comma_is_a_point(qtbot, box, typed, inner):
    where = box.lineEdit() if inner else box
    qtbot.keyClicks(where, typed)
    qtbot.keyClick(where, Qt.Key.Key_Return)
    assert box.value() == 1.5
    assert box.text() == "1.500"


@pytest.mark.parametrize("text", ["1,234.5", "1.234,5"])
def test_a_pasted_number_in_groups_changes_nothing(box, text):
    box.setValue(7)
    box.selectAll()
    QApplication.clipboard().setText(text)
    box.lineEdit().paste()
    assert box.value() == 7

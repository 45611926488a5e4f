"""Every panel has its keys, and the keys of the image work whatever was clicked last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.gui.dialogs.shortcuts import sheet
from ifuview.gui.docks import DOCKS, panel_keys
from ifuview.gui.window.image_focus import CLICKED
from ifuview.gui.window.menus import ACTIONS
from tests.gui.windows import settle, window


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    from astropy.io import fits

    path: Path = tmp_path_factory.mktemp("keys") / "image.fits"
    fits.writeto(path, np.random.default_rng(1).normal(100, 5, (60, 90)).astype(np.float32))
    return str(path)


def test_every_panel_has_keys_of_its_own_that_begin_nothing_else() -> None:
    keys = [QKeySequence(panel_keys(entry)).toString() for entry in DOCKS]
    assert all(keys) and len(set(keys)) == len(keys)
    first = keys[0].split(",")[0]
    others = {QKeySequence(key).toString().split(",")[0] for action in ACTIONS for key in action.keys}
    assert first not in others
    text = sheet()
    assert all(entry.title in text for entry in DOCKS)


def test_problems_have_keys() -> None:
    keys = {action.name: action.keys for action in ACTIONS}
    assert keys["problem-previous"] == ("[",) and keys["problem-next"] == ("]",)


def test_keys_show_a_panel_bring_it_to_the_front_and_hide_it(qtbot: QtBot, image: str) -> None:
    with window(qtbot, image) as shell:
        canvas, docks = shell.window.canvas, shell.window.docks
        shell.window.activateWindow()
        canvas.setFocus()

        def press(letter: str) -> None:
            qtbot.keyClick(canvas, Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
            qtbot.keyClick(canvas, letter)
            settle(qtbot, shell)

        for on in (True, False):
            press("h")
            assert docks["header"].isVisible() is on
        shell.controller.handle(want.ShowDock("graphs"))
        shell.controller.handle(want.ShowDock("cut"))  # in the same place
        settle(qtbot, shell)
        assert docks["graphs"].visibleRegion().isEmpty()
        press("m")
        assert not docks["graphs"].visibleRegion().isEmpty()
        assert canvas.hasFocus()


def test_what_is_clicked_takes_no_keys_from_the_image(qtbot: QtBot, image: str) -> None:
    with window(qtbot, image) as shell:
        for entry in DOCKS:
            shell.controller.handle(want.ShowDock(entry.key))
            settle(qtbot, shell)
            widget = shell.window.docks[entry.key].widget()
            assert widget is not None
            taken = [w for w in widget.findChildren(QWidget) if takes_clicks(w)]
            assert not taken, (entry.key, taken)
        canvas = shell.window.canvas
        canvas.setFocus()
        shell.controller.handle(want.ShowDock("frames"))
        settle(qtbot, shell)
        frames = shell.window.docks["frames"].widget()
        assert frames is not None
        clicked = next(b for b in frames.findChildren(QAbstractButton) if b.isVisible())
        qtbot.mouseClick(clicked, Qt.MouseButton.LeftButton)
        assert canvas.hasFocus()
        clicked.setFocus(Qt.FocusReason.TabFocusReason)
        assert clicked.hasFocus()  # Tab reaches it
        shell.controller.handle(want.ShowDock("header"))
        settle(qtbot, shell)
        search = shell.window.docks["header"].findChild(QLineEdit)
        assert search is not None
        search.setFocus()
        qtbot.keyClicks(search, "NAXIS")
        assert search.text() == "NAXIS"
        qtbot.keyClick(search, Qt.Key.Key_Return)
        assert QApplication.focusWidget() is canvas


def test_return_ends_what_is_typed_into_a_box_of_numbers(qtbot: QtBot, image: str) -> None:
    """It is a key of the window, too, which takes it from every box that does not ask for it first."""
    with window(qtbot, image) as shell:
        frames = shell.window.docks["frames"].widget()
        box = frames.findChild(QAbstractSpinBox)
        box.setFocus()
        box.selectAll()
        qtbot.keyClicks(box, "900")
        qtbot.keyClick(box, Qt.Key.Key_Return)
        settle(qtbot, shell)
        assert shell.store.session.blink_ms == 900
        assert QApplication.focusWidget() is shell.window.canvas


def takes_clicks(part: QWidget) -> bool:
    """Whether a click on it takes the keys without need."""
    kind = isinstance(part, CLICKED) or (isinstance(part, QComboBox) and not part.isEditable())
    return kind and bool(part.focusPolicy() & Qt.FocusPolicy.ClickFocus & ~Qt.FocusPolicy.TabFocus)

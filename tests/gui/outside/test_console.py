"""The Python console: its names follow the window, and what it asks for happens."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtWidgets import QApplication

from ifuview.app import intents as want
from ifuview.app.session import Layout
from tests.gui.windows import window

pytest.importorskip("qtconsole")
pytestmark = pytest.mark.filterwarnings("ignore")  # of IPython, in whatever release it is


def test_the_console_sees_and_moves_the_window(qtbot):
    with window(qtbot) as shell:
        shell.controller.handle(want.OpenConsole())
        console = shell.ways.console
        assert console.isVisible()
        qtbot.waitUntil(
            lambda: console.height() > 0.25 * shell.window.height(), timeout=5000
        )  # more than a line or two
        typed = QApplication.focusWidget()
        assert console.widget_.isAncestorOf(typed)
        qtbot.keyClicks(typed, "b, f = 2, [3]")  # keys of the image, were it not for the console
        assert console.widget_.input_buffer == "b, f = 2, [3]"
        assert shell.store.session.layout is Layout.SINGLE
        names = console.kernel.shell.user_ns
        console.kernel.shell.run_cell("viewer.add(np.eye(30), 'eye', lo=0, hi=1); title = viewer.frame().title")
        qtbot.waitUntil(lambda: len(shell.store.session.slots) == 1, timeout=10_000)
        assert names["title"] == "eye"
        assert names["frame"].title == "eye"
        assert names["session"] is shell.store.session
        shell.controller.handle(want.PickPoint(1, 3.0, 4.0))
        assert (names["selection"].x, names["selection"].y) == (3, 4)
        np.testing.assert_array_equal(names["frame"].image.pixels.native(), np.eye(30))
        console.kernel.shell.run_cell("viewer.add(object())")
        assert len(shell.store.session.slots) == 1


def test_without_the_package_one_sentence_says_so(qtbot, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "qtconsole", None)
    with window(qtbot) as shell:
        shell.controller.handle(want.OpenConsole())
        assert 'pip install "ifuview[console]"' in shell.store.session.messages[-1].text

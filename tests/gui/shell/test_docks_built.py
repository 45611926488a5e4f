"""Docks are built one a turn of the event loop, so that a new desk never holds the window up."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from ifuview.gui.docks import DockEntry
from ifuview.gui.window.dock_area import DockArea
from tests.gui.windows import settle, window


def test_docks_that_come_together_are_built_one_a_turn(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    turns, made = [0], list[tuple[str, int]]()
    original = DockArea._load_or_fill

    def noted(area: DockArea, entry: DockEntry) -> None:
        made.append((entry.key, turns[0]))
        original(area, entry)

    def turn() -> None:
        turns[0] += 1

    monkeypatch.setattr(DockArea, "_load_or_fill", noted)
    with window(qtbot) as shell:
        made.clear()
        ticks = QTimer()
        ticks.timeout.connect(turn)
        ticks.start(0)
        for key in ("header", "cut", "limits"):  # on the right, below, on the left
            shell.window.dock_area.show(key)
        docks = shell.window.docks
        qtbot.waitUntil(lambda: all(docks[key].widget() is not None for key in ("header", "cut", "limits")))
        settle(qtbot, shell)
        ticks.stop()
    assert {key for key, _ in made} >= {"header", "cut", "limits"}
    assert len({at for _, at in made}) == len(made)

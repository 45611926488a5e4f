"""Tiles side by side in the window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from tests.app.night.views.test_tiles import write
from tests.gui.windows import TIMEOUT, settle, window


def test_tiles_of_a_folder_stand_side_by_side(qtbot: QtBot, tmp_path: Path) -> None:
    for tile, odd in ((7951, slice(20, 30)), (1298, slice(0, 0))):
        place = tmp_path / "tiles" / "cumulative" / str(tile) / "20211014"
        place.mkdir(parents=True)
        write(place, tile, odd)
    with window(qtbot, str(tmp_path)) as shell:
        shell.controller.handle(want.ShowDock("tiles"))
        qtbot.waitUntil(lambda: shell.window.docks["tiles"].widget() is not None, timeout=TIMEOUT)
        settle(qtbot, shell)
        dock = shell.window.docks["tiles"].widget()
        qtbot.waitUntil(lambda: len(dock.plots) == 4, timeout=TIMEOUT)  # two numbers of two tiles
        titles = {place: plot.figure.title for place, plot in dock.plots.items() if plot.isVisible()}
        assert titles == {(0, 0): "Tile 1298", (0, 1): "Tile 7951", (1, 0): "Tile 1298", (1, 1): "Tile 7951"}
        assert np.max(dock.plots[0, 1].figure.curves[0].y) > 4 and dock.said.text() == "2 tiles."
        shell.window.grab().save(str(tmp_path / "tiles.png"))

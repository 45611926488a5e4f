"""A layout that was kept from other data: panels without content rest, the verdict stands, nothing is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QTabBar
from pytestqt.qtbot import QtBot

from ifuview.app.desk import PANELS, Desk
from ifuview.app.intents import OpenFile, OpenFolder
from ifuview.gui.docks import DOCKS, ENTRIES
from ifuview.gui.shell.shell import Shell
from ifuview.gui.window.dock_area import IN_FRONT
from ifuview.gui.window.window_state import LAYOUT_VERSION
from tests import demo
from tests.app.night.production import FIRST, NIGHT, write_production
from tests.gui.shell.test_room import BAR
from tests.gui.windows import settle, window

KEPT = [entry.key for entry in DOCKS]
SIZES = ((1200, 750), (1600, 1000))


@pytest.mark.parametrize("size", SIZES)
def test_no_empty_panel_stands_before_the_verdict(qtbot: QtBot, size: tuple[int, int]) -> None:
    """Each panel once in front in the kept layout of a night, when spectra are opened next."""
    with window(qtbot, size=size) as shell:
        area, bar = shell.window.dock_area, shell.window.verdict
        area.arrange(Desk.NIGHT)
        for key in KEPT:
            area.show(key)
        area.show("heads")
        area.arrange(Desk.IMAGE)
        bar.draw(BAR)
        area.arrange(Desk.NIGHT)
        settle(qtbot, shell)
        assert bar.isVisible()  # which the layout was kept without
        own = set(PANELS[Desk.NIGHT])
        empty = {key for key in KEPT if key not in own and not shell.presenter.has_content(ENTRIES[key].pure())}
        assert "heads" in empty and not empty & _there(shell)
        assert IN_FRONT[Desk.NIGHT] in _seen(shell)
        area.arrange(Desk.IMAGE)
        kept = area.desks[Desk.NIGHT.value]
        area.desk = None
        area.window.restoreState(kept, LAYOUT_VERSION)
        assert empty <= _there(shell)  # the user's layout is kept whole


def test_a_panel_comes_back_with_what_it_shows(qtbot: QtBot) -> None:
    with window(qtbot) as shell:
        area = shell.window.dock_area
        area.arrange(Desk.TRACES)
        area.show("header")
        area.arrange(Desk.IMAGE)
        area.arrange(Desk.TRACES)
        assert "header" not in _there(shell)
        shell.controller.handle(OpenFile(str(demo.file("preproc"))))
        settle(qtbot, shell)
        assert "header" in _there(shell) and "quality" in _there(shell)


def test_a_panel_of_another_night_rests(qtbot: QtBot, tmp_path: Path) -> None:
    """Of heads, say, when a night of spectra is opened after one of heads in the same window."""
    night = write_production(tmp_path)
    with window(qtbot, str(night)) as shell:
        shell.window.dock_area.show("heads")
        assert "heads" in _there(shell)
        shell.controller.handle(OpenFolder(str(night / "exposures" / str(NIGHT) / f"{FIRST:08d}")))
        settle(qtbot, shell)
        assert "heads" not in _there(shell) and "triage" in _there(shell)


def _there(shell: Shell) -> set[str]:
    return {key for key, dock in shell.window.docks.items() if not dock.isHidden()}


def _seen(shell: Shell) -> set[str]:
    QApplication.processEvents()
    return {key for key in KEPT if shell.window.dock_area._visible(key)}


def test_no_tab_is_cut_when_a_panel_joins(qtbot: QtBot) -> None:
    """The window makes a bar of tabs anew whenever panels share another place."""
    with window(qtbot, size=SIZES[0]) as shell:
        shell.window.dock_area.arrange(Desk.TRACES)
        settle(qtbot, shell)
        shell.window.dock_area.show("findings")
        settle(qtbot, shell)
        bars = [bar for bar in shell.window.findChildren(QTabBar) if bar.isVisible() and bar.count() > 1]
        assert bars
        for bar in bars:
            assert bar.elideMode() is Qt.TextElideMode.ElideNone
            assert bar.tabRect(bar.count() - 1).right() <= bar.width()

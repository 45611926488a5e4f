"""The first look of a night: a picture and what is judged at once, problems in front as soon as there is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtWidgets import QTabBar
from pytestqt.qtbot import QtBot

from ifuview.app.night import open_night
from ifuview.app.night.state import Place
from ifuview.app.session import Session
from ifuview.gui.shell.shell import Shell
from tests.app.night.production import linked
from tests.gui.windows import TIMEOUT, window

EXPID, CAMERA = 104284, "r6"


@pytest.fixture
def night(shared_data: Path, tmp_path: Path) -> Path:
    """One camera of the shared night, and a flat before it."""
    source, root = shared_data / "desi", tmp_path / "prod"
    for pattern in (f"exposures/*/*/*-{CAMERA}-*{EXPID}*", "preproc/*/*/*104260*", "exposure_tables/*/*"):
        linked(source, root, pattern)
    return root


def test_a_picture_comes_first_and_the_problems_are_in_front(
    qtbot: QtBot, night: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    seen: list[Session] = []
    monkeypatch.setattr(Shell, "start", _listening(Shell.start, seen))
    with window(qtbot, str(night), size=(1280, 772), judges=True) as shell:
        qtbot.waitUntil(lambda: not shell.store.session.triage.todo, timeout=TIMEOUT)
        shown = next(s for s in seen if s.slots)
        assert open_night.here(shown) == Place(EXPID, CAMERA, "sframe")  # not the flat, which nothing is asked of
        docks = shell.window.docks
        assert docks["triage"].isVisible() and not docks["triage"].visibleRegion().isEmpty()
        assert not docks["exposures"].isHidden()
        for bar in shell.window.findChildren(QTabBar):
            if bar.isVisible():
                assert bar.tabRect(bar.count() - 1).right() <= bar.width()  # no tab is cut, no arrows


def _listening(start, seen: list[Session]):
    """`start` of a shell whose sessions are kept."""

    def begun(shell: Shell, *args: object) -> None:
        shell.store.changed.connect(lambda _old, new: seen.append(new))
        start(shell, *args)

    return begun

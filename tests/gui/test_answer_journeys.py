"""Answers with nothing pressed, on a real X screen: a bad amplifier, a dead fiber; the proof in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ifuview.app.frames.views import viewport
from ifuview.app.night import open_night
from ifuview.app.session import Layout, Level
from ifuview.gui.shell.shell import Shell
from tests.app.night.production import linked
from tests.app.night.test_health import amplifier
from tests.gui.hands import Hands
from tests.gui.test_problem_journey import Counted
from tests.gui.windows import TIMEOUT, settle, window

pytestmark = pytest.mark.screen


def said(shell: Shell) -> str:
    """Both lines of the bar."""
    return f"{shell.window.verdict.headline.text()} {shell.window.verdict.detail.text()}"


def test_a_noisy_amplifier_is_named_and_shown_in_no_action(
    qtbot: QtBot, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    for name in ("LL", "LU", "RU", "RL"):
        amplifier(tmp_path / "raw", name, 1, 24.0 if name == "RL" else 3.0)
    with window(qtbot, str(tmp_path / "raw"), judges=True) as shell:
        assert "AMPLIFIER 047R RL wrong: the read noise is 2" in said(shell)
        assert shell.store.session.slot().title.startswith("047R")  # what was opened first is 047L
        assert not [m for m in shell.store.session.messages if m.level is Level.ERROR]


def test_a_bad_amplifier_of_spectra_is_named_and_its_proof_is_one_key(
    qtbot: QtBot, hands: Hands, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    root = linked(shared_data / "desi", tmp_path / "prod", "exposures/*/00104282/*-r8-*")
    linked(shared_data / "desi", root, "calibnight/*/*-r8-*")
    with window(qtbot, str(root), judges=True) as shell:
        shell.window.activateWindow()
        qtbot.waitUntil(lambda: not shell.store.session.triage.todo, timeout=TIMEOUT)
        settle(qtbot, shell)
        words = said(shell)
        assert "DETECTOR wrong" in words and "amplifier A" in words and "r8" in words and "104282" in words
        assert "FIBER 4000" in words and "sigma" in words
        done = Counted(shell, hands)
        hands.move(shell.window.canvas, 300, 300)
        done.key("Return")
        qtbot.waitUntil(lambda: shell.store.session.layout is Layout.BLINK, timeout=TIMEOUT)
        assert done.actions == 1


def test_a_dead_fiber_is_named_chosen_and_in_view_in_no_action(
    qtbot: QtBot, hands: Hands, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FIBER 3722 is dead and not flagged."""
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    root = linked(shared_data / "desi", tmp_path / "prod", "exposures/*/00104282/*-r7-*")
    linked(shared_data / "desi", root, "calibnight/*/fiberflatnight-r7-*")
    with window(qtbot, str(root), judges=True) as shell:
        qtbot.waitUntil(lambda: not shell.store.session.triage.todo, timeout=TIMEOUT)
        settle(qtbot, shell)
        session = shell.store.session
        assert "a fiber is dead" in said(shell) and "FIBER 3722" in said(shell) and "r7" in said(shell)
        assert session.selection.fiber == 222
        assert open_night.here(session).product in ("frame", "flatfielded", "sframe")  # where it can be seen
        canvas = shell.window.canvas
        size, view = canvas.tile_size(session.current), canvas.view_of(session.current)
        _, y = viewport.to_screen(view, size, session.slot().image.shape[1] / 2, 222)
        assert 0 < y < size[1]

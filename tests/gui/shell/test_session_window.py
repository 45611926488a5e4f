"""A session is saved and comes back in another window; one that was killed is offered at the next start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.frames.look import Transfer
from ifuview.app.saved import left
from ifuview.app.session import Layout, Session
from ifuview.gui.outside.keeper import Keeper
from ifuview.gui.shell.shell import Shell
from ifuview.model.region import Region, Shape
from tests.gui.windows import settle, window

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    from astropy.io import fits

    rng = np.random.default_rng(5)
    paths = [str(tmp_path / f"{name}.fits") for name in "abc"]
    for path in paths:
        fits.writeto(path, rng.normal(100, 5, (60, 90)).astype(np.float32))
    return paths


def shown(session: Session) -> tuple[object, ...]:
    """All that a user would see of it, without the keys of the frames."""
    place = {slot.key: n for n, slot in enumerate(session.slots)}
    frames = [(s.title, s.look, s.view.zoom, s.view.rotation, s.regions, s.plane) for s in session.slots]
    blink = [place[key] for key in session.blink_keys]
    return frames, place[session.current or 0], session.layout, blink, session.selection, session.locks, session.overlay


def test_another_window_shows_the_same(qtbot: QtBot, images: list[str], tmp_path: Path) -> None:
    kept = str(tmp_path / "session.json")
    region = Region(Shape.BOX, ((20.0, 30.0),), (5.0, 6.0), text="here")
    with window(qtbot, *images, "-zoom", "4", "-cmap", "viridis", "-log") as shell:
        first, second = shell.store.session.slots[:2]
        for intent in (
            want.SetRegions(first.key, (region,)), want.SelectSlot(second.key), want.PickPoint(second.key, 30, 20),
            want.SetLayout(Layout.BLINK, 300, keys=(first.key, second.key)), want.ShowDesk("Image"),
            want.ShowDock("header"), want.SaveSession(kept),
        ):  # fmt: skip
            shell.controller.handle(intent)
        settle(qtbot, shell)
        before = shown(shell.store.session)
        visible = {key for key, dock in shell.window.docks.items() if dock.isVisible()}
        assert "header" in visible
    with window(qtbot, images[2], "-restore", kept) as shell:
        session = shell.store.session
        assert len(session.slots) == 3  # in place of what was open
        assert shown(session) == before
        assert session.slots[2].look.transfer is Transfer.LOG
        assert shell.window.dock_area.desk == "Image"
        assert {key for key, dock in shell.window.docks.items() if dock.isVisible()} == visible
        (tmp_path / "none.json").write_text("[")
        shell.controller.handle(want.RestoreSession(str(tmp_path / "none.json")))
        settle(qtbot, shell)
        assert len(shell.store.session.slots) == 3
        assert "no valid JSON" in shell.window.banner.label.text()


def test_words_of_ds9_back_up_and_restore(images: list[str], tmp_path: Path) -> None:
    kept, picture = str(tmp_path / "kept.json"), tmp_path / "picture.png"
    env = dict(os.environ, QT_QPA_PLATFORM="offscreen", IFUVIEW_CONFIG=str(tmp_path / "own"))
    run = [sys.executable, "-m", "ifuview"]
    for words in ([*images, "-backup", kept], ["-restore", kept, "-saveimage", str(picture)]):
        done = subprocess.run([*run, *words, "-exit"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=100)
        assert (done.returncode, done.stderr) == (0, "")
    assert picture.stat().st_size > 1000
    assert not (tmp_path / "own" / "state").exists()  # nothing is kept of a run without a window


@contextmanager
def keeping(shell: Shell) -> Iterator[Keeper]:
    """As a window that keeps its session, which those of tests do not."""
    keeper = shell._keep()
    keeper.begin(left.offered())
    try:
        yield keeper
    finally:
        keeper.end()


def test_a_killed_window_is_offered_at_the_next_start(
    qtbot: QtBot, images: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    monkeypatch.setenv("IFUVIEW_CONFIG", str(own))
    env = dict(os.environ, QT_QPA_PLATFORM="offscreen")
    running = subprocess.Popen([sys.executable, "-m", "ifuview", *images], cwd=ROOT, env=env)

    def all_kept() -> bool:
        """A slow machine keeps the first frames before the others are open."""
        found = [path for path in left.folder().glob("*") if left.NAME.fullmatch(path.name)]
        return any(len(json.loads(path.read_text())["session"]["frames"]) == len(images) for path in found)

    try:
        qtbot.waitUntil(all_kept, timeout=60_000)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert len(left.left()) == 1
    with window(qtbot) as shell, keeping(shell) as keeper:
        qtbot.waitUntil(lambda: keeper._offer is not None)
        offer = keeper._offer
        assert offer is not None
        qtbot.waitUntil(offer.isVisible)
        assert offer.height() < 45  # one line
        assert "3 frames were open" in offer.label.text()
        offer.yes.click()
        settle(qtbot, shell)
        assert [slot.title for slot in shell.store.session.slots] == ["a", "b", "c"]
        assert not offer.isVisible()
        assert left.left() == ()  # it is this window's now
        qtbot.waitUntil(lambda: left.own().exists(), timeout=10_000)
    assert not any(left.folder().iterdir())  # closed as it should be: nothing is left behind


def test_a_disk_that_does_not_answer_does_not_hold_up_the_end(
    qtbot: QtBot, images: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    monkeypatch.setattr("ifuview.gui.outside.keeper.PAUSE_MS", 20)
    monkeypatch.setattr("ifuview.gui.outside.keeper.PATIENCE", 0.2)
    answers, asked = threading.Event(), threading.Event()
    monkeypatch.setattr(left, "keep", lambda saved: (asked.set(), answers.wait(60)))
    try:
        with window(qtbot, images[0]) as shell, keeping(shell):
            qtbot.waitUntil(asked.is_set, timeout=10_000)
            began = time.monotonic()
        assert time.monotonic() - began < 5
    finally:
        answers.set()
    assert "the disk did not answer in 0.2 s" in capsys.readouterr().err


def test_what_changes_is_kept_soon_and_not_again(
    qtbot: QtBot, images: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    monkeypatch.setattr("ifuview.gui.outside.keeper.PAUSE_MS", 20)
    with window(qtbot, images[0]) as shell, keeping(shell):
        own = left.own()
        qtbot.waitUntil(own.exists, timeout=10_000)
        first = own.stat().st_mtime_ns
        shell.controller.take(replace(shell.store.session, recent=("x",)))  # nothing that is kept
        qtbot.wait(150)
        assert own.stat().st_mtime_ns == first
        began = time.monotonic()
        for zoom in range(1, 40):
            slot = shell.store.session.slot()
            assert slot is not None
            shell.controller.handle(want.SetView(slot.key, replace(slot.view, zoom=float(zoom), fit=False)))
        assert time.monotonic() - began < 2
        qtbot.waitUntil(lambda: own.stat().st_mtime_ns != first, timeout=10_000)
        shell.controller.handle(want.CloseAll())
        qtbot.waitUntil(lambda: not own.exists(), timeout=10_000)  # nothing is open, nothing is to be restored

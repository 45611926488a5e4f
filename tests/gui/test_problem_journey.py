"""The journey of a bad sky model, counted: from the folder to the cause with its proof, and every step of a search."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from ifuview import simulate
from ifuview.app import intents as want
from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.fiber_marks import MarkKind
from ifuview.app.night import open_night
from ifuview.app.session import Layout, Level, Session
from ifuview.gui.shell.shell import Shell
from ifuview.model.verdict import VerdictState
from tests.gui import windows
from tests.gui.hands import Hands
from tests.gui.windows import TIMEOUT, settle, window

pytestmark = pytest.mark.screen

CAMERA, EXPOSURES = "r6", (104282, 104284, 104285, 104286)
MOST, STEP = 6, 2  # actions: to the answer, and from there to each step of a search


class Counted:
    """Real events, counted."""

    def __init__(self, shell: Shell, hands: Hands) -> None:
        self.shell, self.hands, self.actions = shell, hands, 0

    def key(self, *names: str) -> None:
        self.actions += 1
        self.hands.key(*names)

    def look_at(self, words: str) -> None:
        """Two clicks: the menu, and a line of it."""
        bar = self.shell.window.verdict
        self.hands.click(bar.more, bar.more.width() / 2, bar.more.height() / 2)
        assert QTest.qWaitForWindowExposed(bar.menu)
        line = next(a for a in bar.menu.actions() if a.text().startswith(words))
        spot = bar.menu.actionGeometry(line).center()
        self.hands.click(bar.menu, spot.x(), spot.y())
        self.actions += 2


@pytest.fixture
def production(shared_data: Path, tmp_path: Path) -> Path:
    """One camera of the shared production: links, so that judging it takes seconds."""
    source, root = shared_data / "desi", tmp_path / "prod"
    for path in source.rglob("*"):
        name = path.relative_to(source)
        exposure = any(str(e) in name.name for e in EXPOSURES)
        of_camera = f"-{CAMERA}-" in path.name and (exposure or name.parts[0] == "calibnight")
        if path.is_file() and (of_camera or name.parts[0] in ("tiles", "exposure_tables")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(path, root / name)
    return root


def test_from_a_folder_to_the_cause_in_six_actions_and_each_step_in_two(
    qtbot: QtBot, hands: Hands, production: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(windows, "TIMEOUT", 4 * TIMEOUT)  # all is judged before anything is pressed
    with window(qtbot, str(production), judges=True) as shell:
        shell.window.activateWindow()
        qtbot.waitUntil(lambda: judged(shell.store.session), timeout=3 * TIMEOUT)
        settle(qtbot, shell)
        done, bar = Counted(shell, hands), shell.window.verdict
        answer(shell, bar.headline.text(), bar.detail.text())

        # the proof: the two products in turn, the problem marked on both
        hands.move(shell.window.canvas, 300, 300)
        done.key("Return")
        qtbot.waitUntil(lambda: shell.store.session.layout is Layout.BLINK, timeout=TIMEOUT)
        assert products(shell.store.session) == {"flatfielded", "sframe"}
        assert shell.store.session.proof.frames >= set(shell.store.session.blink_keys)

        # what the other production has mended, and what of it is not there
        done.look_at("Compare with after_fix")
        qtbot.waitUntil(lambda: "gone in after_fix" in bar.detail.text(), timeout=2 * TIMEOUT)
        settle(qtbot, shell)
        said = bar.detail.text()
        assert "gone in after_fix: r6 104284 (75" in said and "not in after_fix: r6 104285" in said
        left = float(said.partition("gone in")[2].partition(" to ")[2].split()[0])
        assert left < 3  # of 75 e/A
        assert done.actions <= MOST
        print(f"{done.actions} actions: {bar.headline.text()} | {said}")
        for name, step in STEPS.items():
            done.actions = 0
            step(qtbot, shell, done)
            assert done.actions <= STEP, name
            settle(qtbot, shell)
        assert not [m for m in shell.store.session.messages if m.level is Level.ERROR]


def judged(session: Session) -> bool:
    """Whether all cameras were judged, and the view is at the worst problem."""
    state = session.triage
    return state is not None and bool(state.done) and not state.todo and state.problem >= 0


def answer(shell: Shell, headline: str, detail: str) -> None:
    """Everything is said before anything is pressed."""
    assert headline.startswith("\u2718  SKY MODEL wrong") and "r6" in headline
    assert "tile 7951 only (104284, 104285)" in headline
    low, high = (float(v) for v in headline.rpartition(" \u00b7 ")[2].removesuffix("\u00a0\u00c5").split("\u2013"))
    assert 6300 < low < 6400 and 6800 < high < 6950
    assert "FIBER 3000\u20133049" in detail and "sigma" in detail and "first wrong step: sky model" in detail
    cells = {cell.key: cell for cell in shell.window.verdict.chain._cells}
    assert cells["sky"].first and cells["sky"].state is VerdictState.WRONG
    assert VerdictState.WRONG not in {cells[key].state for key in ("preproc", "frame", "flatfielded")}


def products(session: Session) -> set[str]:
    return {session.night.shown[key].product for key in session.blink_keys}


def exposures(session: Session) -> set[int]:
    return {session.night.shown[key].expid for key in session.blink_keys}


# the steps of a search, each from where the one before has led


def chain(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    done.look_at("Blink along the chain")
    qtbot.waitUntil(lambda: products(shell.store.session) >= {"frame", "sky", "sframe"}, timeout=TIMEOUT)


def before_and_after(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    done.look_at("Blink with other fields")
    qtbot.waitUntil(lambda: exposures(shell.store.session) == {104282, 104284, 104286}, timeout=TIMEOUT)


def of_the_tile(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    done.look_at("Blink the exposures of tile 7951")
    qtbot.waitUntil(lambda: exposures(shell.store.session) == {104284, 104285}, timeout=TIMEOUT)


def sky_image(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    done.key("4")
    qtbot.waitUntil(lambda: open_night.here(shell.store.session).product == "sky", timeout=TIMEOUT)
    assert shell.store.session.layout is Layout.SINGLE  # a key of the chain ends a blink


def sky_fibers(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    shell.controller.handle(want.ShowProduct(product="sframe"))
    settle(qtbot, shell)
    done.look_at("Sky fibers")
    settle(qtbot, shell)
    dock = shell.window.docks["sky"].widget()
    assert dock.isVisible() and dock.bin_box.value() == 10 and len(dock._found.rows) > 20


def field(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    done.look_at("Focal plane at")
    qtbot.waitUntil(lambda: shell.window.docks["focal"].isVisible(), timeout=TIMEOUT)
    settle(qtbot, shell)
    dock = shell.window.docks["focal"].widget()
    qtbot.waitUntil(lambda: sum(plot.isVisible() for plot in dock.side.maps) >= 2, timeout=TIMEOUT)
    titles = [plot.figure.title.split(",")[0] for plot in dock.side.maps]
    assert {"frame/fiberflat", "sky"} <= set(titles)


def narrow_slice(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    """Two numbers are typed: 6561 and 6566."""
    dock = shell.window.docks["focal"].widget()
    for spin, number in ((dock.range.low, "6561"), (dock.range.high, "6566")):
        done.actions += 1
        spin.setFocus()
        spin.selectAll()
        for digit in number:
            done.hands.key(digit)
        done.hands.key("Tab")
    qtbot.waitUntil(lambda: shell.store.session.window == (6561.0, 6566.0), timeout=TIMEOUT)


def table(name: str) -> Callable[[QtBot, Shell, Counted], None]:
    def step(qtbot: QtBot, shell: Shell, done: Counted) -> None:
        done.look_at(f"{name} of tile 7951")
        settle(qtbot, shell)
        files = {t.path for t in shell.store.session.tables} | {s.dataset.path for s in shell.store.session.slots}
        assert any(WORDS[name] in os.path.basename(path) for path in files)

    return step


WORDS = {"Redshifts": "redrock-6", "Spectra": "coadd-6", "Quality": "tile-qa"}


def far(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    """By fiber in the tables, and the median of their coadds in the plot."""
    done.look_at("Spectra with Z>4")
    said = lambda: any("chosen by Z>4" in m.text for m in shell.store.session.messages)  # noqa: E731
    qtbot.waitUntil(said, timeout=TIMEOUT)
    settle(qtbot, shell)
    assert shell.store.session.slot().title.startswith("coadd-6") and len(shell.store.session.selection.fibers) > 50
    assert shell.window.docks["tables"].isVisible() and shell.window.docks["spectrum"].isVisible()


def all_tiles(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    done.look_at("Quality of all tiles")
    qtbot.waitUntil(lambda: shell.window.docks["tiles"].isVisible(), timeout=TIMEOUT)
    settle(qtbot, shell)
    dock = shell.window.docks["tiles"].widget()
    qtbot.waitUntil(lambda: len(dock.plots) >= 3, timeout=TIMEOUT)
    redshifts = dock.plots[0, 0].figure
    assert redshifts.title == "Tile 7951" and redshifts.y.label == "Z" and np.nanmax(redshifts.curves[0].y) > 4


def sky_viewer(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    shell.controller.handle(want.ShowProduct(104284, CAMERA, "sframe"))
    settle(qtbot, shell)
    shell.controller.handle(want.SelectFiber(348))
    settle(qtbot, shell)
    done.look_at("Copy the address")
    assert QGuiApplication.clipboard().text().startswith("https://")


def productions(qtbot: QtBot, shell: Shell, done: Counted) -> None:
    shell.controller.handle(want.ShowProduct(104284, CAMERA, "sky"))
    settle(qtbot, shell)
    done.look_at("Blink with after_fix")
    places = lambda: [shell.store.session.night.shown[k] for k in shell.store.session.blink_keys]  # noqa: E731
    qtbot.waitUntil(lambda: [p.other for p in places()] in ([False, True], [True, False]), timeout=TIMEOUT)


STEPS: dict[str, Callable[[QtBot, Shell, Counted], None]] = {
    "chain": chain,
    "before and after": before_and_after,
    "exposures of the tile": of_the_tile,
    "sky image": sky_image,
    "sky fibers": sky_fibers,
    "focal plane": field,
    "narrow slice": narrow_slice,
    "redshifts": table("Redshifts"),
    "spectra": table("Spectra"),
    "tile quality": table("Quality"),
    "far redshifts": far,
    "all tiles": all_tiles,
    "sky viewer": sky_viewer,
    "productions": productions,
}


# a kinked trace


def test_a_kinked_trace_is_named_unasked_and_corrected_traces_are_saved_in_two(
    qtbot: QtBot, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat = next(p for p in simulate.demo(tmp_path) if p.name.startswith("preproc"))
    kinked = simulate.demo_truth(tmp_path)["kink"]
    with window(qtbot, str(flat), judges=True) as shell:
        bar, session = shell.window.verdict, lambda: shell.store.session
        qtbot.waitUntil(lambda: session().slot().diagnosis is not None, timeout=2 * TIMEOUT)
        settle(qtbot, shell)
        qtbot.waitUntil(lambda: shell.window.docks["findings"].isVisible(), timeout=TIMEOUT)

        # nothing pressed: fiber and rows in words, the place in view, its pixels framed
        words = f"{bar.headline.text()} {bar.detail.text()}"
        assert "TRACES wrong: Kink" in words and str(kinked) in words and "rows" in words and "sigma" in words
        assert session().selection.fiber == kinked
        picture = shell.window.canvas.view.picture(session().current)
        (area,) = (mark for mark in picture.overlay.marks if mark.kind is MarkKind.AREA)
        size, at = shell.window.canvas.tile_size(picture.key), shell.window.canvas.view_of(picture.key)
        x, y = viewport.to_screen(at, size, area.x.mean(), area.y.mean())
        assert 0 < x < size[0] and 0 < y < size[1]

        # two actions: the button, and the name
        path = tmp_path / "corrected.fits"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a: (str(path), ""))
        dock = shell.window.docks["findings"].widget()
        hands.click(dock.save, dock.save.width() / 2, dock.save.height() / 2)
        qtbot.waitUntil(path.exists, timeout=TIMEOUT)
        assert not [m for m in session().messages if m.level is Level.ERROR]

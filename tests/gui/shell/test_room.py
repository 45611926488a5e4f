"""Room for the image and for words: every desk at four sizes, in pixels; nothing is cut, nothing lies outside."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QTabBar,
    QToolButton,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from ifuview.app.desk import PANELS, Desk
from ifuview.gui.parts._plot import Plot
from ifuview.gui.parts._widgets import Elided
from ifuview.gui.shell.shell import Shell
from ifuview.model.verdict import ChainCell, VerdictProblem, VerdictState, VerdictView
from tests import demo
from tests.gui.windows import settle, window

SIZES = ((1280, 800), (1600, 1000), (2560, 1440))
SCALED = (1280, 720)  # a screen of 2560 x 1440 at scale 2
SHARE = 0.6  # of width and height, for the image
LEAST = 100  # px, height of a panel
PIXEL = 1  # px that a text may miss: widths of glyphs are rounded

PROBLEM = VerdictProblem(
    VerdictState.WRONG,
    "sky model",
    "SKY MODEL wrong: blocks of fibers deviate, r6 r7 r8, tile 7951 only (104284, 104285), 6384 to 6848 Angstrom",
    "FIBER 3000-3049, 3100-3149, 3200-3299, 3400-3449, up to 75.4 e/A, 41 sigma, first wrong step: sky model",
    (0,),
)
CHAIN = tuple(
    ChainCell(name, name, VerdictState.WRONG, name == "sky", True, name == "sframe", "")
    for name in ("preproc", "frame", "frame/fiberflat", "sky", "sframe", "fluxcalib", "cframe")
)
BAR = VerdictView(
    VerdictState.WRONG, PROBLEM.headline, PROBLEM.detail, "judged 12 of 12, 4 questions not asked",
    problems=(PROBLEM, PROBLEM), problem=0, chain=CHAIN, proof=True,
)  # fmt: skip


def measured(qtbot: QtBot, shell: Shell, size: tuple[int, int], desk: Desk) -> dict[str, object]:
    """Share of the image, and what is wrong with the widgets, of a desk in a window of a size."""
    win = shell.window
    win.resize(*size)
    QApplication.processEvents()
    win.dock_area.desk, win.dock_area.desks = None, {}
    win.dock_area.arrange(desk)
    win.verdict.draw(BAR)
    settle(qtbot, shell)
    for _ in range(3):
        QApplication.processEvents()
    canvas = win.canvas
    return {
        "size": size,
        "desk": desk.value,
        "got": (win.width(), win.height()),
        "share": (canvas.width() / win.width(), canvas.height() / win.height()),
        "faults": faults(win, desk),
    }


def faults(win: QWidget, desk: Desk) -> list[str]:
    """Texts that are cut, widgets outside of their parent, panels that are too low."""
    out = []
    for widget in win.findChildren(QWidget):
        if not widget.isVisible() or widget.visibleRegion().isEmpty():
            continue
        name = f"{type(widget).__name__} {widget.accessibleName() or widget.objectName()}"
        if isinstance(widget, QLabel | QAbstractButton | QComboBox):
            out += [f"{name}: {what}" for what in _of_text(widget)]
    out += [f"{plot.accessibleName()}: cut at the bottom" for plot in win.findChildren(Plot) if _is_cut(plot)]
    out += seen(win)
    for key in PANELS[desk]:
        dock = win.docks[key]
        if not dock.visibleRegion().isEmpty() and dock.height() < LEAST:
            out.append(f"panel {key} is {dock.height()} px high")
    return out


def _is_cut(plot: Plot) -> bool:
    """Whether a plot is higher than what it stands in: its axis is not seen then."""
    parent = plot.parentWidget()
    if parent is None or not plot.isVisible() or plot.visibleRegion().isEmpty():
        return False
    return plot.geometry().bottom() > parent.height() + PIXEL


def seen(win: QWidget) -> list[str]:
    """Words that are cut in tabs, in the heads of tables and in the first column of lists."""
    out = []
    for bar in win.findChildren(QTabBar):
        if bar.isVisible() and bar.count() and bar.tabRect(bar.count() - 1).right() > bar.width():
            out.append(f"tabs {[bar.tabText(n) for n in range(bar.count())]} in {bar.width()} px")
    for head in win.findChildren(QHeaderView):
        if head.isVisible() and not head.visibleRegion().isEmpty() and head.model() is not None:
            out += _of_head(head)
    for tree in win.findChildren(QTreeWidget):
        if tree.isVisible() and not tree.visibleRegion().isEmpty():
            out += _of_tree(tree)
    return out


def _of_head(head: QHeaderView) -> list[str]:
    out = []
    for n in range(head.count()):
        text = str(head.model().headerData(n, head.orientation()) or "")
        if not head.isSectionHidden(n) and head.fontMetrics().horizontalAdvance(text) > head.sectionSize(n) + PIXEL:
            out.append(f"head {text!r} in {head.sectionSize(n)} px")
    return out


def _of_tree(tree: QTreeWidget) -> list[str]:
    """Each column is whole, and within the list."""
    items = [item for n in range(tree.topLevelItemCount()) if (item := tree.topLevelItem(n)) is not None]
    out = []
    for column in range(tree.columnCount()) if items else ():
        room = tree.columnWidth(column) - tree.indentation() * (tree.rootIsDecorated() and not column)
        lines = [line for item in items for line in item.text(column).split("\n")]
        out += [f"{t!r} in {room} px" for t in lines if tree.fontMetrics().horizontalAdvance(t) > room + PIXEL]
    bar = tree.horizontalScrollBar()
    return [*out, *([f"{tree.accessibleName()} is wider than its list"] if bar is not None and bar.maximum() else [])]


def _of_text(widget: QLabel | QAbstractButton | QComboBox) -> list[str]:
    """What is wrong with a widget with one line of text."""
    out = []
    parent = widget.parentWidget()
    scrolled = parent is not None and isinstance(parent.parentWidget(), QAbstractScrollArea)
    if (
        parent is not None
        and not scrolled
        and not QRect(-1, -1, parent.width() + 2, parent.height() + 2).contains(widget.geometry())
    ):
        out.append(f"{widget.geometry()} outside of {parent.size()}")
    wraps = isinstance(widget, QLabel) and widget.wordWrap()
    wraps |= isinstance(widget, QToolButton) and widget.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly
    text = widget.currentText() if isinstance(widget, QComboBox) else widget.text()
    if not text or wraps or isinstance(widget, Elided):  # a shortened path has all of it in its tip
        return out
    lines = html.unescape(re.sub("<(?!br)[^>]*>", "", text)).split("<br>") if Qt.mightBeRichText(text) else [text]
    wide = max(widget.fontMetrics().horizontalAdvance(line.replace("&", "")) for line in lines)
    if wide > widget.width() + PIXEL:
        out.append(f"{text!r} needs {wide} of {widget.width()} px")
    return out


def check(found: dict[str, object]) -> None:
    """The bars of one measurement."""
    assert tuple(found["got"]) == tuple(found["size"]), found
    assert min(found["share"]) >= SHARE, found
    assert not found["faults"], found


@pytest.fixture(scope="module")
def flat() -> str:
    return str(demo.file("preproc"))


def test_the_image_has_most_of_every_window_and_no_word_is_cut(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        for size in SIZES:
            for desk in Desk:
                check(measured(qtbot, shell, size, desk))
        shell.window.dock_area.arrange(Desk.NIGHT)
        shell.window.docks["exposures"].hide()  # a desk keeps what the user does to it
        shell.window.dock_area.arrange(Desk.TRACES)
        assert shell.window.docks["quality"].isVisible()
        shell.window.dock_area.arrange(Desk.NIGHT)
        assert shell.window.docks["exposures"].isHidden() and shell.window.docks["quality"].isHidden()


def test_the_same_at_scale_2(flat: str, tmp_path: Path) -> None:
    """In a program of its own: the scale is that of the whole program."""
    env = dict(os.environ, QT_SCALE_FACTOR="2", QT_QPA_PLATFORM="offscreen", IFUVIEW_CONFIG=str(tmp_path))
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"{__file__}::test_scaled"]
    env["IFUVIEW_SCALED"] = json.dumps(flat)
    done = subprocess.run(words, env=env, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.skipif("IFUVIEW_SCALED" not in os.environ, reason="run by the test above")
def test_scaled(qtbot: QtBot) -> None:
    with window(qtbot, json.loads(os.environ["IFUVIEW_SCALED"]), size=SCALED) as shell:
        assert shell.window.devicePixelRatioF() == 2
        for desk in Desk:
            check(measured(qtbot, shell, SCALED, desk))

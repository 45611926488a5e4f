"""Triage in the window, on the simulated night."""

from __future__ import annotations

import re
from pathlib import Path

from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.night.views import triage as pure
from ifuview.app.session import Layout, Level
from tests.gui.windows import TIMEOUT, settle, window

BLOCKS = (100, 200, 250, 300, 350)  # first fibers of the blocks that the sky model gets wrong in r8
EXPID = 104284
COLORED = re.compile(r'color:(?P<color>#[0-9a-f]{6})">▬</b> (?P<label>[a-z]+ ?[a-z0-9]*)')


def test_a_finding_is_gone_to_and_blinked(qtbot: QtBot, shared_data: Path, tmp_path: Path, monkeypatch) -> None:
    folder = shared_data / "desi" / "exposures" / "20211014"
    with window(qtbot, str(folder)) as shell:
        shell.controller.handle(want.ShowProduct(EXPID, "r8", "sframe"))
        settle(qtbot, shell)
        shell.controller.handle(want.ShowDock("triage"))
        qtbot.waitUntil(lambda: shell.window.docks["triage"].widget() is not None, timeout=TIMEOUT)
        qtbot.wait(100)
        dock = shell.window.docks["triage"].widget()
        assert not dock.plot.isVisible()  # no empty axes
        assert shell.window.docks["triage"].height() > 0.55 * shell.window.height()
        shell.controller.handle(want.Triage("camera"))
        settle(qtbot, shell)
        qtbot.waitUntil(lambda: shell.window.docks["triage"].widget() is not None, timeout=TIMEOUT)
        qtbot.wait(100)
        dock = shell.window.docks["triage"].widget()
        finding = dock._view.rows[0].finding
        assert (finding.kind, finding.first_step) == ("wavelength-blocks", "sky")
        assert tuple(50 * b for b in finding.blocks) == BLOCKS
        dock.tree.setCurrentItem(dock.tree.topLevelItem(0))
        assert dock.plot.isVisible()
        assert "of 20211014" in dock.headline.text()  # which production
        drawn = [c.label for c in pure.evidence_figure(dock._view, 0).curves]
        assert drawn == ["other fibers", *(f"block {b}" for b in finding.blocks)]
        colors = {label: color for color, label in COLORED.findall(dock.legend.text().replace("&nbsp;", " "))}
        for at, label in enumerate(drawn):
            assert QColor(colors[label]) == dock.plot.curves[at].line.opts["pen"].color()
        assert "Å" in dock.plot.getAxis("bottom").labelText
        assert "Cause: sky model." in dock.text.text()
        assert "flux calibration: excluded by" in dock.text.toolTip()
        shell.controller.handle(want.ShowFinding(0, blink=True))
        settle(qtbot, shell)
        session = shell.store.session
        assert {session.night.shown[key].product for key in session.blink_keys} == {"flatfielded", "sframe"}
        assert session.layout is Layout.BLINK
        assert session.selection.fibers == finding.fibers
        slot = session.slot()
        left, low, right, high = slot.view.part
        assert slot.image.wave[round(left)] < 6300 and slot.image.wave[round(right)] > 6900
        assert low <= min(finding.fibers) and max(finding.fibers) <= high
        row = next(r for r in dock._view.rows if r.finding.kind == "isolated-fiber")
        shell.controller.handle(want.ShowFinding(dock._view.rows.index(row)))
        settle(qtbot, shell)
        assert shell.store.session.selection.fiber == row.finding.fibers[0]
        level = pure.evidence_figure(dock._view, dock._view.rows.index(row))
        assert level.x.label == "Fiber in the camera"
        marked = level.curves[1]
        assert marked.symbol and not marked.stroke and tuple(marked.x) == row.finding.fibers
        dock.still.click()
        assert shell.store.session.layout is Layout.SINGLE
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: str(tmp_path))
        dock.export.click()
        settle(qtbot, shell)
        assert list(tmp_path.glob("*-triage/triage.html"))
        assert not [m for m in shell.store.session.messages if m.level is Level.ERROR]

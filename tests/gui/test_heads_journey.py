"""A night of fiber heads in a real X window: bad amplifier, reduction, detection, two skies, the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QPointF
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app import verdict
from ifuview.app.night.virus.live import making
from ifuview.app.session import Layout
from ifuview.model.night.detections import Judgment
from tests.app.night.test_head_live import begun_head
from tests.app.night.test_health import amplifier
from tests.gui.hands import Hands
from tests.gui.shell.test_cut_words import cut_at
from tests.gui.windows import TIMEOUT, settle, window

pytestmark = pytest.mark.screen
NAMES = ("LL", "LU", "RU", "RL")


def test_a_night_of_heads_by_keys_and_clicks(
    qtbot: QtBot, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in NAMES:
        amplifier(tmp_path / "raw", name, 1, 24.0 if name == "RL" else 3.0)
    head = begun_head()
    monkeypatch.setattr(
        making,
        "begun",
        lambda _folder, _night, raw, expid, camera, *_: replace(head, expid=expid, camera=camera, raw=raw),
    )
    with window(qtbot, str(tmp_path / "raw"), judges=True) as shell:
        shell.window.activateWindow()
        session = lambda: shell.store.session  # noqa: E731
        dock = lambda key: shell.window.docks[key].widget()  # noqa: E731
        qtbot.waitUntil(lambda: session().health is not None and not session().health.todo, timeout=TIMEOUT)
        settle(qtbot, shell)

        # a bad amplifier is named before anything is reduced: in the bar, among the problems, on the focal plane
        assert "AMPLIFIER 047R RL wrong" in verdict.make(session()).headline and session().reduction is None
        shell.controller.handle(want.ShowDock("triage"))
        settle(qtbot, shell)
        assert "047R RL" in dock("triage").tree.topLevelItem(0).text(0)
        shell.controller.handle(want.ShowDock("heads"))
        settle(qtbot, shell)
        plane = dock("heads").map

        def bad() -> tuple[float, float]:
            view = plane.cells.view
            left, low = view.corner(next(c for c in view.cells if (c.camera, c.name) == ("047R", "RL")))
            middle = QPointF(left + view.cell[0] / 2, low + view.cell[1] / 2)
            at = plane.mapFromScene(plane.plotItem.vb.mapViewToScene(middle))
            return at.x(), at.y()

        hands.click_at(plane.viewport(), bad)
        qtbot.waitUntil(lambda: session().slot().title.startswith("047R"), timeout=TIMEOUT)
        settle(qtbot, shell)

        # one key reduces the head; its fibers without sky are on the canvas, what was found is listed
        hands.click(shell.window.canvas, 5, 5)
        hands.key("j", "Control_L", "Shift_L")
        qtbot.waitUntil(
            lambda: session().reduction is not None and not session().reduction.running, timeout=3 * TIMEOUT
        )
        settle(qtbot, shell)
        assert session().reduction.shown == "fields" and all(cell.there for cell in shell.window.verdict.chain._cells)
        first = session().reduction

        # a detection is looked at and judged by a key
        shell.controller.handle(want.ShowDock("detections"))
        settle(qtbot, shell)
        found = dock("detections")

        def first_row() -> tuple[float, float]:
            place = found.list.visualRect(found.list.rows.index(0, 1)).center()
            return place.x(), place.y()

        hands.click_at(found.list.viewport(), first_row)
        qtbot.waitUntil(lambda: session().detections.row == 0 and found.plots["fibers"].isVisible(), timeout=TIMEOUT)
        assert session().selection.fiber is not None and "exposure" in found.words.text()
        hands.key("f")
        qtbot.waitUntil(lambda: session().detections.said == {0: Judgment.FALSE}, timeout=TIMEOUT)

        # another sky: made again, blinked with the one before
        shell.controller.handle(want.ShowStep("sky"))
        shell.controller.handle(want.ShowDock("step"))
        settle(qtbot, shell)
        dock("step").form.widgets["surface"].click()
        qtbot.waitUntil(lambda: bool(session().reduction.past) and not session().reduction.running, timeout=3 * TIMEOUT)
        settle(qtbot, shell)
        assert session().reduction.value("pictures") is first.value("pictures")
        dock("step").blink.click()
        qtbot.waitUntil(lambda: session().layout is Layout.BLINK and len(session().blink_keys) == 2, timeout=TIMEOUT)
        settle(qtbot, shell)
        shell.controller.handle(want.SetLayout(Layout.SINGLE))

        # the products, with the page of the amplifiers
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(out))
        shell.window.actions_by_name["save-reduction"].trigger()
        qtbot.waitUntil(lambda: any("products written" in m.text for m in session().messages), timeout=2 * TIMEOUT)
        assert list(out.glob("*_qa.html")) and list(out.glob("*_cube.fits"))

        assert not (cut := cut_at(qtbot, shell)), "\n".join(cut)

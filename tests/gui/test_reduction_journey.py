"""The journey through a raw night in a real X window: reduce, lenslet, circle, sky fibers, blink, take back, export."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPointF
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.night.views.lenslets import LensletsAnswer
from ifuview.app.session import Layout
from ifuview.gui.night._lenslet_map import LensletMap
from tests.app.night.reduction.conftest import X, Y, write_one_night
from tests.gui.hands import Hands
from tests.gui.shell.test_cut_words import cut_at
from tests.gui.windows import TIMEOUT, settle, window
from tests.robust.disk import small_files

pytestmark = pytest.mark.screen


def screen_of(plot: LensletMap, x: float, y: float) -> tuple[float, float]:
    """Where a place of the field is on the screen, px of the viewport."""
    at = plot.mapFromScene(plot.plotItem.vb.mapViewToScene(QPointF(x, y)))
    return float(at.x()), float(at.y())


def draw_around(hands: Hands, plot: LensletMap, corners: list[tuple[float, float]]) -> None:
    """Draw a closed line with the left button."""
    hands.aim(plot.viewport(), lambda: screen_of(plot, *corners[0]))
    places = [screen_of(plot, *corner) for corner in (*corners, corners[0])]
    hands.press()
    for (x0, y0), (x1, y1) in pairwise(places):
        for part in (0.25, 0.5, 0.75, 1.0):
            hands.move(plot.viewport(), x0 + part * (x1 - x0), y0 + part * (y1 - y0))
    hands.release()


def test_a_raw_night_by_keys_and_clicks(
    qtbot: QtBot, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = tmp_path / "raw", tmp_path / "out"
    root.mkdir()
    out.mkdir()
    write_one_night(root)
    with window(qtbot, str(root)) as shell:
        shell.window.activateWindow()
        session = lambda: shell.store.session  # noqa: E731
        dock = lambda key: shell.window.docks[key].widget()  # noqa: E731
        settle(qtbot, shell)
        exposure = next(e for e in session().night.index.exposures if e.obstype == "sci")
        shell.controller.handle(want.ShowProduct(exposure.expid, "orange", "detector"))
        settle(qtbot, shell)

        # one key reduces: the strip grows step by step, the canvas follows, and the fibers without sky are shown
        grown: list[int] = []
        shell.store.changed.connect(
            lambda _, new: grown.append(0 if new.reduction is None else len(new.reduction.steps))
        )
        hands.click(shell.window.canvas, 5, 5)
        hands.key("j", "Control_L", "Shift_L")
        qtbot.waitUntil(
            lambda: session().reduction is not None and not session().reduction.running, timeout=3 * TIMEOUT
        )
        settle(qtbot, shell)
        assert len(set(grown)) > 5 and session().reduction.shown == "field"
        assert all(cell.there for cell in shell.window.verdict.chain._cells)
        first = session().reduction

        # a click on a lenslet: its spectrum, and its row on the canvas
        field = dock("lenslets")
        plot = field.maps[0]
        head = plot.head
        brightest = int(np.argmin(np.hypot(head.x - head.source[0], head.y - head.source[1])))
        source = lambda: screen_of(plot, head.x[brightest], head.y[brightest])  # noqa: E731
        hands.click_at(plot.viewport(), source)
        qtbot.waitUntil(lambda: session().selection.fiber == brightest, timeout=TIMEOUT)
        settle(qtbot, shell)
        answer: LensletsAnswer = field._answer
        assert answer.spectra.title.startswith(f"lenslet {brightest + 1},")

        # the circle: its size by number, then dragged off the source; the spectrum follows
        field.radius.setValue(1.2)
        settle(qtbot, shell)
        bright = np.nanmedian(field._answer.spectra.curves[0].y)
        hands.drag(plot.viewport(), source, lambda: screen_of(plot, X + 3.0, Y - 1.5))
        qtbot.waitUntil(lambda: abs(session().aperture.x - X - 3.0) < 0.5, timeout=TIMEOUT)
        settle(qtbot, shell)
        assert np.nanmedian(field._answer.spectra.curves[0].y) < 0.3 * bright and session().aperture.radius == 1.2

        # sky fibers by a line around lenslets; what rests on them is made again
        field.lasso.click()
        edge = head.x.max()
        draw_around(hands, plot, [(edge - 2.4, -3.3), (edge - 0.2, -3.3), (edge - 0.2, 3.3), (edge - 2.4, 3.3)])
        qtbot.waitUntil(lambda: bool(session().reduction.past) and not session().reduction.running, timeout=TIMEOUT)
        settle(qtbot, shell)
        now = session().reduction
        assert 10 < now.value("sky").sky.fibers.sum() < first.value("sky").sky.fibers.sum()
        assert now.value("spectra") is first.value("spectra") and now.value("field") is not first.value("field")

        # the step before and after the change in turn; taken back by key
        strip = shell.window.verdict.chain
        hands.click(strip, strip.place_of("sky"), strip.height() / 2)
        qtbot.waitUntil(lambda: session().reduction.shown == "sky", timeout=TIMEOUT)
        settle(qtbot, shell)
        shell.controller.handle(want.ShowDock("step"))
        settle(qtbot, shell)
        blink = dock("step").blink
        hands.click(blink, blink.width() / 2, blink.height() / 2)
        qtbot.waitUntil(lambda: session().layout is Layout.BLINK and len(session().blink_keys) == 2, timeout=TIMEOUT)
        settle(qtbot, shell)
        hands.click(shell.window.canvas, 5, 5)
        hands.key("s")
        hands.key("z", "Control_L")
        qtbot.waitUntil(lambda: not session().reduction.past and not session().reduction.running, timeout=TIMEOUT)
        assert session().reduction.value("sky") is first.value("sky")
        settle(qtbot, shell)

        # a folder that takes nothing, and a disk that is full: one sentence each, nothing is left there
        for place, limit, words in ((Path("/sys"), 1 << 40, ""), (out, 1 << 20, "the disk is full")):
            monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, place=place: str(place))
            before = session().messages
            with small_files(limit):
                shell.window.actions_by_name["save-reduction"].trigger()
                qtbot.waitUntil(lambda before=before: session().messages != before, timeout=TIMEOUT)
                settle(qtbot, shell)
            (said,) = [m.text for m in session().messages if m not in before]
            assert said.startswith(f"{place}: the calibrations cannot be written ({words}") and said.count(". ") == 0
        assert not list(out.iterdir())

        # the products, in their folders
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(out))
        shell.window.actions_by_name["save-reduction"].trigger()
        qtbot.waitUntil(lambda: any("products written" in m.text for m in session().messages), timeout=TIMEOUT)
        names = {path.name.split("_")[0] for path in out.rglob("*.fits")}
        assert {"multi", "spectrum", "cal"} <= names
        (page,) = out.rglob("report_*.html")
        assert session().reduction.line in page.read_text()

        assert not (cut := cut_at(qtbot, shell)), "\n".join(cut)

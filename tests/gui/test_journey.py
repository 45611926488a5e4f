"""The journey of a person at a telescope, in a real X window with real mouse and key events."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.frames.look import LimitMode
from ifuview.app.frames.views import viewport
from ifuview.app.session import Layout
from ifuview.gui.shell.shell import Shell
from tests.gui.hands import RIGHT, Hands
from tests.gui.windows import TIMEOUT, blinked, settle, window

pytestmark = pytest.mark.screen


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    from ifuview.app.night import demo

    return list(demo.prepare(folder=str(tmp_path_factory.mktemp("demo"))).files)


def screen_of(shell: Shell, key: int, x: float, y: float) -> tuple[float, float]:
    """Place on the canvas, logical px, of a native pixel."""
    canvas = shell.window.canvas
    size = canvas.tile_size(key)
    sx, sy = viewport.to_screen(canvas.view_of(key), size, x, y)
    ratio = canvas.devicePixelRatioF()
    return float(sx) / ratio, float(sy) / ratio


def test_open_blink_click_measure_export_close(qtbot: QtBot, files: list[str], hands: Hands, tmp_path: Path) -> None:
    by_name = {Path(f).name.split("-")[0]: f for f in files}
    with window(qtbot, by_name["preproc"], by_name["frame"], by_name["sframe"]) as shell:
        shell.window.activateWindow()
        session = lambda: shell.store.session  # noqa: E731
        canvas = shell.window.canvas
        assert [s.title.split("-")[0] for s in session().slots] == ["preproc", "frame", "sframe"]
        assert all(s.look.limit_mode is LimitMode.ZSCALE and s.look.lo < s.look.hi for s in session().slots)
        first = session().slots[0]
        assert first.traces is not None  # the psf beside the image was found

        # blink by key, and back
        hands.click(canvas, 5, 5)
        hands.key("b")
        assert session().layout is Layout.BLINK
        assert blinked(qtbot, shell, 3) == {s.key for s in session().slots}
        hands.key("b")
        assert session().layout is Layout.SINGLE

        # Tab goes around to the detector image; space held shows the frame before
        hands.key("Tab")
        qtbot.waitUntil(lambda: session().current == first.key, timeout=TIMEOUT)
        hands.hold("space")
        qtbot.waitUntil(lambda: canvas.displayed() == session().previous, timeout=TIMEOUT)
        hands.let_go("space")
        qtbot.waitUntil(lambda: canvas.displayed() == first.key, timeout=TIMEOUT)

        # a click on a fiber: every dock follows
        row, column = 30, first.traces.ncol // 2
        x, y = first.image.orientation.to_native(first.traces.center[row, column], column, first.image.shape)
        spot = lambda: screen_of(shell, first.key, float(x), float(y))  # noqa: E731
        for _ in range(6):
            hands.turn(canvas, spot)
        settle(qtbot, shell)
        hands.click_at(canvas, spot)
        qtbot.waitUntil(lambda: session().selection.fiber == row, timeout=TIMEOUT)
        settle(qtbot, shell)
        found = session().inspection
        assert found is not None and found.fiber == row
        assert found.quality is not None and abs(found.quality.mean_offset) < 0.05
        assert {s.label.split("-")[0] for s in found.spectra} == {"preproc", "frame", "sframe"}
        texts = dock_texts(shell)
        assert found.fiber_id in texts["section"]
        assert "sigma" in texts["quality"] or "right" in texts["quality"]
        assert any(name == "fiber" or "fiber" in name for name, _ in shell.window.readout._view.fields)

        # contrast by right drag, limits through the API of the limits dock
        before = first.look
        w, h = canvas.width(), canvas.height()
        hands.drag(canvas, lambda: (w / 2, h / 2), lambda: (w / 2 + 80, h / 2 - 60), RIGHT)
        look = session().slot(first.key).look
        assert (look.bias, look.contrast) != (before.bias, before.contrast)
        change_limits_by_drag(shell, hands, qtbot)
        assert session().slot(first.key).look.limit_mode is LimitMode.USER

        # the report
        out = tmp_path / "report.png"
        shell.controller.handle(want.ExportReport(str(out)))
        settle(qtbot, shell)
        assert out.exists(), [m.text for m in session().messages]
        width = struct.unpack(">I", out.read_bytes()[16:20])[0]
        assert width == 2000

        # close one by key: the others stay
        hands.click(canvas, 5, 5)
        hands.key("w", "Control_L")
        qtbot.waitUntil(lambda: len(session().slots) == 2, timeout=TIMEOUT)
        assert np.all([s.title.split("-")[0] != "preproc" for s in session().slots])


def dock_texts(shell: Shell) -> dict[str, str]:
    """Everything that the labels of each dock say."""
    from PyQt6.QtWidgets import QLabel

    out = {}
    for key, dock in shell.window.docks.items():
        widget = dock.widget()
        if widget is not None:
            out[key] = " ".join(label.text() for label in widget.findChildren(QLabel))
    return out


def change_limits_by_drag(shell: Shell, hands: Hands, qtbot: QtBot) -> None:
    """Drag the upper handle in the histogram of the limits dock."""
    import pyqtgraph as pg

    shell.window.dock_area.show("limits")
    settle(qtbot, shell)
    dock = shell.window.docks["limits"].widget()
    plot = dock.findChild(pg.PlotWidget) or dock.findChild(pg.GraphicsView)
    hi = shell.store.session.slot().look.hi
    view = next(i for i in plot.scene().items() if isinstance(i, pg.ViewBox))

    def handle(dx: float) -> tuple[float, float]:
        spot = plot.mapFromScene(view.mapViewToScene(pg.Point(hi, np.mean(view.viewRange()[1]))))
        return spot.x() + dx, spot.y()

    hands.drag(plot.viewport(), lambda: handle(0), lambda: handle(-25))
    settle(qtbot, shell)

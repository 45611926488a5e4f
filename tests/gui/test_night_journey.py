"""The journey through a night in a real X window: folder, chain, neighbors, marks, the other production, new files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.night import open_night
from ifuview.app.night.state import Place
from ifuview.app.session import Layout, Level
from ifuview.gui.night import watcher
from ifuview.gui.night._exposure_dots import PAD, STEP, TEXTS
from tests.app.night.production import FIRST, NIGHT, OTHER_TILE, SECOND, put, write_fixed, write_production
from tests.gui.hands import Hands
from tests.gui.test_journey import screen_of
from tests.gui.windows import TIMEOUT, settle, window

pytestmark = pytest.mark.screen


def test_a_night_by_keys_and_clicks(
    qtbot: QtBot, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(watcher, "WATCH_MS", 200)
    root = write_production(tmp_path)
    with window(qtbot, str(root)) as shell:
        shell.window.activateWindow()
        session = lambda: shell.store.session  # noqa: E731
        canvas = shell.window.canvas

        def arrives(place: Place) -> None:
            qtbot.waitUntil(lambda: open_night.here(session()) == place and not shell.controller.busy, timeout=TIMEOUT)
            settle(qtbot, shell)

        # the folder is listed; a click on the dot of sframe of r0 shows it
        settle(qtbot, shell)
        dock = shell.window.docks["exposures"].widget()
        assert dock.model.rowCount() == 3
        place = dock.model.view.products.index("sframe")

        def dot() -> tuple[float, float]:
            cell = dock.table.visualRect(dock.model.index(0, TEXTS))
            return cell.left() + PAD + STEP * (place + 0.5), cell.center().y()

        hands.click_at(dock.table.viewport(), dot)
        arrives(Place(FIRST, "r0", "sframe"))
        spectra = session().slot()
        assert spectra is not None and spectra.detector is not None

        # one key each along the chain, the exposures, the tile and the cameras
        hands.click(canvas, 5, 5)
        for key, there in (
            ("2", Place(FIRST, "r0", "frame")),
            ("3", Place(FIRST, "r0", "flatfielded")),
            ("4", Place(FIRST, "r0", "sky")),
            ("period", Place(OTHER_TILE, "r0", "sky")),  # the second exposure has no sky
            ("comma", Place(FIRST, "r0", "sky")),
            ("5", Place(FIRST, "r0", "sframe")),
            ("y", Place(SECOND, "r0", "sframe")),
            ("y", Place(FIRST, "r0", "sframe")),
        ):
            hands.key(key)
            arrives(there)
        hands.key("greater", "Shift_L")
        arrives(Place(FIRST, "r1", "sframe"))
        hands.key("less", "Shift_L")
        arrives(Place(FIRST, "r0", "sframe"))
        hands.key("7")
        qtbot.waitUntil(lambda: session().messages[-1].level is Level.ERROR, timeout=TIMEOUT)
        assert "there is no cframe; choose preproc, frame" in session().messages[-1].text

        # a click in the spectra is the same fiber and wavelength on the detector, and the marks can be switched on
        spectra = session().slot()
        row, column = 40, 200
        hands.click_at(canvas, lambda: screen_of(shell, spectra.key, column, row))
        qtbot.waitUntil(lambda: session().selection.fiber is not None, timeout=TIMEOUT)
        settle(qtbot, shell)
        fiber, x = session().selection.fiber, session().selection.x
        hands.key("1")
        arrives(Place(FIRST, "r0", "preproc"))
        detector = session().slot()
        at = session().selection
        assert at.fiber == fiber and at.x is not None and at.y is not None
        cross, disp = detector.image.orientation.from_native(at.x, at.y, detector.image.shape)
        there = detector.traces.wave[fiber, round(float(disp))]
        assert abs(there - spectra.image.wave[round(x)]) < np.diff(spectra.image.wave).max()
        assert abs(cross - detector.traces.center[fiber, round(float(disp))]) < 0.6
        hands.key("5")
        arrives(Place(FIRST, "r0", "sframe"))
        for key in ("w", "o", "u", "v"):
            hands.key(key)
        overlay = session().overlay
        assert overlay.iso_wave and overlay.blocks and overlay.sky_fibers and overlay.bad_fibers
        settle(qtbot, shell)

        # blink along the chain; the other production and back
        hands.key("e")
        qtbot.waitUntil(lambda: session().layout is Layout.BLINK, timeout=TIMEOUT)
        assert [session().slot(key).title.split("-r0")[0] for key in session().blink_keys] == [
            "preproc",
            "frame",
            "frame/fiberflat",
            "sky",
            "sframe",
        ]
        hands.key("s")
        shell.controller.handle(want.ShowProduct(product="sky"))
        arrives(Place(FIRST, "r0", "sky"))
        shell.controller.handle(want.CompareProduction(str(write_fixed(root))))
        arrives(Place(FIRST, "r0", "sky", other=True))
        hands.key("O", "Shift_L")
        arrives(Place(FIRST, "r0", "sky"))

        # watching: a file that is written in two parts appears as being written, then as there, and is shown
        shell.controller.handle(want.WatchFolder(newest=True))
        qtbot.waitUntil(lambda: session().night.watched, timeout=TIMEOUT)
        source = root / "exposures" / str(NIGHT) / "00000002" / "sky-r0-00000002.fits"
        new = root / "exposures" / str(NIGHT) / "00000003" / "sky-r0-00000003.fits"
        data = source.read_bytes()
        new.write_bytes(data[: len(data) // 2])
        qtbot.waitUntil(lambda: "being written" in states(session(), SECOND), timeout=TIMEOUT)
        os.replace(put(source, tmp_path / "part"), new)
        os.utime(new)
        shell.controller.handle(want.ShowProduct(FIRST, "r0", "sky"))
        arrives(Place(SECOND, "r0", "sky"))
        assert "being written" not in states(session(), SECOND)
        shell.controller.handle(want.WatchFolder(on=False))
        settle(qtbot, shell)


def states(session, expid: int) -> set[str]:
    """States of the files of an exposure."""
    return {f.state.value for f in session.night.index.find(expid).files.values()}

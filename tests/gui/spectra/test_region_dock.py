"""What is in a region: against numbers by hand, and in the window by a double click."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from ifuview.app import intents as want
from ifuview.app.spectra.views import region as pure
from ifuview.engine.spectra.cubes.inside import inside
from ifuview.model.region import Region, Shape
from tests.app.runner import Runner
from tests.gui.spectra.test_region_spectra import LEFT, at
from tests.gui.windows import TIMEOUT, settle, window

CIRCLE = Region(Shape.CIRCLE, ((20.0, 12.0),), (4.0,), text="1")


@pytest.fixture(scope="module")
def star(tmp_path_factory):
    """A Gaussian on a level, with errors and a masked pixel."""
    y, x = np.mgrid[:30, :40]
    data = (5 + 100 * np.exp(-0.5 * ((x - 20) ** 2 + (y - 12) ** 2) / 4)).astype("f4")
    error, mask = np.full(data.shape, 2.0, "f4"), np.zeros(data.shape, np.int16)
    mask[12, 21] = 1
    path = tmp_path_factory.mktemp("star") / "star.fits"
    parts = ((data, "SCI"), (error, "ERR"), (mask, "DQ"))
    fits.HDUList([fits.PrimaryHDU(), *(fits.ImageHDU(a, name=n) for a, n in parts)]).writeto(path)
    return str(path), data


def test_statistics_are_those_of_the_pixels_that_are_known(star):
    path, data = star
    slot = Runner().ask(want.OpenFile(path)).slot()
    found = pure.measured(slot, CIRCLE)
    use = inside(CIRCLE, data.shape)
    use[12, 21] = False
    assert (found.npix, found.known) == (use.sum() + 1, use.sum())
    assert found.total == pytest.approx(data[use].sum(dtype=float), rel=1e-6)
    assert found.total_error == pytest.approx(2 * np.sqrt(use.sum()), rel=1e-6)
    assert (found.low, found.high) == (data[use].min(), data[use].max())
    assert found.median == pytest.approx(np.median(data[use]))
    assert found.scatter == pytest.approx(data[use].std(ddof=1, dtype=float), rel=1e-5)
    assert found.profile[0] == pytest.approx(105) and found.profile[-1] == pytest.approx(5, abs=0.01)
    assert found.profile_error[0] == pytest.approx(2)
    edge = Region(Shape.BOX, ((0.0, 0.0),), (3.0, 3.0))
    assert pure.measured(slot, edge).npix == 4


def test_a_double_click_shows_it_and_the_session_knows_which(qtbot, star):
    with window(qtbot, star[0]) as shell:
        key = shell.store.session.current
        shell.controller.handle(want.SetRegions(key, (CIRCLE,)))
        settle(qtbot, shell)
        QTest.mouseDClick(shell.window.canvas, LEFT, pos=at(shell, 20, 12))
        settle(qtbot, shell)
        dock = shell.window.docks["region"].widget()
        assert dock.name.text() == "circle 1 of star"
        qtbot.waitUntil(lambda: bool(dock.rows.rows), timeout=TIMEOUT)
        assert dock.said.text().startswith("49 pixels, 1 masked or unknown")
        assert dock.rows.rowCount() == 49 and dock.rows.rows[0][3] == "2"
        dock.copy.click()
        shell.controller.handle(want.SetRegions(key, (Region(Shape.LINE, ((1.0, 1.0), (5.0, 5.0))),)))
        settle(qtbot, shell)
        assert "has no inside" in dock.pages.hint


def test_the_panel_follows_a_region_in_the_hand(qtbot, star):
    """Before the hand lets go: the title, the numbers and the first pixels are those of the place it is at."""
    with window(qtbot, star[0]) as shell:
        key, canvas = shell.store.session.current, shell.window.canvas
        shell.controller.handle(want.SetRegions(key, (CIRCLE,)))
        shell.window.actions_by_name["draw-circle"].trigger()
        shell.controller.handle(want.ShowDock("region"))
        settle(qtbot, shell)
        dock = shell.window.docks["region"].widget()
        qtbot.waitUntil(lambda: dock.said.text().startswith("49 pixels, 1 masked"), timeout=TIMEOUT)
        QTest.mousePress(canvas, LEFT, pos=at(shell, 20, 12))
        for x in (24, 28, 32):
            QTest.mouseMove(canvas, at(shell, x, 12))
        qtbot.waitUntil(lambda: "masked" not in dock.said.text(), timeout=TIMEOUT)  # it has left that pixel
        qtbot.waitUntil(lambda: max(int(row[0]) for row in dock.rows.rows) >= 35, timeout=TIMEOUT)
        assert shell.store.session.region == (key, CIRCLE)  # the session knows nothing of the hand
        held = dock.said.text()
        QTest.mouseRelease(canvas, LEFT, pos=at(shell, 32, 12))
        settle(qtbot, shell)
        qtbot.waitUntil(lambda: shell.store.session.region[1].points[0][0] > 31, timeout=TIMEOUT)
        assert dock.said.text() == held
        QTest.mousePress(canvas, LEFT, pos=at(shell, 32, 12))
        QTest.mouseMove(canvas, at(shell, 24, 12))
        QTest.mouseMove(canvas, at(shell, 20, 12))
        qtbot.waitUntil(lambda: dock.said.text() != held, timeout=TIMEOUT)
        QTest.keyClick(canvas, Qt.Key.Key_Escape)  # it stays where it was, and so do the numbers
        qtbot.waitUntil(lambda: dock.said.text() == held, timeout=TIMEOUT)
        QTest.mouseRelease(canvas, LEFT, pos=at(shell, 20, 12))

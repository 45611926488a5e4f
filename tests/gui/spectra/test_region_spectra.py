"""Regions drawn on a cube by mouse in a whole window: the spectrum follows the hand and stays when it lets go."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest

from ifuview.app.frames.views import viewport
from ifuview.app.frames.views.regions import DRAWN
from tests.gui.windows import TIMEOUT, settle, window

NW, NY, NX = 50, 30, 40
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    """Left half 1, right half 5, with a line in the middle of the right half."""
    data = np.ones((NW, NY, NX), np.float32)
    data[:, :, NX // 2 :] = 5
    data[24:27, :, NX // 2 :] = 50
    head = fits.Header({"CTYPE3": "WAVE", "CUNIT3": "Angstrom", "CRVAL3": 6000.0, "CDELT3": 1.0, "CRPIX3": 1.0})
    path = tmp_path_factory.mktemp("cube") / "halves.fits"
    fits.PrimaryHDU(data, head).writeto(path)
    return str(path)


def at(shell, x, y):
    canvas = shell.window.canvas
    key = canvas.view.current
    sx, sy = viewport.to_screen(canvas.view_of(key), canvas.tile_size(key), x, y)
    return QPoint(round(float(sx)), round(float(sy)))


def test_the_spectrum_follows_the_hand_and_a_click_in_it_shows_the_plane(qtbot, cube):
    with window(qtbot, cube) as shell:
        canvas = shell.window.canvas
        shell.window.actions_by_name["draw-circle"].trigger()  # the spectrum is shown unasked
        settle(qtbot, shell)
        dock = shell.window.docks["spectrum"].widget()
        QTest.mousePress(canvas, LEFT, pos=at(shell, 10, 15))
        QTest.mouseMove(canvas, at(shell, 12, 15))
        QTest.mouseMove(canvas, at(shell, 14, 15))
        qtbot.waitUntil(lambda: bool(dock._drawn), timeout=TIMEOUT)
        assert shell.store.session.region is None  # the session knows nothing of the hand
        assert dock._drawn[0].flux == pytest.approx(np.ones(NW))
        QTest.mouseRelease(canvas, LEFT, pos=at(shell, 14, 15))
        settle(qtbot, shell)
        assert shell.store.session.region[1].size[0] == pytest.approx(4, abs=0.2)
        QTest.mousePress(canvas, LEFT, pos=at(shell, 10, 15))
        for x in (15, 25, 30):
            QTest.mouseMove(canvas, at(shell, x, 15))
        qtbot.waitUntil(lambda: dock._drawn[0].flux[25] == pytest.approx(50), timeout=TIMEOUT)
        QTest.mouseRelease(canvas, LEFT, pos=at(shell, 30, 15))
        settle(qtbot, shell)
        assert "Mean of" in dock._title and "circle 1" in dock._title
        dock.plot.clicked.emit(6025.0, 10.0)
        settle(qtbot, shell)
        assert shell.store.session.slot().plane == (25,)
        dock.line_bar.gather_box.setCurrentIndex(dock.line_bar.gather_box.findData("sum"))
        dock.line_bar.gathered.emit("sum")
        settle(qtbot, shell)
        assert dock._drawn[0].flux[0] == pytest.approx(5 * shell.store.session.gathered.spectra[0].flux[25] / 50)


def test_every_shape_of_the_menu_is_drawn_and_ends_with_escape(qtbot, cube):
    with window(qtbot, cube) as shell:
        for shape in DRAWN:
            shell.window.actions_by_name[f"draw-{shape}"].trigger()
            assert shell.store.session.drawing == shape
            shell.window.actions_by_name[f"draw-{shape}"].trigger()
            assert shell.store.session.drawing == ""
        shell.window.actions_by_name["draw-polygon"].trigger()
        settle(qtbot, shell)
        for corner in ((5, 5), (15, 5), (15, 12), (5, 5)):
            QTest.mouseClick(shell.window.canvas, LEFT, pos=at(shell, *corner))
            QTest.mouseMove(shell.window.canvas, at(shell, corner[0] + 1, corner[1] + 1))
        settle(qtbot, shell)
        (polygon,) = shell.store.session.slot().regions
        assert polygon.shape == "polygon" and len(polygon.points) == 3
        shell.window.actions_by_name["fiber-none"].trigger()
        assert shell.store.session.drawing == ""

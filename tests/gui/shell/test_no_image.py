"""What has no picture has the room of one: tables alone, a file that is one spectrum; files let go anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PyQt6.QtCore import QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.script.words import WindowOptions
from ifuview.gui.shell.shell import Shell
from ifuview.gui.window import window_state
from tests import demo
from tests.gui.spectra.test_spectra_window import table
from tests.gui.windows import settle, window

SIZES = ((1280, 760), (1600, 1000))
NWAVE = 300


def redshifts(folder: Path) -> Path:
    n = np.arange(40)
    path = folder / "redrock-6-1-thru20211014.fits"
    rows = table("REDSHIFTS", TARGETID=100 + n, FIBER=3000 + n, Z=n / 9.0, ZWARN=n * 0)
    fits.HDUList([fits.PrimaryHDU(), rows]).writeto(path)
    return path


def source(folder: Path, sky: float) -> Path:
    """A spectrum in six rows, with lines of the sky that are so many times as bright as it."""
    rng, wave = np.random.default_rng(4), np.linspace(4635.0, 6950.0, NWAVE)
    rows = np.ones((6, NWAVE)) * 1e-17
    rows[0], rows[1] = wave, rows[1] * (1 + rng.normal(0, 0.1, NWAVE))
    rows[2, ::10] *= sky
    rows[3:5] *= 0.1
    header = fits.Header({"INSTRUME": "lrs2", "WAVE0": wave[0], "DWAVE": wave[1] - wave[0]})
    names = ("wavelength", "F_lambda", "Sky_lambda", "e_F_lambda", "e_Sky_lambda", "response")
    header.update({f"ROW{n}": name for n, name in enumerate(names, 1)})
    path = folder / "spectrum_20181202_0000008_exp01_orange.fits"
    fits.PrimaryHDU(rows, header).writeto(path)
    return path


@pytest.mark.parametrize("size", SIZES)
def test_tables_alone_have_the_room_of_the_image(qtbot: QtBot, tmp_path: Path, size: tuple[int, int]) -> None:
    with window(qtbot, str(redshifts(tmp_path)), size=size) as shell:
        settle(qtbot, shell)
        tables = shell.window.docks["tables"]
        assert not shell.window.canvas.isVisible() and tables.isVisible()
        assert tables.width() * tables.height() > 0.6 * size[0] * size[1]
        shell.controller.handle(want.OpenFile(str(demo.file("preproc"))))
        settle(qtbot, shell)
        assert shell.window.canvas.isVisible() and shell.window.canvas.width() > 0.4 * size[0]


def test_the_room_of_tables_alone_is_not_kept_for_images(qtbot: QtBot, tmp_path: Path) -> None:
    """As a layout of the user it left the next image a strip of 120 px."""
    with window(qtbot, str(redshifts(tmp_path))) as shell:
        settle(qtbot, shell)
        area = shell.window.dock_area
        assert not shell.window.canvas.isVisible()
        area.leave()
        assert area.desk is not None and area.desk.value not in area.desks
        shell.controller.handle(want.OpenFile(str(demo.file("preproc"))))
        settle(qtbot, shell)
        area.leave()
        assert area.desk is not None and area.desk.value in area.desks


def test_what_went_wrong_is_said_beside_tables_too(qtbot: QtBot, tmp_path: Path) -> None:
    with window(qtbot, str(redshifts(tmp_path))) as shell:
        settle(qtbot, shell)
        shell.controller.handle(want.OpenFile(str(tmp_path / "none.fits")))
        qtbot.waitUntil(lambda: shell.window.banner.isVisible())
        shell.window.banner.hide()
        assert not shell.window.canvas.isVisible()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sky", [2.0, 100.0])
def test_a_file_that_is_one_spectrum_is_a_plot(qtbot: QtBot, tmp_path: Path, size: tuple[int, int], sky: float) -> None:
    with window(qtbot, str(source(tmp_path, sky)), size=size) as shell:
        settle(qtbot, shell)
        dock = shell.window.docks["spectrum"]
        assert dock.height() > 0.5 * size[1] and dock.width() > 0.6 * size[0]
        drawn = dock.widget()
        assert [s.label for s in drawn._drawn[1:]] == ["sky"] and drawn._drawn[0].error is not None
        low, high = drawn.plot.figure.y.range
        flux = drawn._drawn[0].flux
        assert np.mean((flux > low) & (flux < high)) > 0.98
        assert np.ptp(np.percentile(flux, (2, 98))) > 0.1 * (high - low)  # lines of the sky press nothing flat


def test_files_are_opened_wherever_they_are_let_go(qtbot: QtBot, tmp_path: Path) -> None:
    """On a panel, and while no image is there."""
    with window(qtbot, str(redshifts(tmp_path))) as shell:
        settle(qtbot, shell)
        data, none = QMimeData(), (Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
        data.setUrls([QUrl.fromLocalFile(str(demo.file(name))) for name in ("preproc", "sky")])
        frames = shell.window.docks["tables"].widget()
        entered = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, *none)
        QApplication.sendEvent(frames, entered)
        assert entered.isAccepted()
        QApplication.sendEvent(shell.window, QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, *none))
        settle(qtbot, shell)
        assert [slot.title.split("-")[0] for slot in shell.store.session.slots] == ["preproc", "sky"]


def test_a_window_keeps_its_share_of_a_larger_screen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(WindowOptions(width=1000, height=600, x=0, y=0))
    try:
        window_state.save(shell.window, {})
        room = shell.window.screen().availableGeometry().size()
        assert window_state._of_screen(QSize(1000, 600), room) == QSize(1000, 600)
        assert window_state._of_screen(QSize(1000, 600), room * 2) == QSize(2000, 1200)
        assert window_state._of_screen(QSize(1000, 600), room / 2) == QSize(1000, 600)
    finally:
        shell.worker.shut_down()
        shell.take_down()

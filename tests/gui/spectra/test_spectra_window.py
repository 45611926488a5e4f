"""Spectra and tables in a whole window, on files of one petal: choosing, redshifts beside and of another petal."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices, QGuiApplication
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.session import Level
from tests.gui.windows import settle, window

NFIBER, NWAVE = 30, 200
TARGETS = 39_627_652_809_627_000 + np.arange(NFIBER)


def table(name: str, **columns: np.ndarray) -> fits.BinTableHDU:
    code = {"i": "K", "f": "D", "U": "8A"}
    return fits.BinTableHDU.from_columns(
        [fits.Column(k, code[v.dtype.kind], array=v) for k, v in columns.items()], name=name
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A coadd, its redshifts, those of petal 0, and an sframe."""
    out = tmp_path_factory.mktemp("tile")
    n = np.arange(NFIBER)
    fibermap = table("FIBERMAP", TARGETID=TARGETS, FIBER=3000 + n, PETAL_LOC=np.full(NFIBER, 6), TARGET_RA=10.0 + n,
                     TARGET_DEC=-5.0 + 0 * n, FIBER_X=1.0 * (n % 6), FIBER_Y=1.0 * (n // 6),
                     OBJTYPE=np.where(n % 3, "TGT", "SKY"))  # fmt: skip
    rng = np.random.default_rng(1)
    hdus = [fits.PrimaryHDU(), fibermap]
    for arm, first in (("B", 3600.0), ("R", 5760.0), ("Z", 7520.0)):
        hdus += [fits.ImageHDU(first + np.arange(NWAVE), name=f"{arm}_WAVELENGTH"),
                 fits.ImageHDU(rng.normal(0, 1, (NFIBER, NWAVE)).astype("f4"), name=f"{arm}_FLUX")]  # fmt: skip
    fits.HDUList(hdus).writeto(out / "coadd-6-7951.fits")
    for petal in (0, 6):
        redshifts = table("REDSHIFTS", TARGETID=TARGETS + 1000 * (6 - petal), Z=n / 6.0,
                          SPECTYPE=np.where(n < 15, "GALAXY", "QSO"))  # fmt: skip
        where = table("FIBERMAP", TARGETID=TARGETS + 1000 * (6 - petal), FIBER=500 * petal + n,
                      PETAL_LOC=np.full(NFIBER, petal))  # fmt: skip
        fits.HDUList([fits.PrimaryHDU(), redshifts, where]).writeto(out / f"redrock-{petal}-7951.fits")
    flux = fits.ImageHDU(rng.normal(0, 1, (NFIBER, NWAVE)).astype("f4"), name="FLUX")
    hdus = [fits.PrimaryHDU(), flux, fits.ImageHDU(5760.0 + np.arange(NWAVE), name="WAVELENGTH"), fibermap]
    fits.HDUList(hdus).writeto(out / "sframe-r6-00000001.fits")
    return out


def test_redshifts_beside_a_coadd_are_found_and_choose(qtbot: QtBot, folder: Path) -> None:
    with window(qtbot, str(folder / "coadd-6-7951.fits"), "-fiber", "SPECTYPE=QSO, Z>4") as shell:
        session = shell.store.session
        assert [t.table.name for t in session.tables] == ["REDSHIFTS", "FIBERMAP"]
        assert session.selection.fibers == (25, 26, 27, 28, 29)
        shell.controller.handle(want.ChooseSpectra("3004:3006"))
        assert shell.store.session.selection.fibers == (4, 5)
        shell.controller.handle(want.SetWindow((6000.0, 5900.0)))
        assert shell.store.session.window == (5900.0, 6000.0)
        for key in ("tables", "focal", "sky"):
            shell.controller.handle(want.ShowDock(key))
            settle(qtbot, shell)
            assert shell.window.docks[key].widget().pages.hint == ""


def test_redshifts_of_another_petal_are_shown_and_said_not_to_belong(qtbot: QtBot, folder: Path) -> None:
    with window(qtbot, str(folder / "sframe-r6-00000001.fits"), str(folder / "redrock-0-7951.fits")) as shell:
        session = shell.store.session
        assert len(session.slots) == 1
        assert len(session.tables) == 2
        warnings = [m.text for m in session.messages if m.level is Level.WARNING]
        assert any("it is of petal 0, the spectra are of petal 6" in text for text in warnings)
        shell.controller.handle(want.ChooseSpectra("SPECTYPE=QSO"))
        last = shell.store.session.messages[-1]
        assert last.level is Level.ERROR
        assert "petal 0" in last.text


def test_the_position_goes_to_the_clipboard_and_to_the_browser_on_a_click_only(
    qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: asked.append(url) or True)
    with window(qtbot, str(folder / "sframe-r6-00000001.fits"), "-fiber", "3004") as shell:
        assert asked == []
        shell.window.actions_by_name["copy-radec"].trigger()
        assert QGuiApplication.clipboard().text() == "14.000000 -5.000000"
        shell.window.actions_by_name["sky-viewer"].trigger()
        assert "ra=14.000000" in asked[0].toString()
        shell.controller.handle(want.SelectFiber(None))
        shell.window.actions_by_name["sky-viewer"].trigger()
        assert len(asked) == 1


@pytest.mark.parametrize("dock", ["sky", "spectrum", "focal", "canvas"])
def test_the_picture_of_a_dock_from_the_command_line(folder: Path, tmp_path: Path, dock: str) -> None:
    import os
    import subprocess
    import sys

    out = tmp_path / "picture.png"
    words = [str(folder / "sframe-r6-00000001.fits"), "-fiber", "3004", "-dock", dock, "-saveimage", "png", str(out)]
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "ifuview", "--fresh", *words, "-exit"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    from PyQt6.QtGui import QImage

    picture = QImage(str(out))
    assert picture.width() > 400
    assert (picture.width() == 1200) == (dock != "canvas")


def test_a_dock_of_a_table_needs_no_image(folder: Path, tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    out = tmp_path / "picture.png"
    words = [str(folder / "redrock-6-7951.fits"), "-dock", "tables", "-saveimage", "png", str(out), "-exit"]
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-m", "ifuview", "--fresh", *words], env=env, capture_output=True, text=True,
                          timeout=60, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert out.stat().st_size > 5000


def test_a_tile_folder_lists_its_coadd_which_comes_with_its_redshifts(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    import shutil

    for name in ("coadd", "redrock"):
        shutil.copy(folder / f"{name}-6-7951.fits", tmp_path / f"{name}-6-7951-thru20211014.fits")
    with window(qtbot, str(tmp_path)) as shell:
        rows = shell.window.docks["exposures"].widget()._view.tiles
        assert [row.cells for row in rows] == [("7951", "thru20211014", n) for n in ("coadd", "redrock")]
        for _ in range(2):  # the second time it comes to the front
            shell.controller.handle(want.ShowTileFile(str(tmp_path / "coadd-6-7951-thru20211014.fits")))
        settle(qtbot, shell)
        session = shell.store.session
        assert len(session.slots) == 1
        assert [t.table.name for t in session.tables] == ["REDSHIFTS", "FIBERMAP"]
        shell.controller.handle(want.ChooseSpectra("SPECTYPE=QSO"))
        assert len(shell.store.session.selection.fibers) == 15
        shell.controller.handle(want.CloseTables(session.tables[0].path))
        assert shell.store.session.tables == ()


def test_another_arm_is_shown_at_the_wavelength_that_was_clicked(qtbot: QtBot, folder: Path) -> None:
    with window(qtbot, str(folder / "coadd-6-7951.fits"), "-fiber", "3004") as shell:
        slot = shell.store.session.slot()
        assert slot.image.name == "B_FLUX"
        shell.controller.handle(want.ShowArm(slot.title, "z", 7600.0))
        settle(qtbot, shell)
        session = shell.store.session
        assert session.slot().image.name == "Z_FLUX"
        assert len(session.slot().dataset.images) == 3
        assert (session.selection.fiber, session.selection.x, session.selection.y) == (4, 80.0, 4.0)
        assert [s.arm for s in session.inspection.spectra] == ["z", "b", "r"]


def test_all_cameras_of_a_file_opened_by_its_path(
    qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    for petal in (6, 7):
        with fits.open(folder / "sframe-r6-00000001.fits") as hdus:
            hdus["FIBERMAP"].data["FIBER"] += 500 * (petal - 6)
            hdus.writeto(tmp_path / f"sframe-r{petal}-00000001.fits")
    broken = tmp_path / "sframe-r8-00000001.fits"
    broken.write_bytes(bytes(2880))
    os.utime(broken, (1_700_000_000, 1_700_000_000))
    with window(qtbot, str(tmp_path / "sframe-r6-00000001.fits"), "-fiber", "3004") as shell:
        shell.controller.handle(want.ShowDock("focal"))
        shell.controller.handle(want.ShowAllCameras())
        settle(qtbot, shell)
        session = shell.store.session
        assert [s.title for s in session.slots] == ["sframe-r6-00000001", "sframe-r7-00000001"]
        assert session.slot().title == "sframe-r6-00000001"
        said = [m.text for m in session.messages if m.level is Level.WARNING]
        assert len(said) == 1 and said[0].startswith("r8 1 is left out: ")
        dock = shell.window.docks["focal"].widget()
        qtbot.waitUntil(lambda: len(dock._view.ids) == 2 * NFIBER)
        dock._lassoed(np.array([(-1.0, 0.5), (9.0, 0.5), (9.0, 1.5), (-1.0, 1.5)]))
        settle(qtbot, shell)
        chosen = tuple(range(7, 12))  # a position of exactly zero is none
        assert shell.store.session.selection.fibers == chosen
        assert shell.store.session.selection.elsewhere == ((session.slots[1].key, chosen),)
        assert "10 selected" in dock.info.text()
        shell.controller.handle(want.ShowAllCameras())  # nothing is missing: nothing is opened twice
        settle(qtbot, shell)
        assert len(shell.store.session.slots) == 2

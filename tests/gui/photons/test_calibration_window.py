"""Calibrations and speckles in a whole window: what becomes of wishes that follow each other, fail, or are too many."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PyQt6.QtCore import QSize
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.frames.views import image as image_view
from ifuview.app.photons import lists as photons
from ifuview.app.photons import speckle_maps
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.session import Layout, Level
from ifuview.errors import UsageError
from ifuview.gui.photons.speckle import SpeckleDock
from ifuview.model.photons.lists import PhotonColumn
from tests.app.photons.photon_files import Files, write_files
from tests.gui.windows import settle, window


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_files(tmp_path_factory.mktemp("calibrations"), 3.0)


@pytest.fixture
def shell(qtbot: QtBot, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with window(qtbot, files.photons) as made:
        made.do = lambda intent: (made.controller.handle(intent), settle(qtbot, made))
        settle(qtbot, made)
        made.do(want.ShowPhotons("counts"))
        yield made


def frame(shell, place: int = 0) -> PhotonFrame:
    found = shell.store.session.slots[place].photons
    assert isinstance(found, PhotonFrame)
    return found


def errors(shell) -> list[str]:
    return [m.text for m in shell.store.session.messages if m.level is Level.ERROR]


def test_two_solutions_loaded_at_once_are_both_there_and_the_last_of_many_switches_counts(shell, files, qtbot):
    shell.controller.handle(want.LoadCalibration("", files.flat))
    shell.controller.handle(want.LoadCalibration("", files.wavecal))
    settle(qtbot, shell)
    assert [s.key for s in frame(shell).stack] == ["wavecal", "flatcal"]
    assert frame(shell).source.info.column is PhotonColumn.WAVELENGTH
    for n in range(9):
        shell.controller.handle(want.SwitchCalibration(0, bool(n % 2)))
    assert not frame(shell).stack[0].on  # the list shows the wish at once
    settle(qtbot, shell)
    assert frame(shell).source is frame(shell).raw
    assert frame(shell).live is not None
    shown = np.nan_to_num(np.asarray(shell.store.session.slot().image.pixels.raw))
    np.testing.assert_array_equal(shown, photons.image(files.source).counts)
    shell.do(want.SwitchCalibration(1, None))
    shell.do(want.SwitchCalibration(0, None))
    assert frame(shell).stack == ()
    undo = shell.window.actions_by_name["undo"]
    for keys in (["wavecal"], ["wavecal", "flatcal"]):  # Ctrl+Z, one change at a time
        undo.trigger()
        settle(qtbot, shell)
        assert [s.key for s in frame(shell).stack] == keys
    undo.trigger()  # the last of the nine switches
    settle(qtbot, shell)
    assert frame(shell).stack[0].on and frame(shell).source.info.column is PhotonColumn.WAVELENGTH
    assert errors(shell) == []


def test_what_cannot_be_done_is_said_and_changes_nothing(shell, files, tmp_path):
    for wish, words in (
        (want.CompareCalibration(), "no calibration to blink against"),
        (want.SwitchCalibration(3, True), "no step 3"),
        (want.WriteCalibrated(str(tmp_path / "none.h5")), "no calibration is on"),
        (want.PlotCalibrations(str(tmp_path)), "no solution"),
        (want.ShowSolution("resolution"), "no wavelength solution"),
        (want.SaveSpeckle(str(tmp_path / "none.fits")), "no speckle maps"),
        (want.Lucky(), "no pixel is selected"),
        (want.LoadCalibration("", str(tmp_path / "gone.npz")), "no such file"),
    ):
        count = len(errors(shell))
        shell.do(wish)
        assert len(errors(shell)) == count + 1
        assert words in errors(shell)[-1]
    assert frame(shell).stack == ()
    assert len(shell.store.session.slots) == 1
    shell.do(want.CloseAll())
    shell.do(want.LoadCalibration("linearity"))
    assert "no photon list" in errors(shell)[-1]


def test_a_search_for_bad_pixels_is_a_step_that_leaves_them_out(shell, files):
    shell.do(want.FindBadPixels("threshold"))
    (step,) = frame(shell).stack
    hot = step.flags["found.hot"]
    assert hot[files.truth.array.kind == 3].mean() >= 0.9
    assert np.isnan(shell.store.session.slot().image.pixels.raw[hot]).all()
    said = [m.text for m in shell.store.session.messages]
    assert any(f"{int(hot.sum())} hot" in text for text in said)
    shell.do(want.SwitchCalibration(0, False))
    assert not np.isnan(shell.store.session.slot().image.pixels.raw[hot]).all()


def test_before_and_after_blink_and_images_of_solutions_open(shell, files):
    shell.do(want.LoadCalibration("", files.wavecal))
    shell.do(want.LoadCalibration("", files.flat))
    shell.do(want.ShowSolution("weights", 2))
    slot = shell.store.session.slot()
    assert slot.plane == (2,)
    assert slot.title == "Flat weights: science.h5"
    frames = shell.window.docks["frames"].widget()._view
    assert frames.axes[0].text == f"Plane 3 of {slot.image.nplanes}, {slot.image.planes[2]}"
    assert slot.image.planes[2].endswith(" nm")
    shell.do(want.CompareCalibration(0))  # of the frame that the image was made from
    session = shell.store.session
    assert session.layout is Layout.BLINK
    twin = session.slot().photons
    parent = session.slots[0]
    assert image_view.blinks(session) == (parent.key, session.current)  # not the image of the weights between them
    assert shell.window.canvas.view.blinks == image_view.blinks(session)
    shell.do(want.SetLayout(Layout.BLINK, 300))
    assert len(image_view.blinks(shell.store.session)) == 2
    shell.do(want.SetLayout(Layout.SINGLE))
    shell.do(want.SetLayout(Layout.BLINK))
    assert len(image_view.blinks(shell.store.session)) == 3
    assert (twin.name, twin.source.info.column, twin.shown) == (
        "science without wavelength",
        PhotonColumn.PHASE,
        Shown.COUNTS,
    )
    assert frame(shell).source.info.column is PhotonColumn.WAVELENGTH
    assert errors(shell) == []


def test_maps_can_be_cancelled_and_a_picture_of_the_dock_has_its_plot(shell, files, qtbot, monkeypatch):
    shell.controller.handle(want.Speckle("arrival"))
    shell.controller.handle(want.CancelJob(None))
    settle(qtbot, shell)
    assert len(shell.store.session.slots) == 1
    y, x = np.unravel_index(np.argmax(files.truth.is_ * (files.truth.array.kind == 0)), files.truth.is_.shape)
    shell.do(want.PickPoint(shell.store.session.current, float(x), float(y)))
    answers = []
    plain = SpeckleDock.answer
    monkeypatch.setattr(SpeckleDock, "answer", lambda self, value: (answers.append(value), plain(self, value)))
    assert not shell.window.dock_area.picture("speckle", QSize(800, 500)).isNull()
    assert answers[-1].figure is not None
    assert errors(shell) == []


def test_weights_take_hold_with_a_flat_and_go_with_it(shell, files):
    shell.do(want.ShowDock("calibrations"))
    dock = shell.window.docks["calibrations"].widget()
    shell.do(want.LoadCalibration("", files.wavecal))
    assert dock.steps.currentItem() is dock.steps.topLevelItem(0)
    assert dock.which.currentData() in ("energy", "resolution")
    assert not frame(shell).cut.weighted
    shell.do(want.LoadCalibration("", files.flat))
    assert frame(shell).cut.weighted
    assert any("photons are weighted now" in m.text for m in shell.store.session.messages)
    assert shell.store.session.slot().image.unit == "weighted photons"
    assert dock.steps.indexOfTopLevelItem(dock.steps.currentItem()) == 1
    assert dock.away.isEnabled()
    assert dock.which.currentData() == "weights"
    assert dock.plot.isVisible()
    dock.away.click()
    shell.do(want.ShowPhotons("counts"))
    assert not frame(shell).cut.weighted
    assert [s.key for s in frame(shell).stack] == ["wavecal"]
    shell.do(want.LoadCalibration("linearity"))
    assert frame(shell).cut.weighted
    shell.do(want.SwitchCalibration(0, False))
    assert frame(shell).cut.weighted
    shell.do(want.SwitchCalibration(0, None))
    shell.do(want.SwitchCalibration(0, None))
    assert not frame(shell).cut.weighted
    assert not dock.plot.isVisible()
    assert errors(shell) == []


def test_a_wavelength_is_counted_at_once_while_speckle_maps_are_made(shell, qtbot, monkeypatch):
    """Long work is aside: what is typed or dragged meanwhile does not wait for it."""
    begun, free = Event(), Event()

    def slow(*_: object) -> None:
        begun.set()
        free.wait(60)
        raise UsageError("that took long", "maps")

    monkeypatch.setattr(speckle_maps, "make_maps", slow)
    before = np.nansum(shell.store.session.slot().image.pixels.raw)
    shell.controller.handle(want.Speckle("binned"))
    try:
        assert begun.wait(30)
        cut = frame(shell).with_cut(low=-80.0, high=-20.0).cut  # phases, degree: as typed
        shell.controller.handle(want.SetPhotonCut(shell.store.session.current, cut))
        qtbot.waitUntil(lambda: np.nansum(shell.store.session.slot().image.pixels.raw) < before, timeout=10000)
        assert shell.controller.busy  # the maps are still being made
    finally:
        free.set()
    settle(qtbot, shell)
    assert "that took long" in errors(shell)[-1]

"""The journey through a photon list in a real X window: flags, sliders, light, calibrations, speckles, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.photons import lists as photons
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.session import Layout, Level, Slot
from ifuview.io.photons.lists.write import write_photons
from ifuview.model.photons.lists import PROBLEM_FLAGS, PhotonColumn, PhotonCut
from ifuview.simulate.photons import faults
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_photons
from ifuview.simulate.photons.scene import Scene
from tests.app.photons.photon_files import Files, write_files
from tests.gui.hands import Hands
from tests.gui.test_journey import screen_of
from tests.gui.windows import TIMEOUT, blinked, settle, window

pytestmark = pytest.mark.screen
DURATION = 4.0  # s
INSIDE = 4  # screen px from the end of a slider to the middle of its handle


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return write_files(tmp_path, DURATION)


def frame_of(slot: Slot | None) -> PhotonFrame:
    assert slot is not None
    assert isinstance(slot.photons, PhotonFrame)
    return slot.photons


def slide(hands: Hands, slider: QWidget, start: float, stop: float) -> None:
    """Drag a handle of a slider from one share of its width to another."""

    def at(share: float) -> tuple[float, float]:
        return min(max(share * slider.width(), INSIDE), slider.width() - INSIDE), slider.height() / 2

    hands.drag(slider, lambda: at(start), lambda: at(stop))


def shown_counts(slot: Slot) -> np.ndarray:
    """What the canvas shows of a frame of counts, 0 where a pixel is left out."""
    return np.nan_to_num(np.asarray(slot.image.pixels.raw, float))


def test_a_photon_list_by_mouse_and_keys(
    qtbot: QtBot, hands: Hands, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    truth, source = files.truth, files.source
    with window(qtbot, files.photons) as shell:
        shell.window.activateWindow()
        session = lambda: shell.store.session  # noqa: E731
        canvas = shell.window.canvas

        def rest() -> None:
            settle(qtbot, shell)
            assert not [m for m in session().messages if m.level is Level.ERROR]

        # it opens with its beam flags, gets an index, and says what it is
        qtbot.waitUntil(lambda: frame_of(session().slot()).live is not None, timeout=TIMEOUT)
        rest()
        first = session().slot()
        assert frame_of(first).shown is Shown.FLAGS
        flags = source.info.beammap.flags
        np.testing.assert_array_equal(first.image.mask.raw, flags)

        # a click on Counts: every photon of the pixels that are not flagged
        dock = shell.window.docks["photons"].widget()
        hands.click(dock.choices["counts"], 10, 10)
        rest()
        excluded = source.info.beammap.flagged(PROBLEM_FLAGS)
        np.testing.assert_array_equal(shown_counts(session().slot()), np.where(excluded, 0, truth.counts))

        # the end of the time slider is dragged to the middle: the counts are those of half of the time
        slide(hands, dock.time.slider, 1.0, 0.5)
        rest()
        cut = frame_of(session().slot()).cut
        assert cut.start is None
        assert 0.4 * DURATION < cut.stop < 0.6 * DURATION
        half = photons.image(source, PhotonCut(stop=cut.stop))
        np.testing.assert_array_equal(shown_counts(session().slot()), half.counts)

        # the lower end of the phase slider too
        slide(hands, dock.value.slider, 0.0, 0.4)
        rest()
        cut = frame_of(session().slot()).cut
        assert cut.low is not None
        assert cut.low < 0
        both = photons.image(source, PhotonCut(stop=cut.stop, low=cut.low))
        np.testing.assert_array_equal(shown_counts(session().slot()), both.counts)
        hands.click(dock.everything, 10, 10)
        rest()
        assert session().slot().photons.cut == PhotonCut()

        # a click on a pixel gives its light curve
        good = (truth.array.kind == 0) & truth.array.solved & ~excluded
        y, x = (int(v) for v in np.unravel_index(np.argmax(truth.is_ * good), good.shape))
        shell.controller.handle(want.ShowDock("light"))
        rest()
        hands.click_at(canvas, lambda: screen_of(shell, first.key, x, y))
        qtbot.waitUntil(lambda: session().lights is not None and bool(session().lights.found), timeout=TIMEOUT)
        rest()
        light = session().lights.found[0]
        assert (round(session().selection.x), round(session().selection.y)) == (x, y)
        assert light.curve.counts.sum() == truth.counts[y, x]

        # a box drawn by mouse is a second selection
        hands.key("b", "Shift_L")
        assert session().drawing == "box"
        hands.drag(canvas, lambda: screen_of(shell, first.key, 3, 3), lambda: screen_of(shell, first.key, 9, 8))
        hands.key("Escape")
        qtbot.waitUntil(
            lambda: len(session().slot().regions) == 1 and len(session().lights.found) == 2, timeout=TIMEOUT
        )
        rest()
        assert session().lights.found[1].photons > truth.counts[y, x]

        # calibrations: the solution and the flat make wavelengths; off and on again by the check box
        shell.controller.handle(want.ShowDock("calibrations"))
        shell.controller.handle(want.LoadCalibration("", files.wavecal))
        shell.controller.handle(want.LoadCalibration("", files.flat))
        rest()
        frame = frame_of(session().slot())
        assert frame.source.info.column is PhotonColumn.WAVELENGTH
        assert frame.live is not None
        stack = shell.window.docks["calibrations"].widget()
        box = stack.steps.itemWidget(stack.steps.topLevelItem(0), 0)
        hands.click(box, 8, box.height() / 2)
        qtbot.waitUntil(lambda: frame_of(session().slot()).source.info.column is PhotonColumn.PHASE, timeout=TIMEOUT)
        rest()
        assert "waits for wavelengths" in stack.steps.topLevelItem(1).text(1)
        box = stack.steps.itemWidget(stack.steps.topLevelItem(0), 0)
        hands.click(box, 8, box.height() / 2)
        qtbot.waitUntil(
            lambda: frame_of(session().slot()).source.info.column is PhotonColumn.WAVELENGTH, timeout=TIMEOUT
        )
        rest()
        assert stack.text.text().startswith(f"pixel {x}, {y}: flat weight ")  # of the newest solution
        stack.which.setCurrentIndex(stack.which.findData("energy"))
        stack.which.activated.emit(stack.which.currentIndex())
        assert stack.text.text().startswith(f"pixel {x}, {y}: E = ")

        # the wavelength slider now cuts in nm
        slide(hands, dock.value.slider, 0.0, 0.5)
        rest()
        cut = frame_of(session().slot()).cut
        assert 900 < cut.low < 1200
        np.testing.assert_array_equal(
            shown_counts(session().slot()), photons.image(frame_of(session().slot()).source, cut).counts
        )

        # before and after blink
        hands.click(stack.blink, 10, 10)
        qtbot.waitUntil(lambda: session().layout is Layout.BLINK, timeout=TIMEOUT)
        rest()
        assert [frame_of(s).source.info.column for s in session().slots] == [
            PhotonColumn.WAVELENGTH,
            PhotonColumn.PHASE,
        ]
        assert session().slots[1].title.startswith("science without wavelength")
        assert blinked(qtbot, shell, 2) == {s.key for s in session().slots}
        hands.click(canvas, 5, 5)
        hands.key("s")
        assert session().layout is Layout.SINGLE

        # speckle maps open beside the list, ready to blink; the plot knows the life of the speckles
        shell.controller.handle(want.SelectSlot(first.key))
        hands.click(dock.everything, 10, 10)
        shell.controller.handle(want.ShowDock("speckle"))
        rest()
        speckle = shell.window.docks["speckle"].widget()
        shell.controller.handle(want.PickPoint(first.key, float(x), float(y)))
        rest()
        assert f"pixel {x}, {y}: speckles live " in speckle.place.text()
        hands.click(speckle.run, 10, 10)
        qtbot.waitUntil(lambda: len(session().slots) == 5, timeout=TIMEOUT)
        rest()
        assert [s.title.split(":")[0] for s in session().slots[1:4]] == ["Ic", "Is", "Ip"]
        assert session().slots.index(session().slot()) == 1

        # files: image, light curve, maps, a calibrated list
        shell.controller.handle(want.SelectSlot(first.key))
        names = [str(tmp_path / n) for n in ("image.fits", "curve.fits", "maps.fits", "calibrated.h5")]
        shell.controller.handle(want.SavePhotons("image", names[0]))
        shell.controller.handle(want.SaveLight("curve", names[1]))
        shell.controller.handle(want.SaveSpeckle(names[2]))
        shell.controller.handle(want.WriteCalibrated(names[3]))
        rest()
        with fits.open(names[0]) as hdus:
            np.testing.assert_array_equal(np.nan_to_num(hdus["SCIENCE"].data), shown_counts(session().slot()))
        assert len(list(tmp_path.glob("curve*.fits"))) == 2  # the pixel and the box
        with fits.open(names[2]) as hdus:
            assert hdus["DECAY"].header["LIFE"] > 0
        assert photons.open_source(names[3], index=False).info.calibrated

        # a wrong file is refused in one sentence, and nothing changes
        before = frame_of(session().slot()).stack
        shell.controller.handle(want.LoadCalibration("", files.photons))
        qtbot.waitUntil(lambda: session().messages[-1].level is Level.ERROR, timeout=TIMEOUT)
        assert "neither a wavelength solution nor a flat" in session().messages[-1].text
        assert frame_of(session().slot()).stack is before

        # close everything
        while session().slots:
            hands.key("w", "Control_L")
        settle(qtbot, shell)
        assert session().slot() is None


def test_problems_are_named_with_no_action_and_a_light_curve_takes_one(
    qtbot: QtBot, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out, hot, path = (6, 5), (12, 20), str(tmp_path / "spoiled.h5")
    array = make_array(dead=0, cold=0, hot=0, unsolved=0, seed=2)
    light = simulate_photons(array=array, duration=5.0, scene=Scene(sky=45.0), seed=1)[0]
    write_photons(path, faults.lit(faults.timed_out(light, [out], 1.0, 3.0), [hot], 500.0))
    with window(qtbot, path, size=(1280, 800), judges=True) as shell:
        shell.window.activateWindow()
        session = lambda: shell.store.session  # noqa: E731
        qtbot.waitUntil(lambda: "time" in shell.window.verdict.headline.text(), timeout=TIMEOUT)
        settle(qtbot, shell)

        # 0 actions: hot pixels and time-outs are named
        headline = shell.window.verdict.headline.text()
        assert "1 resonator times out" in headline
        assert "1 hot pixel" in headline

        # 1 action: the light curve of the pixel that is clicked
        hands.click_at(shell.window.canvas, lambda: screen_of(shell, session().current, *out))
        qtbot.waitUntil(lambda: session().lights is not None and bool(session().lights.found), timeout=TIMEOUT)
        settle(qtbot, shell)
        assert session().lights.found[0].picked.pixel == out
        assert shell.window.docks["light"].widget().isVisible()

        # 1 action more: the problem with its evidence
        hands.key("bracketright")
        settle(qtbot, shell)
        assert shell.window.verdict.place.text() == "problem 1/2"
        assert shell.window.docks["photon-problems"].widget().plot.isVisible()

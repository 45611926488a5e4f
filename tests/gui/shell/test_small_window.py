"""What fresh eyes stumbled over: small screens, buttons that move, boxes not seen on dark, choices only in a dock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QApplication, QCheckBox, QMainWindow
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.frames.look import Smooth
from ifuview.app.night.demo import tour
from ifuview.gui.dialogs.mask_bits import MaskBitsDialog
from ifuview.gui.shell.tour import Tour, TourPanel
from ifuview.gui.window import theme
from ifuview.gui.window.verdict_bar import VerdictBar
from ifuview.model.verdict import VerdictProblem, VerdictState, VerdictView
from tests import demo
from tests.gui.windows import settle, window


@pytest.fixture(scope="module")
def flat() -> str:
    return str(demo.file("preproc"))


def test_the_image_keeps_half_of_a_small_window(qtbot: QtBot, flat: str) -> None:
    """960 x 500: a screen of 1920 x 1080 at 200 %, less frame and panel."""
    with window(qtbot, flat, size=(960, 500)) as shell:
        canvas = shell.window.canvas
        assert canvas.width() * canvas.height() >= 0.45 * 960 * 500  # half with the bar of the colors
        assert canvas.width() >= 0.7 * 960
        shown = {key for key, dock in shell.window.docks.items() if not dock.isHidden()}
        assert {"spectrum", "section", "quality", "frames"} == shown
        shell.window.docks["spectrum"].setFloating(True)
        shell.window.actions_by_name["reset-layout"].trigger()
        settle(qtbot, shell)
        assert canvas.width() >= 0.7 * 960 and not shell.window.docks["spectrum"].isFloating()


@pytest.mark.parametrize("size", [(1280, 800), (960, 500)])
def test_a_cube_in_a_small_window_shows_its_spectrum(qtbot: QtBot, tmp_path: Path, size: tuple[int, int]) -> None:
    """Its cross-section, which is in front for other images, is away; frames and limits are tools."""
    path = tmp_path / "cube.fits"
    cube = fits.PrimaryHDU(np.random.default_rng(1).normal(size=(5, 12, 14)).astype(np.float32))
    cube.header.update(CTYPE3="WAVE", CUNIT3="nm", CRPIX3=1.0, CRVAL3=500.0, CDELT3=2.0)
    cube.writeto(path)
    with window(qtbot, str(path), size=size) as shell:
        docks = shell.window.docks
        front = {key for key, dock in docks.items() if dock.isVisible() and not dock.visibleRegion().isEmpty()}
        assert front == {"spectrum"}


def test_the_buttons_of_the_tour_stay_where_they_are(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        panel = TourPanel(shell.controller, tour({"kink": 61, "dead": 37, "bump": 62}))
        shell.window.add_strip(panel)
        heights = set()
        for place in range(len(panel.stops)):
            panel.go(place)
            qtbot.wait(30)
            settle(qtbot, shell)
            heights.add((panel.height(), panel.next.y()))
        assert len(heights) == 1


def test_unchecked_boxes_are_seen_on_dark(qtbot: QtBot) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    try:
        theme.apply(app, "dark")
        box = QCheckBox("here")
        qtbot.addWidget(box)
        box.show()
        inside, around = (
            box.palette().color(role).lightness() for role in (QPalette.ColorRole.Base, QPalette.ColorRole.Window)
        )
        assert inside - around > 50
    finally:
        theme.apply(app, "light")
    box = QCheckBox("there")
    qtbot.addWidget(box)
    assert box.palette().color(QPalette.ColorRole.Base).lightness() > 200


def test_a_cube_of_photons_is_not_asked_about_without_photons(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        shell.window.actions_by_name["save-photon-cube"].trigger()  # no dialog waits for an answer
        assert shell.store.session.messages[-1].text == "open a photon list first"


def test_smoothing_and_mask_bits_by_action(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        actions = shell.window.actions_by_name
        look = lambda: shell.store.session.slot().look  # noqa: E731
        actions["smooth-boxcar"].trigger()
        assert look().smooth is Smooth.BOXCAR
        before = look().smooth_radius
        actions["smooth-wider"].trigger()
        assert look().smooth_radius == pytest.approx(1.5 * before)
        actions["smooth-none"].trigger()
        assert look().smooth is Smooth.NONE
        actions["mask-bits"].trigger()
        dialog = shell.window.findChild(MaskBitsDialog)
        assert dialog is not None and len(dialog.boxes) > 1
        bit = sorted(dialog.boxes)[1]
        dialog.boxes[bit].click()
        assert look().mask_shown == 1 << bit
        dialog.close()


def test_traces_that_come_while_a_frame_is_diagnosed_are_diagnosed(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        slot = shell.store.session.slot()
        assert slot is not None and slot.traces is not None
        shell.controller.handle(want.Diagnose())
        later = replace(slot.traces, name="later")
        shell.store.put(shell.store.session.with_slot(replace(slot, traces=later)))
        settle(qtbot, shell)
        now = shell.store.session.slot()
        assert now.diagnosis is not None and now.diagnosis.given is later


def test_difference_and_ratio_are_told_apart_in_the_list(qtbot: QtBot, flat: str) -> None:
    other = str(sorted(Path(flat).parent.glob("preproc-*"))[-1])
    with window(qtbot, flat, other) as shell:
        session = shell.store.session
        first, second = (s.key for s in session.slots)
        for how in ("difference", "ratio"):
            shell.controller.handle(want.Combine(first, second, how))
            settle(qtbot, shell)
        qtbot.waitUntil(lambda: shell.window.docks["frames"].widget() is not None)
        from ifuview.app.frames.views import frames

        titles = [row.title for row in frames.make(shell.store.session).rows][2:]
        assert [t.split(":")[0] for t in titles] == ["Difference", "Ratio"]


def test_a_preview_spans_the_plot_in_each_frame(qtbot: QtBot) -> None:
    from ifuview.app.spectra.views.spectrum import SpectrumHover
    from ifuview.gui.spectra.spectrum import SpectrumDock
    from ifuview.model.inspection import FiberSpectrum

    dock = SpectrumDock()
    qtbot.addWidget(dock)
    dock.show()
    pixel = np.arange(100.0)
    for start in (4000.0, 7000.0):  # as after Tab to the frame of another camera, with the pointer at rest
        wave, flux = start + 2 * pixel, np.ones(100) + pixel % 2
        row = FiberSpectrum("3", pixel, wave, flux, None, np.zeros(100, bool), "row", "", "frame")
        dock.hover(SpectrumHover(50.0, start + 100, row))
        lo, hi = dock.plot.plotItem.vb.viewRange()[0]
        assert lo <= start + 20 and hi >= start + 180 and hi - lo < 300


def test_the_demo_fits_the_screen_and_begins_with_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    from ifuview.gui.shell import app
    from ifuview.gui.shell.shell import Shell

    made = []
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.setattr(app, "make_shell", made.append)
    with pytest.raises(AttributeError):
        app.run_demo()
    (options,) = made
    shell = Shell(options)
    room = shell.app.primaryScreen().availableGeometry()
    assert shell.window.width() <= room.width() and shell.window.height() <= room.height()
    shell.take_down()
    assert tour({"kink": 61, "dead": 37, "bump": 62})[0].title == "The verdict first"


@pytest.mark.parametrize("width", [700, 500])
def test_the_words_of_the_verdict_are_read_in_a_narrow_window(qtbot: QtBot, width: int) -> None:
    """The buttons stand below them, and the bar is as high as both."""
    holder = QMainWindow()
    qtbot.addWidget(holder)
    bar = VerdictBar(holder)
    holder.resize(width, 700)
    holder.show()
    problem = VerdictProblem(VerdictState.WRONG, "sky", "SKY MODEL wrong", "", (0,))
    bar.draw(VerdictView(
        VerdictState.WRONG, "SKY MODEL wrong: blocks of fibers deviate \u00b7 r6 r7 r8 \u00b7 6352-6879 \u00c5",
        "FIBER 3000-3049", "judged 12 of 12, 4 questions not asked", problems=(problem, problem), problem=0, proof=True,
        more=(("Blink the exposures", ()),),
    ))  # fmt: skip
    qtbot.wait(50)
    assert bar.headline.width() > 0.9 * bar.width()
    assert bar.headline.height() >= bar.headline.heightForWidth(bar.headline.width())
    assert bar.list.y() > bar.headline.y() and bar.list.geometry().right() < bar.width()
    assert max(part.geometry().bottom() for part in (bar.list, bar.detail, bar.judged)) < bar.height() < 160
    holder.resize(1200, 700)
    qtbot.wait(50)
    assert bar.list.y() < bar.headline.geometry().bottom() and bar.list.x() > bar.headline.geometry().right()


def test_what_else_shows_a_problem_is_chosen_by_keys(qtbot: QtBot) -> None:
    holder = QMainWindow()
    qtbot.addWidget(holder)
    bar = VerdictBar(holder)
    assert not bar.open_menu()
    asked: list[object] = []
    bar.intent.connect(asked.append)
    more = (("Sky fibers", (want.ShowDock("sky"),)), ("Tables", (want.ShowDock("tables"),)))
    bar.draw(VerdictView(VerdictState.WRONG, "SKY MODEL wrong", more=more))
    holder.show()
    assert bar.open_menu()
    qtbot.keyClick(bar.menu, Qt.Key.Key_Down)
    qtbot.keyClick(bar.menu, Qt.Key.Key_Return)
    assert asked == [want.ShowDock("tables")]
    bar.draw(VerdictView(VerdictState.CLEAN, "nothing found"))
    assert not bar.open_menu()


def test_the_first_stop_of_the_tour_is_of_one_problem_when_all_is_judged(qtbot: QtBot) -> None:
    """Bar, fiber and panel speak of the kink though the sky is judged later, unless one has gone on."""
    with window(qtbot, judges=False) as shell:
        stops = tour({"kink": 61, "dead": 37, "bump": 62})
        panel = Tour(shell.controller, shell.window, stops, None)
        qtbot.waitUntil(lambda: panel.panel.place == 0)
        asked = []
        shell.controller.shell.connect(asked.append)
        qtbot.waitUntil(lambda: want.ShowDock("findings") in asked)  # once more
        assert [(stop.fiber, stop.dock) for stop in stops[:1]] == [(61, "findings")]
        panel.panel.go(1)
        asked.clear()
        panel._when_judged()
        qtbot.wait(120)
        assert panel.panel.place == 1 and not asked

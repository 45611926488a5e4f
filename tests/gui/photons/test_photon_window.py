"""Photon lists in the window: flags, live re-binning, playing, two frames, saving, and what goes wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app import readout
from ifuview.app.frames.look import LimitMode
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.photons import lists as photons
from ifuview.app.photons.counting import images
from ifuview.app.photons.state import Shown
from ifuview.app.photons.views.flags import CMAP, class_of, classes
from ifuview.app.session import Layout, Level
from ifuview.gui.shell.shell import Shell
from ifuview.model.photons.lists import PhotonCut
from tests import demo
from tests.app.photons.photon_files import write_files
from tests.app.photons.test_beammaps import beammap_text, words_of
from tests.gui.windows import TIMEOUT, settle, window
from tests.io.photons.raw.test_packets import SECOND, put


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_files(tmp_path_factory.mktemp("photons"), 4.0, calibrated=True).photons


@pytest.fixture
def shell(qtbot: QtBot, path: str) -> Iterator[Shell]:
    with window(qtbot, path) as found:
        qtbot.waitUntil(lambda: frame(found) is not None and frame(found).live is not None, timeout=TIMEOUT)
        settle(qtbot, found)
        yield found


def frame(shell: Shell) -> Any:
    slot = shell.store.session.slot()
    return None if slot is None else slot.photons


def ask(qtbot: QtBot, shell: Shell, *asked: want.Intent) -> None:
    for intent in asked:
        shell.controller.handle(intent)
        settle(qtbot, shell)


def dock_of(qtbot: QtBot, shell: Shell) -> Any:
    qtbot.waitUntil(lambda: shell.window.docks["photons"].widget() is not None, timeout=TIMEOUT)
    qtbot.wait(80)
    return shell.window.docks["photons"].widget()


def truth(path: str, cut: PhotonCut) -> np.ndarray:
    return photons.image(photons.open_source(path, index=False), cut).counts


def mouse(widget: Any, kind: QEvent.Type, x: float) -> None:
    at, left, none = QPointF(x, widget.height() / 2), Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind is QEvent.Type.MouseMove else left
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def test_it_opens_with_its_flags_and_a_legend(qtbot: QtBot, shell: Shell) -> None:
    slot = shell.store.session.slot()
    assert frame(shell).shown is Shown.FLAGS
    assert slot.look.cmap == CMAP
    assert not shell.window.colorbar.isVisible()
    beammap = frame(shell).source.info.beammap
    np.testing.assert_array_equal(slot.image.pixels.raw, classes(beammap))
    legend = dock_of(qtbot, shell).flags
    counts = [legend.topLevelItem(n).text(1) for n in range(legend.topLevelItemCount())]
    rows = dict(zip(legend.boxes, counts))
    name = next(iter(n for n in beammap.flag_names if beammap.flagged([n]).any()))
    assert int(rows[name]) == beammap.flagged([name]).sum()
    j, i = np.argwhere(beammap.flagged([name]))[0]
    fields = dict(readout.readout(shell.store.session, slot.key, float(i), float(j)).fields)
    assert name in fields["flags"]
    assert class_of(name) != class_of("nothing known")


def test_counts_follow_a_dragged_slider_and_are_exact_on_release(qtbot: QtBot, shell: Shell, path: str) -> None:
    ask(qtbot, shell, want.ShowPhotons("counts"))
    everything = truth(path, PhotonCut())
    np.testing.assert_array_equal(frame(shell).image.counts, everything)
    slider = dock_of(qtbot, shell).value.slider
    seen: list[Any] = []
    shell.store.changed.connect(lambda _old, new: seen.append(new.slot().image))
    mouse(slider, QEvent.Type.MouseButtonPress, 4)
    for x in range(10, 120, 10):
        before = len(seen)
        mouse(slider, QEvent.Type.MouseMove, x)
        qtbot.waitUntil(lambda before=before: len(seen) > before, timeout=30_000)  # pictures while the button is down
    assert len({id(image) for image in seen}) > 4
    assert slider.held == "low"
    mouse(slider, QEvent.Type.MouseButtonRelease, 110)
    settle(qtbot, shell)
    cut = frame(shell).cut
    assert cut.low is not None
    assert cut.high is None
    counted = truth(path, cut)
    assert 0 < counted.sum() < everything.sum()
    np.testing.assert_array_equal(frame(shell).image.counts, counted)
    shown = shell.store.session.slot().image.pixels.raw
    left_out = frame(shell).image.excluded
    np.testing.assert_array_equal(shown[~left_out], counted[~left_out])
    assert np.isnan(shown[left_out]).all()


def test_auto_limits_follow_and_limits_of_the_user_stay(qtbot: QtBot, shell: Shell) -> None:
    ask(qtbot, shell, want.ShowPhotons("counts"))
    slot = shell.store.session.slot()
    wide = slot.look.hi
    few = replace(frame(shell).cut, stop=0.5)
    ask(qtbot, shell, want.SetPhotonCut(slot.key, few))
    assert shell.store.session.slot().look.hi < 0.5 * wide
    mine = replace(shell.store.session.slot().look, limit_mode=LimitMode.USER, lo=0.0, hi=7.0)
    ask(qtbot, shell, want.SetLook(slot.key, mine), want.SetPhotonCut(slot.key, replace(few, stop=None)))
    assert (shell.store.session.slot().look.lo, shell.store.session.slot().look.hi) == (0.0, 7.0)
    ask(qtbot, shell, want.ShowPhotons("flags"), want.ShowPhotons("counts"))
    assert shell.store.session.slot().look.hi == 7.0


def test_the_read_out_names_pixel_resonator_photons_and_error(qtbot: QtBot, shell: Shell) -> None:
    ask(qtbot, shell, want.ShowPhotons("counts"))
    counted = frame(shell).image
    j, i = np.unravel_index(np.argmax(counted.counts), counted.counts.shape)
    n = int(counted.counts[j, i])
    key = shell.store.session.current
    fields = dict(readout.readout(shell.store.session, key, float(i), float(j)).fields)
    assert fields["photons"].startswith(f"{n} ± {n**0.5:.1f}"[:6])
    ident = int(counted.info.beammap.ids[counted.info.beammap.index[j, i]])
    assert fields["resonator"].startswith(str(ident))
    ask(qtbot, shell, want.ShowPhotons("rate"))
    fields = dict(readout.readout(shell.store.session, key, float(i), float(j)).fields)
    assert fields["rate"].endswith("photons/s")
    assert float(fields["rate"].split()[0]) == pytest.approx(n / counted.exposure, rel=1e-3)
    j, i = np.argwhere(counted.excluded)[0]
    fields = dict(readout.readout(shell.store.session, key, float(i), float(j)).fields)
    assert "left out" in fields[""]


def test_unchecking_a_flag_counts_its_pixels(qtbot: QtBot, shell: Shell, path: str) -> None:
    ask(qtbot, shell, want.ShowPhotons("counts"))
    legend = dock_of(qtbot, shell).flags
    before = frame(shell).image.npixel_excluded
    first, box = next((name, box) for name, box in legend.boxes.items() if box.isChecked())
    box.click()
    settle(qtbot, shell)
    assert not box.isChecked()
    assert first not in frame(shell).cut.exclude
    assert frame(shell).image.npixel_excluded <= before
    np.testing.assert_array_equal(frame(shell).image.counts, truth(path, frame(shell).cut))


def test_time_plays_in_steps_around_the_end(qtbot: QtBot, shell: Shell, path: str) -> None:
    key = shell.store.session.current
    start = replace(frame(shell).cut, start=3.6, stop=3.7)
    ask(qtbot, shell, want.SetPhotonCut(key, start))
    seen: list[Any] = []
    shell.store.changed.connect(lambda _old, new: seen.append(new.slot().photons))
    shell.controller.handle(want.PlayPhotons(True, 0.1, 50.0))
    qtbot.waitUntil(lambda: any(p.cut.start == pytest.approx(0.2) for p in seen), timeout=TIMEOUT)
    shell.controller.handle(want.PlayPhotons(False))
    settle(qtbot, shell)
    assert not frame(shell).playing
    steps = {round(p.cut.start, 6): p for p in seen if p.image is not None and p.image.cut is p.cut}
    assert {3.7, 3.8, 3.9, 0.0, 0.1} <= set(steps)
    one = steps[3.8]
    np.testing.assert_array_equal(one.image.counts, truth(path, PhotonCut(3.8, 3.9)))
    now = frame(shell).cut
    ask(qtbot, shell, want.SetPhotonCut(key, images.moved(frame(shell), 1)))
    assert frame(shell).cut.start == pytest.approx(now.start + 0.1)


def test_a_difference_of_two_ranges_follows_them(qtbot: QtBot, shell: Shell, path: str) -> None:
    first = shell.store.session.current
    cut = frame(shell).cut
    ask(qtbot, shell, want.SetPhotonCut(first, replace(cut, stop=2.0)), want.CopyPhotons())
    second = shell.store.session.current
    assert second != first
    ask(qtbot, shell, want.SetPhotonCut(second, replace(cut, start=2.0)), want.Combine(second, first, "difference"))
    made = shell.store.session.slot()
    good = ~shell.store.session.slot(first).photons.image.excluded
    expected = truth(path, PhotonCut(2.0)) - truth(path, PhotonCut(None, 2.0))
    np.testing.assert_array_equal(made.image.pixels.raw[good], expected[good])
    ask(qtbot, shell, want.SetPhotonCut(first, replace(cut, stop=1.0)))
    expected = truth(path, PhotonCut(2.0)) - truth(path, PhotonCut(None, 1.0))
    followed = shell.store.session.slot(made.key)
    np.testing.assert_array_equal(followed.image.pixels.raw[good], expected[good])
    assert dock_of(qtbot, shell)._view.key == second  # the sliders of what the difference is made from
    assert len({slot.title for slot in shell.store.session.slots}) == 3


def test_what_is_saved_adds_up_and_movies_move(qtbot: QtBot, shell: Shell, path: str, tmp_path: Path) -> None:
    from astropy.io import fits
    from PIL import Image

    ny, nx = shell.store.session.slot().image.shape
    shell.controller.handle(want.PlayPhotons(False, 0.5))
    ask(qtbot, shell, want.ShowPhotons("counts"))
    for what, shape in (("image", (ny, nx)), ("cube", (4, ny, nx)), ("movie", (8, ny, nx))):
        ask(qtbot, shell, want.SavePhotons(what, str(tmp_path / f"{what}.fits"), "time", 4))
        data = fits.getdata(tmp_path / f"{what}.fits", "SCIENCE")
        assert data.shape == shape
        assert data.sum() == truth(path, PhotonCut()).sum()
    for name in ("m.gif", "m.png"):
        ask(qtbot, shell, want.SavePhotons("movie", str(tmp_path / name)))
        with Image.open(tmp_path / name) as movie:
            assert movie.n_frames == 8
            assert movie.size[0] == 4 * nx
    ask(qtbot, shell, want.SavePhotons("movie", str(tmp_path / "m.mpg")))
    assert "cannot be written" in shell.store.session.messages[-1].text
    assert len(list(tmp_path.iterdir())) == 5  # nothing half written


def test_a_movie_is_saved_while_the_list_plays(qtbot: QtBot, shell: Shell, tmp_path: Path) -> None:
    shell.controller.handle(want.PlayPhotons(True, 0.5, 20.0))
    qtbot.waitUntil(lambda: frame(shell).playing, timeout=TIMEOUT)
    for name in ("a.gif", "b.gif"):
        shell.controller.handle(want.SavePhotons("movie", str(tmp_path / name)))
        qtbot.waitUntil((tmp_path / name).exists, timeout=TIMEOUT)
    assert frame(shell).playing and shell.player.timer.isActive()
    shell.controller.handle(want.PlayPhotons(False))
    settle(qtbot, shell)
    assert not [m for m in shell.store.session.messages if m.level is Level.ERROR]


def test_a_range_outside_the_file_is_a_message(qtbot: QtBot, shell: Shell) -> None:
    key, before = shell.store.session.current, frame(shell).cut
    ask(qtbot, shell, want.SetPhotonCut(key, replace(before, start=100.0)))
    message = shell.store.session.messages[-1]
    assert message.level is Level.ERROR
    assert "outside the file" in message.text
    assert frame(shell).cut == before
    ask(qtbot, shell, want.ShowPhotons("counts"))
    assert frame(shell).image.photons > 0


def test_a_typed_end_takes_the_other_along(qtbot: QtBot, shell: Shell) -> None:
    dock = dock_of(qtbot, shell)
    low, high = dock.value.boxes
    low.setValue(800.0)
    high.setValue(1000.0)
    low.setValue(1200.0)
    qtbot.waitUntil(lambda: (frame(shell).cut.low, frame(shell).cut.high) == (1200.0, 1400.0), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: frame(shell).shown is Shown.COUNTS, timeout=TIMEOUT)  # a range asks for a count


def test_a_file_that_changes_is_a_message(qtbot: QtBot, path: str, tmp_path: Path) -> None:
    copy = tmp_path / "changing.h5"
    copy.write_bytes(Path(path).read_bytes())
    with window(qtbot, str(copy)) as shell:
        qtbot.waitUntil(lambda: frame(shell) is not None and frame(shell).live is not None, timeout=TIMEOUT)
        os.utime(copy, ns=(1, 1))
        ask(qtbot, shell, want.ShowPhotons("counts"))
        assert any("changed since it was opened" in m.text for m in shell.store.session.messages)
        ask(qtbot, shell, want.Reload(), want.ShowPhotons("counts"))
        assert frame(shell).image.photons > 0


def test_without_an_index_counts_read_the_file(qtbot: QtBot, path: str, tmp_path: Path) -> None:
    copy = tmp_path / "plain.h5"
    copy.write_bytes(Path(path).read_bytes())
    with window(qtbot) as shell:
        index = JobKey(JobKind.INDEX, str(copy))
        shell.controller.handle(want.OpenFile(str(copy)))
        qtbot.waitUntil(lambda: shell.controller.jobs.book.active(index) is not None, timeout=TIMEOUT)
        shell.controller.handle(want.CancelJob(None))
        settle(qtbot, shell)
        assert not list(tmp_path.glob(".plain.h5.ifuview-index-*"))  # nothing half made
        ask(qtbot, shell, want.ShowPhotons("counts"))
        np.testing.assert_array_equal(frame(shell).image.counts, truth(str(copy), PhotonCut()))
        ask(qtbot, shell, want.IndexPhotons())
        assert frame(shell).live is not None


def test_a_list_of_phases_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    raw = write_files(tmp_path, 1.0).photons
    with window(qtbot, raw) as shell:
        qtbot.waitUntil(lambda: frame(shell) is not None, timeout=TIMEOUT)
        settle(qtbot, shell)
        dock = dock_of(qtbot, shell)
        assert dock.value.label.text() == "Phase"
        assert dock.value.boxes[0].suffix() == " °"
        assert "phases" in dock.headline.text()


def test_a_command_line_chooses_range_and_picture(qtbot: QtBot, path: str) -> None:
    with window(qtbot, path, "-time", "1", "3", "-wave", "900", "1200", "-photons", "rate") as shell:
        qtbot.waitUntil(lambda: frame(shell) is not None and frame(shell).shown is Shown.RATE, timeout=TIMEOUT)
        settle(qtbot, shell)
        np.testing.assert_array_equal(frame(shell).image.counts, truth(path, PhotonCut(1.0, 3.0, 900.0, 1200.0)))
        assert shell.store.session.slot().title == "science: 1.00–3.00 s, 900–1200 nm"


def test_a_second_click_on_blink_stops_it_and_the_headline_keeps_its_height(qtbot: QtBot, shell: Shell) -> None:
    dock = dock_of(qtbot, shell)
    assert not dock.blink.isEnabled()
    ask(qtbot, shell, want.ShowPhotons("counts"), want.CopyPhotons())
    height = dock.headline.height()
    for on in (True, False):
        dock.blink.click()
        settle(qtbot, shell)
        assert (shell.store.session.layout is Layout.BLINK) is on
        assert dock.blink.isChecked() is on
    dock.headline.setText("photons " * 100)
    qtbot.wait(60)
    assert dock.headline.height() == height


def test_docks_of_fibers_make_room_and_the_light_comes_with_the_first_click(qtbot: QtBot, shell: Shell) -> None:
    docks = shell.window.docks
    hidden = lambda *keys: {docks[key].isHidden() for key in keys}  # noqa: E731
    assert hidden("section", "quality", "spectrum", "light") == {True}
    assert hidden("photons", "calibrations") == {False}
    assert shell.window.canvas.height() > 0.7 * shell.window.height()
    ask(qtbot, shell, want.PickPoint(shell.store.session.current, 5.0, 5.0))
    assert hidden("light") == {False}
    docks["light"].hide()
    ask(qtbot, shell, want.PickPoint(shell.store.session.current, 6.0, 5.0))
    assert hidden("light") == {True}  # who closed it does not want it
    ask(qtbot, shell, want.OpenFile(str(demo.file("preproc"))))
    assert hidden("section", "quality", "spectrum") == {False}


def test_counts_of_unequal_times_are_no_comparison(qtbot: QtBot, shell: Shell) -> None:
    first, cut = shell.store.session.current, frame(shell).cut
    ask(qtbot, shell, want.SetPhotonCut(first, replace(cut, stop=2.0, low=900.0)), want.CopyPhotons())
    second = shell.store.session.current
    ask(qtbot, shell, want.SetPhotonCut(second, replace(cut, start=3.9)), want.Combine(second, first, "difference"))
    said = shell.store.session.messages[-1]
    assert said.level is Level.WARNING
    assert "counts of 0.1 s and of 2 s" in said.text
    rows = shell.window.docks["frames"].widget()._view.rows
    assert [row.subtitle for row in rows[:2]] == ["0.00\u20132.00 s, > 900 nm", "3.900\u20134.000 s"]
    assert rows[2].title == "Difference: science (2) \u2212 science"
    assert rows[2].subtitle == "3.900\u20134.000 s \u2212 0.00\u20132.00 s, > 900 nm"
    ask(qtbot, shell, want.PickPoint(shell.store.session.current, 5.0, 5.0), want.ShowDock("light"))
    qtbot.waitUntil(lambda: shell.store.session.lights is not None, timeout=TIMEOUT)
    assert shell.store.session.lights.request.key == second


def test_packets_take_a_beam_map(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "bin"
    folder.mkdir()
    put(folder, SECOND, words_of([(x, y) for x in range(80) for y in range(0, 125, 5)]))
    with window(qtbot, str(folder)) as shell:
        qtbot.waitUntil(lambda: frame(shell) is not None and frame(shell).live is not None, timeout=TIMEOUT)
        settle(qtbot, shell)
        assert frame(shell).beammap == ""
        path = beammap_text(tmp_path / "map.txt")
        ask(qtbot, shell, want.UseBeammap(path))
        qtbot.waitUntil(lambda: frame(shell).live is not None, timeout=TIMEOUT)
        settle(qtbot, shell)
        assert frame(shell).beammap == path
        assert frame(shell).source.info.beammap.ids[0] == 10000
        assert any("placed by map.txt" in m.text for m in shell.store.session.messages)
        ask(qtbot, shell, want.ShowPhotons("counts"))
        assert frame(shell).image.counts.sum() == 2000
        assert not [m.text for m in shell.store.session.messages if m.level is Level.ERROR]
    with window(qtbot, write_files(tmp_path, 0.5).photons) as shell:
        ask(qtbot, shell, want.UseBeammap(path))
        assert "beam map of its own" in shell.store.session.messages[-1].text
        assert frame(shell) is not None


def test_who_looks_at_speckles_is_not_sent_to_the_light(qtbot: QtBot, shell: Shell) -> None:
    ask(qtbot, shell, want.ShowDock("speckle"), want.PickPoint(shell.store.session.current, 5.0, 5.0))
    assert shell.window.docks["light"].isHidden()
    assert not shell.window.docks["speckle"].isHidden()

"""The window as a whole: what is open stays open whatever else fails, hidden docks cost nothing, every action works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtGui import QKeySequence
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.desk import PANELS, Desk
from ifuview.app.frames.look import LimitMode, Reduction, Transfer
from ifuview.app.session import Layout, Level
from ifuview.gui.docks import DOCKS
from ifuview.gui.window.menus import ACTIONS
from tests.gui.windows import settle, window


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("images") / "image.fits", seed=1)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("images") / "other.fits", seed=2)


def write(path: Path, seed: int) -> str:
    from astropy.io import fits

    rng = np.random.default_rng(seed)
    data = rng.normal(100, 5, (60, 90)).astype(np.float32)
    hdus = [fits.PrimaryHDU(data), fits.ImageHDU(np.full(data.shape, 0.04, np.float32), name="IVAR")]
    fits.HDUList(hdus).writeto(path)
    return str(path)


def test_a_file_that_fails_disturbs_nothing_that_is_open(qtbot: QtBot, image: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.fits"
    bad.write_bytes(Path(image).read_bytes()[:4000])
    empty = tmp_path / "empty"
    empty.mkdir()
    with window(qtbot, image) as shell:
        before = shell.store.session.slots
        for spec in (str(bad), str(tmp_path / "missing.fits"), str(empty)):
            shell.controller.handle(want.OpenFile(spec))
            settle(qtbot, shell)
            last = shell.store.session.messages[-1]
            assert last.level is Level.ERROR
            assert Path(spec).name in last.text
            assert last.detail == ""  # no trace back for what the user can understand
            assert shell.window.banner.label.text().startswith(last.text)
        assert "and 2 more" in shell.window.banner.label.text()
        assert "\n" not in shell.window.banner.label.text()
        assert shell.store.session.slots == before
        assert shell.window.status_line.note.text()
        shell.window.menus.commands.escape()
        assert not shell.window.banner.isVisible()
        assert not shell.window.status_line.note.text()
        shell.controller.handle(want.OpenFile(str(bad)))
        settle(qtbot, shell)
        assert "more" not in shell.window.banner.label.text()  # those before were read
        shell.controller.handle(want.OpenFile(image))
        settle(qtbot, shell)
        assert len(shell.store.session.slots) == 2
        assert not shell.window.banner.isVisible()
        shell.controller.say(Level.ERROR, "this did not work")
        assert shell.window.banner.isVisible()
        shell.controller.handle(want.SetLayout(Layout.BLINK))
        assert not shell.window.banner.isVisible()
        assert shell.window.windowTitle().startswith("Blinking 2 frames, from ")


def test_hidden_docks_are_neither_built_nor_drawn(qtbot: QtBot, image: str) -> None:
    with window(qtbot, image) as shell:
        hidden = [e.key for e in DOCKS if e.key not in PANELS[Desk.TRACES]]
        assert hidden
        assert not any(key in shell.presenter.parts for key in hidden)
        shell.window.dock_area.show("header")
        settle(qtbot, shell)
        assert shell.presenter.parts["header"].last is not None
        shell.window.dock_area.show("header", False)
        drawn = shell.presenter.parts["header"].last
        shell.controller.handle(want.CloseSlot())
        assert shell.presenter.parts["header"].last is drawn


def test_every_action_can_be_triggered(
    qtbot: QtBot, image: str, other: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from PyQt6.QtWidgets import QDialog, QFileDialog, QInputDialog, QMessageBox

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a: ([], ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: ("", ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: "")
    monkeypatch.setattr(QInputDialog, "getInt", lambda *a: (0, False))
    for name in ("getText", "getMultiLineText", "getItem", "getDouble"):
        monkeypatch.setattr(QInputDialog, name, lambda *a, **k: ("", False))
    monkeypatch.setattr(QMessageBox, "about", lambda *a: None)
    monkeypatch.setattr(QDialog, "exec", lambda self: 0)
    skipped = {"quit", "demo"}
    with window(qtbot, image, other) as shell:
        for action in ACTIONS:
            if action.name in skipped:
                continue
            shell.window.actions_by_name[action.name].trigger()
            qtbot.wait(1)
        settle(qtbot, shell)
        wrong = [m.text for m in shell.store.session.messages if "inside ifuview" in m.text]
        assert wrong == []
        for dialog in shell.window.findChildren(QDialog):
            dialog.close()


def test_no_key_means_two_things() -> None:
    seen: dict[str, str] = {}
    for action in ACTIONS:
        for key in action.keys:
            text = QKeySequence(key).toString()
            assert text, f"{action.name}: {key!r} is no key"
            assert text not in seen, f"{text}: {action.name} and {seen[text]}"
            seen[text] = action.name


@pytest.mark.parametrize(
    ("words", "check"),
    [
        (["-minmax", "{a}"], lambda s: s.slot().look.limit_mode is LimitMode.MINMAX),
        (["-scale", "99", "{a}"], lambda s: s.slot().look.percent == 99),
        (["{a}", "-scale", "limits", "90", "110"], lambda s: (s.slot().look.lo, s.slot().look.hi) == (90, 110)),
        (["{a}", "-log", "-cmap", "viridis"], lambda s: s.slot().look.transfer is Transfer.LOG),
        (["{a}", "-zoom", "4"], lambda s: s.slot().view.zoom == 4 and not s.slot().view.fit),
        (["{a}", "-zoom", "4", "-zoom", "to", "fit"], lambda s: s.slot().view.fit),
        (["{a}", "-pan", "to", "11", "21", "image"], lambda s: (s.slot().view.x, s.slot().view.y) == (10, 20)),
        (["{a}", "-rotate", "90"], lambda s: s.slot().view.rotation == 90),
        (["{a}", "{b}", "-frame", "first"], lambda s: s.current == s.slots[0].key),
        (["{a}", "{b}", "-tile", "column"], lambda s: (s.layout, s.arrangement) == (Layout.TILE, "column")),
        (["{a}", "{b}", "-blink", "interval", "0.25"], lambda s: s.blink_ms == 250),
        (["{a}", "{b}", "-lock", "scale", "yes"], lambda s: s.locks.limits),
        (["{a}", "-zscale", "{b}", "-log", "-match", "scale"],
         lambda s: all(x.look.transfer is Transfer.LOG for x in s.slots)),
        (["-multiframe", "{a}"], lambda s: [x.image.name for x in s.slots][-1] == "IVAR"),
        (["{a}[IVAR]"], lambda s: s.slot().look.lo <= 0.04 <= s.slot().look.hi and "IVAR" in s.slot().title),
        (["{a}", "-invert"], lambda s: s.slot().look.invert),
        (["-mecube", "{a}", "-cube", "2"], lambda s: s.slot().plane == (1,)),
    ],
)  # fmt: skip
def test_the_command_line_is_carried_out_in_order(
    qtbot: QtBot, image: str, other: str, words: list[str], check: Any
) -> None:
    with window(qtbot, *(w.format(a=image, b=other) for w in words)) as shell:
        errors = [m.text for m in shell.store.session.messages if m.level is Level.ERROR]
        assert errors == []
        assert check(shell.store.session)


def test_difference_and_ratio_are_new_frames_with_propagated_errors(qtbot: QtBot, image: str, other: str) -> None:
    with window(qtbot, image, other) as shell:
        a, b = shell.store.session.slots
        shell.controller.handle(want.Combine(a.key, b.key, "difference"))
        settle(qtbot, shell)
        made = shell.store.session.slot()
        expected = a.image.pixels.native() - b.image.pixels.native()
        np.testing.assert_allclose(made.image.pixels.native(), expected, atol=1e-4)
        assert made.look.lo == -made.look.hi


def test_an_unexpected_error_leaves_the_window_alive(qtbot: QtBot, image: str) -> None:
    with window(qtbot, image) as shell:
        try:
            raise ValueError("planted")
        except ValueError as error:
            shell._unexpected(type(error), error, error.__traceback__)
        assert "planted" in shell.store.session.messages[-1].text
        assert "Traceback" in shell.store.session.messages[-1].detail
        for box in shell._boxes:
            box.close()
        shell.controller.handle(want.StepSlot(1))


def test_changing_the_reduction_makes_a_new_pyramid(qtbot: QtBot, image: str) -> None:
    with window(qtbot, image) as shell:
        slot = shell.store.session.slot()
        from dataclasses import replace

        shell.controller.handle(want.SetLook(slot.key, replace(slot.look, reduction=Reduction.EXTREME)))
        settle(qtbot, shell)
        assert shell.store.session.slot().pyramid.kind is Reduction.EXTREME


def test_preferences_take_effect_at_once(qtbot: QtBot, image: str) -> None:
    from ifuview.settings import Settings

    with window(qtbot, image) as shell:
        chosen = Settings(cmap="viridis", limits="99", wheel="center", blink_ms=123)
        shell.controller.handle(want.SetPreferences(chosen))
        assert shell.store.session.blink_ms == 123
        assert shell.window.canvas.wheel_at_center
        shell.controller.handle(want.OpenFile(image))
        settle(qtbot, shell)
        look = shell.store.session.slot().look
        assert (look.cmap, look.limit_mode, look.percent) == ("viridis", LimitMode.PERCENTILE, 99.0)


def test_the_preferences_form_gives_back_what_it_shows(qtbot: QtBot) -> None:
    from ifuview.gui.dialogs.preferences import PreferencesDialog
    from ifuview.settings import Settings

    settings = Settings(cmap="magma", limits="98.7", theme="dark")
    dialog = PreferencesDialog(settings)
    qtbot.addWidget(dialog)
    assert dialog.chosen() == settings


def test_too_much_that_is_open_is_told_and_nothing_more_is_opened(qtbot: QtBot, tmp_path: Path) -> None:
    from astropy.io import fits

    names = [str(tmp_path / f"{k}.fits.gz") for k in range(3)]  # inflated: not mapped
    for k, name in enumerate(names):
        fits.writeto(name, np.random.default_rng(k).normal(100, 5, (512, 768)).astype(np.float32))
    with window(qtbot) as shell:
        chosen = replace(shell.settings, memory_warn_mib=1, memory_limit_mib=2)
        shell.controller.handle(want.SetPreferences(chosen))
        said = []
        for name in names:
            shell.controller.handle(want.OpenFile(name))
            settle(qtbot, shell)
            said.append(shell.store.session.messages[-1].text)
        first, second = shell.store.session.slots  # 1.5 MiB each
        assert "take 1 MiB of memory; close frames" in said[0]
        assert "more than the limit of 2 MiB: nothing more is cached" in said[1]
        assert first.pyramid is None and second.pyramid is None
        assert said[2].startswith(f"{names[2]}: is not opened: the open frames exceed the limit of 2 MiB")
        shell.controller.handle(want.CloseSlot(second.key))
        settle(qtbot, shell)
        assert shell.store.session.slot().pyramid is not None

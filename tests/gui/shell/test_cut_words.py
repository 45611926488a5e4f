"""No word is cut, nothing lies outside, no panel is too low: windows of all systems as they open, at all sizes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ifuview import instrument
from ifuview.app.desk import PANELS, suited
from ifuview.gui.shell.shell import Shell
from ifuview.instrument.tables import Tables
from ifuview.io.photons.lists.write import write_photons
from ifuview.simulate.het.night import Shot, write_night
from ifuview.simulate.het.setup import channel_setup
from ifuview.simulate.photons import faults
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_photons
from ifuview.simulate.photons.scene import Scene
from tests import demo
from tests.app.night.test_health import amplifier
from tests.gui.night.test_first_look import CAMERA, EXPID
from tests.gui.shell.test_room import faults as faults_of
from tests.gui.windows import settle, window

SIZES = ((1280, 772), (1600, 1000), (2560, 1440))  # the first as a window manager leaves it of 1280 x 800
SCALED = (1280, 720)  # of 2560 x 1440 at scale 2


def night(folder: Path) -> str:
    """A camera of a night with a wrong sky model, of the shared data."""
    source = Path(__file__).parents[4] / "shared" / "data" / "desi"
    if not source.is_dir():
        pytest.skip("the shared data are not there")
    for path in source.glob(f"exposures/*/*/*-{CAMERA}-*{EXPID}*"):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path)
    return str(folder)


def heads(folder: Path) -> str:
    """A raw exposure of a fiber head with a noisy amplifier."""
    for name in ("LL", "LU", "RU", "RL"):
        amplifier(folder, name, 1, 24.0 if name == "RL" else 3.0)
    return str(folder)


def channel(folder: Path) -> str:
    """A raw night of one channel, that nothing is wrong with."""
    spec = instrument.instrument("lrs2")
    made = channel_setup(spec, Tables("lrs2"), "uv", ("503", "056", "7001"), 20240801, seed=4)
    shots = [Shot(1, "zro", "zero"), Shot(8, "drk", "STAR_056_W", 10.0)]
    write_night(folder, spec, [made], shots, 20240801, packing="")
    return str(folder)


def photons(folder: Path) -> str:
    """A photon list with a hot pixel."""
    array = make_array(dead=0, cold=0, hot=0, unsolved=0, seed=2)
    made = simulate_photons(array=array, duration=2.0, scene=Scene(sky=45.0), seed=1)[0]
    write_photons(str(folder / "list.h5"), faults.lit(made, [(12, 20)], 500.0))
    return str(folder / "list.h5")


def traces(_folder: Path) -> str:
    """A flat with a kinked trace and a dead fiber."""
    return str(demo.file("preproc"))


SYSTEMS: dict[str, Callable[[Path], str]] = {
    "night": night, "channel": channel, "heads": heads, "photons": photons, "traces": traces,
}  # fmt: skip


def walked(qtbot: QtBot, path: str, sizes: tuple[tuple[int, int], ...]) -> list[str]:
    """All that is wrong with the window of some data at some sizes, judged as it is on opening."""
    with window(qtbot, path, size=sizes[0], judges=True) as shell:
        settle(qtbot, shell)
        return cut_at(qtbot, shell, sizes)


def cut_at(qtbot: QtBot, shell: Shell, sizes: tuple[tuple[int, int], ...] = SIZES) -> list[str]:
    """What is wrong with a window at some sizes, each of its panels in front once; it has the size of before then."""
    out, before = [], (shell.window.width(), shell.window.height())
    for size in sizes:
        _resize(qtbot, shell, size)
        desk = shell.window.dock_area.desk
        for key in PANELS[desk]:
            dock = shell.window.docks[key]
            if dock.isHidden():
                continue
            dock.raise_()
            settle(qtbot, shell)
            out += [f"{size}, {key} in front: {fault}" for fault in faults_of(shell.window, desk)]
    _resize(qtbot, shell, before)
    return list(dict.fromkeys(out))


def _resize(qtbot: QtBot, shell: Shell, size: tuple[int, int]) -> None:
    win = shell.window
    win.resize(*size)
    QApplication.processEvents()
    win.dock_area.desk, win.dock_area.desks = None, {}
    win.dock_area.arrange(suited(shell.store.session))
    settle(qtbot, shell)


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_word_is_cut_in_the_window_of(
    system: str, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    found = walked(qtbot, SYSTEMS[system](tmp_path / "data"), SIZES)
    assert not found, "\n".join(found)


def test_the_same_at_scale_2(tmp_path: Path) -> None:
    """In a program of its own: the scale is that of the whole program."""
    env = dict(os.environ, QT_SCALE_FACTOR="2", QT_QPA_PLATFORM="offscreen", IFUVIEW_CONFIG=str(tmp_path))
    env["IFUVIEW_SCALED"] = json.dumps(str(tmp_path))
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"{__file__}::test_scaled"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.skipif("IFUVIEW_SCALED" not in os.environ, reason="run by the test above")
def test_scaled(qtbot: QtBot, tmp_path: Path) -> None:
    out = []
    for name in ("heads", "photons"):
        (tmp_path / name).mkdir()
        out += walked(qtbot, SYSTEMS[name](tmp_path / name), (SCALED,))
    assert not out, "\n".join(out)

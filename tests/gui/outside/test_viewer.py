"""The handle of scripts and notebooks, and words that a second command sends."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import ifuview
from ifuview.app.frames.look import LimitMode
from ifuview.app.jobs import JobKey, JobKind, JobRequest
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.image import Kind
from tests.gui.windows import settle, window

ROOT = Path(__file__).resolve().parents[3]
SHORT = 200  # characters of a repr


@pytest.fixture(scope="module")
def viewer():
    hook = sys.excepthook
    interval = sys.getswitchinterval()
    shown = ifuview.show(np.random.default_rng(2).normal(100, 5, (60, 80)), name="noise", size=(1200, 800))
    yield shown
    shown.close()
    sys.excepthook = hook
    sys.setswitchinterval(interval)


def test_an_array_is_a_frame_and_the_handle_says_so(viewer):
    assert viewer.frame(1).title == "noise"
    assert repr(viewer.frame()) == "<Slot 1, noise, <Image noise, image, 60 x 80>>"
    assert "open" in repr(viewer)
    for value in (viewer, viewer.session, viewer.frame(), viewer.frame().image, viewer.frame().dataset):
        assert len(repr(value)) < SHORT
        assert "data:image/png;base64," in value._repr_html_()


def test_limits_are_set_by_number_mode_and_percent(viewer):
    viewer.frame("noise")
    assert viewer.limits(90, 110) == (90, 110) == viewer.limits()
    low, high = viewer.limits("minmax")
    assert (low, high) == pytest.approx((viewer.frame().image.pixels.native().min(), high))
    assert high - low > np.subtract(*viewer.limits(90)[::-1])
    assert viewer.frame().look.limit_mode is LimitMode.PERCENTILE
    with pytest.raises(UsageError, match="no mode"):
        viewer.limits("nonsense")


def test_a_picture_has_the_colors_that_were_asked_for(viewer):
    data = np.zeros((40, 40))
    data[20:] = 1
    viewer.add(data, "halves", lo=0, hi=1, cmap="grey")
    picture = viewer.screenshot()
    middle = picture[:, picture.shape[1] // 2].mean(axis=1)
    assert (middle == 255).any() and (middle <= 1).any()  # white above, black below
    assert picture.dtype == np.uint8


def test_a_picture_is_written(viewer, tmp_path):
    viewer.screenshot(tmp_path / "a.png", window=True)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="folder"):
        viewer.screenshot(tmp_path / "none" / "a.png")


def test_spectra_and_fibers(viewer):
    viewer.add(np.ones((9, 50)), "rss", wave=np.linspace(4000, 4490, 50))
    assert viewer.frame().image.kind is Kind.RSS
    assert viewer.select(4).fiber == 4
    assert viewer.select([2, 3]).fibers == (2, 3)
    viewer.settle()
    assert viewer.session.inspection.fiber == 2
    point = viewer.select(x=10, y=5)
    assert (point.fiber, point.x) == (5, 10)
    with pytest.raises(UsageError, match="choose 0 to"):
        viewer.select(99)
    with pytest.raises(UsageError, match="no frame"):
        viewer.frame("nonsense")


def test_what_can_not_be_shown_is_an_exception(viewer, tmp_path):
    frames = len(viewer.session.slots)
    for value in (tmp_path / "none.fits", np.full((5, 5), np.nan), "no such file", {}):
        with pytest.raises(IfuviewError):
            viewer.add(value)
    assert len(viewer.session.slots) == frames


def test_a_script_goes_on_after_its_window_is_closed():
    code = """
import numpy, ifuview
viewer = ifuview.show(numpy.eye(30))
print(viewer.screenshot().shape, viewer.is_open)
viewer.close()
print(viewer)
1 / 0
"""
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=100,
                          check=False)  # fmt: skip
    assert "<Viewer closed" in done.stdout, done.stderr
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_ifuview_alone_loads_no_qt():
    code = "import sys, ifuview; print('PyQt6' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


# a second command


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """Send words as another process would; while it waits the window goes on."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    fits.writeto(tmp_path / "one.fits", np.arange(600.0).reshape(20, 30))

    def send(qtbot, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ifuview", "--send", *words]
        process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        # whoever waits for a job is not forgotten by the garbage collector
        qtbot.waitUntil(lambda: gc.collect() >= 0 and process.poll() is not None, timeout=60_000)
        return subprocess.CompletedProcess(command, process.returncode, *process.communicate())

    return send


def test_a_fiber_is_shown_while_cameras_are_still_judged(qtbot, sent, tmp_path):
    rng = np.random.default_rng(1)
    fits.writeto(tmp_path / "flux.fits", rng.normal(9, 1, (20, 60)).astype("f4"), fits.Header({"CTYPE1": "WAVE"}))
    with window(qtbot) as shell:
        done = threading.Event()
        judging = JobRequest("judge", lambda ctx: done.wait(60), JobKey(JobKind.VERDICT), aside=True)
        shell.controller.submit(judging)
        try:
            answered = sent(qtbot, "flux.fits", "-crosshair", "3", "4", "-regions", "none.reg")
            assert shell.controller.busy
            assert answered.returncode == 2 and "none.reg" in answered.stderr
            assert shell.store.session.slot().title == "flux"
        finally:
            done.set()


def test_a_second_command_opens_files_in_the_window(qtbot, sent):
    with window(qtbot) as shell:
        door = shell.ways.door.path
        assert door.parent.stat().st_mode & 0o777 == 0o700
        shell.controller.submit(JobRequest("work", lambda ctx: time.sleep(3), JobKey(JobKind.WARM_UP)))
        done = sent(qtbot, "one.fits", "-scale", "limits", "10", "500", "-zoom", "4", "-regions", "none.reg")
        assert done.returncode == 2 and "none.reg" in done.stderr  # the step that waited was carried out
        done = sent(qtbot, "-zoom", "4")
        assert (done.returncode, done.stderr) == (0, "")
        settle(qtbot, shell)
        slot = shell.store.session.slot()
        assert (slot.title, slot.look.lo, slot.look.hi, slot.view.zoom) == ("one", 10, 500, 4)
        done = sent(qtbot, "none.fits")
        assert done.returncode == 2
        assert "none.fits" in done.stderr
        assert sent(qtbot, "-scale", "limits", "x").returncode == 2
        assert len(shell.store.session.slots) == 1
    assert not door.exists()

"""Times the canvas on a real X display: every step ends with a one-pixel read-back, so the picture is on the screen.

`rows` gives the table of bars; each frame set is timed in a process of its own, in turn with ds9 where it is installed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

SIZE = (1600, 960)  # canvas, as large as ds9's window with its panels
PAN = (5, 3)  # screen px of one pan step
SETTLE = 60  # rounds of the event loop before the first step
ROUNDS, STEPS = 3, 60
QUICK_ROUNDS, QUICK_STEPS = 2, 24
BLINK_SECONDS = 3.0
RATIO_BARS = {"switch": 0.3, "limits": 0.5, "contrast": 0.6, "pan": 0.6, "zoom": 0.6}
MS_BARS = {"switch": ("median", 5.0), "limits": ("p95", 16.0), "contrast": ("median", 8.0), "pan": ("p95", 16.0)}
MS_BARS["zoom"] = ("p95", 16.0)
BLINK_HZ = 60.0
DS9_STEP = {"switch": "frameswitch", "pan 1:1": "pan11"}  # others have the same name

Row = tuple[str, float, float, str, bool]
Timing = dict[str, float]


def rows(quick: bool = False) -> list[Row]:
    """Return (name, measured, bar, unit, ok) of every bar of the canvas."""
    if not os.environ.get("DISPLAY"):
        return []
    from tests.bench import ds9

    out: list[Row] = []
    for name in ("ccd4k", "ccd9k"):
        ours, theirs = [], []
        for _ in range(QUICK_ROUNDS if quick else ROUNDS):
            ours.append(_child("time", name, QUICK_STEPS if quick else STEPS))
            theirs.append(ds9.timings(name, QUICK_STEPS if quick else STEPS))
        out += _compare(name, ours, theirs)
        out.append(_blink_row(name))
    return out


def _compare(name: str, ours: list[dict[str, Timing]], theirs: list[dict[str, Timing]]) -> list[Row]:
    """Rows of one frame set: times, and paired ratios to ds9."""
    out: list[Row] = []
    for step in ours[0]:
        base = step.split()[0]
        plain = step.removesuffix(" +500 traces").strip()
        which, bar = MS_BARS[base]
        best = min(r[step][which] for r in ours)
        out.append((f"{name} {step}, {which}", round(best, 2), bar, "ms", best <= bar))
        key = DS9_STEP.get(plain, plain.split()[0])
        pairs = [o[step]["median"] / t[key]["median"] for o, t in zip(ours, theirs) if key in t]
        if pairs:
            ratio = statistics.median(pairs)
            out.append((f"{name} {step} / ds9", round(ratio, 3), RATIO_BARS[base], "x", ratio <= RATIO_BARS[base]))
    return out


def _child(what: str, name: str, n: int) -> dict[str, Timing]:
    """Run this module in a process of its own and read its result."""
    env = dict(os.environ, QT_QPA_PLATFORM="xcb")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.canvas", what, name, str(n)],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _blink_row(name: str) -> Row:
    """Changes per second that another process sees on the screen while the canvas blinks."""
    from Xlib import X
    from Xlib import display as xdisplay

    env = dict(os.environ, QT_QPA_PLATFORM="xcb")
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.canvas", "blink", name, "0"], env=env, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()  # it blinks now
    root = xdisplay.Display().screen().root
    seen, last, start = 0, None, time.perf_counter()
    while time.perf_counter() - start < BLINK_SECONDS:
        patch = root.get_image(SIZE[0] // 2, SIZE[1] // 2, 40, 12, X.ZPixmap, 0xFFFFFFFF).data
        seen += last is not None and patch != last
        last = patch
    rate = seen / (time.perf_counter() - start)
    child.terminate()
    child.wait()
    return f"{name} blink seen on the screen", round(rate, 1), BLINK_HZ, "Hz", rate >= BLINK_HZ


# ---- the child process ----
class Stage:
    """A canvas with three frames on the screen."""

    def __init__(self, name: str, *, with_traces: bool = False) -> None:
        from PyQt6.QtWidgets import QApplication

        from ifuview.app.frames.views import image as image_view
        from ifuview.app.frames.views.raster import build_pyramid
        from ifuview.app.session import Locks, Session, Slot
        from ifuview.engine.numeric.zscale import zscale
        from ifuview.gui.canvas.image_canvas import ImageCanvas
        from ifuview.model.dataset import Dataset
        from ifuview.model.image import Image, Kind
        from tests.bench import frames

        self.app = QApplication.instance() or QApplication(sys.argv[:1])
        self.views = image_view
        slots = []
        for key, path in enumerate(frames.paths(name), 1):
            pixels = frames.pixels(path)
            slot = Slot(key, path.name, Dataset(str(path)), Image(path.name, Kind.DETECTOR, pixels))
            lo, hi = zscale(pixels)
            look = replace(slot.look, lo=float(lo), hi=float(hi) * (1 + 0.2 * key))
            slots.append(replace(slot, look=look, pyramid=build_pyramid(pixels)))
        self.plain = Session(slots=tuple(slots), current=1, locks=Locks(view=True, limits=True, colors=True))
        shared = frames.traces(slots[0].image.shape)
        self.traced = replace(self.plain, slots=tuple(replace(s, traces=shared) for s in slots))
        self.session = self.traced if with_traces else self.plain
        self.canvas = ImageCanvas()
        self.canvas.resize(*SIZE)
        self.canvas.move(0, 0)
        self.canvas.show()
        self.canvas.draw(self.views.make(self.session))
        for _ in range(SETTLE):
            self.app.processEvents()
            time.sleep(0.01)

    def show(self) -> None:
        """Paint now and wait until the server has done it."""
        self.canvas.repaint()
        self.app.primaryScreen().grabWindow(0, SIZE[0] // 2, SIZE[1] // 2, 1, 1)

    def timed(self, step: Callable[[int], None], n: int) -> Timing:
        """Milliseconds of `n` steps."""
        spans = []
        for k in range(n + 2):
            start = time.perf_counter()
            step(k)
            self.show()
            spans.append((time.perf_counter() - start) * 1e3)
        spans = sorted(spans[2:])
        return {"median": statistics.median(spans), "p95": spans[int(0.95 * len(spans))], "best": spans[0]}

    def switch(self, k: int) -> None:
        self.canvas.draw(self.views.make(replace(self.session, current=k % len(self.session.slots) + 1)))

    def limits(self, k: int) -> None:
        look = self.session.slots[0].look
        self.canvas.set_limits_live(1, look.lo, look.lo + (look.hi - look.lo) * (1 + 0.01 * (k + 1)))

    def contrast(self, k: int) -> None:
        look = self.session.slots[0].look
        self.canvas.set_look_live(1, replace(look, contrast=1 + 0.02 * k, bias=0.5 - 0.003 * k))

    def pan(self, k: int) -> None:
        from PyQt6.QtCore import Qt

        from ifuview.app.frames.views.viewport import panned

        self.canvas.hands.button = Qt.MouseButton.LeftButton  # as if it were held
        sign = 1 if k % 20 < 10 else -1
        self.canvas.set_view_live(1, panned(self.canvas.view_of(1), SIZE, sign * PAN[0], sign * PAN[1]))

    def zoom(self, k: int) -> None:
        self.canvas.hands.zoom(1, 1.1 if k % 20 < 10 else 1 / 1.1, (700.0, 400.0))

    def rest(self, zoom: float | None = None) -> None:
        """Let go of everything; fit, or a zoom at the center of the image."""
        self.canvas.hands.button = None
        self.canvas.live.take()
        view = self.session.slots[0].view
        if zoom is not None:
            ny, nx = self.session.slots[0].image.shape
            view = replace(view, x=nx / 2, y=ny / 2, zoom=zoom, fit=False)
        self.session = replace(self.session, slots=tuple(replace(s, view=view) for s in self.session.slots))
        self.canvas.draw(self.views.make(self.session))
        self.show()


def time_steps(name: str, n: int) -> dict[str, Timing]:
    """All steps at fit and at 1:1, without and with traces."""
    stage = Stage(name)
    out: dict[str, Timing] = {}
    for session, note in ((stage.plain, ""), (stage.traced, " +500 traces")):
        for zoom, place in ((None, ""), (1.0, " 1:1")):
            for step in ("switch", "limits", "contrast", "pan"):
                stage.session = session
                stage.rest(zoom)
                if step == "switch":
                    stage.timed(stage.switch, len(session.slots))
                out[step + place + note] = stage.timed(getattr(stage, step), n)
            if zoom is not None:
                stage.session = session
                stage.rest(zoom)
                out["zoom" + note] = stage.timed(stage.zoom, n)
    return out


def blink(name: str) -> None:
    """Blink as fast as it goes until somebody ends this process."""
    from ifuview.app.session import Layout

    stage = Stage(name)
    stage.canvas.draw(stage.views.make(replace(stage.session, layout=Layout.BLINK, blink_ms=1)))
    print("blinking", flush=True)
    stage.app.exec()


if __name__ == "__main__":
    if sys.argv[1] == "time":
        print(json.dumps(time_steps(sys.argv[2], int(sys.argv[3]))))
    elif sys.argv[1] == "blink":
        blink(sys.argv[2])
    else:
        for row in rows(quick=True):
            print(f"{row[0]:44} {row[1]:9.3f}  bar {row[2]:7.3f} {row[3]:3} {'ok' if row[4] else 'MISSED'}")

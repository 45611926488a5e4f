"""The living window: gaps of its heartbeat while jobs run, how soon a cancel arrives, read-out and inspection times."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

Row = tuple[str, float, float, str, bool]

BEAT_MS = 4
GAP_MS, CANCEL_MS, READOUT_MS, INSPECT_MS = 50.0, 200.0, 1.0, 150.0
PLACE_PX = 0.01
SIDE, QUICK_SIDE = 4096, 2048
TIMEOUT_S = 120.0


def rows(quick: bool = False) -> list[Row]:
    """Return (name, measured, bar, unit, ok)."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from ifuview.app.script.words import Script, WindowOptions
    from ifuview.gui.shell.app import make_shell

    with tempfile.TemporaryDirectory() as folder:
        flat = _flat(Path(folder), QUICK_SIDE if quick else SIDE)
        shell = make_shell(WindowOptions(fresh=True, width=1600, height=1000))
        shell.start(Script())
        _until(shell, lambda: shell.window.is_ready and not shell.controller.busy)
        try:
            return [*_gaps(shell, flat), _cancel(shell), _readout(shell), *_sky(Path(folder)), _inspect(shell)]
        finally:
            shell.close()
            shell.worker.shut_down()


def _flat(folder: Path, side: int) -> Path:
    from ifuview.simulate.detector.exposure import expose

    kind = "4k" if side == SIDE else "lrs2"
    data = expose(kind, snr=50, seed=1).image
    path = folder / "flat.fits"
    from astropy.io import fits

    fits.PrimaryHDU(data).writeto(path)
    return path


def _until(shell: Any, ready: Any) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not ready() and time.monotonic() < end:
        shell.app.processEvents()
        time.sleep(0.001)


class Heart:
    """Counts how long the event loop of the window was away at most."""

    def __init__(self) -> None:
        from PyQt6.QtCore import Qt, QTimer

        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1e3 * (now - self._last))
        self._last = now

    def worst(self) -> float:
        """The longest gap so far, ms; forgets it."""
        found = max(self.gaps, default=float("nan"))
        self.gaps = []
        return round(found, 1)


def _gaps(shell: Any, path: Path) -> list[Row]:
    from ifuview.app import intents as want

    jobs = {
        "opening and reducing a 4k image": want.OpenFile(str(path)),
        "tracing it": want.MeasureTraces(),
        "inspecting a fiber": want.SelectFiber(50),
        "writing the report": want.ExportReport(str(path.with_name("report.png"))),
    }
    out = []
    for name, intent in jobs.items():
        heart = Heart()
        _spin(shell, 0.05)
        heart.worst()
        shell.controller.handle(intent)
        _until(shell, lambda: not shell.controller.busy)
        _spin(shell, 0.05)
        gap = heart.worst()
        out.append((f"longest gap of the window's heartbeat, {name}", gap, GAP_MS, "ms", gap <= GAP_MS))
    return out


def _spin(shell: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        shell.app.processEvents()
        time.sleep(0.001)


def _cancel(shell: Any) -> Row:
    from ifuview.app import intents as want

    worst = 0.0
    for delay in (0.01, 0.05, 0.1, 0.2):
        shell.controller.handle(want.MeasureTraces())
        _spin(shell, delay)
        start = time.perf_counter()
        shell.controller.handle(want.CancelJob(None))
        _until(shell, lambda: not shell.controller.busy)
        worst = max(worst, 1e3 * (time.perf_counter() - start))
    return ("a cancel takes effect", round(worst, 1), CANCEL_MS, "ms", worst <= CANCEL_MS)


def _readout(shell: Any) -> Row:
    from ifuview.app.readout import readout

    session = shell.store.session
    slot = session.slot()
    ny, nx = slot.image.shape
    points = np.random.default_rng(1).uniform(0, 1, (300, 2)) * (nx - 1, ny - 1)
    readout(session, slot.key, 5.0, 5.0)
    times = []
    for x, y in points:
        start = time.perf_counter()
        readout(session, slot.key, float(x), float(y))
        times.append(1e3 * (time.perf_counter() - start))
    found = round(float(np.percentile(times, 95)), 3)
    return ("read-out of one mouse move, p95", found, READOUT_MS, "ms", found <= READOUT_MS)


def _sky(folder: Path) -> list[Row]:
    """The read-out on an image with SIP, and on one whose positions are listed in a table: time and truth."""
    from astropy.io import fits
    from astropy.wcs import WCS

    from ifuview.app import intents as want
    from ifuview.app.frames.sky.lock import sky_of
    from ifuview.app.readout import readout
    from tests.app.frames.sky.test_maps import KINDS, NX, NY, SCALE, lookup, written
    from tests.app.runner import Runner

    table, listed = lookup()
    out = []
    for name, header, more in (("SIP", KINDS["sip"], ()), ("a table", listed, (table,))):
        path = written(folder / f"{name[-3:]}.fits", header, more)
        session = Runner().ask(want.OpenFile(path))
        slot, times, worst = session.slot(), [], 0.0
        with fits.open(path) as file:
            plane = WCS(file[0].header, file)
            for x, y in np.random.default_rng(2).uniform(0, 1, (300, 2)) * (NX - 1, NY - 1):
                start = time.perf_counter()
                readout(session, slot.key, float(x), float(y))
                times.append(1e3 * (time.perf_counter() - start))
                right, found = plane.all_pix2world([[x, y]], 0)[0], sky_of(slot).read(float(x), float(y))
                worst = max(worst, float(np.hypot(*np.subtract(right, found))) / SCALE)
        p95 = round(float(np.percentile(times, 95)), 3)
        out.append((f"read-out with {name}, p95", p95, READOUT_MS, "ms", p95 <= READOUT_MS))
        out.append((f"read-out with {name} against astropy", round(worst, 6), PLACE_PX, "px", worst <= PLACE_PX))
    return out


def _inspect(shell: Any) -> Row:
    from dataclasses import replace

    from ifuview.app.reporting.headless import inspect

    session = shell.store.session
    times = []
    for fiber in (10, 60, 100):
        chosen = replace(session, selection=replace(session.selection, fiber=fiber))
        inspect(chosen)
        start = time.process_time()
        inspect(chosen)
        times.append(1e3 * (time.process_time() - start))
    found = round(float(np.median(times)), 1)
    return ("cross-section, spectrum and trace quality of one fiber, CPU", found, INSPECT_MS, "ms", found <= INSPECT_MS)

"""A cube of 300 x 300 x 3700 in the window: regions and ranges are dragged, updates each second are counted."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.window import Row, _until

SIDE, DEPTH, QUICK_DEPTH = 300, 3700, 400
RADIUS = 25.2  # px, 2000 spaxels
WIDTH = 400  # planes of the range
RATE = 15.0  # updates/s
SECONDS, QUICK_SECONDS = 6.0, 2.0


def rows(quick: bool = False) -> list[Row]:
    """Return (name, measured, bar, unit, ok)."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from ifuview.app.script.words import Script, WindowOptions
    from ifuview.gui.shell.app import make_shell

    depth = QUICK_DEPTH if quick else DEPTH
    with tempfile.TemporaryDirectory(dir=os.environ.get("IFUVIEW_BENCH_DATA")) as folder:
        path = _cube(Path(folder), depth)
        shell = make_shell(WindowOptions(fresh=True, width=1600, height=1000))
        shell.start(Script())
        _until(shell, lambda: shell.window.is_ready and not shell.controller.busy)
        try:
            return _measured(shell, path, depth, QUICK_SECONDS if quick else SECONDS)
        finally:
            shell.close()
            shell.worker.shut_down()


def _cube(folder: Path, depth: int) -> Path:
    """Noise about one, single precision, as FITS has it."""
    from astropy.io import fits

    path = folder / "cube.fits"
    head = {"CTYPE3": "WAVE", "CUNIT3": "Angstrom", "CRVAL3": 4000.0, "CDELT3": 1.25, "CRPIX3": 1.0}
    header = fits.PrimaryHDU(np.zeros((1, SIDE, SIDE), "f4"), fits.Header(head)).header
    header["NAXIS3"] = depth
    rng = np.random.default_rng(0)
    block = rng.normal(1, 0.1, (100, SIDE, SIDE)).astype(">f4")
    with open(path, "wb") as file:
        file.write(header.tostring().encode("ascii"))
        for first in range(0, depth, 100):
            file.write(block[: depth - first].tobytes())
        file.write(b"\0" * (-file.tell() % 2880))
    return path


def _measured(shell: Any, path: Path, depth: int, seconds: float) -> list[Row]:
    from ifuview.app import intents as want

    handle = shell.controller.handle
    handle(want.OpenFile(str(path)))
    _until(shell, lambda: shell.store.session.slots and not shell.controller.busy)
    handle(want.ShowDock("spectrum"))
    handle(want.DrawRegions("circle"))
    docks = shell.window.docks
    _until(shell, lambda: docks["spectrum"].widget() is not None and not shell.controller.busy)
    out = [_region(shell, depth, seconds, how) for how in ("mean", "median")]
    handle(want.SetWindow((4100.0, 4101.0)))
    handle(want.MapRange("sum"))
    _until(shell, lambda: len(shell.store.session.slots) > 1 and not shell.controller.busy)
    out += [_range(shell, seconds, min(WIDTH, depth // 2), "with running sums")]
    out += [_range(shell, seconds, depth - 150, "with running sums")] if depth > 1000 else []
    from ifuview.app.spectra.range_images import kept

    handle(want.MapRange("median"))
    _until(shell, lambda: len(shell.store.session.slots) > 2 and not shell.controller.busy)
    out += [_range(shell, seconds, min(WIDTH, depth // 2), "median")]
    summed = next(s for s in shell.store.session.slots if s.made_of is not None and s.made_of.how == "sum")
    handle(want.SelectSlot(summed.key))
    size = kept.sums.nbytes / 2**20
    kept.voxels = kept.sums = None
    out.append(_range(shell, seconds, min(WIDTH, depth // 2), "before they are made"))
    out.append(("memory of the running sums", round(size), 256.0, "MiB", size <= 256))
    return out


def _region(shell: Any, depth: int, seconds: float, how: str) -> Row:
    """A circle of 2000 spaxels under the hand: how often the spectrum is drawn anew."""
    from PyQt6.QtCore import QPoint, Qt
    from PyQt6.QtTest import QTest

    from ifuview.app import intents as want
    from ifuview.app.frames.views import viewport
    from ifuview.model.region import Region, Shape

    canvas, key = shell.window.canvas, shell.store.session.current
    dock = shell.window.docks["spectrum"].widget()
    circle = Region(Shape.CIRCLE, ((120.0, 150.0),), (RADIUS,), text="1")
    shell.controller.handle(want.SetGather(how))
    shell.controller.handle(want.SetRegions(key, (circle,)))
    _until(shell, lambda: not shell.controller.busy)

    def at(x: float) -> QPoint:
        sx, sy = viewport.to_screen(canvas.view_of(key), canvas.tile_size(key), x, 150.0)
        return QPoint(round(float(sx)), round(float(sy)))

    left = Qt.MouseButton.LeftButton
    QTest.mousePress(canvas, left, pos=at(120.0))
    seen, shown, begun, n = 0, dock._drawn, time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        n += 1
        QTest.mouseMove(canvas, at(120.0 + 60 * abs((n % 120) / 60 - 1)))
        end = time.perf_counter() + 0.008
        while time.perf_counter() < end:
            shell.app.processEvents()
        if dock._drawn is not shown:
            seen, shown = seen + 1, dock._drawn
    rate = seen / (time.perf_counter() - begun)
    QTest.mouseRelease(canvas, left, pos=at(120.0))
    _until(shell, lambda: not shell.controller.busy)
    return (f"spectrum ({how}) of 2000 spaxels x {depth}, dragged", round(rate, 1), RATE, "1/s", rate >= RATE)


def _range(shell: Any, seconds: float, width: int, when: str) -> Row:
    """A range that moves: how often its image is another one."""
    from ifuview.app import intents as want

    key, begun, seen, n = shell.store.session.current, time.perf_counter(), 0, 0
    shown = shell.store.session.slot(key).image
    while time.perf_counter() - begun < seconds:
        n += 1
        low = 4010.0 + 1.25 * (n % 50)
        shell.controller.handle(want.SetWindow((low, low + 1.25 * width)))
        end = time.perf_counter() + 0.008
        while time.perf_counter() < end:
            shell.app.processEvents()
        image = shell.store.session.slot(key).image
        if image is not shown:
            seen, shown = seen + 1, image
    rate = seen / (time.perf_counter() - begun)
    _until(shell, lambda: not shell.controller.busy)
    return (f"image of {width} planes, range dragged, {when}", round(rate, 1), RATE, "1/s", rate >= RATE)

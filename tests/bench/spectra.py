"""Bars of spectra, sky fibers and the focal plane, on simulated cameras of real size."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

Row = tuple[str, float, float, str, bool]
NFIBER, NWAVE, CAMERAS = 500, 2326, 10
WAVE0, DWAVE = 5760.0, 0.8  # Angstrom
RADIUS = 405.0  # mm
NOISE = 10.0
TIMEOUT_S = 60.0


def rows(quick: bool) -> list[Row]:
    """Return (name, measured, bar, unit, ok) of every bar; `quick` takes fewer repeats."""
    repeats = 3 if quick else 9
    with tempfile.TemporaryDirectory() as folder:
        out = _sky_picture(_sframe(Path(folder) / "sframe-r6-00000001.fits.gz"), repeats)
    return [*out, *_focal_plane(10 if quick else 60), *_live(20 if quick else 80), *_choosing(repeats)]


def _sframe(path: Path) -> str:
    """A sky-subtracted frame as the pipeline writes it."""
    from astropy.io import fits

    rng = np.random.default_rng(1)
    shape = (NFIBER, NWAVE)
    flux = np.round(rng.normal(0, NOISE, shape) / 2) * 2  # as coarse as the real files, so that they compress alike
    n = np.arange(NFIBER)
    names = {"FIBER": n + 3000, "TARGETID": n + 10**15, "OBJTYPE": np.where(n % 9, "TGT", "SKY")}
    codes = {"FIBER": "J", "TARGETID": "K", "OBJTYPE": "3A"}
    table = fits.BinTableHDU.from_columns(
        [fits.Column(k, codes[k], array=v) for k, v in names.items()], name="FIBERMAP"
    )
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(flux.astype("f4"), name="FLUX"),
        fits.ImageHDU(np.full(shape, NOISE**-2, "f4"), name="IVAR"),
        fits.ImageHDU(np.zeros(shape, "i4"), name="MASK"),
        fits.ImageHDU(WAVE0 + DWAVE * np.arange(NWAVE), name="WAVELENGTH"),
        table,
    ]
    fits.HDUList(hdus).writeto(path)
    return str(path)


def _sky_picture(path: str, repeats: int) -> list[Row]:
    """From the command to the picture of the sky fibers: wall and CPU."""
    out = os.path.join(os.path.dirname(path), "sky.png")
    command = [sys.executable, "-m", "ifuview", "--fresh", path, "-dock", "sky", "-saveimage", "png", out, "-exit"]
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    wall, cpu = [], []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(command, env=env, check=True, capture_output=True)
        wall.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return [
        _at_most("sky fibers, rebin 10: command to picture", float(np.median(wall)), 1.2, "s"),
        _at_most("the same, CPU of all threads", float(np.median(cpu)), 1.2, "s CPU"),
    ]


def cameras() -> tuple[Any, ...]:
    """Ten frames of 500 fibers in wedges of the focal plane."""
    from ifuview.app.session import Slot
    from ifuview.model.dataset import Dataset
    from ifuview.model.fibers import FiberMap
    from ifuview.model.image import Image, Kind
    from ifuview.model.pixels import Pixels

    rng = np.random.default_rng(2)
    wave = WAVE0 + DWAVE * np.arange(NWAVE)
    out = []
    for petal in range(CAMERAS):
        angle = np.radians(36 * (petal + rng.random(NFIBER)))
        radius = RADIUS * np.sqrt(rng.random(NFIBER))
        fibers = FiberMap(
            fiber=np.arange(NFIBER),
            fiber_id=tuple(str(NFIBER * petal + i) for i in range(NFIBER)),
            focal_x=radius * np.cos(angle),
            focal_y=radius * np.sin(angle),
        )
        flux = rng.normal(0, NOISE, (NFIBER, NWAVE)).astype(">f4")
        image = Image("FLUX", Kind.RSS, Pixels(flux), ivar=Pixels(np.ones(flux.shape, "f4")), wave=wave,
                      fibermap=fibers, stage="sframe", camera=f"r{petal}")  # fmt: skip
        name = f"sframe-r{petal}"
        out.append(Slot(petal + 1, name, Dataset(f"night/{name}.fits", images=(image,), fibermap=fibers), image))
    return tuple(out)


def _focal_plane(updates: int) -> list[Row]:
    """A window dragged over 5000 fibers: session, view, colors and painting of each step."""
    from PyQt6.QtWidgets import QApplication

    from ifuview.app.session import Session
    from ifuview.app.spectra.views import focal_plane
    from ifuview.gui.spectra.focal_plane import FocalPlaneDock

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication(["bench"])
    session = Session(cameras(), 3, window=(6000.0, 6100.0))
    dock = FocalPlaneDock()
    dock.resize(600, 700)
    dock.show()
    dock.draw(focal_plane.make(session))
    dock.color_by.setCurrentIndex(dock.color_by.findData(focal_plane.WINDOW))
    app.processEvents()
    out = []
    for width in (2.0, 200.0, 1500.0):
        start = time.process_time()
        for step in range(updates):
            window = (5800.0 + step, 5800.0 + step + width)
            dock.draw(focal_plane.make(replace(session, window=window)))
            dock.plot.viewport().repaint()
        rate = updates / (time.process_time() - start)
        out.append((f"focal plane, 5000 fibers, window of {width:g} Å", rate, 30.0, "updates/s CPU", rate >= 30))
    dock.close()
    return out


def _live(updates: int) -> list[Row]:
    """The same in the whole window: each window goes through the road and the store to a painted focal plane."""
    from ifuview.app import intents as want
    from ifuview.app.script.words import Script, WindowOptions
    from ifuview.app.spectra.views import focal_plane
    from ifuview.gui.shell.app import make_shell

    shell = make_shell(WindowOptions(fresh=True, width=1600, height=1000))
    shell.start(Script())
    try:
        _until(shell, lambda: shell.window.is_ready and not shell.controller.busy)
        shell.store.put(replace(shell.store.session, slots=cameras(), current=3, next_key=CAMERAS + 1))
        for intent in (want.ShowDock("focal"), want.SelectFiber(10), want.SetWindow((6000.0, 6100.0))):
            shell.controller.handle(intent)
        _until(shell, lambda: shell.window.docks["focal"].widget() is not None and not shell.controller.busy)
        dock = shell.window.docks["focal"].widget()
        dock.color_by.setCurrentIndex(dock.color_by.findData(focal_plane.WINDOW))
        shell.window.docks["spectrum"].widget().window_span.button.click()  # it is painted again with its range
        painted = [0]
        paint = dock._paint_shades

        def count(*given: Any) -> None:
            painted[0] += 1
            paint(*given)

        dock._paint_shades = count
        wall, cpu = time.perf_counter(), time.process_time()
        for step in range(updates):
            before = painted[0]
            shell.controller.handle(want.SetWindow((5800.0 + step % 60, 6000.0 + step % 60)))
            _until(shell, lambda before=before: painted[0] > before)
        shell.app.processEvents()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        del dock._paint_shades
    finally:
        shell.close()
        shell.worker.shut_down()
    rate = painted[0] / cpu
    return [
        ("the same in the window, through the store", rate, 30.0, "updates/s CPU", rate >= 30),
        ("the same by the clock", painted[0] / wall, 0.0, "updates/s", True),
    ]


def _until(shell: Any, ready: Callable[[], bool]) -> None:
    """Let the window live until something holds."""
    end = time.monotonic() + TIMEOUT_S
    while not ready() and time.monotonic() < end:
        shell.app.processEvents()


def _choosing(repeats: int) -> list[Row]:
    """Joining redshifts of 5000 targets to a frame and choosing by them."""
    from ifuview.app.frames.state import OpenTable
    from ifuview.app.spectra import choice as spectra_choice
    from ifuview.model.dataset import Table
    from tests.app.spectra.test_choice import COUNT, TARGETS, coadd

    rng = np.random.default_rng(3)
    targets = rng.permutation(np.concatenate([TARGETS, TARGETS.max() + 1 + np.arange(5000 - COUNT)]))
    columns = {"TARGETID": targets, "Z": rng.random(5000), "SPECTYPE": np.full(5000, "QSO")}
    table = OpenTable("redrock.fits", "redrock", Table("REDSHIFTS", columns))
    slot = coadd()
    spent = _seconds(lambda: spectra_choice.choose("SPECTYPE=QSO, Z<2", slot, (table,)), repeats)
    return [_at_most("choose by redshift, table of 5000 targets", 1e3 * spent, 20.0, "ms CPU")]


def _at_most(name: str, measured: float, bar: float, unit: str) -> Row:
    return name, measured, bar, unit, measured <= bar


def _seconds(run: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds of a run."""
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return float(np.median(spent))

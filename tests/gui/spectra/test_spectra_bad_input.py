"""Docks of spectra and tables with what a pipeline can also write: nothing, NaN, no keys, too few rows."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtWidgets import QApplication

from ifuview.app.frames.state import OpenTable
from ifuview.app.session import Selection, Session, Slot
from ifuview.model.dataset import Dataset, Table
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

N = np.arange(5)
WINDOW = (6005.0, 6020.0)
TABLES = {
    "empty": {"TARGETID": N[:0], "Z": np.empty(0)},
    "no key": {"Z": N * 1.0},
    "all unknown": {"TARGETID": N, "FIBER": N, "Z": np.full(5, np.nan)},
    "text only": {"NAME": np.array(list("abcde"))},
    "one target": {"TARGETID": np.full(5, 7), "FIBER": N, "Z": N * 1.0},
    "no positions": {"FIBER": N, "MEAN_FIBER_X": np.full(5, np.nan), "MEAN_FIBER_Y": np.full(5, np.nan)},
    "one position": {"FIBER": N, "MEAN_FIBER_X": np.where(N == 2, 1.0, np.nan), "MEAN_FIBER_Y": N * 1.0},
    "switches": {"OK": N > 2, "PETAL_LOC": N},
}


def frame(case: str) -> Slot:
    """Row-stacked spectra with one thing wrong."""
    rows = 1 if case == "one row" else 5
    flux = np.ones((rows, 40), np.float32)
    ivar = np.ones_like(flux)
    if case == "nothing measured":
        flux[:], ivar[:] = np.nan, 0
        flux[0, 0] = 1.0
    wave = 6000.0 + np.arange(40.0)
    n = np.arange(rows)
    table = {"FIBER": n, "TARGETID": n}
    fibermap = FiberMap(fiber=n, role=(FiberRole.SKY,) * rows, focal_x=n * np.nan, focal_y=n * 1.0, table=table)
    waves = {"own wavelengths": np.tile(wave, (rows, 1)), "no wavelengths": None}
    fibers = None if case == "no fiber table" else fibermap
    image = Image("FLUX", Kind.RSS, Pixels(flux), ivar=Pixels(ivar), wave=waves.get(case, wave), fibermap=fibers)
    return Slot(1, "sframe", Dataset("sframe.fits", images=(image,)), image)


def try_all(dock) -> None:
    """Turn every box and switch."""
    for name in ("which", "color_by", "list_box", "axis_box"):
        box = getattr(dock, name, None)
        for i in range(0 if box is None else box.count()):
            box.setCurrentIndex(i)
            QApplication.processEvents()
    for name in ("rest_on", "median_on"):
        if hasattr(dock, name):
            getattr(dock, name).click()
    dock.grab()


@pytest.mark.parametrize("key", ["tables", "focal"])
@pytest.mark.parametrize("case", TABLES)
def test_tables(build, view_of, key, case):
    table = OpenTable("t.fits", case, Table("T", TABLES[case]))
    dock = build(key)
    for slots in ((), (frame("good"),)):
        dock.draw(view_of(key, Session(slots, 1 if slots else None, tables=(table,), window=WINDOW)))
        try_all(dock)


@pytest.mark.parametrize("key", ["sky", "focal", "spectrum", "tables"])
@pytest.mark.parametrize(
    "case", ["good", "one row", "nothing measured", "own wavelengths", "no wavelengths", "no fiber table"]
)
def test_frames(build, view_of, key, case):
    dock = build(key)
    for chosen in (Selection(), Selection(0), Selection(0, None, None, (0, 3))):
        dock.draw(view_of(key, Session((frame(case),), 1, selection=chosen, window=WINDOW)))
        try_all(dock)

"""A table of sources belongs to the fibers beside them; a row with a wavelength is shown there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.look import Look
from ifuview.app.frames.opening.opened import new_slot
from ifuview.app.frames.opening.reading import Opened
from ifuview.app.session import Session
from ifuview.app.spectra.views import tables
from ifuview.model.dataset import Dataset, Table
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

COUNT, STEP = 25, 2.0 / 3600  # fibers, degrees
GRID = 3470 + 2.0 * np.arange(200)


def session() -> Session:
    """A head of five by five fibers and three detections: two on fibers, one beside the head."""
    y, x = np.divmod(np.arange(COUNT), 5)
    dec = 51.0 + STEP * y
    ra = 175.0 + STEP * x / np.cos(np.radians(51.0))
    fibers = FiberMap(np.arange(COUNT), tuple(f"LL {n}" for n in range(COUNT)), (FiberRole.SCIENCE,) * COUNT,
                      np.zeros(COUNT, int), ra=ra, dec=dec, table={"ra": ra, "dec": dec})  # fmt: skip
    image = Image("047", Kind.RSS, Pixels(np.zeros((COUNT, GRID.size), np.float32)), wave=GRID, fibermap=fibers)
    found = Table("Detections", {
        "ra": np.array([ra[7], ra[18], 176.0]), "dec": np.array([dec[7] + 0.2 / 3600, dec[18], 51.0]),
        "wave": np.array([3600.0, 9999.0, 3600.0]),
    })  # fmt: skip
    dataset = Dataset("shot.h5", "shot.h5", kind="observation", images=(image,), fibermap=fibers, tables=(found,))
    start = Session()
    return start.adding(new_slot(start, Opened(dataset, image, Look())))


def test_sources_are_joined_to_the_fibers_beside_them():
    view = tables.make(session())
    number = next(n for n, title in enumerate(view.titles) if title.endswith("Detections"))
    found = tables.sheet(view, number)
    assert found.row.tolist() == [7, 18, -1] and found.frame.tolist() == [1, 1, -1]
    point, seen = tables.place(view, found, 0)
    assert (point.x, point.y) == (65.0, 7.0) and (seen.view.x, seen.view.y, seen.view.fit) == (65.0, 7.0, False)
    assert tables.place(view, found, 1) is None  # no such wavelength here
    assert tables.place(view, found, 2) is None


def test_a_chosen_fiber_chooses_its_source():
    now = session()
    view = tables.make(replace(now, selection=replace(now.selection, fiber=18, fibers=(18,))))
    number = next(n for n, title in enumerate(view.titles) if title.endswith("Detections"))
    assert tables.sheet(view, number).table.fibers == (1,)

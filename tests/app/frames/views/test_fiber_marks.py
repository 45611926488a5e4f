"""Marks above spectra: CCD rows, amplifier borders, blocks, sky and bad fibers, against a detector made by formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.frames.state import DetectorPlace
from ifuview.app.frames.views.fiber_marks import MarkKind, fiber_marks
from ifuview.app.frames.views.overlay import make_overlay
from ifuview.app.session import Overlay, Session, Slot
from ifuview.model.dataset import Dataset
from ifuview.model.image import Amplifier, Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from ifuview.model.trace import TraceSet
from tests.app.frames.views import made

NROW, NCOL = 200, 100  # of the detector, native: fibers side by side along x
BEND = 0.3  # px per fiber
WAVE0, STEP = 6000.0, 0.5  # Angstrom
GRID = WAVE0 + 1.0 * np.arange(90)


def place() -> DetectorPlace:
    """Fiber f at x = 6 + 8 f; row y has wavelength 6000 + 0.5 (y + 0.3 f)."""
    fiber = np.arange(made.NFIBER)
    center = np.broadcast_to(6.0 + 8.0 * fiber[:, None], (made.NFIBER, NROW))
    wave = WAVE0 + STEP * (np.arange(NROW)[None, :] + BEND * fiber[:, None])
    amps = tuple(
        Amplifier(name, x, x + 50, y, y + 100)
        for name, x, y in (("A", 0, 0), ("B", 50, 0), ("C", 0, 100), ("D", 50, 100))
    )
    return DetectorPlace(TraceSet(fiber, center, wave=wave), (NROW, NCOL), Orientation(transpose=True), amps)


@pytest.fixture
def slot() -> Slot:
    image = Image("FLUX", Kind.RSS, Pixels(np.ones((made.NFIBER, GRID.size), np.float32)), wave=GRID,
                  fibermap=made.fibermap())  # fmt: skip
    return Slot(1, "sframe", Dataset("", images=(image,)), image, detector=place())


def of(slot: Slot, **switches: bool) -> dict[MarkKind, list]:
    overlay = replace(Overlay(amplifiers=False), **switches)
    out: dict[MarkKind, list] = {}
    for mark in fiber_marks(Session(slots=(slot,), current=1, overlay=overlay), slot):
        out.setdefault(mark.kind, []).append(mark)
    return out


def test_curves_of_a_ccd_row(slot: Slot) -> None:
    marks = of(slot, iso_wave=True)[MarkKind.CCD]
    assert [m.text for m in marks][:3] == ["CCD row 0", "CCD row 20", "CCD row 40"]
    fiber = np.arange(made.NFIBER)
    assert np.allclose(marks[2].x, STEP * (40 + BEND * fiber))
    assert np.isnan(marks[-1].x).sum() == 0 or np.isnan(marks[-1].x).any()


def test_borders_of_amplifiers(slot: Slot) -> None:
    marks = of(slot, amplifiers=True)
    along, across = marks[MarkKind.AMPLIFIER]
    assert np.allclose(along.x, STEP * (99.5 + BEND * np.arange(made.NFIBER)))
    assert tuple(across.y) == (5.5, 5.5)  # fibers 0 to 5 are at x < 49.5
    assert {m.text for m in marks[MarkKind.NAME]} == set("ABCD")


def test_blocks_sky_and_bad_fibers(slot: Slot) -> None:
    marks = of(slot, blocks=True, sky_fibers=True, bad_fibers=True)
    assert [m.y[0] for m in (*marks[MarkKind.BLOCK], *marks[MarkKind.PAIR])] == [3.5, 7.5]
    assert list(marks[MarkKind.SKY][0].y) == [0, 3, 6, 9]
    assert list(marks[MarkKind.BAD][0].y) == [4]


def test_nothing_without_a_psf_or_on_a_detector(slot: Slot) -> None:
    assert of(replace(slot, detector=None), iso_wave=True, amplifiers=True) == {}
    detector = replace(slot, image=replace(slot.image, kind=Kind.DETECTOR))
    assert of(detector, iso_wave=True, amplifiers=True, blocks=True) == {}


def test_the_overlay_has_them(slot: Slot) -> None:
    view = make_overlay(Session(slots=(slot,), current=1), slot)
    assert view.marks and not view.empty()

"""What a click on a fiber measures, headless."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames import selection
from ifuview.app.reporting.headless import inspect
from ifuview.app.session import Selection, Session, Slot
from ifuview.app.spectra import steps as spectra_steps
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from ifuview.model.verdict import Verdict


@pytest.fixture(scope="module", params=[False, True], ids=["fibers along x", "fibers along y"])
def session(request: pytest.FixtureRequest) -> Session:
    """A simulated detector image with its true traces, and row-stacked spectra of the same fibers."""
    from ifuview.simulate.detector.exposure import expose

    frame = expose("tiny", snr=50, seed=4)
    native = np.ascontiguousarray(frame.image.T if request.param else frame.image)
    image = Image("IMAGE", Kind.DETECTOR, Pixels(native), unit="electron", gain=1.0, readnoise=3.0,
                  orientation=Orientation(transpose=request.param))  # fmt: skip
    traces = frame.traces
    one = Slot(1, "flat", Dataset("flat.fits"), image, traces=traces)
    spectra = Image("FLUX", Kind.RSS, Pixels(np.ones((traces.nfiber, 50), np.float32)))
    two = Slot(2, "frame", Dataset("frame.fits"), spectra)
    return replace(Session(), slots=(one, two), current=1)


def test_a_right_trace_passes_and_its_spectra_are_there(session: Session) -> None:
    chosen = selection.select_fiber(session, want.SelectFiber(5))
    found = inspect(chosen)
    assert found is not None and found.quality is not None and found.section is not None
    assert found.quality.verdict is Verdict.PASS
    assert abs(found.quality.mean_offset) < 5 * found.quality.mean_offset_err
    assert [s.method for s in found.spectra] == ["optimal", "row"]
    assert found.section.column == session.slots[0].traces.ncol // 2
    assert abs(found.section.components[len(found.section.components) // 2].center - found.section.trace) < 0.2


def test_a_moved_trace_fails_with_the_amount(session: Session) -> None:
    flat = session.slots[0]
    moved = replace(flat, traces=replace(flat.traces, center=flat.traces.center - 0.4))
    found = inspect(replace(session, slots=(moved,), selection=Selection(5)))
    assert found is not None and found.quality is not None
    assert found.quality.verdict is Verdict.FAIL
    assert found.quality.mean_offset == pytest.approx(0.4, abs=5 * found.quality.mean_offset_err)


def test_boxcar_is_what_it_says(session: Session) -> None:
    asked = spectra_steps.set_extraction(replace(session, selection=Selection(5)), want.SetExtraction("boxcar"))
    found = inspect(asked)
    assert found is not None
    assert found.spectra[0].method == "boxcar"


def test_from_row_stacked_spectra_the_trace_is_still_judged(session: Session) -> None:
    there = replace(session.showing(2), selection=Selection(5, 20.0, 5.0))
    found = inspect(there)
    assert found is not None
    assert found.quality is not None
    assert found.spectra[0].label == "frame"


def test_without_a_selection_nothing_is_measured(session: Session) -> None:
    found = inspect(session)
    assert found is None or (found.quality is None and not found.spectra)


def test_another_frame_is_asked_for_the_fiber_of_that_number() -> None:
    from ifuview.app.spectra.inspect import row_in
    from tests.app.spectra.views.test_focal_plane import camera

    here, other = camera(2), camera(3)
    assert row_in(here, here, 7) == 7
    assert row_in(camera(2, "frame"), here, 7) == 7
    assert row_in(other, here, 7) is None
    turned = replace(other.image, fibermap=replace(here.image.fibermap, fiber_id=here.image.fibermap.fiber_id[::-1]))
    assert row_in(replace(other, image=turned), here, 7) == here.image.fibermap.nfiber - 8

from threading import Event

import numpy as np
import pytest

from ifuview.engine.context import JobContext
from ifuview.engine.traces.flat import trace_flat
from ifuview.errors import FitError, JobCancelled
from ifuview.model.quality import TraceBit
from ifuview.simulate.detector.bounds import trace_bound
from ifuview.simulate.detector.exposure import expose


def ratio_to_bound(frame, found) -> float:
    """rms of the error of all traces over the Cramer-Rao bound."""
    bound = trace_bound(frame.traces, frame.flux, frame.readnoise, 5)
    return float(np.sqrt(np.mean((found.center - frame.traces.center) ** 2) / np.mean(bound**2)))


@pytest.mark.parametrize("snr", [10, 50, 200])
def test_traces_reach_the_cramer_rao_bound(snr):
    # 60 fibers x 6 coefficients: the rms itself scatters by 1 / sqrt(720) = 4 %, three times that is allowed
    frame = expose("small", snr=snr)
    found = trace_flat(frame.image, frame.readnoise)
    assert found.nfiber == 60 and not found.status.any()
    assert ratio_to_bound(frame, found) < 1.12


def test_errors_are_those_of_the_scatter():
    frame = expose("small", snr=50, seed=4)
    found = trace_flat(frame.image, frame.readnoise)
    pull = (found.center - frame.traces.center) / found.error
    assert 0.85 < pull.std() < 1.15  # 360 free coefficients
    assert np.allclose(found.sigma, frame.traces.sigma, atol=0.05)


def test_cosmics_do_not_move_a_trace():
    frame = expose("small", snr=50, cosmics=150, seed=5)
    found = trace_flat(frame.image, frame.readnoise)
    assert found.nfiber == 60
    assert ratio_to_bound(frame, found) < 1.3


def test_dead_fibers_are_not_invented_and_the_others_are_kept():
    frame = expose("small", snr=50, throughput={7: 0.0, 30: 0.0, 31: 0.0})
    found = trace_flat(frame.image, frame.readnoise)
    alive = np.setdiff1d(np.arange(60), (7, 30, 31))
    assert found.nfiber == alive.size
    assert np.abs(found.center - frame.traces.center[alive]).max() < 0.05


def test_bad_columns_and_missing_pixels_are_left_out():
    frame = expose("small", snr=50)
    image = frame.image.copy()
    image[:, 200:204] = np.nan
    image[40:60, 500:560] = np.nan
    found = trace_flat(image, frame.readnoise)
    assert np.abs(found.center - frame.traces.center).max() < 0.1


def test_a_fiber_that_ends_on_the_detector_stays_in_the_set_with_a_status():
    frame = expose("tiny", snr=50)
    image = frame.image.copy()
    row = round(float(frame.traces.center[5].mean()))
    image[row - 5 : row + 6, :150] = 0.0
    image[row - 5 : row + 6, 380:] = 0.0
    found = trace_flat(image, frame.readnoise)
    assert found.nfiber == 12
    others = np.delete(np.arange(12), (4, 5, 6))
    assert np.abs(found.center - frame.traces.center)[others].max() < 0.1


def test_an_empty_or_tiny_image_is_refused_in_a_sentence():
    noise = np.random.default_rng(1).normal(0, 3, (200, 400)).astype(np.float32)
    with pytest.raises(FitError, match="no fiber"):
        trace_flat(noise, 3.0)
    with pytest.raises(FitError, match="too small"):
        trace_flat(np.zeros((10, 10), np.float32), 3.0)


def test_it_can_be_cancelled_and_reports_rising_progress():
    frame = expose("tiny", snr=50)
    event = Event()
    seen = []

    def report(fraction: float, text: str) -> None:
        seen.append(fraction)

    trace_flat(frame.image, 3.0, ctx=JobContext(report, event))
    assert len(seen) > 5 and seen[-1] <= 1 and seen[0] < seen[-1]
    event.set()
    with pytest.raises(JobCancelled):
        trace_flat(frame.image, 3.0, ctx=JobContext(report, event))


def test_status_bits_have_distinct_values():
    assert TraceBit.LOST & TraceBit.NOT_FITTED == 0

"""Threads change how long a work takes, not what comes out; they end with it."""

import os
import threading
from pathlib import Path
from threading import Event
from time import sleep

import numpy as np
import pytest

import ifuview
from ifuview.engine.context import JobContext, set_threads, threads
from ifuview.engine.cores import spread
from ifuview.engine.spectra.optimal import extract
from ifuview.engine.traces.flat import trace_flat
from ifuview.engine.traces.light.light_fit import Noise
from ifuview.engine.traces.light.measure import fit_light
from ifuview.errors import JobCancelled
from ifuview.simulate.detector.exposure import expose


@pytest.fixture
def number():
    yield set_threads
    set_threads(0)


def test_every_item_is_done_once_and_no_thread_is_left(number):
    number(4)
    seen = [0] * 40
    before = set(threading.enumerate())

    def work(i):
        seen[i] += 1

    spread(work, range(40))
    assert seen == [1] * 40 and set(threading.enumerate()) <= before  # those of others may have ended meanwhile


def test_progress_is_told_by_the_caller_and_cancel_ends_it(number):
    number(2)
    stop, told, done = Event(), [], []

    def report(fraction, text):
        told.append((threading.current_thread(), fraction))
        if len(told) == 3:
            stop.set()

    def work(i):
        sleep(0.01)
        done.append(i)

    with pytest.raises(JobCancelled):
        spread(work, range(1000), ctx=JobContext(report, stop))
    assert {thread for thread, _ in told} == {threading.current_thread()} and len(done) < 1000


def test_an_error_comes_out(number):
    number(2)
    with pytest.raises(ZeroDivisionError):
        spread(lambda i: 1 / (i - 5), range(20))


def test_a_fork_after_it_can_go_on(number):
    number(2)
    spread(lambda i: None, range(8))
    child = os.fork()
    if child == 0:
        spread(lambda i: None, range(8))
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_traces_fits_and_spectra_are_the_same_to_the_bit(number):
    frame = expose("small", snr=30)
    columns = np.ascontiguousarray(frame.image.T)
    results = []
    for n in (1, 3):
        number(n)
        assert threads() == n
        light = fit_light(columns, np.ones(columns.shape, np.uint8), frame.traces.center, Noise(9.0, 1.0, "given"))
        found = trace_flat(frame.image, frame.readnoise)
        results.append((
            found.center, found.error, *extract(frame.image, found.center, found.sigma, frame.readnoise),
            light.center, light.error, light.flux, light.shape,
        ))  # fmt: skip
    for one, other in zip(*results):
        assert np.array_equal(one, other, equal_nan=True)


def test_a_worker_has_one_thread_and_a_command_what_the_user_chose(number, monkeypatch, tmp_path, capsys):
    from ifuview import settings
    from ifuview.batch.work import THREADS, one_thread
    from ifuview.commands.run import command

    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    settings.save(settings.Settings(threads=3))
    command("completion", ["bash"])
    assert threads() == 3
    for name in THREADS:
        monkeypatch.setenv(name, "1")
    one_thread()
    assert threads() == 1


def test_no_kernel_has_threads_of_numba():
    """A worker need not tell numba how many to take, and numba refuses to be told once they run."""
    package = Path(ifuview.__file__).parent
    assert not [path for path in package.rglob("*.py") if "parallel=True" in path.read_text(encoding="utf-8")]

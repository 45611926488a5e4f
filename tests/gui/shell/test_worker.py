"""The worker: exactly one end signal a job, quick cancelling, a living thread after a failure."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from threading import Event, get_ident

import pytest
from PyQt6.QtCore import QObject
from pytestqt.qtbot import QtBot

from ifuview.app.jobs import JobKey, JobKind, JobRequest
from ifuview.engine.context import JobContext
from ifuview.errors import MissingDataError
from ifuview.gui.shell.worker import GC_THRESHOLDS, Collector, Worker

KEY = JobKey(JobKind.VIEW, "preview")


class Ends:
    def __init__(self, worker: Worker) -> None:
        self.all: list[tuple[str, int]] = []
        worker.done.connect(lambda i, v: self.all.append(("done", i)))
        worker.failed.connect(lambda i, f: self.all.append(("failed", i)))
        worker.cancelled.connect(lambda i: self.all.append(("cancelled", i)))


@pytest.fixture
def worker(qtbot: QtBot) -> Iterator[Worker]:
    worker = Worker()
    worker.start()
    yield worker
    worker.shut_down()


def slow(ctx: JobContext) -> str:
    for i in range(1000):
        ctx.checkpoint(i / 1000, "slow")
        time.sleep(0.005)
    return "end"


def fails(ctx: JobContext) -> None:
    raise MissingDataError("no such thing", "x.fits", "look elsewhere")


def breaks(ctx: JobContext) -> float:
    return 1 / 0


def test_each_job_has_exactly_one_end(worker: Worker, qtbot: QtBot) -> None:
    ends = Ends(worker)
    ids = [worker.submit(JobRequest("a", lambda ctx: 1, KEY)), worker.submit(JobRequest("b", fails, KEY)),
           worker.submit(JobRequest("c", breaks, KEY)), worker.submit(JobRequest("d", slow, KEY))]  # fmt: skip
    worker.cancel(ids[3])
    qtbot.waitUntil(lambda: len(ends.all) == 4)
    qtbot.wait(30)
    assert ends.all == list(zip(("done", "failed", "failed", "cancelled"), ids))


def test_cancelling_a_running_job_takes_effect_at_its_next_checkpoint(worker: Worker, qtbot: QtBot) -> None:
    ends = Ends(worker)
    with qtbot.waitSignal(worker.began):
        ident = worker.submit(JobRequest("slow", slow, KEY))
    worker.cancel(ident)
    qtbot.waitUntil(lambda: ends.all == [("cancelled", ident)], timeout=2000)


def test_a_newer_request_of_a_key_cancels_the_older(worker: Worker, qtbot: QtBot) -> None:
    ends = Ends(worker)
    first = worker.submit(JobRequest("old", slow, KEY, newest=True))
    second = worker.submit(JobRequest("new", lambda ctx: 2, KEY, newest=True))
    qtbot.waitUntil(lambda: len(ends.all) == 2)
    assert ends.all == [("cancelled", first), ("done", second)]
    assert worker.is_current(second, KEY)
    assert not worker.is_current(first, KEY)


def test_the_failure_says_what_to_do(worker: Worker, qtbot: QtBot) -> None:
    with qtbot.waitSignal(worker.failed) as caught:
        worker.submit(JobRequest("b", fails, KEY))
    assert caught.args[1].text == "x.fits: no such thing; look elsewhere."


def test_shutting_down_ends_a_running_job(qtbot: QtBot) -> None:
    worker = Worker()
    worker.start()
    with qtbot.waitSignal(worker.began):
        worker.submit(JobRequest("slow", slow, KEY))
    worker.shut_down()
    assert worker.isFinished()


def test_a_job_that_does_not_listen_is_not_waited_for(qtbot: QtBot) -> None:
    for aside in (False, True):
        worker = Worker()
        worker.start()
        worker.submit(JobRequest("deaf", lambda ctx: time.sleep(1.0), KEY, aside=aside))
        qtbot.wait(50)
        began = time.monotonic()
        assert not worker.shut_down(0.1)
        assert time.monotonic() - began < 0.8
        assert worker.shut_down()


DEAF = """
import sys, time
from PyQt6.QtCore import QTimer
from ifuview import __main__
from ifuview.app.jobs import JobKey, JobKind, JobRequest
from ifuview.gui.shell import shell

begin = shell.Shell.start
def start(self, script, prefetch=None):
    begin(self, script, prefetch)
    key = JobKey(JobKind.VIEW, "deaf")
    for aside in (False, True):
        self.worker.submit(JobRequest("deaf", lambda ctx: time.sleep(60), key, aside=aside))
    def close():
        print(time.time(), flush=True)
        self.window.close()
    QTimer.singleShot(300, close)
shell.Shell.start = start
sys.argv = ["ifuview", "-fresh"]
__main__.main()
"""


def test_closing_the_window_ends_the_process_whatever_a_job_does(tmp_path) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", DEAF], capture_output=True, text=True, timeout=50, env=env)
    assert time.time() - float(done.stdout.split()[0]) < 3.0
    assert done.returncode == 0, done.stderr


class Noted:
    """Tells by which thread it was collected; only the collector finds it."""

    def __init__(self, owners: list[int]) -> None:
        self.owners, self.itself = owners, self

    def __del__(self) -> None:
        self.owners.append(get_ident())


def test_garbage_is_collected_on_the_thread_of_the_window_alone(worker: Worker, qtbot: QtBot) -> None:
    """A timer of Qt that a worker's thread collects while the window runs it ends the process."""
    owners: list[int] = []
    kept: list[object] = []
    parent, old = QObject(), gc.get_threshold()
    gc.enable()
    gc.set_threshold(*GC_THRESHOLDS)
    collector = Collector(parent)
    try:
        collector.begin()
        Noted(owners)
        worker.done.connect(lambda _, value: kept.append(value))
        worker.submit(JobRequest("many objects", lambda ctx: [[[]] for _ in range(10 * GC_THRESHOLDS[0])], KEY))
        qtbot.waitUntil(lambda: bool(kept), timeout=20_000)
        qtbot.waitUntil(lambda: bool(owners), timeout=5_000)
        assert owners == [get_ident()]
    finally:
        collector.end()
        gc.set_threshold(*old)
        gc.disable()


def test_in_a_notebook_garbage_is_python_s_again_when_no_job_runs(qtbot: QtBot) -> None:
    owners: list[int] = []
    seen: list[bool] = []
    parent, old = QObject(), gc.get_threshold()
    gc.enable()
    collector = Collector(parent)
    held = Worker(collector.held)
    held.start()
    gate = Event()

    def run(_: object) -> None:
        seen.append(gc.isenabled())
        many = [[[]] for _ in range(10 * GC_THRESHOLDS[0])]
        gate.wait(20.0)
        del many

    try:
        collector.begin(only_held=True)
        assert gc.isenabled() and gc.get_threshold() == old
        Noted(owners)
        held.submit(JobRequest("many objects", run, KEY))
        qtbot.waitUntil(lambda: bool(owners), timeout=20_000)
        assert owners == [get_ident()] and seen == [False]
        gate.set()
        qtbot.waitUntil(gc.isenabled, timeout=5_000)
    finally:
        gate.set()
        held.shut_down()
        collector.end()
        gc.disable()

"""The runner of tasks: whose turn it is, what follows, how often the store and the book of jobs change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Event
from typing import ClassVar

import pytest
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.jobs import KEEP_JOBS, NO_JOBS, JobBook, JobKey, JobKind, JobRecord, JobStatus
from ifuview.app.session import Level, Session
from ifuview.app.tasks import ALWAYS, Change, Task
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.job_board import PERIOD_MS
from ifuview.gui.shell.store import Store
from ifuview.gui.shell.worker import Worker
from tests import demo
from tests.gui.windows import settle, window

MOST_CHANGES = 3  # of the store, by a click on a fiber
GATES: dict[str, Event] = {}


@dataclass(frozen=True, kw_only=True)
class Wait(Task[str]):
    """Ends when its gate opens; its word is put among the recent files."""

    kind: ClassVar[JobKind] = JobKind.COUNT
    word: str
    gate: str = ""

    def run(self, session: Session, ctx: JobContext) -> str:
        while self.gate and not GATES[self.gate].wait(0.005):
            ctx.checkpoint()
        ctx.checkpoint()
        return self.word

    def apply(self, session: Session, result: str) -> Change:
        if result == "bad":
            raise UsageError("this is bad")
        return Change(replace(session, recent=(*session.recent, result)))


@pytest.fixture
def control(qtbot: QtBot) -> Iterator[Controller]:
    worker = Worker()
    worker.start()
    yield Controller(Store(), worker)
    for gate in GATES.values():
        gate.set()
    worker.shut_down()


@pytest.fixture(scope="module")
def flat() -> str:
    return str(demo.file("preproc"))


def opened(name: str) -> str:
    GATES[name] = Event()
    return name


def over(qtbot: QtBot, control: Controller) -> None:
    qtbot.waitUntil(lambda: not control.busy, timeout=10_000)


def begun(qtbot: QtBot, control: Controller) -> None:
    key = JobKey(JobKind.COUNT)
    qtbot.waitUntil(lambda: (control.jobs.book.active(key) or NONE).status is JobStatus.RUNNING, timeout=10_000)


NONE = JobRecord(0, "", JobKey(JobKind.COUNT))


def test_results_become_sessions_in_their_order(control, qtbot):
    for word in "abc":
        control.begin(Wait(word=word))
    over(qtbot, control)
    assert control.session.recent == ("a", "b", "c")


def test_a_newer_task_takes_the_place_of_an_older_one(control, qtbot):
    control.begin(Wait(word="old", gate=opened("old"), newest=True))
    begun(qtbot, control)
    control.begin(Wait(word="new", newest=True))
    over(qtbot, control)
    assert control.session.recent == ("new",)


def test_what_has_its_time_is_done_and_only_the_newest_wish_waits(control, qtbot):
    control.begin(Wait(word="0", gate=opened("0"), newest=True, patience=ALWAYS))
    begun(qtbot, control)
    for word in "1234":
        control.begin(Wait(word=word, newest=True, patience=ALWAYS))
    GATES["0"].set()
    over(qtbot, control)
    assert control.session.recent == ("0", "4")


def test_what_has_begun_has_its_time_before_the_window_was_told_so(control, qtbot):
    """A window that paints takes signals late: what a hand asks for meanwhile must not undo what is nearly done."""
    control.begin(Wait(word="0", gate=opened("0"), newest=True, patience=ALWAYS))
    ident = control.jobs.book.active(JobKey(JobKind.COUNT)).id
    end = time.monotonic() + 10
    while control.worker.waits(ident) and time.monotonic() < end:
        time.sleep(0.001)  # no event is taken
    for word in "12":
        control.begin(Wait(word=word, newest=True, patience=ALWAYS))
    GATES["0"].set()
    over(qtbot, control)
    assert control.session.recent == ("0", "2")


def test_patience_ends(control, qtbot):
    control.begin(Wait(word="slow", gate=opened("slow"), newest=True, patience=0.2))
    begun(qtbot, control)
    start = time.monotonic()
    control.begin(Wait(word="next", newest=True, patience=0.2))
    over(qtbot, control)
    assert control.session.recent == ("next",)
    assert time.monotonic() - start < 5


def test_an_equal_task_under_way_is_enough(control, qtbot):
    for _ in range(3):
        control.begin(Wait(word="one", gate=opened("one"), once=True))
    assert len(control.jobs.book.records) == 1
    GATES["one"].set()
    over(qtbot, control)
    control.begin(Wait(word="one", once=True))  # it is over: once more
    over(qtbot, control)
    assert control.session.recent == ("one", "one")


def test_what_is_no_longer_wanted_is_not_put(control, qtbot):
    control.begin(Wait(word="first", gate=opened("first"), newest=True, patience=ALWAYS))
    begun(qtbot, control)
    control.begin(Wait(word="second", newest=True, patience=ALWAYS))
    control.take(Change(control.session, stop=(JobKey(JobKind.COUNT),)))
    over(qtbot, control)
    assert control.session.recent == ()


def test_a_cancelled_job_takes_what_waits_for_it_along(control, qtbot):
    control.begin(Wait(word="first", gate=opened("first"), newest=True, patience=ALWAYS))
    begun(qtbot, control)
    control.begin(Wait(word="second", newest=True, patience=ALWAYS))
    control.handle(want.CancelJob())
    over(qtbot, control)
    assert control.session.recent == ()


@pytest.mark.parametrize("number", [1, 3])
def test_who_stops_what_runs_is_told_what_ends(control, qtbot, number):
    GATES["stop"] = Event()
    for n in range(number):
        control.begin(Wait(title=f"Read {n}", word=str(n), gate="stop"))
    control.begin(Wait(title="not listed", word="q", gate="stop", quiet=True))
    control.handle(want.CancelJob(None))
    qtbot.waitUntil(lambda: not control.busy)
    more = f" and {number - 1} more" if number > 1 else ""
    assert control.session.messages[-1].text == f"stopped: Read 0{more}"
    control.handle(want.CancelJob(None))  # nothing runs, nothing is said
    assert len(control.session.messages) == 1


def test_the_end_of_a_task_is_told_with_whether_it_went_well(control, qtbot):
    ends = []
    control.ended.connect(lambda task, well: ends.append((task.word, well)))
    for word in ("good", "bad"):
        control.begin(Wait(word=word))
    over(qtbot, control)
    assert ends == [("good", True), ("bad", False)]
    assert [m.level for m in control.session.messages] == [Level.ERROR]


def test_an_intent_of_no_table_is_a_fault_and_not_a_wish(control):
    class Unknown(want.Intent):
        """Nobody carries it out."""

    with pytest.raises(LookupError):
        control.handle(Unknown())


def test_the_book_keeps_what_is_active_and_what_ended_last():
    book = JobBook()
    for ident in range(2 * KEEP_JOBS):
        book = book.begun(JobRecord(ident, "", JobKey(JobKind.OPEN, ident), quiet=ident % 2 == 1))
        if ident:
            book = book.told(ident, JobStatus.DONE)
    assert book.active(JobKey(JobKind.OPEN, 0)).id == 0
    assert book.active(JobKey(JobKind.OPEN, 5)) is None
    assert len([r for r in book.records if r.status is JobStatus.DONE]) <= KEEP_JOBS + 1
    assert NO_JOBS.active(JobKey(JobKind.OPEN)) is None


def test_news_of_jobs_are_told_ten_times_a_second_at_most(control, qtbot):
    told, changes = [], []
    control.jobs.changed.connect(lambda book: told.append(time.monotonic()))
    control.store.changed.connect(lambda old, new: changes.append(new))
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        control.begin(Wait(word="x"))
        qtbot.wait(2)
    over(qtbot, control)
    qtbot.wait(2 * PERIOD_MS)
    assert 3 <= len(told) <= 1 + 1000 * (told[-1] - told[0]) / (0.9 * PERIOD_MS)
    assert len(changes) == len(control.session.recent)  # one each: jobs are no part of the session
    assert control.jobs.book.records[-1].status is JobStatus.DONE


def test_a_click_on_a_fiber_changes_the_store_three_times_at_most(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        slot = shell.store.session.slot()
        changes: list[list[str]] = []
        shell.store.changed.connect(
            lambda old, new: changes.append([k for k in type(new).__slots__ if getattr(old, k) is not getattr(new, k)])
        )
        for fiber in (20, 30):
            changes.clear()
            x, y = slot.image.orientation.to_native(float(slot.traces.center[fiber, 300]), 300.0, slot.image.shape)
            shell.controller.handle(want.PickPoint(slot.key, float(x), float(y)))
            settle(qtbot, shell)
            assert shell.store.session.inspection.fiber == fiber
            assert changes[0] == ["selection"] and ["inspection"] in changes
            assert len(changes) <= MOST_CHANGES


@dataclass(frozen=True, kw_only=True)
class Count(Wait):
    """Tells numbers until its gate opens."""

    def run(self, session: Session, ctx: JobContext) -> str:
        number = 0
        while not GATES[self.gate].is_set():
            number += 1
            ctx.part(0.2, 0.8).tell(str(number))
            GATES[self.gate].wait(0.002)
            ctx.checkpoint()
        return self.word

    def news(self, session: Session, value: str) -> Session:
        return replace(session, recent=(value,))

    def stopped(self, session: Session) -> Session:
        return replace(session, recent=("stopped",))


def test_what_a_task_has_so_far_comes_at_most_ten_times_a_second(control, qtbot):
    changes = []
    control.store.changed.connect(lambda old, new: changes.append((time.monotonic(), new.recent)))
    control.begin(Count(word="all", gate=opened("count")))
    qtbot.waitUntil(lambda: len(changes) >= 4, timeout=10_000)
    GATES["count"].set()
    over(qtbot, control)
    gaps = [changes[n + 1][0] - changes[n][0] for n in range(3)]
    assert min(gaps) > 0.09 and control.session.recent[-1] == "all"
    assert int(changes[3][1][0]) > int(changes[0][1][0]) > 1  # those between are passed by


def test_a_task_that_is_stopped_says_what_stays(control, qtbot):
    control.begin(Count(word="all", gate=opened("stop")))
    begun(qtbot, control)
    control.handle(want.CancelJob(None))
    over(qtbot, control)
    assert control.session.recent == ("stopped",)

"""The one way out: whatever shows the session or the jobs gets its view from the presenter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ifuview.app import window
from ifuview.app.jobs import NO_JOBS, JobKey, JobKind, JobRecord, JobStatus
from ifuview.app.session import Layout, Session

GUI = Path(__file__).resolve().parents[3] / "ifuview" / "gui"
# these draw nothing: they ask for something when the session has changed
FOLLOWERS = {
    *("shell/habits.py", "night/watcher.py", "photons/player.py", "frames/_file_watch.py"),
    *("outside/console.py", "outside/samp.py", "outside/keeper.py"),
}
SIGNALS = ("store.changed.connect", "jobs.changed.connect")


def test_nobody_else_hears_of_the_session_or_makes_views():
    texts = {str(path.relative_to(GUI)): path.read_text("utf-8") for path in GUI.rglob("*.py")}
    hear = {name for name, text in texts.items() if any(signal in text for signal in SIGNALS)}
    assert hear == {"shell/presenter.py", *FOLLOWERS}
    assert not [name for name in FOLLOWERS if ".draw(" in texts[name]]
    makes = {name for name, text in texts.items() if "view.make(" in text or "views.make(" in text}
    assert makes == {"shell/presenter.py", "shell/main_window.py"}
    assert texts["shell/main_window.py"].count("window_view.make(Session())") == texts["shell/main_window.py"].count(
        "view.make("
    )  # of nothing, to begin with


def test_the_window_tells_what_was_done_since():
    empty = Session()
    assert window.make(empty).title == "ifuview"
    assert not window.went_well(empty, empty)
    assert window.went_well(empty, replace(empty, layout=Layout.TILE))
    assert not window.went_well(empty, replace(empty, recent=("a.fits",)))


def test_the_line_tells_of_the_job_that_runs_before_the_one_that_waits():
    waits, runs, quiet = (
        JobRecord(number, str(number), JobKey(JobKind.OPEN), status=status, quiet=number == 3)
        for number, status in enumerate((JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.RUNNING), 1)
    )
    assert window.running(NO_JOBS) is None
    assert window.running(replace(NO_JOBS, records=(quiet, waits))) is waits
    assert window.running(replace(NO_JOBS, records=(quiet, waits, runs))) is runs

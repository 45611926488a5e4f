"""A night without a window: indexed, stepped through, blinked, watched, asked what is wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app import intents as want
from ifuview.app.frames.views import image
from ifuview.app.frames.views.fiber_marks import MarkKind
from ifuview.app.night import open_night
from ifuview.app.night.showing import ReadProducts
from ifuview.app.night.state import Place
from ifuview.app.night.tasks import FEW_FILES
from ifuview.app.session import Layout, Level, Session
from ifuview.model.night.triage import Finding, TriageResult
from tests.app.night.production import FIRST, SECOND, put, write_production
from tests.app.runner import Runner


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path / "cache"))
    return write_production(tmp_path)


@pytest.fixture
def runner(root: Path) -> Runner:
    found = Runner()
    found.ask(want.OpenFile(str(root)))  # a folder
    return found


def here(runner: Runner) -> Place | None:
    return open_night.here(runner.session)


def test_a_folder_is_indexed_and_listed(runner, root):
    assert {e.expid for e in runner.session.night.index.exposures} >= {FIRST, SECOND}
    assert runner.session.recent[0] == str(root)
    assert runner.window[0] == want.ShowDock("exposures", front=False)
    assert here(runner) == runner.session.night.auto  # the first product is shown and nobody chose it


def test_a_few_files_of_no_night_are_opened(tmp_path):
    """As a reduction leaves them for one target."""
    for name in ("b.fits", "a.fits"):
        fits.PrimaryHDU(np.ones((8, 9), np.float32)).writeto(tmp_path / name)
    (tmp_path / "notes.txt").touch()
    runner = Runner()
    runner.ask(want.OpenFolder(str(tmp_path)))
    assert [slot.title for slot in runner.session.slots] == ["a", "b"] and runner.session.night is None
    assert any("is no night: its 2 files are opened" in said for said in runner.said())


def test_a_folder_without_products_is_refused(tmp_path):
    runner = Runner()
    runner.ask(want.OpenFolder(str(tmp_path)))
    assert runner.session.night is None
    assert "no products of cameras or tiles" in runner.said()[-1]
    many = tmp_path / "many"
    many.mkdir()
    for name in (*(f"b{n}.h5" for n in range(FEW_FILES)), "a.fits", "notes.txt"):
        (many / name).touch()
    runner.ask(want.OpenFolder(str(many)))
    assert "open one of its files: a.fits, b0.h5" in runner.said()[-1]
    deeper = tmp_path / "calibrations"  # its files lie in folders, as those of nights do
    (deeper / "20211014").mkdir(parents=True)
    (deeper / "20211014" / "psfnight-r6-20211014.fits").write_bytes(b"")
    runner.ask(want.OpenFolder(str(deeper)))
    assert f"open one of its files: {os.path.join('20211014', 'psfnight-r6-20211014.fits')}" in runner.said()[-1]


def test_products_are_read_once_and_stepped_through(runner):
    runner.ask(want.ShowProduct(FIRST, "r0", "sframe"))
    assert here(runner) == Place(FIRST, "r0", "sframe")
    runner.ask(want.StepExposure(1))
    assert here(runner) == Place(SECOND, "r0", "sframe")
    reads = sum(isinstance(task, ReadProducts) for task in runner.done)
    runner.ask(want.StepExposure(-1))  # it is open
    assert here(runner) == Place(FIRST, "r0", "sframe")
    assert sum(isinstance(task, ReadProducts) for task in runner.done) == reads == 2


def test_the_chain_blinks_from_what_is_shown_and_stops_when_asked_again(runner):
    session = runner.ask(want.ShowProduct(FIRST, "r0", "sframe"), want.BlinkAlong("chain"))
    products = [session.night.shown[s.key].product for s in session.slots]
    assert session.layout is Layout.BLINK and len(products) > 1
    assert session.slot().key == next(k for k, p in session.night.shown.items() if p.product == "sframe")
    assert runner.ask(want.BlinkAlong("chain")).layout is Layout.SINGLE


def test_what_comes_into_a_watched_folder_is_told_and_shown(root, tmp_path):
    source = next(root.rglob(f"sframe-r0-{SECOND:08d}.fits*"))
    away = tmp_path / source.name
    source.rename(away)
    runner = Runner()
    runner.ask(want.WatchFolder(str(root), newest=True))
    runner.ask(want.LookAgain())
    assert not any(text.startswith("New:") for text in runner.said())
    put(away, source)
    runner.ask(want.LookAgain())
    assert any(text.startswith(f"New: sframe-r0-{SECOND}") for text in runner.said())
    assert here(runner) == Place(SECOND, "r0", "sframe")
    runner.ask(want.WatchFolder(on=False))
    done = len(runner.done)
    runner.ask(want.LookAgain())  # a late tick
    assert len(runner.done) == done


def shown_keys(session):
    """Frames that show the place of the finding."""
    place = (session.triage.shown.expid, session.triage.shown.camera)
    return {key for key, p in session.night.shown.items() if (p.expid, p.camera) == place}


def test_a_finding_is_shown_between_two_products(runner):
    session = runner.ask(want.ShowProduct(FIRST, "r0", "frame"), want.Triage("camera"))
    assert runner.window[-1] == want.ShowDock("triage")
    here = open_night.here(session)
    assert (here.expid, here.camera) == (session.triage.shown.expid, session.triage.shown.camera)  # bar and picture
    assert not [m for m in session.messages if m.level is Level.ERROR]
    findings = (
        Finding(SECOND, "r0", "sky", "sky", fibers=(4, 5, 6), wave_range=(5800.0, 5810.0)),
        Finding(FIRST, "r0", "sky", "sky", fibers=(1,)),
    )
    found = replace(session.triage, result=TriageResult(findings=findings), groups=((0,), (1,)))
    runner.session = replace(session, triage=found)
    session = runner.ask(want.ShowFinding(0))
    assert session.layout is Layout.SINGLE and session.triage.shown is findings[0]  # all of it without a blink
    session = runner.ask(want.ShowProblem(blink=True))
    shown = [session.night.shown[key] for key in session.blink_keys]
    assert session.layout is Layout.BLINK and len(shown) == 2
    assert {(p.expid, p.camera) for p in shown} == {(SECOND, "r0")}
    first = session.slots[0].key
    assert first not in session.blink_keys  # of before, still open
    assert session.night.shown[session.current].product == "sframe"
    assert (session.selection.fiber, session.selection.fibers) == (5, (4, 5, 6))
    marked = image.make(session)  # the same fibers and wavelengths on both pictures, on no other
    for picture in marked.pictures:
        kinds = {mark.kind for mark in picture.overlay.marks}
        assert {MarkKind.RUN, MarkKind.SPAN} <= kinds if picture.key in shown_keys(session) else not kinds
    assert session.slot().view.part is not None and session.slot().view.fit  # as large as the canvas
    assert runner.ask(want.ShowFinding(2)) is session  # there is none
    session = runner.ask(want.ShowFinding(1))  # the problem takes its pictures with it, the user's stay
    assert {session.night.shown[s.key].expid for s in session.slots} == {FIRST}
    assert session.slots[0].key == first and session.layout is Layout.SINGLE


def test_this_exposure_means_all_its_cameras_also_for_a_product_opened_alone(root):
    alone = Runner()
    alone.ask(want.OpenFile(str(next(root.rglob(f"sframe-r0-{FIRST:08d}.fits*")))))
    for scope, cameras in (("camera", {(FIRST, "r0")}), ("exposure", {(FIRST, "r0"), (FIRST, "r1")})):
        state = alone.ask(want.Triage(scope)).triage
        assert set(state.result.cameras) == cameras
    assert state.scope.startswith("the exposure of sframe")


def test_a_folder_that_is_open_is_watched_as_it_is(root):
    """Frames keep their places in it, and what was judged is not asked again."""
    runner = Runner(Session())
    runner.ask(want.OpenFolder(str(root)), want.ShowProduct(FIRST, "r1", "sframe"))
    before = runner.session
    runner.done.clear()
    runner.ask(want.WatchFolder(newest=True))
    night = runner.session.night
    assert night.watched and night.newest and night.shown == before.night.shown
    assert runner.session.triage is before.triage and len(runner.done) == 1
    assert here(runner) == Place(FIRST, "r1", "sframe") and "Watched from now on" in runner.said()[-1]
    runner.ask(want.WatchFolder(on=False), want.OpenFolder(str(root)))
    assert runner.session.night.shown == before.night.shown or here(runner) is not None

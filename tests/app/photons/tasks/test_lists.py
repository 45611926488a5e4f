"""Photon lists without a window: opened, indexed, counted, played, calibrated, compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.photons import lists as photons
from ifuview.app.photons.state import CHUNK, Shown
from ifuview.app.photons.tasks.lists import CountCut, MakeIndex
from ifuview.app.photons.tasks.play import CountSteps
from ifuview.app.session import Layout, Level
from ifuview.app.tasks import ALWAYS, Change
from ifuview.errors import UsageError
from ifuview.model.photons.lists import PhotonCut
from tests.app.photons.photon_files import Files, write_files
from tests.app.runner import Runner


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_files(tmp_path_factory.mktemp("photons"), 4.0, calibrated=True)


@pytest.fixture
def runner(files: Files) -> Runner:
    found = Runner()
    found.ask(want.OpenFile(files.photons))
    return found


def test_a_list_is_opened_and_indexed_and_its_docks_are_asked_for(runner, files):
    frame = runner.session.slot().photons
    assert frame.shown is Shown.FLAGS and frame.live is not None
    index = next(task for task in runner.done if isinstance(task, MakeIndex))
    assert index.key == JobKey(JobKind.INDEX, files.photons) and index.aside
    assert {i.key for i in runner.window if isinstance(i, want.ShowDock)} == {"calibrations", "photons"}


def test_without_a_window_to_come_nothing_is_read_ahead(files):
    from ifuview.app.session import Session

    runner = Runner(Session(headless=True))
    assert runner.ask(want.OpenFile(files.photons)).slot().photons.live is None
    assert runner.window == []


def test_a_cut_is_counted_exactly(runner, files):
    slot = runner.session.slot()
    cut = PhotonCut(start=0.5, stop=1.5)
    frame = runner.ask(want.SetPhotonCut(slot.key, cut)).slot().photons
    truth = photons.image(photons.open_source(files.photons), cut)
    np.testing.assert_array_equal(frame.image.counts, truth.counts)
    assert frame.cut == cut and frame.shown is Shown.COUNTS
    assert runner.session.slot().title.endswith("0.50–1.50 s")


def test_while_one_cut_is_counted_only_the_newest_waits(runner):
    slot = runner.session.slot()
    change = want.carried_out(runner.session, want.SetPhotonCut(slot.key, PhotonCut(stop=1.0), final=False))
    (task,) = change.then
    assert isinstance(task, CountCut)
    assert (task.patience, task.quiet, task.key) == (ALWAYS, True, JobKey(JobKind.COUNT, slot.key))
    assert change.session is runner.session  # the store hears of it when it is counted


def test_a_bad_cut_is_told_and_leaves_the_frame_as_it_was(runner):
    slot = runner.session.slot()
    session = runner.ask(want.SetPhotonCut(slot.key, PhotonCut(start=2.0, stop=1.0)))
    assert session.messages[-1].level is Level.ERROR
    assert session.slot().photons.cut == slot.photons.cut


def test_flags_stop_what_is_being_counted(runner):
    key = runner.session.slot().key
    runner.ask(want.ShowPhotons("rate"))
    change = want.carried_out(runner.session, want.ShowPhotons("flags"))
    assert isinstance(change, Change) and change.stop == (JobKey(JobKind.COUNT, key),)
    assert change.session.slot().photons.shown is Shown.FLAGS


def test_a_count_that_fails_leaves_the_cut_of_the_picture(runner):
    slot = runner.ask(want.ShowPhotons("counts")).slot()
    wished = replace(slot.photons, cut=PhotonCut(stop=1.0))
    session = runner.session.with_slot(replace(slot, photons=wished))
    task = want.carried_out(session, want.ShowPhotons("counts"))
    assert task.failed(session, UsageError("gone")).slot().photons.cut == slot.photons.image.cut


def test_playing_shows_one_step_after_the_other(runner, files):
    runner.ask(want.ShowPhotons("counts"), want.PlayPhotons(True, step=0.25, fps=5.0))
    frame = runner.session.slot().photons
    steps = frame.reel.steps
    assert frame.playing and len(steps) == min(CHUNK, round(4.0 / 0.25))
    key = runner.session.slot().key
    for number in range(3):
        shown = runner.ask(want.ShowNextStep(key)).slot().photons
        assert (shown.cut.start, shown.cut.stop) == pytest.approx((0.25 * number, 0.25 * (number + 1)))
        np.testing.assert_array_equal(shown.image.counts, steps[number].counted.counts)
    truth = photons.image(photons.open_source(files.photons), PhotonCut(start=0.5, stop=0.75))
    np.testing.assert_array_equal(shown.image.counts, truth.counts)
    again = runner.ask(want.PlayPhotons(True, step=0.5)).slot().photons  # from the time that is shown
    assert (again.reel.steps[0].cut.start, again.reel.steps[0].cut.stop) == pytest.approx((0.5, 1.0))
    assert isinstance(runner.done[-1], CountSteps)
    still = runner.ask(want.PlayPhotons(False)).slot().photons
    assert not still.playing and still.reel is None and still.cut == shown.cut
    session = runner.session
    assert runner.ask(want.ShowNextStep(key)) is session  # a late tick


def test_calibrations_come_and_a_second_frame_goes_the_other_way(tmp_path: Path):
    files = write_files(tmp_path, 2.0)
    runner = Runner()
    runner.ask(want.OpenFile(files.photons), want.ShowPhotons("counts"))
    assert not runner.session.slot().photons.source.info.calibrated
    slot = runner.ask(want.LoadCalibration("", files.wavecal)).slot()
    assert slot.photons.source.info.calibrated and slot.photons.live is not None
    session = runner.ask(want.CompareCalibration(0))
    one, other = session.slots
    assert (one.photons.stack[0].on, other.photons.stack[0].on) == (True, False)
    assert other.title.endswith("without wavelength")
    assert session.layout is Layout.BLINK and session.blink_keys == (one.key, other.key)
    assert not [m for m in session.messages if m.level is Level.ERROR]


def test_a_difference_follows_its_photon_frames(runner):
    runner.ask(want.ShowPhotons("counts"), want.CopyPhotons())
    a, b = runner.session.slots
    made = runner.ask(want.Combine(a.key, b.key, "difference")).slot()
    assert np.nansum(np.abs(made.image.pixels.raw)) == 0
    runner.done.clear()
    session = runner.ask(want.SetPhotonCut(b.key, PhotonCut(stop=2.0)))
    now, half = session.slot(made.key), session.slot(b.key)
    expected = a.image.pixels.native() - half.image.pixels.native()
    np.testing.assert_array_equal(now.image.pixels.native(), expected)
    assert [type(task) for task in runner.done] == [CountCut]  # no copies, no inspection of what moves

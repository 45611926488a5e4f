"""A photon list is judged as it is opened; the bar names what is wrong, and goes through the problems."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.app import follow, verdict
from ifuview.app import intents as want
from ifuview.app.frames.views import overlay
from ifuview.app.frames.views.fiber_marks import MarkKind
from ifuview.app.judging import judge, show_cell, show_problem
from ifuview.app.photons.judging import DOCK, JudgePhotons, judge_frame
from ifuview.app.photons.state import FoundStep, PhotonFrame, PhotonJudged, Shown
from ifuview.app.photons.tasks.lists import CountCut
from ifuview.app.photons.views import problems
from ifuview.app.photons.views.verdict import times_words
from ifuview.app.session import Layout, Session, Slot
from ifuview.app.tasks import as_change
from ifuview.engine.context import SILENT
from ifuview.io.photons.index.build import build_index
from ifuview.io.photons.lists.write import write_photons
from ifuview.io.photons.opening import open_photons
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.photons.lists import PhotonCut, PhotonList
from ifuview.model.photons.verdict import PhotonFault, PhotonStep
from ifuview.model.pixels import Pixels
from ifuview.model.verdict import VerdictState
from ifuview.simulate.photons import faults
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_photons
from ifuview.simulate.photons.scene import Scene

OUT = (6, 5)  # x, y of the pixel that times out
HOT = (12, 20)


@pytest.fixture(scope="module")
def clean() -> PhotonList:
    array = make_array(dead=0, cold=0, hot=0, unsolved=0, seed=2)
    return simulate_photons(array=array, duration=6.0, scene=Scene(constant=2.0, speckle=0.5, sky=80.0), seed=1)[0]


@pytest.fixture(scope="module")
def spoiled(clean: PhotonList) -> PhotonList:
    """A list with a pixel that times out, and a hot one."""
    return faults.lit(faults.timed_out(clean, [OUT], 2.0, 4.0), [HOT], 500.0)


def opened(photons: PhotonList, path: str = "", **changes) -> Session:
    """A window with a photon list that has just been opened, and nobody has judged."""
    shape = photons.info.beammap.shape
    image = Image(name="beam flags", kind=Kind.IMAGE, pixels=Pixels(np.zeros(shape)))
    info = replace(photons.info, path=path)
    dataset = Dataset(path=path, kind="photons", images=(image,), photons=info)
    source = replace(photons, info=info)
    frame = PhotonFrame(source, source, name="made")
    return replace(Session(judges=True).adding(Slot(1, "made", dataset, image, photons=frame)), **changes)


def answered(session: Session) -> Session:
    """The session with the verdict."""
    (task,) = follow.after(replace(session, slots=()), session)
    assert isinstance(task, JudgePhotons)
    return as_change(session, task.apply(session, task.run(session, SILENT))).session


@pytest.fixture
def told(spoiled: PhotonList) -> Session:
    return answered(opened(spoiled))


# when


def test_a_list_is_judged_as_it_is_opened_aside_of_everything(spoiled):
    session = opened(spoiled)
    (task,) = follow.after(replace(session, slots=()), session)
    assert isinstance(task, JudgePhotons) and task.aside and task.quiet
    bar = verdict.make(session)
    assert bar.state is VerdictState.JUDGING and bar.fraction is not None


@pytest.mark.parametrize("changes", [{"judges": False}, {"headless": True}])
def test_but_not_where_nobody_wants_that(spoiled, changes):
    session = opened(spoiled, **changes)
    assert not follow.after(replace(session, slots=()), session)
    assert verdict.make(session).state is VerdictState.NOT_JUDGED


def test_it_can_be_stopped_and_asked_again(spoiled):
    session = opened(spoiled)
    change = as_change(session, judge(session, want.Judge(on=False)))
    assert change.stop and verdict.make(change.session).state is VerdictState.NOT_JUDGED
    again = as_change(change.session, judge(change.session, want.Judge()))
    assert isinstance(again.then[0], JudgePhotons) and verdict.make(again.session).state is VerdictState.JUDGING


def test_an_index_that_comes_meanwhile_is_no_reason_to_judge_again(spoiled):
    session = opened(spoiled)
    slot = session.slot()
    later = session.with_slot(replace(slot, photons=replace(slot.photons, raw=replace(spoiled))))
    assert not follow.after(session, later)


def test_other_calibrations_are_judged_anew(told):
    slot = told.slot()
    step = FoundStep({"found.hot": np.zeros((30, 24), bool)}, "threshold")
    later = told.with_slot(replace(slot, photons=replace(slot.photons, stack=(step,))))
    (task,) = follow.after(told, later)
    assert task.before.stack == (step,) and verdict.make(later).state is VerdictState.JUDGING
    told = as_change(later, task.apply(later, task.run(later, SILENT))).session
    alike = replace(step, flags={"found.hot": np.zeros((30, 24), bool)})
    other = told.with_slot(replace(told.slot(), photons=replace(told.slot().photons, stack=(alike,))))
    assert len(follow.after(told, other)) == 1


def test_the_order_is_that_of_the_file_and_not_of_its_index(clean, tmp_path: Path):
    path = str(tmp_path / "disordered.h5")
    write_photons(path, faults.disordered(clean, [(4, 4)], 0.3))
    frame = PhotonFrame(*[build_index(open_photons(path))] * 2)
    (found,) = judge_frame(frame).findings
    assert found.fault is PhotonFault.ORDER and {tuple(p) for p in found.pixels.tolist()} == {(4, 4)}


# what the bar says


def test_the_bar_names_all_that_is_wrong_with_nothing_pressed(told):
    bar = verdict.make(told)
    assert bar.state is VerdictState.WRONG and bar.problem == -1 and len(bar.problems) == 2
    assert bar.headline == "PHOTONS wrong: 1 resonator times out \u00b7 1 hot pixel"
    assert "720 of 720 pixels bright enough" in bar.judged and "2 questions not asked" in bar.judged
    assert bar.dock == DOCK


def test_the_chain_says_which_step_is_wrong_and_which_is_not_there(told):
    cells = {PhotonStep(c.key): c for c in verdict.make(told).chain}
    assert list(cells) == list(PhotonStep)
    states = [cells[step].state for step in PhotonStep]
    assert states == [VerdictState.NOT_JUDGED, VerdictState.WRONG, VerdictState.CLEAN, VerdictState.NOT_JUDGED,
                      VerdictState.WRONG]  # fmt: skip
    assert [c.key for c in cells.values() if c.first] == ["list"]
    assert [c.key for c in cells.values() if not c.there] == ["packets", "flat"]


def test_clean_says_on_how_much(clean):
    bar = verdict.make(answered(opened(clean)))
    assert bar.state is VerdictState.CLEAN
    assert f"{len(clean.time):,}".replace(",", "\u202f") in bar.headline and "720" in bar.judged


def test_in_packets_the_first_wrong_step_is_the_packets(spoiled):
    raw = replace(spoiled, info=replace(spoiled.info, era="packets"))
    bar = verdict.make(answered(opened(raw)))
    states = {c.key: (c.state, c.there) for c in bar.chain}
    assert states["packets"] == (VerdictState.WRONG, True) and states["list"] == (VerdictState.NOT_JUDGED, False)


def test_pixels_too_faint_are_not_called_clean(clean):
    keep = np.random.default_rng(1).random(len(clean.time)) < 0.01
    bar = verdict.make(answered(opened(faults.without(clean, ~keep))))
    assert bar.state is VerdictState.LOOK and "too faint to be judged" in bar.headline
    assert {c.key: c.state for c in bar.chain}["image"] is VerdictState.LOOK


def test_pixels_with_too_few_photons_for_time_outs_are_told_apart(clean):
    keep = np.random.default_rng(1).random(len(clean.time)) < 0.2
    bar = verdict.make(answered(opened(faults.without(clean, ~keep))))
    assert bar.state is VerdictState.LOOK and bar.headline.endswith("pixels are too faint for time-outs")
    assert {c.key: c.state for c in bar.chain}["image"] is VerdictState.CLEAN


def test_what_cannot_be_judged_says_why(spoiled):
    session = opened(spoiled)
    (task,) = follow.after(replace(session, slots=()), session)
    bar = verdict.make(task.failed(session, OSError("the disk is gone")))
    assert bar.state is VerdictState.NOT_JUDGED and "the disk is gone" in bar.headline


# a problem owns its picture


def test_new_problems_are_marked_with_nothing_pressed(told):
    (mark,) = overlay.make_overlay(told, told.slot()).marks
    assert mark.kind is MarkKind.PIXEL
    assert set(zip(mark.x.tolist(), mark.y.tolist())) == {OUT, HOT}


def test_a_problem_shows_its_pixel_its_photons_and_its_light_curve(told):
    change = as_change(told, show_problem(told, want.ShowProblem(step=1)))
    session = change.session
    assert (session.selection.x, session.selection.y) == OUT
    (count,) = (t for t in change.then if isinstance(t, CountCut))
    assert count.cut == PhotonCut(exclude=()) and count.shown is Shown.COUNTS
    bar = verdict.make(session)
    assert bar.problem == 0 and bar.headline.startswith("LIST wrong: 1 resonator times out")
    view = problems.make(session)
    assert view.rows[0].finding.times == pytest.approx((2.0, 4.0), abs=0.1)
    assert bar.detail.startswith("pixel 6,5 \u00b7 ")
    figure = problems.evidence(view, 0)
    assert figure.title == "Light curve" and figure.spans[0].low == pytest.approx(2.0, abs=0.2)


def test_the_problems_go_round_both_ways(told):
    def after(session, step):
        return as_change(session, show_problem(session, want.ShowProblem(step=step))).session

    numbers, session = [], told
    for step in (1, 1, 1, -1):
        session = after(session, step)
        numbers.append(session.slot().photons.judged.problem)
    assert numbers == [0, 1, 0, 1]
    assert after(told, -1).slot().photons.judged.problem == 1


def test_the_list_says_what_takes_a_fault_away(told):
    view = problems.make(told)
    assert "Calibrations, Add" in problems.explanation(view, 1) and "Calibrations" not in problems.explanation(view, 0)
    assert "Not asked: place of a line (the light is of no laser)" in view.headline


@pytest.mark.parametrize(
    ("key", "cut"), [("list", PhotonCut(exclude=())), ("image", PhotonCut()), ("flat", PhotonCut(weighted=True))]
)
def test_a_step_shows_its_picture(told, key, cut):
    (count,) = as_change(told, show_cell(told, want.ShowCell(key))).then
    assert count.cut == cut


def test_a_whole_array_that_loses_light_is_shown_in_that_moment(clean):
    session = answered(opened(faults.dropped(clean, 1.0, 1.5)))
    change = as_change(session, show_problem(session, want.ShowProblem(number=0)))
    (count,) = (t for t in change.then if isinstance(t, CountCut))
    assert (count.cut.start, count.cut.stop) == pytest.approx((1.0, 1.5), abs=0.02)


def test_a_time_out_is_blinked_with_the_time_beside_it(told):
    session = as_change(told, show_problem(told, want.ShowProblem(step=1))).session
    assert verdict.make(session).proof
    change = as_change(session, show_problem(session, want.ShowProblem(blink=True)))
    one, other, layout = change.then
    start, stop = problems.make(session).rows[0].finding.times
    assert (one.cut.start, one.cut.stop) == (
        start,
        stop,
    ) and other.cut.start == stop  # there is more time after it than before
    assert layout == want.SetLayout(Layout.BLINK, keys=(one.frame, other.frame)) and len(change.session.slots) == 2
    again = as_change(change.session, show_problem(change.session, want.ShowProblem(blink=True)))
    assert len(again.session.slots) == 2


def test_a_feedline_is_framed_as_a_whole(clean):
    session = answered(opened(faults.feedline_out(clean, 3)))
    (mark,) = overlay.make_overlay(session, session.slot()).marks
    assert mark.kind is MarkKind.AREA and mark.text == "feedline 3"
    assert (mark.x.tolist(), mark.y.tolist()) == ([0, 23], [12, 17])


def test_no_verdict_is_kept_for_other_calibrations():
    judged = PhotonJudged(stack=(FoundStep({}, "median"),))
    assert judged.marked == () and judged.marked_pixels.shape == (0, 2)


@pytest.mark.parametrize(("times", "read"), [
    ((3.0, 5.0), "3.0\u20135.0 s"), ((2.1, 2.1001), "2.10000\u20132.10010 s"), ((120.0, 180.0), "120\u2013180 s"),
])  # fmt: skip
def test_a_while_has_the_digits_that_tell_its_ends_apart(times, read):
    assert times_words(*times) == read


def test_a_clock_is_off_by_milliseconds(clean):
    """Not by 0.02 +- 0.00034 s."""
    found = answered(opened(faults.late(clean, 2, 0.02)))
    detail = verdict.make(found).problems[0].headline
    assert re.search(r" 20(\.\d)? \u00b1 0\.\d+ ms, \d+ sigma$", detail), detail


def test_large_amounts_are_written_in_full(clean):
    """Not 1.08e+03."""
    found = answered(opened(faults.lit(clean, [HOT], 2500.0)))
    headline = verdict.make(found).problems[0].headline
    assert re.search(r"\b2\u202f[45]\d\d \u00b1 \d\d photons/s", headline), headline

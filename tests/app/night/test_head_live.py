"""A fiber head reduced in the window: its steps, another sky and back, its detections, its products."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.night.detections.of_head import carried, with_detections
from ifuview.app.night.reduction.live import pictures
from ifuview.app.night.reduction.live.answers import step_figures, step_numbers, telling_step
from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.night.views import detections as listed
from ifuview.app.night.views import reduction as bar
from ifuview.app.night.views import step as dock
from ifuview.app.night.virus.live import making
from ifuview.app.night.virus.live.steps import WINDOW, HeadRaw
from ifuview.app.night.virus.setup import SlotCalibration
from ifuview.app.session import Layout, Session
from ifuview.engine.context import SILENT
from ifuview.errors import UsageError
from ifuview.instrument.tables import Tables
from ifuview.model.image import Kind
from ifuview.model.night.detections import Judgment
from ifuview.model.night.raw import RawAmplifier, RawExposure, RawNight
from ifuview.model.reduction.products import ReductionRecord
from ifuview.model.verdict import VerdictState
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import Given
from ifuview.recipes.virus.light.sky import HeadSkyParams
from ifuview.recipes.virus.quality import head_quality
from tests.app.runner import Runner
from tests.recipes.virus_heads import make_night
from tests.robust.disk import small_files


def begun_head(slot: str = "047") -> ReductionState:
    """A slot of a simulated observation; the detector half hands over exposures with known truth."""
    night = make_night()
    steps = tuple(
        replace(step, make=lambda *_: SlotCalibration({}, "none")) if step.name == "calibration"
        else replace(step, make=lambda *_: night.heads[slot]) if step.name == "exposures" else step
        for step in WINDOW.steps
    )  # fmt: skip
    parts = tuple(RawAmplifier("", f"{one}L", "LL", one) for one in night.heads)
    raw = RawExposure(20190822, 11, 1, "sci", "FIELD", amplifiers=parts)
    made_of = HeadRaw(slot, (raw,), RawNight("/x", "virus"), Tables("virus"), "", ValueCache(), ReductionRecord())
    return ReductionState(
        7, f"{slot}L", f"20190822-0000011-{slot}", raw=raw, recipe=replace(WINDOW, steps=steps), running="calibration",
        given={
            "setup": Given(night.setup, "setup"), "raw": Given(made_of, "raw"), "header": Given(night.header, "header"),
            "catalog": Given(night.catalog, "catalog"),
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def state() -> ReductionState:
    return making.made(begun_head(), SILENT)


@pytest.fixture
def runner(state) -> Runner:
    session = with_detections(Session(reduction=state, judges=False), state)
    found = Runner(session)
    found.ask(want.ShowStep("fields"))
    return found


def test_all_steps_are_made_and_judged(state):
    assert all(one.value is not None for one in state.steps.values()), [one.reason for one in state.steps.values()]
    states = {one.step: one.state for one in state.verdicts}
    assert states["fields"] is VerdictState.CLEAN and states["solution"] is VerdictState.CLEAN
    assert state.line.startswith("047: ") and "arcsec" in state.line
    view = bar.make(Session(reduction=state))
    assert [cell.key for cell in view.chain] == [step.name for step in WINDOW.steps]
    numbers = {(n.step, n.name): n.value for n in step_numbers(state)}
    assert numbers["fields", "sky pulls, width"] == pytest.approx(1.0, abs=0.05)
    assert numbers["solution", "seeing"] == pytest.approx(1.7, abs=0.05)  # that was put in


def test_every_step_has_its_picture(state):
    assert telling_step(state) == "fields"
    for step, _ in state.plan:
        opened = pictures.frame_of(state, step)
        assert opened.image.camera == "047" and opened.look.hi > opened.look.lo, step
    fields, cube = pictures.frame_of(state, "fields").image, pictures.frame_of(state, "cube").image
    assert fields.kind is Kind.RSS and cube.kind is Kind.CUBE
    assert fields.fibermap.focal_x.size == fields.shape[0] == 3 * 224
    assert sorted(set(fields.fibermap.table["exp"])) == [1, 2, 3]
    assert [len(step_figures(state, step)) for step in ("sky", "fields", "cube")] == [1, 1, 0]


def test_another_sky_is_made_blinked_and_taken_back(runner, state):
    runner.ask(want.TryParams("sky", (("surface", False),)))
    now = runner.session.reduction
    assert now.change == "sky: surface False" and now.past and not now.running
    assert now.value("pictures") is state.value("pictures") and now.value("sky") is not state.value("sky")
    assert np.ptp(state.value("sky").skies[0].sky.surface) > 10 * np.ptp(now.value("sky").skies[0].sky.surface)
    view = dock.make(runner.session)
    changed = {row.name: row for row in view.numbers if row.change}
    assert any("sky" in name for name in changed) and view.can_compare
    runner.ask(want.CompareStep("blink"))
    assert runner.session.layout is Layout.BLINK and len(runner.session.blink_keys) == 2
    runner.ask(want.TakeBack())
    assert runner.session.reduction.value("fields") is state.value("fields") and not runner.session.reduction.past


def test_the_sky_of_another_head_is_offered_and_taken(state, monkeypatch):
    other = next(slot for slot in make_night().heads if slot != "047")
    form = {one.name: one for one in dock.make(Session(reduction=replace(state, shown="sky"))).form}
    assert form["slot"].field.choices == ("nearest", other)
    monkeypatch.setattr(making, "begun", lambda *_, **__: begun_head(other))
    lent = making.made(replace(state, params={"sky": HeadSkyParams(source="others")}), SILENT)
    assert any(other in note for note in lent.value("sky").notes)
    own, borrowed = (np.median(one.value("sky").skies[0].sky.model) for one in (state, lent))
    assert borrowed == pytest.approx(own, rel=0.02) and borrowed != own  # the same sky, told by other fibers
    assert making.made(replace(lent, params={}), SILENT).value("sky") is state.value("sky")
    with pytest.raises(UsageError, match=f"no head 099 to take the sky from; choose of {other}"):
        making.made(replace(state, params={"sky": HeadSkyParams(source="others", slot="099")}), SILENT)


def test_the_numbers_of_the_amplifiers_tell_what_they_have_seen(state):
    rows = head_quality(state.value("exposures"), state.value("fields"), state.value("solution"))
    numbers = [{one.name: one.value for one in row.numbers} for row in rows if not row.problem]
    assert all(one["fwhm"] == pytest.approx(1.7, abs=0.05) for one in numbers)
    assert all(abs(one["residual"]) < 1 and one["sky"] > 0 for one in numbers)
    assert np.median([one["throughput"] for one in numbers]) == pytest.approx(1.0, abs=0.1)


def test_its_detections_are_listed_and_shown_in_the_fibers(runner, state):
    found = runner.session.detections
    assert found is not None and len(found.table) == len(state.value("detections").detections)
    if not len(found.table):
        pytest.skip("nothing was put in and nothing was found")
    runner.ask(want.ShowDetection(0), want.JudgeDetection("false"))
    slot = runner.session.slot()
    away = np.hypot(slot.image.fibermap.focal_x - found.table.x[0], slot.image.fibermap.focal_y - found.table.y[0])
    assert runner.session.selection.fiber == int(np.argmin(away))
    answer = listed.job(runner.session)(SILENT)
    assert answer.row == 0 and answer.fibers.map is not None and "exposure" in answer.words[1]


def test_what_was_said_goes_with_the_source(state):
    table = with_detections(Session(), state).detections.table
    moved = replace(table, x=table.x[::-1] + 0.3, y=table.y[::-1], wave=table.wave[::-1] + 1.0)
    said = dict.fromkeys(range(len(table)), Judgment.REAL)
    assert set(carried(table, said, moved)) <= set(range(len(table)))
    one = {0: Judgment.FALSE} if len(table) else {}
    assert carried(table, one, moved) == ({len(table) - 1: Judgment.FALSE} if len(table) else {})


def test_products_are_those_of_the_command(runner, state, tmp_path):
    runner.ask(want.SaveReduction(str(tmp_path)))
    names = {path.name for path in tmp_path.iterdir()}
    assert {"20190822_0000011.h5", "20190822_0000011_047_cube.fits", "20190822_0000011_qa.html"} <= names
    assert any("products written" in text for text in runner.said())


@pytest.mark.parametrize("most", [3_000, 60_000, 900_000])
def test_products_that_the_disk_does_not_take_are_said_and_nothing_is_left(runner, tmp_path, most):
    (tmp_path / "mine").write_text("text")
    runner.ask(want.SaveReduction(str(tmp_path / "mine")))
    assert "cannot be written (Not a directory); choose another folder" in runner.said()[-1]
    with small_files(most):
        runner.ask(want.SaveReduction(str(tmp_path / "out")))
    assert "cannot be written" in runner.said()[-1]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "mine"]


def test_a_step_that_nobody_judges_says_so(state):
    """No sign without a word beside it."""
    shown = [dock.make(Session(reduction=replace(state, shown=step))) for step in state.steps]
    quiet = [view for view in shown if view.state is VerdictState.NOT_JUDGED]
    assert quiet and all(view.text.strip() for view in shown)

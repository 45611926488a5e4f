"""A reduction in the session, without a window: told step by step, tried with other parameters, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames.intents import Judge
from ifuview.app.jobs import JobKey, JobKind
from ifuview.app.night.reduction.live import making
from ifuview.app.night.reduction.live.channels import channel_of, with_channel
from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.night.views.lenslets import job as field_job
from ifuview.app.night.views.lenslets import make as field_of
from ifuview.app.night.views.step import job
from ifuview.app.night.views.step import make as view_of
from ifuview.app.reporting.fiber_report import report_input
from ifuview.app.session import Layout, Session
from ifuview.app.tasks import as_change
from ifuview.app.verdict import make as bar_of
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import JobCancelled, UsageError
from ifuview.io.night.raw_index import index_night
from ifuview.model.verdict import VerdictState
from ifuview.recipes.lrs2.figures import figures_of
from tests.app.night.reduction.conftest import DATE
from tests.app.runner import Runner

EXPID = 3


@pytest.fixture(scope="module")
def told(night, reduced, cached) -> Iterator[list[ReductionState]]:
    """What the reduction of the night tells, all of it there already; the whole last."""
    root = str(night[0])
    index = index_night(root, "lrs2")
    (raw,) = index.of_kind("sci", "orange")
    state = making.begun(root, index, raw, EXPID, "orange", {}, SILENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "cache_of", lambda _: cached[0])
        yield [state, *_told(state)]


def _told(state: ReductionState) -> list[ReductionState]:
    news: list[ReductionState] = []
    whole = making.made(state, JobContext(told=news.append))
    return [*news, whole]


@pytest.fixture
def runner(told) -> Runner:
    found = Runner(Session(judges=False, headless=True))
    found.session = replace(found.session, reduction=told[-1])
    return found


def test_steps_are_told_as_they_are_made(told):
    first, *news, whole = told
    assert first.running == "biases" and not first.steps
    assert [len(one.steps) for one in news] == list(range(1, 20))
    assert [one.running for one in news] == [*list(whole.steps)[1:], ""]
    assert all(len(one.verdicts) == len(one.steps) for one in news)
    assert whole.fraction is None and news[7].fraction == pytest.approx(8 / 19)
    assert str(DATE) in whole.title and whole.line.startswith("orange")


def test_the_strip_grows_and_can_be_stopped(told):
    state = replace(told[6], frames={"flat": 1})
    session = Session(current=1, reduction=state)
    bar = bar_of(session)
    assert bar.state is VerdictState.JUDGING and "6 of 19" in bar.judged and 0 < bar.fraction < 1
    assert [cell.there for cell in bar.chain] == [True] * 6 + [False] * 13
    assert bar.chain[6].state is VerdictState.JUDGING and bar.chain[7].hint == "not made yet"
    change = as_change(session, want.carried_out(session, Judge(on=False)))
    assert change.stop == (JobKey(JobKind.REDUCE),)
    clean = tuple(replace(one, state=VerdictState.CLEAN) for one in state.verdicts)
    for verdicts in (state.verdicts, clean):
        bar = bar_of(Session(current=1, reduction=replace(state, running="", verdicts=verdicts)))
        assert "stopped, 6 of 19 steps made" in f"{bar.headline} {bar.detail}" and bar.headline
        assert bar.state is not VerdictState.CLEAN


def test_only_what_depends_is_made_again_and_all_is_taken_back(runner, told):
    before = told[-1]
    runner.ask(want.ShowStep("field"), want.TryParams("spectrum", (("radius", 2.0),)))
    now = runner.session.reduction
    fresh = {step for step, one in now.steps.items() if one.value is not before.steps[step].value}
    assert fresh == {"spectrum"} and now.params["spectrum"].radius == 2.0 and now.before.steps is before.steps
    assert now.change == "source: radius 2" and "source: radius 2" in runner.said()[-1]
    runner.ask(want.TakeBack())
    back = runner.session.reduction
    assert back.value("spectrum") is before.value("spectrum") and not back.params and not back.past
    with pytest.raises(UsageError, match="nothing was changed"):
        runner.ask(want.TakeBack())


def test_a_report_begins_with_the_worst_that_the_reduction_found(runner, told):
    """Chosen or not, a fiber takes nothing from it."""
    runner.ask(want.ShowStep("field"))
    whole, order = runner.session.reduction, tuple(VerdictState)
    last = whole.verdicts[-1]
    spoiled = replace(last, state=VerdictState.WRONG, text="the light is lost", fibers=(6,))
    for verdicts in ((*whole.verdicts[:-1], spoiled), (spoiled,), whole.verdicts):
        session = replace(runner.session, reduction=replace(whole, verdicts=verdicts))
        worst = min((one.state for one in verdicts), key=order.index)
        for fiber in (None, 7):
            seen = replace(session, selection=replace(session.selection, fiber=fiber))
            first = report_input(seen).verdicts[0]
            assert first.verdict is worst
            if spoiled in verdicts:
                assert "the light is lost" in first.title and "fiber 7" in first.text
    clean = tuple(replace(one, state=VerdictState.CLEAN) for one in whole.verdicts)
    (line,) = report_input(replace(runner.session, reduction=replace(whole, verdicts=clean))).verdicts
    assert line.verdict is VerdictState.CLEAN and f"judged {len(clean)} of {len(clean)} steps" in line.text


def test_the_bar_speaks_of_the_first_wrong_step_and_has_the_color_of_what_it_speaks_of(runner, told):
    runner.ask(want.ShowStep("field"))
    whole = runner.session.reduction
    states = [VerdictState.CLEAN] * len(whole.verdicts)
    states[2], states[-2] = VerdictState.LOOK, VerdictState.WRONG
    verdicts = tuple(replace(one, state=state) for one, state in zip(whole.verdicts, states, strict=True))
    runner.session = replace(runner.session, reduction=replace(whole, verdicts=verdicts))
    bar = bar_of(runner.session)
    assert bar.state is VerdictState.WRONG and bar.headline.startswith(f"{verdicts[-2].title.upper()} wrong")
    runner.session = replace(runner.session, reduction=replace(runner.session.reduction, problem=0))
    bar = bar_of(runner.session)
    assert bar.state is VerdictState.LOOK and bar.headline.startswith(f"{verdicts[2].title.upper()} look")


def test_plots_of_steps_spell_units_as_the_window_does(told):
    from ifuview.recipes.lrs2 import sky_figures
    from ifuview.recipes.lrs2.channel import spectra_figure

    (figure,) = sky_figures.flux(told[-1], told[-1].value("flux"))
    source = spectra_figure([("orange", told[-1].value("spectrum"))])
    assert all(one.y.label.endswith("erg/s/cm\u00b2/\u00c5") for one in (figure, source))


def test_other_sky_fibers_are_blinked_and_subtracted(runner, told):
    used = np.flatnonzero(told[-1].value("sky").sky.fibers)
    runner.ask(want.ShowStep("sky"), want.TryParams("sky", (("fibers", tuple(map(int, used[::2]))),)))
    now = runner.session.reduction
    assert now.value("sky").sky.fibers.sum() <= used.size / 2 + 1 and now.value("flux") is told[-1].value("flux")
    first, second = [slot.title for slot in runner.session.slots]
    assert second == f"{first} [sky: fibers {len(used[::2])}]" and now.shown == "sky"
    runner.ask(want.CompareStep("blink"))
    assert runner.session.layout is Layout.BLINK
    assert runner.session.blink_keys == tuple(slot.key for slot in runner.session.slots)
    runner.ask(want.CompareStep("difference"))
    made = runner.session.slot()
    assert made.title == f"{second} - {first}" and np.abs(made.image.pixels.raw).max() > 0
    runner.ask(want.TryParams("sky", (("fibers", ()),)))  # frames of two changes ago are closed
    assert len(runner.session.slots) == 3


def test_a_circle_can_be_put_anywhere(runner, told):
    x, y = -3.0, 1.0  # beside the source
    runner.ask(want.TryParams("spectrum", (("x", x), ("y", y), ("radius", 1.2))))
    beside, source = runner.session.reduction.value("spectrum"), told[-1].value("spectrum")
    assert beside.method == "circle of 1.20 arcsec" and np.median(beside.flux) < 0.2 * np.median(source.flux)
    runner.ask(want.TryParams("spectrum", (("x", float("nan")), ("y", float("nan")), ("radius", 2.0))))
    own = runner.session.reduction.value("spectrum")
    good = (own.variance > 0) & (source.variance > 0)
    assert np.median(own.flux[good] / source.flux[good]) == pytest.approx(1.0, abs=0.03)


def test_a_stopped_trial_leaves_all_as_it_was(runner, told):
    (task,) = want.carried_out(runner.session, want.TryParams("spectrum", (("radius", 1.0),))).then
    partial = as_change(runner.session, task.news(runner.session, replace(task.state, steps=told[3].steps))).session
    assert partial.reduction.running
    (also,) = want.carried_out(partial, want.TryParams("sources", (("most", 1),))).then  # both are wanted
    assert set(also.state.params) == {"spectrum", "sources"} and also.state.before.steps is told[-1].steps
    back = as_change(partial, task.stopped(partial)).session.reduction
    assert back.steps is told[-1].steps and not back.running
    context = JobContext()
    context.cancel()
    with pytest.raises(JobCancelled):
        task.run(runner.session, context)


def test_values_that_make_no_sense_are_refused(runner):
    for step, values, words in (
        ("spectrum", (("radius", 99.0),), "from 0 to 12 arcsec"),
        ("spectrum", (("size", 1.0),), "no parameter size"),
        ("sky", (("fibers", 3),), "several numbers"),
        ("nothing", (), "no step"),
    ):
        with pytest.raises(UsageError, match=words):
            want.carried_out(runner.session, want.TryParams(step, values))
    with pytest.raises(UsageError, match="nothing was changed"):
        want.carried_out(runner.session, want.CompareStep())
    with pytest.raises(UsageError, match="nothing is reduced"):
        want.carried_out(Session(), want.TryParams("sky", ()))


def test_every_step_has_figures_with_values(told):
    state = told[-1]
    for step in state.steps:
        for figure in figures_of(state, step):
            assert figure.title and figure.curves
            assert any(np.isfinite(curve.y).any() for curve in figure.curves), figure.title
    titles = [figure.title for figure in figures_of(state, "spectrum")]
    assert titles[0].startswith("Source: profile") and "Place of the source along wavelength" in titles
    place = figures_of(state, "spectrum")[1]
    model, measured = place.curves[0], place.curves[1]
    off = measured.y - np.interp(measured.x, model.x, model.y)
    assert np.nanmax(np.abs(off)) < 0.05 and np.nanmax(np.abs(off / measured.error)) < 5
    arcs = figures_of(state, "arcs")[0]
    assert len(arcs.rules) == state.value("wave").line.size


def test_the_dock_shows_the_form_and_numbers_side_by_side(runner):
    runner.ask(want.ShowStep("spectrum"))
    view = view_of(runner.session)
    assert view.title == "source" and [one.name for one in view.form][:3] == ["x", "y", "radius"]
    assert not any(row.before for row in view.numbers) and not view.can_compare
    runner.ask(want.TryParams("spectrum", (("radius", 1.5),)))
    view = view_of(runner.session)
    assert next(one for one in view.form if one.name == "radius").value == 1.5
    rows = {row.name: row for row in view.numbers}
    assert rows["S/N a pixel, median"].change.startswith("-") and not rows["sky fibers"].change
    assert view.can_compare and view.change == "source: radius 1.5"
    assert job(runner.session)(SILENT)[0].title.startswith("Source: circle of 1.50")
    assert view_of(Session()) is None and job(Session()) is None


def test_a_circle_or_a_lenslet_is_looked_at_in_all_channels(runner, told):
    runner.session = with_channel(runner.session, channel_of(told[-1]))
    view = field_of(runner.session)
    (head,) = view.heads
    source = told[-1].value("sky").sources[0]
    assert (view.place.x, view.place.y) == (source.x, source.y) and head.current and head.alone
    assert head.sky.sum() == told[-1].value("sky").sky.fibers.sum()
    value = field_job(runner.session)(SILENT)
    at = int(np.nanargmax(value.heads[0].value))
    assert np.hypot(head.x[at] - source.x, head.y[at] - source.y) < 0.6
    assert value.spectra.title.startswith("circle of 1.50") and value.spectra.curves[0].label == "orange"
    assert "Place of the source" in value.places.title and len(value.places.curves) == 4
    runner.ask(want.PlaceAperture(float(head.x[at]), float(head.y[at])), want.SetWindow((4900.0, 5000.0)))
    value = field_job(runner.session)(SILENT)
    assert value.spectra.title.startswith(f"lenslet {at + 1}") and "4900" in value.heads[0].note
    shown, own = value.spectra.curves[0], told[-1].value("field").subtracted
    good = np.isfinite(shown.y)
    ratio = shown.y[good] / own.flux[at][good]
    assert np.allclose(ratio, np.median(ratio), rtol=1e-4)
    assert np.allclose((shown.high - shown.y)[good] / ratio, np.sqrt(own.variance[at][good]), rtol=1e-3)
    runner.ask(want.PlaceAperture(40.0, 40.0, 1.0))
    assert "no lenslet" in field_job(runner.session)(SILENT).spectra.empty
    assert field_of(Session()) is None and field_job(Session()) is None


def test_products_that_cannot_be_written_are_said_and_nothing_is_left(runner, tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("text")
    runner.ask(want.SaveReduction(str(tmp_path / "mine")))
    assert "cannot be written (Not a directory); choose another folder" in runner.said()[-1]

    def full(*_: object, **__: object) -> None:
        raise OSError("Not enough space on disk: requested 147139176, available 5173248.")

    monkeypatch.setattr("astropy.io.fits.HDUList.writeto", full)
    runner.ask(want.SaveReduction(str(tmp_path / "out")))
    assert "cannot be written (the disk is full: 147 MB are needed)" in runner.said()[-1]
    assert (tmp_path / "mine").read_text() == "text"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "mine"]


def test_products_come_with_a_page_and_one_spectrum_of_all_channels(runner, told, tmp_path, monkeypatch):
    monkeypatch.setattr("ifuview.app.night.reduction.run.write", lambda done, *_: done)  # tested elsewhere
    monkeypatch.setattr("ifuview.app.night.reduction.run.write_calibrations", lambda *_: "cal")
    monkeypatch.setattr("ifuview.report.night.reduction.picture", lambda *_, **__: b"picture")
    first = channel_of(told[-1])
    made, wave = first.made, first.made.spectrum.wave
    beyond = replace(made.setup, camera="uv", grid=made.setup.grid + 1500)
    other = replace(made, camera="uv", setup=beyond, spectrum=replace(made.spectrum, wave=wave + 1500))
    runner.session = replace(runner.session, channels=(first, replace(first, made=other)))
    runner.ask(want.SaveReduction(str(tmp_path)))
    names = [path.name for path in tmp_path.rglob("*.*")]
    assert sorted(name.split("_")[0] for name in names) == ["combined", "combined", "report", "report"]
    assert told[-1].line in next(tmp_path.rglob("report_*.html")).read_text()
    assert "4 products written" in runner.said()[-1]


def test_a_change_that_still_waits_is_taken_back_alone(runner, told):
    """Ctrl+Z at once: the change before it stays."""
    runner.ask(want.ShowStep("field"), want.TryParams("spectrum", (("radius", 2.0),)))
    first = runner.session.reduction
    wish = as_change(runner.session, want.carried_out(runner.session, want.TryParams("spectrum", (("radius", 3.0),))))
    waits = wish.session
    assert waits.reduction.running and len(waits.reduction.past) == 2
    back = as_change(waits, want.carried_out(waits, want.Undo()))
    assert back.then[-1] == want.TakeBack()
    again = Runner(back.session)
    again.ask(want.TakeBack())
    made = again.session.reduction
    assert made.params["spectrum"].radius == 2.0 and len(made.past) == len(made.undone) == 1
    again.ask(want.Undo(again=True))
    assert again.session.reduction.params["spectrum"].radius == 3.0 and not again.session.reduction.undone
    assert again.session.reduction.value("spectrum") is not first.value("spectrum")
    again.ask(want.Undo())
    assert again.session.reduction.value("spectrum") is first.value("spectrum")
    assert "taken back: source: radius 3" in again.said()[-1]

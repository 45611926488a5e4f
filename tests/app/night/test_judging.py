"""A night is judged as it is opened: camera by camera, the worst cause first; the view is taken there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ifuview.app import intents as want
from ifuview.app import verdict
from ifuview.app.jobs import JobKind
from ifuview.app.night import judging, open_night
from ifuview.app.night.state import Night, Place, TriageState
from ifuview.app.night.views import triage
from ifuview.app.night.views.verdict import words_of
from ifuview.app.session import Session
from ifuview.app.tasks import as_change
from ifuview.engine.context import SILENT
from ifuview.engine.night.problems import grouped
from ifuview.gui.window.actions import proof
from ifuview.model.night.triage import Finding, Judged, NotMeasured, TriageResult
from ifuview.model.verdict import VerdictState
from tests.app.night.production import FIRST, SECOND, write_production
from tests.app.runner import Runner


def finding(expid: int, camera: str, kind: str = "isolated-fiber", fibers: tuple[int, ...] = (7,), **more) -> Finding:
    step = {"wavelength-blocks": "sky", "ccd-row": "preproc", "sky-gradient": "light"}.get(kind, "light")
    known = {"significance": 10.0, "amplitude": 0.5, "unit": "throughput / flat"}
    return Finding(expid, camera, kind, step, fibers=fibers, **(known | more))


SKY = [
    finding(e, c, "wavelength-blocks", tuple(range(50)), wave_range=(6384.0, 6848.0), significance=40.0 + e)
    for e in (1, 2)
    for c in ("r6", "r7")
]


def state(findings: list[Finding], **more) -> TriageState:
    places = tuple(dict.fromkeys((f.expid, f.camera) for f in findings)) or ((1, "r6"),)
    judged = tuple(Judged(e, c, 500) for e, c in places)
    result = TriageResult(tuple(sorted(findings, key=lambda f: f.rank)), cameras=places, judged=judged)
    return TriageState(result, groups=grouped(result.findings), **more)


def test_sentences_count_fibers_as_the_instrument_does():
    said = "Fiber 7, 40 times as bright as the sky, lights its neighbors 2-12: of 5 fibers 3, 4 see it"
    one = finding(1, "r6", text=said)
    known = replace(state([one]), fiber_ids={(1, "r6"): range(3000, 3500)})
    assert words_of(known, one) == (
        "Fiber 3007, 40 times as bright as the sky, lights its neighbors 3002-3012: of 5 fibers 3003, 3004 see it"
    )
    assert words_of(state([one]), one) == said


def test_one_cause_in_many_places_is_one_problem():
    dead = [finding(e, "r7", amplitude=0.01) for e in (1, 2)]
    other = finding(1, "r6", fibers=(9,))
    groups = grouped([*SKY, *dead, other])
    assert sorted(map(sorted, groups)) == [[0, 1, 2, 3], [4, 5], [6]]
    assert groups[0][0] in (2, 3)  # the clearest of them speaks for all


def test_the_arms_of_a_petal_that_show_one_fault_of_their_fibers_are_one_problem():
    arms = [finding(1, arm, fibers=(3, 4, 5)) for arm in ("b6", "r6")]
    other = [finding(1, "r7", fibers=(3, 4, 5)), finding(2, "b6", fibers=(80,))]
    assert sorted(map(sorted, grouped([*arms, *other]))) == [[0, 1], [2], [3]]
    sky = [
        finding(1, camera, "wavelength-blocks", tuple(range(50)), wave_range=waves)
        for camera, waves in (("b6", (4000.0, 4500.0)), ("r6", (6384.0, 6848.0)), ("z7", (8000.0, 8100.0)))
    ]
    assert sorted(map(sorted, grouped(sky))) == [[0, 1], [2]]
    bar = verdict.make(Session(triage=state(sky)))
    assert "4000–4500 Å 6384–6848 Å" in bar.headline and "b6 r6" in bar.headline
    ccd = [finding(1, arm, "ccd-row", fibers=(3, 4)) for arm in ("b6", "r6")]
    assert sorted(map(sorted, grouped(ccd))) == [[0], [1]]  # each has a detector of its own


def test_a_link_between_two_causes_makes_them_one():
    parts = [finding(1, "r6", fibers=(1,)), finding(1, "r6", fibers=(3,)), finding(2, "r6", fibers=(1, 3))]
    assert [sorted(g) for g in grouped(parts)] == [[0, 1, 2]]


def test_the_bar_says_what_where_and_how_sure():
    ids = {(e, c): 500 * int(c[1]) + __import__("numpy").arange(500) for e in (1, 2) for c in ("r6", "r7")}
    bar = verdict.make(Session(triage=state(SKY, fiber_ids=ids)))
    assert bar.state is VerdictState.WRONG
    for words in ("SKY MODEL wrong", "r6 r7", "1 2", "6384–6848 Å"):
        assert words in bar.headline
    assert "FIBER 3000–3049" in bar.detail or "FIBER 3500–3549" in bar.detail
    assert "42 sigma" in bar.detail
    assert bar.judged == "judged 4 of 4"


def test_known_faults_and_real_light_are_no_new_fault():
    known = verdict.make(Session(triage=state([finding(1, "r6", known=True)])))
    assert known.state is VerdictState.LOOK and "nothing new" in known.headline
    assert known.problem == -1 and known.detail == known.problems[0].headline  # none is shown, the first is named
    light = verdict.make(Session(triage=state([finding(1, "r6", "sky-gradient", wave_range=(6560.0, 6570.0))])))
    assert light.state is VerdictState.CLEAN and "nothing found" in light.headline


def test_clean_is_said_only_of_what_was_judged():
    clean = state([])
    assert verdict.make(Session(triage=clean)).state is VerdictState.CLEAN
    half = replace(clean.result, judged=(Judged(1, "r6", 500, share=0.4),))
    assert verdict.make(Session(triage=replace(clean, result=half))).state is VerdictState.LOOK
    nothing = replace(clean, result=TriageResult(), unread=("r6 1: cannot be read.",))
    bar = verdict.make(Session(triage=nothing))
    assert bar.state is VerdictState.NOT_JUDGED and "cannot be read" in bar.headline
    running = replace(clean, todo=(object(),))
    bar = verdict.make(Session(triage=running))
    assert bar.state is VerdictState.JUDGING and bar.fraction == 0.5 and "1 of 2" in bar.judged


def test_a_bar_only_where_something_can_be_judged():
    assert verdict.make(Session()) is None


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A production whose first two cameras were judged as it was opened."""
    folder = tmp_path_factory.mktemp("night")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IFUVIEW_CACHE", str(folder / "cache"))
        root = write_production(Path(folder))
        runner = Runner(Session())
        every = judging.FindCameras.apply
        patch.setattr(judging.FindCameras, "apply", lambda self, s, found: every(self, s, found[:2]))
        runner.ask(want.OpenFolder(str(root)))
    return runner


def test_a_production_is_judged_on_opening(opened: Runner):
    done = [task for task in opened.done if task.kind is JobKind.VERDICT]
    assert len(done) == 1 + 2
    session = opened.session
    assert session.triage.todo == () and len(session.triage.done) == 2
    assert open_night.here(session) is not None  # a picture is on the canvas
    bar = verdict.make(session)
    assert bar.fraction is None and "judged 2 of 2" in bar.judged
    assert [cell.key for cell in bar.chain] == list(session.night.index.chain.shown)
    assert sum(cell.shown for cell in bar.chain) == 1


def test_the_view_is_not_taken_from_a_user_who_went_elsewhere(opened: Runner):
    index = opened.session.night.index
    here = Place(SECOND, "r0", "sframe")
    night = Night(index, place=here, auto=Place(FIRST, "r0", "sframe"))
    session = Session(night=night, triage=state([finding(FIRST, "r0")]))
    after = judging._taken_there(session)
    assert after.triage.taken and after.triage.problem == -1 and open_night.here(after) == here


def test_a_worse_problem_takes_the_view_while_the_picture_of_the_one_before_is_read(opened: Runner):
    """What the window itself asked for and waits for is no move of the user."""
    night, here = opened.session.night, Place(FIRST, "r0", "sframe")
    index, sent = night.index, Place(FIRST, "z0", "sframe")
    waiting = Session(night=Night(index, place=here, auto=sent, left=here))
    assert not judging._user_moved(waiting)
    gone = replace(waiting, night=replace(waiting.night, place=Place(SECOND, "r0", "sframe")))
    assert judging._user_moved(gone)


def test_judging_is_stopped_and_goes_on(opened: Runner):
    camera = opened.session.triage.done[0].camera
    before = replace(opened.session, triage=state([], todo=(camera,)))
    change = judging.judge(before, want.Judge(on=False))
    assert change.stop and change.session.triage.stopped
    assert "stopped" in verdict.make(change.session).judged
    task = judging.judge(change.session, want.Judge()).then[0]
    assert task.todo == (camera,)
    answer = task.run(change.session, SILENT)
    assert [one.camera for one in answer.new] == [camera]
    after = task.apply(change.session, answer).triage
    assert after.todo == () and len(after.done) == 1


def test_what_was_stopped_stays_so_whatever_arrives_later(opened: Runner):
    """Stop before the first picture is there, and stop when the answer of a camera was on its way."""
    session, cameras = opened.session, [one.camera for one in opened.session.triage.done]
    find = judging.FindCameras(title="", path=session.night.index.folder)
    found = find.apply(replace(session, slots=(), current=None, triage=None), cameras)
    stopped = judging.judge(found.session, want.Judge(on=False)).session
    for later in found.settled:
        assert judging.judge(stopped, later) is stopped
    before = replace(stopped, triage=replace(stopped.triage, stopped=False))
    answer = judging.JudgeCamera(title="", todo=stopped.triage.todo)
    after = answer.apply(stopped, answer.run(before, SILENT))
    listed = triage.make(replace(stopped, headless=True))
    assert "stopped before any camera was judged" in listed.headline and listed.asked == "No camera was judged."
    assert after.triage.stopped and len(after.triage.done) == 1 and len(after.triage.todo) == 1
    assert not verdict.make(after).fraction


def test_steps_through_the_problems_go_round():
    session = Session(triage=state([*SKY, finding(1, "r6", fibers=(9,))]))
    first = judging.go_to_problem(session, want.ShowProblem(step=1))
    assert first.triage.problem == 0
    again = judging.go_to_problem(first, want.ShowProblem(step=1))
    assert again.triage.problem == 1
    assert judging.go_to_problem(again, want.ShowProblem(step=1)).triage.problem == 0


@pytest.mark.parametrize(
    ("triage", "said"),
    [
        (None, "nothing was judged yet"),
        (TriageState(todo=(object(),)), "nothing was judged yet"),
        (replace(state([]), todo=(object(),)), "no problem was found so far"),
        (state([]), "no problem was found"),
    ],
)
def test_where_nobody_looked_no_problem_is_not_what_is_said(triage: TriageState | None, said: str) -> None:
    session = judging.go_to_problem(Session(triage=triage), want.ShowProblem(step=1))
    assert session.messages[-1].text == said


def test_a_product_opened_alone_is_judged_with_those_beside_it(opened: Runner):
    camera = opened.session.triage.done[0].camera
    runner = Runner(Session())
    runner.ask(want.OpenFile(camera.files["sframe"]))
    session = runner.session
    assert [t.camera.label for t in session.triage.done] == [camera.label]
    assert "judged 1 of 1" in verdict.make(session).judged
    asked = sum(task.kind is JobKind.VERDICT for task in runner.done)
    runner.ask(want.OpenFile(camera.files["frame"]))  # of the same camera: known already
    assert sum(task.kind is JobKind.VERDICT for task in runner.done) == asked == 2


@pytest.mark.parametrize("wanted", [None, 5])
def test_a_fiber_that_was_asked_for_stays_and_what_is_wrong_is_marked_beside(opened: Runner, wanted: int | None):
    """As with `ifuview sframe.fits -fiber 5`: the bar and the mark speak of the worst, the selection does not move."""
    found = state([replace(finding(FIRST, "r0"), fibers=(2, 3), wave_range=None)])
    slot = replace(opened.session.slot(), key=1)
    session = Session(slots=(slot,), current=1, triage=replace(found, done=opened.session.triage.done))
    session = replace(session, selection=replace(session.selection, fiber=wanted))
    session = as_change(session, judging._taken_there(session)).session
    assert session.triage.shown.fibers == (2, 3) and session.proof.fibers == (2, 3)
    assert session.selection.fiber == (3 if wanted is None else wanted)
    assert (session.slot().view == slot.view) is (wanted is not None)


def test_products_of_two_cameras_are_both_judged(opened: Runner):
    one = opened.session.triage.done[0].camera
    other = next(t.camera for t in opened.session.triage.done if t.camera.camera != one.camera)
    runner = Runner(Session())
    runner.ask(want.OpenFile(one.files["sframe"]), want.OpenFile(other.files["sframe"]))
    assert [t.camera.label for t in runner.session.triage.done] == [one.label, other.label]
    for slot in runner.session.slots:
        assert verdict.make(replace(runner.session, current=slot.key)) is not None


def test_a_triage_of_one_camera_leaves_what_is_known_of_the_others(opened: Runner):
    """It replaces what it asked, in whichever order answers come, and goes to what is there."""
    first, second = opened.session.triage.done
    known = [f for f in opened.session.triage.result.findings if f.camera != second.camera.camera]
    runner = Runner(replace(opened.session, judges=False))
    runner.ask(want.ShowProduct(second.camera.expid, second.camera.camera, "sframe"), want.Triage("camera"))
    state = runner.session.triage
    assert {t.camera.label for t in state.done} == {first.camera.label, second.camera.label}
    assert [f for f in state.result.findings if f.camera != second.camera.camera] == known
    assert next(t for t in state.done if t.camera.label == second.camera.label) is not second
    assert state.scope == opened.session.triage.scope
    late = judging.JudgeCamera(todo=(first.camera,))  # begun before, answered after it
    before = replace(opened.session, triage=replace(opened.session.triage, done=(), todo=(first.camera,)))
    answer = late.run(before, SILENT)
    now = replace(before, triage=replace(state, done=state.done[1:], todo=(first.camera,)))
    after = late.apply(now, answer).session.triage
    assert sorted(t.camera.label for t in after.done) == sorted({first.camera.label, second.camera.label})


def test_products_alone_are_judged_again_one_by_one(opened: Runner):
    one = opened.session.triage.done[0].camera
    other = next(t.camera for t in opened.session.triage.done if t.camera.camera != one.camera)
    runner = Runner(Session())
    runner.ask(want.OpenFile(one.files["sframe"]), want.OpenFile(other.files["sframe"]))
    known = {t.camera.label: t for t in runner.session.triage.done}
    runner.ask(want.Judge())
    again = {t.camera.label: t for t in runner.session.triage.done}
    assert set(again) == {one.label, other.label} == set(known)
    assert again[one.label] is known[one.label] and again[other.label] is not known[other.label]


def test_the_bar_does_not_speak_of_a_frame_that_it_knows_nothing_of(opened: Runner):
    done = opened.session.triage.done
    about = replace(state([finding(1, "r6")]), done=done)
    slot = opened.session.slot()
    other = replace(slot, dataset=replace(slot.dataset, path="elsewhere.fits"))
    session = Session(slots=(other,), current=other.key, triage=about)
    assert verdict.make(session) is None


def test_what_was_not_asked_is_said_with_what_was_missing() -> None:
    lacking = tuple(NotMeasured(1, "r6", what, "the fiberflat") for what in ("ccd-row", "swapped-fibers"))
    judged = state([])
    bar = verdict.make(Session(triage=replace(judged, result=replace(judged.result, not_measured=lacking))))
    assert "2 questions not asked" in bar.judged
    assert bar.unasked == "Not asked without the fiberflat: levels added to whole detector rows, fibers are swapped."


def test_a_proof_is_offered_where_two_pictures_can_be_blinked(opened: Runner) -> None:
    """Of a night whose two products are there; where one is missing, or a product lies alone, it is said."""
    index = opened.session.night.index
    with_sky = next(e for e in index.exposures if e.expid == FIRST)
    bare = replace(with_sky, files={k: v for k, v in with_sky.files.items() if k[1] in ("preproc", "sframe")})
    alone = replace(index, exposures=tuple(bare if e is with_sky else e for e in index.exposures))
    judged = state([finding(FIRST, "r0")])
    for where, offered in ((index, True), (alone, False), (None, False)):
        night = None if where is None else replace(opened.session.night, index=where)
        session = replace(opened.session, night=night, triage=judged)
        bar = verdict.make(session)
        assert bar.problems and bar.proof is offered, where
        assert any(words == "Blink the proof" for words, _ in bar.more) is offered
        assert (proof(session) == want.ShowProblem(blink=True)) is offered
        if not offered:
            shown = judging.go_to_problem(session, want.ShowProblem(number=0, blink=True))
            said = as_change(session, shown).session.messages[-1].text
            assert "nothing to blink" in said and "nothing to blink" in proof(session).text


def test_who_looks_at_a_product_of_a_tile_is_not_taken_away(tmp_path: Path) -> None:
    """A frame that is none of the night's: its spectra were asked for."""
    root = write_production(tmp_path)
    night = Night(
        open_night.scan_folder(str(root)), auto=Place(FIRST, "r0", "sframe"), place=Place(FIRST, "r0", "sframe")
    )
    session = Session(night=night)
    assert not judging._user_moved(session)
    assert judging._user_moved(replace(session, current=3))


def test_a_known_problem_that_is_chosen_is_no_red_bar_and_no_red_strip() -> None:
    """The bar and its state speak of one thing; the strip shows where that one began."""
    known = replace(finding(1, "r6", fibers=(9,)), kind="isolated-fiber", first_step="light", known=True)
    both = state([*SKY, known])
    bar = verdict.make(Session(triage=both))
    assert bar.state is VerdictState.WRONG
    number = len(SKY)
    chosen = verdict.make(Session(triage=both.at(number)))
    assert "known" in chosen.headline and chosen.state is VerdictState.LOOK


def test_the_first_picture_is_read_before_anything_is_judged(opened: Runner):
    """No black canvas while the first camera is judged; what was open already is judged at once."""
    session, camera = opened.session, opened.session.triage.done[0].camera
    task = judging.FindCameras(title="", path=session.night.index.folder)
    change = task.apply(replace(session, slots=(), current=None, triage=None), [camera])
    (then,) = change.settled
    assert isinstance(then, want.Judge) and not change.then
    begun = judging.judge(change.session, then)
    assert [type(one) for one in begun.then] == [judging.JudgeCamera]
    assert [type(one) for one in task.apply(session, [camera]).then] == [judging.JudgeCamera]


def test_a_step_that_is_not_known_is_not_named_as_the_first():
    alone = Finding(1, "r6", "wavelength-blocks", "sframe", fibers=(7,), detail={"without": ["sky", "flat"]})
    bar = verdict.make(Session(triage=state([alone])))
    assert bar.headline.startswith("A STEP UP TO SKY SUBTRACTION wrong")
    assert "first wrong step" not in bar.detail


def test_what_was_hardly_asked_is_not_called_unspoiled():
    clean = state([])
    half = replace(clean.result, judged=(Judged(1, "r6", 500, share=0.4),))
    assert verdict.make(Session(triage=replace(clean, result=half))).headline.startswith(
        "nothing found by what could be"
    )

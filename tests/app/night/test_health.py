"""Amplifiers of a raw night are judged on opening, by their read-out: named, counted, never called clean unasked."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app import intents as want
from ifuview.app import verdict
from ifuview.app.frames.views import image, problem_marks
from ifuview.app.frames.views.fiber_marks import MarkKind
from ifuview.app.night.state import AmplifierKey
from ifuview.app.night.views import exposures as listed
from ifuview.app.night.views import triage
from ifuview.app.reporting import headless
from ifuview.app.reporting.fiber_report import report_input
from ifuview.app.reporting.headless import prepared
from ifuview.app.session import Session
from ifuview.cli import main
from ifuview.model.verdict import VerdictState
from tests.app.night.production import write_production
from tests.app.runner import Runner

GAIN, BIAS, NOISE = 0.8, 1000.0, 3.0


def amplifier(folder, name, exposure, noise=NOISE, zeros=False):
    """A raw amplifier of VIRUS that saw little light; `noise` in electrons."""
    rng = np.random.default_rng([exposure, *name.encode()])  # the same in whatever order amplifiers are made
    counts = BIAS + rng.normal(0, noise / GAIN, (1032, 1064))
    counts = np.zeros_like(counts) if zeros else np.rint(counts)
    header = fits.Header()
    for key, value in (
        ("INSTRUME", "virus"), ("CCDPOS", name[0]), ("CCDHALF", name[1]), ("IFUSLOT", "047"), ("SPECID", "308"),
        ("IFUID", "024"), ("CONTID", "1"), ("GAIN", GAIN), ("RDNOISE", NOISE), ("EXPTIME", 360.0), ("IMAGETYP", "sci"),
        ("OBJECT", "FIELD"), ("DATE", "2019-08-22T05:00:00"), ("DATE-OBS", "2019-08-22T05:00:00"),
    ):  # fmt: skip
        header[key] = value
    place = folder / "20190822" / "virus" / "virus0000011" / f"exp{exposure:02d}" / "virus"
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"20190822T05000{exposure}.0_047{name}_sci.fits"
    fits.PrimaryHDU(counts.astype(np.uint16), header).writeto(path)
    return path


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Two exposures of one head: RL is noisy in both, LU reads nothing in the second, LL of the second is cut off."""
    folder = tmp_path_factory.mktemp("virus")
    for exposure in (1, 2):
        for name in ("LL", "LU", "RU", "RL"):
            path = amplifier(folder, name, exposure, 24.0 if name == "RL" else NOISE, (name, exposure) == ("LU", 2))
            if (name, exposure) == ("LL", 2):
                path.write_bytes(path.read_bytes()[:100_000])
    return folder


def judged(night, **changes) -> Runner:
    runner = Runner(Session(**changes))
    runner.ask(want.OpenFile(str(night)))
    return runner


@pytest.fixture(scope="module")
def opened(night) -> Runner:
    return judged(night)


def test_broken_amplifiers_are_named_with_their_exposures(opened):
    bar = verdict.make(opened.session)
    assert bar.state is VerdictState.WRONG and "047R RL wrong" in bar.headline and "read noise is 2" in bar.headline
    assert bar.headline.endswith("11/1 11/2")
    assert len(bar.problems) == 2 and "zero" in bar.problems[1].headline
    assert bar.judged.startswith("judged 7 of 7 amplifiers")  # the index itself leaves out what is cut off


def test_the_first_exposure_of_the_sky_is_shown_then_the_amplifier_that_is_wrong(opened):
    titles = [slot.title for slot in opened.session.slots]
    assert titles == ["047L sci 20190822 11/1", "047R sci 20190822 11/1"]
    assert opened.session.slot().title == titles[1] and opened.session.health.problem == 0


def test_an_answer_that_comes_late_leaves_a_step_of_a_reduction_on_the_canvas(night):
    """Amplifiers and reductions are worked out side by side: whichever is done first, the canvas shows the same."""
    runner = judged(night, judges=False)
    raw = runner.session.slot()
    step = replace(raw, key=runner.session.next_key, title="field", dataset=replace(raw.dataset, kind="field"))
    runner.session = runner.session.adding(step)
    runner.ask(want.Judge())
    assert runner.session.current == step.key and verdict.make(runner.session).state is VerdictState.WRONG
    runner.ask(want.ShowProblem(number=0))  # asked for, it is shown
    assert runner.session.slot().title.startswith("047R sci")


def test_the_page_of_a_raw_exposure_begins_with_its_read_out_and_names_its_files(night):
    session = judged(night).session
    page = report_input(session)
    assert page.verdicts[0].verdict is VerdictState.WRONG and page.verdicts[0].title == "Read-out"
    assert "RL: the read noise is 2" in page.verdicts[0].text
    assert {f"20190822T050001.0_047{name}_sci.fits" for name in ("RU", "RL")} <= set(page.files)


def test_cells_have_the_worst_of_their_amplifiers(opened):
    made = listed.make(opened.session)
    first, second = (row.expid for row in made.rows)
    states = {place: one.state for place, one in made.verdicts.items()}
    assert states[first, "047L"] is VerdictState.CLEAN and states[second, "047L"] is VerdictState.WRONG
    assert states[first, "047R"] is states[second, "047R"] is VerdictState.WRONG
    assert "RL: the read noise" in made.verdicts[first, "047R"].text


def test_a_problem_is_gone_to(opened):
    opened.ask(want.ShowProblem(number=1))
    assert opened.session.slot().title.startswith("047L sci") and verdict.make(opened.session).problem == 1
    opened.ask(want.ShowProblem(step=1))
    assert opened.session.slot().title.startswith("047R sci") and verdict.make(opened.session).problem == 0


def test_nothing_is_judged_unasked_and_nothing_unjudged_is_clean(night):
    runner = judged(night, judges=False)
    bar = verdict.make(runner.session)
    assert bar.state is VerdictState.NOT_JUDGED and runner.session.health is None
    runner.ask(want.Judge())
    assert verdict.make(runner.session).state is VerdictState.WRONG
    keys = runner.session.health.found
    assert all(isinstance(key, AmplifierKey) for key in keys) and len(keys) == 7


def test_a_clean_night_says_what_was_asked_of_how_much(tmp_path):
    """Not an empty panel: the numbers that were looked at with their limits, and the figure with the limit in view."""
    for name in ("LL", "LU", "RU", "RL"):
        amplifier(tmp_path, name, 1)
    view = triage.make(judged(tmp_path).session)
    assert not view.rows and view.asked.startswith("4 amplifiers of 2 detectors in 1 exposure were")
    low, high = (float(n) for n in re.search(r"read noise ([0-9.]+)\u2013([0-9.]+) e", view.asked).groups())
    assert NOISE - 0.1 < low <= high < NOISE + 0.1  # an overscan of 33 000 pixels knows it to 0.4 %
    figure = triage.evidence_figure(view, -1)
    assert len(figure.curves) == 1 and figure.y.range[0] < NOISE < figure.rules[0].at < figure.y.range[1]


def test_the_amplifier_that_is_wrong_is_framed_with_what_it_is(opened):
    opened.ask(want.ShowProblem(number=0))
    session = opened.session
    (mark,) = [m for m in problem_marks.marks(session, session.slot()) if m.kind is MarkKind.AREA]
    own = next(a for a in session.slot().image.amplifiers if a.name == "RL")
    assert mark.text.startswith("RL: the read noise is 2") and mark.x.tolist() == [own.x0, own.x1 - 1]
    assert mark.y.tolist() == [own.y0, own.y1 - 1]
    assert mark.text in [m.text for m in image.make(session).picture(session.current).overlay.marks]


def test_a_folder_without_raw_amplifiers_is_one_sentence(tmp_path, capsys):
    assert main(["health", str(write_production(tmp_path))]) == 2
    assert "there are no raw amplifiers; give a night" in capsys.readouterr().err


def test_an_amplifier_that_is_opened_alone_is_judged(tmp_path):
    right, noisy = amplifier(tmp_path, "LL", 1), amplifier(tmp_path, "RL", 1, 24.0)
    runner = judged(right)
    bar = verdict.make(runner.session)
    assert bar.state is VerdictState.CLEAN and bar.headline == "read-out: nothing wrong in amplifier LL"
    assert "read noise 3.0" in bar.detail and "by its read-out alone" in bar.judged
    runner.ask(want.OpenFile(str(noisy)))  # the bar follows the frame on the canvas
    bar = verdict.make(runner.session)
    assert bar.state is VerdictState.WRONG and bar.headline.startswith("AMPLIFIER RL wrong: the read noise is 2")
    other = tmp_path / "of_no_raw_name.fits"
    other.write_bytes(noisy.read_bytes())
    runner.ask(want.OpenFile(str(other)))
    assert verdict.make(runner.session) is None
    assert [slot.health is None for slot in runner.session.slots] == [False, False, True]


def test_a_page_about_an_amplifier_says_what_its_read_out_says(tmp_path):
    right, noisy = amplifier(tmp_path, "LL", 1), amplifier(tmp_path, "RL", 1, 24.0)
    for path, words in ((right, "nothing wrong in amplifier LL"), (noisy, "the read noise is")):
        (line,) = report_input(prepared(headless.judged([str(path)]))).verdicts
        assert line.verdict is (VerdictState.CLEAN if path == right else VerdictState.WRONG)
        assert words in f"{line.title} {line.text}"

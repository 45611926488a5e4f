"""The verdict on a fiber is what the triage found there, never that of a test that did not look for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ifuview.app.night.of_fiber import asked, evidence, findings, lines
from ifuview.app.night.views.verdict import words_of
from ifuview.app.reporting.fiber_report import report_input
from ifuview.app.reporting.headless import judged, make_session, prepared
from ifuview.model.verdict import VerdictState
from tests.app.night.production import FIRST, NIGHT, write_production


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    root = write_production(tmp_path_factory.mktemp("night"))
    path = root / "exposures" / str(NIGHT) / f"{FIRST:08d}" / f"sframe-r0-{FIRST:08d}.fits"
    return make_session([str(path)], fiber="7")


def test_a_page_says_what_was_found_in_its_fiber(session):
    """A finding that does not name the fiber is none of its own; one that names none is of all."""
    path = session.slot().dataset.path
    judged = asked(session, path)
    assert asked(judged, path) is judged  # once
    known = judged.triage.result.findings
    wrong = next(f for f in known if f.fibers and not f.known)
    one, other = wrong.fibers[0], next(n for n in range(500) if not any(n in f.fibers for f in known))
    assert findings(judged.triage, path, one)[0] in known
    said = lines(judged.triage, path, one)
    assert any(words_of(judged.triage, wrong) in line.text for line in said)
    assert not any(f.fibers for f in findings(judged.triage, path, other))
    page = report_input(replace(judged, selection=replace(judged.selection, fiber=one)))
    order = tuple(VerdictState)
    levels = [order.index(line.verdict) for line in page.verdicts]
    assert levels == sorted(levels) and page.verdicts[0].verdict in (VerdictState.WRONG, VerdictState.LOOK)
    whole = report_input(replace(judged, inspection=None, selection=replace(judged.selection, fiber=None)))
    assert whole.verdicts[0].verdict is VerdictState.WRONG and whole.evidence is not None
    assert page.evidence is not None and any("masked" in fact for fact in page.facts)


def test_without_a_fiber_a_page_is_about_the_worst(session):
    path = session.slot().dataset.path
    out = judged([path])
    worst = findings(out.triage, path, None)[0]
    assert out.selection.fiber in worst.fibers
    assert judged([path], fiber="7").selection.fiber == 7
    page = report_input(prepared(out))
    assert page.verdicts[0].verdict is VerdictState.WRONG and page.inspection.fiber in worst.fibers


def test_what_was_not_asked_is_not_clean(session):
    path = session.slot().dataset.path
    (line,) = lines(None, path, 7)
    assert line.verdict is VerdictState.NOT_JUDGED and evidence(None, path, 7) is None
    assert {line.verdict for line in report_input(session).verdicts} == {VerdictState.NOT_JUDGED}


def test_a_fiber_of_which_nothing_is_known_is_not_judged(session):
    path = session.slot().dataset.path
    state = asked(session, path).triage
    judged = state.result.judged[0]
    quiet = replace(state.result, findings=(), judged=(replace(judged, masked=(3,), share=1.0, bad=()),))
    state = replace(state, result=quiet)
    assert lines(state, path, 3)[0].verdict is VerdictState.NOT_JUDGED
    (clean,) = lines(state, path, 4)
    assert clean.verdict is VerdictState.CLEAN and "nothing was found" in clean.text

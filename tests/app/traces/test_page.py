"""The page of a detector image with traces: what the doctor says of all of them, at the fiber that it speaks of."""

from __future__ import annotations

import pytest

from ifuview import simulate
from ifuview.app.reporting.fiber_report import report_input
from ifuview.app.reporting.headless import judged, prepared
from ifuview.model.verdict import VerdictState


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return next(str(p) for p in simulate.demo(folder) if p.name.startswith("preproc")), simulate.demo_truth(folder)


def test_a_page_without_a_fiber_is_about_the_kinked_one(flat):
    path, truth = flat
    page = report_input(prepared(judged([path])))
    assert page.inspection.fiber == truth["kink"]
    first, second = page.verdicts[:2]
    assert first.verdict is VerdictState.WRONG and "Kink" in first.title and "sigma" in first.text
    assert second.title == f"Trace of fiber {page.inspection.fiber_id}" and second.verdict is VerdictState.WRONG
    assert any(page.axes.place in fact for fact in page.facts)


def test_a_fiber_that_was_asked_for_is_shown_and_the_worst_is_said(flat):
    page = report_input(prepared(judged([flat[0]], fiber=0)))
    assert page.inspection.fiber == 0 and "Kink" in page.verdicts[0].title

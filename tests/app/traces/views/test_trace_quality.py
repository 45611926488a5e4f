from __future__ import annotations

from dataclasses import replace

import pytest

from ifuview.app.session import Session
from ifuview.app.traces.views import trace_quality as view
from ifuview.model.verdict import Verdict
from tests.app.frames.views import made


def test_nothing_open_gives_nothing():
    assert view.make(Session()) is None


@pytest.mark.parametrize(("current", "word"), [(1, "Click a fiber"), (2, "detector image"), (3, "detector image")])
def test_the_hint_says_what_is_missing(current, word):
    assert word in view.make(made.session(current, inspected=False)).hint


def test_without_traces_the_hint_says_so():
    session = made.session(inspected=False)
    session = session.with_slot(replace(session.slot(1), traces=None))
    assert "No traces are open" in view.make(session).hint


def test_verdict_comes_in_words_with_its_numbers():
    shown = view.make(made.session())
    assert shown.word == "Look"
    assert "0.100 px above" in shown.text
    assert "Mean 0.1000 ± 0.0050 px" in shown.numbers
    assert "noise floor" in shown.numbers


def test_offset_panel_has_the_noise_floor_as_band():
    shown = view.make(made.session())
    assert list(shown.figures) == ["Offset", "Width", "Flux", "Spacing", "χ²"]
    offset = shown.figures["Offset"]
    assert [rule.at for rule in offset.rules] == [0.0]
    assert (offset.spans[0].low, offset.spans[0].high) == (-0.018, 0.018)
    assert offset.curves[0].error is not None
    assert shown.figures["Flux"].y.label == "Flux (e/px)"


def test_not_measured_is_said_and_has_no_numbers():
    session = made.session()
    inspection = replace(session.inspection, quality=made.quality(Verdict.NOT_MEASURED))
    shown = view.make(replace(session, inspection=inspection))
    assert shown.word == "Not judged"
    assert shown.numbers == ""


def test_the_detector_image_is_named_when_its_spectra_are_inspected():
    session = made.session(current=2)
    session = replace(session, inspection=replace(session.inspection, slot=2))
    assert view.make(session).title == "Fiber 505 of preproc"

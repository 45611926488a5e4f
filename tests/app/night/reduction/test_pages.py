"""Pages about a reduced channel and its night: the verdict first, in words that stand for the numbers."""

from __future__ import annotations

import pickle
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ifuview.app.night.reduction.channel import SUMMARY
from ifuview.app.night.reduction.pages import ReductionPages, report_of
from ifuview.errors import UsageError
from ifuview.model.verdict import VerdictState
from ifuview.recipes.graph import GIVEN_UP
from tests.app.night.reduction.conftest import DATE, OBSERVATION


class Texts(HTMLParser):
    """The texts of a page, in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.found += [data.strip()] * bool(data.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in ("href", "src") and value]


def test_a_page_says_the_verdict_first_and_the_night_leads_to_it(reduced, tmp_path):
    done = reduced[1]
    bad = next(one for one in done.verdicts if one.step == "science")
    worse = replace(bad, state=VerdictState.WRONG, text="amplifier LL is <gone>")
    shown = replace(
        done, verdicts=tuple(worse if one is bad else one for one in done.verdicts), files=(), notes=("a note & more",)
    )
    pages = ReductionPages(str(tmp_path))
    pages.add(shown)
    (night,) = pages.finish()
    stem = f"report_{DATE}_{OBSERVATION:07d}_exp01_orange"
    texts = Texts((tmp_path / "LRS2" / f"{stem}.html").read_text("utf-8"))
    body = texts.found[texts.found.index("Steps") - 4 :]
    assert body[0].startswith("TARGET_056_E orange") and body[1] == "wrong: raw: amplifier LL is <gone>"
    assert body[2] == done.line and "a note & more" in texts.found
    assert len(texts.links) == 1 and texts.links[0].startswith("data:image/png;base64,")
    assert (tmp_path / "LRS2" / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
    whole = Texts(Path(night).read_text("utf-8"))
    assert f"{stem}.html" in whole.links and any("\u2716 raw" in text for text in whole.found)
    assert f"{OBSERVATION:07d} exp01 TARGET_056_E" in whole.found


def test_a_report_has_a_figure_for_most_steps_even_of_values_given_up(reduced):
    done = reduced[1]
    figures = {step: done.figures(step) for step in ("flat", "wave")}
    light = replace(done.light(), drawn=figures)
    assert report_of(done).verdict.startswith(("clean", "look"))
    assert sum(step.figure is not None for step in report_of(done).steps) >= 8
    assert light.figures("flat") == figures["flat"]
    assert light.complete and light.line == done.line and light.value("flat") is None


def test_what_a_page_is_made_of_holds_no_values(reduced):
    done = reduced[1]
    less = done.for_pages()
    whole, page = report_of(done), report_of(less)
    assert page.numbers == whole.numbers and page.numbers and page.verdict == whole.verdict
    assert [step.figure is None for step in page.steps] == [step.figure is None for step in whole.steps]
    assert all(less.value(step) is None for step in less.steps if step not in ("sky", "spectrum"))


def test_of_a_channel_that_is_written_sources_and_spectrum_are_held_and_no_arrays_of_all_fibers(reduced):
    done = reduced[1]
    light = done.light()
    whole, held = (sum(len(pickle.dumps(of.steps[name].value)) for name in SUMMARY) for of in (done, light))
    assert whole > 5e6 > 3e5 > held
    assert light.value("sky").sources == done.value("sky").sources and light.line == done.line
    assert not any(one.value is not GIVEN_UP for name, one in light.steps.items() if name not in SUMMARY)


def test_what_was_not_reduced_is_listed_and_a_folder_that_cannot_be_written_said(reduced, tmp_path):
    done = reduced[1]
    lost = dict(done.steps)
    for step in ("field", "spectrum", "cubes", "picture"):
        lost[step] = replace(lost[step], value=None, reason="no light at all")
    pages = ReductionPages(str(tmp_path))
    pages.add(replace(done, steps=lost, files=()))
    assert "no light at all" in Path(pages.finish()[0]).read_text("utf-8")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot"):
        ReductionPages(str(tmp_path / "file")).add(replace(done, files=()))

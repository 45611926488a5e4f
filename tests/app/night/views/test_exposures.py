"""The list of exposures: cells, dots, tips and the filter."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from ifuview.app.night.judging import first_judged
from ifuview.app.night.state import Night, Place
from ifuview.app.night.views import exposures as view
from ifuview.app.session import Session
from ifuview.instrument import instrument
from ifuview.model.night.exposures import NO_CHAIN, Dot, Exposure, ExposureIndex, FileState, ProductFile

CHAIN = instrument("desi").chain or NO_CHAIN


def index() -> ExposureIndex:
    """Three exposures; b6 has a bad amplifier in the second, z6 is missing all night, r6 is being written last."""
    out = []
    for expid, tile, obstype, time in ((10, -99, "flat", 120.0), (11, 7, "science", 900.0), (12, 7, "science", None)):
        files = {(c, p): ProductFile(f"{p}-{c}") for c in ("b6", "r6") for p in ("frame", "sky")}
        if expid == 10:
            del files["b6", "sky"]
        if expid == 12:
            files["r6", "sky"] = ProductFile("", state=FileState.WRITING)
        amps = {"b6": "AC"} if expid == 11 else {}
        out.append(
            Exposure(20260101, expid, tile, obstype, time, MappingProxyType(files), ("b6", "r6", "z6"),
                     bad_amplifiers=MappingProxyType(amps), table=MappingProxyType({"COMMENTS": "windy"}))
        )  # fmt: skip
    return ExposureIndex("/prod", "/prod", tuple(out), chain=CHAIN)


@pytest.fixture
def session() -> Session:
    return Session(night=Night(index(), place=Place(11, "r6", "flatfielded")))


def test_rows_and_dots(session: Session) -> None:
    made = view.make(session)
    assert made.cameras == ("b6", "r6")
    assert made.products == ("frame", "sky")
    assert made.rows[0].cells == ("20260101", "10", "", "", "", "flat", "120", "", "", "1", "")
    assert {view.COLUMNS[place] for place in made.hidden} == {"Object", "Target", "Seeing (″)", "Transparency", "Raw"}
    assert made.rows[0].dots == ((Dot.PRESENT, Dot.MISSING), (Dot.PRESENT, Dot.PRESENT))
    assert made.rows[1].dots[0] == (Dot.BAD_AMPLIFIER, Dot.BAD_AMPLIFIER)
    assert made.rows[2].dots[1] == (Dot.PRESENT, Dot.WRITING)
    assert (made.expid, made.camera, made.product) == (11, "r6", "frame")
    assert view.make(session).rows is made.rows  # made once


def test_the_example_of_a_filter_has_words_of_this_folder(session: Session) -> None:
    made = view.make(session)
    assert view.example(made) == "tile=7 camera=r6 exptime>600" and not view.problem(view.example(made))
    assert view.matches(made, "tile=7 camera=r6")[0]
    head = replace(made, cameras=("uv",), rows=tuple(
        replace(row, cells=("20250211", "20", "STAR", "uv", "", "sci", *row.cells[6:])) for row in made.rows
    ))  # fmt: skip
    assert view.example(head) == "obstype=sci camera=uv exptime>600"
    assert view.example(view.ExposuresView()) == "exptime>600"


def test_hints() -> None:
    assert view.make(Session()).hint == view.HINT
    assert view.make(Session(night=Night(ExposureIndex("x")))).hint == view.EMPTY


def test_tips(session: Session) -> None:
    row = view.make(session).rows[1]
    assert "missing cameras: z6" in view.tip(row)
    assert "bad amplifiers: b6AC" in view.tip(row)
    assert "windy" in view.tip(row)
    assert view.tip(row, "b6", ("frame",)).splitlines() == [
        "b6 of 11, bad amplifier AC: not judged",
        "frame: there, with a bad amplifier",
    ]


@pytest.mark.parametrize(
    ("text", "rows", "cameras"),
    [
        ("", [10, 11, 12], ["b6", "r6"]),
        ("tile=7", [11, 12], ["b6", "r6"]),
        ("tile=7 camera=r6", [11, 12], ["r6"]),
        ("camera=b", [10, 11, 12], ["b6"]),
        ("camera=6 expid=10,12", [10, 12], ["b6", "r6"]),
        ("exptime>600", [11], ["b6", "r6"]),
        ("expid>=11 expid<12", [11], ["b6", "r6"]),
        ("FLAT", [10], ["b6", "r6"]),
        ("type=science", [11, 12], ["b6", "r6"]),
        ("missing=z6", [10, 11, 12], ["b6", "r6"]),
        ("product=sky", [10, 11, 12], ["b6", "r6"]),
        ("product=cframe", [], ["b6", "r6"]),
        ("exptime>x", [], ["b6", "r6"]),
        ("wind=5", [], ["b6", "r6"]),
        ("camera=q", [], []),
    ],
)
def test_filters(session: Session, text: str, rows: list[int], cameras: list[str]) -> None:
    made = view.make(session)
    found = view.matches(made, text)
    assert [made.rows[i].expid for i in found[0]] == rows
    assert [made.cameras[i] for i in found[1]] == cameras


def test_a_filter_that_means_nothing_says_so() -> None:
    assert view.problem("wind=5").startswith("There is no column wind; choose night")
    assert view.problem("tile=5 flat") == ""


def test_the_first_on_the_canvas_is_the_first_that_is_judged() -> None:
    """Not the flat before it, which no question is asked of, nor the camera with spectra of lamps alone."""
    assert first_judged(index()) == (11, "b6")
    flats = ExposureIndex("/prod", "/prod", index().exposures[:1], chain=CHAIN)
    assert first_judged(flats) == (10, "")
    assert first_judged(ExposureIndex("x")) is None

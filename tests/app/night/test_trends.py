"""Numbers of many exposures: read from what was written, what is not usual is named, a click goes there."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.night.amplifiers.page import write_quality
from ifuview.app.night.state import Night, Place
from ifuview.app.night.views import heads, trends
from ifuview.app.session import Session
from ifuview.errors import MissingDataError
from ifuview.io.night.raw_exposures import exposure_index
from ifuview.io.night.trends import read_trends
from ifuview.model.night.raw import DETECTOR, RawAmplifier, RawExposure, RawNight
from ifuview.model.night.triage import Finding, Judged, TriageResult
from ifuview.model.reduction.quality import AmplifierQuality, QualityNumber
from tests.app.runner import Runner

NAMES, SLOTS = ("LL", "LU", "RU", "RL"), ("046", "047", "056")
RNG = np.random.default_rng(2)


def rows(night: int, observation: int, exposure: int):
    """Amplifiers of an exposure as a reduction writes them; 047 RL gets noisier with the exposures."""
    for slot in SLOTS:
        for name in NAMES:
            noise = 3.0 + RNG.normal(0, 0.05) + (1.0 * exposure if (slot, name) == ("047", "RL") else 0)
            yield AmplifierQuality(
                slot, "308", "024", "C1", name, night, observation, exposure,
                (
                    QualityNumber("readnoise", "read noise", noise, "electron", 4.5, 6.0),
                    QualityNumber("wave_shift", "shift", float("nan"), "Angstrom", 1.0, 4.0),
                    QualityNumber("throughput", "throughput", 0.9 if slot == "046" else 1.0),
                ),
            )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("trends")
    for n, observation in enumerate((2, 11)):
        every = [row for exposure in (1, 2, 3) for row in rows(20190822 + n, observation, exposure)]
        write_quality(str(place), f"2019082{2 + n}_{observation:07d}", every)
    return place


@pytest.fixture(scope="module")
def table(folder):
    return read_trends((str(folder),))[0]


def test_what_was_written_is_read(table):
    assert len(table) == 2 * 2 * 3 * 12  # what was not measured is none
    noise = table.rows("readnoise")
    limit = table.quantities[int(table.quantity[noise[0]])]
    assert (limit.unit, limit.look, limit.wrong) == ("electron", 4.5, 6.0)
    order = list(dict.fromkeys(zip(table.night[noise].tolist(), table.exposure[noise].tolist())))
    assert order == [(20190822, f"2/{n}") for n in (1, 2, 3)] + [(20190823, f"11/{n}") for n in (1, 2, 3)]


def test_what_is_not_usual_comes_first(table):
    view = trends.make(Session(trends=table))
    assert "12 amplifiers" in view.summary and "20190822 to 20190823" in view.summary
    first, *rest = trends.places(view, "readnoise")
    assert (first.name, first.mark, first.exposure[-1]) == ("047 RL", "wrong", "3") and first.sigma > 20
    assert not any(place.mark for place in rest)
    drawn = trends.figure(view, "readnoise")
    middle, named = drawn.curves
    assert (
        middle.y == pytest.approx(3.0, abs=0.1) and named.label == "047 RL" and named.y[2] == pytest.approx(6, abs=0.2)
    )
    assert [rule.label for rule in drawn.rules] == ["look", "wrong", "20190822", "20190823"]
    assert trends.exposure_at(view, "readnoise", "", 4.2) == (20190823, "11/2")
    only = trends.figure(view, "readnoise", "047 ll")
    assert [curve.label for curve in only.curves] == ["047 LL"]
    assert trends.figure(view, "readnoise", "999").empty


def test_files_are_opened_and_added_to_what_is_known(folder):
    runner = Runner(Session(judges=False))
    runner.ask(want.OpenFile(str(folder / "20190822_0000002_qa.json")))
    assert len(runner.session.trends) == 72 and want.ShowDock("trends") in runner.window
    runner.ask(want.OpenTrends((str(folder),)))
    assert len(runner.session.trends) == 144  # none twice


def test_a_triage_gives_numbers_of_cameras(tmp_path):
    found = TriageResult(
        findings=(Finding(104284, "r6", "sky model", "sky", amplitude=76.0, unit="e/A"),),
        cameras=((104284, "r6"), (104285, "r6")), judged=(Judged(104284, "r6", 500, share=0.98),),
    )  # fmt: skip
    place = tmp_path / "20211014" / "out"
    place.mkdir(parents=True)
    (place / "triage.json").write_text(json.dumps(found.as_dict()))
    metrics = {"global_metrics": {"median_rms": 0.02}, "per_fiber_metrics": {"3001": {"trace_rms": 0.03, "text": "x"}}}
    (place / "104284" / "r6").mkdir(parents=True)
    (place / "104284" / "r6" / "metrics.json").write_text(json.dumps(metrics))
    table, notes = read_trends((str(tmp_path),))
    view = trends.make(Session(trends=table))
    assert not notes and set(table.night) == {20211014}
    assert [(p.name, p.exposure, p.value) for p in trends.places(view, "sky model")] == [("r6", "104284", 76.0)]
    assert table.value[table.rows("findings")].tolist() == [1.0, 0.0]
    assert trends.places(view, "trace_rms of fibers", "fiber 3001")[0].value == 0.03


def test_bad_files_are_said_and_left_out(folder, tmp_path):
    (tmp_path / "a_qa.json").write_text("{")
    (tmp_path / "b_qa.json").write_text('{"x": 1}')
    with pytest.raises(MissingDataError, match="no JSON that can be read"):
        read_trends((str(tmp_path),))
    table, notes = read_trends((str(tmp_path), str(folder)))
    assert len(table) == 144 and len(notes) == 2
    with pytest.raises(MissingDataError, match="no such file"):
        read_trends((str(tmp_path / "c"),))


def test_a_folder_that_is_written_meanwhile_is_read_as_far_as_it_stands(folder, tmp_path, monkeypatch):
    """A batch moves its unfinished sets into place: what vanishes is no error, what is unfinished no number."""
    shutil.copytree(folder, tmp_path / "done")
    shutil.copytree(folder, tmp_path / ".r7.1.part")
    (tmp_path / "gone").mkdir()
    scandir = os.scandir

    def vanishing(place="."):
        if os.path.basename(place) == "gone":
            raise FileNotFoundError(place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", vanishing)
    table, notes = read_trends((str(tmp_path),))
    assert len(table) == 144 and not notes


def test_a_place_goes_to_its_exposure_and_colors_the_focal_plane(table):
    parts = tuple(RawAmplifier(__file__, f"{s}{n[0]}", n, s, "308", "024") for s in SLOTS for n in NAMES)
    raw = tuple(RawExposure(20190823, 11, n, "sci", "FIELD", amplifiers=parts) for n in (1, 2, 3))
    index = exposure_index(RawNight("/x", "virus", raw))
    night = Night(index, Place(index.exposures[0].expid, "047L", DETECTOR))
    session = Session(night=night, trends=table)
    outcome = want.carried_out(session, want.ShowExposureOf(20190823, "11/2", "047 RL"))
    assert outcome.then == (want.ShowProduct(index.exposures[1].expid, "047R"),)
    with pytest.raises(MissingDataError, match="104/1 is not in this folder"):
        want.carried_out(session, want.ShowExposureOf(20190823, "104/1"))
    view = heads.make(session)
    found = view.number("throughput")
    assert [one.name for one in view.numbers].count("throughput") == 1
    of = {(view.heads[c.head].slot, c.name): v for c, v in zip(view.cells, found.values, strict=True)}
    assert of["046", "LL"] == 0.9 and of["047", "LL"] == 1.0

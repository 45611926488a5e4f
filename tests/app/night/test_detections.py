"""Detections of an observation: read with its file, looked at, judged with undo, saved and found again."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.night.detections.evidence import in_line, line_samples
from ifuview.app.night.views import detections as pure
from ifuview.app.session import Session
from ifuview.engine.context import SILENT
from ifuview.errors import UsageError
from ifuview.io.night.judgments import read_judgments, write_judgments
from ifuview.io.products.virus.detections import read_detections, read_fibers
from ifuview.model.night.detections import DetectionTable, Judgment
from ifuview.model.reduction.detection import Doubt
from tests.app.runner import Runner

RNG = np.random.default_rng(3)
GRID, NFIBER, EXPOSURES = 1036, 24, 3
WAVE = 3470.0 + 2.0 * np.arange(GRID)
PLACES = (((1.0, -2.0, 4203.0, 40.0)), ((-4.0, 3.0, 5000.0, 25.0)))  # x, y, wavelength, signal over the noise
NOISE, WIDTH, SEEING = 0.2, 2.4, 1.7


def observation(path) -> str:
    """A file as the reduction writes it: two lines, one of them in the first exposure only."""
    x, y = (v.ravel() * 2.2 for v in np.meshgrid(np.arange(6) - 2.5, np.arange(4) - 1.5))
    texts = [("ifuslot", "S3"), ("amp", "S2"), ("specid", "S3"), ("ifuid", "S3")]
    info = np.zeros(
        NFIBER * EXPOSURES, [*texts, ("exp", "i4"), *((name, "f8") for name in ("ifux", "ifuy", "ra", "dec"))]
    )
    fibers = np.zeros(len(info), [("spectrum", "f4", GRID), ("error", "f4", GRID)])
    for e in range(EXPOSURES):
        own = slice(e * NFIBER, (e + 1) * NFIBER)
        info["ifuslot"][own], info["amp"][own], info["exp"][own] = b"047", b"LU", e + 1
        info["ifux"][own], info["ifuy"][own] = x + 0.3 * e, y - 0.2 * e
        light = RNG.normal(0, NOISE, (NFIBER, GRID))
        for k, (px, py, wave, sn) in enumerate(PLACES):
            if k == 1 and e > 0:
                continue
            share = np.exp(
                -0.5 * ((info["ifux"][own] - px) ** 2 + (info["ifuy"][own] - py) ** 2) / (SEEING / 2.355) ** 2
            )
            light += sn * NOISE * share[:, None] * np.exp(-0.5 * ((WAVE - wave) / WIDTH) ** 2)
        fibers["spectrum"][own], fibers["error"][own] = light, NOISE
    names = ("ifux", "ifuy", "ra", "dec", "wave", "flux", "sn", "chi2", "fwhm")
    spectra = [(name, "f4", GRID) for name in ("spectrum", "error", "model")]
    found = np.zeros(
        2, [("ifuslot", "S3"), ("kind", "S9"), *((name, "f8") for name in names), ("doubts", "i4"), *spectra]
    )
    for k, (px, py, wave, sn) in enumerate(PLACES):
        found[k]["ifuslot"], found[k]["kind"] = b"047", b"line"
        found[k]["ifux"], found[k]["ifuy"], found[k]["wave"], found[k]["sn"], found[k]["fwhm"] = px, py, wave, sn, 5.6
        found[k]["spectrum"] = found[k]["model"] = np.exp(-0.5 * ((WAVE - wave) / WIDTH) ** 2)
        found[k]["error"] = NOISE
    found["doubts"][1] = int(Doubt.ONE_EXPOSURE | Doubt.NARROW)
    with h5py.File(path, "w") as file:
        file["Info"], file["Fibers"], file["Detections"] = info, fibers, found
    return str(path)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> str:
    return observation(tmp_path_factory.mktemp("shot") / "20190822_0000011.h5")


@pytest.fixture
def opened(path) -> Runner:
    runner = Runner(Session(judges=False))
    runner.ask(want.OpenFile(path))
    return runner


def test_detections_come_with_their_file(opened):
    state = opened.session.detections
    assert state is not None and len(state.table) == 2 and state.table.slot.tolist() == ["047", "047"]
    assert want.ShowDock("detections") in opened.window
    view = pure.make(opened.session)
    assert [pure.cell(view, 1, c) for c in pure.COLUMNS[:5]] == ["", "047", "5000.0", "25.0", "0.0"]
    assert "in one exposure only" in pure.cell(view, 1, pure.COLUMNS[-1]) and not pure.cell(view, 0, pure.COLUMNS[-1])


def test_a_row_goes_to_its_fibers_and_its_wavelength(opened):
    opened.ask(want.ShowDetection(0))
    now = opened.session
    x, y, wave, _ = PLACES[0]
    slot, chosen = now.slot(), now.selection
    fibers = slot.image.fibermap
    assert len(chosen.fibers) == EXPOSURES and sorted(fibers.table["exp"][list(chosen.fibers)]) == [1, 2, 3]
    away = np.hypot(fibers.focal_x[chosen.fiber] - x, fibers.focal_y[chosen.fiber] - y)
    assert away == np.hypot(fibers.focal_x - x, fibers.focal_y - y).min()
    assert WAVE[round(chosen.x)] == pytest.approx(wave, abs=1.01)


def test_the_evidence_tells_a_source_from_what_is_in_one_exposure(opened):
    state = opened.session.detections
    for row, seen in ((0, (True, True, True)), (1, (True, False, False))):
        near = read_fibers(state.path, "047", *PLACES[row][:2], 9.0)
        signal, error = in_line(near, line_samples(near.wave, PLACES[row][2], 5.6), sides=True)
        best = [np.flatnonzero(near.exposure == n)[0] for n in (1, 2, 3)]
        assert tuple(bool(signal[k] / error[k] > 5) for k in best) == seen
    opened.ask(want.ShowDetection(1))
    answer = pure.job(opened.session)(SILENT)
    assert answer.row == 1 and answer.words[0].startswith("may be false: in one exposure only")
    assert answer.words[1].count("\u03c3") == EXPOSURES and "LU" in answer.words[2]
    place = answer.place.map
    peak = np.unravel_index(np.nanargmax(place.values), place.values.shape)
    x0, _, y0, _ = place.extent
    away = x0 + (peak[1] + 0.5) * 0.75 - PLACES[1][0], y0 + (peak[0] + 0.5) * 0.75 - PLACES[1][1]
    assert np.hypot(*away) < 1.6  # half the diagonal of the pitch
    assert answer.fibers.map.values.shape[0] == 3 * 5 + 2


def test_judgments_are_given_changed_and_taken_back(opened):
    opened.ask(want.ShowDetection(0), want.JudgeDetection("real"), want.ShowDetection(1), want.JudgeDetection("false"))
    opened.ask(want.JudgeDetection("unsure"))
    assert opened.session.detections.said == {0: Judgment.REAL, 1: Judgment.UNSURE}
    opened.ask(want.ShowDetection(0), want.UndoJudgment())
    assert opened.session.detections.said == {0: Judgment.REAL, 1: Judgment.FALSE}
    assert opened.session.detections.row == 1  # what it was about is looked at
    opened.ask(want.Undo(again=True))
    assert opened.session.detections.said == {0: Judgment.REAL, 1: Judgment.UNSURE}
    opened.ask(want.Undo(), want.Undo(), want.Undo(), want.Undo(again=True))
    assert opened.session.detections.said == {0: Judgment.REAL}
    opened.ask(want.Undo(again=True))
    opened.ask(want.JudgeDetection("false"))  # said once more
    assert opened.session.detections.said == {0: Judgment.REAL}
    with pytest.raises(UsageError, match="no detections"):
        Runner(Session()).ask(want.ShowDetection(0))


def test_judgments_are_saved_and_found_again(opened, path, tmp_path):
    opened.ask(want.JudgeDetection("false", 1), want.SaveJudgments(str(tmp_path / "mine.ecsv")))
    assert opened.session.detections.saved.endswith("mine.ecsv")
    text = (tmp_path / "mine.ecsv").read_text()
    assert text.startswith("# %ECSV") and "false" in text and "5000.0" in text
    assert read_judgments(str(tmp_path / "mine.ecsv"), opened.session.detections.table) == {1: Judgment.FALSE}
    opened.ask(want.SaveJudgments())
    again = Runner(Session(judges=False))
    again.ask(want.OpenFile(path))
    assert again.session.detections.said == {1: Judgment.FALSE} and "1 of them judged" in again.said()[-1]
    with pytest.raises(UsageError):  # what is of another kind stays
        write_judgments(path, path, opened.session.detections.table, {})


def test_a_million_detections_are_sorted_and_chosen_at_once():
    n = 1_000_000
    value = RNG.normal(10, 3, n)
    table = DetectionTable(
        np.repeat("047", n), np.repeat("line", n), *(value,) * 9, np.arange(n) % 7 == 0
    )  # fmt: skip
    view = pure.DetectionsView("many", table, {5: Judgment.REAL}, -1, "", "", False)
    import time

    start = time.process_time()
    rows = pure.order(view, 4, True, "clean", 12.0, "47")
    assert time.process_time() - start < 2.0  # s of CPU; 0.3 on a quiet machine
    assert (np.diff(table.sn[rows]) <= 0).all() and table.sn[rows].min() >= 12 and not table.doubts[rows].any()
    assert pure.order(view, 0, False, "real", 0.0, "").tolist() == [5]


def test_an_older_file_may_lack_columns(tmp_path):
    rows = np.zeros(
        1, [("ifuslot", "S3"), ("ifux", "f8"), ("ifuy", "f8"), ("wave", "f8"), ("sn", "f8"), ("odd", "f4", (3, 2))]
    )
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file["Detections"] = rows
    table = read_detections(str(tmp_path / "old.h5"))
    assert table.kind.tolist() == ["line"] and np.isnan(table.flux).all() and table.doubts.tolist() == [0]

"""Observations of fiber heads as tasks of a night: one each, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ifuview.app.night.virus import shot as running
from ifuview.app.night.virus.request import ALL, HeadSummary, ReducedShot, ShotRequest
from ifuview.batch.observations import observation_tasks
from ifuview.batch.work import work
from ifuview.cli import main
from ifuview.errors import MissingDataError
from ifuview.model.reduction.solution import CatalogSpectrum, ShotSolution
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.report.night.observation import magnitude_figure


@pytest.fixture
def asked(monkeypatch, tmp_path) -> list[ShotRequest]:
    """Reductions that were asked for; slot 048 fails."""
    out: list[ShotRequest] = []

    def reduce(request: ShotRequest) -> ReducedShot:
        out.append(request)
        name = f"{request.date}_{request.observation:07d}_qa.html"
        Path(request.output, name).write_text("page")
        slots = ("047", "048") if ALL in request.slots else request.slots
        heads = tuple(HeadSummary(slot, "both amplifiers are broken" if slot == "048" else "") for slot in slots)
        return ReducedShot(request, heads, None, (name,), ())

    (tmp_path / "cals.h5").touch()
    (tmp_path / "raw.tar").touch()
    night = (str(tmp_path), [(20190822, n, [str(tmp_path / "raw.tar")]) for n in (11, 12)])
    monkeypatch.setattr(running, "observations_of", lambda path, ctx: night)
    monkeypatch.setattr(running, "reduce_shot", reduce)
    return out


def test_each_observation_is_a_task_whose_folder_has_its_products(asked, tmp_path):
    tasks = observation_tasks([str(tmp_path)], str(tmp_path / "out"), str(tmp_path / "cals.h5"))
    assert [task.label for task in tasks] == ["20190822-0000011 heads", "20190822-0000012 heads"]
    record = work(tasks[0])
    assert record.level == "fail" and record.bad and "048: not reduced: both amplifiers are broken" in record.text
    assert (tmp_path / "out" / "20190822-0000011" / "heads" / record.page).read_text() == "page"
    (one,) = observation_tasks([str(tmp_path)], str(tmp_path / "out"), str(tmp_path / "cals.h5"), ("047",), (12,))
    assert work(one).level == "pass"
    assert [request.slots for request in asked] == [(ALL,), ("047",)]
    assert asked[1].root == str(tmp_path) and asked[1].observation == 12


def test_a_night_without_observations_or_calibrations_is_said(asked, tmp_path, capsys):
    with pytest.raises(MissingDataError, match="no science observation"):
        observation_tasks([str(tmp_path)], "out", str(tmp_path / "cals.h5"), (), (99,))
    words = ["batch", "reduce", str(tmp_path), "--calibrations", str(tmp_path / "none.h5"), "-o", str(tmp_path / "out")]
    assert main(words) == 2
    assert "there is no such file of calibrations" in capsys.readouterr().err


def test_all_stars_lie_whole_within_the_picture_of_magnitudes():
    wave = np.linspace(3500, 5500, 3)
    light = FiberSpectra(*(np.ones((1, 3)) for _ in range(2)), np.zeros((1, 3), np.uint32), wave)
    stars = [
        CatalogSpectrum(n, 1.0, 2.0, 0.0, 0.0, (g,) * 5, g + off, light, 1.0, True)
        for n, (g, off) in enumerate(((15.0, -0.1), (18.0, 0.0), (21.0, 0.2)))
    ]
    figure = magnitude_figure("magnitudes", tuple(stars), ShotSolution(None, None, (), (), ()))
    for axis, low, high in ((figure.x, 15.0, 21.0), (figure.y, -0.1, 0.2)):
        assert axis.range[0] < low - 0.01 and axis.range[1] > high + 0.01

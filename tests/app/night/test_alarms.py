"""Alarms over nights: set in TOML for an instrument, told with the place and since when."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ifuview import instrument as instruments
from ifuview.app import intents as want
from ifuview.app.night.views import trends
from ifuview.app.session import Level, Session
from ifuview.instrument import catalog
from ifuview.model.night.trends import TrendPoint, TrendQuantity, trend_table
from tests.app.runner import Runner

LIMITS = """\
[alarms]
readnoise = { above = [3.4, 5.0], change = [0.2, 0.8] }
throughput = { below = [0.9, 0.5] }
"""


@pytest.fixture
def folder(own_instruments: Path) -> Path:
    return own_instruments


def table(number: str, **series: list[float]):
    """Nights 1, 2 ... of some places, whose noise is 0.01."""
    rng = np.random.default_rng(1)
    points = [
        TrendPoint(number, place, 20240101 + n, f"{n}", value + rng.normal(0, 0.01))
        for place, values in series.items() for n, value in enumerate(values)
    ]  # fmt: skip
    return trend_table([TrendQuantity(number, "e", 2.0e4, 3.0e4)], points)


def found(number: str, values: dict[str, list[float]]) -> dict[str, tuple[str, str]]:
    view = trends.make(Session(trends=table(number, **values)))
    assert view is not None
    return {p.name: (p.mark.replace("unusual", ""), p.since) for p in trends.places(view, number)}


def test_limits_of_a_user_are_told_by_place_and_since_when(folder: Path) -> None:
    (folder / "lrs2.limits.toml").write_text(LIMITS)
    got = found("readnoise", {
        "steady": [3.0] * 8, "rises": [3.0, 3.0, 3.0, 3.0, 3.3, 3.3, 4.0, 4.0], "high": [4.0] * 8,
        "worse": [3.0] * 5 + [6.0] * 3,
    })  # fmt: skip
    assert got == {
        "steady": ("", ""), "rises": ("wrong", "20240107 6"), "high": ("look", "20240101 0"),
        "worse": ("wrong", "20240106 5"),
    }  # fmt: skip
    dead = found("throughput", {"fiber 12": [1.0, 1.0, 1.0, 0.0, 0.0], "fiber 13": [1.0] * 5})
    assert dead == {"fiber 12": ("wrong", "20240104 3"), "fiber 13": ("", "")}


def test_a_change_is_told_even_where_the_level_is_usual(folder: Path) -> None:
    (folder / "lrs2.limits.toml").write_text("[alarms]\nlevel = { change = [5, 20] }\n")
    jumps = [1000.0] * 6 + [1050.0] + [1000.0] * 3
    assert found("level", {"a": jumps, "b": [2000.0] * 10}) == {
        "a": ("wrong", "20240107 6"),
        "b": ("", ""),
    }


def test_opening_says_what_is_wrong(folder: Path, tmp_path: Path) -> None:
    (folder / "virus.limits.toml").write_text(LIMITS)
    rows = [
        {"ifuslot": "047", "amp": "LL", "date": 20240101 + n, "observation": n + 1, "exposure": 1,
         "numbers": {"readnoise": {"value": 3.0 + 3.0 * (n > 3), "unit": "electron", "look": 9.0, "wrong": 10.0}}}
        for n in range(6)
    ]  # fmt: skip
    (tmp_path / "a_qa.json").write_text(json.dumps(rows))
    runner = Runner(Session(judges=False))
    runner.ask(want.OpenTrends((str(tmp_path / "a_qa.json"),)))
    said = [m.text for m in runner.session.messages if m.level is Level.WARNING]
    assert said == ["readnoise is wrong in 047 LL since 20240105 5/1 (6 e)"]
    drawn = trends.figure(trends.make(runner.session), "readnoise")
    assert [rule.at for rule in drawn.rules if rule.label in ("look", "wrong")] == [3.4, 5.0]  # those of the user


def test_the_instrument_of_the_night_decides(folder: Path) -> None:
    (folder / "lrs2.limits.toml").write_text("[alarms]\nx = { above = [1, 2] }\n")
    (folder / "virus.limits.toml").write_text("[alarms]\nx = { above = [10, 20] }\n")
    night = SimpleNamespace(index=SimpleNamespace(chain=SimpleNamespace(instrument="virus")))
    session = replace(Session(trends=table("x", a=[5.0] * 4)), night=night)
    view = trends.make(session)
    assert view is not None
    assert [p.mark for p in trends.places(view, "x")] == [""]


def test_a_file_of_limits_adds_to_the_program_s_own(folder: Path) -> None:
    before = instruments.instrument("lrs2")
    catalog.forget()
    (folder / "lrs2.limits.toml").write_text("[steps]\nread_noise = [1.1, 1.2]\n[limits]\nfiber_sigmas = 9\n")
    after = instruments.instrument("lrs2")
    assert after.step_limits["read_noise"] == (1.1, 1.2)
    assert after.step_limits["hot"] == before.step_limits["hot"]
    assert after.limits["fiber_sigmas"] == 9
    assert after.raw == before.raw
    assert "lrs2.limits" not in instruments.names()


@pytest.mark.parametrize("text", [
    "[alarms]\nx = 3", "[alarms]\nx = { above = [2, 1] }", "[alarms]\nx = { below = [1, 2] }", "[alarms]\nx = {}",
    "[alarms]\nx = { beside = [1, 2] }", "[geometry]\nnfiber = 3", "limits = 3", "[limits]\nnone_such = 3", "[",
    "[triage]\nnone-such = { sigma = 3 }", "[triage]\nghost = 3", "[triage]\nghost = { sigma = -1 }",
    "[triage]\nghost = {}", "[alarms]\nx = { above = [true, 2] }", "[alarms]\nx = { above = [nan, 2] }",
])  # fmt: skip
def test_a_wrong_file_is_told_and_left_out(folder: Path, text: str) -> None:
    (folder / "virus.limits.toml").write_text(text)
    assert instruments.instrument("virus").name == "virus"
    (problem,) = instruments.problems()
    assert problem.startswith("virus.limits.toml")
    assert "\n" not in problem


def test_limits_of_no_instrument_are_told(folder: Path) -> None:
    (folder / "none.limits.toml").write_text(LIMITS)
    assert "no instrument is called none" in instruments.problems()[0]

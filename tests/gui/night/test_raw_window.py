"""A raw night in a window: listed with its own columns, the observation of an archive shown at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ifuview import instrument
from ifuview.app import intents as want
from ifuview.app.night.views import exposures as view
from ifuview.app.night.views import health
from ifuview.instrument.tables import Tables
from ifuview.model.verdict import VerdictState
from ifuview.simulate.het.night import Shot, write_night
from ifuview.simulate.het.setup import channel_setup
from tests.gui.windows import settle, window

UNIT, DATE = ("503", "056", "7001"), 20240801


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw_window")
    spec = instrument.instrument("lrs2")
    channel = channel_setup(spec, Tables("lrs2"), "uv", UNIT, DATE, seed=4)
    shots = [Shot(1, "zro", "zero"), Shot(8, "drk", "STAR_056_W", 10.0)]
    write_night(folder, spec, [channel], shots, DATE, packing="gz")
    return folder


def test_a_night_is_listed_and_an_observation_is_shown(qtbot: QtBot, root: Path) -> None:
    with window(qtbot, str(root)) as shell:
        dock = shell.window.docks["exposures"].widget()
        assert dock.model.rowCount() == 2
        shown = [name for n, name in enumerate(view.COLUMNS) if not dock.table.isColumnHidden(n)]
        assert shown == ["Night", "Exposure", "Object", "Target", "Type", "Time (s)", "Missing"]
        assert dock.model.data(dock.model.index(1, 2)) == "STAR_056_W"
        settle(qtbot, shell)
        assert shell.store.session.slot().title.startswith("uv zro")
    observation = root / str(DATE) / "lrs2" / "lrs20000008.tar"
    with window(qtbot, str(observation)) as shell:
        settle(qtbot, shell)
        slot = shell.store.session.slot()
        assert slot is not None and slot.title == f"uv drk {DATE} 8/1"
        assert slot.image.shape == (2064, 2064) and slot.pyramid is not None
    assert sorted(p.name for p in observation.parent.iterdir()) == ["lrs20000001.tar", "lrs20000008.tar"]


def test_a_bad_night_is_said_in_the_window_and_nothing_stops(qtbot: QtBot, tmp_path: Path) -> None:
    """An amplifier of zeros, one that is missing, one cut short, an archive cut short, and nothing that calibrates."""
    spec = instrument.instrument("lrs2")
    channel = channel_setup(spec, Tables("lrs2"), "uv", UNIT, DATE, seed=4)
    shots = [
        Shot(7, "sci", "ZEROS_056_W", 60.0, zero=("056LU",)), Shot(8, "sci", "HALF_056_W", 60.0, missing=("056LL",)),
        Shot(9, "sci", "CUT_056_W", 60.0),
    ]  # fmt: skip
    write_night(tmp_path, spec, [channel], shots, DATE, packing="")
    folder = tmp_path / str(DATE) / "lrs2"
    cut = next((folder / "lrs20000009").rglob("*LU_sci.fits"))
    cut.write_bytes(cut.read_bytes()[:900_000])
    (folder / "lrs20000010.tar").write_bytes(b"no archive" * 1000)
    before = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    with window(qtbot, str(tmp_path)) as shell:
        session = lambda: shell.store.session  # noqa: E731
        settle(qtbot, shell)
        shell.controller.handle(want.Reduce())
        settle(qtbot, shell)
        said = [message.text for message in session().messages]
        assert any("uv 20240801 0000007 exp01: not reduced" in text and "no twilight" in text for text in said)
        reasons = {one.reason for one in session().reduction.steps.values() if one.value is None}
        assert any("no twilight and no lamp flat has usable light" in one for one in reasons)
        shell.controller.handle(want.Judge())
        settle(qtbot, shell)
        bar = health.make(session())
        assert bar.state is VerdictState.WRONG and any(
            "LU wrong: most counts are zero" in p.headline for p in bar.problems
        )
        index = session().night.index
        rows = {e.expid: index.raw_exposure(e.expid) for e in index.exposures}
        assert [("uv", "LL") in one.missing for one in rows.values()] == [False, True, False]
        assert any("uv LU is cut short" in note for one in rows.values() for note in one.notes)
        assert any("lrs20000010.tar" in note for note in index.raw_night.notes)
    assert {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()} == before

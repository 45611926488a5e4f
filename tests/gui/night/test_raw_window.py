"""A raw night in a window: listed with its own columns, the observation of an archive shown at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ifuview import instrument
from ifuview.app.night.views import exposures as view
from ifuview.instrument.tables import Tables
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

"""The table of detections with as many rows as a whole survey has: sorted, chosen, judged and gone through at once."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from ifuview.app.night.views.detections import COLUMNS, DetectionsView
from ifuview.gui.night._detection_table import DetectionList
from ifuview.model.night.detections import DetectionTable, Judgment

MANY = 500_000
MOST = 2.0  # s of CPU for any one action; a list that makes an item for each row takes a minute


@pytest.fixture(scope="module")
def table() -> DetectionTable:
    rng = np.random.default_rng(5)
    number = {name: rng.normal(size=MANY) for name in ("x", "y", "ra", "dec", "flux", "chi2", "fwhm")}
    slot = np.array(["046", "047"])[rng.integers(0, 2, MANY)]
    return DetectionTable(
        slot=slot, kind=np.full(MANY, "line"), wave=rng.uniform(3500, 5500, MANY), sn=rng.permutation(MANY) / 1e4,
        doubts=rng.integers(0, 2, MANY), **number,
    )  # fmt: skip


def spent(action, *words) -> float:
    began = time.process_time()
    action(*words)
    return time.process_time() - began


def test_half_a_million_detections_are_at_hand(qtbot, table):
    shown = DetectionList()
    qtbot.addWidget(shown)
    shown.resize(900, 400)
    shown.show()
    rows, heads = shown.rows, [column.name for column in COLUMNS]

    def view(said) -> DetectionsView:
        return DetectionsView("survey", table, said, -1, "", "", False)

    assert spent(rows.set_view, view({})) < MOST and rows.rowCount() == MANY
    assert spent(shown.sortByColumn, heads.index("sn"), Qt.SortOrder.DescendingOrder) < MOST
    best = rows.source(0)
    assert best == int(np.argmax(table.sn)) and "50.0" in rows.data(rows.index(0, heads.index("sn")))
    assert spent(rows.set_view, view({best: Judgment.REAL})) < MOST
    assert "real" in rows.data(rows.index(0, 0))
    assert spent(rows.choose, "clean", 25.0, "47") < MOST
    kept = (table.doubts == 0) & (table.sn >= 25) & (table.slot == "047")
    assert rows.rowCount() == int(kept.sum())
    told = []
    shown.chosen.connect(told.append)
    shown.show_row(rows.source(0))
    assert spent(shown.step) < MOST and told == [rows.source(1)]

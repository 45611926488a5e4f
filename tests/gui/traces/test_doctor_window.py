"""Diagnosing in the window, on simulated files in which a kink and a dead fiber are planted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ifuview.app import intents as want
from ifuview.app.jobs import JobKind, JobStatus
from ifuview.app.session import Level
from ifuview.io.traces.reading import read_traces
from ifuview.model.traces.doctor import DoctorLimits
from ifuview.simulate.detector.demo_files import DEAD, KINK, KINK_COLUMN, KINK_HEIGHT, SPEC
from ifuview.simulate.detector.geometry import true_traces
from tests import demo
from tests.gui.windows import TIMEOUT, settle, window


@pytest.fixture(scope="module")
def flat() -> str:
    return str(demo.file("preproc"))


def test_diagnose_go_apply_save_undo(qtbot: QtBot, flat: str, tmp_path: Path) -> None:
    with window(qtbot, flat) as shell:
        given = shell.store.session.slot().traces
        shell.window.actions_by_name["diagnose"].trigger()
        settle(qtbot, shell)
        qtbot.waitUntil(lambda: shell.window.docks["findings"].widget() is not None, timeout=TIMEOUT)
        qtbot.wait(100)
        dock = shell.window.docks["findings"].widget()
        kinds = [row.finding.kind for row in dock._view.rows if row.finding.group == "fiber"]
        assert kinds[0] == "kink" and "dead" in kinds
        dock._go(0)
        settle(qtbot, shell)
        slot = shell.store.session.slot()
        assert shell.store.session.selection.fiber == KINK
        assert abs(slot.image.orientation.from_native(slot.view.x, slot.view.y, slot.image.shape)[1] - KINK_COLUMN) < 40
        dock.apply.click()
        settle(qtbot, shell)
        corrected = shell.store.session.slot().traces
        truth = true_traces(SPEC).center[KINK]
        middle = slice(int(KINK_COLUMN) - 100, int(KINK_COLUMN) + 100)
        before, after = (np.abs(t.center[KINK, middle] - truth[middle]).max() for t in (given, corrected))
        assert before == pytest.approx(KINK_HEIGHT, rel=0.05) and after < 0.1 * KINK_HEIGHT  # as wide as three bins
        path = tmp_path / "corrected.fits"
        shell.controller.handle(want.SaveTraces(str(path)))
        settle(qtbot, shell)
        lies, shape = slot.image.orientation, slot.image.shape
        np.testing.assert_allclose(read_traces(path, lies.shape(shape), lies).center, corrected.center, atol=0.01)
        shell.window.actions_by_name["undo"].trigger()
        settle(qtbot, shell)
        assert shell.store.session.slot().traces is given
        assert not [m for m in shell.store.session.messages if m.level is Level.ERROR]


def test_limits_are_judged_again_and_back(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        shell.controller.handle(want.Diagnose())
        settle(qtbot, shell)
        kinds = lambda: {p.kind for p in shell.store.session.slot().diagnosis.problems}  # noqa: E731
        assert {"kink", "dead"} <= kinds()
        for limits, there in ((DoctorLimits(kink_px=2.0, offset_px=2.0), False), (DoctorLimits(), True)):
            shell.controller.handle(want.SetThresholds(limits))
            settle(qtbot, shell)
            assert ("kink" in kinds()) is there and "dead" in kinds()
        assert DEAD in {p.fiber for p in shell.store.session.slot().diagnosis.problems}


def test_a_diagnosis_can_be_cancelled_and_other_frames_are_told(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        shell.controller.handle(want.Diagnose())
        shell.controller.handle(want.CancelJob(None))
        settle(qtbot, shell)
        assert shell.store.session.slot().diagnosis is None
        book = shell.controller.jobs.book
        assert [j.status for j in book.records if j.key.kind is JobKind.DIAGNOSE] == [JobStatus.CANCELLED]
        rss = str(next(Path(flat).parent.glob("frame-*")))
        shell.controller.handle(want.OpenFile(rss))
        settle(qtbot, shell)
        shell.controller.handle(want.Diagnose())
        settle(qtbot, shell)
        assert "on a detector image" in shell.store.session.messages[-1].text


def test_frames_that_come_together_are_all_judged(qtbot: QtBot, flat: str) -> None:
    other = str(sorted(Path(flat).parent.glob("preproc-*"))[-1])
    with window(qtbot, flat, other, judges=True) as shell:
        qtbot.waitUntil(lambda: all(s.diagnosis is not None for s in shell.store.session.slots), timeout=TIMEOUT)
        assert len(shell.store.session.slots) == 2


def test_a_frame_without_traces_is_traced_first(qtbot: QtBot, flat: str) -> None:
    with window(qtbot, flat) as shell:
        slot = shell.store.session.slot()
        shell.store.put(shell.store.session.with_slot(replace(slot, traces=None)))
        shell.window.actions_by_name["diagnose"].trigger()
        settle(qtbot, shell)
        slot = shell.store.session.slot()
        assert slot.traces is not None and slot.traces is slot.diagnosis.given
        assert not [p for p in slot.diagnosis.problems if p.kind in ("kink", "offset", "lost")]

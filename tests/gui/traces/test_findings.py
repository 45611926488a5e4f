"""The findings dock: what it lists, what a click asks for, and that given and corrected traces can be told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QFileDialog

from ifuview.app import intents as want
from ifuview.app.frames import steps
from ifuview.app.frames.views.overlay import make_overlay, shown_traces
from ifuview.app.session import Session
from ifuview.app.traces import doctor
from ifuview.app.traces import steps as trace_steps
from ifuview.app.traces.views import findings as view
from ifuview.app.traces.views import verdict
from ifuview.errors import MissingDataError
from ifuview.io.traces.reading import read_traces
from ifuview.model.orientation import Orientation
from ifuview.model.traces.doctor import DoctorLimits
from ifuview.model.verdict import VerdictState
from tests.app.frames.views import made
from tests.report.traces import made_doctor


@pytest.fixture
def session() -> Session:
    """A detector image with a diagnosis of its traces."""
    session = made.session()
    slot = session.slot()
    assert slot is not None and slot.traces is not None
    assert slot.traces.center.shape == made_doctor.diagnosis().corrected.center.shape
    found = doctor.of_the_file(made_doctor.diagnosis(), slot.traces)
    return doctor.diagnosed(session, slot.key, found, None)


@pytest.fixture
def dock(build, session):
    out = build("findings")
    out.draw(view.make(session))
    QApplication.processEvents()
    return out


def test_findings_are_listed_worst_first(dock) -> None:
    rows = [dock.tree.topLevelItem(i).text(0) for i in range(dock.tree.topLevelItemCount())]
    assert [r[0] for r in rows] == ["✘"] * 5 + ["i"]
    assert "Swapped" in rows[0] and "Dead" in rows[1] and "Cosmics" in rows[-1]
    assert "Wrong" in dock.word.text()


def test_a_click_goes_there_and_selects_the_fibers(dock, session) -> None:
    kink = next(i for i, row in enumerate(dock._view.rows) if row.finding.kind == "kink")
    item = dock.tree.topLevelItem(kink)
    dock.tree.setCurrentItem(item)
    dock.tree.itemClicked.emit(item, 0)
    (asked,) = dock.asked
    session = want.TABLE[type(asked)](session, asked)
    slot = session.slot()
    place = dock._view.rows[kink].point
    cross, disp = slot.image.orientation.from_native(session.selection.x, session.selection.y, slot.image.shape)
    assert abs(disp - 0.6 * made.NDISP) < 10  # where the kink was put
    assert (session.selection.fiber, session.selection.fibers) == (made_doctor.KINKED, (made_doctor.KINKED,))
    assert session.problem == kink
    assert (slot.view.x, slot.view.y) == place and slot.view.zoom >= 4 and not slot.view.fit
    assert abs(cross - slot.traces.center[made_doctor.KINKED, round(float(disp))]) < 0.01


def test_arrow_keys_choose_as_the_mouse_does_and_evidence_of_every_finding_can_be_drawn(dock, session) -> None:
    for i in range(dock.tree.topLevelItemCount()):
        if i:
            QTest.keyClick(dock.tree, Qt.Key.Key_Down)
            session = want.TABLE[want.ShowTraceFinding](session, dock.asked.pop())
            dock.draw(view.make(session))
        assert not dock.asked and session.problem == i and dock.tree.currentIndex().row() == i
        QApplication.processEvents()
        assert dock.text.text()
        assert dock.plot.isVisible() == (dock._view.rows[i].finding.group != "frame")
    shared = view.evidence(dock._view, 2)
    assert shared is not None and np.nanmedian(shared.curves[0].y) == pytest.approx(
        made_doctor.SHIFT, abs=made_doctor.ERROR
    )


def test_buttons_ask_and_follow_the_session(dock, session, monkeypatch, tmp_path) -> None:
    assert dock.apply.isEnabled() and not dock.undo.isEnabled()
    for each in (dock.diagnose, dock.apply):
        each.click()
    assert dock.asked == [want.Diagnose(), want.ApplyCorrection()]
    applied = trace_steps.apply_correction(session, want.ApplyCorrection())
    dock.draw(view.make(applied))
    assert not dock.apply.isEnabled() and dock.undo.isEnabled()
    assert applied.slot().traces is session.slot().diagnosis.corrected
    assert verdict.make(session).state is VerdictState.WRONG
    bar = verdict.make(applied)  # nobody has judged the corrected traces
    assert bar.state is VerdictState.NOT_JUDGED and "not judged again" in bar.headline and "before: " in bar.headline
    assert "before the correction" in dock.hint.text() and dock.hint.isVisible()
    for said in (dock.sentence, dock.text):
        assert said.text().startswith("Before the correction: ")
    assert dock.word.text().startswith("Corrected")
    dock.draw(view.make(session))
    assert not dock.hint.isVisible() and "before" not in (dock.sentence.text() + dock.text.text()).lower()
    dock.draw(view.make(applied))
    undone = trace_steps.undo_traces(applied, want.UndoTraces())
    assert undone.slot().traces is session.slot().traces and not undone.slot().past_traces
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "c.fits"), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    dock.asked.clear()
    for each in (dock.undo, dock.save, dock.export):
        each.click()
    kinds = [want.UndoTraces(), want.SaveTraces(str(tmp_path / "c.fits")), want.ExportDiagnosis(str(tmp_path))]
    assert dock.asked == kinds


def test_the_traces_can_be_colored_by_any_number(dock, session) -> None:
    place = dock.color_by.findData("max_deviation")
    dock.color_by.setCurrentIndex(place)
    dock.color_by.activated.emit(place)
    assert dock.asked == [want.SetOverlay("color_by", "max_deviation")]
    colored = steps.set_overlay(session, dock.asked[0])
    colors = make_overlay(colored, colored.slot()).color
    assert colors is not None and len(set(colors.tolist())) > 2


def test_blinking_draws_the_other_traces_and_stops_with_the_dock(dock, session, qtbot) -> None:
    dock.draw(replace(view.make(session), blink_ms=100))
    dock.blink.click()
    qtbot.waitUntil(lambda: len(dock.asked) > 0, timeout=2000)
    assert dock.asked[0] == want.SetOverlay("alternate", True)
    other = steps.set_overlay(session, dock.asked[0])
    assert shown_traces(other, other.slot()) is session.slot().diagnosis.corrected
    dock.draw(view.make(other))
    dock.hide()
    assert not dock._blink.isActive() and dock.asked[-1] == want.SetOverlay("alternate", False)


def test_limits_are_sent_while_the_form_is_open(dock, qtbot) -> None:
    dock.limits.click()
    form = dock._limits
    form.boxes["kink_px"].setValue(1.0)
    qtbot.waitUntil(lambda: dock.asked != [], timeout=2000)
    assert dock.asked == [want.SetThresholds(replace(DoctorLimits(), kink_px=1.0))]
    assert "problems of single fibers" in form.count.text()


def test_other_traces_ask_for_another_diagnosis(dock, session) -> None:
    slot = session.slot()
    other = session.with_slot(replace(slot, traces=replace(slot.traces)))
    dock.draw(view.make(other))
    assert "diagnose them again" in dock.hint.text() and not dock.apply.isEnabled()


def test_a_diagnosis_without_findings_says_so(build, session) -> None:
    slot = session.slot()
    clean = replace(made_doctor.diagnosis(clean=True), modes=(), trouble=())
    found = doctor.of_the_file(clean, slot.traces)
    dock = build("findings")
    dock.draw(view.make(doctor.diagnosed(session, slot.key, found, None)))
    assert dock.text.text() == "Nothing was found." and dock.tree.topLevelItemCount() == 0


def test_corrected_traces_and_the_report_are_written(session, tmp_path) -> None:
    slot = session.slot()
    path = tmp_path / "c.csv"
    assert "c.csv" in doctor.save_corrected(slot, str(path))
    lies, shape = slot.image.orientation, slot.image.shape
    back = read_traces(path, lies.shape(shape), lies if isinstance(lies, Orientation) else None)
    np.testing.assert_allclose(back.center, slot.diagnosis.corrected.center, atol=0.01)
    folder = doctor.export(slot, str(tmp_path))
    assert {"report.html", "report.pdf", "metrics.json"} <= {p.name for p in (tmp_path / folder).iterdir()}
    with pytest.raises(MissingDataError, match="diagnose them first"):
        doctor.export(replace(slot, diagnosis=None), str(tmp_path))


def test_evidence_of_each_shared_pattern_shows_it(session) -> None:
    """What is drawn spans what was put in: at the corners of the detector each pattern is one amplitude large."""
    slot = session.slot()
    found = slot.diagnosis
    u = np.linspace(-1, 1, found.column.size)[None, :]
    v = np.linspace(-1, 1, found.nfiber)[:, None]
    shapes = {
        "shift": 1 + 0 * u * v,
        "rotation": u + 0 * v,
        "scale": v + 0 * u,
        "keystone": u * v,
        "smile": u**2 + 0 * v,
    }
    for name, shape in shapes.items():
        mode = replace(found.modes[0], name=name, amplitude_px=0.3)
        one = replace(
            found, offset=0.3 * shape, offset_err=0.01 + 0 * shape, model=0.3 * shape, modes=(mode,), problems=()
        )
        drawn = view.make(doctor.diagnosed(session, slot.key, one, None))
        points, pattern = view.evidence(drawn, 0).curves
        assert np.nanmax(np.abs(points.y)) == pytest.approx(0.3, rel=0.25), name
        np.testing.assert_allclose(points.y, pattern.y, atol=1e-9)

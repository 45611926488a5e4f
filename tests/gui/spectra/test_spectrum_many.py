"""Spectrum dock with arms, a stack, lines at a redshift, the rest frame and the window of the focal plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.intents import ChooseSpectra, SetWindow, ShowArm
from tests.app.frames.views import made
from tests.app.spectra.views.test_spectrum_many import redshifts, session


def shown(dock) -> list:
    """Lines with samples, the first spectrum first."""
    lines = [items.line for items in dock.plot.curves]
    return [c for c in lines if c.getData()[0] is not None and len(c.getData()[0])][::-1]


def marks(dock) -> list[float]:
    return [rule.line.value() for rule in dock.plot.rules if rule.line.isVisible()]


def test_arms_are_drawn_together_each_in_its_color(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", session(4)))
    assert len(shown(dock)) == 3
    lo, hi = dock.plot.plotItem.vb.viewRange()[0]
    assert lo == pytest.approx(3600)
    assert hi == pytest.approx(7520 + 69 * 40.0)
    assert "coadd\u20116&nbsp;z" in dock.legend.text()
    dock.plot.clicked.emit(9000.0, 0.0)  # that arm is not on the canvas
    assert dock.asked == [ShowArm("coadd-6", "z", 9000.0)]
    dock.plot.pointed.emit(9000.0, 0.0)
    assert "9000" in dock.readout.text()


def test_a_stack_names_each_fiber_once(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", session(1, 2, 5)))
    assert len(shown(dock)) == 9
    assert dock.legend.text().count("3005") == 1
    assert dock.line_bar.stack_part.isVisible()
    dock.line_bar.stack_box.setValue(0.0)
    assert np.nanmax(shown(dock)[3].getData()[1]) == pytest.approx(2 + 2)
    dock.draw(view_of("spectrum", session(4)))
    assert not dock.line_bar.stack_part.isVisible()


def test_lines_and_rest_frame_follow_the_redshift(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", session(16, tables=(redshifts(),))))
    assert dock.line_bar.redshift.value() == 4.0
    dock.line_bar.list_box.setCurrentIndex(dock.line_bar.list_box.findData("galaxy"))
    at = marks(dock)
    assert pytest.approx(min(at, key=lambda w: abs(w - 6078)), abs=0.01) == 1215.67 * 5
    dock.line_bar.rest_on.click()
    assert shown(dock)[0].getData()[0][0] == pytest.approx(5760 / 5)
    assert "at rest" in dock.plot.getAxis("bottom").labelText
    at = marks(dock)
    assert min(at, key=lambda w: abs(w - 1215)) == pytest.approx(1215.67)
    dock.line_bar.slider.setValue(0)
    assert dock.line_bar.redshift.value() == 0.0
    assert shown(dock)[0].getData()[0][0] == pytest.approx(5760)


def test_a_window_is_told_in_angstrom_also_at_rest(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", session(16, tables=(redshifts(),))))
    dock.window_span.button.click()
    dock.window_span.region.setRegion((6000.0, 6100.0))
    assert dock.asked[-1] == SetWindow((6000.0, 6100.0))
    count = len(dock.asked)
    dock.draw(replace(view_of("spectrum", session(16)), window=(6200.0, 6300.0)))
    assert dock.window_span.region.getRegion() == pytest.approx((6200, 6300))
    assert len(dock.asked) == count
    dock.window_span.button.click()
    assert dock.asked[-1] == SetWindow(None)


def test_spectra_are_chosen_by_words(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", made.session()))
    dock.line_bar.choice.setText("50:60,4")
    dock.line_bar.choice.returnPressed.emit()
    assert dock.asked == [ChooseSpectra("50:60,4")]


def test_many_fibers_are_turned_over_and_each_has_its_color(build, view_of):
    dock = build("spectrum")
    dock.resize(700, 500)
    dock.draw(view_of("spectrum", session(*range(15))))
    assert dock.line_bar.pager.isVisible()
    assert len(shown(dock)) == 3 * 12
    colors = {c.opts["pen"].color().name() for c in shown(dock)}
    assert len(colors) == 12
    tags = [tag.toPlainText() for tag in dock.plot.words.items if tag.isVisible()]
    assert tags[0] == "3000" and set(tags) <= {str(3000 + i) for i in range(12)}
    dock.line_bar.after.click()
    assert "Fibers 13 to 15 of 15" in dock.legend.text()
    assert len(shown(dock)) == 3 * 3
    assert not dock.line_bar.after.isEnabled()
    dock.draw(view_of("spectrum", replace(session(*range(15)), window=(6000.0, 6100.0))))
    assert "Fibers 13 to 15 of 15" in dock.legend.text()  # another window is no other selection
    dock.line_bar.before.click()
    dock.line_bar.count_box.setValue(15)
    assert len(shown(dock)) == 3 * 15
    assert "3014" not in dock.legend.text()  # so many are named at their curves alone


def test_the_line_list_follows_the_best_fit_until_one_is_chosen(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", session(16, tables=(redshifts(),))))
    assert dock.line_bar.list_box.currentData() == "galaxy"
    dock.line_bar.list_box.setCurrentIndex(0)
    dock.line_bar.list_box.activated.emit(0)
    dock.draw(view_of("spectrum", session(12, tables=(redshifts(),))))
    assert dock.line_bar.list_box.currentData() == ""


def test_a_drag_over_the_spectrum_makes_the_window(build, view_of):
    from PyQt6.QtCore import QPointF, Qt

    class Drag:
        def __init__(self, first: float, last: float) -> None:
            box = dock.plot.plotItem.vb
            self.ends = [box.mapViewToScene(QPointF(x, 0.0)) for x in (first, last)]

        def button(self):
            return Qt.MouseButton.LeftButton

        def buttonDownScenePos(self):
            return self.ends[0]

        def scenePos(self):
            return self.ends[1]

        def accept(self):
            pass

    dock = build("spectrum")
    dock.draw(view_of("spectrum", session(4)))
    dock.window_span.button.click()
    dock.plot.plotItem.vb.mouseDragEvent(Drag(6600.0, 6400.0))
    lo, hi = dock.asked[-1].window
    assert (lo, hi) == (pytest.approx(6400.0), pytest.approx(6600.0))

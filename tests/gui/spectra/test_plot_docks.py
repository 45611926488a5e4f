"""Cross-section, spectrum, trace quality, row and column: feed a view, read the items back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtWidgets import QApplication

from ifuview.app.intents import PickPoint, SetSectionColumns
from ifuview.app.spectra.views import cross_section, graphs, spectrum
from ifuview.report.spectra.section import fitted_model
from ifuview.report.spectra.spectrum import robust_range
from tests.app.frames.views import made


def line(dock, label: str) -> tuple:
    """What is drawn of the curve of that name."""
    at = [curve.label for curve in dock.plot.figure.curves].index(label)
    return dock.plot.curves[at].line.getData()


def marks(dock) -> list[float]:
    """Places of the lines through the plot."""
    return [rule.line.value() for rule in dock.plot.rules if rule.line.isVisible()]


# cross-section


def test_the_fitted_section_is_drawn(build, view_of):
    dock = build("section")
    view = view_of("section", made.session())
    dock.draw(view)
    assert np.array_equal(line(dock, "counts")[1][::2], view.section.counts)
    assert np.array_equal(line(dock, "model, reduced χ² 1.10")[1], fitted_model(view.section), equal_nan=True)
    assert sum(items.band is not None and items.band.getData()[0].size > 0 for items in dock.plot.curves) == 5
    assert dock.plot.rules[0].line.value() == view.section.trace
    assert dock.plot.spans[True][0].getRegion() == pytest.approx(view.section.aperture)
    assert np.isnan(dock.residual_plot.curves[0].line.getData()[1][0])
    assert dock.residual_plot.isVisibleTo(dock)
    assert "χ² = 1.1" in dock.info.text()
    assert dock.hold.isChecked()


def test_a_held_section_stays_under_the_pointer_and_a_released_one_follows(build, view_of):
    dock = build("section")
    session = made.session()
    dock.draw(view_of("section", session))
    cut = cross_section.hover(session, 1, 57, 47)
    dock.hover(cut)
    counts = session.inspection.section.counts
    assert np.array_equal(line(dock, "counts")[1][::2], counts)
    assert dock.plot.figure.curves[-1] is cut.ghost
    dock.hold.click()
    dock.hover(cut)
    assert dock.plot.figure is cut.figure
    assert dock.info.text() == cut.text
    assert not dock.residual_plot.isVisibleTo(dock)
    dock.hold.click()
    assert np.array_equal(line(dock, "counts")[1][::2], counts)


def test_a_new_click_is_held_again(build, view_of):
    dock = build("section")
    dock.draw(view_of("section", made.session()))
    dock.hold.setChecked(False)
    dock.draw(view_of("section", made.session()))
    assert dock.hold.isChecked()


def test_the_pointer_fills_the_dock_before_any_click(build, view_of):
    dock = build("section")
    session = made.session(inspected=False)
    dock.draw(view_of("section", session))
    assert "pointer" in dock.pages.hint
    dock.hover(cross_section.hover(session, 1, 57, 47))
    assert dock.pages.hint == ""
    assert dock.plot.curves[0].line.getData()[1].size == 2 * 61


def test_the_columns_box_asks_for_a_median(build, view_of):
    dock = build("section")
    dock.draw(view_of("section", made.session()))
    dock.columns.setValue(11)
    assert dock.asked == [SetSectionColumns(11)]


# spectrum


def banded(dock) -> bool:
    return any(curve.low is not None for curve in dock.plot.figure.curves)


def test_spectra_are_drawn_on_wavelength_with_gaps_at_masked_samples(build, view_of):
    dock = build("spectrum")
    view = view_of("spectrum", made.session())
    dock.draw(view)
    x, y = line(dock, "preproc")
    assert np.array_equal(x, view.spectra[0].wave)
    assert np.isnan(y[10:14]).all()
    assert "frame in e" in dock.legend.text().replace("&nbsp;", " ")
    assert banded(dock)
    assert dock.plot.getAxis("bottom").labelText == "Wavelength (Å)"
    assert dock.plot.getAxis("left").labelText == "Flux (e)"


def test_the_range_is_made_anew_for_another_fiber_unless_it_was_set_by_hand(build, view_of):
    """A spectrum of the other sign was cut off by the range of the one before."""
    dock, view = build("spectrum"), view_of("spectrum", made.session())
    one = view.spectra[0]
    turned = replace(view, spectra=(replace(one, fiber_id="other", flux=-one.flux), *view.spectra[1:]))
    dock.draw(view)
    before = dock.plot.plotItem.vb.viewRange()[1]
    dock.draw(turned)
    after = dock.plot.plotItem.vb.viewRange()[1]
    assert after == pytest.approx(robust_range(dock._drawn)) and after != pytest.approx(before)
    dock.plot.show_y(before[0] - 50, before[1] + 50)
    dock.plot.plotItem.vb.sigRangeChangedManually.emit([True, True])
    dock.draw(view)
    assert dock.plot.plotItem.vb.viewRange()[1] == pytest.approx([before[0] - 50, before[1] + 50])


def test_the_axis_switch_rebin_and_errors(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", made.session()))
    dock.axis_box.setCurrentIndex(1)
    assert line(dock, "preproc")[0][5] == 5
    assert dock.plot.getAxis("bottom").labelText == "Dispersion pixel (px)"
    dock.bin_box.setValue(8)
    assert line(dock, "preproc")[0].size == made.NDISP // 8
    dock.errors_on.click()
    assert not banded(dock)


def test_a_range_is_measured_in_words(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", made.session()))
    dock.measure_on.click()
    dock.span.setRegion((made.WAVE0 + 50, made.WAVE0 + 70))
    assert "line at 6060.00 Å" in dock.measured.text()
    assert "41 samples" in dock.measured.text()
    dock.measure_on.click()
    assert not dock.measured.isVisible()


def test_the_readout_gives_the_sample_under_the_mouse(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", made.session()))
    dock.plot.pointed.emit(made.WAVE0 + 60.1, 0.0)
    assert dock.readout.text() == "6060.00 Å, pixel 120, 600 ± 5 e"
    dock.plot.pointed.emit(made.WAVE0 + 5.5, 0.0)
    assert dock.readout.text().endswith("masked")


def test_a_click_sends_the_canvas_there(build, view_of):
    dock = build("spectrum")
    dock.draw(view_of("spectrum", made.session()))
    dock.plot.clicked.emit(made.WAVE0 + 50.0, 0.0)
    (asked,) = dock.asked
    assert isinstance(asked, PickPoint)
    assert (asked.key, asked.x) == (1, 100.0)
    assert asked.y == pytest.approx(made.centers()[5, 100])


def test_hovering_marks_the_wavelength(build, view_of):
    dock = build("spectrum")
    session = made.session()
    dock.draw(view_of("spectrum", session))
    dock.hover(spectrum.hover(session, 1, 30, 20))
    assert marks(dock) == [made.WAVE0 + 15]
    dock.hover(None)
    assert not marks(dock)


def test_a_row_under_the_pointer_is_previewed(build, view_of):
    dock = build("spectrum")
    session = made.session(2, inspected=False)
    dock.draw(view_of("spectrum", session))
    dock.hover(spectrum.hover(session, 2, 30, 4))
    assert dock.pages.hint == ""
    assert dock.plot.curves[0].line.getData()[1][0] == 500
    assert "504" in dock.legend.text()
    dock.draw(view_of("spectrum", made.session()))
    assert "preproc" in [curve.label for curve in dock.plot.figure.curves]
    assert not any(curve.color == "faint" for curve in dock.plot.figure.curves)


def test_curves_are_reused(build, view_of):
    dock = build("spectrum")
    for _ in range(3):
        dock.draw(view_of("spectrum", made.session()))
        dock.draw(view_of("spectrum", made.session(3, inspected=False)))
    assert len(dock.plot.curves) == 3  # two spectra and the masked samples


def test_lines_lie_in_air_where_the_wavelengths_do(build, view_of, monkeypatch):
    from dataclasses import replace

    from ifuview.app.spectra.views import linemarks

    monkeypatch.setattr(linemarks, "_load", lambda: (linemarks.LineMark(6050.0, "[O I]"),))
    dock = build("spectrum")
    dock.draw(replace(view_of("spectrum", made.session()), medium="air"))
    dock.lines_on.click()
    assert marks(dock) == [linemarks.in_air(6050.0)]
    assert "in air" in dock.plot.plotItem.getAxis("bottom").labelText


def test_sky_lines_are_marked_or_their_absence_is_told(build, view_of, monkeypatch):
    from ifuview.app.spectra.views import linemarks

    lines = (linemarks.LineMark(6050.0, "[O I]"), linemarks.LineMark(9000.0, "OH"))
    monkeypatch.setattr(linemarks, "_load", lambda: lines)
    dock = build("spectrum")
    dock.draw(view_of("spectrum", made.session()))
    dock.lines_on.click()
    assert marks(dock) == [6050.0]
    monkeypatch.setattr(linemarks, "_load", lambda: ())
    dock.draw(view_of("spectrum", made.session()))
    assert not marks(dock)
    assert "No sky lines" in dock.readout.text()


def test_the_error_band_is_thinned_to_the_screen_without_losing_its_reach():
    from ifuview.gui.parts._band import BandItem

    rng = np.random.default_rng(2)
    band = BandItem()
    x, y = np.arange(5000.0), rng.normal(size=5000)
    band.setData(x[::-1], y - 1, y + 1)
    assert np.array_equal(band.getData()[0], x)
    shown, low, high = band.outline(0, 5000, 500)
    assert shown.size == 500
    assert (low.min(), high.max()) == ((y - 1).min(), (y + 1).max())
    assert band.outline(100, 110, 500)[0].size == 12


# trace quality


def test_the_verdict_is_said_in_words_and_three_panels_are_shown(build, view_of):
    dock = build("quality")
    dock.draw(view_of("quality", made.session()))
    assert dock.word.text() == "Look: Fiber 505 of preproc"
    assert "0.100 px above" in dock.text.text()
    assert not dock.icon.pixmap().isNull()
    assert list(dock.plots) == ["Offset", "Width", "Flux"]
    x, y = dock.plots["Offset"].curves[0].points.getData()
    assert x.size == 19  # one bin was not measured
    assert np.allclose(y, 0.1)
    assert dock.plots["Offset"].spans[False][0].getRegion() == pytest.approx((-0.018, 0.018))


def test_other_panels_are_built_when_asked_for_and_only_hidden_after(build, view_of):
    dock = build("quality")
    dock.draw(view_of("quality", made.session()))
    dock.boxes["Spacing"].click()
    plot = dock.plots["Spacing"]
    assert plot.isVisibleTo(dock)
    assert plot.curves[1].points.getData()[0].size == 20
    order = [dock.stack.itemAt(i).widget() for i in range(dock.stack.count())]
    assert order == [dock.plots[n] for n in ("Offset", "Width", "Flux", "Spacing")]
    dock.boxes["Spacing"].click()
    assert not plot.isVisibleTo(dock)
    assert dock.plots["Spacing"] is plot


# row and column


def test_row_and_column_are_drawn(build):
    dock = build("graphs")
    view = graphs.hover(made.session(), 1, 50, 20)
    dock.hover(view)
    QApplication.processEvents()
    for plot, figure, at in ((dock.row_plot, view.row, 50), (dock.column_plot, view.column, 20)):
        assert np.array_equal(plot.curves[0].line.yData, figure.curves[0].y)
        assert plot.rules[0].line.value() == at


def test_the_range_along_a_row_stays_while_the_image_does(build):
    dock = build("graphs")
    dock.hover(graphs.hover(made.session(), 1, 50, 20))
    dock.row_plot.show_x(10, 30)
    dock.hover(graphs.hover(made.session(), 1, 60, 25))
    assert dock.row_plot.plotItem.vb.viewRange()[0] == pytest.approx([10, 30], abs=0.1)

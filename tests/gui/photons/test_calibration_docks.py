"""Calibrations and speckle docks: views in, what is drawn and asked for out."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog

from ifuview.app import intents as want
from ifuview.app.photons.views.calibrations import NO_FLAT, PLOTS, CalibrationsView, SolutionCurves, StepRow
from ifuview.app.photons.views.speckle import DecayView, SpeckleView, decay_view
from ifuview.model.figure import Curve, Figure, Rule, Scale, stairs
from ifuview.model.photons.calibration_curves import FlatCurves, LaserCurves, WavecalCurves
from ifuview.model.photons.speckle import Decay
from ifuview.model.photons.wavelength_solution import HistogramStatus

STEPS = (
    StepRow("Wavelength", "8 of 10 resonators solved; w", True, "", True),
    StepRow("Flat", "9 of 10 resonators with weights; f", True, "waits for wavelengths", True),
)


def view(*steps: StepRow, wave: bool = True, flat: bool = True) -> CalibrationsView:
    return CalibrationsView("science", "phases; nothing applied in the file", steps, wave, flat, "pixel 3, 4")


def laser(wave: float, center: float, status: HistogramStatus = HistogramStatus.GOOD) -> LaserCurves:
    edges = np.linspace(-120, -40, 41)
    counts = np.round(100 * np.exp(-0.5 * ((edges[1:] - center) / 4) ** 2))
    model = counts if status is HistogramStatus.GOOD else np.empty(0)
    return LaserCurves(wave, status, edges, counts, model, 0 * model, center, 0.1, 4.0, 8.0, 1.1)


def curves() -> SolutionCurves:
    phase = np.linspace(-110, -60, 20)
    wave = WavecalCurves(
        7, (3, 4), (laser(808, -100), laser(1310, -60, HistogramStatus.VALIDATION)), np.array([-100.0]),
        np.array([0.1]), np.array([1.53]), phase, -0.015 * phase, 0.001 * np.ones(20), "pixel",
    )  # fmt: skip
    fine = np.linspace(700, 1500, 30)
    flat = FlatCurves(7, (3, 4), np.array([800.0, 1200.0]), np.array([0.9, np.nan]), np.array([0.05, np.nan]), fine,
                      np.full(30, 0.9), "pixel")  # fmt: skip
    steps = Curve(*stairs(np.linspace(5, 11, 7), np.arange(6)), 0)
    own = Figure("", Scale("R"), Scale("Resonators"), (steps,), (Rule(8.5, label="808 nm: 8.5"),))
    array = MappingProxyType({"resolution": own, "center": own, "sigma": own, "chi2": own})
    return SolutionCurves(wave, flat, array, "8 of 10 solved.", "flat of 9.", "pixel 3, 4: E", "pixel 3, 4: weight")


@pytest.fixture
def dock(build):
    out = build("calibrations")
    out.draw(view(*STEPS))
    out.answer(curves())
    return out


def plot(dock, which: str):
    dock.which.setCurrentIndex(dock.which.findData(which))
    dock.which.activated.emit(dock.which.currentIndex())
    return dock.plot


def test_each_step_is_a_line_with_a_switch(dock, qtbot):
    assert dock.steps.topLevelItemCount() == 2
    assert dock.steps.topLevelItem(1).text(1) == f"{STEPS[1].text} (waits for wavelengths)"
    box = dock.steps.itemWidget(dock.steps.topLevelItem(0), 0)
    assert (box.text(), box.isChecked()) == ("Wavelength", True)
    assert dock.asked == []
    box.click()
    assert dock.asked == [want.SwitchCalibration(0, False)]
    dock.away.click()
    dock.blink.click()
    assert dock.asked[1:] == [want.SwitchCalibration(0, None), want.CompareCalibration(0)]
    dock.draw(view(STEPS[1], wave=False))
    assert dock.steps.topLevelItemCount() == 1
    assert dock.steps.itemWidget(dock.steps.topLevelItem(0), 0).text() == "Flat"
    assert not dock.write.isEnabled()  # it waits


def test_an_empty_stack_can_only_be_added_to(build):
    dock = build("calibrations")
    dock.draw(view(wave=False, flat=False))
    for one in (dock.away, dock.blink, dock.show_image, dock.save_plots, dock.write):
        assert not one.isEnabled()
    assert "Add a wavelength solution" in dock.text.text()
    actions = {a.text(): a for a in dock.add.menu().actions()}
    actions["Linearity (dead time)"].trigger()
    actions["Cosmic rays"].trigger()
    actions["Hot, cold and dead pixels"].menu().actions()[1].trigger()
    assert dock.asked == [
        want.LoadCalibration("linearity"),
        want.LoadCalibration("cosmics"),
        want.FindBadPixels("median"),
    ]


def test_every_plot_draws_what_it_is_of(dock):
    curve, points = plot(dock, "energy").curves
    assert points.points.getData()[0].tolist() == [-100.0]
    assert curve.line.getData()[0].size == 20
    assert curve.band.getData()[0].size == 20
    assert dock.text.text() == "pixel 3, 4: E"
    lasers = plot(dock, "lasers")
    drawn = [items.line.getData()[0] for items in lasers.curves]
    assert [0 if x is None else x.size for x in drawn] == [80, 40, 40, 80]  # a rejected fit is not drawn
    assert lasers.rules[1].name.format == "1310 nm: the fit makes no sense"
    assert "808 nm at -100.00 ± 0.10 °" in dock.text.text()
    for which in ("resolution", "center", "sigma", "chi2"):
        shown = plot(dock, which)
        assert shown.rules[0].name.format == "808 nm: 8.5"
        assert shown.rules[0].line.value() == 8.5
        assert [rule.line.isVisible() for rule in shown.rules] == [True, False]
    flat = plot(dock, "flat")
    assert flat.curves[1].points.getData()[1].tolist() == [0.9]
    assert flat.rules[0].line.value() == 1.0
    plot(dock, "weights")
    assert dock.text.text() == "flat of 9. The solution keeps no weights."
    dock.answer(SolutionCurves(wave_text="8 of 10 solved.", wave_pixel="no solution"))
    for _, which in PLOTS:
        plot(dock, which)
        assert dock.text.text()
    plot(dock, "flat")
    assert dock.text.text() == NO_FLAT


def test_images_plots_and_files_are_asked_for(dock, monkeypatch):
    dock.show_image.menu().actions()[0].trigger()
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a: (["a.npz", "b.h5"], ""))
    dock.add.menu().actions()[0].trigger()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: ("c.h5", ""))
    dock.write.click()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: "plots")
    dock.save_plots.click()
    assert dock.asked == [
        want.ShowSolution("resolution"), want.LoadCalibration("", "a.npz"), want.LoadCalibration("", "b.h5"),
        want.WriteCalibrated("c.h5"), want.PlotCalibrations("plots"),
    ]  # fmt: skip


def test_the_form_of_the_speckle_maps_asks_for_them(build, monkeypatch):
    dock = build("speckle")
    dock.draw(SpeckleView("science", "", (), "Click a pixel.", False))
    assert not dock.lucky.isEnabled()
    assert not dock.save.isEnabled()
    dock.run.click()
    dock.method.setCurrentIndex(1)
    dock.method.activated.emit(1)
    dock.ip.setCurrentIndex(2)
    dock.ip.activated.emit(2)
    assert dock.rate.isVisibleTo(dock)
    dock.rate.setValue(2.5)
    dock.snr.setChecked(True)
    dock.run.click()
    assert dock.asked == [want.Speckle("binned", 0.01, "auto", False), want.Speckle("arrival", 0.005, 2.5, True)]
    numbers = (("Ic", "3.0 ± 0.5 ct/s"), ("photons", "900"))
    dock.draw(SpeckleView("science", "speckle maps", numbers, "pixel 3, 4", True))
    assert dock.numbers.text() == "Ic 3.0 ± 0.5 ct/s   photons 900"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: ("maps.fits", ""))
    dock.save.click()
    dock.lucky.click()
    assert dock.asked[2:] == [want.SaveSpeckle("maps.fits"), want.Lucky()]


def test_the_autocorrelation_is_drawn_and_goes(build):
    dock = build("speckle")
    dock.draw(SpeckleView("science", "", (), "pixel 3, 4", True))
    lag = np.linspace(0.0, 0.5, 51)
    value = 0.5 * np.exp(-lag / 0.1)
    dock.answer(decay_view(Decay(lag, value, 0.1 * value, 0.1, 0.01, 0.5, 0.01), (3, 4)))
    assert "pixel 3, 4: speckles live 100" in dock.place.text()
    points, law = dock.plot.curves
    assert points.points.getData()[0].size == 50
    np.testing.assert_allclose(np.interp(100, *law.line.getData()), 0.5 / np.e, rtol=1e-3)
    life = dock.plot.rules[1].line
    assert life.isVisible()
    assert life.value() == 100
    dock.answer(DecayView("too few"))
    assert not dock.plot.isVisible() and "too few" in dock.place.text()  # no empty axes
    assert dock.focusPolicy() is not Qt.FocusPolicy.ClickFocus

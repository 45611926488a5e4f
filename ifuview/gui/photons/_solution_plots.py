"""The plots of wavelength solutions and flats: one plot that shows one of them at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtWidgets import QWidget

from ifuview.app.frames.views.text import with_error
from ifuview.app.photons.views.calibrations import Histogram, SolutionCurves
from ifuview.gui.parts._plot import Ink, Plot, set_errors
from ifuview.model.photons.wavelength_solution import HistogramStatus

PLOTS = (
    ("energy solution of the pixel", "energy"),
    ("laser histograms of the pixel", "lasers"),
    ("R over the array", "resolution"),
    ("centers over the array", "center"),
    ("widths over the array", "sigma"),
    ("reduced χ² over the array", "chi2"),
    ("flat weights of the pixel", "flat"),
    ("flat weights over the array", "weights"),
)
MOST = 6  # lasers that have a color of their own
ROOM = 0.06  # beyond the data
ARRAY_WORDS = {  # label of the axis, and what a solution may not keep
    "resolution": ("Resolving power E/FWHM", "resolving powers"),
    "center": ("Center of the laser (°)", "centers"),
    "sigma": ("Width of the laser, sigma (°)", "widths"),
    "chi2": ("Reduced χ² of the histogram", "χ²"),
    "weights": ("Flat weight", "weights"),
}
NO_WAVE, NO_FLAT = "There is no wavelength solution in the stack.", "There is no flat in the stack."


class SolutionPlot(Plot):
    """Points with errors, a curve with its error band, and one stepped histogram with a model a laser."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Plot of a calibration solution")
        self.band = [self.curve("faint", 1), self.curve("faint", 1)]
        self.fit = self.curve(0, 2)
        self.bars = self.errors("text")
        self.side_bars = self.styled_side_errors()
        self.points_item = self.points(1, 7)
        self.steps = [self._steps(i) for i in range(MOST)]
        self.models = [self.curve(i, 2) for i in range(MOST)]
        self.marks = [self.line(i) for i in range(MOST)]
        self.names = [self._name(i) for i in range(MOST)]
        self.one = self.line("faint", vertical=False)
        self.one.setValue(1.0)

    def styled_side_errors(self) -> Any:
        """Error bars along the horizontal axis."""
        item = pg.ErrorBarItem(x=np.empty(0), y=np.empty(0), width=np.empty(0), beam=0)
        return self.styled(item, lambda ink: item.setData(pen=ink.pen("text")))

    def _name(self, number: int) -> Any:
        """Words at a mark; lower for the next one, so that neighbors do not cover each other."""
        item = pg.InfLineLabel(self.marks[number], "", position=0.93 - 0.16 * number, anchors=[(0, 0.5), (0, 0.5)])
        return self.styled(item, lambda ink: _recolor(item, ink, number), add=False)

    def _steps(self, number: int) -> Any:
        """A histogram of one color."""
        item = pg.PlotCurveItem([0.0, 0.0], [0.0], stepMode="center")
        return self.styled(item, lambda ink: item.setPen(ink.pen(number, 1)))

    def clear_all(self) -> None:
        """Show nothing."""
        for item in (*self.band, self.fit, *self.models):
            item.setData([], [])
        self.points_item.setData([], [])
        for item in (self.bars, self.side_bars, self.one, *self.steps, *self.marks):
            item.hide()
        self.set_labels("", "")

    def show_plot(self, which: str, curves: SolutionCurves) -> str:
        """Draw one of PLOTS and return what is to be said of it."""
        self.clear_all()
        draw = {"energy": self._energy, "lasers": self._lasers, "flat": self._flat}.get(which)
        if draw is not None:
            return str(draw(curves))
        label, what = ARRAY_WORDS[which]
        text = curves.flat_text if which == "weights" else curves.wave_text
        return self._array(curves.array.get(which, ()), label, text, what)

    def _energy(self, curves: SolutionCurves) -> str:
        """Photon energy against phase: the lasers, the curve, its error."""
        self.set_labels("Phase (°)", "Photon energy (eV)")
        wave = curves.wave
        if wave is None or not (wave.phase.size or wave.center.size):
            return curves.wave_pixel or NO_WAVE
        self.points_item.setData(wave.center, wave.energy)
        good = np.isfinite(wave.center_error)
        self.side_bars.setData(x=wave.center[good], y=wave.energy[good], width=2 * wave.center_error[good])
        self.side_bars.setVisible(bool(good.any()))
        self.fit.setData(wave.phase, wave.curve)
        if wave.phase.size and np.isfinite(wave.curve_error).all():
            for item, sign in zip(self.band, (-1, 1), strict=True):
                item.setData(wave.phase, wave.curve + sign * wave.curve_error)
        self._fit_range(np.concatenate([wave.phase, wave.center]), np.concatenate([wave.curve, wave.energy]))
        return curves.wave_pixel

    def _lasers(self, curves: SolutionCurves) -> str:
        """Phase histograms with their models; rejected ones without a model and dashed in the legend."""
        self.set_labels("Phase (°)", "Photons in a bin")
        lasers = () if curves.wave is None else tuple(one for one in curves.wave.lasers if one.counts.size)[:MOST]
        if not lasers:
            kept = f"{curves.wave_pixel}; the solution keeps no histograms of it"
            return kept if curves.wave is not None else curves.wave_pixel or NO_WAVE
        said = []
        for n, laser in enumerate(lasers):
            good = laser.status is HistogramStatus.GOOD
            self.steps[n].setData(laser.edges, laser.counts)
            self.steps[n].show()
            middle = (laser.edges[1:] + laser.edges[:-1]) / 2
            if laser.model.size:
                self.models[n].setData(middle, laser.model)
                self.marks[n].setValue(laser.center)
            else:
                self.marks[n].setValue(float(middle[int(np.argmax(laser.counts))]))
            self.marks[n].show()
            text = f"{laser.wave:g} nm"
            if good:
                said.append(f"{text} at {with_error(laser.center, laser.center_error, '°')}, χ² {laser.chi2:.2f}")
            else:
                text += f": {laser.status.meaning}"
            self.names[n].setFormat(text)
        ends = np.concatenate([one.edges[[0, -1]] for one in lasers])
        tops = np.concatenate([one.counts for one in lasers])
        self._fit_range(ends, np.append(tops, 0.0))
        return f"{curves.wave_pixel}. {'; '.join(said)}" if said else curves.wave_pixel

    def _array(self, found: tuple[Histogram, ...], label: str, text: str, what: str) -> str:
        """A histogram over the array for each laser, with its median."""
        self.set_labels(label, "Resonators")
        if not found:
            return f"{text} The solution keeps no {what}." if text else (NO_FLAT if what == "weights" else NO_WAVE)
        for n, one in enumerate(found[:MOST]):
            self.steps[n].setData(one.edges, one.counts)
            self.steps[n].show()
            self.marks[n].setValue(one.median)
            self.marks[n].show()
            self.names[n].setFormat(f"{one.label}: {one.median:.4g}")
        tops = np.concatenate([one.counts for one in found])
        self._fit_range(found[0].edges, np.append(tops, 0))
        return text

    def _flat(self, curves: SolutionCurves) -> str:
        """Weights with errors against wavelength, and the function of them that is used."""
        self.set_labels("Wavelength (nm)", "Flat weight")
        flat = curves.flat
        if flat is None:
            return curves.flat_pixel or NO_FLAT
        good = np.isfinite(flat.weights)
        self.points_item.setData(flat.waves[good], flat.weights[good])
        set_errors(self.bars, flat.waves, flat.weights, flat.errors)
        self.fit.setData(flat.fine, flat.used, connect="finite")
        self.one.show()
        error = np.nan_to_num(flat.errors[good])
        ends = [flat.weights[good] - error, flat.weights[good] + error]
        values = np.concatenate([*ends, flat.used[np.isfinite(flat.used)], [1.0]])
        self._fit_range(flat.fine, values)
        return curves.flat_pixel

    def _fit_range(self, x: Any, y: Any) -> None:
        """Show all of the data with a little room."""
        x, y = x[np.isfinite(x)], y[np.isfinite(y)]
        if not (x.size and y.size):
            return
        for values, show in ((x, self.show_x), (y, self.show_y)):
            low, high = float(values.min()), float(values.max())
            room = ROOM * (high - low) or 1.0
            show(low - room, high + room)


def _recolor(item: Any, ink: Ink, number: int) -> None:
    """Words in the color of their curve, on the color of the paper so that curves do not strike them out."""
    item.setColor(ink.color(number))
    item.fill = ink.brush("paper", 190)

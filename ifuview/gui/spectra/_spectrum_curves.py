"""The curves of the spectrum dock: one a spectrum in the color of its fiber, an error band, names at the stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import pyqtgraph as pg
from PyQt6.QtGui import QColor, QPen
from PyQt6.QtWidgets import QLabel

from ifuview.app.frames.views import stack
from ifuview.app.spectra.views import best_fit, flux
from ifuview.gui.parts._band import BandItem
from ifuview.gui.parts._plot import Ink, Plot
from ifuview.gui.parts._widgets import is_dark
from ifuview.model.checks import Array
from ifuview.model.inspection import FiberSpectrum

HYPHEN = "\u2011"  # does not break the name of a frame
MOST_NAMED = 12  # stacked fibers that are named above the plot; more are named at their curves alone
LEAST_GAP = 13  # screen px between the names of two curves
AXES = 60  # screen px that axis and label take of the height of the plot

Along = Callable[[FiberSpectrum], Array]  # places of the samples on the horizontal axis


class SpectrumCurves:
    """Draws spectra on a plot and names them in a legend.

    Parameters
    ----------
    plot : Plot
    legend : QLabel
        Of rich text.
    """

    def __init__(self, plot: Plot, legend: QLabel) -> None:
        self.plot, self.legend = plot, legend
        self.title = ""
        self._names: list[str] = []
        self._group: tuple[int, ...] = ()
        self._ink_of: list[int] = []  # color of each curve
        self.band = BandItem()
        plot.styled(self.band, lambda ink: self.band.setBrush(ink.brush(0, 60)))
        self.curves: list[pg.PlotDataItem] = []
        self.masked = plot.points("bad", 5, "x")
        self.tags: list[pg.TextItem] = []  # names at the curves of a stack
        plot.styled(legend, self._name_curves, add=False)

    def draw(
        self, spectra: Sequence[FiberSpectrum], names: list[str], group: tuple[int, ...], along: Along, *, stacked: bool
    ) -> None:
        """One curve a spectrum, and marks on the masked samples of the first."""
        self._group, self._ink_of = group, list(group) or list(range(len(spectra)))
        while len(self.curves) < len(names):
            self.curves.append(self._new_curve(len(self.curves)))
        for place, (curve, spectrum) in enumerate(zip(self.curves, spectra, strict=False)):
            curve.setPen(self._pen(place, self.plot.ink))
            curve.setData(along(spectrum), np.where(spectrum.masked, np.nan, spectrum.flux))
            curve.show()
            curve.setZValue(1 if spectrum.label == best_fit.LABEL else -place)
        self.set_title(self.title, names)
        self._tag_curves(spectra, names, along, stacked=stacked)
        self.hide(len(names))
        first = spectra[0]
        bad = first.masked & np.isfinite(first.flux)
        self.masked.setData(along(first)[bad], np.asarray(first.flux)[bad])

    def draw_band(self, spectrum: FiberSpectrum, along: Along, *, on: bool) -> None:
        """Error band of a spectrum."""
        edges = flux.band(spectrum) if on else None
        self.band.setVisible(edges is not None)
        if edges is not None:
            self.band.setData(np.asarray(along(spectrum), dtype=float), *edges)

    def set_title(self, title: str, names: list[str]) -> None:
        """What is shown, and the name of each curve."""
        self.title, self._names = title, names
        self._name_curves(self.plot.ink)

    def _name_curves(self, ink: Ink) -> None:
        """Colors and names of the curves, above the plot."""
        many = len(set(self._group)) > MOST_NAMED
        names = (escape(name).replace("-", HYPHEN) for name in (() if many else self._names))
        inks = self._ink_of if len(self._ink_of) >= len(self._names) else range(len(self._names))
        told = dict.fromkeys(zip(inks, names))  # arms of one stacked fiber are told once
        keys = (f'<b style="color:{self._shade(i, ink).name()}">▬</b>&nbsp;{name}' for i, name in told)
        title = escape(self.title)
        self.legend.setText(f"{title}&nbsp; {'&nbsp; '.join(keys)}" if len(self._names) > 1 else title)
        self.legend.setVisible(bool(title))

    def _new_curve(self, number: int) -> pg.PlotDataItem:
        """One more curve, in the color that is its own at the time."""
        item = pg.PlotDataItem(connect="finite", stepMode=None)

        def style(ink: Ink) -> None:
            item.setPen(self._pen(number, ink))

        self.plot.styled(item, style)
        return item

    def _pen(self, number: int, ink: Ink) -> QPen:
        """Pen of a curve."""
        pen = ink.pen("text")
        pen.setColor(self._shade(self._ink_of[number] if number < len(self._ink_of) else number, ink))
        return pen

    def _shade(self, number: int, ink: Ink) -> QColor:
        """Color of a spectrum or of a stacked fiber; where the colors of the series would repeat, those of a ramp."""
        count = len(set(self._ink_of))
        if count <= len(ink.series) or number >= count:
            return ink.color(number)
        return QColor(*stack.stack_colors(count, is_dark(self.plot.palette()))[number])

    def _tag_curves(self, spectra: Sequence[FiberSpectrum], names: list[str], along: Along, *, stacked: bool) -> None:
        """Name the fibers of a stack at the right end of their curves, as many as have room."""
        group = self._group
        firsts = [i for i, fiber in enumerate(group) if i == 0 or fiber != group[i - 1]]
        levels = {i: stack.level_at_end(spectra[i]) for i in firsts} if stacked else {}
        limits = flux.robust_range(tuple(spectra))
        room = 0.0 if limits is None else LEAST_GAP * (limits[1] - limits[0]) / max(1, self.plot.height() - AXES)
        wanted = stack.spaced(levels, room) if len(firsts) > 1 else []
        while len(self.tags) < len(wanted):
            tag = pg.TextItem("", anchor=(1, 1))
            self.plot.addItem(tag, ignoreBounds=True)
            self.tags.append(tag)
        for tag, i in zip(self.tags, wanted, strict=False):
            last = max(float(np.nanmax(along(s))) for s, g in zip(spectra, group) if g == group[i])
            tag.setText(names[i].split(" ")[0], self._shade(group[i], self.plot.ink))
            tag.setPos(last, levels[i])
            tag.show()
        for tag in self.tags[len(wanted) :]:
            tag.hide()

    def hide(self, start: int) -> None:
        """Empty the curves from number `start` on."""
        for curve in self.curves[start:]:
            curve.setData([], [])
        if start == 0:
            for tag in self.tags:
                tag.hide()
            self.band.hide()
            self.masked.setData([], [])

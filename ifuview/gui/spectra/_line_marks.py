"""Vertical marks at spectral lines, with names where there is room."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import Qt

from ifuview.app.spectra.views.linemarks import LineMark, spaced
from ifuview.gui.parts._plot import Plot

LABEL_WIDTH = 34  # screen px that the name of a line takes


class LineMarks:
    """Marks on a plot, made once and moved after.

    Parameters
    ----------
    plot : Plot
    color : int
        Of the series.
    height : float
        Of the names, in parts of the plot.
    """

    def __init__(self, plot: Plot, color: int, height: float) -> None:
        self.plot, self.color, self.height = plot, color, height
        self.marks: list[pg.InfiniteLine] = []

    def show(self, lines: tuple[LineMark, ...], stretch: float) -> None:
        """Mark lines (Angstrom) on an axis whose values are Angstrom over `stretch`."""
        lo, hi = self.plot.plotItem.vb.viewRange()[0]
        named = spaced(lines, stretch * (hi - lo) * LABEL_WIDTH / max(self.plot.width(), 1))
        while len(self.marks) < len(lines):
            mark = self.plot.line(self.color, style=Qt.PenStyle.DotLine)
            mark.label = pg.InfLineLabel(mark, "", position=self.height, anchors=[(0, 0), (0, 0)])
            self.marks.append(mark)
        for i, mark in enumerate(self.marks):
            mark.setVisible(i < len(lines))
            if i < len(lines):
                mark.setValue(lines[i].wave / stretch)
                mark.label.setColor(self.plot.ink.faint)
                mark.label.setFormat(lines[i].label if i in named else "")

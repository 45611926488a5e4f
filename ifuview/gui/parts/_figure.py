"""A plot that draws a figure of the model: curves with errors, lines, ranges, notes; what is not there is hidden."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QBrush, QColor, QPen, QResizeEvent
from PyQt6.QtWidgets import QLabel

from ifuview.gui.parts._band import BandItem
from ifuview.gui.parts._log_axis import log_ticks
from ifuview.gui.parts._plot import Ink, Plot, set_errors
from ifuview.model import figure as values
from ifuview.model.figure import (
    CROSS,
    DASHED,
    DOT,
    DOTTED,
    DOWN,
    NONE,
    PLUS,
    SOLID,
    STAR,
    Color,
    Curve,
    Figure,
    Range,
    Rule,
    Shade,
    logarithmic,
)

STROKES = {
    SOLID: Qt.PenStyle.SolidLine,
    DASHED: Qt.PenStyle.DashLine,
    DOTTED: Qt.PenStyle.DotLine,
    NONE: Qt.PenStyle.NoPen,
}
SYMBOLS = {DOT: "o", CROSS: "x", PLUS: "+", DOWN: "t", STAR: "star"}
PALE_ALPHA, BAND_ALPHA, SPAN_ALPHA, PAPER_ALPHA = 90, 55, 40, 190
MANY = 2000  # samples; of more the extremes of each screen column are drawn
FIRST_NAME, NEXT_NAME = 0.93, 0.16  # height of the words at vertical lines; lower for the next ones, which may be near
CORNER = 8  # screen px between notes and the frame


def paint(color: Color, ink: Ink) -> QColor:
    """A color of a figure so that it stands out on the paper."""
    if isinstance(color, int) or color in ("text", "faint", "bad"):
        return ink.color(color)
    return readable(color, ink.paper)


def readable(name: str, paper: QColor) -> QColor:
    """The color of a region so that it stands out on the paper of a plot."""
    known_to_qt = name.lower() not in values.NAMED and QColor.isValidColorName(name)
    return QColor(values.readable(QColor(name).name() if known_to_qt else name, paper.getRgb()[:3]))


def key_of(figure: Figure, ink: Ink) -> str:
    """The names of the curves in their colors, as rich text."""
    return "&nbsp; ".join(
        f'<b style="color:{paint(curve.color, ink).name()}">▬</b>&nbsp;{escape(curve.label).replace(" ", "&nbsp;")}'
        for curve in figure.curves
        if curve.label
    )


class CurveItems:
    """The items of one curve; those it does not need are made later or hidden."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self.line = pg.PlotDataItem(connect="finite")
        plot.addItem(self.line)
        self.pen: QPen | None = None
        self.points: pg.ScatterPlotItem | None = None
        self.bars: pg.ErrorBarItem | None = None
        self.band: BandItem | None = None

    def show(self, curve: Curve, ink: Ink) -> None:
        """Draw a curve."""
        color = paint(curve.color, ink)
        self._show_line(curve, color)
        self._show_points(curve, color)
        self._show_bars(curve, ink.color("faint") if curve.color == "text" else color)
        if curve.low is not None and curve.high is not None:
            if self.band is None:
                self.band = BandItem()
                self.plot.addItem(self.band, ignoreBounds=True)
            fill = QColor(color)
            fill.setAlpha(BAND_ALPHA)
            self.band.setBrush(QBrush(fill))
            self.band.setData(curve.x, curve.low, curve.high)
        elif self.band is not None:
            self.band.setData([], [], [])

    def _show_line(self, curve: Curve, color: QColor) -> None:
        if curve.stroke == NONE:
            self.line.setData([], [])
            return
        if curve.pale:
            color = QColor(color)
            color.setAlpha(PALE_ALPHA)
        pen = QPen(color, curve.width, STROKES[curve.stroke])
        pen.setCosmetic(True)
        if pen != self.pen:  # each change draws the curve anew
            self.pen = pen
            self.line.setPen(pen)
        many = curve.x.size > MANY
        self.line.setDownsampling(auto=many, method="peak")
        self.line.setClipToView(many)
        self.line.setZValue(-5 if curve.pale else 0)
        self.line.setData(curve.x, curve.y)

    def _show_points(self, curve: Curve, color: QColor) -> None:
        if not curve.symbol:
            if self.points is not None:
                self.points.setData([], [])
            return
        if self.points is None:
            self.points = pg.ScatterPlotItem(pxMode=True)
            self.plot.addItem(self.points)
        good = np.isfinite(curve.x) & np.isfinite(curve.y)
        fill = Qt.BrushStyle.SolidPattern if curve.symbol in (DOT, STAR) else Qt.BrushStyle.NoBrush
        self.points.setData(
            curve.x[good], curve.y[good], symbol=SYMBOLS[curve.symbol], size=curve.size, pen=pg.mkPen(color),
            brush=QBrush(color, fill),
        )  # fmt: skip

    def _show_bars(self, curve: Curve, color: QColor) -> None:
        if curve.error is None and curve.error_x is None:
            if self.bars is not None:
                self.bars.hide()
            return
        if self.bars is None:
            self.bars = pg.ErrorBarItem(x=np.empty(0), y=np.empty(0), beam=0)
            self.plot.addItem(self.bars, ignoreBounds=True)
        self.bars.setData(pen=pg.mkPen(color))
        set_errors(self.bars, curve.x, curve.y, curve.error, curve.error_x)

    def clear(self) -> None:
        """Show nothing."""
        self.line.setData([], [])
        if self.points is not None:
            self.points.setData([], [])
        if self.band is not None:
            self.band.setData([], [], [])
        if self.bars is not None:
            self.bars.hide()


class RuleItem:
    """A line through the plot with words at it."""

    def __init__(self, plot: Plot, number: int) -> None:
        self.plot, self.number = plot, number
        self.line = pg.InfiniteLine(movable=False)
        plot.addItem(self.line, ignoreBounds=True)
        self.name: pg.InfLineLabel | None = None

    def show(self, rule: Rule, ink: Ink) -> None:
        """Draw a line."""
        color = paint(rule.color, ink)
        pen = QPen(color, 1, STROKES[rule.stroke])
        pen.setCosmetic(True)
        self.line.setAngle(90 if rule.vertical else 0)
        self.line.setPen(pen)
        self.line.setValue(rule.at)
        self.line.show()
        if rule.label and self.name is None:
            height = FIRST_NAME - NEXT_NAME * self.number
            self.name = pg.InfLineLabel(self.line, "", position=height, anchors=[(0, 0.5), (0, 0.5)])
        if self.name is not None:
            self.name.setFormat(rule.label)
            self.name.setColor(color)
            self.name.fill = ink.brush("paper", PAPER_ALPHA if rule.label else 0)  # curves do not strike words out

    def clear(self) -> None:
        """Show nothing."""
        self.line.hide()


class FigurePlot(Plot):
    """Draws figures; a double click shows all of the figure again.

    Parameters
    ----------
    name : str
        For screen readers.
    headed : bool
        Whether the title of the figure stands above it.
    """

    def __init__(self, name: str, *, headed: bool = True) -> None:
        super().__init__(name)
        self.figure: Figure | None = None
        self.headed = headed
        self.curves: list[CurveItems] = []
        self.rules: list[RuleItem] = []
        self.spans: dict[bool, list[pg.LinearRegionItem]] = {True: [], False: []}
        log_ticks(self.getAxis("bottom"), "bottom", lambda: self.figure is not None and self.figure.x.log)
        log_ticks(self.getAxis("left"), "left", lambda: self.figure is not None and self.figure.y.log)
        self.notes = QLabel(self)
        self.notes.setTextFormat(Qt.TextFormat.RichText)
        self.notes.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.notes.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.notes.hide()
        self.styled(self, lambda _ink: self._draw(), add=False)

    def show_figure(self, figure: Figure, *, fit: bool = True) -> None:
        """Draw a figure; `fit`: as far as its axes say."""
        before, self.figure = self.figure, figure
        self._draw()
        if before is None or before.y.log != figure.y.log:
            self.getAxis("left").picture = None  # its ticks are of the other kind
            self.getAxis("left").update()
        if fit:
            self.show_all()

    def show_all(self) -> None:
        """The ranges of the figure, or all of its data."""
        if self.figure is None:
            super().show_all()
            return
        if self.figure.x.range is not None:
            self.show_x(*_place(self.figure.x.range, self.figure.x.log))
        else:
            self.plotItem.vb.enableAutoRange(axis="x")
        self.fit_y()

    def fit_y(self) -> None:
        """The vertical range of the figure, or all of its data."""
        if self.figure is not None and self.figure.y.range is not None:
            self.show_y(*_place(self.figure.y.range, self.figure.y.log))
        else:
            self.plotItem.vb.enableAutoRange(axis="y")

    def _draw(self) -> None:
        """Everything but the ranges."""
        figure = self.figure
        if figure is None:
            return
        if self.headed:
            self.set_heading(figure.title)
        self.set_labels(figure.x.label, figure.y.label)
        logs = {"x": figure.x.log, "y": figure.y.log}
        shown = [logarithmic(curve, **logs) if any(logs.values()) else curve for curve in figure.curves]
        while len(self.curves) < len(shown):
            self.curves.append(CurveItems(self))
        for items, curve in zip(self.curves, shown, strict=False):
            items.show(curve, self.ink)
        for items in self.curves[len(shown) :]:
            items.clear()
        self._draw_rules(figure)
        for vertical in (True, False):
            self._draw_spans([s for s in figure.spans if s.vertical is vertical], vertical=vertical)
        self._draw_notes(figure)

    def _draw_rules(self, figure: Figure) -> None:
        while len(self.rules) < len(figure.rules):
            self.rules.append(RuleItem(self, len(self.rules)))
        for item, rule in zip(self.rules, figure.rules, strict=False):
            scale = figure.x if rule.vertical else figure.y
            item.show(replace(rule, at=_place((rule.at, rule.at), scale.log)[0]), self.ink)
        for item in self.rules[len(figure.rules) :]:
            item.clear()

    def _draw_spans(self, spans: list[Shade], *, vertical: bool) -> None:
        items = self.spans[vertical]
        while len(items) < len(spans):
            items.append(self.region(vertical=vertical))
        for item, span in zip(items, spans, strict=False):
            fill = paint(span.color, self.ink)
            fill.setAlpha(SPAN_ALPHA)
            item.setBrush(QBrush(fill))
            item.setRegion((span.low, span.high))
            item.show()
        for item in items[len(spans) :]:
            item.hide()

    def _draw_notes(self, figure: Figure) -> None:
        """Lines of text in a corner, on the color of the paper."""
        rows = [f'<span style="color:{paint(c, self.ink).name()}">{escape(t)}</span>' for c, t in figure.notes]
        self.notes.setVisible(bool(rows))
        if not rows:  # a new style takes a millisecond, and most figures follow the pointer
            return
        self.notes.setText("<br>".join(rows))
        red, green, blue, _ = self.ink.paper.getRgb()
        self.notes.setStyleSheet(f"background: rgba({red},{green},{blue},{PAPER_ALPHA}); padding: 1px;")
        self._place_notes()

    def _place_notes(self) -> None:
        """At the right, where most curves fall off; at the left of a logarithmic axis, where they rise."""
        if self.figure is None:
            return
        self.notes.adjustSize()
        left = self.getAxis("left").width() + CORNER
        right = self.width() - self.notes.width() - CORNER
        x = int(left if self.figure.x.log else max(right, left))
        covered = bool(self._heading) and left + self.fontMetrics().horizontalAdvance(self._heading) > x
        self.notes.move(x, CORNER + (self.fontMetrics().height() if covered else 0))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if self._ready and hasattr(self, "notes"):
            self._place_notes()


def _place(span: Range, log: bool) -> Range:
    """A range in the units of the axis."""
    return (float(np.log10(span[0])), float(np.log10(span[1]))) if log else span

"""A plot that draws a figure of the model: curves with errors, lines, ranges, notes; what is not there is hidden."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QBrush, QResizeEvent

from ifuview.gui.parts._edges import DrawnCurve, OutsideItem, few_ticks, log_ticks
from ifuview.gui.parts._figure_items import (
    PAPER_ALPHA,
    SPAN_ALPHA,
    CurveItems,
    MapItem,
    PointItems,
    RuleItem,
    WordItems,
    paint,
)
from ifuview.gui.parts._plot import Plot
from ifuview.gui.plain import PlainLabel
from ifuview.model.figure import Figure, Range, Shade

CORNER = 8  # screen px between notes and the frame


class FigurePlot(Plot):
    """Draws figures; a double click shows all of the figure again.

    Parameters
    ----------
    name : str
        For screen readers.
    headed : bool
        Whether the title of the figure stands above it.
    aligned : bool
        Whether its left axis is as wide as that of others.
    """

    def __init__(self, name: str, *, headed: bool = True, aligned: bool = True) -> None:
        super().__init__(name, aligned=aligned)
        self.figure: Figure | None = None
        self.headed = headed
        self.curves: list[CurveItems] = []
        self.rules: list[RuleItem] = []
        self.cloud, self.words = PointItems(self), WordItems(self)
        self.spans: dict[bool, list[pg.LinearRegionItem]] = {True: [], False: []}
        for side in ("left", "bottom"):
            few_ticks(self.getAxis(side), side)
        log_ticks(self.getAxis("bottom"), "bottom", lambda: self.figure is not None and self.figure.x.log)
        log_ticks(self.getAxis("left"), "left", lambda: self.figure is not None and self.figure.y.log)
        self.outside = OutsideItem(self._beyond)
        self.addItem(self.outside, ignoreBounds=True)
        self.map: MapItem | None = None
        self.notes = PlainLabel("", self)
        self.notes.setTextFormat(Qt.TextFormat.RichText)
        self.notes.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.notes.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.notes.hide()
        self.getAxis("left").widthChanged.connect(self._place_notes)
        self.styled(self, lambda _ink: self._draw(), add=False)

    def show_figure(self, figure: Figure, *, fit: bool = True) -> None:
        """Draw a figure; `fit`: as far as its axes say."""
        before, self.figure = self.figure, figure
        if before is None or (before.stretch, before.x.mirror) != (figure.stretch, figure.x.mirror):
            self.plotItem.vb.setAspectLocked(bool(figure.stretch), ratio=1.0 / (figure.stretch or 1.0))
            self.plotItem.vb.invertX(figure.x.mirror)
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

    def _beyond(self) -> list[DrawnCurve]:
        """The curves of a figure whose range leaves some of them outside."""
        if self.figure is None or self.figure.y.range is None:
            return []
        found = (items.drawn() for items in self.curves[: len(self.figure.curves)])
        return [drawn for drawn in found if drawn is not None]

    def _draw(self) -> None:
        """Everything but the ranges."""
        figure = self.figure
        if figure is None:
            return
        if self.headed:
            self.set_heading(figure.title)
        self.set_labels(figure.x.label, figure.y.label)
        self.cloud.show(figure.points, self.ink)
        while len(self.curves) < len(figure.curves):
            self.curves.append(CurveItems(self))
        for items, curve in zip(self.curves, figure.curves, strict=False):
            items.show(curve, self.ink, x_log=figure.x.log, y_log=figure.y.log)
        for items in self.curves[len(figure.curves) :]:
            items.clear()
        self._draw_rules(figure)
        for vertical in (True, False):
            self._draw_spans([s for s in figure.spans if s.vertical is vertical], vertical=vertical)
        if figure.words or self.words.items:
            self.words.show(figure.words, self.ink, *(figure.y.range or self.plotItem.vb.viewRange()[1]))
        if self.map is None and figure.map is not None:
            self.map = MapItem()
            self.addItem(self.map)
        if self.map is not None:
            self.map.show_map(figure.map)
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

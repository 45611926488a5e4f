"""The items of a figure on a plot, made once and filled again; what is the same object as before is not drawn again."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QPen

from ifuview.app.frames.views import colors
from ifuview.gui.parts._band import BandItem
from ifuview.gui.parts._dots import Dots
from ifuview.gui.parts._edges import DrawnCurve
from ifuview.gui.parts._plot import Ink, Plot, set_errors
from ifuview.model import figure as values
from ifuview.model.figure import (
    CROSS,
    DASHED,
    DIAMOND,
    DOT,
    DOTTED,
    DOWN,
    NONE,
    PLUS,
    RAMP_ON_DARK,
    RAMP_ON_LIGHT,
    RING,
    SOLID,
    SQUARE,
    STAR,
    Along,
    Cloud,
    Color,
    ColorMap,
    Curve,
    Figure,
    Rule,
    Tag,
    logarithmic,
    spaced,
)

MAP_STEPS = 256  # colors of a map
STROKES = {
    SOLID: Qt.PenStyle.SolidLine,
    DASHED: Qt.PenStyle.DashLine,
    DOTTED: Qt.PenStyle.DotLine,
    NONE: Qt.PenStyle.NoPen,
}
SYMBOLS = {
    DOT: "o", CROSS: "x", PLUS: "+", DOWN: "t", STAR: "star", SQUARE: "s", DIAMOND: "d", RING: "o",
}  # fmt: skip
FILLED = (DOT, STAR, SQUARE, DIAMOND)
RAMP = "viridis"
PALE_ALPHA, BAND_ALPHA, SPAN_ALPHA, PAPER_ALPHA = 90, 55, 40, 190
MANY = 2000  # samples; of more the extremes of each screen column are drawn
BESIDE, ABOVE = [(0, 0.5)] * 2, [(1, 1)] * 2  # the words of upright and of level lines, within the plot
FIRST_NAME, NEXT_NAME = 0.93, 0.16  # height of the words at vertical lines; lower for the next ones, which may be near
HYPHEN = "\u2011"  # does not break a name
LEAST_GAP = 13  # screen px between two words above each other


def paint(color: Color, ink: Ink) -> QColor:
    """A color of a figure so that it stands out on the paper."""
    if isinstance(color, Along):
        low, high = RAMP_ON_DARK if ink.dark else RAMP_ON_LIGHT
        return QColor.fromRgbF(
            *(float(part) for part in colors.ramp(RAMP, np.array([low + color.place * (high - low)]))[0])
        )
    if isinstance(color, int) or color in ("text", "faint", "bad"):
        return ink.color(color)
    return readable(color, ink.paper)


def readable(name: str, paper: QColor) -> QColor:
    """The color of a region so that it stands out on the paper of a plot."""
    known_to_qt = name.lower() not in values.NAMED and QColor.isValidColorName(name)
    return QColor(values.readable(QColor(name).name() if known_to_qt else name, paper.getRgb()[:3]))


def key_of(named: Iterable[tuple[Color, str]], ink: Ink) -> str:
    """Names in their colors, as rich text that breaks between two of them only."""
    return "&nbsp; ".join(
        f'<b style="color:{paint(color, ink).name()}">▬</b>&nbsp;{_unbroken(name)}' for color, name in named if name
    )


def curve_key(figure: Figure, ink: Ink) -> str:
    """The names of the curves of a figure."""
    return key_of(((curve.color, curve.label) for curve in figure.curves), ink)


def _unbroken(name: str) -> str:
    """A name that stays on one line."""
    return escape(name).replace(" ", "&nbsp;").replace("-", HYPHEN)


class CurveItems:
    """The items of one curve; those it does not need are made later or hidden."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self.line = pg.PlotDataItem(connect="finite")
        plot.addItem(self.line)
        self.pen: QPen | None = None
        self.shown: tuple[Curve, Ink, bool, bool] | None = None
        self.points: pg.ScatterPlotItem | None = None
        self.bars: pg.ErrorBarItem | None = None
        self.band: BandItem | None = None

    def show(self, curve: Curve, ink: Ink, *, x_log: bool = False, y_log: bool = False) -> None:
        """Draw a curve, unless it is there already."""
        before, self.shown = self.shown, (curve, ink, x_log, y_log)
        if before is not None and before[0] is curve and before[1:] == self.shown[1:]:
            return
        if x_log or y_log:
            curve = logarithmic(curve, x=x_log, y=y_log)
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

    def drawn(self) -> DrawnCurve | None:
        """The curve as it is drawn; None where it is no curve, or marks samples of another."""
        if self.shown is None or self.shown[0].color == "bad":
            return None
        curve, ink, x_log, y_log = self.shown
        if x_log or y_log:
            curve = logarithmic(curve, x=x_log, y=y_log)
        return DrawnCurve(np.asarray(curve.x, float), np.asarray(curve.y, float), paint(curve.color, ink))

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
        many = curve.x.size > MANY and bool((curve.x[1:] >= curve.x[:-1]).all())  # else none would be found in view
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
        if curve.pale:
            color = QColor(color)
            color.setAlpha(PALE_ALPHA)
        fill = Qt.BrushStyle.SolidPattern if curve.symbol in FILLED else Qt.BrushStyle.NoBrush
        self.points.setData(
            curve.x[good], curve.y[good], symbol=SYMBOLS[curve.symbol], size=curve.size,
            pen=pg.mkPen(color, width=curve.width), brush=QBrush(color, fill),
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
        if self.shown is None:
            return
        self.shown = None
        self.line.setData([], [])
        if self.points is not None:
            self.points.setData([], [])
        if self.band is not None:
            self.band.setData([], [], [])
        if self.bars is not None:
            self.bars.hide()


class RuleName(pg.InfLineLabel):
    """Words at a line; at an upright one on the side where they have room."""

    def updatePosition(self) -> None:
        super().updatePosition()
        box = self.line.getViewBox()
        if self.line.angle % 180 and box is not None:
            room = (box.viewRange()[0][1] - self.line.value()) / max(box.viewPixelSize()[0], 1e-30)
            self.setAnchor((float(self.textItem.boundingRect().width() > room), 0.5))


class RuleItem:
    """A line through the plot with words at it."""

    def __init__(self, plot: Plot, number: int) -> None:
        self.plot = plot
        self.height = FIRST_NAME - NEXT_NAME * number
        self.line = pg.InfiniteLine(movable=False)
        plot.addItem(self.line, ignoreBounds=True)
        self.name: RuleName | None = None

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
            self.name = RuleName(self.line, "", anchors=BESIDE)
        if self.name is not None:
            self.name.anchors = BESIDE if rule.vertical else ABOVE
            self.name.setPosition(self.height if rule.height is None else rule.height)
            self.name.setFormat(rule.label)
            self.name.setColor(readable(color.name(), ink.paper))
            self.name.fill = ink.brush("paper", PAPER_ALPHA if rule.label else 0)  # curves do not strike words out

    def clear(self) -> None:
        """Show nothing."""
        self.line.hide()


class WordItems:
    """Texts at places of the plot, as many as have room above each other."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self.items: list[pg.TextItem] = []

    def show(self, words: tuple[Tag, ...], ink: Ink, low: float, high: float) -> None:
        """Draw texts on a plot that shows `low` to `high`."""
        height = max(self.plot.plotItem.vb.height(), 1.0)
        chosen = spaced([one.y for one in words], LEAST_GAP * (high - low) / height)
        while len(self.items) < len(chosen):
            item = pg.TextItem("", anchor=(1, 1))
            self.plot.addItem(item, ignoreBounds=True)
            self.items.append(item)
        for item, number in zip(self.items, chosen):
            one = words[number]
            item.setText(one.text, paint(one.color, ink))
            item.setPos(one.x, one.y)
            item.show()
        for item in self.items[len(chosen) :]:
            item.hide()


class PointItems:
    """Thousands of dots in colors of their own."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self.dots: Dots | None = None
        self.shown: tuple[Cloud | None, Ink] | None = None

    def show(self, points: Cloud | None, ink: Ink) -> None:
        """Draw the dots, unless they are there already."""
        before, self.shown = self.shown, (points, ink)
        if before is not None and before[0] is points and before[1] is ink:
            return
        if points is None:
            if self.dots is not None:
                self.dots.hide()
            return
        if self.dots is None:
            self.dots = Dots()
            self.plot.addItem(self.dots)
        color = points.color
        if not points.known.all():
            color = np.where(points.known, color, ink.faint.rgb() & 0xFFFFFF)
        self.dots.setData(points.x, points.y, color, points.known)
        self.dots.show()


class MapItem(pg.ImageItem):
    """Draws a ColorMap; what is not known is transparent."""

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major")
        self.setZValue(-100)
        self.hide()

    def show_map(self, shown: ColorMap | None) -> None:
        """Draw it; None: nothing."""
        self.setVisible(shown is not None)
        if shown is None:
            return
        low, high = shown.limits
        ramp = np.round(colors.ramp(shown.ramp, np.linspace(0, 1, MAP_STEPS)) * 255).astype(np.uint8)
        known = np.isfinite(shown.values)
        part = np.clip((np.where(known, shown.values, low) - low) / (high - low or 1.0), 0, 1)
        rgba = np.empty((*shown.values.shape, 4), np.uint8)
        rgba[..., :3] = ramp[np.round(part * (MAP_STEPS - 1)).astype(np.intp)]
        rgba[..., 3] = 255 * known
        self.setImage(rgba, autoLevels=False, levels=None)
        x0, x1, y0, y1 = shown.extent
        self.setRect(QRectF(x0, y0, x1 - x0, y1 - y0))

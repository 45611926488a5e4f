"""Ticks of logarithmic axes: numbers that are right and never cover each other."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QFont, QFontMetricsF, QPainter
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from ifuview.gui.parts._edges import AXIS_WIDTH, MINOR, few_ticks, levels, log_ticks, numbers_of, word
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._plot import Plot
from ifuview.model.figure import Curve, Figure, Scale

ROOM = 40.0
RANGES = (  # tiny, large, negative with a fraction, small, one that a narrow zoom has, beyond a million, nothing
    (0.0, 1e-18), (0.0, 1e5), (-12345.67, -12345.63), (0.0, 0.00012), (8.4e-17, 8.40001e-17), (-3e9, 5e9), (0.0, 0.0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.0, "1"), (0.002, "0.002"), (500.0, "500"), (1e4, "10000"), (1e5, "10⁵"), (3e-5, "3·10⁻⁵"), (2e4, "2·10⁴")],
)
def test_numbers(value: float, words: str) -> None:
    assert word(math.log10(value)) == words


@pytest.mark.parametrize("span", [(-6.0, 1.5), (-3.7, -1.1), (0.1, 0.2), (0.31, 0.46), (-0.3, 1.4), (2.0, 2.9)])
@pytest.mark.parametrize("size", [60.0, 200.0, 900.0])
def test_numbers_keep_their_distance(span: tuple[float, float], size: float) -> None:
    named = sorted(v for spacing, row in levels(*span, size, ROOM) if spacing != MINOR for v in row)
    places = [(v - span[0]) / (span[1] - span[0]) * size for v in named]
    assert all(b - a >= ROOM * 0.99 for a, b in pairwise(places))
    assert named or (size == 60.0 and span[1] - span[0] > 1) or span == (0.31, 0.46)  # no 1 to 9 may lie inside
    assert all(span[0] <= v <= span[1] for v in named)


def test_an_axis_is_logarithmic_only_while_it_is_said_to_be(qtbot) -> None:  # type: ignore[no-untyped-def]
    plot, on = Plot("test"), [True]
    qtbot.addWidget(plot)
    axis = plot.getAxis("left")
    log_ticks(axis, "left", lambda: on[0])
    (spacing, places), *_ = axis.tickValues(-2.0, 2.0, 400)
    assert axis.tickStrings(places, 1.0, spacing) == ["0.01", "0.1", "1", "10", "100"]
    on[0] = False
    (spacing, places), *_ = axis.tickValues(0.0, 2.0, 400)
    assert axis.tickStrings(places, 1.0, spacing)[0] in ("0", "0.0")


@pytest.mark.parametrize(("span", "size"), [((4835.0, 4915.0), 94.0), ((3470.0, 5540.0), 60.0), ((0.0, 80.0), 900.0)])
def test_numbers_of_short_axes_keep_their_distance(qtbot, span: tuple[float, float], size: float) -> None:
    plot = Plot("short")
    qtbot.addWidget(plot)
    axis = plot.getAxis("bottom")
    few_ticks(axis, "bottom")
    named = axis.tickValues(*span, size)[0][1]
    assert all((b - a) / (span[1] - span[0]) * size >= 46 for a, b in pairwise(named))
    assert len(named) >= min(size // 200, 2)


@pytest.mark.parametrize("span", RANGES[:-1])
@pytest.mark.parametrize("steps", [2, 5, 20])
def test_numbers_tell_their_places_apart_and_right(span: tuple[float, float], steps: int) -> None:
    """Read back they are the places, to a hundredth of what lies between two; no two are the same."""
    step = 10.0 ** math.floor(math.log10((span[1] - span[0]) / steps))
    places = [n * step for n in range(math.ceil(span[0] / step), math.floor(span[1] / step) + 1)]
    words = numbers_of(places, step, max(map(abs, span)))
    assert len(set(words)) == len(words) >= 2
    np.testing.assert_allclose([float(each) for each in words], places, rtol=0, atol=0.01 * step)


@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("height", [90, 260])
def test_no_number_lies_on_the_label_or_another_and_plots_in_line_stay_so(
    qtbot,  # type: ignore[no-untyped-def]
    span: tuple[float, float],
    height: int,
) -> None:
    """Of the plots below each other all are as wide as the widest; the power is said where the label is not, too."""
    holder = QWidget()
    box = QVBoxLayout(holder)
    plots = [FigurePlot(name, headed=False) for name in "ab"]
    for plot, (low, high) in zip(plots, (span, (0.0, 1.0)), strict=True):
        box.addWidget(plot)
        y = np.linspace(low, high, 50)
        x = np.linspace(4000.0, 4000.0 + max(high - low, 1e-3), 50)
        plot.show_figure(Figure("", Scale("Wavelength (\u00c5)"), Scale("Flux (erg)"), (Curve(x, y),)))
    qtbot.addWidget(holder)
    holder.resize(420, 2 * height)
    with qtbot.waitExposed(holder):
        holder.show()
    for _ in range(3):  # an axis learns its numbers as it is painted
        holder.grab()
        qtbot.wait(20)
    for plot in plots:
        for side in ("left", "bottom"):
            numbers = numbers_on(plot, side)
            assert numbers and all(not a.intersects(b) for a, b in pairwise(numbers)), (side, numbers)
        axis = plot.getAxis("left")
        assert all(one.left() >= 0 for one in numbers_on(plot, "left"))
        if axis.label.isVisible():
            box = axis.label.mapRectToParent(axis.label.boundingRect())
            inner = QRectF(box.left() + 4, box.top(), box.width() - 8, box.height())  # Qt leaves a margin of 4 px
            assert not [one for one in numbers_on(plot, "left") if one.intersects(inner)]
    widths = {plot.getAxis("left").width() for plot in plots}
    assert len(widths) == 1 and min(widths) >= AXIS_WIDTH
    assert len({plot.plotItem.vb.sceneBoundingRect().left() for plot in plots}) == 1


def numbers_on(plot: Plot, side: str) -> list[QRectF]:
    """Where the numbers of an axis are painted, in its coordinates, one after the other."""
    axis = plot.getAxis(side)
    picture = plot.grab().toImage()
    painter = QPainter(picture)
    painter.setFont(axis.style["tickFont"] or QFont())
    specs = axis.generateDrawSpecs(painter)[2]
    painter.end()
    metrics = QFontMetricsF(axis.style["tickFont"] or QFont())
    out = []
    for rect, _, words in specs:
        wide = metrics.tightBoundingRect(words)
        left = rect.right() - wide.width() if side == "left" else rect.center().x() - wide.width() / 2
        out.append(QRectF(left, rect.center().y() - wide.height() / 2, wide.width(), wide.height()))
    return sorted(out, key=QRectF.y if side == "left" else QRectF.x)

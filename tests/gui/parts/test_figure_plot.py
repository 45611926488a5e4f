"""A figure in a dock and on a page: what is in the value is what is drawn, on both."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget

from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._figure_items import curve_key
from ifuview.gui.parts._findings_tree import EvidencePanel
from ifuview.model.figure import DASHED, DOT, NONE, RING, SQUARE, Along, Cloud, Curve, Figure, Rule, Scale, Shade, Tag
from ifuview.report.figures import draw_figure

X = np.arange(1.0, 6.0)
Y = np.array([1.0, 10.0, np.nan, 1000.0, 100.0])
LINE = Curve(X, Y, 0, "line", DASHED, low=Y / 2, high=Y * 2)
POINTS = Curve(X, Y, "text", "points", NONE, DOT, error=np.full(5, 0.5))
FULL = Figure(
    "Title", Scale("x (px)", (0.0, 6.0)), Scale("y", (0.5, 2000.0)), (LINE, POINTS), (Rule(3.0, label="here"),),
    (Shade(2.0, 4.0, label="where"),), notes=(("bad", "a note"),),
)  # fmt: skip


@pytest.fixture
def plot(qtbot) -> Iterator[FigurePlot]:
    holder = QWidget()
    widget = FigurePlot("A figure")
    QVBoxLayout(holder).addWidget(widget)
    qtbot.addWidget(holder)
    holder.resize(400, 300)
    with qtbot.waitExposed(holder):
        holder.show()
    yield widget  # the holder stays until the test is done


def test_a_dock_draws_what_the_figure_has(plot) -> None:
    plot.show_figure(FULL)
    line, points = plot.curves
    np.testing.assert_array_equal(line.line.getData()[1], Y)
    assert line.band.getData()[0].size == 4
    np.testing.assert_array_equal(points.points.getData()[1], Y[np.isfinite(Y)])
    assert points.bars.isVisible()
    assert points.bars.opts["height"].tolist() == [1.0] * 4
    assert plot.rules[0].line.value() == 3.0 and plot.rules[0].name.format == "here"
    assert plot.spans[True][0].getRegion() == (2.0, 4.0)
    assert "a note" in plot.notes.text()
    assert plot.plotItem.vb.viewRange()[0] == pytest.approx([0.0, 6.0])
    assert "line" in curve_key(FULL, plot.ink) and "points" in curve_key(FULL, plot.ink)


def test_what_another_figure_has_not_is_hidden(plot) -> None:
    plot.show_figure(FULL)
    plot.show_figure(Figure(curves=(Curve(X, X),)))
    first, second = plot.curves
    assert first.line.getData()[0].size == 5
    assert first.band.getData()[0].size == 0
    assert second.points.getData()[0].size == 0 and not second.bars.isVisible()
    assert not plot.rules[0].line.isVisible()
    assert not plot.spans[True][0].isVisible()
    assert not plot.notes.isVisible()


def test_logarithmic_axes_show_decades(plot) -> None:
    plot.show_figure(
        Figure(y=Scale("y", (1.0, 1000.0), log=True), curves=(LINE,), rules=(Rule(100.0, vertical=False),))
    )
    assert np.nanmax(plot.curves[0].line.getData()[1]) == 3.0
    assert plot.plotItem.vb.viewRange()[1] == pytest.approx([0.0, 3.0])
    assert plot.rules[0].line.value() == 2.0


def test_a_zoomed_figure_comes_back_whole(plot) -> None:
    plot.show_figure(FULL)
    plot.show_x(2.0, 3.0)
    plot.show_figure(FULL, fit=False)
    assert plot.plotItem.vb.viewRange()[0] == pytest.approx([2.0, 3.0])
    plot.show_all()
    assert plot.plotItem.vb.viewRange()[0] == pytest.approx([0.0, 6.0])


def test_colors_follow_the_palette(plot, qapp) -> None:
    plot.show_figure(FULL)
    before = plot.curves[0].line.opts["pen"].color()
    palette = plot.palette()
    palette.setColor(palette.ColorRole.Base, QColor("#101010"))
    palette.setColor(palette.ColorRole.Text, QColor("#f0f0f0"))
    plot.setPalette(palette)
    qapp.processEvents()
    assert plot.curves[0].line.opts["pen"].color() != before


def test_a_page_draws_the_same_figure() -> None:
    from matplotlib.figure import Figure as Page

    axes = Page().add_subplot()
    draw_figure(axes, FULL)
    line, points = (next(a for a in axes.lines if a.get_label() == name) for name in ("line", "points"))
    for drawn in (line, points):
        np.testing.assert_array_equal(drawn.get_ydata(), Y)
    assert line.get_linestyle() == "--" and points.get_marker() == "o"
    assert axes.get_xlim() == (0.0, 6.0) and axes.get_ylim() == (0.5, 2000.0)
    assert {"line", "points", "here", "where"} <= {t.get_text() for t in axes.get_legend().get_texts()}
    assert [t.get_text() for t in axes.texts] == ["a note"]
    empty = Page().add_subplot()
    draw_figure(empty, Figure("T", empty="nothing was measured"))
    assert empty.texts[0].get_text() == "nothing was measured" and not empty.lines


def test_what_is_the_same_is_not_drawn_again(plot, monkeypatch) -> None:
    """A pointer over a plot must not cost the curves below it."""
    plot.show_figure(FULL)
    sent = []
    for items in plot.curves:
        monkeypatch.setattr(items.line, "setData", lambda *_a, **_k: sent.append(1))
    plot.show_figure(replace(FULL, rules=(Rule(4.0),)), fit=False)
    assert not sent and plot.rules[0].line.value() == 4.0
    plot.show_figure(replace(FULL, curves=(replace(LINE, color=1), POINTS)), fit=False)
    assert sent == [1]


def test_tags_leave_out_what_would_cover_another(plot) -> None:
    tags = (Tag(5.0, 1.0, "one"), Tag(5.0, 1.1, "two"), Tag(5.0, 900.0, "three"))
    plot.show_figure(replace(FULL, y=Scale("y", (0.0, 1000.0)), words=tags))
    assert [item.toPlainText() for item in plot.words.items if item.isVisible()] == ["one", "three"]
    plot.show_figure(FULL)
    assert not any(item.isVisible() for item in plot.words.items)


def test_places_keep_their_shape_and_side_on_dock_and_page(plot) -> None:
    from matplotlib.figure import Figure as Page

    color, known = np.array([0xFF0000, 0x00FF00, 0x0000FF]), np.array([True, True, False])
    figure = Figure(
        x=Scale("x", mirror=True), y=Scale("y"), stretch=2.0,
        curves=(Curve(X, X, Along(0.5), "", NONE, RING), Curve(X, X, 1, "", NONE, SQUARE)),
        points=Cloud(X[:3], X[:3], color, known),
    )  # fmt: skip
    plot.show_figure(figure)
    assert plot.plotItem.vb.xInverted() and plot.plotItem.vb.state["aspectLocked"] == 0.5
    assert plot.cloud.dots.getData()[0].size == 3
    assert plot.curves[0].points.opts["brush"].style() == Qt.BrushStyle.NoBrush
    axes = Page().subplots()
    draw_figure(axes, figure)
    assert axes.xaxis_inverted() and axes.get_aspect() == 2.0
    assert len(axes.collections[0].get_offsets()) == 3
    plot.show_figure(Figure(curves=(LINE,)))
    assert not plot.cloud.dots.isVisible() and not plot.plotItem.vb.xInverted()


def test_what_lies_beyond_a_robust_range_is_an_arrow_and_none_where_it_is_seen(plot: FigurePlot) -> None:
    x = np.arange(100.0)
    y = np.sin(x)
    y[30], y[70] = 50.0, -40.0
    plot.show_figure(Figure("", Scale("x", (0.0, 99.0)), Scale("y", (-2.0, 2.0)), (Curve(x, y, 0),)))
    step = 7 * plot.plotItem.vb.viewPixelSize()[0]
    up, down = sorted(plot.outside.arrows(), key=lambda arrow: arrow.x)
    assert up.up and abs(up.x - 30) <= step and not down.up and abs(down.x - 70) <= step
    plot.show_y(-2.0, 60.0)
    assert [arrow.up for arrow in plot.outside.arrows()] == [False]
    plot.show_x(0.0, 60.0)
    assert plot.outside.arrows() == []


@pytest.mark.parametrize("span", [(0.0, 1.0), (1480.0, 3560.0), (-0.03, 0.21)])
def test_the_numbers_of_a_low_plot_do_not_lie_on_each_other(plot: FigurePlot, span: tuple[float, float]) -> None:
    from PyQt6.QtGui import QPainter, QPixmap

    x = np.linspace(0.0, 10.0, 50)
    plot.show_figure(Figure("t", Scale("x"), Scale("y", span), (Curve(x, np.linspace(*span, 50)),)))
    for height in (100, 115, 130, 150, 200):
        plot.parentWidget().resize(400, height)
        QApplication.processEvents()
        axis, paper = plot.getAxis("left"), QPixmap(400, 200)
        painter = QPainter(paper)
        rects = [rect for rect, *_ in axis.generateDrawSpecs(painter)[2]]
        painter.end()
        rects.sort(key=lambda rect: rect.center().y())
        gaps = [b.center().y() - a.center().y() for a, b in itertools.pairwise(rects)]
        assert rects and all(gap >= 0.8 * rects[0].height() for gap in gaps), (height, gaps)


def test_the_words_of_a_level_line_are_within_the_plot(plot: FigurePlot) -> None:
    rule = Rule(2.0, vertical=False, label="not used above this line")
    plot.show_figure(replace(FULL, y=Scale("y", (0.0, 3.0)), rules=(rule,), curves=()))
    QApplication.processEvents()
    name = plot.rules[0].name
    place, room = name.mapRectToScene(name.boundingRect()), plot.plotItem.vb.sceneBoundingRect()
    assert room.contains(place), (place, room)


@pytest.mark.parametrize("at", [0.3, 3.0, 5.6])
def test_the_words_of_an_upright_line_are_within_the_plot(plot: FigurePlot, at: float) -> None:
    """On its other side near the right edge, and back when the view moves."""
    plot.show_figure(replace(FULL, rules=(Rule(at, label="valid to 1500 nm"),)))
    box = plot.plotItem.vb
    for first, last in ((0.0, 6.0), (at - 0.1, at + 20.0), (at - 20.0, at + 0.1)):
        box.setXRange(first, last, padding=0)
        QApplication.processEvents()
        name, room = plot.rules[0].name, box.sceneBoundingRect().adjusted(-1, -1, 1, 1)
        place = name.mapRectToScene(name.boundingRect())
        assert room.contains(place), (first, place, room)


def test_names_of_curves_take_their_room_from_no_axis(qtbot) -> None:
    """As many lines of names as a narrow panel asks for, and the whole plot below them."""
    panel = EvidencePanel("evidence", 170)
    holder = QSplitter(Qt.Orientation.Vertical)
    holder.addWidget(QWidget())
    holder.addWidget(panel)
    qtbot.addWidget(holder)
    holder.resize(240, 330)
    with qtbot.waitExposed(holder):
        holder.show()
    curves = tuple(replace(LINE, label=f"block of fibers {n}") for n in range(8))
    panel.show_figure(replace(FULL, curves=curves))
    holder.setSizes([160, 170])
    QApplication.processEvents()
    assert panel.legend.height() > 3 * panel.fontMetrics().height()
    assert panel.plot.height() >= 170 and panel.plot.geometry().bottom() <= panel.height()
    panel.show_figure(None)
    assert panel.minimumHeight() == 0

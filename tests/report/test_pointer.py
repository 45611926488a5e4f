"""Values under the pointer of a page: the page's own script, run on what the figure holds."""

from __future__ import annotations

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PyQt6.QtQml import QJSEngine

from ifuview import resources
from ifuview.report.pointer import under_pointer

RNG = np.random.default_rng(3)
IMAGE = RNG.normal(size=(40, 60))


@pytest.fixture
def figure() -> Figure:
    made = Figure((8, 4))
    left, right = made.subplots(1, 2)
    left.imshow(np.where(IMAGE > 2.5, np.nan, IMAGE), origin="lower", extent=(99.5, 159.5, 9.5, 49.5), aspect="auto")
    left.set(xlabel="column (px)", ylabel="row (px)")
    right.semilogx([1, 10, 100], [0, 5, 0], label="a </script> line")
    return made


@pytest.fixture
def readout(qapp, figure: Figure):
    engine = QJSEngine()
    engine.evaluate(resources.path("report").joinpath("pointer.js").read_text("utf-8"))
    engine.evaluate(f"var axes = {under_pointer(figure)};")

    def ask(fx: float, fy: float) -> str:
        found = engine.evaluate(f"readout(axes, {float(fx)!r}, {float(fy)!r})")
        assert not found.isError(), found.toString()
        return found.toString()

    return ask


def test_a_pixel_has_its_coordinates_and_its_value(figure, readout):
    axes = figure.axes[0]
    for row, column in ((0, 0), (17, 33), (39, 59)):
        fx, fy = figure.transFigure.inverted().transform(axes.transData.transform((100 + column, 10 + row)))
        text = readout(fx, fy)
        assert text.startswith(f"column (px) {100 + column}, row (px) {10 + row}: ")
        value = IMAGE[row, column]
        assert float(text.rsplit(": ", 1)[1]) == pytest.approx(value, rel=1e-3)
    assert readout(0.001, 0.001) == ""


def test_the_next_point_of_a_line_is_named_also_on_logarithmic_axes(figure, readout):
    fx, fy = figure.transFigure.inverted().transform(figure.axes[1].transData.transform((10.2, 4.98)))
    text = readout(fx, fy)
    assert "a </script> line 10, 5" in text
    assert float(text.split()[1].strip(",")) == pytest.approx(10.2, rel=0.01)


def test_nothing_of_a_label_ends_the_script(figure):
    text = under_pointer(figure)
    assert "<" not in text
    assert json.loads(text)[1]["lines"][0]["label"] == "a </script> line"


def test_an_axis_without_words_has_those_of_the_axis_in_line_with_it(figure):
    figure.clear()
    (upper, _), (lower, _) = figure.subplots(2, 2)
    for axes in (upper, lower):
        axes.set(xlim=(5, 7), ylabel="counts")
    lower.set(xlabel="wavelength (nm)")
    names = [(axes["x"]["name"], axes["y"]["name"]) for axes in json.loads(under_pointer(figure))]
    assert names == [("wavelength (nm)", "counts"), ("", "counts"), ("wavelength (nm)", "counts"), ("", "counts")]

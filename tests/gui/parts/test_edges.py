"""Ticks of logarithmic axes: numbers that are right and never cover each other."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from ifuview.gui.parts._edges import MINOR, few_ticks, levels, log_ticks, word
from ifuview.gui.parts._plot import Plot

ROOM = 40.0


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

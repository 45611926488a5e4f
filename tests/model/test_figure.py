"""Ranges, steps and colors of figures."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.model.figure import Curve, logarithmic, padded, readable, robust, stairs


def test_points_of_large_errors_do_not_decide_about_the_range() -> None:
    x = np.arange(200.0)
    y, error = np.sin(x), np.full(200, 0.1)
    y[7], error[7] = 50.0, 20.0
    low, high = robust([Curve(x, y, error=error)], 0.1)
    assert -1.5 < low < -1.0 and 1.0 < high < 1.5
    assert robust([Curve(x, y, error=error)], 0.1, keep=(3.0,))[1] > 3.0
    wide = robust([Curve(x, y, error=error)], 0.1, bars=2.0)
    assert wide[0] == pytest.approx(low - 0.2 * 1.2)
    assert robust([Curve(x, np.full(200, np.nan))], 0.1) is None
    assert robust([], 0.1) is None


def test_a_range_of_one_value_has_room() -> None:
    assert padded(3.0, 3.0, 0.1) == (2.0, 4.0)
    assert padded(np.float32(0.0), np.float32(2.0), 0.5) == (-1.0, 3.0)


def test_stairs_turn_at_the_edges() -> None:
    x, y = stairs(np.array([0.0, 1.0, 3.0]), np.array([5, 6]))
    assert x.tolist() == [0, 1, 1, 3]
    assert y.tolist() == [5, 5, 6, 6]


def test_errors_of_a_logarithmic_axis_are_relative() -> None:
    curve = Curve(np.array([1.0, 10.0]), np.array([100.0, 0.0]), error=np.array([10.0, 1.0]))
    shown = logarithmic(curve, x=True, y=True)
    assert shown.x.tolist() == [0, 1]
    assert shown.y[0] == 2
    assert shown.error[0] == pytest.approx(0.1 / np.log(10))
    assert np.isnan(shown.error[1])  # of nothing there is no relative error


def test_a_color_that_cannot_be_seen_on_the_paper_is_darkened() -> None:
    assert readable("#101010") == "#101010"
    assert readable("yellow") != "#ffff00"
    assert readable("yellow", (0, 0, 0)) == "#ffff00"

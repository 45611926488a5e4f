"""Every finding about a photon list has a figure of bad against good, in which the bad stands out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.photons.judge.judge import judge_photons
from ifuview.model.figure import Figure
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding
from ifuview.report.photons.evidence import DRAWN, of_finding
from ifuview.simulate.photons import faults
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_photons
from ifuview.simulate.photons.scene import Scene

EXACT = {PhotonFault.SHARED, PhotonFault.BAD_WEIGHTS}  # a number says all


@pytest.fixture(scope="module")
def found() -> dict[PhotonFault, PhotonFinding]:
    """Findings of lists with several faults each."""
    array = make_array(dead=0, cold=5, hot=0, unsolved=4, seed=8)
    clean = simulate_photons(array=array, duration=8.0, scene=Scene(sky=30.0), seed=5)[0]
    one = faults.feedline_out(faults.dropped(clean, 1.0, 1.4, kept=0.3), 2, 3.0, 4.0)
    one = faults.timed_out(faults.lit(one, [(20, 20)], 500.0), [(3, 25)], 5.0, 7.5)
    one = faults.disordered(faults.repeated(faults.twins(one, [((2, 16), (9, 28))]), [(5, 16)], 0.1), [(6, 17)], 0.3)
    two = faults.shifted(faults.feedline_out(clean, 4), 2.0, [(8, 3)])
    return {f.fault: f for photons in (one, two) for f in judge_photons(photons).findings}


def test_the_figures_are_of_all_faults():
    assert set(DRAWN) | EXACT == set(PhotonFault)


def test_the_lists_have_many_faults(found):
    assert len(found) >= 11


@pytest.mark.parametrize("fault", [
    PhotonFault.FEEDLINE_DROP, PhotonFault.DROP, PhotonFault.TIME_OUT, PhotonFault.HOT, PhotonFault.COLD,
    PhotonFault.DOUBLE, PhotonFault.ORDER, PhotonFault.SHORT, PhotonFault.FEEDLINE_DEAD, PhotonFault.UNSOLVED,
    PhotonFault.OUT_OF_RANGE,
])  # fmt: skip
def test_the_bad_is_drawn_apart_with_units(found, fault):
    figure = of_finding(found[fault])
    assert isinstance(figure, Figure) and figure.x.label and figure.y.label
    drawn = [curve.color for curve in figure.curves]
    assert "bad" in drawn or fault is PhotonFault.UNSOLVED
    for curve in figure.curves:
        assert len(curve.x) == len(curve.y) > 0 and np.isfinite(curve.x).all()


def test_what_a_moment_is_about_is_shaded(found):
    (span,) = of_finding(found[PhotonFault.DROP]).spans
    assert (span.low, span.high) == pytest.approx((1.0, 1.4), abs=0.03)


def test_hot_pixels_lie_above_the_limit_and_the_others_below(found):
    figure = of_finding(found[PhotonFault.HOT])
    good, limit, bad = figure.curves
    below = np.interp(good.x, limit.x, limit.y)
    assert (bad.y > np.interp(bad.x, limit.x, limit.y)).all() and np.mean(good.y > below) < 0.01


def test_a_number_that_says_all_has_no_figure():
    assert of_finding(PhotonFinding(PhotonFault.SHARED)) is None


def test_weights_and_lines_are_drawn():
    edges = np.linspace(700.0, 1500.0, 21)
    light = np.exp(-0.5 * ((edges[1:] - 980) / 60) ** 2)
    arrays = {"edges": edges, "counts": light, "lines": np.array([980.0, 930.0])}
    figure = of_finding(PhotonFinding(PhotonFault.WRONG_LINE, arrays=arrays))
    assert [rule.label for rule in figure.rules] == ["right 980 nm", "found 930 nm"]
    other = replace(PhotonFinding(PhotonFault.OFF_LINE), arrays={**arrays, "other": light[::-1]})
    assert [curve.color for curve in of_finding(other).curves] == ["faint", "bad"]
    arrays = {"weights": np.array([-0.1, 0.0, 0.1]), "counts": np.zeros(3), "slope": np.array([0.0, 0.02])}
    figure = of_finding(PhotonFinding(PhotonFault.WRONG_FLAT, arrays=arrays))
    right, slope = figure.curves[1:]
    assert np.array_equal(right.y, -right.x) and not slope.y.any()


def test_the_limit_of_the_rate_is_a_line():
    arrays = {"edges": np.linspace(0, 1, 11), "counts": np.full(10, 600), "limit": np.array([500.0])}
    figure = of_finding(PhotonFinding(PhotonFault.SATURATED, arrays=arrays))
    assert [rule.at for rule in figure.rules] == pytest.approx([5000.0])

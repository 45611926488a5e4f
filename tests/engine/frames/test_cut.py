"""Values along a line: a plane is read exactly, a copy of the noise by Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.frames.cut import cut_values, plan_cut
from ifuview.errors import FitError

SHAPE = (40, 60)
yy, xx = np.indices(SHAPE, float)


def cut(data, start, stop, width=1, variance=None):
    plan = plan_cut(start, stop, width, SHAPE)
    return plan, *cut_values(plan, data[plan.y, plan.x], None if variance is None else variance[plan.y, plan.x])


@pytest.mark.parametrize("stop", [(50.0, 5.5), (10.5, 35.0), (48.7, 30.2), (3.0, 3.0)])
@pytest.mark.parametrize("width", [1, 4, 5])
def test_a_plane_is_read_exactly_at_any_angle(stop, width):
    start = (10.5, 5.5)
    plan, value, error = cut(3 * xx - 2 * yy + 7, start, stop, width)
    share = plan.distance / plan.distance[-1]
    truth = 3 * (start[0] + share * (stop[0] - start[0])) - 2 * (start[1] + share * (stop[1] - start[1])) + 7
    np.testing.assert_allclose(value, truth, atol=1e-9)
    assert error is None
    assert plan.distance[-1] == pytest.approx(np.hypot(stop[0] - start[0], stop[1] - start[1]))


@pytest.mark.parametrize("width", [1, 3])
def test_errors_are_exact(width):
    """2000 copies of the noise scatter by the error within 1.6 %; the largest of 30 steps is off by less than 7."""
    rng = np.random.default_rng(4)
    variance = 1 + xx / 10
    start, stop = (12.3, 8.1), (36.0, 27.9)
    plan = plan_cut(start, stop, width, SHAPE)
    noise = rng.normal(0, 1, (2000, plan.x.size)) * np.sqrt(variance[plan.y, plan.x])
    got = np.array([cut_values(plan, each)[0] for each in noise]).std(axis=0)
    error = cut_values(plan, noise[0], variance[plan.y, plan.x])[1]
    np.testing.assert_allclose(got, error, rtol=0.07)
    assert np.median(got / error) == pytest.approx(1.0, abs=0.01)


def test_what_is_not_known_is_left_out_or_said():
    data, variance = np.full(SHAPE, 5.0), np.ones(SHAPE)
    data[:, 30:33] = np.nan
    variance[:, 40] = np.inf
    _, value, error = cut(data, (20.0, 10.0), (50.0, 10.0), 1, variance)
    lost = np.isnan(value)
    np.testing.assert_array_equal(np.flatnonzero(lost), [10, 11, 12, 20])
    np.testing.assert_array_equal(np.isnan(error), lost)
    assert set(value[~lost]) == {5.0}
    outside = cut(data, (50.0, 10.0), (80.0, 10.0))[1]
    assert np.isnan(outside[11:]).all()
    assert np.isfinite(outside[:9]).all()


def test_lines_that_are_none_are_refused():
    with pytest.raises(FitError, match="shorter"):
        plan_cut((1.0, 1.0), (1.2, 1.0), 1, SHAPE)
    with pytest.raises(FitError, match="does not touch"):
        plan_cut((100.0, 1.0), (120.0, 1.0), 1, SHAPE)

"""Points that are far apart are points of a curve."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.io.traces.points import Points, traces_from_points


@pytest.mark.parametrize("step", [16, 64])
def test_a_bent_trace_between_points_is_a_curve(step):
    column = np.arange(4096.0)
    u = 2 * column / 4095 - 1
    path = 2000 + 12 * u**2 + 4 * u**3
    x = np.unique(np.append(column[::step], 4095.0))
    points = [Points(name, x, np.interp(x, column, path) + d, None) for name, d in (("1", 0.0), ("2", 8.0))]
    center = traces_from_points(points, "a.csv", (4096, 4096), None).center
    assert np.abs(center[0] - path).max() < 1e-3
    assert np.abs(center[1] - path - 8).max() < 1e-3

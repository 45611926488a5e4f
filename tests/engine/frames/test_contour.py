"""Contours lie where the value is the level, in the pixels of the image that they were made from."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.frames.contour import contours, levels_above, levels_between

yy, xx = np.indices((80, 100), float)
CENTER = (42.0, 31.0)
radius = np.hypot(xx - CENTER[0], yy - CENTER[1])


@pytest.mark.parametrize("coarse", [1, 2])
def test_circles_are_found_where_they_are(coarse):
    """A cone has a circle at each level; straight pieces across a pixel miss it by less than 1/8 px over its radius."""
    cone = (50 - radius).reshape(80 // coarse, coarse, 100 // coarse, coarse).mean(axis=(1, 3))
    lines = contours(cone, (30.0, 40.0), (coarse, coarse))
    assert len(lines) == 2
    for line, truth in zip(lines, (10.0, 20.0)):
        got = np.hypot(line[:, 0] - CENTER[0], line[:, 1] - CENTER[1])
        assert np.abs(got - truth).max() < 0.05 * coarse**2


def test_lines_end_where_nothing_is_known():
    cone = 50 - radius
    cone[:, 42:] = np.nan
    lines = contours(cone, (30.0,))
    assert all(line[:, 0].max() <= 41 for line in lines)


def test_levels_follow_the_noise_and_not_the_source():
    rng = np.random.default_rng(0)
    image = rng.normal(100, 4, (200, 200))
    image[50:60, 50:60] += 1000
    levels = levels_above(image)
    assert levels[0] == pytest.approx(112, abs=0.5)  # 3 sigma of 4
    assert levels[1] - 100 == pytest.approx(2 * (levels[0] - 100), rel=0.02)
    assert levels[-1] < image.max()
    assert levels_above(np.full((5, 5), np.nan)) == ()
    assert levels_above(np.full((5, 5), 3.0)) == ()
    assert levels_between(0.0, 6.0) == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert levels_between(3.0, 3.0) == ()

"""Lines of the grid lie where the sky has their values."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.app.frames.sky import grid, maps
from tests.app.frames.sky.test_maps import KINDS, NX, NY, SCALE, cards, image

BOX = (-0.5, -0.5, NX - 0.5, NY - 0.5)


def value(words: str, hours: bool) -> float:
    """Degrees of a label."""
    for mark in "hm°′s″":
        words = words.replace(mark, " ")
    parts = [float(v) for v in words.split()]
    total = sum(abs(v) / 60**n for n, v in enumerate(parts))
    return (15 if hours else 1) * total * (-1 if words.strip().startswith("-") else 1)


@pytest.mark.parametrize("name", [*KINDS, "tan", "at 0h"])
@pytest.mark.parametrize("sexagesimal", [False, True])
def test_every_vertex_has_the_value_of_its_label(name, sexagesimal):
    header = {"tan": cards(), "at 0h": cards(CRVAL1=359.999)}.get(name) or KINDS[name]
    one = image(header)
    sky = maps.quick(one) or maps.make(one, "")
    found = grid.lines(sky, BOX, sexagesimal)
    for meridian in (True, False):
        some = [line for line in found if line.meridian is meridian]
        assert 3 <= len(some) <= 9
        for line in some:
            inside = (line.x > 0) & (line.x < NX) & (line.y > 0) & (line.y < NY)
            assert inside.any()
            for x, y in zip(line.x[inside][::5], line.y[inside][::5]):
                ra, dec = sky.read(x, y)
                words = value(line.label, sexagesimal and meridian)
                if sexagesimal is False:
                    words = float(line.label.rstrip("°"))
                off = (ra - words + 180) % 360 - 180 if meridian else dec - words
                assert off * np.cos(np.deg2rad(dec)) == pytest.approx(0, abs=0.02 * SCALE + sky.error * SCALE)


def test_the_pole_in_view_has_meridians_all_around():
    sky = maps.quick(image({**cards(CRVAL2=89.999)}))
    found = grid.lines(sky, BOX, False)
    assert {line.label for line in found if line.meridian} >= {"0°", "100°", "200°", "300°"}


def test_steps_are_round_and_labels_have_no_more_digits_than_they_need():
    assert grid.step_of(0.6, False, 1.0) == pytest.approx(0.1)
    assert grid.step_of(0.6, True, 1.0) * 3600 == pytest.approx(600)
    assert grid.step_of(1.0, True, 15.0) * 240 == pytest.approx(60)
    assert grid.label(-12.5, 0.1, False) == "-12.5°"
    assert grid.label(187.5, 0.25, True, hours=True) == "12h30m"
    assert grid.label(-0.5025, 1 / 3600, True) == "-00°30′09″"

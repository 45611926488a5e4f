"""Places in words lie where the pixels of the file lie, in each of the eight orientations."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from ifuview.model.orientation import CANONICAL, Orientation

NATIVE = (40, 60)  # rows, columns
EVERY = list(itertools.product((False, True), repeat=3))


@pytest.mark.parametrize("flags", EVERY)
def test_words_and_pixels_say_the_same(flags):
    """A mark at canonical (5, 7) is found in the native image at the row and column that the words name."""
    orientation = Orientation(*flags)
    canonical = np.zeros(orientation.shape(NATIVE))
    canonical[5, 7] = 1
    image = np.zeros(NATIVE)
    orientation.to_canonical(image)[5, 7] = 1
    y, x = (int(v[0]) for v in np.nonzero(image))
    words = orientation.words(NATIVE)
    named = dict(re.fullmatch(r"(row|column) (\d+)", w).groups() for w in (words.along(7), words.across(5)))
    assert (int(named["row"]), int(named["column"])) == (y, x)


@pytest.mark.parametrize("flags", EVERY)
def test_light_above_a_trace_lies_where_the_words_say(flags):
    orientation = Orientation(*flags)
    here, there = (orientation.to_native(cross, 7, NATIVE) for cross in (5, 6))
    step = {"x": float(there[0] - here[0]), "y": float(there[1] - here[1])}
    size, axis = orientation.words(NATIVE).side(0.3).split()
    assert step[axis] == (1 if size == "larger" else -1)
    assert orientation.words(NATIVE).side(-0.3) != f"{size} {axis}"


def test_ranges_count_upwards():
    words = Orientation(transpose=True, flip_disp=True).words(NATIVE)
    assert words.along(3, 9) == "rows 30 to 36" and words.between(3, 9) == "between rows 30 and 36"
    assert CANONICAL.along(3, 9) == "columns 3 to 9" and CANONICAL.across(4) == "row 4"

"""The fast median is numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.numeric.medians import known_medians, median

SHAPES = [
    ((2001,), 0), ((2000,), None), ((7,), None), ((8,), None), ((1,), None), ((3, 4), None),
    ((50, 41), 1), ((50, 40), 0), ((30, 7, 20), 1), ((30, 8, 20), 2), ((40, 40), -1),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("keepdims", [False, True])
def test_it_is_the_median_of_numpy(shape, axis, kind, keepdims):
    values = np.random.default_rng(1).normal(size=shape).astype(kind)
    before = values.copy()
    own, theirs = median(values, axis, keepdims), np.median(values, axis=axis, keepdims=keepdims)
    np.testing.assert_array_equal(own, theirs)
    assert (own.dtype, own.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_array_equal(values, before)


def test_what_is_unknown_or_infinite_is_as_numpy_has_it():
    values = np.random.default_rng(2).normal(size=(40, 41))
    values[3, 5], values[7, 9] = np.nan, np.inf
    np.testing.assert_array_equal(median(values, 1), np.median(values, axis=1))
    assert median(np.arange(2000), 0) == 999.5


def test_medians_of_rows_are_of_what_counts_in_each():
    rng = np.random.default_rng(3)
    values, known = rng.normal(size=(6, 50)), rng.random((6, 50)) < 0.7
    known[2], values[3, 4] = False, np.nan
    known[3, 4] = False
    expected = [np.median(v[k]) if k.any() else -1.0 for v, k in zip(values, known, strict=True)]
    np.testing.assert_array_equal(known_medians(values, known, -1.0), expected)

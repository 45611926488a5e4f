"""Rows of fiber tables matched by identifiers."""

from __future__ import annotations

import numpy as np

from ifuview.model.fibers import match, take


def test_rows_are_found_by_value():
    assert match(np.array([3, 9, 1]), np.array([1, 2, 3, 3])).tolist() == [2, -1, 0]
    assert match(np.array([3]), np.array([], dtype=int)).tolist() == [-1]
    assert match(np.array([], dtype=int), np.array([3])).size == 0


def test_large_identifiers_are_not_rounded():
    base = 39_627_652_809_627_000
    assert match(np.array([base + 1]), np.array([base, base + 1, base + 2])).tolist() == [1]


def test_what_has_no_partner_is_unknown():
    index = np.array([1, -1])
    assert np.array_equal(take(np.array([5.0, 6.0]), index), [6.0, np.nan], equal_nan=True)
    assert np.array_equal(take(np.array([5, 6]), index), [6.0, np.nan], equal_nan=True)
    assert take(np.array(["a", "b"]), index).tolist() == ["b", ""]
    large = np.array([1, 39_627_652_809_627_001])
    assert take(large, index).tolist() == [39_627_652_809_627_001, 0]
    assert np.isnan(take(np.empty(0), index)).all()

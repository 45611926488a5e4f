"""Blocks of photons joined, ordered and cut; what a source says it can."""

from __future__ import annotations

import numpy as np

from ifuview.engine.photons.counting.timemask import Masked
from ifuview.model.photons.lists import (
    IndexedPhotons,
    MaskedPhotons,
    PhotonBlock,
    PhotonSource,
    SortedColumns,
)
from ifuview.model.photons.masks import TimeMask
from ifuview.simulate.photons.lists import simulate_photons


def block(*rows, weight=True):
    """A block of (resonator, time, value, weight) rows."""
    which, time, value, weights = (np.array(column) for column in zip(*rows))
    return PhotonBlock(which.astype("i4"), time.astype("u4"), value.astype("f4"), weights if weight else None)


FIRST, SECOND = block((0, 9, 1.5, 0.5), (3, 2, 2.5, 1.0)), block((0, 4, 3.5, 2.0))


def test_blocks_are_joined_one_after_another():
    found = PhotonBlock.join([FIRST, SECOND])
    assert found.time.tolist() == [9, 2, 4]
    assert found.value.tolist() == [1.5, 2.5, 3.5]
    assert found.weight.tolist() == [0.5, 1.0, 2.0]


def test_a_column_that_one_block_lacks_is_left_out():
    assert PhotonBlock.join([FIRST, SECOND._replace(weight=None)]).weight is None
    assert PhotonBlock.join([FIRST._replace(value=None), SECOND]).value is None


def test_no_blocks_are_no_photons():
    found = PhotonBlock.join([], weight=True)
    assert [len(column) for column in found] == [0, 0, 0, 0]
    assert (found.resonator.dtype, found.time.dtype) == (np.int32, np.uint32)
    assert PhotonBlock.join([]).weight is None


def test_photons_come_by_resonator_and_time_and_ties_keep_their_order():
    mixed = PhotonBlock.join([FIRST, SECOND, block((0, 4, 7.0, 3.0))])
    found = mixed.ordered()
    assert found.time.tolist() == [4, 4, 9, 2]
    assert found.value.tolist() == [3.5, 7.0, 1.5, 2.5]
    assert found.ordered() is found


def test_only_the_columns_asked_for_are_given():
    assert FIRST.columns(value=False, weight=True)[2:] == (None, FIRST.weight)
    assert FIRST.columns(value=True, weight=False)[2:] == (FIRST.value, None)


def test_a_source_says_what_it_can():
    photons, _ = simulate_photons((6, 5), duration=0.2)
    masked = Masked(photons, TimeMask(np.array([0]), np.array([50_000])))
    assert isinstance(photons, PhotonSource) and isinstance(masked, PhotonSource)
    assert isinstance(masked, MaskedPhotons) and not isinstance(photons, MaskedPhotons)
    assert not isinstance(photons, SortedColumns) and not isinstance(photons, IndexedPhotons)

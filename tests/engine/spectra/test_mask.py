"""What is not used grows from samples to fibers, columns and amplifiers, each with its reason."""

from __future__ import annotations

import numpy as np

from ifuview.engine.spectra.mask import MaskBlock, total_mask
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit

SHAPE = (40, 100)
GOOD = (MaskBlock(0, 20, 2.5), MaskBlock(20, 40, 2.5))


def _total(mask=None, response=None, dead=None, blocks=GOOD):
    return total_mask(
        np.zeros(SHAPE, np.uint32) if mask is None else mask, np.ones(SHAPE) if response is None else response,
        np.zeros(SHAPE[0], bool) if dead is None else dead, blocks,
    )  # fmt: skip


def _has(found, bit: ReductionBit) -> np.ndarray:
    return (found.mask & int(bit)) != 0


def test_clean_spectra_stay_clean() -> None:
    found = _total()
    assert not found.mask.any() and found.reasons == ("", "")


def test_a_misfit_takes_two_columns_on_either_side() -> None:
    mask = np.zeros(SHAPE, np.uint32)
    mask[5, 50] = int(ReductionBit.CHI2)
    assert np.flatnonzero(_has(_total(mask), ReductionBit.CHI2)[5]).tolist() == [48, 49, 50, 51, 52]


def test_low_and_dead_fibers_are_told_apart_and_both_left_out() -> None:
    response = np.ones(SHAPE)
    response[3], response[7], response[9] = 0.33, 0.01, 0.0
    found = _total(response=response)
    assert np.flatnonzero(_has(found, ReductionBit.LOW_FIBER).all(axis=1)).tolist() == [3]
    assert np.flatnonzero(_has(found, ReductionBit.DEAD_FIBER).all(axis=1)).tolist() == [7, 9]
    assert (found.mask[[3, 7, 9]] & int(UNUSABLE)).all()


def test_too_much_lost_takes_the_fiber_the_column_and_the_amplifier() -> None:
    mask = np.zeros(SHAPE, np.uint32)
    mask[2, :25] = int(ReductionBit.COSMIC)
    mask[20:26, 60] = int(ReductionBit.BAD)
    found = _total(mask)
    assert _has(found, ReductionBit.FIBER)[2].all() and not _has(found, ReductionBit.FIBER)[3].any()
    assert _has(found, ReductionBit.COLUMN)[20:, 60].all() and not _has(found, ReductionBit.COLUMN)[:20].any()
    mask[:20, :30] = int(ReductionBit.NO_DATA)
    assert "30 %" not in found.reasons[0] and "%" in _total(mask).reasons[0]


def test_noise_and_problems_of_an_amplifier_are_its_reason() -> None:
    found = _total(blocks=(MaskBlock(0, 20, 20.0), MaskBlock(20, 40, 2.5, "all zero")))
    assert "20.0" in found.reasons[0] and found.reasons[1] == "all zero"
    assert _has(found, ReductionBit.AMPLIFIER).all()


def test_light_bleeds_into_the_neighbors_of_a_saturated_fiber_of_the_same_amplifier() -> None:
    mask = np.zeros(SHAPE, np.uint32)
    mask[19, 40] = int(ReductionBit.SATURATED)
    assert np.flatnonzero(_has(_total(mask), ReductionBit.SATURATED)[:, 40]).tolist() == [17, 18, 19]

"""Images and their pixels."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.errors import FileFormatError
from ifuview.model.image import Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels


def test_an_unsigned_mask_that_fits_stores_with_an_offset_has_no_bit_set() -> None:
    stored = np.full((3, 4), -(2**31), ">i4")
    stored[1, 2] += 5
    image = Image("a", Kind.RSS, Pixels(np.zeros((3, 4), np.float32)), mask=Pixels(stored, zero=2.0**31))
    assert image.mask is not None
    assert np.count_nonzero(image.mask.raw) == 1
    assert int(image.mask.raw[1, 2]) == 5


def test_blank_becomes_nan_and_scaling_is_applied_where_it_is_looked_at() -> None:
    pixels = Pixels(np.array([[1, 2], [-99, 4]], ">i2"), scale=0.5, zero=10.0, blank=-99)
    np.testing.assert_array_equal(pixels.native(), np.array([[10.5, 11.0], [np.nan, 12.0]], np.float32))
    assert np.isnan(pixels.value(1, 0))
    assert pixels.value(0, 1) == 11.0


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(FileFormatError, match="no pixels"):
        Image("a", Kind.IMAGE, Pixels(np.zeros((0, 4))))


@pytest.mark.parametrize("turn", [Orientation(), Orientation(True), Orientation(True, True, False),
                                  Orientation(False, True, True)])  # fmt: skip
def test_orientation_goes_there_and_back(turn: Orientation) -> None:
    native = np.arange(12).reshape(3, 4)
    canonical = turn.to_canonical(native)
    assert canonical.shape == turn.shape((3, 4))
    for y in range(3):
        for x in range(4):
            cross, disp = turn.from_native(x, y, (3, 4))
            assert canonical[cross, disp] == native[y, x]
            assert turn.to_native(cross, disp, (3, 4)) == (x, y)

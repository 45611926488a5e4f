from __future__ import annotations

import numpy as np
import pytest

from ifuview.app.frames.views import sampling
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from tests.app.frames.views import made

EVERY = [Orientation(t, c, d) for t in (False, True) for c in (False, True) for d in (False, True)]


@pytest.mark.parametrize("orientation", EVERY)
def test_cuts_are_canonical_in_every_orientation(orientation):
    slot = made.detector(orientation=orientation)
    truth = made.canonical_image()
    assert np.array_equal(sampling.across(slot, 77, 10, 40), truth[10:40, 77])
    assert np.array_equal(sampling.along(slot, 33), truth[33])


@pytest.mark.parametrize("orientation", EVERY)
def test_fiber_and_wavelength_are_found_in_every_orientation(orientation):
    slot = made.detector(orientation=orientation)
    x, y = orientation.to_native(round(made.centers()[5, 100]), 100, slot.image.shape)
    cross, disp = sampling.canonical_at(slot, float(x), float(y))
    row = sampling.fiber_at(slot, cross, disp)
    assert (row, disp) == (5, 100)
    assert sampling.fiber_name(slot, row) == "505"
    assert sampling.wavelength_at(slot, row, disp) == made.WAVE0 + 100 * made.DWAVE


def test_nothing_is_found_outside_the_image():
    slot = made.detector()
    for x, y in ((-0.6, 5), (5, made.NCROSS - 0.4), (None, 3), (float("nan"), 3)):
        assert sampling.pixel_at(slot, x, y) is None
    assert sampling.pixel_at(slot, -0.4, made.NCROSS - 0.6) == (0, made.NCROSS - 1)


def test_running_median_takes_out_a_cosmic_ray():
    slot = made.detector()
    image = made.canonical_image()
    image[40, 100] = 1e6
    slot = made.replace_pixels(slot, image)
    assert sampling.across(slot, 100, 40, 41)[0] == 1e6
    assert sampling.across(slot, 100, 40, 41, 5)[0] == np.median(image[40, 98:103])
    assert sampling.across(slot, 0, 40, 41, 5)[0] == np.median(image[40, 0:5])


@pytest.mark.parametrize("shape", [(1, 7), (7, 1), (3, 5), (500, 2326), (2326, 500), (1, 100_000)])
def test_a_sample_is_finite_and_of_the_asked_size(shape):
    data = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
    data[0, 0] = np.nan
    values = sampling.sample(Pixels(data), 10_000)
    assert np.isfinite(values).all()
    assert min(data.size - 1, 5_000) <= values.size <= 12_000


def test_a_sample_sees_all_columns_of_a_frame_twice_the_stride():
    rng = np.random.default_rng(3)
    data = np.tile(rng.normal(size=2326) * 10, (500, 1)).astype(np.float32)  # structure along x alone
    values = sampling.sample(Pixels(data), 40_000)
    assert abs(values.std() / data.std() - 1) < 0.05

"""All sky fibers of a frame together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.session import Selection, Session
from ifuview.app.spectra.views import sky
from ifuview.model.pixels import Pixels
from tests.app.frames.views import made


@pytest.fixture
def view():
    return sky.make(made.session(2))


def test_only_row_stacked_spectra_have_sky_fibers(view):
    assert view is not None
    assert sky.make(made.session(1)) is None
    assert sky.make(Session()) is None


def test_the_sky_fibers_are_those_of_the_fiber_table(view):
    found = sky.bundle(view, sky.SKY)
    assert found.rows.tolist() == [0, 3, 6, 9]
    assert found.flux.shape == (4, view.slot.image.shape[1])
    assert "4 sky fibers" in found.title


def test_rebinning_takes_the_mean_of_the_good_samples():
    values = np.array([[1.0, 3.0, np.nan, 5.0, 7.0], [np.nan, np.nan, 2.0, 4.0, 9.0]])
    assert np.array_equal(sky.means(values, 2), [[2.0, 5.0], [np.nan, 3.0]], equal_nan=True)


def test_the_median_leaves_out_what_is_unknown():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(50, 31))
    values[rng.random(values.shape) < 0.4] = np.nan
    values[7] = np.nan
    found = sky.median_of_good(values)
    assert np.isnan(found[7])
    good = np.delete(np.arange(50), 7)
    assert np.allclose(found[good], np.nanmedian(values[good], axis=1))


def test_masked_samples_are_no_light(view):
    slot = view.slot
    ivar = np.ones(slot.image.shape, np.float32)
    ivar[3, 5] = 0
    slot = replace(slot, image=replace(slot.image, ivar=Pixels(ivar)))
    found = sky.bundle(replace(view, slot=slot), sky.SKY)
    assert np.isnan(found.flux[1, 5])
    assert np.isfinite(found.median).all()


def test_other_fibers_are_chosen_or_missed_in_words(view):
    assert sky.bundle(view, sky.ALL).rows.size == made.NFIBER
    assert sky.bundle(view, sky.TYPED, text="502:504,509").rows.tolist() == [2, 3, 9]
    assert sky.bundle(view, sky.TYPED, text="900") is None
    assert "no fiber 900" in sky.rows_of(view, sky.TYPED, "900")[1]
    assert sky.bundle(view, sky.STANDARD) is None
    assert "standard" in sky.rows_of(view, sky.STANDARD)[1]
    session = replace(made.session(2), selection=Selection(2, None, None, (2, 4)))
    assert sky.bundle(sky.make(session), sky.SELECTED).rows.tolist() == [2, 4]


def test_a_click_means_the_nearest_curve(view):
    found = sky.bundle(view, sky.SKY)
    x, y = float(found.x[2, 50]), float(found.flux[2, 50])
    assert sky.nearest(found, x, y) == 2
    assert "Fiber 506" in sky.describe(found, view, 2, x)
    lo, hi = sky.vertical_range(found)
    assert lo < found.flux.min()
    assert hi > found.flux.max()


def test_curves_of_one_color_are_one_line_with_gaps(view):
    found = sky.bundle(view, sky.ALL, 4)
    lines = [sky.joined(found, group) for group in range(sky.GROUPS)]
    assert sum(np.isnan(flux).sum() for _, flux in lines) == made.NFIBER
    assert all(x.shape == flux.shape for x, flux in lines)


def test_chosen_fibers_are_seen_against_the_others(view):
    """A dip of the chosen ones: both medians, and a range in which their difference fills much of the plot."""
    image = view.slot.image
    flux = np.full(image.shape, 100.0, np.float32) + np.random.default_rng(3).normal(0, 8.0, image.shape)
    chosen, dip = (1, 2, 4, 5, 7), slice(20, 60)
    flux[list(chosen), dip] -= 30.0
    flux[8] = 1e4  # a bright star flattens nothing
    slot = replace(view.slot, image=replace(image, pixels=Pixels(flux.astype(np.float32)), ivar=None, mask=None))
    found = sky.bundle(replace(view, slot=slot, fibers=chosen), sky.SELECTED)
    assert np.median((found.median - found.others)[dip]) == pytest.approx(-30.0, abs=3.0)  # 8 / sqrt(40) and few fibers
    drawn = sky.figure(found, median=True)
    low, high = drawn.y.range
    assert 30.0 / (high - low) > 0.25
    assert "dashed" in found.title and [c.stroke for c in drawn.curves].count("dashed") == 1
    assert sky.bundle(view, sky.SKY).others is None

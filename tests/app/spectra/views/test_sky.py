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

"""Apertures, light curves, spectra, histograms and intervals."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.photons.counting import binned
from ifuview.engine.photons.counting.aperture import box, circle, circle_overlap, pixel
from ifuview.engine.photons.counting.cube import count_cube, energy_edges
from ifuview.engine.photons.counting.image import count_image
from ifuview.engine.photons.counting.lightcurve import light_curve
from ifuview.engine.photons.counting.spectrum import photon_spectrum
from ifuview.engine.photons.statistics.intensity import intensity_histogram
from ifuview.engine.photons.statistics.interarrival import interval_histogram
from ifuview.errors import UsageError
from ifuview.model.photons.images import BinAxis
from ifuview.model.photons.lists import PhotonColumn, PhotonCut
from tests.engine.photons.lists import made, reference


@pytest.fixture(scope="module")
def steady():
    rates = np.full((9, 11), 20.0)
    rates[4, 5] = 500.0
    return made(rates)


def test_the_reference_light_curve_is_the_truth(shared_data):
    science = reference(shared_data / "mkid/science.h5")
    truth = np.load(shared_data / "mkid/truth.npz")
    spot = pixel(science.info.beammap, *truth["light_pixel"])
    curve = light_curve(science, spot)
    np.testing.assert_array_equal(curve.counts, truth["light_curve_10ms"])
    assert curve.counts.dtype == np.int64
    np.testing.assert_array_equal(curve.variance, curve.counts)
    x, y = truth["light_pixel"]
    spectrum = photon_spectrum(science, spot, edges=truth["cube_edges"])
    np.testing.assert_array_equal(spectrum.counts, truth["cube"][:, x, y])


@pytest.mark.parametrize("x, y, radius", [(4.0, 5.0, 0.3), (4.2, 4.7, 1.0), (4.5, 4.5, 2.5), (3.1, 4.9, 3.3)])
def test_the_overlap_is_the_area_of_the_circle(x, y, radius):
    area = circle_overlap((10, 10), x, y, radius)
    assert area.sum() == pytest.approx(np.pi * radius**2, rel=1e-12)
    fine = (np.arange(2000) + 0.5) / 200 - 0.5
    inside = (fine[None, :] - x) ** 2 + (fine[:, None] - y) ** 2 < radius**2
    sampled = inside.reshape(10, 200, 10, 200).mean(axis=(1, 3))
    np.testing.assert_allclose(area, sampled, atol=0.004)


def test_an_aperture_over_the_border_loses_area(steady):
    spot = circle(steady.info.beammap, 0, 4, 2)
    assert spot.dropped == pytest.approx(np.pi * 4 - spot.area)
    assert spot.dropped > 3


def test_a_box_has_both_ends_and_leaves_flagged_pixels_out():
    flags = np.zeros((4, 4), np.uint64)
    flags[1, 1] = 1
    photons = made(np.full((4, 4), 10.0), flags=flags)
    found = box(photons.info.beammap, 2, 2, 0, 1, ("pixcal.hot",))
    assert found.area == 5
    assert found.dropped == 1
    curve = light_curve(photons, found, width=0.1)
    image = count_image(photons, PhotonCut())
    assert curve.counts.sum() == image.counts[1:3, 0:3].sum()


def test_the_background_is_subtracted_with_its_error(steady):
    spot = circle(steady.info.beammap, 5, 4, 1.2, inner=2, outer=4)
    curve = light_curve(steady, spot, width=0.1)
    assert curve.net.mean() * 10 == pytest.approx(480, abs=5 * np.sqrt(600 / 10))
    expected = np.sqrt(curve.variance.mean() + curve.background_variance.mean())
    assert curve.net.std() == pytest.approx(expected, rel=0.25)
    spectrum = photon_spectrum(steady, spot, edges=energy_edges(700, 1500, nbin=8))
    assert spectrum.rate.sum() == pytest.approx(480, abs=5 * np.sqrt(600 / 10))


def test_many_resonators_are_passed_in_blocks_with_the_same_result(steady, monkeypatch):
    spot = circle(steady.info.beammap, 5, 4, 3.3, inner=3.5, outer=4.5)
    one = light_curve(steady, spot, PhotonCut(low=800, high=1400), width=0.1)
    monkeypatch.setattr(binned, "FEW", 0)
    other = light_curve(steady, spot, PhotonCut(low=800, high=1400), width=0.1)
    np.testing.assert_allclose(one.counts, other.counts, rtol=1e-12)
    np.testing.assert_allclose(one.background, other.background, rtol=1e-12)


def test_light_curve_and_cube_agree_under_a_cut(steady):
    cut = PhotonCut(start=2, stop=5, low=900, high=1200)
    curve = light_curve(steady, box(steady.info.beammap, 0, 0, 10, 8), cut, edges=np.linspace(0, 10, 11))
    cube = count_cube(steady, BinAxis.TIME, np.linspace(0, 10, 11), cut)
    np.testing.assert_array_equal(curve.counts, cube.counts.sum(axis=(1, 2)))
    np.testing.assert_allclose(curve.exposure, [0, 0, 1, 1, 1, 0, 0, 0, 0, 0])
    assert np.isnan(curve.rate[0])


def test_phases_have_a_spectrum_too():
    photons = made(np.full((2, 2), 100.0), column=PhotonColumn.PHASE)
    spectrum = photon_spectrum(photons, pixel(photons.info.beammap, 1, 1))
    assert spectrum.axis is BinAxis.PHASE
    assert spectrum.counts.sum() == np.count_nonzero(photons.resonator == 3)


def test_steady_light_is_poisson(steady):
    curve = light_curve(steady, pixel(steady.info.beammap, 5, 4))
    found = intensity_histogram(curve)
    assert found.histogram.sum() == 1000
    assert found.mean == pytest.approx(5, abs=0.3)
    poisson, _, likely = found.curves
    assert poisson.expected.sum() == pytest.approx(1000, rel=0.01)
    assert likely.ic + likely.is_ == pytest.approx(found.mean * 100, rel=0.01)
    assert likely.is_ < 60


def test_intervals_of_steady_light_are_exponential(steady):
    found = interval_histogram(steady, box(steady.info.beammap, 4, 3, 6, 5))
    assert found.counts.sum() == pytest.approx(found.expected.sum(), abs=2)
    usable = found.expected > 10
    chi2 = np.sum((found.counts - found.expected)[usable] ** 2 / found.expected[usable])
    assert chi2 < usable.sum() + 5 * np.sqrt(2 * usable.sum())
    assert found.shorter > 0  # the made list has no dead time


@pytest.mark.parametrize("length", [0.05, 0.2, 1.0])
def test_the_rate_of_a_short_time_range_is_that_of_its_photons(length):
    photons = made(np.full((20, 20), 35.0))
    cut = PhotonCut(start=3.0, stop=3.0 + length)
    every = box(photons.info.beammap, 0, 0, 19, 19)
    found = interval_histogram(photons, every, cut, dead_time=0.0)
    number = count_image(photons, cut).counts.sum()
    assert found.rate == pytest.approx(number / length / 400, rel=1e-9)
    usable = found.expected > 5
    chi2 = np.sum((found.counts - found.expected)[usable] ** 2 / found.expected[usable])
    assert chi2 < usable.sum() + 5 * np.sqrt(2 * usable.sum())
    assert found.expected.sum() == pytest.approx(found.counts.sum(), rel=0.02)
    one = interval_histogram(photons, pixel(photons.info.beammap, 0, 0), PhotonCut(start=3.0, stop=3.01))
    assert one.rate >= 0


def test_pixels_that_do_not_exist_are_refused(steady):
    beammap = steady.info.beammap
    with pytest.raises(UsageError, match="outside the array"):
        pixel(beammap, 11, 0)
    with pytest.raises(UsageError, match="no usable pixel"):
        box(beammap, 20, 20, 30, 30)
    with pytest.raises(UsageError, match="radius"):
        circle(beammap, 5, 5, 0)
    with pytest.raises(UsageError, match="annulus"):
        circle(beammap, 5, 5, 1, inner=3, outer=2)
    with pytest.raises(UsageError, match="wider"):
        light_curve(steady, pixel(beammap, 1, 1), width=1e-7)


def test_a_list_that_does_not_say_how_long_it_is_is_as_long_as_its_photons(steady):
    from dataclasses import replace

    from ifuview.engine.photons.counting.cut import check

    unknown = replace(steady, info=replace(steady.info, duration=0.0))
    check(unknown.info, PhotonCut(start=1, stop=90))
    assert count_image(unknown).stop == 10
    spot = pixel(unknown.info.beammap, 5, 4)
    curve = light_curve(unknown, spot, width=1.0)
    np.testing.assert_array_equal(curve.counts, light_curve(steady, spot, width=1.0).counts)
    assert photon_spectrum(unknown, spot).exposure[0] == 10
    assert count_cube(unknown, BinAxis.WAVE, [700, 1500]).image.exposure == 10

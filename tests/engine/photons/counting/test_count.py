"""Images and cubes: equal to the truth of the reference file, and to numpy on made lists."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.photons.counting.cube import (
    count_cube,
    default_edges,
    energy_edges,
    phase_edges,
    resolution_edges,
    time_edges,
)
from ifuview.engine.photons.counting.cut import check
from ifuview.engine.photons.counting.image import count_image
from ifuview.errors import UsageError
from ifuview.model.photons.images import BinAxis
from ifuview.model.photons.lists import Beammap, PhotonBlock, PhotonColumn, PhotonCut, PhotonList
from tests.engine.photons.lists import made, reference

EVERYTHING = PhotonCut(exclude=())


class InPieces:
    """The photons of a list in small blocks that share one buffer, in another order."""

    def __init__(self, whole: PhotonList, size: int = 1000) -> None:
        self.whole, self.info, self.size = whole, whole.info, size

    def blocks(self, *, value=True, weight=False, ctx=None):
        order = np.random.default_rng(0).permutation(len(self.whole.time))
        buffer = [np.empty(self.size, a.dtype) for a in (self.whole.resonator, self.whole.time, self.whole.value)]
        for first in range(0, len(order), self.size):
            rows = order[first : first + self.size]
            for target, column in zip(buffer, (self.whole.resonator, self.whole.time, self.whole.value)):
                target[: len(rows)] = column[rows]
            now = [b[: len(rows)] for b in buffer]
            yield PhotonBlock(now[0], now[1], now[2] if value else None, None)


@pytest.fixture(scope="module")
def science(shared_data):
    return reference(shared_data / "mkid/science.h5")


@pytest.fixture(scope="module")
def truth(shared_data):
    return np.load(shared_data / "mkid/truth.npz")


def test_the_reference_image_is_the_truth(science, truth):
    image = count_image(science, EVERYTHING)
    np.testing.assert_array_equal(image.counts, truth["counts"].T)
    np.testing.assert_array_equal(image.variance, truth["counts"].T)
    np.testing.assert_array_equal(science.info.beammap.flags, truth["flags"].T)
    assert (image.photons, image.total, image.npixel_excluded) == (2044091, 2044091, 0)
    assert (image.start, image.stop, image.exposure) == (0, 30, 30)


def test_the_reference_cube_is_the_truth(science, truth):
    cube = count_cube(science, BinAxis.WAVE, truth["cube_edges"], EVERYTHING)
    np.testing.assert_array_equal(cube.counts, truth["cube"].transpose(0, 2, 1))
    assert cube.image.photons == truth["cube"].sum()
    np.testing.assert_array_equal(cube.image.counts, cube.counts.sum(axis=0))


def test_a_wavelength_range_is_the_plane_of_a_cube(science, truth):
    for plane, (low, high) in enumerate(zip(truth["cube_edges"], truth["cube_edges"][1:])):
        image = count_image(science, PhotonCut(low=low, high=high, exclude=()))
        np.testing.assert_array_equal(image.counts, truth["cube"][plane].T)


def test_time_planes_add_up_to_the_image(science, truth):
    cube = count_cube(science, BinAxis.TIME, time_edges(0, 30, nbin=90), EVERYTHING)
    np.testing.assert_array_equal(cube.counts.sum(axis=0), truth["counts"].T)
    part = count_image(science, PhotonCut(start=cube.edges[4], stop=cube.edges[5], exclude=()))
    np.testing.assert_array_equal(cube.counts[4], part.counts)


def test_excluded_pixels_are_zero_and_have_no_exposure(science):
    image = count_image(science)
    assert image.npixel_excluded == np.count_nonzero(image.excluded) > 0
    assert np.all(image.counts[image.excluded] == 0)
    assert np.all(image.exposure_map[image.excluded] == 0)
    assert np.all(np.isnan(image.rate[image.excluded]))
    assert image.photons == image.total < 2044091


@pytest.fixture(scope="module")
def steady():
    return made(np.full((5, 7), 300.0))


@pytest.mark.parametrize("cut", [
    PhotonCut(), PhotonCut(start=1, stop=2.5), PhotonCut(low=900, high=1100), PhotonCut(start=3, high=800),
])  # fmt: skip
def test_blocks_in_any_order_count_the_same(steady, cut):
    np.testing.assert_array_equal(count_image(InPieces(steady), cut).counts, count_image(steady, cut).counts)
    edges = [700, 1000, 1100, 1500]
    one, other = (count_cube(s, BinAxis.WAVE, edges, cut) for s in (InPieces(steady), steady))
    np.testing.assert_array_equal(one.counts, other.counts)


@pytest.mark.parametrize("edges", [np.linspace(700, 1500, 300), np.r_[700, 700.0001, 1499.9, 1500], [800, 900]])
def test_bins_are_half_open_and_exact(steady, edges):
    edges = np.asarray(edges, float)
    edge_values = np.repeat(edges.astype(np.float32), 3)
    edge_values[1::3] = np.nextafter(edge_values[1::3], np.float32(0))
    edge_values[2::3] = np.nextafter(edge_values[2::3], np.float32(1e9))
    value = np.r_[steady.value, edge_values]
    size = len(value)
    photons = replace(steady, resonator=np.zeros(size, np.int32), time=np.zeros(size, np.uint32), value=value)
    cube = count_cube(photons, BinAxis.WAVE, edges)
    place = np.searchsorted(edges, value.astype(float), side="right") - 1
    expected = np.bincount(place[(place >= 0) & (place < len(edges) - 1)], minlength=len(edges) - 1)
    np.testing.assert_array_equal(cube.counts[:, 0, 0], expected)


def test_a_cut_on_the_binned_column_holds_too(steady):
    cube = count_cube(steady, BinAxis.TIME, time_edges(0, 10, nbin=10), PhotonCut(start=2.5, stop=4))
    image = count_image(steady, PhotonCut(start=2.5, stop=4))
    np.testing.assert_array_equal(cube.counts.sum(axis=0), image.counts)
    assert np.all(cube.counts[:2] == 0) and np.all(cube.counts[4:] == 0)


def test_times_on_a_bound_are_half_open(steady):
    photons = replace(
        steady, resonator=np.zeros(3, np.int32), time=np.array([999999, 1000000, 2000000], np.uint32),
        value=np.full(3, 1000, np.float32),
    )  # fmt: skip
    assert count_image(photons, PhotonCut(start=1, stop=2)).counts[0, 0] == 1
    cube = count_cube(photons, BinAxis.TIME, [0, 1, 2])
    assert list(cube.counts[:, 0, 0]) == [1, 1]


def test_weights_are_summed_with_their_variance(steady):
    weight = np.random.default_rng(2).uniform(0.5, 2, len(steady.time)).astype(np.float32)
    photons = replace(steady, weight=weight)
    image = count_image(photons, PhotonCut(weighted=True))
    expected = np.bincount(steady.resonator, weight.astype(float)).reshape(5, 7)
    np.testing.assert_allclose(image.counts, expected, rtol=1e-12)
    np.testing.assert_allclose(image.variance.ravel(), np.bincount(steady.resonator, weight.astype(float) ** 2))
    assert image.photons == len(steady.time)
    cube = count_cube(photons, BinAxis.TIME, [0, 5, 10], PhotonCut(weighted=True))
    np.testing.assert_allclose(cube.image.counts, image.counts, rtol=1e-12)
    np.testing.assert_allclose(count_image(steady, PhotonCut(weighted=True)).counts, count_image(steady).counts)


def test_a_phase_never_passes_a_wavelength_bound(steady):
    photons = replace(steady, value=np.where(steady.resonator == 3, -60, steady.value).astype(np.float32))
    image = count_image(photons, PhotonCut(high=1000))
    assert image.counts[0, 3] == 0
    assert image.counts[0, 2] > 0


def test_unknown_resonators_are_in_no_pixel_and_shared_ones_count_once():
    photons = made(np.full((1, 3), 100.0))
    index = np.array([[0, 1, 1, -1]], np.int32)
    beammap = Beammap(photons.info.beammap.ids[:2], index, np.zeros((1, 4), np.uint64), ())
    photons = replace(photons, info=replace(photons.info, beammap=beammap))  # resonator 2 becomes unknown
    image = count_image(photons)
    own = np.bincount(photons.resonator)
    np.testing.assert_array_equal(image.counts, [[own[0], own[1], own[1], 0]])
    assert image.photons == own[0] + own[1]
    assert image.exposure_map[0, 3] == 0


def test_photons_beyond_the_nominal_exposure_lengthen_it():
    photons = made(np.full((2, 2), 500.0), duration=3.0)
    photons = replace(photons, info=replace(photons.info, duration=2.0))
    image = count_image(photons)
    assert image.stop == 3
    assert image.rate.mean() == pytest.approx(500, rel=0.1)


def test_the_bins_of_equal_energy_are_the_published_ones():
    edges = energy_edges(700, 1500, width=0.1)
    assert len(edges) == 10
    assert (edges[0], edges[-1]) == (700, 1500)
    np.testing.assert_allclose(np.diff(1 / edges), np.diff(1 / edges)[0])
    assert len(energy_edges(700, 1500, nbin=4)) == 5


def test_resolution_bins_are_half_a_resolution_element():
    edges = resolution_edges(700, 1500, np.array([700.0, 1500.0]), np.array([10.0, 5.0]))
    assert (edges[0], edges[-1]) == (700, 1500)
    assert np.diff(edges)[0] == pytest.approx(35)
    assert np.all(np.diff(edges)[:-1] > 34)
    assert np.diff(edges)[-2] > 100


def test_other_edges_are_what_they_say(steady):
    np.testing.assert_allclose(phase_edges(-10, 0, 2), [-10, -8, -6, -4, -2, 0])
    assert len(time_edges(0, 30, width=0.01)) == 3001
    np.testing.assert_array_equal(np.round(time_edges(0, 0.1, nbin=3) * 1e6), [0, 33333, 66667, 100000])
    np.testing.assert_allclose(default_edges(steady.info), energy_edges(700, 1500, width=0.1))
    assert len(default_edges(replace(steady.info, column=PhotonColumn.PHASE))) == 101


@pytest.mark.parametrize("cut, word", [
    (PhotonCut(start=5, stop=3), "not after"), (PhotonCut(start=50), "outside"), (PhotonCut(stop=100), "outside"),
    (PhotonCut(start=-2), "outside"), (PhotonCut(low=900, high=800), "empty"),
])  # fmt: skip
def test_a_cut_that_makes_no_sense_is_refused(steady, cut, word):
    with pytest.raises(UsageError, match=word):
        check(steady.info, cut)


def test_phase_and_wavelength_are_not_mixed_up(steady):
    phases = made(np.full((2, 2), 10.0), column=PhotonColumn.PHASE)
    with pytest.raises(UsageError, match="phase"):
        count_cube(phases, BinAxis.WAVE, [700, 800])
    with pytest.raises(UsageError, match="wavelengths"):
        count_cube(steady, BinAxis.PHASE, [-100, 0])
    with pytest.raises(UsageError, match="rise"):
        count_cube(steady, BinAxis.WAVE, [800, 700])
    with pytest.raises(UsageError, match="memory"):
        count_cube(steady, BinAxis.TIME, np.linspace(0, 10, 2_000_000))


def test_a_value_that_is_no_number_passes_no_bound():
    photons = made(np.full((4, 5), 20.0))
    value = photons.value.copy()
    value[::3] = np.nan
    holed = replace(photons, value=value)
    cut = PhotonCut(low=0.0, high=1e9, exclude=())
    image = count_image(holed, cut)
    assert 0 < image.photons < len(value)
    assert count_cube(holed, BinAxis.TIME, [0.0, holed.info.duration + 1], cut).counts.sum() == image.total
    ones = np.ones(len(value), np.float32)
    weighted = count_image(replace(holed, weight=ones), replace(cut, weighted=True))
    assert weighted.total == image.total

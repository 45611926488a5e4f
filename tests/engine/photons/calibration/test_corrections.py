"""Bad pixels, cosmic rays, linearity weights and masked times."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ifuview.engine.photons.calibration import cosmics
from ifuview.engine.photons.calibration.badpixels import find_bad_pixels
from ifuview.engine.photons.calibration.cosmics import find_cosmics
from ifuview.engine.photons.calibration.linearity import linearity_weights, whole_resonators
from ifuview.engine.photons.counting.aperture import pixel
from ifuview.engine.photons.counting.image import count_image
from ifuview.engine.photons.counting.lightcurve import light_curve
from ifuview.engine.photons.counting.timemask import Masked, masked_before, time_mask, together
from ifuview.errors import FitError, UsageError
from ifuview.model.photons.lists import PhotonBlock, PhotonCut
from ifuview.simulate.photons.array import PixelKind, make_array
from ifuview.simulate.photons.lists import simulate_flat
from tests.engine.photons.lists import made, reference


@pytest.fixture(scope="module")
def sky(shared_data):
    """Counts, usable pixels and kinds (1 dead, 2 cold, 3 hot) of the reference file."""
    science = reference(shared_data / "mkid/science.h5")
    beammap = science.info.beammap
    usable = ~beammap.flagged([n for n in beammap.flag_names if n.startswith("beammap.")])
    kind = np.load(shared_data / "mkid/truth.npz")["kind"].T
    return count_image(science, PhotonCut(exclude=())).counts, usable, kind


def test_the_bad_pixels_of_the_reference_file_are_found(sky):
    counts, usable, kind = sky
    found = find_bad_pixels(counts, usable)
    assert np.count_nonzero(found.hot & (kind == 3)) == 30
    assert np.count_nonzero(found.dead & (kind == 1)) == 60
    assert np.count_nonzero(found.hot & (kind != 3)) <= 3
    assert np.count_nonzero(found.cold & (kind == 2)) >= 0.6 * 25
    assert np.count_nonzero(found.cold & (kind != 2)) <= 3
    assert not np.any(found.hot & found.dead) and not np.any(found.hot & found.cold)


@pytest.mark.parametrize("method", ["median", "laplacian"])
def test_the_other_methods_find_the_cold_pixels_too(sky, method):
    counts, usable, kind = sky
    found = find_bad_pixels(counts, usable, method=method)
    assert np.count_nonzero(found.hot & (kind == 3)) == 30
    assert np.count_nonzero(found.cold & (kind == 2)) >= 22
    assert np.count_nonzero(found.cold & (kind != 2)) <= 1
    if method == "laplacian":  # median takes compact sources for hot pixels
        assert np.count_nonzero(found.hot & (kind != 3)) <= 1


@pytest.mark.parametrize("method", ["threshold", "median", "laplacian"])
def test_bad_pixels_of_a_simulated_scene_are_found_also_side_by_side(method):
    array = make_array((60, 50), dead=20, cold=15, hot=15, seed=1)
    cold = array.kind == PixelKind.COLD
    assert (cold[1:] & cold[:-1]).any() or (cold[:, 1:] & cold[:, :-1]).any()
    _, truth = simulate_flat(array, photons_per_pixel=400, seed=1)
    found = find_bad_pixels(truth.counts, np.ones(array.shape, bool), method=method)
    np.testing.assert_array_equal(found.cold, cold)
    assert np.count_nonzero(found.hot & (array.kind == PixelKind.HOT)) == 15
    assert np.count_nonzero(found.hot & (array.kind != PixelKind.HOT)) <= 1


def test_companion_and_spots_are_not_hot(sky):
    counts, usable, kind = sky
    found = find_bad_pixels(counts, usable)
    assert not np.any(found.hot[69:75, 49:56])
    y, x = np.indices(counts.shape)
    ring = np.abs(np.hypot(x - 39.6, y - 62.4) - 23) < 5
    assert not np.any(found.hot & ring & (kind != 3))


@pytest.mark.parametrize("method", ["threshold", "median", "laplacian"])
def test_an_evenly_lit_array_has_the_bad_pixels_that_were_put_in(method):
    rng = np.random.default_rng(5)
    counts = rng.poisson(np.full((40, 50), 400) * rng.normal(1, 0.05, (40, 50)))
    counts[10, 10] = counts[10, 11] = 4000  # neighbors
    counts[0, 0] = 5000
    counts[20, 20] = 20
    counts[30, 30] = 0
    usable = np.ones(counts.shape, bool)
    usable[35, 35] = False
    counts[35, 35] = 0
    found = find_bad_pixels(counts, usable, method=method)
    assert {tuple(p) for p in np.argwhere(found.hot)} == {(10, 10), (10, 11), (0, 0)}
    assert [tuple(p) for p in np.argwhere(found.cold & ~found.dead)] == [(20, 20)]
    assert [tuple(p) for p in np.argwhere(found.dead)] == [(30, 30)]
    assert found.method == method
    assert found.significance[20, 20] < -3


def test_too_little_light_makes_nothing_dead():
    counts = np.random.default_rng(1).poisson(np.full((30, 30), 3))
    assert not find_bad_pixels(counts, np.ones(counts.shape, bool)).bad.any()


def test_bad_requests_for_bad_pixels_are_refused():
    counts = np.zeros((4, 4))
    with pytest.raises(UsageError, match="no method"):
        find_bad_pixels(counts, np.ones((4, 4), bool), method="magic")
    with pytest.raises(UsageError, match="photon"):
        find_bad_pixels(counts, np.ones((4, 4), bool))


def with_impacts(at: list[int], photons: int = 40):
    """Steady light of 4000 photons/s and cosmic rays at some microseconds."""
    steady = made(np.full((10, 10), 40.0))
    rng = np.random.default_rng(3)
    resonator = np.concatenate([steady.resonator, *(rng.permutation(100)[:photons].astype(np.int32) for _ in at)])
    time = np.concatenate([steady.time, *(t + rng.integers(0, 8, photons) for t in at)]).astype(np.uint32)
    order = np.lexsort((time, resonator))
    value = np.full(len(time), 1000, np.float32)
    return replace(steady, resonator=resonator[order], time=time[order], value=value)


@pytest.mark.parametrize("method", ["poisson", "sigma"])
def test_cosmic_rays_are_found_and_masked(method, monkeypatch):
    at = [1_000_001, 4_000_001, 4_000_191, 9_999_901]
    photons = with_impacts(at)
    found = find_cosmics(photons, method=method)
    # two impacts 190 microseconds apart: the distance of peaks is 500
    np.testing.assert_array_equal(found.peak // 1000, [1000, 4000, 9999])
    assert np.all(found.counts >= 20)
    left = count_image(Masked(photons, found.mask), PhotonCut())
    assert left.exposure == pytest.approx(10 - 3 * 150e-6)
    assert count_image(photons, PhotonCut()).total - left.total >= 3 * 40
    monkeypatch.setattr(cosmics, "AT_ONCE", 300_000)  # several passes
    again = find_cosmics(photons, method=method)
    np.testing.assert_array_equal(again.peak, found.peak)


def test_steady_light_has_no_cosmic_rays():
    assert not len(find_cosmics(made(np.full((10, 10), 200.0))).peak)
    with pytest.raises(UsageError, match="no method"):
        find_cosmics(made(np.full((2, 2), 20.0)), method="magic")


def test_linearity_weights_count_the_neighbors():
    rng = np.random.default_rng(7)
    resonator = np.sort(rng.integers(0, 5, 3000)).astype(np.int32)
    time = rng.integers(0, 300_000, 3000).astype(np.uint32)
    time = time[np.lexsort((time, resonator))]
    weights = linearity_weights(resonator, time, window=1e-3, dead_time=1e-5)
    near = np.abs(time[:, None].astype(np.int64) - time[None, :]) <= 1000
    number = (near & (resonator[:, None] == resonator[None, :])).sum(axis=1) - 1
    np.testing.assert_allclose(weights, 1 / (1 - number * 1e-5 / 2e-3), rtol=1e-6)


def test_linearity_weights_bring_back_the_lost_light():
    """Steady light through a dead time of 50 microseconds."""
    rng = np.random.default_rng(9)
    rate, dead, total = 4000.0, 50e-6, 0.0
    arrivals = np.cumsum(rng.exponential(1 / rate, 400_000))
    kept, free = [], 0.0
    for t in arrivals.tolist():
        if t >= free:
            kept.append(t)
            free = t + dead
    time = np.rint(np.array(kept) * 1e6).astype(np.uint32)
    total = linearity_weights(np.zeros(len(time), np.int32), time, dead_time=dead).sum(dtype=float)
    assert len(kept) / len(arrivals) < 0.84
    # The photons just after one are missing too: 2 tau of the window, a second-order effect of rate tau tau / dt = 1 %
    assert total / len(arrivals) == pytest.approx(1, abs=0.02)
    with pytest.raises(FitError, match="faster"):
        linearity_weights(np.zeros(100, np.int32), np.arange(100), dead_time=1e-3)


def test_resonators_are_put_together_over_blocks():
    whole = made(np.array([[1.0, 50.0, 0.0, 30.0, 2.0, 400.0]]))

    class Split:
        info = whole.info

        def blocks(self, **_):
            for first in range(0, len(whole.time), 700):
                rows = slice(first, first + 700)
                yield PhotonBlock(whole.resonator[rows], whole.time[rows], whole.value[rows], None)

    blocks = list(whole_resonators(Split()))
    np.testing.assert_array_equal(np.concatenate([b.time for b in blocks]), whole.time)
    for one, other in pairwise(blocks):
        assert one.resonator[-1] < other.resonator[0]
    assert len(blocks) > 2


def test_masked_times_join_and_shorten_exposures():
    mask = together([time_mask([(1, 2), (1.5, 3)], "flash"), time_mask([(5, 5.5), (2.5, 2.6)], "laser")])
    assert mask.reasons == ("flash+laser", "laser")
    assert mask.total == pytest.approx(2.5)
    np.testing.assert_allclose(masked_before(mask, [0, 1e6, 2e6, 3e6, 5.25e6, 9e6]), [0, 0, 1e6, 2e6, 2.25e6, 2.5e6])
    photons = made(np.full((3, 3), 200.0))
    source = Masked(photons, mask)
    image = count_image(source, PhotonCut(start=0.5, stop=6))
    assert image.exposure == pytest.approx(3.0)
    time = photons.time / 1e6
    dead = ((time >= 1) & (time < 3)) | ((time >= 5) & (time < 5.5))
    assert image.total == np.count_nonzero(~dead & (time >= 0.5) & (time < 6))
    curve = light_curve(source, pixel(photons.info.beammap, 1, 1), width=0.5)
    np.testing.assert_allclose(curve.exposure[:12], [0.5, 0.5, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0.5])
    assert np.all(curve.counts[2:6] == 0)
    with pytest.raises(UsageError, match="before it starts"):
        time_mask([(3, 2)])


def test_an_empty_mask_masks_nothing():
    photons = made(np.full((2, 2), 20.0))
    assert count_image(Masked(photons, time_mask([]))).total == len(photons.time)

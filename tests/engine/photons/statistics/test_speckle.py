"""Speckle statistics: the chances of gaps, parameters and their errors out of simulated light."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.context import JobContext
from ifuview.engine.photons.statistics import arrival, lives
from ifuview.engine.photons.statistics.autocorrelation import decay
from ifuview.engine.photons.statistics.incoherent import common_incoherent
from ifuview.engine.photons.statistics.lucky import lucky_image, lucky_moments
from ifuview.engine.photons.statistics.speckle import speckle_maps
from ifuview.errors import FitError, JobCancelled, UsageError
from ifuview.model.photons.lists import Beammap, PhotonCut, PhotonInfo, PhotonList
from ifuview.simulate.photons.lists import simulate_photons
from ifuview.simulate.photons.scene import Scene

DURATION, STEP, LIFE = 60.0, 0.002, 0.3  # s; record, simulation step, e-fold of the complex field


def speckle_list(
    npixel: int,
    ic: float | np.ndarray,
    is_: float | np.ndarray,
    ip: float,
    seed: int,
    duration: float = DURATION,
    life: float = LIFE,
) -> PhotonList:
    """Photons of pixels in a row, each with its own speckle light; intensities of all, or of each."""
    rng = np.random.default_rng(seed)
    n = round(duration / STEP)
    keep = np.exp(-STEP / life)
    kick = np.sqrt((1 - keep**2) / 2)
    field = np.empty((n, npixel), complex)
    now = (rng.normal(size=npixel) + 1j * rng.normal(size=npixel)) / np.sqrt(2)
    for i in range(n):
        field[i] = now
        now = keep * now + kick * (rng.normal(size=npixel) + 1j * rng.normal(size=npixel))
    rate = np.abs(np.sqrt(ic) + np.sqrt(is_) * field) ** 2 + ip
    count = rng.poisson(rate.T * STEP)
    where, step = np.repeat(np.indices(count.shape).reshape(2, -1), count.ravel(), axis=1)
    time = ((step + rng.random(len(step))) * STEP * 1e6).astype(np.uint32)
    order = np.lexsort((time, where))
    beammap = Beammap(np.arange(npixel), np.arange(npixel)[None, :], np.zeros((1, npixel)))
    info = PhotonInfo("", "modern", beammap, len(time), 0.0, duration, dead_time=0.0)
    return PhotonList(info, where[order].astype(np.int32), time[order], np.zeros(len(time), np.float32))


@pytest.mark.parametrize("point", [(20.0, 30.0, 5.0), (5.0, 0.5, 40.0), (0.0, 60.0, 0.0), (50.0, 0.0, 0.0)])
def test_chances_of_all_gaps_sum_to_one(point):
    dead, longest = 1e-5, 0.03
    table, gaps = np.empty(arrival.CLASSES + 1), arrival.gap_middles(dead, longest)
    arrival.fill_log_gaps(gaps, np.ones(len(table)), dead, longest, *point, table)
    edges = arrival.gap_edges(dead, longest)
    # classes are a tenth wide and taken at their middle: 0.1 % of a smooth density
    assert np.exp(table[:-1]) @ np.diff(edges) + np.exp(table[-1]) == pytest.approx(1.0, abs=2e-3)
    if point[1] == 0:  # steady light
        middle = np.sqrt(edges[1:] * edges[:-1])
        np.testing.assert_allclose(table[:-1], np.log(50.0) - 50.0 * (middle - dead), rtol=1e-9)


def test_gaps_are_sorted_into_classes_and_blocks():
    time = np.array([0, 5, 105, 400, 30_400, 31_000], np.uint32)
    seen = np.zeros((2, arrival.CLASSES + 1))
    arrival.sort_gaps(time, np.array([0, 1000, 40_000]), 1e-5, 0.02, seen)
    assert seen.sum() == 4  # one is within the dead time
    assert seen[:, -1].tolist() == [0, 1]
    assert seen[:, :-1].sum(axis=1).tolist() == [2, 1]
    edges = arrival.gap_edges(1e-5, 0.02)
    assert seen.sum(axis=0)[np.searchsorted(edges, 1e-4, side="right") - 1] == 1


RATES = ((25, 50), (50, 100), (100, 300))  # photons/s


@pytest.fixture(scope="module")
def scene():
    """A minute of an array with a speckle pattern of 75 ms, sky, a companion and dead, cold and hot pixels."""
    return simulate_photons((40, 32), duration=60.0, scene=Scene(constant=150.0, speckle=120.0), seed=5)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["binned", "arrival"])
def test_intensities_and_their_errors_are_right_at_25_to_300_photons_a_second(scene, method):
    photons, truth = scene
    maps = speckle_maps(photons, method=method)
    steady, light = truth.ic + truth.ip, truth.ic + truth.is_ + truth.ip
    assert maps.common == pytest.approx(truth.array.response(1000.0).mean() * 2.0, abs=1.2)  # sky
    for low, high in RATES:
        own = (truth.array.kind == 0) & (light >= low) & (light < high)
        assert own.sum() > 150 and maps.converged[own].mean() > 0.99
        own &= maps.converged
        for value, error, true in ((maps.is_, maps.is_error, truth.is_), (maps.steady, maps.steady_error, steady)):
            # 1 sigma of a pixel is 10 to 25 %, that of the mean of 150 is 1.5 %
            assert np.sum(value[own]) / np.sum(true[own]) == pytest.approx(1.0, abs=0.05)
            assert np.median(value[own] / true[own]) == pytest.approx(1.0, abs=0.05)
            pull = (value[own] - true[own]) / error[own]
            noise = 2 / np.sqrt(2 * own.sum())  # 2 sigma of a width
            assert 0.9 - noise < np.std(pull) < 1.2 + noise


@pytest.mark.parametrize("method", [pytest.param("binned", marks=pytest.mark.slow), "arrival"])
def test_errors_know_that_a_short_record_has_few_lives(method):
    short = speckle_maps(speckle_list(60, 80.0, 120.0, 0.0, seed=12, duration=30.0), method=method, ip=0.0)
    pull = (short.is_ - 120.0) / short.is_error  # 100 lives of 0.15 s, 30 photons in each
    assert 0.75 < np.std(pull) < 1.3  # 60 pixels: 1 +- 0.09


@pytest.mark.parametrize("method", ["binned", "arrival"])
def test_intensities_of_long_lived_speckles_are_right_and_their_errors_grow(method):
    few, fewer = (
        speckle_maps(speckle_list(100, 60.0, 45.0, 0.0, seed=31, life=life), method=method, ip=0.0)
        for life in (LIFE, 2 * LIFE)
    )
    assert few.converged.all() and fewer.converged.all()
    for value, error, true in ((few.is_, few.is_error, 45.0), (few.steady, few.steady_error, 60.0)):
        # of 116 intensities: a pixel scatters by 20 %, the mean of 100 by 2 %; 3 % are the bend of f
        assert np.mean(value) == pytest.approx(true, rel=0.03 + 0.04)
        assert 0.75 < np.std((value - true) / error) < 1.35  # 0.9 to 1.1 of 1500 pixels; of 100: 0.08
    assert np.median(fewer.is_error) > 1.2 * np.median(few.is_error)  # sqrt(2) but for photon noise
    # f^2 of the variance lives for `life`, 2 f (1 - f) for twice as long; the ends of a block cut some of it off
    part = 45 / 105
    lives = DURATION / LIFE * (2 * part - part**2) / (part**2 + 4 * part * (1 - part))
    assert few.usual_lives == pytest.approx(lives, rel=0.25)
    assert fewer.usual_lives < 0.75 * few.usual_lives


@pytest.mark.parametrize("method", ["binned", "arrival"])
@pytest.mark.parametrize("life", [5.0, 20.0])  # s, longer than a block of time
def test_of_hardly_any_life_nothing_is_told(life, method):
    maps = speckle_maps(speckle_list(30, 60.0, 45.0, 0.0, seed=32, life=life), method=method, ip=0.0)
    assert not maps.converged.any() and np.isnan(maps.is_).all()
    assert "independent intensities" in maps.nothing and maps.usual_lives < 20


def test_incoherent_light_of_a_pixel_is_found_by_its_third_moment():
    photons = speckle_list(20, 20.0, 150.0, 130.0, seed=9, duration=240.0)
    maps = speckle_maps(photons)
    asked = np.isfinite(maps.ip_error)
    assert asked.mean() > 0.8
    np.testing.assert_allclose(np.mean(maps.is_[asked]), 150.0, rtol=0.15)
    assert np.median(maps.ip[asked] / maps.ip_error[asked]) > 3
    steady = speckle_maps(speckle_list(20, 150.0, 150.0, 0.0, seed=10, duration=240.0))
    assert np.isfinite(steady.ip_error).mean() < 0.2


def test_pixels_of_one_brightness_tell_no_common_light_and_those_of_many_do():
    rng = np.random.default_rng(2)
    live, width, sky = 60.0, 0.01, 3.0
    for rate, expected, spread in ((np.full(400, 40.0), 0.0, 0.0), (rng.uniform(4, 80, 3000), sky, 0.6)):
        sigma = np.sqrt(2 * rate**2 / (width * live) + (0.2 * rate**2) ** 2)
        excess = 0.6 * (rate - sky) ** 2 + sigma * rng.normal(size=len(rate))
        excess[: len(rate) // 50] = 0.0  # hot pixels do not vary
        found = common_incoherent(rate, excess, live, width)
        assert found == pytest.approx(expected, abs=spread + 15 * (spread == 0))
        assert found <= np.percentile(rate, 5)


@pytest.mark.parametrize("method", ["binned", "arrival"])
def test_maps_of_many_pixels_are_unbiased(method):
    photons = speckle_list(60, 40.0, 30.0, 0.0, seed=2)
    maps = speckle_maps(photons, method=method, ip=0.0)
    assert maps.converged.all()
    # a record has 60 s / 0.15 s = 400 lives: Is of a pixel scatters by about 2.5 / sqrt(400) = 12 %, the mean of 60 by
    # 1.6 %; what changes within a bin takes 2 to 4 % of it
    assert np.mean(maps.is_) == pytest.approx(30.0, rel=0.09)
    assert np.mean(maps.ic) == pytest.approx(40.0, rel=0.09)
    np.testing.assert_allclose(np.mean(maps.ic + maps.is_), photons.info.nphoton / 60 / DURATION, rtol=0.01)
    assert 0.7 < np.median(maps.is_error) / np.std(maps.is_) < 1.4


@pytest.mark.parametrize("method", ["binned", "arrival"])
def test_incoherent_light_that_is_known_is_not_taken_for_constant(method):
    photons = speckle_list(40, 30.0, 30.0, 40.0, seed=3)  # half of the star: three quarters cannot be told from all
    known = speckle_maps(photons, method=method, ip=40.0)
    assert np.median(known.is_) == pytest.approx(30.0, rel=0.15)
    ignored = speckle_maps(photons, method=method, ip=0.0)
    assert np.median(ignored.is_) < 0.7 * np.median(known.is_)


@pytest.mark.parametrize("method", [pytest.param("binned", marks=pytest.mark.slow), "arrival"])
def test_pixels_together_tell_how_much_is_speckle_where_one_alone_cannot(method):
    """Nine tenths: alone, with 400 lives, a pixel gives 15 % less, as it cannot scatter beyond all of its light."""
    maps = speckle_maps(speckle_list(200, 6.0, 54.0, 0.0, seed=41), method=method, ip=0.0)
    # 1 sigma of the contrast of 200 pixels is 0.6 %, which is 4 % of f here
    assert np.mean(maps.is_) == pytest.approx(54.0, rel=0.09)
    assert np.mean(maps.steady) < 11.5  # alone 14
    mixed = speckle_list(150, np.tile([54.0, 30.0], 75), np.tile([6.0, 30.0], 75), 0.0, seed=42)
    few, half = (speckle_maps(mixed, method=method, ip=0.0).is_[0, k::2] for k in range(2))
    # pixels that are not alike are not drawn to each other: 12 % of the light a pixel, 1.4 % of it the mean of 75
    assert np.mean(few) == pytest.approx(6.0, abs=0.06 * 60) and np.mean(half) == pytest.approx(30.0, abs=0.06 * 60)


def test_bins_and_gaps_know_how_fast_speckles_change():
    """In bins of a third of a life the light varies by a tenth less; what is told of it does not."""
    photons = speckle_list(100, 40.0, 40.0, 0.0, seed=43, life=0.1)
    told = [np.mean(speckle_maps(photons, width=width, ip=0.0).is_) for width in (0.005, 0.02)]
    assert told[1] == pytest.approx(told[0], rel=0.02) and told[0] == pytest.approx(40.0, rel=0.06)


def test_the_life_of_speckles_is_that_of_neighboring_bins():
    rng = np.random.default_rng(3)
    rate, life, width = rng.uniform(20, 200, 400), 0.08, 0.01
    contrast = 0.6 * rate**2 * (1 + 0.1 * rng.normal(size=400))  # of few lives, alike in both
    x = width / life
    own, next_one = contrast * lives.left_in_bin(x), contrast * (np.expm1(-x) / x) ** 2
    assert 1 / lives.change_rate(rate, own, next_one, 60.0, width) == pytest.approx(life, rel=0.01)
    assert lives.change_rate(rate, own, own, 60.0, width) < 0.01 / life
    noise = rate / np.sqrt(60.0 / width) * rng.normal(size=(2, 400))
    assert lives.change_rate(rate, *noise, 60.0, width) == 0.0  # steady light


def test_light_without_speckles_has_none():
    rng = np.random.default_rng(4)
    photons = speckle_list(20, 50.0, 0.0, 0.0, seed=int(rng.integers(100)))
    maps = speckle_maps(photons)
    assert np.median(maps.is_) < 1.0
    assert np.nanmax(maps.snr("is")) < 4


def test_pixels_without_light_or_left_out_are_not_measured():
    photons = speckle_list(3, 20.0, 10.0, 0.0, seed=5)
    info = photons.info
    flags = np.array([[0, 1, 0]], np.uint64)
    beammap = Beammap(np.arange(4), np.array([[0, 1, 3]]), flags, ("pixcal.hot",))
    other = PhotonInfo("", "modern", beammap, info.nphoton, 0.0, info.duration)
    maps = speckle_maps(PhotonList(other, photons.resonator, photons.time, photons.value))
    assert np.isfinite(maps.is_).tolist() == [[True, False, False]]
    assert maps.photons[0, 0] > 1000
    assert maps.photons[0, 1] == 0


def test_bad_questions_get_a_sentence():
    photons = speckle_list(1, 20.0, 10.0, 0.0, seed=5, duration=2.0)
    with pytest.raises(UsageError, match="method"):
        speckle_maps(photons, method="guess")
    with pytest.raises(UsageError, match="do not fit"):
        speckle_maps(photons, width=3.0)
    with pytest.raises(UsageError, match="outside"):
        speckle_maps(photons, PhotonCut(start=50.0))
    stopped = JobContext()
    stopped.cancel()
    with pytest.raises(JobCancelled):
        speckle_maps(photons, ctx=stopped)


def test_decay_of_the_speckles():
    photons = speckle_list(1, 0.0, 400.0, 0.0, seed=6)
    counts = np.bincount(photons.time // 10_000, minlength=6000)
    found = decay(counts, 0.01)
    # the intensity of a complex field falls with half its e-fold; 400 lives leave 5 to 10 %
    assert found.life == pytest.approx(LIFE / 2, rel=0.3)
    assert found.contrast == pytest.approx(1.0, rel=0.3)
    with pytest.raises(FitError, match="photon noise"):
        decay(np.random.default_rng(1).poisson(5.0, 4000), 0.01)
    with pytest.raises(FitError, match="too few"):
        decay(np.ones(4), 0.01)


def test_lucky_moments_are_the_sharp_ones():
    rng = np.random.default_rng(7)
    sharp = rng.random(100) < 0.4  # of moments of 0.1 s
    rows = []
    for moment, good in enumerate(sharp):
        spread = 0.5 if good else 2.0
        x, y = (np.rint(6 + rng.normal(0, spread, 500)).clip(0, 12).astype(int) for _ in "xy")
        time = ((moment + rng.random(500)) * 1e5).astype(np.uint32)
        rows.append((y * 13 + x, time))
    where, time = (np.concatenate(c) for c in zip(*rows))
    order = np.lexsort((time, where))
    beammap = Beammap(np.arange(169), np.arange(169).reshape(13, 13), np.zeros((13, 13)))
    info = PhotonInfo("", "modern", beammap, len(time), 0.0, 10.0)
    photons = PhotonList(info, where[order].astype(np.int32), time[order], np.zeros(len(time), np.float32))
    fraction = sharp.mean()
    mask, sharpness = lucky_moments(photons, 6, 6, fraction=fraction)
    kept = np.ones(100, bool)
    for a, b in zip(mask.start, mask.stop):
        kept[a // 100_000 : b // 100_000] = False
    np.testing.assert_array_equal(kept, sharp)
    assert sharpness[sharp].min() > sharpness[~sharp].max()
    image = lucky_image(photons, 6, 6, fraction=fraction)
    assert image.total == 500 * sharp.sum()
    assert image.exposure == pytest.approx(0.1 * sharp.sum())
    with pytest.raises(UsageError, match="fraction"):
        lucky_moments(photons, 6, 6, fraction=2)


@pytest.mark.parametrize("method", ["binned", "arrival"])
def test_a_record_has_no_more_lives_than_it_has_bins(method):
    """Where the mean rate scatters by no more than its photons do, nothing but the bins bounds their number."""
    width = 0.005
    short = speckle_maps(
        speckle_list(60, 400.0, 600.0, 0.0, seed=21, duration=1.0), PhotonCut(0.2, 0.6), method=method, width=width
    )
    assert np.nanmax(short.lives) <= 0.4 / width * (1 + 1e-9)

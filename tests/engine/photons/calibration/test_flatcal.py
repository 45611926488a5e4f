"""Flats of white light and of lasers against the response that the light was made with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.photons.calibration import flatcal
from ifuview.engine.photons.calibration.flatcal import (
    FlatCounts,
    fit_polynomials,
    flat_of_lasers,
    flat_weights,
    from_counts,
)
from ifuview.errors import FitError, UsageError
from ifuview.io.photons.opening import open_photons
from ifuview.model.photons.flat_solution import FLAT_BIT
from ifuview.model.photons.lists import Beammap, PhotonColumn, PhotonInfo, PhotonList
from ifuview.model.photons.resonators import rows_of
from ifuview.simulate.photons.array import PixelKind, make_array
from ifuview.simulate.photons.lists import simulate_flat

EDGES = np.array([700.0, 850, 1000, 1200, 1500])


def pulls(flat, array):
    """(weight - truth) / error of the good pixels."""
    rows = rows_of(flat.ids, np.append(array.beammap.ids, -1)[array.beammap.index])
    good = (array.kind == PixelKind.NORMAL) & array.solved
    truth = array.flat_weights(EDGES)[good]
    return (flat.weights[rows[good]] - truth) / flat.errors[rows[good]]


@pytest.fixture(scope="module")
def white():
    array = make_array((20, 20))
    photons, _ = simulate_flat(array, photons_per_pixel=2000)
    return photons, array


def test_pulls_of_the_reference_flat_are_as_wide_as_their_errors(shared_data):
    folder = shared_data / "mkid"
    truth = np.load(folder / "truth.npz")
    flat = flat_weights(open_photons(folder / "flat_white.h5"), edges=truth["flat_edges"])
    rows = rows_of(flat.ids, truth["resid"])
    good = (rows >= 0) & (truth["kind"] == 0) & truth["calibrated"]
    pull = (flat.weights[rows[good]] - truth["flat_weights"][good]) / flat.errors[rows[good]]
    pull = pull[np.isfinite(pull)]
    assert len(pull) > 25_000
    assert 0.9 < pull.std() < 1.1


def test_pulls_of_a_deep_flat_are_as_wide_as_their_errors(white):
    photons, array = white
    pull = pulls(flat_weights(photons, edges=EDGES), array)
    assert np.isfinite(pull).all()
    assert 0.92 < pull.std() < 1.08 and abs(pull.mean()) < 0.3  # 1500 pulls; resolution moves photons between bins


def test_mean_response_of_the_good_pixels_is_one_in_each_bin(white):
    photons, array = white
    flat = flat_weights(photons, edges=EDGES)
    lit = np.isfinite(flat.weights).all(axis=1)
    good = flatcal.good_resonators(array.beammap, flatcal.PROBLEM_FLAGS)
    assert np.allclose((1 / flat.weights[lit & good]).mean(axis=0), 1, atol=1e-9)


def test_pixels_without_solution_or_light_are_flagged(white):
    photons, array = white
    flat = flat_weights(photons, edges=EDGES)
    rows = rows_of(flat.ids, np.append(array.beammap.ids, -1)[array.beammap.index])
    bad = (flat.flags[rows] & FLAT_BIT["flatcal.bad"]) != 0
    assert bad[(array.kind == PixelKind.DEAD) | ~array.solved].all()
    assert not bad[(array.kind == PixelKind.NORMAL) & array.solved].any()


def test_a_burst_in_one_chunk_of_a_pixel_does_not_count():
    rng = np.random.default_rng(1)
    counts = rng.poisson(100, (6, 50, 2)).astype(np.uint32)
    counts[2, 7] += 5000
    beammap = Beammap(np.arange(50), np.arange(50).reshape(5, 10), np.zeros((5, 10), np.uint64))
    info = PhotonInfo("made", "modern", beammap, 1, 0.0, 6.0, PhotonColumn.WAVELENGTH, dead_time=0.0)
    found = FlatCounts(counts, np.array([[700.0, 900], [900, 1500]]), np.ones(6))
    flat = from_counts(found, info)
    assert np.abs((flat.weights[7] - 1) / flat.errors[7]).max() < 4
    assert flat.counts[7].sum() < 1300


def test_dead_time_is_made_up_for():
    counts = np.full((1, 4, 1), 1000.0)
    counts[0, 0] = 10_000 / 1.1  # a rate of 10,000 /s with a dead time of 10 us
    beammap = Beammap(np.arange(4), np.arange(4).reshape(2, 2), np.zeros((2, 2), np.uint64))
    info = PhotonInfo("made", "modern", beammap, 1, 0.0, 1.0, PhotonColumn.WAVELENGTH, dead_time=1e-5)
    flat = from_counts(FlatCounts(counts, np.array([[700.0, 900]]), np.ones(1)), info)
    assert flat.weights[1, 0] / flat.weights[0, 0] == pytest.approx(10 * 0.99, rel=1e-3)


def test_lasers_give_one_weight_each(white):
    photons, _ = white
    narrow = {}
    for wave in (900.0, 1200.0):
        keep = np.abs(photons.value - wave) < 100
        columns = (photons.resonator[keep], photons.time[keep], photons.value[keep])
        narrow[wave] = PhotonList(photons.info, *columns)
    flat = flat_of_lasers(narrow, method="polynomial")
    assert flat.source == "laser" and flat.waves.tolist() == [900, 1200] and flat.polynomial.shape[1] == 2
    assert np.nanmedian(flat.weights) == pytest.approx(1, abs=0.05)


def test_a_line_through_the_weights_is_a_line():
    waves = np.array([750.0, 900, 1100, 1300])
    weights = np.stack([2 - waves / 1000, np.full(4, 1.5), np.full(4, np.nan)])
    weights[1, 1:] = np.nan
    found = fit_polynomials(waves, weights, weights * 0.1, 1)
    assert found[0] == pytest.approx([-1e-3, 2], abs=1e-9)
    assert found[1] == pytest.approx([0, 1.5])
    assert np.isnan(found[2]).all()


def test_phases_empty_lists_and_odd_bins_are_refused(white):
    photons, _ = white
    info = photons.info
    raw = PhotonList(replace(info, column=PhotonColumn.PHASE), photons.resonator, photons.time, photons.value)
    with pytest.raises(UsageError, match="holds phases"):
        flat_weights(raw)
    with pytest.raises(UsageError, match="do not rise"):
        flat_weights(photons, edges=[900, 800])
    with pytest.raises(FitError, match="no usable pixel"):
        flat_weights(photons, edges=[100, 200])
    with pytest.raises(UsageError, match="no flat method"):
        flat_weights(photons, method="spline")

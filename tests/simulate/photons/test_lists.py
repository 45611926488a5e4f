"""Simulated photon lists give back what was put in."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ifuview.engine.context import JobContext
from ifuview.errors import JobCancelled
from ifuview.model.photons.lists import HC, PhotonColumn
from ifuview.simulate.photons import stream as photon_stream
from ifuview.simulate.photons.__main__ import main
from ifuview.simulate.photons.array import PixelKind, make_array
from ifuview.simulate.photons.lists import LASERS, simulate_flat, simulate_lasers, simulate_photons
from ifuview.simulate.photons.scene import DEAD_TIME, Scene, speckle_field
from ifuview.simulate.photons.stream import PhotonStream


@cache
def science():
    return simulate_photons(duration=2.0, seed=3)


def test_rows_come_by_resonator_and_time_and_none_within_the_dead_time():
    photons, truth = science()
    resonator, time = photons.resonator.astype(np.int64), photons.time.astype(np.int64)
    assert photons.info.nphoton == len(time) == len(truth.wave) == len(truth.phase)
    step = np.diff(resonator * 10**8 + time)
    assert step.min() >= DEAD_TIME * 1e6
    assert truth.lost > 0


def test_same_seed_same_photons():
    again, _ = simulate_photons(duration=2.0, seed=3)
    assert np.array_equal(again.value, science()[0].value)
    assert np.array_equal(again.time, science()[0].time)


def test_counts_are_those_of_the_rates():
    photons, truth = science()
    expected = (truth.ip + truth.array.hot_rate) * 2.0  # without the star's light, whose speckles fluctuate
    dark = (truth.ic + truth.is_) * 2.0 < 0.3 * expected
    counts, mean = truth.counts[dark].sum(), ((truth.ic + truth.is_) * 2.0 + expected)[dark].sum()
    assert abs(counts - mean) < 5 * np.sqrt(mean) + truth.lost
    assert truth.counts.sum() == len(photons.time)
    assert (truth.counts[truth.array.kind == PixelKind.DEAD] == 0).all()


def test_wavelengths_follow_from_the_phases():
    photons, truth = science()
    assert photons.info.column is PhotonColumn.WAVELENGTH
    pixel = np.argsort(truth.array.beammap.index.ravel())[photons.resonator]
    a, b, c = truth.array.coefficients.reshape(-1, 3)[pixel].T
    phase = truth.phase.astype(float)
    wave = HC / (a * phase**2 + b * phase + c)
    solved = truth.array.solved.ravel()[pixel]
    assert np.allclose(photons.value[solved], wave[solved], rtol=1e-6)
    assert np.array_equal(photons.value[~solved], truth.phase[~solved])


def test_speckle_field_has_unit_intensity_and_its_correlation_time():
    scene = Scene(correlation=0.1)
    field = speckle_field((20, 20), 400, scene, np.random.default_rng(1))
    assert np.mean(np.abs(field) ** 2) == pytest.approx(1, abs=0.05)  # 400 pixels of about 20 independent times
    lag = np.mean(field[10:] * np.conj(field[:-10])).real / np.mean(np.abs(field) ** 2)
    assert lag == pytest.approx(np.exp(-1), abs=0.05)


def test_grains_keep_the_intensity_and_tie_neighbors():
    field = speckle_field((30, 30), 200, Scene(grain=1.5), np.random.default_rng(2))
    power = np.mean(np.abs(field) ** 2)
    assert power == pytest.approx(1, abs=0.1)
    assert np.mean(field[:, 1:] * np.conj(field[:, :-1])).real > 0.8 * power


def test_lasers_peak_at_the_true_phase_with_the_true_width():
    lasers, array = simulate_lasers(photons_per_pixel=3000)
    assert tuple(lasers) == LASERS
    y, x = np.argwhere(array.kind == PixelKind.NORMAL)[0]
    for wave, photons in lasers.items():
        a, b, c = array.coefficients[y, x]
        phase = photons.photons_of([array.beammap.index[y, x]]).value
        energy = a * phase.astype(float) ** 2 + b * phase + c
        near = np.abs(energy - HC / wave) < 2.5 * HC / wave / array.resolution[y, x] / 2.35
        sigma = np.sqrt(HC / wave * HC / 980) / (2.355 * array.resolution[y, x])
        assert np.median(energy[near]) == pytest.approx(HC / wave, abs=5 * sigma / np.sqrt(near.sum()) + 0.002)
        spread = 1.4826 * np.median(np.abs(energy[near] - np.median(energy[near])))
        assert spread == pytest.approx(sigma, rel=0.12)


def test_flat_counts_are_the_inverse_of_the_true_weights():
    _photons, truth = simulate_flat(make_array(hot=0), photons_per_pixel=600)
    weights = truth.array.flat_weights(np.array([700.0, 1500.0]))[..., 0]
    good = (truth.array.kind == PixelKind.NORMAL) & truth.array.solved
    expected = truth.ip[good] * 10
    pull = (truth.counts[good] - expected) / np.sqrt(expected)
    assert np.std(pull) == pytest.approx(1, abs=0.12)
    relative = truth.ip[good] * weights[good]
    assert np.ptp(relative) < 1e-4 * relative.mean()
    assert np.isnan(weights[truth.array.kind == PixelKind.DEAD]).all()


def test_pixels_that_share_a_resonator_share_its_photons():
    _photons, truth = simulate_photons(array=make_array((12, 10), duplicates=3), duration=0.5)
    index = truth.array.beammap.index.ravel()
    twice = np.flatnonzero(np.bincount(index) == 2)
    assert len(twice) == 3
    for resonator in twice:
        assert len(set(truth.counts.ravel()[index == resonator])) == 1


def test_a_stream_has_so_many_photons_and_is_always_the_same():
    stream = PhotonStream(200_000, make_array((20, 16)), duration=30.0)
    blocks = list(stream.blocks())
    resonator, time, value = (np.concatenate(column) for column in list(zip(*blocks))[:3])
    assert len(time) == 200_000
    assert np.array_equal(np.bincount(resonator, minlength=320), stream.counts)
    assert (np.diff(resonator.astype(np.int64) << 32 | time) >= 0).all()
    assert time.max() < 30_000_000
    pixel = np.argsort(stream.array.beammap.index.ravel())[resonator]
    solved = stream.array.solved.ravel()[pixel]
    assert 1000 < np.median(value[solved]) < 1150
    assert (value[~solved] < 0).all()
    again = PhotonStream(200_000, make_array((20, 16)), duration=30.0).photons_of([7, 3])
    own = (resonator == 3) | (resonator == 7)
    assert np.array_equal(again.time, time[own])
    assert np.array_equal(again.value, value[own])


def test_blocks_of_a_stream_are_bounded_and_it_is_cancelled_in_between(monkeypatch):
    monkeypatch.setattr(photon_stream, "BLOCK", 10_000)
    stream = PhotonStream(100_000, make_array((20, 16)), duration=3.0)
    assert 8 <= len(list(stream.blocks())) <= 12
    ctx = JobContext()
    blocks = stream.blocks(ctx=ctx)
    next(blocks)
    ctx.cancel()
    with pytest.raises(JobCancelled):
        next(blocks)


def test_a_stream_varies_with_the_speckles():
    """Counts in steps vary more than Poisson's where the light is speckles."""
    stream = PhotonStream(400_000, make_array((20, 16), dead=0, hot=0), duration=300.0)
    where = int(np.argmax(stream._speckle))
    counts = np.bincount(stream.photons_of([where]).time // 100_000, minlength=3000)
    share = stream._speckle[where] * counts.mean()
    assert counts.var() - counts.mean() == pytest.approx(share**2, rel=0.4)


def test_the_program_writes_a_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("hdf5plugin")
    assert main([str(tmp_path / "o.h5"), "--photons", "20000", "--duration", "2", "--phase"]) == 0
    with h5py.File(tmp_path / "o.h5") as file:
        assert file["photons/photontable"].shape == (20_000,)
        assert file["beammap/map"].shape == (80, 125)
        assert (file["photons/photontable"]["wavelength"] < 0).mean() > 0.99

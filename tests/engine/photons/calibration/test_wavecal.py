"""Energy solutions from laser exposures whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.photons.calibration import wavecal_kernels as kernels
from ifuview.engine.photons.calibration.wavecal import fit_wavelengths, phase_histograms
from ifuview.errors import UsageError
from ifuview.io.photons.opening import open_photons
from ifuview.model.photons.lists import HC, PhotonColumn, PhotonList
from ifuview.model.photons.resonators import rows_of
from ifuview.model.photons.wavelength_solution import HistogramStatus
from ifuview.simulate.photons.array import PixelKind, make_array
from ifuview.simulate.photons.lists import simulate_lasers

LASERS = (808, 920, 980, 1120, 1310)  # nm
BLOCK = (slice(56, 66), slice(36, 44))  # y, x of the pixels with many laser photons


def phase_of(a, b, c, energy):
    return 2 * (c - energy) / (np.sqrt(b * b - 4 * a * (c - energy)) - b)


@pytest.fixture(scope="module")
def reference(shared_data):
    folder = shared_data / "mkid"
    lasers = {float(w): open_photons(folder / f"laser_{w}.h5") for w in LASERS}
    return fit_wavelengths(lasers, name="laser block"), np.load(folder / "truth.npz")


@pytest.fixture(scope="module")
def simulated():
    lasers, array = simulate_lasers(make_array((6, 6), dead=1, cold=1, hot=1, unsolved=0))
    return fit_wavelengths(lasers), lasers, array


def test_good_pixels_of_the_reference_block_are_solved_within_a_percent(reference):
    solution, truth = reference
    coefficients = np.stack([truth[f"wave_{k}"].T[BLOCK].ravel() for k in "abc"])
    good = (truth["kind"].T[BLOCK].ravel() == 0) & truth["calibrated"].T[BLOCK].ravel()
    rows = rows_of(solution.ids, truth["resid"].T[BLOCK].ravel())
    solved = good & (rows >= 0) & solution.solved[rows]
    assert solved.sum() >= 0.95 * good.sum()
    for wave in LASERS:
        phase = phase_of(*coefficients, HC / wave)
        off = [float(solution.energy(p, r)) * wave / HC - 1 for p, r, ok in zip(phase, rows, solved) if ok]
        assert np.abs(off).max() < 0.01


def test_pixels_with_a_few_photons_say_so(reference):
    solution, _ = reference
    thin = (solution.fits.photons.max(axis=1) < 200) & (solution.fits.photons.max(axis=1) > 0)
    assert thin.sum() > 5000
    assert {solution.flag_names(r) for r in np.flatnonzero(thin)} == {("wavecal.bad", "wavecal.no_histograms")}
    assert "too few photons" in solution.reason(int(np.flatnonzero(thin)[0]))


def test_resolving_powers_agree_with_their_errors(reference):
    solution, truth = reference
    rows = rows_of(solution.ids, truth["resid"].T[BLOCK].ravel())
    keep = solution.solved[rows]
    for k, wave in enumerate(LASERS):
        true = truth["R980"].T[BLOCK].ravel()[keep] * np.sqrt(980 / wave)
        found, error = solution.fits.resolution[rows[keep], k], solution.fits.resolution_error[rows[keep], k]
        pull = (found - true) / error
        assert abs(pull.mean()) < 0.5 and 0.7 < pull.std() < 1.4  # 76 pixels: 0.11 and 0.08 of noise
        assert np.abs(found / true - 1).mean() < 0.03


def test_errors_of_the_energy_hold_beyond_the_lasers(reference):
    solution, truth = reference
    rows = rows_of(solution.ids, truth["resid"].T[BLOCK].ravel())
    coefficients = np.stack([truth[f"wave_{k}"].T[BLOCK].ravel() for k in "abc"])
    pulls = []
    for wave in (700.0, 1500.0):
        phase = phase_of(*coefficients, HC / wave)
        for p, r in zip(phase, rows):
            if solution.solved[r]:
                pulls.append(float((solution.energy(p, r) - HC / wave) / solution.energy_error(p, r)))
    assert 0.75 < np.std(pulls) < 1.3


def test_simulated_resonators_are_solved_or_say_why(simulated):
    solution, _, array = simulated
    kind = array.kind.ravel()[np.argsort(array.beammap.index.ravel())]
    assert solution.solved[kind == PixelKind.NORMAL].all()
    assert not solution.solved[kind == PixelKind.DEAD].any()
    assert all(solution.reason(r) for r in np.flatnonzero(~solution.solved))


def test_two_lasers_give_straight_lines(simulated):
    _, lasers, _ = simulated
    solution = fit_wavelengths({w: lasers[w] for w in (808.0, 1310.0)})
    solved = solution.solved
    assert solved.any() and (solution.coefficients[solved, 0] == 0).all()
    assert all("wavecal.linear" in solution.flag_names(r) for r in np.flatnonzero(solved))


def test_lasers_in_each_others_place_are_not_monotonic(simulated):
    _, lasers, _ = simulated
    waves = sorted(lasers)
    solution = fit_wavelengths({w: lasers[other] for w, other in zip(waves, reversed(waves))})
    names = {name for r in range(len(solution.ids)) for name in solution.flag_names(r)}
    assert not solution.solved.any() and "wavecal.not_monotonic" in names


def test_one_laser_and_wavelengths_are_refused(simulated):
    _, lasers, _ = simulated
    first = lasers[808.0]
    with pytest.raises(UsageError, match="two lasers"):
        fit_wavelengths({808.0: first})
    done = PhotonList(replace(first.info, column=PhotonColumn.WAVELENGTH), first.resonator, first.time, first.value)
    with pytest.raises(UsageError, match="not phases"):
        fit_wavelengths({808.0: done, 1310.0: done})
    with pytest.raises(UsageError, match="no laser"):
        fit_wavelengths({8.0: first, 1310.0: first})


def test_photons_that_follow_closely_do_not_count(simulated):
    _, lasers, _ = simulated
    first = lasers[808.0]
    info = replace(first.info, nphoton=5)
    time = np.array([1000, 1400, 1800, 2300, 2300], np.uint32)
    resonator = np.array([0, 0, 0, 0, 1], np.int32)
    found = phase_histograms(PhotonList(info, resonator, time, np.array([-50, -51, -52, -53, 5], np.float32)))
    assert found.seen[:2].tolist() == [4, 1] and found.alone[:2].tolist() == [2, 1]
    assert found.histogram[:2].sum(axis=1).tolist() == [2, 0]


def test_a_laser_on_a_steep_background_is_found():
    rng = np.random.default_rng(4)
    edges = np.arange(-240, 1) * 2.0
    hits = 0
    for _ in range(20):
        tail = -20 - rng.exponential(15, 1500)
        phases = np.concatenate([rng.normal(-85, 5, 1500), tail])
        counts = np.histogram(phases, edges)[0].astype(np.uint32)
        out, par = np.full(5, np.nan), np.full(7, np.nan)
        status, _ = kernels.fit_histogram(counts, -480.0, 2.0, 200, np.nan, out, par)
        hits += status == HistogramStatus.GOOD and abs(out[0] + 85) < 5 * out[1]
    assert hits >= 19

"""The calibration stack: values against other writers, steps switched, undone, refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.photons.calibration.calibrate import CalibratedSource
from ifuview.engine.photons.calibration.flat_weights import flat_curve, flat_factors, flat_table
from ifuview.engine.photons.calibration.linearity import linearity_weights
from ifuview.engine.photons.calibration.wavelengths import PhaseSource
from ifuview.engine.photons.counting.timemask import time_mask
from ifuview.errors import FileFormatError, UsageError
from ifuview.io.photons.calibrations.reading import read_wavecal
from ifuview.io.photons.opening import open_photons
from ifuview.model.photons.calibration_stack import (
    CalibrationStack,
    FlagStep,
    FlatStep,
    LinearityStep,
    MaskStep,
    WaveStep,
)
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.lists import HC, PhotonColumn, PhotonList
from ifuview.model.photons.resonators import grid_of
from ifuview.model.photons.wavelength_solution import WAVE_BIT, WavelengthSolution
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_photons


def columns(source, **asked):
    blocks = [[None if c is None else c.copy() for c in b] for b in source.blocks(**asked)]
    return [None if c[0] is None else np.concatenate(c) for c in zip(*blocks)]


def true_solution(array):
    """The solution that an array was simulated with."""
    beammap = array.beammap
    order = np.argsort(beammap.index.ravel())
    solved = array.solved.ravel()[order]
    flags = np.where(solved, WAVE_BIT["wavecal.quadratic"], WAVE_BIT["wavecal.bad"] | WAVE_BIT["wavecal.not_monotonic"])
    coefficients = np.where(solved[:, None], array.coefficients.reshape(-1, 3)[order], np.nan)
    return WavelengthSolution("truth", beammap.ids, coefficients, flags, np.empty(0), grid=grid_of(beammap))


def some_flat(array):
    ids = array.beammap.ids
    rng = np.random.default_rng(5)
    weights = rng.uniform(0.7, 1.4, (len(ids), 3))
    weights[0] = np.nan
    weights[1, 0] = np.nan
    flags = np.zeros(len(ids), np.uint32)
    flags[0], flags[1] = 3, 2
    polynomial = np.stack([np.full(len(ids), -1e-3), np.full(len(ids), 2.0)], axis=1)
    waves = np.array([800.0, 1000, 1300])
    return FlatSolution("flat", ids, waves, weights, weights / 10, flags, polynomial=polynomial)


@pytest.fixture(scope="module")
def simulated():
    array = make_array((12, 10))
    return simulate_photons(array=array, duration=1.0, calibrated=False)[0], array


def test_phases_of_the_packets_become_the_wavelengths_of_the_reference(shared_data):
    folder = shared_data / "mkid"
    science, phase = (columns(open_photons(folder / name)) for name in ("science.h5", "phase_3s.h5"))
    solution = read_wavecal(str(folder / "wavecal_A_cal_coeffs.npz"))
    made = CalibratedSource(open_photons(folder / "phase_3s.h5"), CalibrationStack((WaveStep(solution),)))
    found = columns(made)
    wanted = science[0].astype(np.int64) << 33 | science[1]
    own = found[0].astype(np.int64) << 33 | (found[1].astype(np.int64) + 11_000_000)  # s 11 to 13 of the exposure
    place = np.minimum(np.searchsorted(wanted, own), len(wanted) - 1)
    assert (wanted[place] == own).mean() > 0.9999
    off = np.abs(found[2] / science[2][place].astype(float) - 1)
    assert off.max() < 1e-6
    assert found[2].dtype == np.float32 and (phase[2] < 0).all()
    assert (made.info.beammap.flagged(["wavecal.bad"]) == open_photons(folder / "science.h5").info.beammap.flagged(
        ["wavecal.bad"])).all()  # fmt: skip


def test_pixels_without_solution_stay_phase_and_say_why(simulated):
    photons, array = simulated
    made = CalibratedSource(photons, CalibrationStack((WaveStep(true_solution(array)),)))
    found = columns(made)
    unsolved = np.isin(found[0], array.beammap.index[~array.solved])
    assert unsolved.any() and (found[2][unsolved] == photons.value[unsolved]).all()
    assert (found[2][~unsolved] > 0).all()
    info = made.info
    assert info.column is PhotonColumn.WAVELENGTH and info.calibrations["wavecal"] == "truth"
    assert info.header["E_WAVCAL"] == "truth"
    assert (info.beammap.flagged(["wavecal.not_monotonic"]) == ~array.solved).all()
    assert (info.beammap.flagged(["beammap.noDacTone"]) == photons.info.beammap.flagged(["beammap.noDacTone"])).all()


def test_float64_inside(simulated):
    photons, array = simulated
    made = columns(CalibratedSource(photons, CalibrationStack((WaveStep(true_solution(array)),))))
    c2, c1, c0 = np.moveaxis(true_solution(array).coefficients[photons.resonator], -1, 0)
    p = photons.value.astype(np.float64)
    exact = HC / ((c2 * p + c1) * p + c0)
    good = np.isfinite(exact)
    assert (made[2][good] == exact[good].astype(np.float32)).all()


def test_every_step_can_be_switched_off(simulated):
    photons, array = simulated
    stack = CalibrationStack((
        WaveStep(true_solution(array)), FlatStep(some_flat(array)), LinearityStep(),
        MaskStep(time_mask([(0.2, 0.5)]), "timemask"), FlagStep({"pixcal.hot": np.ones(array.shape, bool)}),
    ))  # fmt: skip
    assert [step.key for step in stack.steps] == ["lincal", "wavecal", "flatcal", "pixcal", "timemask"]
    off = stack
    for step in stack.steps:
        off = off.switched(step.key, False)
    plain = CalibratedSource(photons, off)
    assert all((a == b).all() for a, b in zip(columns(plain), (photons.resonator, photons.time, photons.value)))
    assert plain.info.calibrations == photons.info.calibrations and not plain.info.weighted
    full = CalibratedSource(photons, stack)
    resonator, time, wave, weight = columns(full, weight=True)
    keep = (photons.time < 200_000) | (photons.time >= 500_000)
    assert (time == photons.time[keep]).all()
    linear = linearity_weights(photons.resonator, photons.time)
    flat = flat_factors(resonator, wave, flat_table(some_flat(array), array.beammap))
    assert weight == pytest.approx(linear[keep] * flat, rel=1e-6)
    assert full.live_bins(np.array([0.0, 0.5, 1.0])).tolist() == pytest.approx([0.2, 0.5])
    assert full.info.beammap.flagged(["pixcal.hot"]).all()
    one = full.photons_of([3, 5], weight=True)
    same = np.isin(resonator, [3, 5])
    assert (one.value == wave[same]).all() and one.weight == pytest.approx(weight[same])
    again = CalibratedSource(photons, stack.without("flatcal").without("timemask"))
    assert columns(again, weight=True)[3] == pytest.approx(linear)


def test_weights_are_interpolated_or_polynomials(simulated):
    _, array = simulated
    flat = some_flat(array)
    wave = np.array([500.0, 800, 900, 1300, 2000, -80, np.inf], np.float32)
    own = flat.weights[4]
    place = np.full(7, 4, np.int32)
    found = flat_factors(place, wave, flat_table(flat, array.beammap))
    assert found == pytest.approx([own[0], own[0], own[:2].mean(), own[2], own[2], 1, 1], rel=1e-6)
    line = flat_factors(place, wave, flat_table(flat.using("polynomial"), array.beammap))
    assert line == pytest.approx([1.5, 1.2, 1.1, 0.7, 0, 1, 1], abs=1e-6)
    nothing = flat_factors(np.zeros(7, np.int32), wave, flat_table(flat, array.beammap))
    assert (nothing == 1).all()
    assert flat_curve(flat, 1, np.array([700.0])) == pytest.approx([flat.weights[1, 1]])  # bin without a weight


def test_wavelengths_are_undone_to_within_rounding(simulated):
    photons, array = simulated
    solution = true_solution(array)
    made = CalibratedSource(photons, CalibrationStack((WaveStep(solution),)))
    back = PhaseSource(made, solution)
    found = columns(back)
    assert np.abs(found[2] - photons.value).max() < 3e-5
    assert back.info.column is PhotonColumn.PHASE and "wavecal" not in back.info.calibrations
    assert not back.info.beammap.flagged(tuple(WAVE_BIT)).any()
    with pytest.raises(UsageError, match="nothing to undo"):
        PhaseSource(photons, solution)


def test_a_second_application_is_refused(simulated):
    photons, array = simulated
    stack = CalibrationStack((WaveStep(true_solution(array)), FlatStep(some_flat(array)), LinearityStep()))
    made = CalibratedSource(photons, stack)
    for step in stack.steps:
        with pytest.raises(UsageError, match="already"):
            CalibratedSource(made, CalibrationStack((step,)))
    with pytest.raises(UsageError, match="twice"):
        CalibrationStack((LinearityStep(), LinearityStep()))


def test_steps_that_cannot_be_are_refused(simulated):
    photons, array = simulated
    with pytest.raises(UsageError, match="need wavelengths"):
        CalibratedSource(photons, CalibrationStack((FlatStep(some_flat(array)),)))
    waves = PhotonList(
        replace(photons.info, column=PhotonColumn.WAVELENGTH), photons.resonator, photons.time, photons.value
    )
    with pytest.raises(UsageError, match="wavelengths already"):
        CalibratedSource(waves, CalibrationStack((WaveStep(true_solution(array)),)))
    loose = PhotonList(replace(photons.info, sorted=False), photons.resonator, photons.time, photons.value)
    with pytest.raises(UsageError, match="not sorted"):
        CalibratedSource(loose, CalibrationStack((LinearityStep(),)))
    other = make_array((12, 11))
    with pytest.raises(FileFormatError, match="array of 11 x 12 pixels"):
        CalibratedSource(photons, CalibrationStack((WaveStep(true_solution(other)),)))

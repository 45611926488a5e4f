"""Solutions of every form, what is no solution, and solutions written and read back."""

from __future__ import annotations

import base64
import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.photons.calibration.wavecal import fit_wavelengths
from ifuview.errors import FileFormatError, IfuviewError, MissingDataError
from ifuview.io.photons.calibrations.modern import plain_coefficients
from ifuview.io.photons.calibrations.own import write_calibration
from ifuview.io.photons.calibrations.reading import read_flatcal, read_wavecal
from ifuview.io.photons.opening import open_photons
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.lists import Beammap
from ifuview.model.photons.resonators import array_fields, check_same_array, rows_of
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_lasers


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "mkid"


@pytest.fixture(scope="module")
def truth(folder):
    return np.load(folder / "truth.npz")


@pytest.fixture(scope="module")
def fitted():
    lasers, _ = simulate_lasers(make_array((4, 3), dead=1, cold=0, hot=0, unsolved=0))
    return fit_wavelengths(lasers, name="made")


@pytest.mark.parametrize("name", ["calsol_old.h5", "wavecal_A_cal_coeffs.npz"])
def test_coefficients_of_both_old_forms_are_the_truth(folder, truth, name):
    solution = read_wavecal(str(folder / name))
    rows = rows_of(solution.ids, truth["resid"])
    solved = (rows >= 0) & solution.solved[np.maximum(rows, 0)]
    assert (solved == truth["calibrated"]).all()
    for k, letter in enumerate("abc"):
        assert (solution.coefficients[rows[solved], k] == truth[f"wave_{letter}"][solved]).all()


def test_old_solution_says_why_resonators_failed(folder, truth):
    solution = read_wavecal(str(folder / "calsol_old.h5"))
    rows = rows_of(solution.ids, truth["resid"])
    flags = {int(f): {solution.reason(r) for r in rows[truth["wave_flag_old"] == f]} for f in (1, 2, 3, 6, 7)}
    words = {1: "convergence", 2: "validation", 3: "no histograms", 6: "not enough", 7: "not monotonic"}
    assert all(word in reason for f, word in words.items() for reason in flags[f])
    good = solution.fits.resolution[solution.solved]
    wave_power = np.median(good, axis=0) * np.sqrt(solution.lasers / 980)
    assert np.allclose(wave_power, wave_power[2], rtol=0.01)  # FWHM based, as the root of the energy


def test_pickled_solution_gives_its_coefficients_without_unpickling(folder, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    solution = read_wavecal(str(folder / "wavecal_A_peer_PICKLED.npz"))
    block = np.zeros(solution.grid.shape, bool)
    block[56:66, 36:44] = True
    inside = np.isin(solution.ids, solution.grid[block])
    assert solution.solved.sum() == 74 and solution.solved[inside].sum() == 74
    assert np.allclose(solution.lasers, [808, 920, 980, 1120, 1310])
    for row in np.flatnonzero(solution.solved):
        good = np.isfinite(solution.fits.center[row])
        energy = solution.energy(solution.fits.center[row, good], row)
        assert np.abs(energy * solution.lasers[good] / 1239.842 - 1).max() < 0.02


def test_pickles_inside_the_json_text_stay_text(tmp_path):
    marker = tmp_path / "ran"
    evil = base64.b64encode(b"cos\nsystem\n(S'touch " + os.fsencode(marker) + b"'\ntR.").decode()
    text = json.dumps({
        "unique_symbols": {"f": {"__class__": "Callable", "value": evil}, "c2": 1e-6},
        "params": [["c0", 0.1, True], ["c1", -0.01, True], ["c2", 1e-6, True]],
    })  # fmt: skip
    assert plain_coefficients(text) == (1e-6, -0.01, 0.1)
    assert not marker.exists()
    for broken in ("", "[", "[]", "{}", json.dumps({"params": 3}), json.dumps({"params": [["c1", "x"]]}), "[" * 10**5):
        assert np.isnan(plain_coefficients(broken)).any()


def test_malicious_solution_runs_nothing(tmp_path):
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    fits = np.empty((2, 2), object)
    fits[:] = [[Evil(), Evil()], [{"calibration": Evil()}, None]]
    path = tmp_path / "evil.npz"
    np.savez(path, fit_array=fits, beam_map=np.arange(4).reshape(2, 2), configuration=np.array(Evil(), object))
    solution = read_wavecal(str(path))
    assert not solution.solved.any() and not marker.exists()


def test_flats_of_both_forms_are_the_truth(folder, truth):
    modern, old = read_flatcal(str(folder / "flat_A.npz")), read_flatcal(str(folder / "flatcalsoln_old1.h5"))
    assert (modern.method, old.method) == ("polynomial", "interpolation")
    for solution in (modern, old):
        rows = rows_of(solution.ids, truth["resid"])
        good = (rows >= 0) & solution.usable[np.maximum(rows, 0)]
        assert good.sum() == 8671
        np.testing.assert_allclose(solution.weights[rows[good]], truth["flat_weights"][good], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "says"),
    [("science.h5", "no wavelength solution"), ("beammap.txt", "no wavelength solution"), ("flat_A.npz", "is a flat"),
     ("flatcalsoln_old1.h5", "no wavelength solution"), ("truth_bin.npz", "some other npz")],
)  # fmt: skip
def test_foreign_files_are_refused_in_a_sentence(folder, name, says):
    with pytest.raises(FileFormatError, match=says):
        read_wavecal(str(folder / name))


def test_foreign_flats_and_missing_files_are_refused(folder, tmp_path):
    for name in ("calsol_old.h5", "wavecal_A_cal_coeffs.npz", "laser_808.h5"):
        with pytest.raises(FileFormatError, match="no flat"):
            read_flatcal(str(folder / name))
    with pytest.raises(MissingDataError, match="no such file"):
        read_flatcal(str(tmp_path / "nothing.h5"))


def test_cut_off_solutions_are_refused(folder, tmp_path):
    for name in ("calsol_old.h5", "wavecal_A_peer_PICKLED.npz", "wavecal_A_cal_coeffs.npz"):
        data = (folder / name).read_bytes()
        short = tmp_path / name
        short.write_bytes(data[: len(data) // 2])
        with pytest.raises(FileFormatError):
            read_wavecal(str(short))


def test_a_written_solution_reads_back_the_same(tmp_path, fitted):
    path = str(tmp_path / "sol.h5")
    write_calibration(path, fitted)
    again = read_wavecal(path)
    assert (again.name, again.sources, again.digest()) == (fitted.name, fitted.sources, fitted.digest())
    for name, values in array_fields(fitted).items():
        np.testing.assert_array_equal(getattr(again, name), values)
    for name, values in array_fields(fitted.fits).items():
        np.testing.assert_array_equal(getattr(again.fits, name), values)
    with pytest.raises(FileFormatError, match="is a wavelength solution, not a flat"):
        read_flatcal(path)


def test_a_written_flat_reads_back_the_same(tmp_path):
    flat = FlatSolution(
        "flat", np.array([3, 5]), np.array([800.0, 1000]), np.array([[1.0, 2], [np.nan, 1]]), np.full((2, 2), 0.1),
        np.array([0, 2]), polynomial=np.ones((2, 2)), method="polynomial", source="laser", sources=("a.h5",),
    )  # fmt: skip
    path = str(tmp_path / "flat.h5")
    write_calibration(path, flat)
    again = read_flatcal(path)
    assert (again.method, again.source, again.sources) == ("polynomial", "laser", ("a.h5",))
    np.testing.assert_array_equal(again.weights, flat.weights)
    with pytest.raises(IfuviewError):
        write_calibration(str(tmp_path / "no folder" / "flat.h5"), flat)


def test_solutions_of_other_arrays_are_refused(fitted):
    other = Beammap(np.arange(12) + 10**6, np.arange(12).reshape(4, 3), np.zeros((4, 3), np.uint64))
    with pytest.raises(FileFormatError, match="another array"):
        check_same_array(fitted, other)
    small = Beammap(fitted.ids[:6], np.arange(6).reshape(2, 3), np.zeros((2, 3), np.uint64))
    with pytest.raises(FileFormatError, match="3 x 4 pixels, the photons of one of 3 x 2"):
        check_same_array(fitted, small)
    check_same_array(replace(fitted, grid=None), small)


def test_a_list_of_a_part_of_the_array_is_no_other_array(folder):
    solution = read_wavecal(str(folder / "calsol_old.h5"))
    check_same_array(solution, open_photons(folder / "old_perpixel.h5").info.beammap)
    ids = solution.grid[60:70, 30:38]
    known, index = np.unique(ids[:, ::-1], return_inverse=True)
    turned = Beammap(known, index.reshape(ids.shape), np.zeros(ids.shape, np.uint64))
    with pytest.raises(FileFormatError, match="80 x 125 pixels, the photons of one of 8 x 10"):
        check_same_array(solution, turned)

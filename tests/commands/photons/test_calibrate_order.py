"""Lists in any order are sorted while they are calibrated; solutions that solve nothing are refused."""

from __future__ import annotations

import h5py
import hdf5plugin  # noqa: F401  (the filter of the table)
import numpy as np
import pytest

from ifuview.app.photons.calibration import files
from ifuview.app.photons.calibration import solve as cal
from ifuview.commands.run import command
from ifuview.errors import FileFormatError
from ifuview.io.photons.lists.write import write_photons
from ifuview.model.photons.calibration_stack import CalibrationStack, LinearityStep, WaveStep
from ifuview.model.photons.lists import PhotonBlock
from ifuview.model.photons.wavelength_solution import WAVE_BIT, WavelengthSolution
from ifuview.simulate.photons.array import make_array
from ifuview.simulate.photons.lists import simulate_photons
from tests.app.photons.photon_files import solution_of

TABLE = "photons/photontable"


@pytest.fixture(scope="module")
def night():
    array = make_array((8, 6), dead=2, cold=1, hot=1, unsolved=0)
    source, truth = simulate_photons(array=array, calibrated=False, duration=1.0)
    return source, solution_of(truth)


def rows_of_file(path):
    with h5py.File(path) as file:
        return file[TABLE][:]


def calibrated(path, output, solution):
    steps = CalibrationStack((WaveStep(solution), LinearityStep()))
    return files.calibrate_file(str(path), str(output), steps)


def test_photons_in_no_order_are_sorted(night, tmp_path):
    source, solution = night
    write_photons(tmp_path / "sorted.h5", source)
    order = np.random.default_rng(1).permutation(len(source.time))
    mixed = PhotonBlock(source.resonator[order], source.time[order], source.value[order])
    write_photons(tmp_path / "mixed.h5", [mixed], source.info)
    _, notes = calibrated(tmp_path / "sorted.h5", tmp_path / "a.h5", solution)
    assert not notes
    _, notes = calibrated(tmp_path / "mixed.h5", tmp_path / "b.h5", solution)
    assert notes == ("The photons are sorted by resonator and time now.",)
    assert (rows_of_file(tmp_path / "a.h5") == rows_of_file(tmp_path / "b.h5")).all()
    _, notes = files.undo_file(str(tmp_path / "b.h5"), str(tmp_path / "c.h5"))
    assert notes == ("The rows come by resonator and time; before calibration they were in another order.",)
    assert not files.undo_file(str(tmp_path / "a.h5"), str(tmp_path / "c.h5"))[1]
    assert (rows_of_file(tmp_path / "c.h5") == rows_of_file(tmp_path / "sorted.h5")).all()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.h5", "b.h5", "c.h5", "mixed.h5", "sorted.h5"]


def test_photons_of_no_resonator_go_to_the_end(night, tmp_path):
    source, solution = night
    resonator = source.resonator.copy()
    resonator[100:110] = source.info.beammap.nresonator
    write_photons(tmp_path / "mixed.h5", [PhotonBlock(resonator, source.time, source.value)], source.info)
    _, notes = calibrated(tmp_path / "mixed.h5", tmp_path / "new.h5", solution)
    ids = rows_of_file(tmp_path / "new.h5")["resID"]
    assert (np.diff(ids.astype(np.int64)) >= 0).all() and (ids == 0xFFFFFFFF).sum() == 10
    assert not any("not sorted" in note for note in notes)
    assert "10 photons of unknown resonators are kept with the resonator id 4294967295." in notes


def test_a_solution_that_solves_nothing_is_refused(night, tmp_path):
    source, solution = night
    write_photons(tmp_path / "phase.h5", source)
    flags = np.full(len(solution.ids), WAVE_BIT["wavecal.bad"], np.uint32)
    nothing = np.full_like(solution.coefficients, np.nan)
    cal.save(
        WavelengthSolution("none", solution.ids, nothing, flags, solution.lasers, grid=solution.grid),
        str(tmp_path / "none.h5"),
    )
    words = [str(tmp_path / "phase.h5"), "--wavecal", str(tmp_path / "none.h5"), "-o", str(tmp_path / "new.h5")]
    with pytest.raises(FileFormatError, match="solves none of the resonators"):
        command("calibrate", words)
    assert not (tmp_path / "new.h5").exists()


class _Foreign:
    """Of a class that is not read."""


def test_fits_of_a_foreign_class_are_named(night, tmp_path):
    _, solution = night
    fits = np.empty(solution.grid.T.shape, object)
    for place in np.ndindex(fits.shape):
        fits[place] = _Foreign()
    np.savez(tmp_path / "foreign.npz", fit_array=fits, beam_map=solution.grid.T)
    with pytest.raises(FileFormatError, match=r"objects of the class .*_Foreign, which are not read"):
        cal.read_wavecal(str(tmp_path / "foreign.npz"))

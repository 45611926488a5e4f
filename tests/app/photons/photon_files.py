"""Simulated photon lists and their solutions in files, for tests of the window."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ifuview.app.photons.calibration import solve
from ifuview.io.photons.lists.write import write_photons
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.lists import PhotonList
from ifuview.model.photons.resonators import grid_of
from ifuview.model.photons.wavelength_solution import WAVE_BIT, WavelengthSolution
from ifuview.simulate.photons.lists import PhotonTruth, simulate_photons

WAVES = np.array([750.0, 950.0, 1150.0, 1350.0])  # nm; of the flat


class Files(NamedTuple):
    """Where they are and what is in them."""

    photons: str
    wavecal: str
    flat: str
    truth: PhotonTruth
    source: PhotonList
    solution: WavelengthSolution
    weights: FlatSolution


def solution_of(truth: PhotonTruth, name: str = "truth") -> WavelengthSolution:
    """The true energies of an array as a solution."""
    array = truth.array
    beammap = array.beammap
    ids, place = np.unique(grid_of(beammap).ravel(), return_index=True)
    keep = ids >= 0
    ids, place = ids[keep], place[keep]
    solved = array.solved.ravel()[place]
    own = np.where(solved[:, None], array.coefficients.reshape(-1, 3)[place], np.nan)
    bad = WAVE_BIT["wavecal.bad"] | WAVE_BIT["wavecal.failed_convergence"]
    flags = np.where(solved, WAVE_BIT["wavecal.quadratic"], bad)
    return WavelengthSolution(name, ids, own, flags.astype(np.uint32), np.empty(0), grid=grid_of(beammap))


def flat_of(truth: PhotonTruth, name: str = "even") -> FlatSolution:
    """Weights that rise with wavelength, the same for all resonators."""
    ids = np.unique(grid_of(truth.array.beammap))
    ids = ids[ids >= 0]
    weights = np.tile(WAVES / 1000.0, (len(ids), 1))
    flags = np.zeros(len(ids), np.uint32)
    return FlatSolution(name, ids, WAVES, weights, 0.02 * weights, flags, grid=grid_of(truth.array.beammap))


def write_files(folder: Path, duration: float = 2.0, *, calibrated: bool = False) -> Files:
    """A science exposure, its wavelength solution and a flat."""
    source, truth = simulate_photons(duration=duration, calibrated=calibrated, seed=3)
    paths = [str(folder / name) for name in ("science.h5", "wavecal.h5", "flat.h5")]
    write_photons(paths[0], source)
    wave, flat = solution_of(truth), flat_of(truth)
    solve.save(wave, paths[1])
    solve.save(flat, paths[2])
    return Files(*paths, truth, source, wave, flat)

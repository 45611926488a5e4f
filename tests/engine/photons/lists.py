"""Photon lists for the tests: a made one, and the shared reference files read with h5py alone."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np

from ifuview.model.photons.lists import Beammap, PhotonColumn, PhotonInfo, PhotonList


def made(
    rates: np.ndarray,
    duration: float = 10.0,
    seed: int = 1,
    *,
    column: PhotonColumn = PhotonColumn.WAVELENGTH,
    **options,
):
    """Steady light of given photons/s per pixel (ny, nx), wavelengths evenly over 700 to 1500 nm, no dead time."""
    rng = np.random.default_rng(seed)
    number = rng.poisson(rates.ravel() * duration)
    resonator = np.repeat(np.arange(rates.size, dtype=np.int32), number)
    time = rng.integers(0, round(duration * 1e6), len(resonator)).astype(np.uint32)
    order = np.lexsort((time, resonator))
    value = rng.uniform(700, 1500, len(resonator)).astype(np.float32)
    if column is PhotonColumn.PHASE:
        value = -value / 10
    names = ("pixcal.hot", "wavecal.bad", "beammap.failed")
    flags = options.pop("flags", np.zeros(rates.shape, np.uint64))
    beammap = Beammap(np.arange(rates.size) + 10000, np.arange(rates.size).reshape(rates.shape), flags, names)
    info = PhotonInfo("made.h5", "modern", beammap, len(resonator), 0.0, duration, column=column, **options)
    return PhotonList(info, resonator[order], time[order], value[order])


@cache
def reference(path: Path) -> PhotonList:
    """A modern photon table."""
    import h5py
    import hdf5plugin  # noqa: F401  (the filter of the table)

    with h5py.File(path) as file:
        table = file["photons/photontable"]
        rows = table[:]
        attributes = dict(table.attrs)
        grid, flags = file["beammap/map"][:].T, file["beammap/flag"][:].T
    names = tuple(re.findall(r"^\(?V(.*)$", attributes["flags"].decode(), re.MULTILINE))
    ids = np.unique(grid)
    column = PhotonColumn.WAVELENGTH if "E_WAVCAL" in attributes else PhotonColumn.PHASE
    beammap = Beammap(ids, np.searchsorted(ids, grid), flags, names)
    info = PhotonInfo(
        str(path), "modern", beammap, len(rows), float(attributes["UNIXSTR"]), float(attributes["EXPTIME"]), column,
    )  # fmt: skip
    resonator = np.searchsorted(ids, rows["resID"]).astype(np.int32)
    return PhotonList(info, resonator, rows["time"].copy(), rows["wavelength"].copy(), rows["weight"].copy())

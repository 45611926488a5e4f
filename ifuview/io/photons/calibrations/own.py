"""ifuview's own form of a calibration: HDF5 with plain arrays, named as the fields of the solution."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import MissingDataError
from ifuview.files import whole_file
from ifuview.io.hdf5.file import array, dataset
from ifuview.io.hdf5.writing import h5_new
from ifuview.io.photons.calibrations.common import FLATCAL, MAX_WORD, OWN, WAVECAL, root_word, solution_name
from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FLAT_BIT, FlatSolution
from ifuview.model.photons.resonators import array_fields
from ifuview.model.photons.wavelength_solution import WAVE_BIT, LaserFits, WavelengthSolution

if TYPE_CHECKING:
    from h5py import File, Group

VERSION = 1


def write_calibration(path: str, solution: WavelengthSolution | FlatSolution) -> None:
    """Write a solution in ifuview's own form: HDF5 with plain arrays, named as the fields of the solution.

    Raises
    ------
    UsageError
        It cannot be written; nothing is left behind.
    """
    with whole_file(path) as part:
        _write(part, solution)


def _write(part: str, solution: WavelengthSolution | FlatSolution) -> None:
    wave = isinstance(solution, WavelengthSolution)
    with h5_new(part) as (file, _):
        words = {
            "format": OWN, "version": str(VERSION), "kind": WAVECAL if wave else FLATCAL, "name": solution.name,
            "sources": json.dumps(solution.sources), "flags": json.dumps(list(WAVE_BIT if wave else FLAT_BIT)),
        }  # fmt: skip
        if isinstance(solution, FlatSolution):
            words |= {"method": solution.method, "source": solution.source}
        for name, text in words.items():
            file.attrs[name] = np.bytes_(text.encode("utf-8", "backslashreplace")[:MAX_WORD])
        for name, values in array_fields(solution).items():
            _put(file, name, values)
        fits = solution.fits if isinstance(solution, WavelengthSolution) else None
        if fits is not None:
            group = file.create_group("fits")
            for name, values in array_fields(fits).items():
                _put(group, name, values)


def _put(group: Group, name: str, values: Array) -> None:
    packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if values.size > 1000 else {}
    group.create_dataset(name, data=values, **packed)


def _arrays(path: str, file: File, names: Mapping[str, int], group: str = "") -> dict[str, Array]:
    """Arrays of a file by name with so many dimensions; those that are not there are left out."""
    return {
        name: array(path, file, f"{group}{name}", ndim=ndim)
        for name, ndim in names.items()
        if dataset(file, f"{group}{name}") is not None
    }


def _needed(path: str, found: Mapping[str, Array], names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in found]
    if missing:
        raise MissingDataError(f"the calibration has no {', '.join(missing)}", path, "make it again")


def _sources(file: File) -> tuple[str, ...]:
    try:
        listed = json.loads(root_word(file, "sources") or "[]")
    except ValueError:
        return ()
    return tuple(str(item) for item in listed) if isinstance(listed, list) else ()


def own_wavecal(path: str, file: File) -> WavelengthSolution:
    """A wavelength solution."""
    names = {"ids": 1, "coefficients": 2, "flags": 1, "lasers": 1, "covariance": 3, "phases": 2, "grid": 2}
    found = _arrays(path, file, names)
    _needed(path, found, ("ids", "coefficients", "flags", "lasers"))
    fits = None
    if "fits" in file:
        own = _arrays(path, file, {
            "status": 2, "photons": 2, "center": 2, "center_error": 2, "sigma": 2, "sigma_error": 2, "parameters": 3,
            "chi2": 2, "resolution": 2, "resolution_error": 2, "width": 2, "histograms": 3, "edges": 1,
        }, "fits/")  # fmt: skip
        _needed(path, own, ("status", "photons", "center", "parameters", "resolution", "width"))
        fits = LaserFits(**own)
    return WavelengthSolution(
        name=root_word(file, "name") or solution_name(path), fits=fits, sources=_sources(file), form="ifuview", **found
    )


def own_flat(path: str, file: File) -> FlatSolution:
    """A flat."""
    names = {"ids": 1, "waves": 1, "weights": 2, "errors": 2, "flags": 1, "edges": 1, "polynomial": 2, "counts": 2,
             "grid": 2}  # fmt: skip
    found = _arrays(path, file, names)
    _needed(path, found, ("ids", "waves", "weights", "errors", "flags"))
    return FlatSolution(
        name=root_word(file, "name") or solution_name(path),
        method=root_word(file, "method") or "interpolation",
        source=root_word(file, "source") or "white",
        sources=_sources(file), form="ifuview", **found,
    )  # fmt: skip

"""The door for wavelength solutions and flats of photon lists, in every form that pipelines wrote them.

read_wavecal   calsol_*.h5 of 2018; modern .npz with pickled fits; *_cal_coeffs.npz; ifuview's own HDF5
read_flatcal   flatcalsoln*.h5 of 2018; modern .npz; ifuview's own HDF5
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, IfuviewError, MissingDataError
from ifuview.io.hdf5.file import h5_open, is_h5
from ifuview.io.photons.calibrations.common import FLATCAL, OWN, UNKNOWN, WAVECAL, root_word
from ifuview.io.photons.calibrations.modern import modern_flat, modern_wavecal
from ifuview.io.photons.calibrations.of_2018 import old_flat, old_wavecal
from ifuview.io.photons.calibrations.own import VERSION, own_flat, own_wavecal
from ifuview.io.safe.npz import is_npz
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.wavelength_solution import WavelengthSolution

if TYPE_CHECKING:
    from h5py import File

Solution = TypeVar("Solution", WavelengthSolution, FlatSolution)


def read_wavecal(path: str, ctx: JobContext = SILENT) -> WavelengthSolution:
    """Read a wavelength solution of any form.

    Raises
    ------
    FileFormatError, MissingDataError
        One sentence about what the file is instead, or what is wrong with it.
    """
    return _read(path, WAVECAL, own_wavecal, old_wavecal, modern_wavecal, ctx)


def read_flatcal(path: str, ctx: JobContext = SILENT) -> FlatSolution:
    """Read a flat of any form; see `read_wavecal`."""
    return _read(path, FLATCAL, own_flat, old_flat, modern_flat, ctx)


def _read(
    path: str,
    kind: str,
    own: Callable[[str, File], Solution],
    old: Callable[[str, File], Solution],
    modern: Callable[[str, JobContext], Solution],
    ctx: JobContext,
) -> Solution:
    """Read a calibration by its content."""
    if not os.path.exists(path):
        raise MissingDataError("there is no such file", path, "check the name")
    try:
        if is_h5(path):
            with h5_open(path) as file:
                if root_word(file, "format") == OWN:
                    _check_own(path, file, kind)
                    return own(path, file)
                return old(path, file)
        if is_npz(path):
            return modern(path, ctx)
    except IfuviewError:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError) as problem:
        raise FileFormatError(f"the {kind} is damaged ({str(problem)[:200]})", path, "make it again") from problem
    raise FileFormatError(UNKNOWN.format(kind), path)


def _check_own(path: str, file: File, kind: str) -> None:
    """Raise FileFormatError unless a file of ifuview is of the kind, and of this version."""
    found = root_word(file, "kind")
    if found != kind:
        raise FileFormatError(f"is a {found or 'calibration of an unknown kind'}, not a {kind}", path)
    if root_word(file, "version") != str(VERSION):
        raise FileFormatError("was written by another version of ifuview", path, "update ifuview")

"""What the commands for photon lists must not write over: what they read, and photon lists."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ifuview.errors import IfuviewError, UsageError

PHOTON_TABLES = ("photons/photontable", "Photons", "photons", "beammap", "BeamMap")  # one of them is in every era


def keep_inputs(output: str | None, inputs: Iterable[str | None]) -> None:
    """Make sure that an output is none of the files that are read, before the work is done.

    Parameters
    ----------
    output : str or None
        None or "-": nothing is written.
    inputs : iterable of str or None
        Files or folders; NM=FILE is read as FILE. None: not given.

    Raises
    ------
    UsageError
        It is one of them.
    """
    if not output or output == "-" or not os.path.exists(output):
        return
    for item in inputs:
        for name in () if not item else (item, item.partition("=")[2]):
            if name and os.path.exists(name) and os.path.samefile(name, output):
                raise UsageError("would overwrite a file that is read", output, "choose another name")


def keep_photons(output: str | None) -> None:
    """Make sure that something else than photons does not take the place of a photon list.

    Raises
    ------
    UsageError
        A photon list has that name.
    """
    if output and os.path.isfile(output) and holds_photons(output):
        raise UsageError("would overwrite a photon list", output, "choose another name")


def holds_photons(path: str) -> bool:
    """Whether a file is an HDF5 file with photons or the map of an array, sound or damaged."""
    from ifuview.io.h5_file import child, h5_open, is_h5

    if not is_h5(path):
        return False
    try:
        with h5_open(path) as file:
            return any(child(file, name) is not None for name in PHOTON_TABLES)
    except IfuviewError:
        return True  # whatever it is, it is not ours

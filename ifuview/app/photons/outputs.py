"""Where photon lists and what is made of them may be written: in a folder that is there, over nothing that is read."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ifuview.errors import IfuviewError, UsageError

PHOTON_TABLES = ("photons/photontable", "Photons", "photons", "beammap", "BeamMap")  # one of them is in every era


def check_place(path: str) -> None:
    """Make sure that a file can be written to `path`, before the work is done.

    Raises
    ------
    UsageError
        There is no such folder, or it cannot be written, or `path` is a folder itself.
    """
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise UsageError("the folder does not exist", folder, "choose another folder")
    if os.path.isdir(path) or not os.access(folder, os.W_OK):
        raise UsageError("the output cannot be written there", path, "choose another folder or name")


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
    from ifuview.io.hdf5.file import child, h5_open, is_h5

    if not is_h5(path):
        return False
    try:
        with h5_open(path) as file:
            return any(child(file, name) is not None for name in PHOTON_TABLES)
    except IfuviewError:
        return True  # whatever it is, it is not ours

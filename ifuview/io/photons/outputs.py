"""Nothing else takes the place of a photon list."""

from __future__ import annotations

import os

from ifuview.errors import IfuviewError, UsageError
from ifuview.overwriting import looked_at

PHOTON_TABLES = ("photons/photontable", "Photons", "photons", "beammap", "BeamMap")  # one of them is in every era


def keep_photons(output: str | None) -> None:
    """Make sure that something else than photons does not take the place of a photon list.

    Raises
    ------
    UsageError
        A photon list has that name.
    """
    if not output or not os.path.isfile(output):
        return
    with looked_at(output):
        photons = holds_photons(output)
    if photons:
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

"""What an HDF5 file is that holds no photons, in one sentence, with what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifuview.errors import FileFormatError, IfuviewError, MissingDataError
from ifuview.io.hdf5.file import child

if TYPE_CHECKING:
    from h5py import File

FAMILIES = (  # a node that only this family has, what it is, what to do
    (
        "wavecal/calsoln",
        "is a wavelength solution, not a photon list",
        "give it to a photon list: ifuview calibrate PHOTONS --wavecal FILE -o NEW.h5",
    ),
    (
        "flatcal/calsoln",
        "is a flat solution, not a photon list",
        "give it to a photon list: ifuview calibrate PHOTONS --flatcal FILE -o NEW.h5",
    ),
    ("flatcal/weights", "is a flat solution, not a photon list", "give it to a photon list with --flatcal"),
    (
        "photons/photons",
        "is a reduced list without detector times, which is not read",
        "open the file it was made from",
    ),
    ("hotPixels", "is a list of time masks, not a photon list", "open the photon list it belongs to"),
    ("timemasks", "is a list of time masks, not a photon list", "open the photon list it belongs to"),
)
LISTED = 5


def family(path: str, file: File) -> IfuviewError:
    """The error to raise for an HDF5 file that is no photon list."""
    for node, what, todo in FAMILIES:
        if child(file, node) is not None:
            return FileFormatError(what, path, todo)
    for group in ("photons", "Photons"):
        if child(file, group) is not None:
            return MissingDataError(f"has the group {group} but no photon table in it", path)
    names = list(file)
    if not names:
        return MissingDataError("the HDF5 file is empty", path)
    shown = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    return FileFormatError(f"is an HDF5 file of a kind that is not read (it holds {shown})", path)

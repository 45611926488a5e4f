"""Any file as frames: images with their limits, photon lists with their beam flags."""

from __future__ import annotations

import os

from ifuview.app.frames.look import Look
from ifuview.app.frames.opening import reading as opening
from ifuview.app.frames.opening.opened import Opened
from ifuview.engine.context import SILENT, JobContext
from ifuview.files import FITS_SUFFIXES


def is_photons(path: str) -> bool:
    """Whether a file, or a folder of raw packets, is a photon list."""
    from ifuview.io.photons import opening as photons

    return photons.is_photons(path)


def is_packed_night(path: str) -> bool:
    """Whether a path is an archive or a folder inside one: it is opened like a folder."""
    if path.endswith(FITS_SUFFIXES) or os.path.isdir(path):
        return False
    from ifuview.io.archive.paths import is_folder

    return is_folder(path)


def open_images(
    spec: str, *, every: bool = False, cube: bool = False, look: Look | None = None, ctx: JobContext = SILENT
) -> tuple[Opened, ...]:
    """Read a file and work out the display limits of its default image, or of `every` image extension.

    A photon list shows its beam flags.

    Parameters
    ----------
    spec : str
        As for `open_dataset`.
    every : bool
        All extensions with pixels are read.
    cube : bool
        The image extensions of one size are stacked into one cube.
    look : Look, optional
        Which limits, colors and transfer are wanted. Default: those of the preferences.
    ctx : JobContext, optional
        Progress and cancellation.

    Raises
    ------
    TablesOnly, FileFormatError, MissingDataError
        There is no image; what there is instead.
    """
    found = opening.open_images(spec, every=every, cube=cube, look=look, ctx=ctx)
    if found[0].dataset.photons is None:
        return found
    from ifuview.app.photons.counting.images import opened_flags

    return tuple(opened_flags(opened) for opened in found)

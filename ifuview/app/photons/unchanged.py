"""Whether the file of a photon frame is still what was opened."""

from __future__ import annotations

import os
from typing import Any

from ifuview.app.photons.state import PhotonFrame
from ifuview.errors import FileFormatError
from ifuview.model.photons.lists import TICK

MICRO = round(1 / TICK)


def state_of(path: str) -> Any:
    """Size and time of a file, by which a change is seen."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def check_unchanged(frame: PhotonFrame) -> None:
    """Raise FileFormatError if the file is no longer what was opened."""
    path = frame.raw.info.path
    if frame.state is not None and state_of(path) != frame.state:
        raise FileFormatError("the file changed since it was opened", path, "reload it (Ctrl+R)")

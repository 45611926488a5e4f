"""Whether the file of a photon frame is still what was opened."""

from __future__ import annotations

from ifuview.app.photons.lists import PACKETS
from ifuview.app.photons.state import PhotonFrame
from ifuview.errors import FileFormatError
from ifuview.files import size_and_time
from ifuview.model.photons.lists import TICK

MICRO = round(1 / TICK)


def check_unchanged(frame: PhotonFrame) -> None:
    """Raise FileFormatError if the file is no longer what was opened."""
    path = frame.raw.info.path
    if frame.state is not None and size_and_time(path, PACKETS) != frame.state:
        raise FileFormatError("the file changed since it was opened", path, "reload it (Ctrl+R)")

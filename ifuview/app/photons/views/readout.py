"""What is under the cursor of a photon frame: pixel, resonator, feedline, photons with their error, flags by name."""

from __future__ import annotations

import math

from ifuview.app.frames.views.text import number
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.session import Slot
from ifuview.model.photons.lists import NO_RESONATOR, PhotonInfo

FEEDLINE = 10_000  # resonator ids are this times the feedline, plus the number in it
Field = tuple[str, str]


def fields(slot: Slot, i: int, j: int) -> list[Field]:
    """Fields of the pixel in column `i` and row `j`."""
    info: PhotonInfo | None = slot.dataset.photons
    frame = slot.photons if isinstance(slot.photons, PhotonFrame) else None
    info = frame.source.info if frame is not None else info
    assert info is not None
    return [
        ("x", f"{i} y {j}"),
        *_light(frame, i, j),
        ("resonator", _resonator(info, i, j)),
        ("flags", _flags(info, i, j)),
    ]


def _light(frame: PhotonFrame | None, i: int, j: int) -> list[Field]:
    """Photons or photons/s with the error of their number."""
    if frame is None or frame.shown is Shown.FLAGS or frame.image is None:
        return []
    counted = frame.image
    if counted.excluded[j, i]:
        return [("", "left out for its flags")]
    if counted.info.beammap.index[j, i] < 0:
        return [("", "shows no resonator")]
    count, error = counted.counts[j, i].item(), math.sqrt(counted.variance[j, i].item())
    if frame.shown is Shown.RATE and counted.exposure > 0:
        value = f"{number(count / counted.exposure)} ± {number(error / counted.exposure, 3)} photons/s"
        return [("rate", value)]
    about = "about " if frame.preview else ""
    whole = isinstance(count, int)
    text = str(count) if whole else number(count)
    return [("photons" if whole else "weighted", f"{about}{text} ± {number(error, 3)}")]


def _resonator(info: PhotonInfo, i: int, j: int) -> str:
    """Id of the resonator, its feedline."""
    place = int(info.beammap.index[j, i])
    ident = int(info.beammap.ids[place]) if place >= 0 else NO_RESONATOR
    if ident == NO_RESONATOR:
        return "none"
    return f"{ident} (feedline {ident // FEEDLINE})" if ident >= FEEDLINE else str(ident)


def _flags(info: PhotonInfo, i: int, j: int) -> str:
    """Names of the flags; a second meaning behind a name that the file does not make clear."""
    bits, beammap = int(info.beammap.flags[j, i]), info.beammap
    names = []
    for n, name in enumerate(beammap.flag_names):
        if bits >> n & 1:
            note = beammap.flag_notes.get(name, "")
            names.append(f"{name} ({note.split(':')[0]})" if note else name)
    return ", ".join(names) or "none"

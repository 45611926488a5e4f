"""What the guide cameras saw while an exposure ran: seeing and transparency, from the headers of their pictures.

They lie beside the raw data: DATE/gc1/gc1.tar and such, a picture's name beginning with its time.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.files import is_folder
from ifuview.io.archive.paths import first_bytes
from ifuview.io.archive.walk import files_below
from ifuview.io.fits.cards import real, word
from ifuview.io.fits.head import BLOCK, cards_of

FOLDER = re.compile(r"gc\d+", re.ASCII)
NAME = re.compile(r"(20\d{6}T\d{6})[\d.]*_.*\.fits", re.ASCII)
TIME = "%Y%m%dT%H%M%S"
MARGIN = timedelta(seconds=10)  # before and after an exposure
HEAD = 6 * BLOCK  # bytes of a picture that are looked at
MOST = 200  # pictures of an exposure whose headers are read
SEEING, TRANSPARENCY = (0.8, 4.0), (0.1, 1.05)  # arcsec and 1: others are no measurement


@dataclass(frozen=True, slots=True)
class GuidePicture:
    """One picture of a guide camera."""

    time: datetime
    path: str


def guide_pictures(folder: str, ctx: JobContext = SILENT) -> tuple[GuidePicture, ...]:
    """Pictures of the guide cameras in the folder of a date, by time; none where there are none."""
    try:
        places = sorted(entry.path for entry in os.scandir(folder) if FOLDER.fullmatch(entry.name) and is_folder(entry))
    except OSError:
        return ()
    found = []
    for place in places:
        for file in files_below(place, [], ctx):
            match = NAME.fullmatch(os.path.basename(file.path))
            if match is not None and (time := moment(match[1])) is not None:
                found.append(GuidePicture(time, file.path))
    return tuple(sorted(found, key=lambda one: one.time))


def moment(text: str) -> datetime | None:
    """The time YYYYMMDDThhmmss at the beginning of a text; None for none."""
    try:
        return datetime.strptime(text[:15], TIME)
    except ValueError:
        return None


def while_exposed(
    pictures: tuple[GuidePicture, ...], start: str, exptime: float, ctx: JobContext = SILENT
) -> tuple[float | None, float | None]:
    """Median seeing (arcsec) and transparency of the pictures taken during an exposure while the loop was closed.

    Parameters
    ----------
    start : str
        YYYYMMDDThhmmss of the exposure.
    exptime : float, s
    """
    begun = moment(start)
    if begun is None:
        return None, None
    ended = begun + timedelta(seconds=exptime) + MARGIN
    own = [one for one in pictures if begun - MARGIN <= one.time <= ended]
    values: tuple[list[float], list[float]] = ([], [])
    for one in own[:: max(1, len(own) // MOST)]:
        cards = cards_of(first_bytes(one.path, HEAD, ctx), ("IQ", "TRANSPAR", "GUIDLOOP"))
        if word(cards.get("GUIDLOOP", "ACTIVE")).upper() != "ACTIVE":
            continue
        for key, bounds, kept in (("IQ", SEEING, values[0]), ("TRANSPAR", TRANSPARENCY, values[1])):
            value = real(cards.get(key))
            if value is not None and bounds[0] <= value <= bounds[1]:
                kept.append(value)
    seeing, transparency = (float(np.median(kept)) if kept else None for kept in values)
    return seeing, transparency

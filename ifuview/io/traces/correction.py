"""One correction of a trace file: what is given, what it becomes, and how a file says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, ImageHDU, PrimaryHDU

REMARK = "traces corrected by ifuview"
CARD, CARD_TEXT = "TRCORR", f"{REMARK}, see HISTORY"


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """The traces of a file and what they become; a writer of one form takes it and makes `part`.

    Parameters
    ----------
    source, part : str
        The given file, and the one to be written.
    given, traces : TraceSet
        Of `source`, and corrected; the same fibers in the same order, canonical axes.
    what : str
        What was changed, in words.
    orientation : Orientation, optional
        Of the image they belong to. Default: what the file says.
    native : (int, int)
        Shape (ny, nx) of that image.
    """

    source: str
    part: str
    given: TraceSet
    traces: TraceSet
    what: str
    orientation: Orientation | None
    native: tuple[int, int]


def say(hdu: PrimaryHDU | ImageHDU | BinTableHDU, what: str) -> None:
    """A card and a history of what was changed; checksums of the old content go."""
    for key in ("CHECKSUM", "DATASUM"):
        hdu.header.remove(key, ignore_missing=True)
    hdu.header[CARD] = (True, CARD_TEXT)
    hdu.header.add_history(as_ascii(f"ifuview corrected the traces: {what}"))


def as_ascii(text: str) -> str:
    """Text that a FITS header can hold."""
    return text.encode("ascii", "replace").decode("ascii")

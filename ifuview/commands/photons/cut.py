"""The options that say which photons of a list count."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from ifuview.commands.said import names

if TYPE_CHECKING:
    from ifuview.model.photons.lists import PhotonCut, PhotonInfo

NONE = "none"


def add_cut_options(out: ArgumentParser) -> None:
    """Add them."""
    out.add_argument("--start", type=float, metavar="S", help="s since the start of the file")
    out.add_argument("--stop", type=float, metavar="S", help="s, not included")
    out.add_argument("--wave", type=float, nargs=2, metavar=("LO", "HI"), help="nm; of a calibrated list")
    out.add_argument("--phase", type=float, nargs=2, metavar=("LO", "HI"), help="degree; of one that is not")
    out.add_argument("--exclude", metavar="FLAG,...|none",
                     help="leave out pixels with these flags (default: the problem flags)")  # fmt: skip
    out.add_argument("--beammap", metavar="F", help="beam-map text file, for lists without one")


def cut_of(chosen: Namespace, info: PhotonInfo) -> PhotonCut:
    """The photons that these options choose."""
    from ifuview.app.photons import lists as photons

    return photons.cut(
        info,
        start=chosen.start,
        stop=chosen.stop,
        wave=None if chosen.wave is None else tuple(chosen.wave),
        phase=None if chosen.phase is None else tuple(chosen.phase),
        exclude=flags(chosen.exclude),
        weighted=getattr(chosen, "weighted", False),
    )


def flags(text: str | None) -> tuple[str, ...] | None:
    """Names of an --exclude; None for the default, empty for "none"."""
    if text is None:
        return None
    return () if (found := names(text)) == (NONE,) else found

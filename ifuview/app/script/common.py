"""What the handlers of the options share: their type, ds9's small vocabularies, checked values."""

from __future__ import annotations

import os
from collections.abc import Callable

from ifuview.app.script.words import Words, Writer
from ifuview.errors import UsageError

Handler = Callable[[Words, Writer], None]

YES_NO = ("yes", "true", "on", "1", "no", "false", "off", "0")
COORDINATES = ("image", "physical", "wcs", "fk5", "icrs", "amplifier", "detector", "none")
SKY_COORDINATES = (
    "wcs",
    "fk5",
    "fk4",
    "icrs",
    "galactic",
    "ecliptic",
    *(f"wcs{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
)
PIXEL_COORDINATES = ("image", "physical", "")
# What ds9 calls it -> what the session calls it
LOCKABLE = {
    "frame": "view",
    "frames": "view",
    "image": "view",
    "view": "view",
    "scale": "limits",
    "scales": "limits",
    "scalelimits": "limits",
    "limits": "limits",
    "colorbar": "colors",
    "colorbars": "colors",
    "colors": "colors",
    "crosshair": "crosshair",
    "crosshairs": "crosshair",
    "slice": "plane",
    "cube": "plane",
    "plane": "plane",
}
NOT_LOCKABLE = ("axes", "bin", "block", "smooth", "3d", "crop", "rgb", "mask")


def positive(words: Words, value: float) -> float:
    """`value`, which must be above zero."""
    if value <= 0:
        raise UsageError(f"{value:g} is not above zero", words.option)
    return value


def factor(words: Words) -> float:
    """One factor, or two (x and y) of which the first counts."""
    value = positive(words, words.number("a factor"))
    if words.is_number() and not os.path.exists(words.peek()):
        words.number()
    return value


def pixels(words: Words, out: Writer) -> bool:
    """Take an optional coordinate system; False (and a warning) if it is not pixels."""
    system = words.accept(*COORDINATES)
    words.accept("degrees", "sexagesimal", "fk5", "icrs", "galactic")
    if system not in PIXEL_COORDINATES:
        out.ignored.append(f"{words.option} in {system}")
        return False
    return True


def lock_value(words: Words) -> bool:
    """Take yes, no or a coordinate system; none is no."""
    system = words.accept(*COORDINATES)
    return system != "none" if system else words.switch()


def frame_lock(words: Words) -> tuple[str, bool]:
    """What ties the frames, by pixels or by the sky, and whether."""
    system = words.accept(*COORDINATES, *SKY_COORDINATES)
    if not system:
        return "view", words.switch()
    return ("sky" if system in SKY_COORDINATES else "view"), system != "none"


def not_lockable(what: str, words: Words, out: Writer) -> None:
    """Things that ds9 can lock and ifuview has not."""
    if what not in NOT_LOCKABLE:
        raise UsageError(f"{what!r} cannot be locked or matched", words.option, "see ifuview --help")
    out.ignored.append(f"{words.option} {what}")

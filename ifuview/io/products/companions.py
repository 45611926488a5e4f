"""What the name of a product tells, and the files that belong to it."""

from __future__ import annotations

import os

from ifuview.files import FITS_SUFFIXES
from ifuview.model.checks import Header
from ifuview.model.instrument import InstrumentSpec

ANCESTORS = 5  # folders above a product that a production may begin in
NIGHT_DIGITS, EXPOSURE_DIGITS = 8, 8


def family(path: str, known: tuple[str, ...]) -> str:
    """Product family from the beginning of the file name, "" if it is none of `known`."""
    name = os.path.basename(path).lower()
    fitting = [word for word in known if name.startswith(word)]
    return max(fitting, key=len, default="")


def companions(path: str, header: Header, spec: InstrumentSpec) -> tuple[str, ...]:
    """Files that belong to a product: the first that exists of each kind the instrument names."""
    words = _words(path, header, spec)
    if words is None:
        return ()
    here = os.path.dirname(os.path.abspath(path))
    out = []
    for patterns in spec.companions.values():
        found = next((file for pattern in patterns for file in _above(here, pattern.format(**words))), None)
        if found is not None and os.path.abspath(found) != os.path.abspath(path):
            out.append(found)
    return tuple(out)


def _words(path: str, header: Header, spec: InstrumentSpec) -> dict[str, str] | None:
    """Camera, night and exposure as file names spell them; None without a camera."""
    camera, night, expid = (spec.keyword(key, header) for key in ("camera", "night", "expid"))
    if camera is None:
        return None
    folders = os.path.dirname(os.path.abspath(path)).split(os.sep)
    if night is None:
        night = next((part for part in reversed(folders) if len(part) == NIGHT_DIGITS and part.startswith("20")), "")
    number = f"{expid:0{EXPOSURE_DIGITS}d}" if isinstance(expid, int) else str(expid or "")
    words = {"camera": str(camera).strip().lower(), "night": str(night).strip(), "expid": number}
    return {key: word.replace(os.sep, "_") for key, word in words.items()}


def _above(folder: str, pattern: str) -> list[str]:
    """Existing files of that name, with any suffix, in the folder or one above it, nearest first."""
    out = []
    for _ in range(ANCESTORS):
        out += [base for suffix in FITS_SUFFIXES if os.path.isfile(base := os.path.join(folder, pattern + suffix))]
        folder = os.path.dirname(folder)
    return out

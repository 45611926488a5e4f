"""What the name of a product tells, and the files that belong to it."""

from __future__ import annotations

import os
import re

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


def other_arms(path: str, camera: str, spec: InstrumentSpec) -> tuple[str, ...]:
    """The same product of the other arms of its fibers, as far as it lies beside: with another camera in its name."""
    folder, name = os.path.split(path)
    own = re.compile(rf"(?<![A-Za-z0-9]){re.escape(camera)}(?![A-Za-z0-9])")
    suffix = max((end for end in FITS_SUFFIXES if name.lower().endswith(end)), key=len, default="")
    stem = name[: len(name) - len(suffix)]
    stems = (own.sub(arm, stem) for arm in spec.arms(camera)) if camera and own.search(stem) else ()
    found = (next(iter(_in(folder, other, (suffix, *FITS_SUFFIXES))), "") for other in stems)
    return tuple(file for file in found if file)


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
        out += _in(folder, pattern, FITS_SUFFIXES)
        folder = os.path.dirname(folder)
    return out


def _in(folder: str, stem: str, suffixes: tuple[str, ...]) -> list[str]:
    """Existing files of a name with any of some suffixes."""
    return [file for suffix in suffixes if os.path.isfile(file := os.path.join(folder, stem + suffix))]

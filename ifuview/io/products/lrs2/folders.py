"""Where products go and what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ifuview.model.checks import Header
from ifuview.model.reduction.products import ProductName

ROOT = "LRS2"
STANDARDS, ORPHANS, CALS = "STANDARDS", "ORPHANS", "CALS"
PROGRAMS_SINCE = 20180701  # before, headers do not name the program
SUFFIX = re.compile(r"_(056|066)(_[EW])?$")
UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")


def target_name(name: str) -> str:
    """Name of an object without slot and side."""
    return SUFFIX.sub("", name.strip())


def is_standard(name: str, standards: Iterable[str]) -> bool:
    """Whether an object is a standard star, whatever way its name is spelled."""
    own = _letters(target_name(name))
    return any(own == _letters(star) for star in standards)


def folder_of(header: Header, night: int, standards: Iterable[str]) -> str:
    """Folder of the products of an exposure, below the output folder."""
    program = UNSAFE.sub("_", str(header.get("QPROG") or "").strip()).strip("._")
    if is_standard(str(header.get("OBJECT") or ""), standards):
        return f"{ROOT}/{STANDARDS}"
    return f"{ROOT}/{program}" if program and night >= PROGRAMS_SINCE else f"{ROOT}/{ORPHANS}"


def multi_name(name: ProductName) -> str:
    """Of the spectra of all fibers."""
    return f"multi_{name.text}.fits"


def spectrum_name(name: ProductName) -> str:
    """Of the spectrum of the source."""
    return f"spectrum_{name.text}.fits"


def cube_name(name: ProductName, kind: str) -> str:
    """Of a cube: by the date of the night, not of the day that it was made."""
    return f"{name.text}_{kind}_cube.fits"


def calibration_name(night: int, channel: str) -> str:
    """Of the calibrations of a channel."""
    return f"cal_{night:08d}_{channel}.fits"


def _letters(name: str) -> str:
    return re.sub(r"[^A-Z0-9+-]", "", name.upper())

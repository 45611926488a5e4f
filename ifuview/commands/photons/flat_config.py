"""The published configuration of a flat (FlatCal default.cfg) in the options of `ifuview flatcal`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from ifuview.errors import UsageError

ROOTS = ("/mnt/data0/ScienceData",)  # of run/date/timestamp.h5, after $MKID_DATA_DIR
NUMBERS = {  # old key, lower case, to option and factor
    "inttime": ("chunk", 1.0), "exptime": ("duration", 1.0), "deadtime": ("dead_time", 1e6),
    "energybinwidth": ("width", 1.0), "countratecutoff": ("max_rate", 1.0), "power": ("power", 1),
}  # fmt: skip
PLACE = ("run", "date", "flatcaltstamp", "flatobststamps")  # where the files are if flatPath does not say it
UNUSED = {
    "wvldate": "wvlCalFile names the solution",
    "fractionofchunkstotrim": "chunks that stand out by 5 sigma are left out",
    "timemaskfilename": "times are masked by calibrate",
    "timespacingcut": "its own program never used it",
}
UNKNOWN = "not known here"
NAMED = "flatPath names the file"


def flat_options(found: Mapping[str, object], path: str) -> tuple[dict[str, object], dict[str, str]]:
    """Return the options of a published configuration, and why each key that is not used is not.

    Parameters
    ----------
    found : mapping
        Its keys as they stand, and their values.
    path : str
        Of the configuration.

    Raises
    ------
    UsageError
        A number is none, or a path or time stamp is no text.
    """
    own = {key.lower(): value for key, value in found.items()}
    out: dict[str, object] = {}
    why: dict[str, str] = {}
    for key, value in own.items():
        if key in NUMBERS:
            name, factor = NUMBERS[key]
            out[name] = _number(key, value, path) * factor
    if "power" in out:
        out["power"] = int(_number("power", out["power"], path))
    low, high = own.get("wvlstart"), own.get("wvlstop")
    if low is not None and high is not None:
        out["range"] = [_number("wvlStart", low, path), _number("wvlStop", high, path)]
    if wavecal := _text(own, "wvlcalfile", path):
        out["wavecal"] = wavecal
    files, placed = _files(own, path)
    output = _text(own, "calsolnpath", path) or _beside(own, files, path)
    if files:
        out |= {"files": files, "white": True}
    if output:
        out["output"] = output if os.path.splitext(output)[1] else f"{output}.h5"
    used = {*NUMBERS, "wvlstart", "wvlstop", "wvlcalfile", "flatpath", "calsolnpath", *(PLACE if placed else ())}
    for key in found:
        if key.lower() not in used:
            why[key] = NAMED if key.lower() in PLACE else UNUSED.get(key.lower(), UNKNOWN)
    return out, why


def _files(own: Mapping[str, object], path: str) -> tuple[list[str], bool]:
    """Files of white light, and whether run, date and time stamps say where they are."""
    named, stamps = _text(own, "flatpath", path), _stamps(own, path)
    if named and not (os.path.isdir(named) and stamps):
        return [named], False
    if named:
        return [os.path.join(named, f"{stamp}.h5") for stamp in stamps], True
    run, date = _text(own, "run", path), _text(own, "date", path)
    return [_found(run, date, f"{stamp}.h5", path) for stamp in stamps], True


def _found(run: str, date: str, name: str, path: str) -> str:
    """The file of a night: below the data directory, or beside the configuration."""
    roots = [root for root in (os.environ.get("MKID_DATA_DIR", ""), *ROOTS) if root]
    here = os.path.dirname(os.path.abspath(path))
    places = [os.path.join(root, *below, name) for root in (*roots, here) for below in ((run, date), (date,), ())]
    return next((place for place in places if os.path.isfile(place)), places[0])


def _beside(own: Mapping[str, object], files: list[str], path: str) -> str:
    """Where the published program writes if nothing is said: the first file's folder."""
    stamp = _text(own, "flatcaltstamp", path)
    return os.path.join(os.path.dirname(files[0]), f"{stamp}_calSoln.h5") if files and stamp else ""


def _stamps(own: Mapping[str, object], path: str) -> list[str]:
    """Time stamps of the files."""
    value = own.get("flatobststamps") or []
    return [_plain(item, "flatObsTstamps", path) for item in (value if isinstance(value, (list, tuple)) else [value])]


def _text(own: Mapping[str, object], key: str, path: str) -> str:
    return _plain(own.get(key) or "", key, path)


def _plain(value: object, key: str, path: str) -> str:
    """A text, or a number as text."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value)
    raise UsageError(f"{key} is no text", path, "correct it")


def _number(key: str, value: object, path: str) -> float:
    """A finite number, also one that is written as text."""
    try:
        number = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{key} is no number", path, "correct it")
    return number

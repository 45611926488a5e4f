"""Color tables by name, as 256 colors that the raster takes; grey and the simple ramps need no file.

Tables are control points, straight lines between them: the simple ramps below, all others one small text file each in
`resources/colormaps` (a file put there is a new color map). Names are case-insensitive, ds9's are understood.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ifuview import resources
from ifuview.errors import FileFormatError, MissingDataError

BLANKS = (0xFF2B5A8C, 0xFF8C4A2B, 0xFF7A2B8C, 0xFF3F7A2F)  # for pixels without a value: the one least like the ramp
RAMP_SIZE = 255  # colors of the ramp; index 0 is for pixels without a value
CYCLES = 6  # corners of the hue circle

Point = tuple[float, float, float, float]  # position, red, green, blue; 0 to 1

RAMPS: dict[str, tuple[Point, ...]] = {
    "grey": ((0, 0, 0, 0), (1, 1, 1, 1)),
    "red": ((0, 0, 0, 0), (1, 1, 0, 0)),
    "green": ((0, 0, 0, 0), (1, 0, 1, 0)),
    "blue": ((0, 0, 0, 0), (1, 0, 0, 1)),
    "heat": ((0, 0, 0, 0), (0.34, 1, 0.34, 0), (0.65, 1, 0.65, 0.33), (0.98, 1, 0.98, 1), (1, 1, 1, 1)),
    "cool": ((0, 0, 0, 0), (0.29, 0, 0.17, 0.29), (0.76, 0, 0.68, 0.76), (0.95, 0.75, 0.95, 0.95), (1, 1, 1, 1)),
    "b": ((0, 0, 0, 0), (0.25, 0, 0, 1), (0.5, 1, 0, 0), (0.75, 1, 1, 0), (1, 1, 1, 1)),
    "bb": ((0, 0, 0, 0), (0.25, 0.5, 0, 0), (0.5, 1, 0.5, 0), (0.75, 1, 1, 0.5), (1, 1, 1, 1)),
    "he": (
        (0, 0, 0, 0),
        (0.015, 0.5, 0, 0.5),
        (0.25, 0.5, 0, 0.5),
        (0.5, 1, 0.25, 0.25),
        (0.75, 1, 0.75, 0.5),
        (1, 1, 1, 1),
    ),
    "residual": (  # dark at zero, as bright on one side as on the other, told apart by all kinds of color vision
        (0, 0.75, 0.9, 1),
        (0.2, 0.2, 0.6, 1),
        (0.5, 0.06, 0.06, 0.07),
        (0.8, 0.95, 0.45, 0.1),
        (1, 1, 0.9, 0.6),
    ),
    "hsv": tuple(
        (k / CYCLES, *rgb)
        for k, rgb in enumerate(((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0)))
    ),
}
ALIASES = {
    "gray": "grey",
    "blackbody": "bb",
    "a": "rainbow",
    "i8": "rainbow",
    "standard": "rainbow",
    "staircase": "rainbow",
    "color": "rainbow",
    "aips0": "sls",
    "rdbu": "bluered",
    "diverging": "coolwarm",
    "bwr": "bluered",
}
REVERSED = frozenset({"rdbu"})  # aliases that run the other way

Table = NDArray[np.uint32]


def folder() -> Path:
    """Where the color map files lie."""
    return resources.path("colormaps")


def names() -> tuple[str, ...]:
    """Names of all color maps, grey first."""
    files = sorted(f.stem for f in folder().glob("*.txt"))
    return ("grey", *sorted({*RAMPS, *files} - {"grey"}))


def known(name: str) -> str:
    """Return the name of ours for a name of ours or of ds9.

    Raises
    ------
    MissingDataError
        There is no such color map.
    """
    low = name.strip().lower()
    low = ALIASES.get(low, low)
    if low in RAMPS or os.path.isfile(folder() / f"{low}.txt"):
        return low
    raise MissingDataError(f"there is no color map named {name}", todo=f"choose one of {', '.join(names())}")


def ramp(name: str, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return colors (n, 3), 0 to 1, at `positions` (n,) from 0 to 1 along a color map."""
    points = _points(known(name))
    if name.strip().lower() in REVERSED:
        positions = 1 - positions
    return np.stack([np.interp(positions, points[:, 0], points[:, k]) for k in (1, 2, 3)], axis=1)


@lru_cache(maxsize=64)
def table(
    name: str = "grey", *, invert: bool = False, bias: float = 0.5, contrast: float = 1.0, blank: int | None = None
) -> Table:
    """Return 256 colors 0xffRRGGBB: the blank color, then the ramp with ds9's bias and contrast.

    Parameters
    ----------
    name : str
    invert : bool
        Run the ramp the other way.
    bias : float
        Place of the ramp's middle, 0 to 1.
    contrast : float
        Slope of the ramp, 0 to 10; 1 leaves it as it is.
    blank : int, optional
        0xffRRGGBB of pixels without a value. Default: `blank_color`.
    """
    place = np.linspace(0.0, 1.0, RAMP_SIZE)
    place = np.clip((place - bias) * contrast + 0.5, 0.0, 1.0)
    colors = np.round(ramp(name, 1 - place if invert else place) * 255).astype(np.uint32)
    out = np.empty(RAMP_SIZE + 1, np.uint32)
    out[0] = blank_color(name) if blank is None else blank
    out[1:] = 0xFF000000 | colors[:, 0] << 16 | colors[:, 1] << 8 | colors[:, 2]
    out.flags.writeable = False
    return out


@lru_cache(maxsize=32)
def blank_color(name: str) -> int:
    """Return the color (0xffRRGGBB) of pixels without a value: of `BLANKS`, the one least like any color of a map."""
    colors = ramp(name, np.linspace(0.0, 1.0, RAMP_SIZE))
    rgb = np.array([[c >> s & 0xFF for s in (16, 8, 0)] for c in BLANKS]) / 255
    distance = np.linalg.norm(rgb[:, None] - colors[None], axis=2).min(axis=1)
    return BLANKS[int(distance.argmax())]


@lru_cache(maxsize=32)
def _points(name: str) -> NDArray[np.float64]:
    """Control points (n, 4) of a color map of ours."""
    if name in RAMPS:
        return np.array(RAMPS[name], np.float64)
    path = folder() / f"{name}.txt"
    lines = [line.split("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines()]
    try:
        points = np.array([[float(v) for v in line] for line in lines if line])
        good = points.ndim == 2 and points.shape[1] == 4 and bool(np.all(np.diff(points[:, 0]) > 0))
    except ValueError:
        good = False
    if not good:
        raise FileFormatError("a color map needs rows of position, red, green, blue", where=str(path))
    return points

"""How one image is shown: limits, transfer, colors, and the part of it that is in view."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LimitMode(StrEnum):
    """Where the display limits come from."""

    ZSCALE = "zscale"
    MINMAX = "minmax"
    PERCENTILE = "percentile"
    USER = "user"


class Transfer(StrEnum):
    """Transfer function between limits and colors, as ds9 names them."""

    LINEAR = "linear"
    LOG = "log"
    POWER = "pow"
    SQRT = "sqrt"
    SQUARED = "squared"
    ASINH = "asinh"
    SINH = "sinh"
    HISTEQ = "histequ"


class Reduction(StrEnum):
    """How many image pixels become one screen pixel."""

    NEAREST = "nearest"
    MEAN = "mean"
    EXTREME = "extreme"  # value that deviates most from the local median level


class Smooth(StrEnum):
    """Display smoothing."""

    NONE = "none"
    BOXCAR = "boxcar"
    GAUSSIAN = "gaussian"


@dataclass(frozen=True, slots=True)
class Look:
    """Limits and colors of one frame.

    Parameters
    ----------
    lo, hi : float or None
        Display limits in image units; None until they are computed from the mode.
    percent : float
        Of PERCENTILE: the central part of the pixels that is inside the limits.
    zcontrast : float
        Contrast parameter of zscale.
    exponent : float
        Of LOG and POWER.
    about_zero : bool
        Limits that are worked out lie as far below zero as above it.
    bias, contrast : float
        Position (0..1) and slope of the color ramp, as a right drag in ds9 sets them.
    mask_shown : int
        Mask bits that are painted over the image; 0 = none.
    """

    limit_mode: LimitMode = LimitMode.ZSCALE
    lo: float | None = None
    hi: float | None = None
    percent: float = 99.5
    zcontrast: float = 0.25
    transfer: Transfer = Transfer.LINEAR
    exponent: float = 1000.0
    about_zero: bool = False
    cmap: str = "grey"
    invert: bool = False
    bias: float = 0.5
    contrast: float = 1.0
    reduction: Reduction = Reduction.MEAN
    smooth: Smooth = Smooth.NONE
    smooth_radius: float = 2.0
    mask_shown: int = 0
    mask_color: str = "#ff3030"
    mask_opacity: float = 0.5


@dataclass(frozen=True, slots=True)
class ViewState:
    """Which part of an image is on the canvas.

    Native pixel coordinates: the center of pixel (column i, row j) is at (x, y) = (i, j), row 0 at the bottom.

    Parameters
    ----------
    x, y : float
        Image position at the center of the canvas.
    zoom : float
        Screen pixels per image pixel along native x.
    aspect : float
        Vertical zoom over horizontal zoom; 1 keeps pixels square, 0 fills the canvas when it is fitted.
    fit : bool
        Fit the whole image to the canvas, also when the window changes size; `x`, `y`, `zoom` then follow.
    part : (x0, y0, x1, y1) or None
        What `fit` fits in place of the whole image, native px.
    rotation : float
        Degrees, counter-clockwise.
    flip_x, flip_y : bool
    """

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    aspect: float = 1.0
    fit: bool = True
    rotation: float = 0.0
    flip_x: bool = False
    flip_y: bool = False
    part: tuple[float, float, float, float] | None = None

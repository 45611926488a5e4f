"""Values as places on the color ramp and as 32-bit colors: stages (b) and (c) of the canvas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.app.frames.look import Transfer
from ifuview.model.checks import Array
from ifuview.model.pixels import Floats

BLOCK_PIXELS = 65_536  # values handled at once: 256 kB of float32 stay in the second-level cache
RAMP = 254.99  # width of the ramp in index units; 1 is added
RAMP_TOP = 255.9
NO_VALUE = 0  # index of NaN
TABLE_SIZE = 65_536  # steps of a transfer table between the limits
EQUAL_BINS = 4096
Index8 = NDArray[np.uint8]
Color32 = NDArray[np.uint32]


def transfer_table(transfer: Transfer, exponent: float = 1000.0, values: Array | None = None) -> Index8 | None:
    """Return the ramp index for `TABLE_SIZE` + 1 steps between the limits, entry 0 for NaN; None for LINEAR.

    Parameters
    ----------
    transfer : Transfer
        As ds9 defines them, x running from 0 to 1 between the limits: log(a x + 1) / log(a), (a**x - 1) / a, sqrt(x),
        x**2, asinh(10 x) / 3, sinh(3 x) / 10.
    exponent : float
        a of LOG and POWER.
    values : ndarray, optional
        HISTEQ: a sample of the pixels on the scale of x; the share of those in 0..1 below x is the result.
    """
    if transfer is Transfer.LINEAR:
        return None
    x = np.linspace(0.0, 1.0, TABLE_SIZE)
    a = max(float(exponent), 1.0 + 1e-6)
    if transfer is Transfer.LOG:
        y = np.log(a * x + 1) / np.log(a)
    elif transfer is Transfer.POWER:
        y = (a**x - 1) / a
    elif transfer is Transfer.SQRT:
        y = np.sqrt(x)
    elif transfer is Transfer.SQUARED:
        y = x**2
    elif transfer is Transfer.ASINH:
        y = np.arcsinh(10 * x) / 3
    elif transfer is Transfer.SINH:
        y = np.sinh(3 * x) / 10
    else:
        y = _equalized(x, values)
    table = np.zeros(TABLE_SIZE + 1, np.uint8)
    table[1:] = np.clip(y * RAMP + 1, 1, RAMP_TOP).astype(np.uint8)
    return table


def _equalized(x: Array, values: Array | None) -> Array:
    """Cumulative share of the values, taken at x."""
    inside = np.asarray([] if values is None else values, np.float64).ravel()
    inside = inside[(inside >= 0) & (inside <= 1)]
    if not inside.size:
        return x
    counts, edges = np.histogram(inside, bins=EQUAL_BINS, range=(0.0, 1.0))
    share = np.concatenate([[0.0], np.cumsum(counts) / inside.size])
    return np.interp(x, edges, share)


def index(
    values: Floats,
    lo: float,
    hi: float,
    *,
    table: Index8 | None = None,
    has_nan: bool = True,
    out: Index8 | None = None,
) -> Index8:
    """Return places on the color ramp, 1 at `lo` and below to 255 at `hi` and above, 0 for NaN.

    Parameters
    ----------
    values : ndarray of float32 or float64, shape (h, w)
    lo, hi : float
    table : ndarray of uint8, optional
        From `transfer_table`; None is linear.
    has_nan : bool
        False saves a pass.
    out : ndarray of uint8, shape (h, w), optional
        Written into; may be part of a wider array.
    """
    out = np.empty(values.shape, np.uint8) if out is None else out
    height, width = values.shape
    number: type[np.float32 | np.float64] = np.float64 if values.dtype == np.float64 else np.float32
    span = hi - lo if hi > lo else np.spacing(number(abs(lo))) * 2
    top = RAMP if table is None else float(TABLE_SIZE - 1)
    last = RAMP_TOP if table is None else float(TABLE_SIZE)
    scale = number(min(top / span, float(np.finfo(number).max)))
    step = max(1, BLOCK_PIXELS // max(width, 1))
    scratch = np.empty((min(step, height), width), number)
    with np.errstate(all="ignore"):
        for a in range(0, height, step):
            part = scratch[: min(step, height - a)]
            np.subtract(values[a : a + step], number(lo), out=part)
            part *= scale
            part += number(1)
            np.clip(part, number(1), number(last), out=part)
            if has_nan:
                np.fmax(part, number(NO_VALUE), out=part)
            if table is None:
                out[a : a + step] = part
            else:
                out[a : a + step] = table.take(part.astype(np.intp), mode="clip")
    return out


def blend(colors: Color32, places: Index8, table: Color32, mask: Array, mask_color: int, opacity: float) -> Color32:
    """Overwrite masked `colors` with their mixture with `mask_color`; returns `colors`."""
    mixed = np.full(table.shape, 0xFF000000, np.uint32)
    for shift in (0, 8, 16):
        channel = (table >> shift & 0xFF) * (1 - opacity) + (mask_color >> shift & 0xFF) * opacity
        mixed |= np.round(channel).astype(np.uint32) << shift
    colors[mask] = mixed.take(places[mask])
    return colors

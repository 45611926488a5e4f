"""Ticks of a color bar: round values and where the transfer function puts them."""

from __future__ import annotations

import numpy as np

from ifuview.app.frames.look import Look, Transfer
from ifuview.app.frames.views.shading import RAMP, TABLE_SIZE, transfer_table
from ifuview.app.frames.views.text import round_numbers

DIGITS = 6
PLAIN_BELOW = 1e6  # larger numbers are written with an exponent


def ticks(look: Look, lo: float, hi: float, n: int) -> list[tuple[float, float]]:
    """Return (value, place from 0 to 1 on the bar) of about `n` ticks between the limits.

    With a transfer that is not linear, the ticks are even on the bar and their values are not round.
    """
    if not (hi > lo and np.isfinite(hi - lo)):
        return [(lo, 0.0)]
    if look.transfer is Transfer.LINEAR:
        return [(float(v), float((v - lo) / (hi - lo))) for v in round_numbers(lo, hi, n)]
    if look.transfer is Transfer.HISTEQ:
        return [(lo, 0.0), (hi, 1.0)]
    table = transfer_table(look.transfer, look.exponent)
    assert table is not None
    place = (table[1:].astype(float) - 1) / RAMP
    wanted = np.linspace(0, 1, n)
    x = np.searchsorted(place, wanted * min(place[-1], 1.0)) / (TABLE_SIZE - 1)
    return [(float(lo + (hi - lo) * min(v, 1.0)), float(w)) for v, w in zip(x, wanted)]


def label(value: float, limits: tuple[float, float]) -> str:
    """Return a number with the digits that the span of the limits makes meaningful."""
    span = abs(limits[1] - limits[0]) or 1.0
    if not np.isfinite([value, span]).all():
        return f"{value:g}" if np.isfinite(value) else ""
    digits = int(np.clip(np.ceil(np.log10(max(abs(value), span) / span)) + 3, 3, DIGITS + 2))
    value = 0.0 if abs(value) < span * 1e-9 else value
    short = f"{value:.{digits}g}"
    if "e" in short and 1 <= abs(value) < PLAIN_BELOW:
        short = f"{value:.0f}"
    return short.replace("e+0", "e").replace("e-0", "e-")

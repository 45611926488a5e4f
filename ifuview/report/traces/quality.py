"""How well a trace follows its light along the columns, as figures: offset, width, flux, spacing, chi2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import DOT, DOWN, NONE, Curve, Figure, Rule, Scale, Shade, robust
from ifuview.model.frames.units import unit_words
from ifuview.model.inspection import TraceQuality

ROOM = 20.0  # px beyond the first and the last bin
MARGIN = 0.08  # of the vertical range
BARS = 2.0  # usual errors in view beyond the points
MARKS = ((0, DOT, 5.0, "●"), (1, DOWN, 6.0, "▼"))  # of the first and the second series

Series = tuple[str, Array, Array | None]  # name, values, errors


def figures(quality: TraceQuality, unit: str, along: str) -> dict[str, Figure]:
    """The five figures by name, most telling first.

    Parameters
    ----------
    quality : TraceQuality
    unit : str
        Of the image.
    along : str
        Label of the axis along the fibers.
    """
    q, width = quality, quality.sigma[np.isfinite(quality.sigma)]
    usual = float(np.median(width)) if width.size else None
    made: dict[str, tuple[str, list[Series], float | None, tuple[Shade, ...]]] = {
        "Offset": ("Offset (px)", [("offset", q.offset, q.offset_err)], 0.0, _bands(q)),
        "Width": ("Width σ (px)", [("width", q.sigma, q.sigma_err)], usual, ()),
        "Flux": (f"Flux ({unit_words(unit) or 'counts'}/px)", [("flux", q.flux, q.flux_err)], None, ()),
        "Spacing": (
            "Spacing (px)",
            [("to fiber below", q.spacing_below, None), ("to fiber above", q.spacing_above, None)],
            None,
            (),
        ),
        "χ²": ("Reduced χ²", [("χ²", q.chi2, None)], 1.0, ()),
    }
    return {
        name: _figure(q.column, Scale(along, _ends(q.column)), label, series, line, bands)
        for name, (label, series, line, bands) in made.items()
    }


def _bands(quality: TraceQuality) -> tuple[Shade, ...]:
    """The noise floor of one bin about zero, and the mean with its error."""
    out = []
    if np.isfinite(quality.floor):
        out.append(Shade(-quality.floor, quality.floor, vertical=False, label="noise floor of one bin"))
    mean, error = quality.mean_offset, quality.mean_offset_err
    if np.isfinite(mean) and np.isfinite(error):
        label = f"mean, {1000 * abs(mean):.1f} ± {1000 * error:.1f} mpx off"
        out.append(Shade(mean - error, mean + error, vertical=False, color=4, label=label))
    return tuple(out)


def _ends(column: Array) -> tuple[float, float] | None:
    return (float(column[0]) - ROOM, float(column[-1]) + ROOM) if column.size else None


def _figure(
    column: Array, x: Scale, label: str, series: Sequence[Series], line: float | None, bands: tuple[Shade, ...]
) -> Figure:
    """Points with errors, a line of reference and bands about it."""
    curves = tuple(
        Curve(column, y, color, stroke=NONE, symbol=symbol, size=size, error=error)
        for (_, y, error), (color, symbol, size, _) in zip(series, MARKS, strict=False)
    )
    keys = [f"{name} {mark}" for (name, _, _), (*_, mark) in zip(series, MARKS, strict=False)]
    keep = (*(() if line is None else (line,)), *(edge for band in bands for edge in (band.low, band.high)))
    y = Scale(label, robust(curves, MARGIN, keep=keep, bars=BARS))
    rules = () if line is None else (Rule(line, vertical=False),)
    return Figure(f"{label}: {', '.join(keys)}" if len(keys) > 1 else label, x, y, curves, rules, bands)

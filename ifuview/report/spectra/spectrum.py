"""Spectra of fibers as one figure: the first with its error band and masked samples, others behind it, or a stack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import CROSS, NONE, ON_LIGHT, Along, Color, Curve, Figure, Range, Scale, Tag
from ifuview.model.inspection import FiberSpectrum

ROBUST = (0.3, 99.7)  # percentiles that the vertical range covers at first
WIDE = (0.1, 99.9)  # the same of a page, which nobody can zoom: single lines stay in view
MARGIN = 0.08  # of the range, above and below
LAST_PART = 10  # of a spectrum, whose level is that of its name
BAD_SIZE = 5.0


def spectra_figure(
    spectra: Sequence[FiberSpectrum],
    places: Sequence[Array],
    x: Scale,
    ylabel: str,
    *,
    names: Sequence[str] = (),
    group: Sequence[int] = (),
    errors: bool = True,
    stacked: bool = False,
    title: str = "",
    central: Range = ROBUST,
) -> Figure:
    """Several spectra in one figure.

    Parameters
    ----------
    spectra : sequence of FiberSpectrum
        One at least. The first lies above the others.
    places : sequence of ndarray
        Of the samples of each on the horizontal axis.
    x : Scale
    ylabel, title : str
    names : sequence of str
        Of each, for the legend and the stack.
    group : sequence of int
        Number of the fiber that each belongs to, when several are shown.
    errors : bool
        Whether the first has its error band.
    stacked : bool
        Whether the fibers stand above each other: each is named at its end.
    central : (float, float)
        Percentiles that the vertical range covers.
    """
    colors = colors_of(spectra, group)
    labels = list(names) or [""] * len(spectra)
    edges = band(spectra[0]) if errors else None
    curves = [
        Curve(place, np.where(one.masked, np.nan, one.flux), color, label)
        for one, place, color, label in zip(spectra, places, colors, labels)
    ]
    if edges is not None:
        curves[0] = Curve(curves[0].x, curves[0].y, colors[0], labels[0], low=edges[0], high=edges[1])
    curves.reverse()
    first, bad = spectra[0], spectra[0].masked & np.isfinite(spectra[0].flux)
    if bad.any():
        marks = Curve(places[0][bad], np.asarray(first.flux)[bad], "bad", "masked", NONE, CROSS, size=BAD_SIZE)
        curves.append(marks)
    words = _stack_words(spectra, places, labels, group, colors) if stacked else ()
    y = robust_range(spectra, central)
    return Figure(title, x, Scale(ylabel, y), tuple(curves), words=words)


def colors_of(spectra: Sequence[FiberSpectrum], group: Sequence[int]) -> list[Color]:
    """Color of each spectrum or of its fiber; where the colors of the series would repeat, those of a ramp."""
    numbers = list(group) or list(range(len(spectra)))
    count = len(set(numbers))
    if count <= len(ON_LIGHT):
        return list(numbers)
    place = {number: i / (count - 1) for i, number in enumerate(sorted(set(numbers)))}
    return [Along(place[number]) for number in numbers]


def _stack_words(
    spectra: Sequence[FiberSpectrum], places: Sequence[Array], names: Sequence[str], group: Sequence[int],
    colors: Sequence[Color],
) -> tuple[Tag, ...]:  # fmt: skip
    """The names of stacked fibers at the right end of their curves."""
    out = []
    for fiber in dict.fromkeys(group):
        own = [i for i, number in enumerate(group) if number == fiber]
        last = max(float(np.nanmax(places[i])) for i in own)
        out.append(Tag(last, level_at_end(spectra[own[0]]), names[own[0]].split(" ")[0], colors[own[0]]))
    return tuple(out) if len(out) > 1 else ()


def level_at_end(spectrum: FiberSpectrum) -> float:
    """Median of the good samples in the last tenth of a spectrum: where its name stands."""
    good = np.asarray(spectrum.flux)[~spectrum.masked & np.isfinite(spectrum.flux)]
    return float(np.median(good[-max(1, good.size // LAST_PART) :])) if good.size else 0.0


def band(spectrum: FiberSpectrum) -> tuple[Array, Array] | None:
    """Lower and upper edge of the error band (of zero width where nothing is known); None without errors."""
    if spectrum.error is None:
        return None
    error = np.where(np.isfinite(spectrum.error), spectrum.error, 0.0)
    good = np.isfinite(spectrum.flux)
    if not good.any():
        return None
    index = np.arange(spectrum.flux.size)
    flux = np.interp(index, index[good], np.asarray(spectrum.flux)[good])
    return flux - error, flux + error


def robust_range(spectra: Sequence[FiberSpectrum], central: Range = ROBUST) -> Range | None:
    """Vertical range that shows all but the few most extreme good samples."""
    kept = [np.asarray(s.flux)[~s.masked & np.isfinite(s.flux)] for s in spectra]
    values = np.concatenate(kept) if kept else np.empty(0)
    if values.size == 0:
        return None
    low, high = np.percentile(values, central[0], method="higher"), np.percentile(values, central[1], method="lower")
    if high <= low:
        low, high = low - 1.0, high + 1.0
    return float(low - MARGIN * (high - low)), float(high + 2 * MARGIN * (high - low))

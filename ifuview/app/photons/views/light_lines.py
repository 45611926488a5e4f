"""Light curves, spectra, histograms and inter-arrival times of the selections as curves, ready to draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.photons.state import Light
from ifuview.app.photons.views.light import How, LightPart, LightView
from ifuview.model.checks import Array
from ifuview.model.figure import DASHED, DOTTED, NONE, Curve, Range, logarithmic, stairs

if TYPE_CHECKING:
    from ifuview.model.photons.light import BinnedLight, IntensityHistogram

MOST_STEPS = 400  # bins of a light curve that are drawn as steps; of more their means are drawn
MEANS = 120  # bins of that mean
MOST_BARS = 80  # steps of a histogram; more counts are drawn together
MARGIN = 0.06  # of the vertical range, left free
LEAST_EXPECTED = 0.1  # intervals; less of a law is not drawn
LAW_WIDTH = 1.5  # px
SHORT_TAIL = 0.5  # expected or found bins below which the tail of a histogram is cut


def lines(
    view: LightView, part: LightPart, how: How = How.RATE, span: tuple[float, float] | None = None
) -> tuple[Curve, ...]:
    """Return the curves of one plot, what lies behind first; `span` (s) is the part of light curves in view."""
    alone = len(view.found) == 1
    make_lines = {
        LightPart.CURVE: lambda one: _curve_lines(one, view.options.rate, span, alone),
        LightPart.SPECTRUM: lambda one: _spectrum_lines(one, how),
        LightPart.HISTOGRAM: _histogram_lines,
        LightPart.INTERVALS: _interval_lines,
    }[part]
    found = [curve for one in view.found for curve in make_lines(one)]
    return tuple(sorted(found, key=lambda curve: not curve.pale))


def axis_labels(view: LightView, part: LightPart, how: How = How.RATE) -> tuple[str, str]:
    """Horizontal and vertical label of a plot."""
    width = _duration(_bin_width(view))
    spectral = {How.COUNTS: "Photons", How.RATE: "Photons/s", How.DENSITY: f"Photons/s/{view.unit}"}[how]
    return {
        LightPart.CURVE: ("Time (s)", "Photons/s" if view.options.rate else f"Photons per {width}"),
        LightPart.SPECTRUM: (f"{view.axis_name} ({view.unit})", spectral),
        LightPart.HISTOGRAM: (f"Photons in {width}", "Bins"),
        LightPart.INTERVALS: ("Time to the next photon (s)", "Intervals"),
    }[part]


def _bin_width(view: LightView) -> float:
    """Width of the time bins, s: what was asked for, or all of a shorter time range."""
    made = [float(np.median(np.diff(one.curve.edges))) for one in view.found if one.curve is not None]
    return min([view.options.width, *made])


def _duration(seconds: float) -> str:
    """A bin width as it is said."""
    return f"{seconds:.4g} s" if seconds >= 1 else f"{1000 * seconds:.4g} ms"


def _curve_lines(one: Light, rate: bool, span: tuple[float, float] | None, alone: bool) -> list[Curve]:
    """Steps with an error band; of many bins in view their means, above the bins if nothing else is shown."""
    curve = one.curve
    if curve is None:
        return []
    rows, group = in_view(curve, span)
    values, errors = (curve.rate, curve.rate_error) if rate else (curve.net, curve.error)
    color = one.picked.color
    if group == 1:
        edges = curve.edges[rows.start : rows.stop + 1]
        return [_steps(edges, values[rows], color, error=errors[rows])]
    edges, mean, error = averaged(curve, group, rate, rows)
    fine = [Curve(curve.center[rows], np.asarray(values[rows], float), color, pale=True)] if alone else []
    return [*fine, _steps(edges, mean, color, error=error)]


def in_view(curve: BinnedLight, span: tuple[float, float] | None) -> tuple[slice, int]:
    """Bins of a light curve in view (with as many again on both sides), and how many are drawn as one."""
    size = len(curve.counts)
    low, high = span or (float(curve.edges[0]), float(curve.edges[-1]))
    first, last = np.searchsorted(curve.edges, (low, high))
    seen = max(int(last - first), 1)
    group = 1 if seen <= MOST_STEPS else -(-seen // MEANS)
    start = max(int(first) - seen, 0) // group * group
    return slice(start, min(int(last) + seen, size)), group


def averaged(curve: BinnedLight, group: int, rate: bool, rows: slice = slice(None)) -> tuple[Array, Array, Array]:
    """Edges, mean and its error of groups of bins; photons per second, or per bin."""
    start, stop, _ = rows.indices(len(curve.counts))
    size = max((stop - start) // group, 1) * group
    part = slice(start, start + size)
    if start + size > len(curve.counts):
        return curve.edges[:1], np.empty(0), np.empty(0)

    def total(values: Array) -> Array:
        return np.asarray(values[part].reshape(-1, group).sum(axis=1))

    net, live = total(curve.net), total(curve.exposure)
    error = np.sqrt(total(curve.variance + curve.background_variance))
    per = live if rate else live / np.median(np.diff(curve.edges))
    with np.errstate(divide="ignore", invalid="ignore"):
        edges = curve.edges[start : start + size + 1 : group]
        return edges, np.where(per > 0, net / per, np.nan), np.where(per > 0, error / per, np.nan)


def means_text(view: LightView, span: tuple[float, float] | None = None) -> str:
    """What the steps of the light curves are, if not the bins themselves."""
    curve = next((one.curve for one in view.found if one.curve is not None), None)
    group = in_view(curve, span)[1] if curve is not None else 1
    return f"means of {group} bins; zoom in to see single ones" if group > 1 else ""


def spectrum_values(spectrum: BinnedLight, how: How) -> tuple[Array, Array]:
    """Values of a spectrum and their errors."""
    if how is How.COUNTS:
        return np.asarray(spectrum.net, float), spectrum.error
    width = np.diff(spectrum.edges) if how is How.DENSITY else 1.0
    return spectrum.rate / width, spectrum.rate_error / width


def _spectrum_lines(one: Light, how: How) -> list[Curve]:
    """Steps with error bars."""
    if one.spectrum is None:
        return []
    values, errors = spectrum_values(one.spectrum, how)
    color = one.picked.color
    bars = Curve(one.spectrum.center, np.asarray(values, float), color, stroke=NONE, error=errors)
    return [_steps(one.spectrum.edges, values, color), bars]


def _histogram_lines(one: Light) -> list[Curve]:
    """Steps; Poisson dotted, modified Rician dashed."""
    found = one.histogram
    if found is None:
        return []
    top, group = histogram_range(found)
    color = one.picked.color
    edges = np.arange(0, top + group + 1, group) - 0.5
    out = [_steps(edges[: -(-top // group) + 1], _grouped(found.histogram, top, group), color)]
    for law in found.curves:
        if law.name.endswith("moments"):
            continue
        expected = _grouped(law.expected, top, group)
        centers = (edges[1:] + edges[:-1])[: len(expected)] / 2
        out.append(_law(centers, expected, color, DOTTED if law.name == "Poisson" else DASHED))
    return out


def histogram_range(found: IntensityHistogram) -> tuple[int, int]:
    """Counts from which on nothing is worth drawing, and how many counts make one step."""
    worth = np.asarray(found.histogram) > 0
    for law in found.curves:
        worth |= law.expected > SHORT_TAIL
    top = int(np.flatnonzero(worth)[-1]) + 1 if worth.any() else 1
    return top, -(-top // MOST_BARS)


def _grouped(values: Array, top: int, group: int) -> Array:
    """Sums of `group` entries; empty steps before the first photon are kept, so that the axis starts at 0."""
    padded = np.zeros(-(-top // group) * group)
    padded[:top] = values[:top]
    return np.asarray(padded.reshape(-1, group).sum(axis=1))


def _interval_lines(one: Light) -> list[Curve]:
    """Steps over the logarithm of the interval; what steady light gives dashed."""
    found = one.intervals
    if found is None or not found.counts.any():
        return []
    some = np.flatnonzero(found.counts)
    shown = slice(int(some[0]), int(some[-1]) + 1)
    edges, color = found.edges[shown.start : shown.stop + 1], one.picked.color
    expected = found.expected[shown]
    law = np.where(expected > LEAST_EXPECTED, expected, np.nan)
    return [
        _steps(edges, np.asarray(found.counts[shown], float), color),
        _law(np.sqrt(edges[1:] * edges[:-1]), law, color),
    ]


def _steps(edges: Array, values: Array, color: str, *, error: Array | None = None) -> Curve:
    """Outline of steps."""
    x, y = stairs(edges, values)
    spread = None if error is None else np.repeat(error, 2)
    low, high = (None, None) if spread is None else (y - spread, y + spread)
    return Curve(x, y, color, width=2, low=low, high=high)


def _law(x: Array, y: Array, color: str, stroke: str = DASHED) -> Curve:
    """What a law expects."""
    return Curve(x, y, color, stroke=stroke, width=LAW_WIDTH)


def dead_times(view: LightView) -> tuple[float, ...]:
    """Dead times (s) of the interval histograms that are shown."""
    return tuple(dict.fromkeys(one.intervals.dead_time for one in view.found if one.intervals is not None))


def vertical(curves: Iterable[Curve], *, log: bool = False) -> Range | None:
    """A vertical range that shows all steps with their errors, and zero unless logarithmic."""
    low, high = np.inf, -np.inf
    for curve in curves:
        curve = logarithmic(curve, y=log)
        if curve.pale:
            bounds = np.nanpercentile(curve.y, (0.5, 99.5)) if np.isfinite(curve.y).any() else (np.inf, -np.inf)
            low, high = min(low, bounds[0]), max(high, bounds[1])
            continue
        if log and curve.stroke in (DASHED, DOTTED):
            continue  # laws go on for ever downwards
        values = [curve.y]
        if curve.low is not None and curve.high is not None:
            values += [curve.low, curve.high] if not log else [curve.high]
        if curve.error is not None:
            values += [curve.y - curve.error, curve.y + curve.error] if not log else [curve.y + curve.error]
        for each in values:
            good = each[np.isfinite(each)]
            if good.size:
                low, high = min(low, float(good.min())), max(high, float(good.max()))
    if not np.isfinite(low) or not np.isfinite(high):
        return None
    if not log:
        low = min(low, 0.0)
    pad = MARGIN * (high - low) or 1.0
    ends = float(low - (pad if low < 0 or log else 0.0)), float(high + pad)
    return (10 ** ends[0], 10 ** ends[1]) if log else ends


def horizontal(view: LightView, part: LightPart, curves: Iterable[Curve]) -> Range | None:
    """A horizontal range that shows everything."""
    if part is LightPart.CURVE:
        found = [one.curve for one in view.found if one.curve is not None]
        edges = [float(e) for curve in found for e in (curve.edges[0], curve.edges[-1])]
    else:
        edges = [float(e) for curve in curves if curve.x.size for e in (curve.x.min(), curve.x.max())]
    return (min(edges), max(edges)) if edges and min(edges) < max(edges) else None

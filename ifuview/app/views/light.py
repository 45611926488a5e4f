"""Light dock as values: light curves, spectra, histograms and inter-arrival times of the selections, ready to draw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from ifuview.app import light
from ifuview.app.light import Light
from ifuview.app.photon_state import LightOptions
from ifuview.app.views.text import number, with_error
from ifuview.model.checks import Array

if TYPE_CHECKING:
    from ifuview.app.session import Session
    from ifuview.model.photon_products import BinnedLight, Curve, IntensityHistogram

OPEN_HINT = "Open a photon list to see the light of its pixels."
PICK_HINT = (
    "Click a pixel, or draw a box (Shift+B) or a circle (Shift+C) on the image: light curve, spectrum, intensity "
    "histogram and inter-arrival times appear here."
)
COUNTING = "Counting ..."
MOST_STEPS = 400  # bins of a light curve that are drawn as steps; of more their means are drawn
MEANS = 120  # bins of that mean
MOST_BARS = 80  # steps of a histogram; more counts are drawn together
MARGIN = 0.06  # of the vertical range, left free
CONTRAST = 3.0  # least ratio of a curve to the paper (WCAG 2, graphics)
MIDDLE = 0.18  # relative luminance that is as far from black as from white
STEP = 0.08  # of the way to black or white
NAMED = {
    "white": "#ffffff", "black": "#000000", "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff",
    "cyan": "#00ffff", "magenta": "#ff00ff", "yellow": "#ffff00",
}  # fmt: skip
LEAST_EXPECTED = 0.1  # intervals; less of a law is not drawn
SHORT_TAIL = 0.5  # expected or found bins below which the tail of a histogram is cut


class Part(StrEnum):
    """The four plots."""

    CURVE = "curve"
    SPECTRUM = "spectrum"
    HISTOGRAM = "histogram"
    INTERVALS = "intervals"


TITLES = {
    Part.CURVE: "Light curve",
    Part.SPECTRUM: "Spectrum",
    Part.HISTOGRAM: "Intensity histogram",
    Part.INTERVALS: "Inter-arrival times",
}


class How(StrEnum):
    """What the vertical axis of a spectrum is."""

    COUNTS = "counts"
    RATE = "rate"
    DENSITY = "density"  # rate per nm or degree


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One curve.

    Parameters
    ----------
    x, y : ndarray
        Vertices, steps already worked out.
    color : str
    kind : str
        "steps", "fine" (thin, behind), "law" (dashed), "dots" (dotted).
    low, high : ndarray or None
        Error band at `x`.
    bars : (x, y, error) or None
        Error bars.
    """

    x: Array
    y: Array
    color: str
    kind: str = "steps"
    low: Array | None = None
    high: Array | None = None
    bars: tuple[Array, Array, Array] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LightView:
    """What the dock shows.

    Parameters
    ----------
    hint : str
        How to fill the dock; "" when there is something to show.
    found : tuple of Light
        Of the selections, in the order of drawing.
    options : LightOptions
    unit : str
        Of the spectral axis, "nm" or "deg"; `axis_name` its name.
    stale : bool
        Something else is selected meanwhile: it should be counted.
    title : str
        Of the frame.
    key : int or None
        Of the frame; None if it is no photon list.
    drawing : str
        Shape that a drag on the canvas draws.
    unmeasured : int
        Selections beyond those that are shown at a time.
    """

    hint: str
    found: tuple[Light, ...] = ()
    options: LightOptions = field(default_factory=LightOptions)
    unit: str = "nm"
    axis_name: str = "Wavelength"
    stale: bool = False
    title: str = ""
    key: int | None = None
    drawing: str = ""
    unmeasured: int = 0


def inputs(session: Session) -> tuple[object, ...]:
    """What the dock depends on."""
    slot = session.slot()
    photons = slot.photons if slot is not None else None
    if slot is None or photons is None:
        return (None, session.drawing)
    chosen = session.selection
    return (
        slot.key, photons.source, photons.cut, slot.regions, chosen.x, chosen.y, session.light, session.lights,
        session.drawing, slot.title,
    )  # fmt: skip


def make(session: Session) -> LightView:
    """Return the view of the current frame."""
    slot = session.slot()
    options = light.options_of(session)
    if slot is None or slot.photons is None:
        return LightView(OPEN_HINT, drawing=session.drawing)
    info = slot.photons.source.info
    unit, name = ("nm", "Wavelength") if info.calibrated else ("°", "Phase")
    asked, known = light.request(session), session.lights
    common: dict[str, Any] = {"options": options, "unit": unit, "axis_name": name, "title": slot.title, "key": slot.key,
              "drawing": session.drawing}  # fmt: skip
    if asked is None:
        return LightView(PICK_HINT, **common)
    common["unmeasured"] = len(light.picks(slot, session.selection)) - len(asked.picked)
    stale = known is None or known.request != asked
    if known is None or known.request.key != slot.key or known.request.source.info.calibrated != info.calibrated:
        return LightView(COUNTING, stale=stale, **common)
    return LightView("", known.found, stale=stale, **common)


# ---- what is drawn ----


def lines(
    view: LightView, part: Part, how: How = How.RATE, span: tuple[float, float] | None = None
) -> tuple[Line, ...]:
    """Return the curves of one plot, what lies behind first; `span` (s) is the part of light curves in view."""
    alone = len(view.found) == 1
    make_lines = {
        Part.CURVE: lambda one: _curve_lines(one, view.options.rate, span, alone),
        Part.SPECTRUM: lambda one: _spectrum_lines(one, how),
        Part.HISTOGRAM: _histogram_lines,
        Part.INTERVALS: _interval_lines,
    }[part]
    found = [line for one in view.found for line in make_lines(one)]
    return tuple(sorted(found, key=lambda line: line.kind != "fine"))


def axis_labels(view: LightView, part: Part, how: How = How.RATE) -> tuple[str, str]:
    """Horizontal and vertical label of a plot."""
    width = _duration(view.options.width)
    spectral = {How.COUNTS: "Photons", How.RATE: "Photons/s", How.DENSITY: f"Photons/s/{view.unit}"}[how]
    return {
        Part.CURVE: ("Time (s)", "Photons/s" if view.options.rate else f"Photons per {width}"),
        Part.SPECTRUM: (f"{view.axis_name} ({view.unit})", spectral),
        Part.HISTOGRAM: (f"Photons in {width}", "Bins"),
        Part.INTERVALS: ("Time to the next photon (s)", "Intervals"),
    }[part]


def rgb(name: str) -> tuple[int, int, int]:
    """Red, green and blue of a color of a region; that of ds9's green for a name that is not known."""
    text = NAMED.get(name.lower(), name).lstrip("#")
    try:
        return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)
    except ValueError:
        return 0, 255, 0


def readable(name: str, paper: tuple[int, int, int] = (255, 255, 255)) -> str:
    """The color of a region (#rrggbb) so that it stands out on a paper; its hue stays."""
    color = rgb(name)
    goal = 255 if _luminance(paper) < MIDDLE else 0
    while _contrast(color, paper) < CONTRAST:
        color = tuple(round(v + STEP * (goal - v)) for v in color)  # type: ignore[assignment]
    return "#" + "".join(f"{v:02x}" for v in color)


def _contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """Ratio of the luminances of two colors."""
    low, high = sorted(_luminance(c) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: tuple[int, int, int]) -> float:
    """Relative luminance, sRGB."""
    parts = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _duration(seconds: float) -> str:
    """A bin width as it is said."""
    return f"{seconds:g} s" if seconds >= 1 else f"{1000 * seconds:g} ms"


def _curve_lines(one: Light, rate: bool, span: tuple[float, float] | None, alone: bool) -> list[Line]:
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
    fine = [Line(curve.center[rows], np.asarray(values[rows], float), color, "fine")] if alone else []
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


def _spectrum_lines(one: Light, how: How) -> list[Line]:
    """Steps with error bars."""
    if one.spectrum is None:
        return []
    values, errors = spectrum_values(one.spectrum, how)
    steps = _steps(one.spectrum.edges, values, one.picked.color)
    return [Line(steps.x, steps.y, steps.color, bars=(one.spectrum.center, values, errors))]


def _histogram_lines(one: Light) -> list[Line]:
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
        out.append(Line(centers, expected, color, "dots" if law.name == "Poisson" else "law"))
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


def _interval_lines(one: Light) -> list[Line]:
    """Steps over the logarithm of the interval; what steady light gives dashed."""
    found = one.intervals
    if found is None or not found.counts.any():
        return []
    some = np.flatnonzero(found.counts)
    shown = slice(int(some[0]), int(some[-1]) + 1)
    edges, color = np.log10(found.edges)[shown.start : shown.stop + 1], one.picked.color
    expected = found.expected[shown]
    law = np.where(expected > LEAST_EXPECTED, expected, np.nan)
    return [
        _steps(edges, np.asarray(found.counts[shown], float), color),
        Line((edges[1:] + edges[:-1]) / 2, law, color, "law"),
    ]


def _steps(edges: Array, values: Array, color: str, *, error: Array | None = None) -> Line:
    """Outline of steps."""
    x, y = np.repeat(edges, 2)[1:-1], np.repeat(np.asarray(values, float), 2)
    if error is None:
        return Line(x, y, color)
    spread = np.repeat(error, 2)
    return Line(x, y, color, low=y - spread, high=y + spread)


def dead_times(view: LightView) -> tuple[float, ...]:
    """Dead times (s) of the interval histograms that are shown."""
    return tuple(dict.fromkeys(one.intervals.dead_time for one in view.found if one.intervals is not None))


def logarithm(line: Line) -> Line:
    """The line for a logarithmic axis; what is not above zero lies on the floor, half the smallest value."""
    above = line.y[np.isfinite(line.y) & (line.y > 0)]
    floor = 0.5 * float(above.min()) if above.size else 0.5

    def log(values: Array | None) -> Array | None:
        return None if values is None else np.log10(np.where(np.isnan(values), np.nan, np.maximum(values, floor)))

    bars = None
    if line.bars is not None:
        x, y, error = line.bars
        positive = np.where(y > 0, y, np.nan)
        bars = (x, np.log10(positive), error / positive / np.log(10))
    found = log(line.y)
    assert found is not None
    return Line(line.x, found, line.color, line.kind, log(line.low), log(line.high), bars)


# ---- in words ----


def summary(one: Light) -> str:
    """One selection in the legend: where, how much light, what is missing."""
    label = one.aperture.label if one.aperture is not None else one.picked.label
    if one.curve is None:
        return label
    live, parts = float(one.curve.exposure.sum()), [label]
    if live > 0:
        error = float(np.sqrt((one.curve.variance + one.curve.background_variance).sum()))
        parts.append(with_error(float(one.curve.net.sum()) / live, error / live, "/s"))
    found = one.aperture
    if found is not None and found.area > 1:
        parts.append(f"{number(found.area, 3)} px²")
        if found.dropped > 0.05:
            parts.append(f"{number(found.dropped, 2)} px² left out")
    return ", ".join(parts)


def law_text(one: Light) -> str:
    """Ic and Is of the modified Rician law of a selection."""
    found = one.histogram
    law = next((c for c in found.curves if c.name.endswith("likelihood")), None) if found is not None else None
    if found is None or law is None:
        return ""
    return f"Ic {with_error(law.ic, law.ic_error)}, Is {_speckle(law)} /s"


def _speckle(law: Curve) -> str:
    """Is with its error."""
    return with_error(law.is_, law.is_error)


def interval_text(one: Light) -> str:
    """What the intervals of a selection tell."""
    found = one.intervals
    if found is None:
        return ""
    short = f", {found.shorter} below the dead time" if found.shorter else ""
    return f"{number(found.rate, 3)} /s per pixel{short}"


def notes(view: LightView) -> str:
    """What was not measured and why; one sentence a selection."""
    out = [f"{one.picked.label}: {'; '.join(one.notes)}" for one in view.found if one.notes]
    if view.unmeasured:
        out.append(f"{view.unmeasured} more regions are not measured: {light.MOST} selections are shown at a time")
    return " – ".join(out)


def readout(view: LightView, part: Part, x: float, how: How = How.RATE) -> str:
    """What the plot holds at a place of its horizontal axis."""
    texts, where = [], ""
    for one in view.found:
        found = _at(one, part, x, how, view)
        if found is not None:
            where = where or found[0]
            texts.append(f"{one.picked.label.split(':')[0]}: {found[1]}")
    return f"{where}  {'; '.join(texts)}" if where else ""


def _at(one: Light, part: Part, x: float, how: How, view: LightView) -> tuple[str, str] | None:
    """Where and how much, of one selection."""
    if part is Part.INTERVALS:
        found = one.intervals
        place = None if found is None else _bin(np.log10(found.edges), x)
        if found is None or place is None:
            return None
        where = f"{number(found.edges[place], 3)} to {number(found.edges[place + 1], 3)} s"
        return where, f"{found.counts[place]} (steady {number(found.expected[place], 3)})"
    if part is Part.HISTOGRAM:
        count = round(x)
        if one.histogram is None or not 0 <= count < len(one.histogram.histogram):
            return None
        return f"{count} photons", f"{one.histogram.histogram[count]} bins"
    product = one.curve if part is Part.CURVE else one.spectrum
    place = None if product is None else _bin(product.edges, x)
    if product is None or place is None:
        return None
    if part is Part.CURVE:
        values, errors = (product.rate, product.rate_error) if view.options.rate else (product.net, product.error)
        where = f"{product.edges[place]:.6g} s"
    else:
        values, errors = spectrum_values(product, how)
        where = f"{product.edges[place]:.4g} to {product.edges[place + 1]:.4g} {view.unit}"
    return where, with_error(float(values[place]), float(errors[place]))


def _bin(edges: Array, x: float) -> int | None:
    """Number of the bin that holds x."""
    place = int(np.searchsorted(edges, x, side="right")) - 1
    return place if 0 <= place < len(edges) - 1 else None


def table(view: LightView, part: Part, how: How = How.RATE) -> str:
    """The numbers of a plot, tab separated, one block a selection, for a spreadsheet."""
    blocks = []
    for one in view.found:
        rows = _rows(one, part, how, view)
        if rows is not None:
            head, columns = rows
            body = "\n".join("\t".join(f"{v:.9g}" for v in row) for row in zip(*columns))
            blocks.append(f"# {TITLES[part]}: {summary(one)}\n{head}\n{body}")
    return "\n\n".join(blocks)


def _rows(one: Light, part: Part, how: How, view: LightView) -> tuple[str, Iterable[Array]] | None:
    """Head and columns of a plot."""
    if part is Part.HISTOGRAM:
        found = one.histogram
        if found is None:
            return None
        names = "\t".join(["photons", "bins", *(law.name for law in found.curves)])
        return names, (np.arange(len(found.histogram)), found.histogram, *(law.expected for law in found.curves))
    if part is Part.INTERVALS:
        gaps = one.intervals
        if gaps is None:
            return None
        return "low_s\thigh_s\tintervals\tsteady", (gaps.edges[:-1], gaps.edges[1:], gaps.counts, gaps.expected)
    product = one.curve if part is Part.CURVE else one.spectrum
    if product is None:
        return None
    if part is Part.CURVE:
        values, errors = (product.rate, product.rate_error) if view.options.rate else (product.net, product.error)
    else:
        values, errors = spectrum_values(product, how)
    unit = "s" if part is Part.CURVE else {"°": "deg"}.get(view.unit, view.unit)
    value = "counts" if (part is Part.CURVE and not view.options.rate) or (
        part is Part.SPECTRUM and how is How.COUNTS) else "rate"  # fmt: skip
    return f"low_{unit}\thigh_{unit}\t{value}\terror", (product.edges[:-1], product.edges[1:], values, errors)


def vertical(lines: Iterable[Line], *, log: bool = False) -> tuple[float, float] | None:
    """A vertical range that shows all steps with their errors, and zero unless logarithmic."""
    low, high = np.inf, -np.inf
    for line in lines:
        if line.kind == "fine":
            bounds = np.nanpercentile(line.y, (0.5, 99.5)) if np.isfinite(line.y).any() else (np.inf, -np.inf)
            low, high = min(low, bounds[0]), max(high, bounds[1])
            continue
        values = [line.y]
        if line.low is not None and line.high is not None:
            values += [line.low, line.high] if not log else [line.high]
        if line.bars is not None:
            _, y, error = line.bars
            values += [y - error, y + error] if not log else [y + error]
        if line.kind in ("law", "dots") and log:
            values = []  # laws go on for ever downwards
        for each in values:
            good = each[np.isfinite(each)]
            if good.size:
                low, high = min(low, float(good.min())), max(high, float(good.max()))
    if not np.isfinite(low) or not np.isfinite(high):
        return None
    if not log:
        low = min(low, 0.0)
    pad = MARGIN * (high - low) or 1.0
    return low - (pad if low < 0 or log else 0.0), high + pad


def horizontal(view: LightView, part: Part, lines: Iterable[Line]) -> tuple[float, float] | None:
    """A horizontal range that shows everything."""
    if part is Part.CURVE:
        curves = [one.curve for one in view.found if one.curve is not None]
        edges = [float(e) for curve in curves for e in (curve.edges[0], curve.edges[-1])]
    else:
        edges = [float(e) for line in lines if line.x.size for e in (line.x.min(), line.x.max())]
    return (min(edges), max(edges)) if edges and min(edges) < max(edges) else None

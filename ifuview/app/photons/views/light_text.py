"""The light of the selections in words and numbers: legend, notes, read-out, tables to copy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ifuview.app.frames.views.text import number, with_error
from ifuview.app.photons import light
from ifuview.app.photons.state import Light
from ifuview.app.photons.views.light import TITLES, How, LightPart, LightView
from ifuview.app.photons.views.light_lines import spectrum_values
from ifuview.model.checks import Array

LEAST_DROPPED = 0.05  # px^2; less is not worth a word


LAWS = {  # what the thin lines of a plot are
    LightPart.HISTOGRAM: "····· Poisson, – – – modified Rician",
    LightPart.INTERVALS: "– – – steady light of this rate",
}


def is_net(one: Light) -> bool:
    """Whether a background was subtracted."""
    return one.aperture is not None and len(one.aperture.background) > 0


def summary(one: Light) -> str:
    """One selection in the legend: where, how much light, what is missing."""
    label = one.aperture.label if one.aperture is not None else one.picked.label
    if one.curve is None:
        return label
    live, parts = float(one.curve.exposure.sum()), [label]
    if live > 0:
        error = float(np.sqrt((one.curve.variance + one.curve.background_variance).sum()))
        parts.append(with_error(float(one.curve.net.sum()) / live, error / live, "/s") + " net" * is_net(one))
    found = one.aperture
    if found is not None and found.area > 1:
        parts.append(_area(found.area))
        if found.dropped > LEAST_DROPPED:
            parts.append(f"{_area(found.dropped)} left out")
    return ", ".join(parts)


def _area(value: float) -> str:
    """An area of the array."""
    return f"{value:.0f} px²" if value >= 100 else f"{number(value, 3)} px²"


def law_text(one: Light) -> str:
    """Ic and Is of the modified Rician law of a selection."""
    found = one.histogram
    law = next((c for c in found.curves if c.name.endswith("likelihood")), None) if found is not None else None
    if found is None or law is None:
        return ""
    whole = ", background included" if is_net(one) else ""
    return f"{_part('Ic', law.ic, law.ic_error)}, {_part('Is', law.is_, law.is_error)} (/s{whole})"


def _part(name: str, value: float, error: float) -> str:
    """A part of the light with its error; at its limit, it has none."""
    return f"{name} {with_error(value, error)}" if np.isfinite(error) else f"{name} not seen"


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
    if view.source:
        out.insert(0, f"Light of {view.source}, from which the frame on the canvas is made")
    if view.behind:
        out.insert(0, "What is selected now is not counted yet; this is the light of before")
    if view.unmeasured:
        out.append(f"{view.unmeasured} more regions are not measured: {light.MOST} selections are shown at a time")
    return " – ".join(out)


def readout(view: LightView, part: LightPart, x: float, how: How = How.RATE) -> str:
    """What the plot holds at a place of its horizontal axis."""
    texts, where = [], ""
    for one in view.found:
        found = _at(one, part, x, how, view)
        if found is not None:
            where = where or found[0]
            texts.append(f"{one.picked.label.split(':')[0]}: {found[1]}")
    return f"{where}  {'; '.join(texts)}" if where else ""


def _at(one: Light, part: LightPart, x: float, how: How, view: LightView) -> tuple[str, str] | None:
    """Where and how much, of one selection."""
    if part is LightPart.INTERVALS:
        found = one.intervals
        place = None if found is None else _bin(found.edges, x)
        if found is None or place is None:
            return None
        where = f"{number(found.edges[place], 3)} to {number(found.edges[place + 1], 3)} s"
        return where, f"{found.counts[place]} (steady {number(found.expected[place], 3)})"
    if part is LightPart.HISTOGRAM:
        count = round(x)
        if one.histogram is None or not 0 <= count < len(one.histogram.histogram):
            return None
        return f"{count} photons", f"{one.histogram.histogram[count]} bins"
    product = one.curve if part is LightPart.CURVE else one.spectrum
    place = None if product is None else _bin(product.edges, x)
    if product is None or place is None:
        return None
    if part is LightPart.CURVE:
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


def table(view: LightView, part: LightPart, how: How = How.RATE) -> str:
    """The numbers of a plot, tab separated, one block a selection, for a spreadsheet."""
    blocks = []
    for one in view.found:
        rows = _rows(one, part, how, view)
        if rows is not None:
            head, columns = rows
            body = "\n".join("\t".join(f"{v:.9g}" for v in row) for row in zip(*columns))
            blocks.append(f"# {TITLES[part]}: {summary(one)}\n{head}\n{body}")
    return "\n\n".join(blocks)


def _rows(one: Light, part: LightPart, how: How, view: LightView) -> tuple[str, Iterable[Array]] | None:
    """Head and columns of a plot."""
    if part is LightPart.HISTOGRAM:
        found = one.histogram
        if found is None:
            return None
        names = "\t".join(["photons", "bins", *(law.name for law in found.curves)])
        return names, (np.arange(len(found.histogram)), found.histogram, *(law.expected for law in found.curves))
    if part is LightPart.INTERVALS:
        gaps = one.intervals
        if gaps is None:
            return None
        return "low_s\thigh_s\tintervals\tsteady", (gaps.edges[:-1], gaps.edges[1:], gaps.counts, gaps.expected)
    product = one.curve if part is LightPart.CURVE else one.spectrum
    if product is None:
        return None
    if part is LightPart.CURVE:
        values, errors = (product.rate, product.rate_error) if view.options.rate else (product.net, product.error)
    else:
        values, errors = spectrum_values(product, how)
    unit = "s" if part is LightPart.CURVE else {"°": "deg"}.get(view.unit, view.unit)
    value = "counts" if (part is LightPart.CURVE and not view.options.rate) or (
        part is LightPart.SPECTRUM and how is How.COUNTS) else "rate"  # fmt: skip
    return f"low_{unit}\thigh_{unit}\t{value}\terror", (product.edges[:-1], product.edges[1:], values, errors)

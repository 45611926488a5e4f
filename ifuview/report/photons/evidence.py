"""What the numbers of a finding about a photon list rest on, as a figure: bad against good, with the limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import (
    CROSS,
    DASHED,
    DOT,
    NONE,
    Curve,
    Figure,
    Rule,
    Scale,
    Shade,
    padded,
    stairs,
)
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding

MOST = 4000  # good pixels that are drawn


def of_finding(finding: PhotonFinding) -> Figure | None:
    """The figure of a finding; None where a number says all."""
    draw = DRAWN.get(finding.fault)
    return draw(finding) if draw is not None and finding.arrays else None


def _of_pixels(finding: PhotonFinding) -> Figure:
    """Photons of each pixel against those around it, with the limits that a point source and a working pixel keep."""
    counts, around, bad = (finding.arrays[name] for name in ("counts", "expected", "bad"))
    good = np.flatnonzero(~bad)
    good = good[:: max(len(good) // MOST, 1)]
    at, photons = np.maximum(around, 0.5), np.maximum(counts, 0.5)  # none: at the edge of a logarithmic axis
    curves = [
        Curve(at[good], photons[good], "faint", "other pixels", NONE, DOT, size=2.5),
        Curve(finding.arrays["at"], finding.arrays["limit"], "text", "limit", DASHED),
        Curve(at[bad], photons[bad], "bad", finding.fault.value, NONE, CROSS, size=8),
    ]  # fmt: skip
    return Figure("Photons against those around", Scale("Photons of a pixel around (median)", None, True),
                  Scale("Photons of the pixel", None, True), tuple(curves))  # fmt: skip


def _in_time(finding: PhotonFinding) -> Figure:
    """The light curve of what is bad, with what the others let expect."""
    edges, counts = finding.arrays["edges"], finding.arrays["counts"]
    width = np.diff(edges)
    x, y = stairs(edges, counts / width)
    middle = (edges[1:] + edges[:-1]) / 2
    curves = [Curve(x, y, "bad", "counted")]
    expected = finding.arrays.get("expected")
    if expected is not None:
        noise = np.sqrt(np.maximum(expected, 0.0)) / width
        rate = expected / width
        hoped = Curve(middle, rate, "faint", "expected by the others", low=rate - noise, high=rate + noise)
        curves.insert(0, hoped)
    other = finding.arrays.get("other")
    if other is not None:
        curves.append(Curve(*stairs(edges, other / width), 0, "the other one", DASHED))
    limit = finding.arrays.get("limit")
    rules = () if limit is None else (Rule(float(limit[0] / width[0]), vertical=False, color="text", label="limit"),)
    spans = () if finding.times is None else (Shade(*finding.times, color="bad"),)
    return Figure("Light curve", Scale("Time (s)", (float(edges[0]), float(edges[-1]))), Scale("Photons/s"),
                  tuple(curves), rules, spans)  # fmt: skip


def _by_feedline(finding: PhotonFinding) -> Figure:
    """A number of each feedline with its error."""
    names, ratio, error = (np.asarray(finding.arrays[name], float) for name in ("feedline", "ratio", "error"))
    dark = finding.fault is not PhotonFault.UNSOLVED
    bad = np.isin(names, finding.feedlines)
    curves = tuple(
        Curve(names[chosen], ratio[chosen], color, label, NONE, symbol, size=7, error=error[chosen])
        for chosen, color, label, symbol in ((~bad, "faint", "feedlines", DOT), (bad, "bad", "this one", CROSS))
        if chosen.any()
    )
    label = "Light over that across the border" if dark else "Part of the pixels without wavelengths"
    rules = _limits(finding)
    top = float(np.nanmax(ratio + error)) if np.isfinite(ratio).any() else 1.0
    return Figure(label, Scale("Feedline", padded(names.min(), names.max(), 0.1)), Scale(label, (0.0, 1.1 * top)),
                  curves, rules)  # fmt: skip


def _limits(finding: PhotonFinding) -> tuple[Rule, ...]:
    """A line at each limit."""
    return tuple(Rule(float(at), vertical=False, color="text", label="limit") for at in finding.arrays.get("limit", ()))


def _of_colors(finding: PhotonFinding) -> Figure:
    """Wavelengths of the bad pixel against those of all, each over its largest."""
    edges, total = finding.arrays["edges"], finding.arrays["counts"]
    shown = [Curve(*stairs(edges, total / max(total.max(), 1)), "faint", "all pixels")]
    other = finding.arrays.get("other")
    if other is not None:
        shown.append(Curve(*stairs(edges, other / max(other.max(), 1)), "bad", "the clearest"))
    names = (
        ("right", "found")
        if finding.fault not in (PhotonFault.OUT_OF_RANGE, PhotonFault.SCALED)
        else ("valid from", "to")
    )
    rules = tuple(
        Rule(float(at), color=color, label=f"{name} {at:.0f} nm")
        for at, color, name in zip(finding.arrays["lines"], ("text", "bad"), names)
    )
    return Figure("Wavelengths", Scale("Wavelength (nm)", (float(edges[0]), float(edges[-1]))),
                  Scale("Photons over the most"), tuple(shown), rules)  # fmt: skip


def _of_weights(finding: PhotonFinding) -> Figure:
    """Counts against weights, each over those around; the slope that is right, and the one that is found."""
    x, y = finding.arrays["weights"], finding.arrays["counts"]
    slope = float(finding.arrays["slope"][0])
    end = float(np.max(np.abs(x))) if len(x) else 1.0
    line = np.array([-end, end])
    return Figure("Do the weights undo the response?", Scale("ln weight over those around"),
                  Scale("ln photons over those around"), (
                      Curve(x, y, "faint", "pixels", NONE, DOT, size=2.5),
                      Curve(line, -line, "text", "right: slope -1", DASHED),
                      Curve(line, slope * line, "bad", f"found: slope {slope:+.2f}", width=2.0),
                  ))  # fmt: skip


def _of_shares(finding: PhotonFinding) -> Figure:
    """Part of the photons of each resonator within the dead time, the largest first."""
    share: Array = finding.arrays["share"]
    return Figure("Photons within the dead time", Scale("Resonators, the worst first", (0.0, float(len(share)))),
                  Scale("Part of its photons"), (Curve(np.arange(len(share)) + 0.5, share, "bad", "resonators"),),
                  _limits(finding))  # fmt: skip


DRAWN: Mapping[PhotonFault, Callable[[PhotonFinding], Figure]] = MappingProxyType({
    **dict.fromkeys((PhotonFault.HOT, PhotonFault.COLD, PhotonFault.DEAD), _of_pixels),
    **dict.fromkeys((PhotonFault.DROP, PhotonFault.SPIKE, PhotonFault.FEEDLINE_DROP, PhotonFault.TIME_OUT,
                     PhotonFault.SATURATED, PhotonFault.DOUBLE, PhotonFault.ORDER, PhotonFault.CLOCK,
                     PhotonFault.DRIFT, PhotonFault.COSMIC), _in_time),
    **dict.fromkeys((PhotonFault.FEEDLINE_DEAD, PhotonFault.FEEDLINE_DARK, PhotonFault.UNSOLVED), _by_feedline),
    **dict.fromkeys((PhotonFault.WRONG_LINE, PhotonFault.OFF_LINE, PhotonFault.OUT_OF_RANGE,
                     PhotonFault.SCALED), _of_colors),
    PhotonFault.WRONG_FLAT: _of_weights,
    PhotonFault.SHORT: _of_shares,
})  # fmt: skip

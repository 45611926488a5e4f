"""Solutions of photon lists as figures: of one resonator, and distributions over the array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import DASHED, DOT, NONE, Color, Curve, Figure, Range, Rule, Scale, padded, stairs
from ifuview.model.photons.calibration_curves import FlatCurves, LaserCurves, WavecalCurves
from ifuview.model.photons.wavelength_solution import HistogramStatus

MOST_BINS, FEWEST_BINS = 60, 8
CENTRAL = (0.5, 99.5)  # percent of the values inside a distribution
MOST = 6  # histograms that have a color of their own
ROOM = 0.06  # beyond the data


def energy(found: WavecalCurves) -> Figure | None:
    """Photon energy against phase: the lasers, the curve, its error; None where nothing was fitted."""
    if not (found.phase.size or found.center.size):
        return None
    known = bool(found.phase.size and np.isfinite(found.curve_error).all())
    low, high = (found.curve - found.curve_error, found.curve + found.curve_error) if known else (None, None)
    curves = (
        Curve(found.phase, found.curve, 0, width=2, low=low, high=high),
        Curve(found.center, found.energy, 1, stroke=NONE, symbol=DOT, size=7, error_x=found.center_error),
    )
    x, y = np.concatenate([found.phase, found.center]), np.concatenate([found.curve, found.energy])
    return Figure(found.title, Scale("Phase (°)", whole(x)), Scale("Photon energy (eV)", whole(y)), curves, empty="")


def lasers(found: Sequence[LaserCurves], color: Color | None = None, title: str = "") -> Figure | None:
    """Phase histograms with their models, each in a color of its own; a rejected one has no model.

    Parameters
    ----------
    found : sequence of LaserCurves
    color : Color, optional
        Of all of them, without names.
    title : str
    """
    found = [one for one in found if one.counts.size][:MOST]
    if not found:
        return None
    curves: list[Curve] = []
    rules = []
    for number, one in enumerate(found):
        own = number if color is None else color
        middle = (one.edges[1:] + one.edges[:-1]) / 2
        curves.append(Curve(*stairs(one.edges, one.counts), own))
        at = float(middle[int(np.argmax(one.counts))])
        if one.model.size:
            shade = own if color is None else 2
            curves.append(Curve(middle, one.model, shade, width=2))
            curves.append(Curve(middle, one.background, shade, stroke=DASHED))
            at = one.center
        name = f"{one.wave:g} nm"
        if one.status is not HistogramStatus.GOOD:
            name = f"{name}: {one.status.meaning}"
        rules.append(Rule(at, color=own, label=name))
    ends = np.concatenate([one.edges[[0, -1]] for one in found])
    tops = np.concatenate([one.counts for one in found])
    return Figure(
        title, Scale("Phase (°)", whole(ends)), Scale("Photons in a bin", whole(np.append(tops, 0.0))), tuple(curves),
        tuple(rules) if color is None else (),
    )  # fmt: skip


def flat(found: FlatCurves) -> Figure:
    """Weights with errors against wavelength, and the function of them that is used."""
    good = np.isfinite(found.weights)
    error = np.nan_to_num(found.errors[good])
    ends = [found.weights[good] - error, found.weights[good] + error]
    values = np.concatenate([*ends, found.used[np.isfinite(found.used)], [1.0]])
    curves = (
        Curve(found.fine, found.used, 0, width=2),
        Curve(found.waves, found.weights, 1, stroke=NONE, symbol=DOT, size=7, error=found.errors),
    )
    return Figure(
        found.title, Scale("Wavelength (nm)", whole(found.fine)), Scale("Flat weight", whole(values)), curves,
        (Rule(1.0, vertical=False),),
    )  # fmt: skip


def distributions(values: Array, names: Sequence[str], label: str, things: str = "Resonators") -> Figure | None:
    """How many have a value: a histogram with its median for each column of values (n, ncolumn), in common bins."""
    finite = values[np.isfinite(values)]
    if len(finite) < 2:
        return None
    low, high = np.percentile(finite, CENTRAL)
    if not high > low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, int(np.clip(np.sqrt(len(finite)), FEWEST_BINS, MOST_BINS)) + 1)
    curves: list[Curve] = []
    rules: list[Rule] = []
    for name, column in zip(names, values.T, strict=True):
        own = column[np.isfinite(column)]
        if len(own) and len(curves) < MOST:
            middle = float(np.median(own))
            curves.append(Curve(*stairs(edges, np.histogram(own, edges)[0]), len(curves)))
            rules.append(Rule(middle, color=len(rules), label=f"{name}: {middle:.4g}"))
    tops = np.concatenate([curve.y for curve in curves])
    return Figure(
        "", Scale(label, whole(edges)), Scale(things, whole(np.append(tops, 0.0))), tuple(curves), tuple(rules)
    )


def whole(values: Array) -> Range | None:
    """A range of all values with a little room."""
    good = values[np.isfinite(values)]
    return padded(good.min(), good.max(), ROOM) if good.size else None

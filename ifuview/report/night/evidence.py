"""What shows a finding of a triage, as a figure: the level of single fibers, or median spectra of blocks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import DOT, NONE, STAR, Curve, Figure, Rule, Scale, Shade, padded
from ifuview.model.night.triage import Finding

OTHERS, THESE = "other fibers", "these fibers"
OF_FIBERS = ("isolated-fiber", "bright-neighbor", "positioning")  # the level of each fiber tells most
NEAR = 15  # fibers on either side that are shown
MOST_CURVES = 6
MARGIN = 0.06  # of the levels
ZERO = (Rule(0.0, vertical=False),)


def of_finding(finding: Finding, arrays: Mapping[str, Array], most: int = MOST_CURVES) -> Figure | None:
    """The evidence of a finding, None where nothing of its camera is at hand.

    Parameters
    ----------
    finding : Finding
    arrays : mapping
        "level" (nfiber,), mean of the sky-subtracted spectra; "wave" (nwave,) and "residual" (nfiber, nwave), these
        spectra without their continuum, electron / Angstrom.
    most : int
        Blocks that are drawn.
    """
    if finding.kind in OF_FIBERS and "level" in arrays and finding.fibers:
        return levels(finding, arrays["level"])
    if "residual" not in arrays:
        return None
    return spectra(finding, arrays["wave"], arrays["residual"], "sframe - continuum (e/Å)", most)


def levels(finding: Finding, level: Array) -> Figure:
    """Mean of each fiber near those of the finding; a bright one among them may reach above the figure."""
    first, last = max(min(finding.fibers) - NEAR, 0), min(max(finding.fibers) + NEAR, level.size - 1)
    x = np.arange(first, last + 1)
    y = np.asarray(level[first : last + 1], float)
    inside = np.isin(x, finding.fibers)
    source = finding.detail.get("source")
    usual = y[x != source] if source is not None else y
    usual = usual[np.isfinite(usual)]
    low, high = (min(float(usual.min()), 0.0), float(usual.max())) if usual.size else (0.0, 1.0)
    margin = MARGIN * ((high - low) or 1.0)
    curves = [Curve(x, y, "faint", OTHERS), Curve(x[inside], y[inside], 0, THESE, NONE, DOT, size=8)]
    if source is not None and first <= source <= last:
        words = f"bright fiber {source}: {level[source]:.3g}"
        top = min(float(level[source]), high + margin)
        curves.append(Curve(np.array([source]), np.array([top]), 1, words, NONE, STAR, size=10))
    return Figure(
        "", Scale("Fiber in the camera", (first - 0.5, last + 0.5)),
        Scale("Mean of sframe (e/Å)", (low - margin, high + 2 * margin)), tuple(curves), ZERO,
    )  # fmt: skip


def spectra(finding: Finding, wave: Array, values: Array, label: str, most: int = MOST_CURVES) -> Figure | None:
    """Median spectra of the blocks or fibers of a finding and of all others."""
    inside = np.zeros(values.shape[0], bool)
    inside[[f for f in finding.fibers if f < inside.size]] = True
    size = finding.block_size
    curves = []
    if not inside.all():
        curves.append(Curve(wave, np.median(values[~inside], axis=0), "faint", OTHERS))
    for number, block in enumerate(finding.blocks[:most] if size else ()):
        median = np.median(values[block * size : (block + 1) * size], axis=0)
        curves.append(Curve(wave, median, number, f"block {block}", width=1.5))
    if not finding.blocks and inside.any():
        curves.append(Curve(wave, np.median(values[inside], axis=0), 0, THESE, width=1.5))
    if not curves:
        return None
    ends = float(wave[0]), float(wave[-1])
    low, high = finding.wave_range or ends
    margin = 0.5 * (high - low) if finding.wave_range is not None else 0.0
    across = max(low - margin, ends[0]), min(high + margin, ends[1])
    seen = slice(*np.searchsorted(wave, across))
    parts = [curve.y[seen] for curve in curves if curve.y[seen].size]
    tall = padded(min(p.min() for p in parts), max(p.max() for p in parts), MARGIN) if parts else None
    where = () if finding.wave_range is None else (Shade(*finding.wave_range),)
    return Figure("", Scale("Wavelength (Å)", across), Scale(label, tall), tuple(curves), ZERO, where)

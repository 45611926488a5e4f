"""A cross-section with its profile fit as figures: counts and fibers above, what is left of the counts below."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import CROSS, DOT, DOTTED, NONE, Curve, Figure, Range, Rule, Scale, Shade, stairs
from ifuview.model.inspection import CrossSection
from ifuview.model.orientation import AxisWords

MOST_FIBERS = 7  # that are drawn, the nearest first
HEADROOM = 2.5  # times the peak of the model; counts above that are taken for a cosmic ray and left out of view
WINGS = 3.0  # sigma beyond the outermost fitted fibers; further out the light of the next one is not in the model
MARGIN = 0.06  # of the vertical range, above and below
LEAST_SIGMA, BEYOND, USUAL = 3.5, 1.5, 95.0  # of residuals: in view at least; times the percentile that is usual
HALF = 0.5  # px; a pixel reaches so far to both sides
MODEL_WIDTH = 2.0


def section_figure(section: CrossSection, xlabel: str, ylabel: str, title: str = "") -> Figure:
    """Counts with their errors, each fitted fiber, their sum, aperture and trace.

    Parameters
    ----------
    section : CrossSection
    xlabel, ylabel, title : str
    """
    x, counts = section.position, np.asarray(section.counts, float)
    near = sorted(section.components, key=lambda c: abs(c.center - section.trace))[:MOST_FIBERS]
    curves = [Curve(x, np.asarray(c.model, float), i, low=np.zeros(x.size), high=np.asarray(c.model, float))
              for i, c in enumerate(near)]  # fmt: skip
    curves.append(step_curve(x, counts, "text", "counts"))
    if section.error is not None:
        curves.append(Curve(x, counts, stroke=NONE, error=np.where(section.masked, np.nan, section.error)))
    model = fitted_model(section)
    if model is not None:
        fit = f"model, reduced χ² {section.chi2:.2f}" if np.isfinite(section.chi2) else "model"
        curves.append(Curve(x, model, 1, fit, width=MODEL_WIDTH))
    if section.masked.any():
        bad = section.masked
        curves.append(Curve(x[bad], counts[bad], "bad", "masked", NONE, CROSS, size=8.0))
    low, high = section.aperture
    spans = (Shade(low, high, label="aperture"),) if np.isfinite(low) and np.isfinite(high) else ()
    return Figure(
        title, Scale(xlabel, ends(x)), Scale(ylabel, _counts_range(section)), tuple(curves),
        trace_rule(section.trace), spans,
    )  # fmt: skip


def residual_figure(section: CrossSection, xlabel: str) -> Figure | None:
    """Counts minus model, in units of the error where that is known; None without a model."""
    left = residual(section)
    if left is None:
        return None
    good, by_error = np.isfinite(left), section.error is not None
    usual = BEYOND * float(np.percentile(np.abs(left[good]), USUAL)) if good.any() else 0.0
    reach = max(LEAST_SIGMA, usual) if by_error else usual or 1.0
    x, unit = section.position, "σ" if by_error else section.unit or "counts"
    curves = (Curve(x, left, "faint"), Curve(x[good], left[good], "text", stroke=NONE, symbol=DOT, size=4.0))
    return Figure(
        "", Scale(xlabel, ends(x)), Scale(f"Residual ({unit})", (-reach, reach)), curves,
        (Rule(0.0, vertical=False, stroke=DOTTED),), (Shade(-1.0, 1.0, vertical=False),) if by_error else (),
    )  # fmt: skip


def filed(section: CrossSection, axes: AxisWords) -> CrossSection:
    """A cross-section with pixels as the file counts them across the fibers; `column` stays canonical."""
    if not axes.orientation.flip_cross:
        return section
    top = axes.ncross - 1.0

    def back(values: Array | None) -> Array | None:
        return None if values is None else values[::-1]

    fibers = tuple(replace(c, center=top - c.center, model=c.model[::-1]) for c in section.components)
    return replace(
        section, position=top - section.position[::-1], counts=section.counts[::-1], error=back(section.error),
        masked=section.masked[::-1], trace=top - section.trace, components=fibers,
        aperture=(top - section.aperture[1], top - section.aperture[0]),
        model=back(section.model), background=back(section.background),
    )  # fmt: skip


def fitted_model(section: CrossSection) -> Array | None:
    """The total model where it was fitted, shape (npix,): NaN beyond the outermost fitted fibers and their wings."""
    if section.model is None or not section.components:
        return section.model
    low = min(c.center - WINGS * c.sigma for c in section.components)
    high = max(c.center + WINGS * c.sigma for c in section.components)
    if not (np.isfinite(low) and np.isfinite(high)):
        return section.model
    return np.where((section.position >= low) & (section.position <= high), section.model, np.nan)


def residual(section: CrossSection) -> Array | None:
    """(counts - model) / error, shape (npix,), with masked pixels left out; None without a model."""
    model = fitted_model(section)
    if model is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        left = (section.counts - model) / (1.0 if section.error is None else section.error)
    return np.where(section.masked | ~np.isfinite(left), np.nan, left)


def step_curve(position: Array, counts: Array, color: str, label: str = "") -> Curve:
    """One step a pixel."""
    edges = np.append(position - HALF, position[-1:] + HALF)
    return Curve(*stairs(edges, counts), color, label)


def trace_rule(position: float) -> tuple[Rule, ...]:
    """Where the trace says the fiber is; none where it says nothing."""
    return (Rule(position, color=0, label="trace"),) if np.isfinite(position) else ()


def ends(position: Array) -> Range | None:
    """Outer edges of the pixels."""
    return (float(position[0]) - HALF, float(position[-1]) + HALF) if position.size else None


def _counts_range(section: CrossSection) -> Range | None:
    """Range of the good counts, cut where they tower over the model."""
    good = np.asarray(section.counts)[~section.masked & np.isfinite(section.counts)]
    if good.size == 0:
        return None
    low, high = float(min(good.min(), 0.0)), float(good.max())
    if section.model is not None and np.isfinite(section.model).any():
        noise = 0.0 if section.error is None else float(np.nanmedian(section.error))
        reach = float(np.nanmax(section.model))
        high = max(min(high, HEADROOM * reach + 5 * noise), reach)
        low = max(low, -HEADROOM * abs(reach) - 5 * noise)
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin

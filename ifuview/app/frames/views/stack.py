"""Spectra of several fibers above each other: how far apart, and in which color."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.views import colors
from ifuview.model.checks import Array
from ifuview.model.inspection import FiberSpectrum

STACK_RANGE = (5.0, 95.0)  # percentiles of the samples whose distance is one step of the stack
LAST_PART = 10
RAMP = "viridis"
LIGHT, DARK = (0.0, 0.82), (0.25, 1.0)  # part of the ramp that can be seen on the background


def stack_offsets(spectra: tuple[FiberSpectrum, ...], group: tuple[int, ...], step: float) -> Array:
    """What is added to each spectrum so that fibers stand above each other, `step` typical ranges apart.

    The range of a fiber is that of its noisiest arm, so that also that arm does not cover its neighbors.
    """
    if not group or step == 0:
        return np.zeros(len(spectra))
    spans: dict[int, float] = {}
    for number, s in zip(group, spectra):
        good = np.asarray(s.flux)[~s.masked & np.isfinite(s.flux)]
        if good.size:
            lo, hi = np.percentile(good, STACK_RANGE)
            spans[number] = max(spans.get(number, 0.0), float(hi - lo))
    return step * (float(np.median(list(spans.values()))) if spans else 1.0) * np.asarray(group, dtype=np.float64)


def raised(spectrum: FiberSpectrum, offset: float) -> FiberSpectrum:
    """The spectrum with something added to its flux."""
    return replace(spectrum, flux=np.asarray(spectrum.flux) + offset)


def level_at_end(spectrum: FiberSpectrum) -> float:
    """Median of the good samples in the last tenth of a spectrum: where its name stands."""
    good = np.asarray(spectrum.flux)[~spectrum.masked & np.isfinite(spectrum.flux)]
    return float(np.median(good[-max(1, good.size // LAST_PART) :])) if good.size else 0.0


def spaced(levels: dict[int, float], room: float) -> list[int]:
    """Which of some names can stand at their levels when each takes `room`; from the lowest on."""
    out: list[int] = []
    for number in sorted(levels, key=lambda n: levels[n]):
        if not out or levels[number] - levels[out[-1]] >= room:
            out.append(number)
    return out


def stack_colors(count: int, dark: bool) -> tuple[tuple[int, int, int], ...]:
    """Colors (red, green, blue; 0-255) of so many fibers from the lowest to the highest, all different."""
    lo, hi = DARK if dark else LIGHT
    rgb = np.round(colors.ramp(RAMP, np.linspace(lo, hi, max(count, 2))) * 255).astype(int)
    return tuple((int(r), int(g), int(b)) for r, g, b in rgb[:count].tolist())

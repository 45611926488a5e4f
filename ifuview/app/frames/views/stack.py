"""Spectra of several fibers above each other: how far apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.inspection import FiberSpectrum

STACK_RANGE = (5.0, 95.0)  # percentiles of the samples whose distance is one step of the stack


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

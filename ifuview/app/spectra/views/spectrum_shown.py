"""The spectra of a view as they are drawn, with the switches of the dock applied, and what is read off them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ifuview.app.frames.views import stack
from ifuview.app.frames.views.text import number, quantity
from ifuview.app.spectra.views import best_fit, flux
from ifuview.app.spectra.views.spectrum import SpectrumView
from ifuview.model.inspection import FiberSpectrum

ANGSTROM = "Å"


def shown(
    view: SpectrumView, rebin: int, distance: float, *, same_level: bool
) -> tuple[tuple[FiberSpectrum, ...], list[str]]:
    """Spectra in the unit of the first, and a name for each.

    Parameters
    ----------
    view : SpectrumView
        With one spectrum at least.
    rebin : int
        Samples averaged into one.
    distance : float
        Between stacked fibers, in typical ranges.
    same_level : bool
        Whether other frames are brought to the level of the first; a model is compared as it is.
    """
    first = view.spectra[0]
    spectra, names = [], []
    for i, spectrum in enumerate(view.spectra):
        spectrum, how = flux.in_unit_of(spectrum, first)
        whole = spectrum.label != best_fit.LABEL
        if i and whole and same_level and (spectrum.label != first.label or view.group):
            spectrum, factor = flux.scale_to(spectrum, first)
            how = f"{how} × {number(factor, 3)}".strip()
        spectra.append(flux.rebin(spectrum, rebin))
        name = spectrum.fiber_id if view.group else f"{spectrum.label or spectrum.method} {spectrum.arm}".strip()
        names.append(f"{name} {how}".strip())
    for i, offset in enumerate(stack.stack_offsets(tuple(spectra), view.group, distance)):
        if offset:
            spectra[i] = stack.raised(spectra[i], float(offset))
    return tuple(spectra), names


def same_fibers(a: SpectrumView, b: SpectrumView) -> bool:
    """Whether two stacks are of the same fibers."""
    return [(s.key, row) for s, row in a.chosen] == [(s.key, row) for s, row in b.chosen]


def identity(view: SpectrumView | None) -> tuple[object, ...]:
    """What decides whether the plot is brought back to its full range."""
    if view is None or not view.spectra:
        return ()
    first = view.spectra[0]
    return (first.label, first.unit, first.flux.size, first.wave is None, max(view.group, default=0))


def under(spectra: Sequence[FiberSpectrum], lo: float, hi: float, *, by_wave: bool) -> FiberSpectrum:
    """The first spectrum, or the arm of it that has most of a range (in Angstrom or pixels)."""
    first = spectra[0]
    if not first.arm or not by_wave:
        return first
    own = [s for s in spectra if s.label == first.label and s.fiber_id == first.fiber_id]
    return max(own, key=lambda s: _overlap(s, lo, hi))


def readout(spectrum: FiberSpectrum, i: int) -> str:
    """Sample `i` of a spectrum in words."""
    parts = [] if spectrum.wave is None else [f"{spectrum.wave[i]:.2f} {ANGSTROM}"]
    parts.append(f"pixel {number(float(spectrum.pixel[i]), 6)}")
    value = number(float(spectrum.flux[i]))
    if spectrum.error is None:
        parts.append(f"{value} {spectrum.unit}")
    else:
        parts.append(f"{value} ± {quantity(float(spectrum.error[i]), spectrum.unit, 3)}")
    return ", ".join([*parts, "masked"] if spectrum.masked[i] else parts)


def _overlap(spectrum: FiberSpectrum, lo: float, hi: float) -> float:
    """How much of a range of wavelengths a spectrum covers; negative where it lies beside it."""
    if spectrum.wave is None:
        return -np.inf
    return min(hi, float(np.max(spectrum.wave))) - max(lo, float(np.min(spectrum.wave)))

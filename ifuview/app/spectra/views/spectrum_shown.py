"""The spectra of a view as they are drawn, with the switches of the dock applied, and what is read off them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames.views import stack
from ifuview.app.frames.views.text import axis, number, quantity
from ifuview.app.spectra.views import best_fit, flux
from ifuview.app.spectra.views.measure import measure, measurement_text
from ifuview.app.spectra.views.spectrum import SpectrumView
from ifuview.model.checks import Array
from ifuview.model.figure import Color, Curve, Figure, Scale
from ifuview.model.frames.units import unit_words
from ifuview.model.inspection import FiberSpectrum
from ifuview.report.spectra.spectrum import colors_of, robust_range, spectra_figure

ANGSTROM, PIXEL = "Å", "px"
MOST_NAMED = 12  # stacked fibers
LEAST_HEIGHT = 0.25  # of the plot for the spectra beside their sky, which is an arrow otherwise


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


@dataclass(frozen=True, slots=True)
class AlongAxis:
    """How the horizontal axis runs.

    Parameters
    ----------
    by_wave : bool
        Along wavelength, where that is known, instead of pixels.
    stretch : float
        Observed wavelength over what the axis shows.
    medium, redshift : str
        For its label; "" where there is nothing to say.
    """

    by_wave: bool = True
    stretch: float = 1.0
    medium: str = ""
    redshift: str = ""

    def places(self, spectrum: FiberSpectrum) -> Array:
        """Places of the samples of a spectrum."""
        known = self.by_wave and spectrum.wave is not None
        x = flux.abscissa(spectrum, known)
        return x / self.stretch if known and self.stretch != 1.0 else x

    def scale(self, spectra: Sequence[FiberSpectrum] = ()) -> Scale:
        """Its label, and the range of some spectra: of all arms of the first, or of the first alone."""
        word = f"Wavelength in {self.medium}" if self.medium else "Wavelength"
        if self.redshift:
            word += f" at rest, z = {self.redshift}"
        label = axis(word, ANGSTROM) if self.by_wave else axis("Dispersion pixel", PIXEL)
        own = [s for s in spectra if not s.arm or s.label == spectra[0].label][: None if spectra[0].arm else 1]
        every = [self.places(s) for s in own]
        return Scale(label, (float(min(np.min(x) for x in every)), float(max(np.max(x) for x in every))))


def spectrum_figure(
    view: SpectrumView, drawn: tuple[FiberSpectrum, ...], names: list[str], along: AlongAxis, *, errors: bool,
    stacked: bool,
) -> Figure:  # fmt: skip
    """The spectra of a view as `shown` makes them; a best fit lies above all, sky does not press the others flat."""
    fit = [i for i, spectrum in enumerate(drawn) if spectrum.label == best_fit.LABEL]
    made = spectra_figure(
        drawn, [along.places(s) for s in drawn], along.scale(drawn), axis("Flux", view.spectra[0].unit), names=names,
        group=view.group, errors=errors, stacked=stacked,
    )  # fmt: skip
    others = [spectrum for spectrum in drawn if spectrum.label != best_fit.SKY]
    if len(others) < len(drawn) and others:
        made = replace(made, y=replace(made.y, range=_unpressed(robust_range(others), made.y.range)))
    if not fit:
        return made
    last = [made.curves[len(drawn) - 1 - i] for i in fit]
    return replace(made, curves=(*(c for c in made.curves if not any(c is top for top in last)), *last))


def _unpressed(own: tuple[float, float] | None, every: tuple[float, float] | None) -> tuple[float, float] | None:
    """The range of everything, unless what is shown would have little of its height."""
    if own is None or every is None:
        return every
    return own if own[1] - own[0] < LEAST_HEIGHT * (every[1] - every[0]) else every


def preview_figure(spectrum: FiberSpectrum, along: AlongAxis) -> Figure:
    """The spectrum under the pointer before anything is clicked."""
    curve = Curve(along.places(spectrum), np.asarray(spectrum.flux, float), "faint")
    y = Scale(axis("Flux", spectrum.unit), robust_range((spectrum,)))
    return Figure("", along.scale((spectrum,)), y, (curve,))


def color_key(
    names: list[str], group: tuple[int, ...], spectra: Sequence[FiberSpectrum]
) -> tuple[tuple[Color, str], ...]:
    """Color and name of each spectrum for the line above the plot; arms of one stacked fiber are told once.

    So many fibers that the line would be long are named at their curves alone.
    """
    if len(set(group)) > MOST_NAMED or len(names) < 2:
        return ()
    return tuple(dict.fromkeys(zip(colors_of(spectra, group), names)))


def range_text(drawn: Sequence[FiberSpectrum], lo: float, hi: float, *, by_wave: bool) -> str:
    """What a range of the spectra holds, in words."""
    found, unit = measure(under(drawn, lo, hi, by_wave=by_wave), lo, hi, by_wave), ANGSTROM if by_wave else PIXEL
    text = "no sample is known" if found is None else measurement_text(found, drawn[0].unit, unit)
    return f"{number(lo, 6)} to {quantity(hi, unit, 6)}: {text}"


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
        parts.append(f"{value} {unit_words(spectrum.unit)}".rstrip())
    else:
        parts.append(f"{value} ± {quantity(float(spectrum.error[i]), spectrum.unit, 3)}")
    return ", ".join([*parts, "masked"] if spectrum.masked[i] else parts)


def _overlap(spectrum: FiberSpectrum, lo: float, hi: float) -> float:
    """How much of a range of wavelengths a spectrum covers; negative where it lies beside it."""
    if spectrum.wave is None:
        return -np.inf
    return min(hi, float(np.max(spectrum.wave))) - max(lo, float(np.min(spectrum.wave)))

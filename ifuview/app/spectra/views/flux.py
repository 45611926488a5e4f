"""One spectrum on an axis: rebinned, in the unit and the scale of another; pure."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ifuview.app.frames.views.text import number
from ifuview.model.checks import Array
from ifuview.model.frames.units import unit_words
from ifuview.model.inspection import FiberSpectrum

PER_ANGSTROM = re.compile(r"\s*(/\s*(Angstroms?|AA|A)|\s(Angstroms?|AA|A)(\^|\*\*)?-1)$", re.IGNORECASE)
MOSTLY = 0.5  # of the samples


def abscissa(spectrum: FiberSpectrum, by_wave: bool) -> Array:
    """Wavelength if asked for and known, else dispersion pixel."""
    return spectrum.wave if by_wave and spectrum.wave is not None else spectrum.pixel


def rebin(spectrum: FiberSpectrum, n: int) -> FiberSpectrum:
    """Mean of `n` neighboring good samples each (the last short group is left out), errors in quadrature."""
    size = spectrum.flux.size // n * n if n > 1 else 0
    if size == 0:
        return spectrum

    def groups(values: Array) -> Array:
        return np.asarray(values[:size], dtype=np.float64).reshape(-1, n)

    good = ~spectrum.masked[:size].reshape(-1, n) & np.isfinite(groups(spectrum.flux))
    count = good.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        flux = np.where(good, groups(spectrum.flux), 0.0).sum(axis=1) / count
        error = None
        if spectrum.error is not None:
            error = np.sqrt(np.where(good, groups(spectrum.error) ** 2, 0.0).sum(axis=1)) / count
    return replace(
        spectrum,
        pixel=groups(spectrum.pixel).mean(axis=1),
        wave=None if spectrum.wave is None else groups(spectrum.wave).mean(axis=1),
        flux=flux,
        error=error,
        masked=count == 0,
    )


def mostly_outside(spectrum: FiberSpectrum, lo: float, hi: float) -> bool:
    """Whether a spectrum lies mostly above or below a range (a bright fiber after a dead one)."""
    known = spectrum.flux[np.isfinite(spectrum.flux)]
    return bool(known.size) and float(np.mean((known < lo) | (known > hi))) > MOSTLY


def in_unit_of(spectrum: FiberSpectrum, reference: FiberSpectrum) -> tuple[FiberSpectrum, str]:
    """`spectrum` so that it can be drawn over `reference`, and what was done to it in words.

    Per Angstrom and per pixel are turned into each other by the dispersion; spectra
    whose units have nothing to do with each other are brought to one level.
    """
    if spectrum.unit == reference.unit:
        return spectrum, ""
    mine, other = PER_ANGSTROM.sub("", spectrum.unit), PER_ANGSTROM.sub("", reference.unit)
    if mine == other and spectrum.wave is not None and spectrum.flux.size > 1:
        step = np.abs(np.gradient(np.asarray(spectrum.wave, dtype=np.float64), spectrum.pixel))
        factor = step if reference.unit == other else 1.0 / step
        error = None if spectrum.error is None else spectrum.error * factor
        return replace(spectrum, flux=spectrum.flux * factor, error=error), f"in {unit_words(reference.unit)}"
    scaled, ratio = scale_to(spectrum, reference)
    return scaled, f"× {number(ratio, 3)}"


def scale_to(spectrum: FiberSpectrum, reference: FiberSpectrum) -> tuple[FiberSpectrum, float]:
    """`spectrum` brought to the level of `reference` by one factor (ratio of median absolute values)."""

    def level(s: FiberSpectrum) -> float:
        good = np.abs(np.asarray(s.flux)[~s.masked & np.isfinite(s.flux)])
        return float(np.median(good)) if good.size else 0.0

    mine = level(spectrum)
    factor = level(reference) / mine if mine > 0 else 1.0
    error = None if spectrum.error is None else spectrum.error * factor
    return replace(spectrum, flux=spectrum.flux * factor, error=error), factor

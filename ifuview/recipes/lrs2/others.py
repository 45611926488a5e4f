"""What an exposure gives to others: the response of a standard star, a sky."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.engine.spectra.field.separation import Separation
from ifuview.engine.spectra.flux.response import fit_response
from ifuview.engine.spectra.flux.scale import FLUX_UNIT
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.reduction.tables import WaveCurve
from ifuview.recipes.graph import Given, StepResult


def star_response(star: SourceSpectrum, known: WaveCurve, air: WaveCurve, old: WaveCurve) -> tuple[WaveCurve, float]:
    """Return the response that makes the spectrum of a star what is known of it, and its median relative error.

    Parameters
    ----------
    star : SourceSpectrum
        Made with the old response.
    known : WaveCurve, erg/s/cm2/Angstrom
        Flux of the star above the atmosphere.
    air : WaveCurve
        Transmission of the atmosphere's lines, where nothing is used.
    old : WaveCurve

    Raises
    ------
    FitError
        Too few wavelengths are usable.
    """
    there = (star.wave >= known.wave[0]) & (star.wave <= known.wave[-1])
    fit = fit_response(
        star.wave, star.flux * FLUX_UNIT, np.where(there, star.variance, 0.0) * FLUX_UNIT**2,
        np.interp(star.wave, known.wave, known.value), transmission=np.interp(star.wave, air.wave, air.value),
    )  # fmt: skip
    value = np.interp(star.wave, old.wave, old.value) * fit.response
    return replace(old, wave=star.wave, value=value), float(np.median(fit.error / fit.response))


def lent_sky(step: StepResult) -> Given | None:
    """The sky of an exposure as an input for others; None where it has none."""
    return Given(step.value.common, step.key) if isinstance(step.value, Separation) else None

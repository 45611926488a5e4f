"""Light that the sky model takes along: the sky spectrum itself against that of the other exposures of the camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array

BIN = 20  # px, as the blocks
LOW = 20.0  # percentile in a bin: between the lines
BUMP = 0.10  # of the sky
WIDTH = 30.0  # Angstrom, at least
LIMIT = 8.0  # scatters of the ratio
DEGREE = 4  # of the smooth part: moon, twilight, zodiacal light


@dataclass(frozen=True, slots=True)
class Bump:
    """Extra light in the sky of one exposure."""

    wave_range: tuple[float, float]
    amplitude: float
    share: float
    significance: float


def between_lines(sky: Array, wave: Array) -> tuple[Array, Array]:
    """Continuum of a sky spectrum in bins and the wavelengths of the bins."""
    count = sky.size // BIN
    level = np.percentile(sky[: count * BIN].reshape(count, BIN), LOW, axis=1)
    return wave[: count * BIN].reshape(count, BIN).mean(axis=1), level


def bumps(spectra: Mapping[int, Array], wave: Array) -> dict[int, list[Bump]]:
    """Extra light of each exposure against the median of the others; at least two exposures are needed.

    Parameters
    ----------
    spectra : mapping of exposure to ndarray, shape (nbin,)
        Of one camera; see `between_lines`.
    wave : ndarray, shape (nbin,), Angstrom
    """
    out: dict[int, list[Bump]] = {}
    if len(spectra) < 2:
        return out
    u = np.linspace(-1.0, 1.0, wave.size)
    half = float(np.median(np.diff(wave))) / 2
    for expid, own in spectra.items():
        others = np.median([s for e, s in spectra.items() if e != expid], axis=0)
        good = (own > 0) & (others > 0)
        if np.count_nonzero(good) < wave.size // 2:
            continue
        ratio = np.where(good, own / np.where(good, others, 1.0), 1.0)
        use = good.copy()
        smooth = np.ones_like(ratio)
        for _ in range(5):
            smooth = np.polyval(np.polyfit(u[use], ratio[use], DEGREE), u)
            rest = ratio / smooth - 1
            use = good & (np.abs(rest) < 2.5 * max(float(mad(rest[use])), 1e-4))
            if np.count_nonzero(use) <= 3 * DEGREE:
                break
        scatter = max(float(mad(rest[use])), 1e-3)
        for first, last in runs((rest > 0.3 * BUMP) & good, 1):
            peak = float(rest[first:last].max())
            span = (float(wave[first]) - half, float(wave[last - 1]) + half)
            if peak > max(BUMP, LIMIT * scatter) and span[1] - span[0] > WIDTH:
                amplitude = float((rest * own)[first:last].max())
                out.setdefault(expid, []).append(Bump(span, amplitude, peak, peak / scatter))
    return out

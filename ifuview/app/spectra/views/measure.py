"""What a dragged range of a spectrum holds: level, noise, and the line in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.app.frames.views.text import number, quantity
from ifuview.app.spectra.views.flux import abscissa
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.model.checks import Array
from ifuview.model.inspection import FiberSpectrum

EDGE = 6  # the continuum is read off the outer sixths of the range
CLEAR = 3.0  # times the scatter of the continuum that a line must reach


@dataclass(frozen=True, slots=True)
class Measurement:
    """Statistics of a dragged range; line quantities are about the continuum between the ends of the range."""

    n: int
    mean: float
    median: float
    rms: float
    snr: float
    sum: float
    centroid: float
    fwhm: float


def measure(spectrum: FiberSpectrum, lo: float, hi: float, by_wave: bool) -> Measurement | None:
    """Statistics of the good samples from `lo` to `hi` of the shown axis; None when there are none.

    Centroid and FWHM are those of the flux above the straight line between the
    medians of the outer sixths of the range; the FWHM is read off the half-maximum
    crossings of that flux.
    """
    x = np.asarray(abscissa(spectrum, by_wave), dtype=np.float64)
    use = (x >= min(lo, hi)) & (x <= max(lo, hi)) & ~spectrum.masked & np.isfinite(spectrum.flux)
    n = int(use.sum())
    if n == 0:
        return None
    x, flux = x[use], np.asarray(spectrum.flux, dtype=np.float64)[use]
    rms = float(flux.std())
    noise = rms
    if spectrum.error is not None:
        error = np.asarray(spectrum.error, dtype=np.float64)[use]
        finite = np.isfinite(error) & (error > 0)
        noise = float(np.median(error[finite])) if finite.any() else rms
    median = float(np.median(flux))
    centroid, fwhm = _line(x, flux)
    snr = median / noise if noise > 0 else float("nan")
    return Measurement(n, float(flux.mean()), median, rms, snr, float(flux.sum()), centroid, fwhm)


def measurement_text(m: Measurement, unit: str, axis_unit: str) -> str:
    """The measurement in one line."""
    parts = [f"{m.n} samples", f"mean {number(m.mean)}", f"median {number(m.median)}", f"rms {number(m.rms, 3)}"]
    parts += [f"S/N {number(m.snr, 3)}", f"sum {quantity(m.sum, unit)}"]
    if np.isfinite(m.centroid):
        parts += [f"line at {m.centroid:.2f} {axis_unit}", f"FWHM {quantity(m.fwhm, axis_unit, 3)}"]
    return ", ".join(parts)


def _line(x: Array, flux: Array) -> tuple[float, float]:
    """Centroid and full width at half maximum of a line above a straight continuum; NaN without one."""
    nothing = (float("nan"), float("nan"))
    n = x.size
    edge = max(1, n // EDGE)
    if n < 5:
        return nothing
    x0, x1 = x[:edge].mean(), x[-edge:].mean()
    y0, y1 = np.median(flux[:edge]), np.median(flux[-edge:])
    above = flux - (y0 + (y1 - y0) * (x - x0) / (x1 - x0))
    if abs(above.min()) > abs(above.max()):  # an absorption line
        above = -above
    scatter = robust_sigma(np.concatenate([above[:edge], above[-edge:]]), 0.0)
    peak = int(above.argmax())
    if above[peak] <= CLEAR * scatter or above[peak] <= 0:
        return nothing
    half = above[peak] / 2
    left = next((i for i in range(peak, 0, -1) if above[i - 1] < half), 0)
    right = next((i for i in range(peak, n - 1) if above[i + 1] < half), n - 1)
    core = above[left : right + 1].clip(0)
    centroid = float((x[left : right + 1] * core).sum() / core.sum())
    if left == 0 or right == n - 1:
        return centroid, float("nan")
    lower = np.interp(half, [above[left - 1], above[left]], [x[left - 1], x[left]])
    upper = np.interp(half, [above[right + 1], above[right]], [x[right + 1], x[right]])
    return centroid, float(upper - lower)

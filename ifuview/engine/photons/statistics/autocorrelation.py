"""How long speckles live: the autocorrelation of a light curve and its decay."""

from __future__ import annotations

import numpy as np

from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.photons.speckle import Decay

FEWEST_BINS = 32
FAR = 5.0  # lives; noise beyond is not fitted
FALLEN = 0.3  # of the first lag; where the correlation falls below, a first guess of the life is read off


def autocorrelation(counts: Array, nlag: int) -> tuple[Array, Array]:
    """Return the autocovariance of counts over their squared mean at lags 0 to nlag - 1, with errors.

    Photon noise is independent from bin to bin: it adds to lag 0 only, where the mean is subtracted. Errors are those
    of white noise of the variance of the counts, widened by the correlation itself (Bartlett 1946).
    """
    counts = np.asarray(counts, dtype=np.float64)
    size, mean = len(counts), counts.mean()
    power = np.abs(np.fft.rfft(counts - mean, 2 * size)) ** 2
    raw = np.fft.irfft(power)[:nlag] / (size - np.arange(nlag))
    variance = raw[0]
    rho = raw / variance if variance > 0 else np.zeros(nlag)
    wide = 1 + 2 * np.concatenate(([0.0], np.cumsum(np.clip(rho[1:], 0, None) ** 2)))
    value = raw / mean**2
    value[0] = (variance - mean) / mean**2
    return value, variance / mean**2 * np.sqrt(wide / size)


def decay(counts: Array, width: float, nlag: int | None = None) -> Decay:
    """Return how long the intensity of a light curve stays the same.

    Parameters
    ----------
    counts : ndarray, shape (nbin,)
    width : float, s
        Of the bins.
    nlag : int, optional
        Lags that are looked at; by default a quarter of the light curve, at most 1000.

    Raises
    ------
    FitError
        Too few bins, no light, or no correlation above the noise.
    """
    from scipy.optimize import curve_fit

    if len(counts) < FEWEST_BINS or not np.any(counts):
        raise FitError(f"{len(counts)} bins of light are too few for an autocorrelation", todo="choose shorter bins")
    nlag = min(len(counts) // 4, 1000) if nlag is None else min(nlag, len(counts) // 2)
    value, error = autocorrelation(counts, nlag)
    if not value[1] > 3 * error[1]:
        raise FitError("the light does not vary more than photon noise allows", todo="choose other bins or pixels")
    below = np.flatnonzero(value[1:] < FALLEN * value[1])
    guess = (int(below[0]) + 1 if len(below) else nlag) * width / 1.2
    lag = np.arange(nlag) * width
    near = slice(1, max(4, min(nlag, int(FAR * guess / width))))
    fitted, covariance = curve_fit(_exponential, lag[near], value[near], (value[1], guess), sigma=error[near],
                                   absolute_sigma=True, bounds=((0, width / 10), (np.inf, np.inf)))  # fmt: skip
    sigma = np.sqrt(np.diag(covariance))
    value[0] = np.nan
    return Decay(
        lag=lag, value=value, error=error, life=fitted[1], life_error=sigma[1], contrast=fitted[0],
        contrast_error=sigma[0],
    )  # fmt: skip


def _exponential(lag: Array, height: float, life: float) -> Array:
    """Correlation of an exponential decay."""
    return np.asarray(height * np.exp(-lag / life))

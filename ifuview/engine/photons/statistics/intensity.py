"""How often a time bin holds n photons, beside the laws for steady light and for a speckle pattern."""

from __future__ import annotations

import numpy as np

from ifuview.engine.photons.statistics import rician
from ifuview.model.checks import Array
from ifuview.model.photons.light import BinnedLight, CountLaw, IntensityHistogram

MOST_PHOTONS = 100_000  # in one bin; more is no histogram


def intensity_histogram(curve: BinnedLight, *, ip: float = 0.0) -> IntensityHistogram:
    """Return the histogram of a light curve with three laws: Poisson, modified Rician by moments, by likelihood.

    Parameters
    ----------
    curve : BinnedLight
        Of equal time bins. Sums of parts of pixels are rounded to whole photons. Bins that were masked in part are
        left out.
    ip : float, photons/s, optional
        Incoherent light, held fixed in the modified Rician laws.
    """
    width = float(np.median(np.diff(curve.edges)))
    whole = curve.exposure > 0.999 * width
    counts = np.clip(np.rint(curve.counts[whole]), 0, MOST_PHOTONS).astype(np.int64)
    histogram = np.bincount(counts, minlength=2)
    return histogram_with_curves(histogram, width, ip)


def histogram_with_curves(histogram: Array, width: float, ip: float = 0.0) -> IntensityHistogram:
    """Return a histogram of counts per bin of `width` seconds with its laws; `ip` in photons/s."""
    size, top = int(histogram.sum()), len(histogram) - 1
    n = np.arange(top + 1)
    mean = float(histogram @ n) / max(size, 1)
    variance = float(histogram @ (n - mean) ** 2) / max(size - 1, 1)
    curves = [CountLaw("Poisson", size * rician.pmf(top, mean, 0.0))]
    if mean > 0 and size > 1:
        found = (rician.moments(histogram, ip * width), rician.fit(histogram, ip=ip * width))
        for name, law in zip(("modified Rician, moments", "modified Rician, likelihood"), found):
            rate = law.per_second(width)
            curves.append(
                CountLaw(
                    name=name,
                    expected=size * rician.pmf(top, *law[:3]),
                    ic=rate.ic,
                    is_=rate.is_,
                    ip=rate.ip,
                    ic_error=rate.ic_error,
                    is_error=rate.is_error,
                    ip_error=rate.ip_error,
                )
            )
    return IntensityHistogram(histogram, width, tuple(curves), mean, variance)

"""Samples that stand out alone: what no spectrograph can show, as its line spread would light the neighbors, too.

A particle that left too little in the picture of the detector to be told there is one sample of a spectrum above its
surroundings. A line with a Gaussian sigma of one pixel leaves 0.6 of its peak in each neighbor; a spike has less than
`SHARED` in both together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.model.reduction.spectra import FiberSpectra

SURE = 5.0  # sigma above the surroundings
SHARED = 0.6  # of the spike, in both neighbors together
BESIDE = (2, 3, 4)  # px, of the surroundings on either side


def find_spikes(spectra: FiberSpectra) -> NDArray[np.bool_]:
    """Return the samples that are spikes, bool of shape (nfiber, ncol).

    Parameters
    ----------
    spectra : FiberSpectra
        In the fibers' own pixels.
    """
    usable = spectra.usable() & (spectra.variance > 0)
    flux = np.where(usable, spectra.flux, np.nan).astype(np.float32)
    reach = max(BESIDE)
    wide = np.pad(flux, ((0, 0), (reach, reach)), constant_values=np.nan)
    ncol = flux.shape[1]

    def beside(by: int) -> NDArray[np.float32]:
        return wide[:, reach + by : reach + by + ncol]

    around = np.sort(np.stack([beside(sign * by) for by in BESIDE for sign in (-1, 1)]), axis=0)  # NaN last
    count = np.isfinite(around).sum(axis=0)
    low, high = (
        np.take_along_axis(around, np.minimum(at, len(around) - 1)[None], axis=0)[0]
        for at in (np.maximum(count - 1, 0) // 2, count // 2)
    )
    middle = (low + high) / 2
    with np.errstate(invalid="ignore"):
        peak = flux - middle
        sure = usable & (count > len(BESIDE)) & (peak > SURE * np.sqrt(np.where(usable, spectra.variance, 1.0)))
        shared = np.nan_to_num(beside(-1) - middle) + np.nan_to_num(beside(1) - middle)
        return np.asarray(sure & (shared < SHARED * peak))

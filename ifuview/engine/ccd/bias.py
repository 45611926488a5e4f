"""What is left of the bias after the overscan: profiles along columns and rows, with many frames each pixel.

Few frames are noisier than the structure in them: a single bias subtracted pixel by pixel would double the variance
of the read-out. So the structure is taken as a sum of a column and a row profile, each drawn to zero as far as its
own noise explains it, and pixels of their own are only believed from so many frames that they add little noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.ccd.masters import combine, frame_noise
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit

PIXELS_FROM = 25  # frames from which each pixel has its own bias
CLIP = 5.0  # sigma, of pixels that a profile is the mean of
STRUCTURE = 5.0  # electrons, that rows and columns may differ
ODD_SIGMA, ODD_LEVEL = 8.0, 20.0  # sigma, and electrons, above which a pixel of a bias is bad


def master_bias(frames: Sequence[CcdFrame], noise: float | None = None) -> CcdFrame:
    """Return the structure of the bias.

    Parameters
    ----------
    frames : sequence of CcdFrame
        After the overscan, of one amplifier.
    noise : float, electrons, optional
        Of a pixel of one frame, as `frame_noise` says, which is asked if it is not given.

    Returns
    -------
    CcdFrame
        `variance` is that of the structure, `mask` has BAD where a pixel lies far above it.

    Raises
    ------
    FitError
        There is no frame.
    """
    mean = combine(frames)
    if noise is None:
        noise = frame_noise(frames)[0] if len(frames) > 1 else float(np.sqrt(np.median(mean.variance)))
    noise /= np.sqrt(len(frames))
    flat = np.array(mean.data)
    columns, column_var = _profile(flat, 0, noise)
    flat -= columns
    rows, row_var = _profile(flat, 1, noise)
    flat -= rows
    odd = np.abs(flat) > max(ODD_SIGMA * noise, ODD_LEVEL)
    data = np.broadcast_to(columns + rows, flat.shape).astype(np.float32)
    variance = np.broadcast_to(np.float32(column_var + row_var), flat.shape)
    if len(frames) >= PIXELS_FROM:
        data, variance = data + np.where(odd, 0, flat), np.broadcast_to(np.float32(noise**2), flat.shape)
    mask = np.array(mean.mask)
    mask[odd] |= np.uint32(ReductionBit.BAD)
    return CcdFrame(data, variance, mask)


def _profile(data: Array, axis: int, noise: float) -> tuple[NDArray[np.float32], float]:
    """Mean along an axis without outliers, drawn to its own mean as far as noise explains it; and its variance."""
    near = np.abs(data - np.median(data[::8, ::8])) < CLIP * noise + STRUCTURE
    count = np.maximum(near.sum(axis=axis, keepdims=True), 1)
    mean = np.where(near, data, 0).sum(axis=axis, keepdims=True) / count
    expected = noise**2 / float(count.mean())
    middle = float(mean.mean())
    spread = float(mean.var())
    share = max(1 - expected / spread, 0.0) if spread > 0 else 0.0
    return (middle + share * (mean - middle)).astype(np.float32), share * expected

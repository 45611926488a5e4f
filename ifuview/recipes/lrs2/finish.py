"""What products hold beyond the values of the steps: positions of the fibers, pictures of the detector."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.positions import position_table
from ifuview.engine.spectra.flux.detector import fiber_image, wave_image
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.products import DetectorImages
from ifuview.model.reduction.tables import FiberLayout
from ifuview.recipes.camera.values import ExtractedExposure, FiberFlat

ROWS = 128  # of a picture worked on at once
TURN = 1.07  # deg, of the fiber head against the parallactic angle


def sky_positions(
    layout: FiberLayout, slot: tuple[float, float] | None, pointing: tuple[float, float, float]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return places in the head, on the focal plane (arcsec) and on the sky (deg), and what is lacking.

    Parameters
    ----------
    layout : FiberLayout
    slot : (float, float) or None, arcsec
        Of the head on the focal plane.
    pointing : (float, float, float)
        Right ascension (hours), declination and parallactic angle (deg); NaN unknown.

    Returns
    -------
    ndarray, shape (nfiber, 6)
        As `position_table`.
    tuple of str
    """
    ra, dec, angle = pointing
    known = all(math.isfinite(one) for one in pointing)
    try:
        center = (ra, dec) if known else None
        found = position_table(layout.x, layout.y, slot, center, 360.0 - (90.0 + angle + TURN))
    except UsageError as problem:
        found = position_table(layout.x, layout.y, slot, None, 0.0)
        return found, (f"{problem} Fibers have no place on the sky.",)
    if slot is None:
        return found, ("The slot is not in the table of the focal plane: fibers have no place on the sky.",)
    if not known:
        return found, ("The header has no TRAJRA, TRAJDEC and PARANGLE: fibers have no place on the sky.",)
    return found, ()


def detector_images(spectra: ExtractedExposure, wave: Array, response: FiberFlat) -> DetectorImages:
    """Pictures of the detector that belong to the spectra."""
    frame, center = spectra.extraction.frame, spectra.traces.center
    fiber = fiber_image(center, frame.shape[0])
    return DetectorImages(
        frame, partial(_flattened, frame.data, spectra.scattered, fiber, response.fibers.flat),
        partial(wave_image, center, wave, frame.shape[0]), fiber,
    )  # fmt: skip


def _flattened(data: Array, scattered: Array, fiber: Array, flat: Array) -> NDArray[np.float32]:
    """Light without what is scattered, over the response of the fibers."""
    clean = data - scattered
    column = np.arange(data.shape[1])
    for row in range(0, data.shape[0], ROWS):
        own = fiber[row : row + ROWS]
        level = flat[np.maximum(own - 1, 0), column]
        clean[row : row + ROWS] /= np.where((own > 0) & (level > 0), level, np.float32(1))
    return np.asarray(clean, np.float32)

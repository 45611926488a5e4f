"""Places of the fibers in their head, on the focal plane and on the sky."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.positions import focal_place, sky_place
from ifuview.errors import UsageError
from ifuview.model.reduction.tables import FiberLayout

TURN = 1.07  # deg, of the fiber head against the parallactic angle


def fiber_places(
    layout: FiberLayout, slot: tuple[float, float] | None, pointing: tuple[float, ...]
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
        x, y in the head, x, y on the focal plane, right ascension, declination; NaN where not known.
    tuple of str
    """
    out = np.full((layout.x.size, 6), np.nan)
    out[:, 0], out[:, 1] = layout.x, layout.y
    if slot is None:
        return out, ("The slot is not in the table of the focal plane: fibers have no place on the sky.",)
    out[:, 2], out[:, 3] = focal_place(layout.x, layout.y, *slot)
    if not all(math.isfinite(one) for one in pointing):
        return out, ("The header has no TRAJRA, TRAJDEC and PARANGLE: fibers have no place on the sky.",)
    ra, dec, angle = pointing
    try:
        out[:, 4], out[:, 5] = sky_place(out[:, 2], out[:, 3], ra, dec, 360.0 - (90.0 + angle + TURN))
    except UsageError as problem:
        return out, (f"{problem} Fibers have no place on the sky.",)
    return out, ()

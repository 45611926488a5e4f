"""Was light of a fiber lost, or is its flat wrong? The frame over the flat looks the same in both.

Fibers differ little in the level of their flat. A wrong flat stands out among those of the other fibers by just what
the light seems to be off, a fiber that lost light has a flat like the others'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad, middle
from ifuview.model.checks import Array

FEW = 0.02  # scatter of the flats that is believed at least
OUTLYING = 2.0  # scatters of a fiber that it counts in the mean of some at most
CERTAIN = 4.0  # of chi2 between the two
NEAR = 3.0  # scatters of the flats: what stands out more is wrong whatever the light says
WOULD_TELL = "another exposure with the same flat, or another flat, would tell which"


@dataclass(frozen=True, slots=True)
class Guilt:
    """Who is to blame for a level that the flat does not expect.

    Parameters
    ----------
    step : str
        "fiberflat", or "light".
    sure : bool
        False where both are as likely.
    deviation : float
        Natural logarithm of the level of the flat over the others'.
    """

    step: str
    sure: bool
    deviation: float


def guilt(flat_level: Array | None, fibers: tuple[int, ...], ratio: float) -> Guilt:
    """Compare the flats of some fibers with those of the others.

    Parameters
    ----------
    flat_level : ndarray, shape (nfiber,), or None
        Median of each fiber's flat; NaN where unknown.
    fibers : tuple of int
    ratio : float
        Light over what the flat says.
    """
    if flat_level is None or not ratio > 0:
        return Guilt("light", flat_level is not None, 0.0)
    logs = np.log(np.where(flat_level > 0, flat_level, np.nan))
    inside = np.zeros(logs.size, bool)
    inside[list(fibers)] = True
    others = logs[~inside & np.isfinite(logs)]
    own = logs[inside & np.isfinite(logs)]
    if not own.size or others.size < 3:
        return Guilt("light", False, 0.0)
    natural = max(float(mad(others)), FEW)
    reach = OUTLYING * natural  # a mean tells a quarter more than a median, if no fiber makes it
    away = float(np.mean(np.clip(own - middle(own), -reach, reach)) + middle(own) - middle(others))
    scatter = natural / np.sqrt(own.size)
    by_flat, by_light = ((away - a) / scatter for a in (-np.log(ratio), 0.0))
    gain = float(by_light**2 - by_flat**2)
    return Guilt("fiberflat" if gain > 0 else "light", abs(gain) > CERTAIN, away)

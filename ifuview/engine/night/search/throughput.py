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
CERTAIN = 9.0  # of chi2 between the two
NEAR = 3.0  # scatters of the flats: what stands out more is wrong whatever the light says
TOGETHER, BY_LIGHT = 5.5, 4.0  # sigma of flat and light that agree; chi2 by which the light does
OF_TARGETS = 0.05  # of the lines that those of a target may change: it has lines of its own on them
WOULD_TELL = "another camera of the petal, another exposure with the same flat, or another flat, would tell which"

UNSURE = f"; not sure: {WOULD_TELL}"


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

    def first(self, of_light: str) -> str:
        """The first step that is wrong, where light is lost in `of_light`."""
        return self.step if self.step == "fiberflat" else of_light

    def alternatives(self, kind: str, of_light: str) -> tuple[tuple[str, str], ...]:
        """The other one of the two, of a class, where it is not sure."""
        other = of_light if self.step == "fiberflat" else "fiberflat"
        return () if self.sure else ((kind, other),)

    @property
    def doubt(self) -> str:
        """Words about it."""
        return "" if self.sure else UNSURE


def light_kept(value: Array, error: Array, use: Array) -> Array:
    """By how much the lines of each fiber are stronger than the others', and the error, shape (2, nfiber).

    For the other cameras of its petal, in which its light or its flat is wrong. Infinite where nothing is known.
    """
    away = np.where(use, value - middle(value[use]), 0.0)
    return np.asarray(np.round(np.stack([away, np.where(use, error, np.inf)]), 4))


def wrong_flats(value: Array, error: Array, flat_level: Array | None) -> list[tuple[int, float, float, float]]:
    """Fibers whose flat stands out by what their light is off, where neither is enough by itself.

    Parameters
    ----------
    value, error : ndarray, shape (nfiber,)
        Part of the light that a fiber gains; the error is infinite where nothing is known.
    flat_level : ndarray, shape (nfiber,), or None
        Median of each fiber's flat.

    Returns
    -------
    list of (fiber, value, error, score)
        By both together; the score in sigma.
    """
    if flat_level is None:
        return []
    logs = np.log(np.where(flat_level > 0, flat_level, np.nan))
    away = np.nan_to_num(logs - middle(logs))
    expected = np.expm1(-away)
    scatter = max(float(mad(logs)), FEW) * (1 + expected)
    of_flat, of_light = scatter**-2.0, np.hypot(error, OF_TARGETS) ** -2.0
    both = (of_flat * expected + of_light * value) / (of_flat + of_light)
    score = np.abs(both) * np.sqrt(of_flat + of_light)
    told = (value**2 - (value - expected) ** 2) * of_light > BY_LIGHT
    return [
        (int(f), float(both[f]), float(abs(both[f]) / score[f]), float(score[f]))
        for f in np.flatnonzero(told & (score > TOGETHER))
    ]


def guilt(flat_level: Array | None, fibers: tuple[int, ...], ratio: float, error: float = 0.0) -> Guilt:
    """Compare the flats of some fibers with those of the others.

    Parameters
    ----------
    flat_level : ndarray, shape (nfiber,), or None
        Median of each fiber's flat; NaN where unknown.
    fibers : tuple of int
    ratio, error : float
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
    unsure = float(np.hypot(scatter, error / ratio))  # of a flat that is wrong by what the light is off
    gain = float((away / scatter) ** 2 - ((away + np.log(ratio)) / unsure) ** 2 - 2 * np.log(unsure / scatter))
    return Guilt("fiberflat" if gain > 0 else "light", abs(gain) > CERTAIN, away)

"""Pixels and times of a photon list whose photons do not count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.model.checks import Array, readonly, same_shape
from ifuview.model.photons.lists import TICK


@dataclass(frozen=True, slots=True, eq=False)
class BadPixels:
    """Pixels whose number of photons cannot be light.

    Parameters
    ----------
    hot, cold, dead : ndarray, bool, shape (ny, nx)
        A pixel is one of them at most.
    significance : ndarray, float64, shape (ny, nx)
        Signed; sigma of the deviation from what the method expects.
    method : str
    """

    hot: Array
    cold: Array
    dead: Array
    significance: Array
    method: str

    @property
    def bad(self) -> Array:
        """Hot, cold or dead."""
        return self.hot | self.cold | self.dead


@dataclass(frozen=True, slots=True, eq=False)
class TimeMask:
    """Times whose photons do not count.

    Parameters
    ----------
    start, stop : ndarray, int64, shape (n,)
        Microseconds since the start of the list; [start, stop), ascending, apart from each other.
    reasons : tuple of str
        One for each.
    """

    start: Array
    stop: Array
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", readonly(self.start, "starts of masked times", ndim=1, dtype=np.int64))
        object.__setattr__(self, "stop", readonly(self.stop, "ends of masked times", ndim=1, dtype=np.int64))
        same_shape("ends of masked times", self.stop, self.start.shape)

    @property
    def total(self) -> float:
        """Masked time, s."""
        return float((self.stop - self.start).sum()) * TICK

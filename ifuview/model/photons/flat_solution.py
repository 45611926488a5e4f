"""Flat weights of photon lists, by resonator and wavelength."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ifuview.errors import FileFormatError, UsageError
from ifuview.model.checks import Array, digest, readonly, same_shape

FLAT_FLAGS = ("flatcal.bad", "flatcal.not_all_weights_valid")
FLAT_BIT = MappingProxyType({name: 1 << i for i, name in enumerate(FLAT_FLAGS)})


@dataclass(frozen=True, slots=True, eq=False)
class FlatSolution:
    """Weights that make the array respond evenly, by resonator and wavelength.

    Parameters
    ----------
    name : str
    ids : ndarray, int64 (n,)
        Resonator ids, ascending.
    waves : ndarray, float64 (m,)
        nm; middles of the bins, ascending.
    weights, errors : ndarray, float64 (n, m)
        NaN where there is no weight.
    flags : ndarray, uint32 (n,)
        Bits of FLAT_FLAGS.
    edges : ndarray, float64 (m + 1,), optional
        nm
    polynomial : ndarray, float64 (n, k), optional
        Coefficients of a polynomial in nm, highest power first.
    method : str
        "interpolation" (linear between the middles of the bins, constant beyond) or "polynomial".
    counts : ndarray, float64 (n, m), optional
        Photons behind each weight.
    grid, sources, form
        As in `WavelengthSolution`.
    source : str
        "white" or "laser".
    """

    name: str
    ids: Array
    waves: Array
    weights: Array
    errors: Array
    flags: Array
    edges: Array | None = None
    polynomial: Array | None = None
    method: str = "interpolation"
    counts: Array | None = None
    grid: Array | None = None
    sources: tuple[str, ...] = ()
    source: str = "white"
    form: str = ""

    def __post_init__(self) -> None:
        for name, ndim, kind in (("ids", 1, np.int64), ("waves", 1, np.float64), ("weights", 2, np.float64),
                                 ("errors", 2, np.float64), ("flags", 1, np.uint32)):  # fmt: skip
            object.__setattr__(self, name, readonly(getattr(self, name), name, ndim=ndim, dtype=kind))
        shape = (len(self.ids), len(self.waves))
        same_shape("weights", self.weights, shape)
        same_shape("errors", self.errors, shape)
        same_shape("flags", self.flags, shape[:1])
        if self.method not in FLAT_METHODS:
            raise UsageError(f"there is no flat method {self.method!r}", todo=f"choose {' or '.join(FLAT_METHODS)}")
        if self.method == "polynomial" and self.polynomial is None:
            raise UsageError("the flat has no polynomials", self.name, "choose interpolation")
        if len(self.ids) and (np.diff(self.ids) <= 0).any():
            raise FileFormatError("the resonators of a flat are not each there once, in order")
        if not len(self.waves) or (np.diff(self.waves) <= 0).any():
            raise FileFormatError("the wavelengths of a flat do not rise")

    @property
    def usable(self) -> Array:
        """Boolean (n,): resonators with a weight in at least one bin."""
        bad: Array = (self.flags & np.uint32(FLAT_BIT["flatcal.bad"])) != 0
        return ~bad & np.isfinite(self.weights).any(axis=1)

    def using(self, method: str) -> FlatSolution:
        """The same weights used by the other method."""
        return replace(self, method=method)

    def digest(self) -> str:
        """Says what it does to photons."""
        own = self.weights if self.method == "interpolation" else self.polynomial
        return digest(self.ids, self.waves, own, self.usable) + self.method[0]


FLAT_METHODS = ("interpolation", "polynomial")


def flat_flags(valid: Array) -> Array:
    """Flag bits of resonators from which of their weights (n, m) are valid."""
    none, some = ~valid.any(axis=1), ~valid.all(axis=1)
    bits = np.where(some, FLAT_BIT["flatcal.not_all_weights_valid"], 0)
    return np.where(none, FLAT_BIT["flatcal.bad"] | FLAT_BIT["flatcal.not_all_weights_valid"], bits).astype(np.uint32)

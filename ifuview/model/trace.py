"""Traces: the path of every fiber on the detector, in canonical axes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ifuview.model.checks import Array, brief, readonly, same_shape


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where traces came from: the files, the step, what it noted and changed."""

    inputs: tuple[str, ...] = ()
    step: str = ""
    notes: tuple[str, ...] = ()
    changed: str = ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class TraceSet:
    """Row center of each fiber at each column, in canonical axes (cross-dispersion, dispersion).

    Parameters
    ----------
    fiber : ndarray of int32, shape (nfiber,)
        0-based fiber index within the camera, in the order of the file.
    center : ndarray of float64, shape (nfiber, ncol), px
        Cross-dispersion position at columns 0..ncol-1 of the dispersion axis; the center of a pixel is an integer.
    sigma : ndarray, shape (nfiber, ncol), px, optional
        Gaussian width of the fiber profile. None: not known.
    wave : ndarray, shape (nfiber, ncol), Angstrom, optional
        Wavelength at `center`. None: not known.
    valid : ndarray of bool, shape (nfiber, ncol), optional
        Where the trace is measured or fitted rather than extrapolated. Default: all where finite.
    error : ndarray, shape (nfiber, ncol), px, optional
        1-sigma error of `center`. None: not known.
    coeff : ndarray, shape (nfiber, ncoef), optional
        Coefficients in `basis` on `domain`, as the file has them.
    domain : (float, float), optional
        Range that maps to [-1, 1]; columns, or wavelengths when `argument` is "wave".
    basis : str
        "legendre", "chebyshev", "poly" or "sampled".
    argument : str
        What the basis is a function of: "column" or "wave".
    rms : ndarray, shape (nfiber,), px, optional
    status : ndarray of uint32, shape (nfiber,), TraceBit
    fiber_id : tuple of str
        The instrument's own numbers, as text. Default: `fiber` as text.
    """

    fiber: Array
    center: Array
    sigma: Array | None = None
    wave: Array | None = None
    valid: Array | None = None
    error: Array | None = None
    coeff: Array | None = None
    domain: tuple[float, float] | None = None
    basis: str = "sampled"
    argument: str = "column"
    rms: Array | None = None
    status: Array | None = None
    fiber_id: tuple[str, ...] = ()
    name: str = "traces"
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "center", readonly(self.center, "trace center", ndim=2, dtype=np.float64))
        put(self, "fiber", readonly(self.fiber, "fiber", ndim=1, dtype=np.int32))
        same_shape("fiber", self.fiber, (self.nfiber,))
        for name in ("sigma", "wave", "valid", "error"):
            same_shape(f"trace {name}", getattr(self, name), self.center.shape)
        if self.valid is None:
            put(self, "valid", np.isfinite(self.center))
        for name in ("sigma", "wave", "valid", "error", "coeff", "rms"):
            if getattr(self, name) is not None:
                put(self, name, readonly(getattr(self, name), name))
        status = np.zeros(self.nfiber, np.uint32) if self.status is None else self.status
        put(self, "status", readonly(status, "status", ndim=1, dtype=np.uint32))
        if not self.fiber_id:
            put(self, "fiber_id", tuple(str(int(f)) for f in self.fiber))

    def __repr__(self) -> str:
        known = [name for name in ("sigma", "wave", "error") if getattr(self, name) is not None]
        return brief(self, self.name, f"{self.nfiber} fibers", f"{self.ncol} columns", self.basis, *known)

    @property
    def nfiber(self) -> int:
        """Number of fibers."""
        return int(self.center.shape[0])

    @property
    def ncol(self) -> int:
        """Number of columns along dispersion."""
        return int(self.center.shape[1])

    def nearest(self, cross: float, disp: float) -> tuple[int, float]:
        """Row index of the fiber nearest to a canonical position and its distance in px ((-1, inf) if none)."""
        column = min(max(round(disp), 0), self.ncol - 1)
        distance = np.abs(self.center[:, column] - cross)
        if not np.isfinite(distance).any():
            return -1, float("inf")
        row = int(np.nanargmin(distance))
        return row, float(distance[row])

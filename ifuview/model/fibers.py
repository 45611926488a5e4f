"""The fibers of one camera: roles, positions, status, the whole table of the file; rows matched by identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from ifuview.model.checks import Array, brief, readonly
from ifuview.model.quality import MaskBits

# colors of blocks of fibers over an image, every other one the next; any two differ by 0.1 (OKLab) for a deuteranope
# and a protanope, too
BLOCKS = ("#6cd3fa", "#d9962b", "#7fe0b0", "#c583b8")


class FiberRole(StrEnum):
    """What a fiber does in this exposure."""

    SCIENCE = "science"
    SKY = "sky"
    STANDARD = "standard"
    DEAD = "dead"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True, eq=False)
class FiberMap:
    """One row per fiber, in the order of the traces and of the spectra.

    Parameters
    ----------
    fiber : ndarray of int32, shape (nfiber,)
        0-based index within the camera.
    fiber_id : tuple of str
        The instrument's own fiber numbers as text.
    role : tuple of FiberRole
    block : ndarray of int32, shape (nfiber,)
        Slit block (bundle, slitlet) of each fiber.
    focal_x, focal_y : ndarray, shape (nfiber,), `focal_unit`, NaN where unknown; or None
    focal_unit : str
        "mm" on the focal plane, "arcsec" on the sky.
    ra, dec : ndarray, shape (nfiber,), deg; or None
    status : ndarray of uint32, shape (nfiber,)
        Bits of the instrument's own fiber mask.
    status_bits : MaskBits
        Names of the bits of `status`.
    target : tuple of str
        Target name or object type per fiber ("" where unknown).
    table : mapping of str to ndarray
        Every column of the file's fiber table, for display.
    """

    fiber: Array
    fiber_id: tuple[str, ...] = ()
    role: tuple[FiberRole, ...] = ()
    block: Array | None = None
    focal_x: Array | None = None
    focal_y: Array | None = None
    focal_unit: str = "mm"
    ra: Array | None = None
    dec: Array | None = None
    status: Array | None = None
    status_bits: MaskBits = field(default_factory=MaskBits)
    target: tuple[str, ...] = ()
    table: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "fiber", readonly(self.fiber, "fiber", ndim=1, dtype=np.int32))
        n = self.nfiber
        if not self.fiber_id:
            put(self, "fiber_id", tuple(str(int(f)) for f in self.fiber))
        if not self.role:
            put(self, "role", (FiberRole.SCIENCE,) * n)
        if not self.target:
            put(self, "target", ("",) * n)
        put(self, "block", readonly(np.zeros(n) if self.block is None else self.block, "block", ndim=1, dtype=np.int32))
        status = np.zeros(n, np.uint32) if self.status is None else self.status
        put(self, "status", readonly(status, "status", ndim=1, dtype=np.uint32))
        for name in ("focal_x", "focal_y", "ra", "dec"):
            if getattr(self, name) is not None:
                put(self, name, readonly(getattr(self, name), name, ndim=1, dtype=np.float64))

    def __repr__(self) -> str:
        place = next((name for name in ("ra", "focal_x") if getattr(self, name) is not None), "")
        return brief(self, f"{self.nfiber} fibers", place, f"{len(self.table)} columns" if self.table else "")

    @property
    def nfiber(self) -> int:
        """Number of fibers."""
        return int(self.fiber.shape[0])


def match(left: Array, right: Array) -> Array:
    """Row of `right` with the same value as each of `left`, -1 where there is none.

    Parameters
    ----------
    left, right : ndarray of int, shapes (n,) and (m,)
        Identifiers; of equal ones in `right` the first counts.

    Returns
    -------
    ndarray of intp, shape (n,)
    """
    left, right = np.asarray(left), np.asarray(right)
    if right.size == 0 or left.size == 0:
        return np.full(left.size, -1, dtype=np.intp)
    order = np.argsort(right, kind="stable")
    place = np.searchsorted(right, left, sorter=order)
    found = order[np.minimum(place, right.size - 1)]
    return np.where((place < right.size) & (right[found] == left), found, -1)


def take(values: Array, index: Array) -> Array:
    """`values[index]`, with what says "unknown" where the index is negative; see `unknown`."""
    values = np.asarray(values)
    if values.shape[0] == 0:
        return np.full(index.size, np.nan)
    return unknown(values[np.maximum(index, 0)], index < 0)


def unknown(values: Array, lost: Array) -> Array:
    """`values` with what says "unknown" where `lost`: NaN, "" or 0.

    Integers become float where some are unknown, unless they are too large for it.
    """
    out = values
    if not lost.any():
        return out
    if out.dtype.kind in "iub":
        if out.size and np.abs(out.astype(np.float64)).max() >= 2**53:
            out = out.copy()
            out[lost] = 0
            return out
        out = out.astype(np.float64)
    else:
        out = out.copy()
    out[lost] = np.nan if out.dtype.kind == "f" else "" if out.dtype.kind in "US" else 0
    return out

"""How the pixels of a file lie against the engine's axes, and the way there and back.

Canonical axes: axis 0 is cross-dispersion, axis 1 is dispersion with wavelength rising.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.model.checks import Array


@dataclass(frozen=True, slots=True)
class Orientation:
    """Transpose first, then flip: canonical = flip(transpose(native)).

    Parameters
    ----------
    transpose : bool
        The file has fibers side by side along its x axis (columns).
    flip_cross, flip_disp : bool
        The cross-dispersion (dispersion) axis runs backwards after the transpose.
    """

    transpose: bool = False
    flip_cross: bool = False
    flip_disp: bool = False

    def to_canonical(self, image: Array) -> Array:
        """Return a view of a native image (ny, nx) in canonical axes."""
        out = image.T if self.transpose else image
        return out[:: -1 if self.flip_cross else 1, :: -1 if self.flip_disp else 1]

    def shape(self, native: tuple[int, int]) -> tuple[int, int]:
        """Canonical (ncross, ndisp) of a native (ny, nx)."""
        return (native[1], native[0]) if self.transpose else (native[0], native[1])

    def to_native(self, cross: Array | float, disp: Array | float, native: tuple[int, int]) -> tuple[Array, Array]:
        """Return native (x, y) of canonical positions (cross, disp); pixel centers are integers."""
        ncross, ndisp = self.shape(native)
        c = ncross - 1 - np.asarray(cross) if self.flip_cross else np.asarray(cross)
        d = ndisp - 1 - np.asarray(disp) if self.flip_disp else np.asarray(disp)
        return (c, d) if self.transpose else (d, c)

    def from_native(self, x: Array | float, y: Array | float, native: tuple[int, int]) -> tuple[Array, Array]:
        """Return canonical (cross, disp) of native positions (x, y)."""
        ncross, ndisp = self.shape(native)
        c, d = (np.asarray(x), np.asarray(y)) if self.transpose else (np.asarray(y), np.asarray(x))
        return (ncross - 1 - c if self.flip_cross else c), (ndisp - 1 - d if self.flip_disp else d)

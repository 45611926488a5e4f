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

    def words(self, native: tuple[int, int]) -> AxisWords:
        """How places of an image of this native shape (ny, nx) are called."""
        return AxisWords(self, *self.shape(native))

    def from_native(self, x: Array | float, y: Array | float, native: tuple[int, int]) -> tuple[Array, Array]:
        """Return canonical (cross, disp) of native positions (x, y)."""
        ncross, ndisp = self.shape(native)
        c, d = (np.asarray(x), np.asarray(y)) if self.transpose else (np.asarray(y), np.asarray(x))
        return (ncross - 1 - c if self.flip_cross else c), (ndisp - 1 - d if self.flip_disp else d)


@dataclass(frozen=True, slots=True)
class AxisWords:
    """Canonical places in words, as the file counts them: columns run along x, rows along y, the first is 0.

    Parameters
    ----------
    orientation : Orientation
    ncross, ndisp : int
        Canonical shape; needed where an axis is flipped.
    """

    orientation: Orientation = Orientation()
    ncross: int = 0
    ndisp: int = 0

    def along(self, first: float, last: float | None = None) -> str:
        """Positions along dispersion: "column 5", "rows 5 to 9"."""
        return self._places(first, last, "row" if self.orientation.transpose else "column", self._flip_disp())

    def across(self, first: float, last: float | None = None) -> str:
        """Positions across the fibers: "row 5", "columns 5 to 9"."""
        flip = self.ncross - 1 if self.orientation.flip_cross else None
        return self._places(first, last, "column" if self.orientation.transpose else "row", flip)

    def place(self, cross: float) -> float:
        """A position across the fibers as the file counts it."""
        return self.ncross - 1 - cross if self.orientation.flip_cross else float(cross)

    def between(self, first: float, last: float) -> str:
        """A range along dispersion: "between columns 5 and 9"."""
        return f"between {self.along(first, last).replace(' to ', ' and ')}"

    def side(self, offset: float) -> str:
        """Where light lies that is off a trace by so much: "larger y", "smaller x"."""
        larger = (offset > 0) != self.orientation.flip_cross
        return f"{'larger' if larger else 'smaller'} {self.across_axis}"

    @property
    def across_axis(self) -> str:
        """The axis of the file that runs across the fibers: "x" or "y"."""
        return "x" if self.orientation.transpose else "y"

    def offset(self, canonical: float) -> float:
        """An offset across the fibers as the file counts: positive to larger y, or x."""
        return -canonical if self.orientation.flip_cross else canonical

    def _flip_disp(self) -> int | None:
        return self.ndisp - 1 if self.orientation.flip_disp else None

    @staticmethod
    def _places(first: float, last: float | None, word: str, top: int | None) -> str:
        ends = [end if top is None else top - end for end in (first, first if last is None else last)]
        low, high = min(ends), max(ends)
        return f"{word} {low:.0f}" if last is None else f"{word}s {low:.0f} to {high:.0f}"


CANONICAL = AxisWords()

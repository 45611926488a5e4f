"""Resonators of solutions and of photon lists: which belong together, and whether both are of the same array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np

from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.lists import NO_RESONATOR, Beammap
from ifuview.model.photons.wavelength_solution import LaserFits, WavelengthSolution

CUT_OUT = 0.9  # of the pixels of a list lie in the array of a solution as in the list, if it is a part of that
SHARED_IDS = 0.5  # of the resonators of a list must be in a solution for it to be of the same array


def rows_of(ids: Array, wanted: Array) -> Array:
    """Place of each wanted id in ascending `ids`; -1 where it is not there."""
    if not len(ids):
        return np.full(np.shape(wanted), -1, np.int64)
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, place, -1)


def grid_of(beammap: Beammap) -> Array:
    """Resonator id of each pixel (ny, nx), -1 for none."""
    return np.where(beammap.index < 0, -1, np.append(beammap.ids, -1)[beammap.index])


def pixel_of(grid: Array | None, resonator: int) -> tuple[int, int] | None:
    """(x, y) of the first pixel of a resonator."""
    if grid is None:
        return None
    found = np.argwhere(grid == resonator)
    return (int(found[0][1]), int(found[0][0])) if len(found) else None


def image_of(solution: WavelengthSolution | FlatSolution, values: Array, empty: float = np.nan) -> Array:
    """Values per resonator of a solution as an image (..., ny, nx); of the solution's own pixels.

    Raises
    ------
    UsageError
        The solution does not say where its resonators are.
    """
    if solution.grid is None:
        raise UsageError("the solution does not say where its resonators are", solution.name, "use another form of it")
    rows = rows_of(solution.ids, solution.grid)
    out = np.take(values, np.maximum(rows, 0), axis=0).astype(np.float64)
    out[rows < 0] = empty
    return np.moveaxis(out, (0, 1), (-2, -1))


def check_same_array(solution: WavelengthSolution | FlatSolution, beammap: Beammap, where: str = "") -> None:
    """Raise FileFormatError, one sentence, if a solution is of another array than a photon list.

    Arrays of different instruments number their resonators alike, so that the size counts too; a list of a part of
    the array is no other array.
    """
    grid = solution.grid
    if grid is not None and grid.shape != beammap.shape and not _part_of(grid, beammap):
        own, other = (f"{shape[1]} x {shape[0]}" for shape in (grid.shape, beammap.shape))
        raise FileFormatError(
            f"the calibration is of an array of {own} pixels, the photons of one of {other}",
            where or solution.name, "choose the one of this array",
        )  # fmt: skip
    known = beammap.ids[beammap.ids != NO_RESONATOR]
    shared = int(np.isin(known, solution.ids).sum())
    if not shared or shared < SHARED_IDS * min(len(known), len(solution.ids)):
        raise FileFormatError(
            f"the calibration is of another array: it shares {shared} of {len(known)} resonators",
            where or solution.name, "choose the one of this array",
        )  # fmt: skip


def _part_of(grid: Array, beammap: Beammap) -> bool:
    """Whether the pixels of a list lie side by side in a larger array as in the list."""
    own = grid_of(beammap)
    if any(small > large for small, large in zip(own.shape, grid.shape)):
        return False
    order = np.argsort(grid.ravel(), kind="stable")
    y, x = np.nonzero(own >= 0)
    rows = rows_of(grid.ravel()[order], own[y, x])
    there = rows >= 0
    if there.mean() < SHARED_IDS if len(rows) else True:
        return False
    at = np.stack(np.unravel_index(order[rows[there]], grid.shape)) - np.stack([y[there], x[there]])
    return bool((at == np.median(at, axis=1).astype(int)[:, None]).all(axis=0).mean() > CUT_OUT)


def merged_flags(beammap: Beammap, names: Sequence[str], bits: Mapping[str, Array], full: Sequence[str]) -> Beammap:
    """A beammap whose flags `names` are what `bits` (name to boolean image) says, and no more.

    Names that the file does not know are added at the end; `full` is the list to start with if it has none at all.
    """
    listed = list(beammap.flag_names) or list(full)
    listed += [name for name in names if name not in listed]
    flags = np.array(beammap.flags)
    for name in names:
        bit = np.uint64(1 << listed.index(name))
        flags &= ~bit
        if name in bits:
            flags[np.asarray(bits[name], bool)] |= bit
    return Beammap(beammap.ids, beammap.index, flags, tuple(listed), beammap.flag_notes)


def array_fields(value: WavelengthSolution | FlatSolution | LaserFits) -> dict[str, Array]:
    """Arrays of a solution by name."""
    found = {f.name: getattr(value, f.name) for f in fields(value)}
    return {name: item for name, item in found.items() if isinstance(item, np.ndarray)}


def row_of_pixel(solution: WavelengthSolution | FlatSolution, x: int, y: int) -> int:
    """Row of a solution that belongs to a pixel.

    Raises
    ------
    MissingDataError
        The pixel has none, or the solution does not say where its resonators are.
    """
    grid = solution.grid
    if grid is None or not (0 <= y < grid.shape[0] and 0 <= x < grid.shape[1]):
        raise MissingDataError(f"the calibration has no pixel {x}, {y}", solution.name)
    row = int(rows_of(solution.ids, grid[y, x]))
    if row < 0:
        raise MissingDataError(f"the pixel {x}, {y} has no resonator in the calibration", solution.name)
    return row

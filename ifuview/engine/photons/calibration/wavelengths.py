"""Wavelengths of phases by the solution of each resonator, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import HC, Beammap, PhotonBlock, PhotonColumn, PhotonInfo, PhotonSource
from ifuview.model.photons.resonators import check_same_array, merged_flags, rows_of
from ifuview.model.photons.wavelength_solution import WAVE_FLAGS, WavelengthSolution


def wave_table(solution: WavelengthSolution, beammap: Beammap) -> Array:
    """Coefficients (nresonator + 1, 3) in the order of a beammap; NaN for resonators without a solution."""
    rows = rows_of(solution.ids, beammap.ids)
    good = (rows >= 0) & solution.solved[np.maximum(rows, 0)]
    out = np.full((beammap.nresonator + 1, 3), np.nan)
    out[:-1][good] = solution.coefficients[rows[good]]
    return out


def wavelengths(resonator: Array, phase: Array, table: Array) -> Array:
    """Wavelengths, float32 nm, of phases; the phase itself where there is no solution.

    Infinite where the solution gives no positive energy.
    """
    out = np.empty(len(phase), np.float32)
    _wavelengths(resonator, phase, table, out)
    return out


@njit(cache=True, nogil=True)
def _wavelengths(resonator: Array, phase: Array, table: Array, out: Array) -> None:
    """Photon by photon."""
    for i in range(len(phase)):
        r = resonator[i]
        c1 = table[r, 1]
        p = np.float64(phase[i])
        if c1 == c1:
            energy = (table[r, 0] * p + c1) * p + table[r, 2]
            out[i] = HC / energy if energy > 0.0 else np.inf
        else:
            out[i] = phase[i]


def phases(resonator: Array, wave: Array, table: Array) -> Array:
    """Phases, float32 degree, of wavelengths: `wavelengths` undone, to within rounding.

    On the branch on which energy falls with phase; a photon at the turning point of the parabola stays there.
    """
    out = np.empty(len(wave), np.float32)
    _phases(resonator, wave, table, out)
    return out


@njit(cache=True, nogil=True)
def _phases(resonator: Array, wave: Array, table: Array, out: Array) -> None:
    """Photon by photon."""
    for i in range(len(wave)):
        r = resonator[i]
        c2, c1, c0 = table[r]
        w = np.float64(wave[i])
        if c1 == c1 and w > 0.0:
            energy = HC / w
            inside = c1 * c1 - 4.0 * c2 * (c0 - energy)
            out[i] = 2.0 * (c0 - energy) / (np.sqrt(max(inside, 0.0)) - c1)
        else:
            out[i] = wave[i]


class PhaseSource:
    """The phases of a list of wavelengths, computed back with its solution; a source of photons.

    Correct to within the rounding of the wavelengths (float32, about 1e-5 degree); for the exact phases the file must
    keep them.
    """

    def __init__(self, source: PhotonSource, solution: WavelengthSolution) -> None:
        info = source.info
        if info.column is not PhotonColumn.WAVELENGTH:
            raise UsageError("the file holds phases, there is nothing to undo", info.path)
        check_same_array(solution, info.beammap)
        self.source = source
        self._table = wave_table(solution, info.beammap)
        done = {name: text for name, text in info.calibrations.items() if name != "wavecal"}
        header = {k: v for k, v in info.header.items() if k not in ("E_WAVCAL", "wavecal", "wavecal.resolution")}
        known = [name for name in WAVE_FLAGS if name in info.beammap.flag_names]
        self._info = replace(
            info, column=PhotonColumn.PHASE, calibrations=MappingProxyType(done), header=MappingProxyType(header),
            beammap=merged_flags(info.beammap, known, {}, ()),
        )  # fmt: skip

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list."""
        return self._info

    def _back(self, block: PhotonBlock) -> PhotonBlock:
        return block if block.value is None else block._replace(value=phases(block.resonator, block.value, self._table))

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons."""
        for block in self.source.blocks(value=value, weight=weight, ctx=ctx):
            yield self._back(block)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """Photons of a few resonators."""
        return self._back(self.source.photons_of(resonators, weight=weight))

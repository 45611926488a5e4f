"""One side of a fiber head of many: fibers of round aperture whose flux follows from a throughput.

side = head_setup(spec, Tables("virus"), "047L", ("308", "047", "024"), 20190822)
truth = write_night(folder, spec, [side], shots, date=20190822, radius=RADIUS)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.reduction.spectra import ArcLines
from ifuview.model.reduction.tables import FiberLayout, FiberRows, WaveCurve
from ifuview.simulate.het.setup import TrueChannel, channel_setup

RADIUS = 0.75  # arcsec, of a fiber
LINE_SPREAD = 1.2  # px, sigma of an unresolved line
PHOTON = 6.62607015e-27 * 2.99792458e18  # erg Angstrom
REFRACTION = ((3500.0, 4000.0, 4500.0, 5000.0, 5500.0), (-0.74, -0.40, -0.08, 0.08, 0.20))  # Angstrom, arcsec in x
EDGE = 60.0  # Angstrom that a throughput is known less far than light falls
LAST_PIXEL = 1  # the grid goes from the first column to the last


class HeadTables(Protocol):
    """Where the numbers of an instrument come from: `ifuview.instrument.tables.Tables`."""

    def fibers(self, camera: str, ifuid: str = "") -> FiberLayout:
        """Where the fibers of a detector lie."""

    def rows(self, unit: tuple[str, str, str], amplifier: str, night: int) -> FiberRows:
        """Where the fibers of an amplifier were near a night."""

    def lines(self, camera: str) -> ArcLines:
        """Lines of lamps."""

    def throughput(self) -> tuple[WaveCurve, WaveCurve]:
        """Electrons for each photon."""

    def sky(self, camera: str, moon: str = "dark") -> WaveCurve:
        """Sky in one fiber."""


class _Side:
    """The tables of a channel, out of those of fiber heads: response, refraction, and where lines are expected."""

    def __init__(self, tables: HeadTables, grid: tuple[float, float], ncol: int, moon: str) -> None:
        self._tables, self._grid, self._ncol, self._moon = tables, grid, ncol, moon
        self.fibers, self.rows = tables.fibers, tables.rows

    def lines(self, camera: str) -> ArcLines:
        """All of one strength, on straight wavelengths."""
        found = self._tables.lines(camera)
        low, high = self._grid
        column = (found.wave - low) / (high - low) * (self._ncol - LAST_PIXEL)
        return replace(found, column=column, intensity=np.ones_like(found.wave))

    def response(self, camera: str) -> WaveCurve:
        """Energy of the photons that one electron stands for."""
        curve = self._tables.throughput()[0]
        return WaveCurve(curve.wave, PHOTON / curve.wave / curve.value, "erg")

    def sky(self, camera: str, moon: str = "dark") -> WaveCurve:
        """Sky, level beyond where it is known."""
        found = self._tables.sky(camera, self._moon)
        low, high = (self._grid[0] - EDGE, self._grid[1] + EDGE)
        wave = np.concatenate(
            [np.arange(low, found.wave[0], 5.0), found.wave, np.arange(found.wave[-1] + 5, high, 5.0)]
        )
        return replace(found, wave=wave, value=np.interp(wave, found.wave, found.value))

    def refraction(self, camera: str) -> Array:
        """Displacement in x alone."""
        wave, x = (np.array(values) for values in REFRACTION)
        return np.stack([wave, x, np.zeros_like(x)])

    def telluric(self, percentile: str = "transmission") -> WaveCurve:
        """The atmosphere is in the throughput."""
        return WaveCurve(np.array([self._grid[0] - EDGE, self._grid[1] + EDGE]), np.ones(2))


def head_setup(
    spec: InstrumentSpec,
    tables: HeadTables,
    camera: str,
    unit: tuple[str, str, str],
    night: int,
    seed: int = 1,
    *,
    broken: bool = True,
    moon: str = "dark",
) -> TrueChannel:
    """Make one detector of a fiber head; parameters as in `channel_setup`, and whose sky it sees: dark, grey or bright.

    Electrons are all light of a fiber: the factor of the response is 1.
    """
    raw, described = spec.raw, spec.camera(camera)
    assert raw is not None and described is not None
    side = _Side(tables, (described.wave_min, described.wave_max), raw.shape[1] - raw.overscan, moon)
    return replace(channel_setup(spec, side, camera, unit, night, seed, lsf=LINE_SPREAD, broken=broken), factor=1.0)

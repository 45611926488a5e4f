"""One cube of a target from all its detectors and exposures, the target at one place in all of them.

Fibers go from their own pixels to the common wavelengths, and from there to the spaxels that their faces cover, in one
step each. Every spaxel gets the mean brightness of all that covers it, each exposure weighted with the inverse of its
usual variance and multiplied with its factor, times the area that is covered: within the field of any exposure the sum
over spaxels is the flux, and what one exposure masks another fills. Places are moved by refraction, wavelength by
wavelength, and so that the target lies at one place; exposures whose field is turned are turned back, their faces
taken in pieces that stay upright. Neighboring spaxels share fibers: their errors are correlated, which `variance` does
not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.field.cube import SMOOTH, CubeSums, field_grid
from ifuview.engine.spectra.field.extract import smooth_weight
from ifuview.engine.spectra.field.lenslet import Lenslets, displacement
from ifuview.engine.spectra.flux.rectify import rectify
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SkyCube
from ifuview.model.reduction.spectra import FiberSpectra


@dataclass(frozen=True, slots=True, eq=False)
class FieldPart:
    """One detector of one exposure.

    Parameters
    ----------
    spectra : callable
        Gives the FiberSpectra without sky, on any wavelengths: read when they are needed, as they are large.
    lenslets : Lenslets
    place : (float, float), arcsec
        Where the target lies among them, refraction aside.
    dar : ndarray, shape (3, n)
        Wavelength, and by how much it is displaced in x and y (arcsec).
    turn : float, deg
        By which its field is turned to be as the first one's, from x to y.
    factor : float
        That brings its light to the common level.
    """

    spectra: Callable[[], FiberSpectra]
    lenslets: Lenslets
    place: tuple[float, float]
    dar: Array
    turn: float = 0.0
    factor: float = 1.0

    def _turned(self, x: Array, y: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        c, s = np.cos(np.radians(self.turn)), np.sin(np.radians(self.turn))
        return c * x - s * y, s * x + c * y

    def places(self, target: tuple[float, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of the fibers, arcsec, once the part's target lies at `target`."""
        x, y = self._turned(self.lenslets.x - self.place[0], self.lenslets.y - self.place[1])
        return x + target[0], y + target[1]

    def moves(self, wave: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What refraction displaces the target by at wavelengths, arcsec."""
        return self._turned(*displacement(self.dar, wave))


def stacked_cube(
    parts: Sequence[FieldPart], wave: Array, *, smooth: float = SMOOTH, ctx: JobContext = SILENT
) -> SkyCube:  # fmt: skip
    """All parts as one cube, in the frame of the first, cut to the wavelengths that there are.

    Parameters
    ----------
    parts : sequence of FieldPart
        Of one unit and medium of wavelengths.
    wave : ndarray, shape (nwave,), Angstrom
        Rising.
    smooth : float, arcsec
        FWHM of a Gaussian that the cube is convolved with; 0: none.

    Raises
    ------
    UsageError
        There is nothing at these wavelengths, or units differ.
    """
    if not parts:
        raise UsageError("there is nothing to make a cube of")
    wave = np.asarray(wave, np.float64)
    places = [part.places(parts[0].place) for part in parts]
    x, y = (np.concatenate([place[n] for place in places]) for n in (0, 1))
    grid = field_grid(Lenslets(x, y, parts[0].lenslets.size))
    sums, level, unit, there = CubeSums(wave.size, grid, smooth), 0.0, None, np.zeros(wave.size, bool)
    for number, (part, place) in enumerate(zip(parts, places, strict=True)):
        spectra = part.spectra()
        if unit not in (None, (spectra.unit, spectra.medium)):
            raise UsageError("spectra of a cube need one unit and one medium of wavelengths")
        unit = spectra.unit, spectra.medium
        first, last = np.searchsorted(wave, (np.nanmin(spectra.wave), np.nanmax(spectra.wave)))
        if last <= first:
            continue
        there[first:last] = True
        even = rectify(spectra, wave[first:last])
        weight = _usual_weight(even) / part.factor**2
        level = level or float(np.median(weight[weight > 0])) if (weight > 0).any() else level
        own = replace(even, flux=part.factor * even.flux, variance=part.factor**2 * even.variance)
        sums.add(
            (own,), *place, *part.moves(wave[first:last]), part.lenslets.area**0.5, weight / (level or 1.0),
            turn=part.turn, first=int(first),
            ctx=ctx.part(0.9 * number / len(parts), 0.9 * (number + 1) / len(parts)),
        )  # fmt: skip
    if not there.any() or unit is None:
        raise UsageError("nothing is there at the wavelengths of the combined cube")
    known = np.flatnonzero(there)
    span = slice(int(known[0]), int(known[-1]) + 1)
    data, variance, mask = sums.mean(ctx)
    return SkyCube(data[0, span], variance[0, span], mask[span], wave[span], grid, *unit)


def _usual_weight(spectra: FiberSpectra) -> NDArray[np.float64]:
    """Inverse of the median variance over fibers, smoothed along wavelength, (nwave,); zero where nothing is usable."""
    usable = spectra.usable() & (spectra.variance > 0)
    there = np.asarray(usable.any(axis=0))
    usual = np.zeros(there.size)
    usual[there] = np.nanmedian(np.where(usable, spectra.variance, np.nan)[:, there], axis=0)
    return smooth_weight(usual[None], there[None])[0]

"""Light within a circle, with the background of a ring or of chosen fibers: no profile is assumed.

Each lenslet counts with the part of its face that lies inside, and the circle follows refraction. Samples that are
masked are replaced by the mean of what is usable, weighted with the profile if one is known; the share of a source's
light that the circle catches is told, not divided out, unless asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.lenslet import Lenslets, displacement, interpolate_nodes, source_share
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

NODES = 9  # wavelengths at which the circle is placed
FINE = 12  # points along each axis of a lenslet's face
LEAST_SHARE = 0.5  # of the circle that has to be usable


@dataclass(frozen=True, slots=True)
class FieldAperture:
    """A circle at the reference wavelength `wave`, and a ring for the background.

    Parameters
    ----------
    x, y, radius : float, arcsec
    wave : float, Angstrom
    inner, outer : float, arcsec
        Of the ring; no ring where outer <= inner.
    """

    x: float
    y: float
    radius: float
    wave: float
    inner: float = 0.0
    outer: float = 0.0


def extract_aperture(
    spectra: FiberSpectra, sky: Array, aperture: FieldAperture, lenslets: Lenslets, dar: Array, *,
    source: SourceFit | None = None, whole: bool = False,
) -> SourceSpectrum:  # fmt: skip
    """Sum the light in a circle.

    Parameters
    ----------
    spectra : FiberSpectra
        Sky-subtracted, on one grid.
    sky : ndarray, shape (nfiber, nwave)
        What was taken off.
    aperture : FieldAperture
    lenslets : Lenslets
    dar : ndarray, shape (3, n)
        Refraction the circle follows.
    source : SourceFit, optional
        Whose profile tells the share that is caught and replaces masked samples.
    whole : bool
        Divide by that share. Needs `source`.

    Raises
    ------
    UsageError
        The circle touches no fiber.
    """
    wave = spectra.wave
    part = covered(lenslets, aperture, dar, wave)
    if not part.any():
        raise UsageError("no fiber lies in the aperture", todo="move it or make it larger")
    usable = spectra.usable() & (spectra.variance > 0)
    share = source_share(source, lenslets, wave) if source is not None else np.full(part.shape, 1 / part.shape[0])
    light = (part * share).sum(axis=0)
    known = (part * share * usable).sum(axis=0)
    fill = np.where(known > LEAST_SHARE * light, light / np.where(known > 0, known, 1), 0.0)
    gain = part * usable * fill
    level, level_variance = _ring(spectra, usable, aperture, lenslets)
    size = part.sum(axis=0)
    flux = (gain * spectra.flux).sum(axis=0) - size * level
    variance = (gain**2 * spectra.variance).sum(axis=0) + size**2 * level_variance
    caught = light if source is not None else np.full(light.size, np.nan)
    if whole and source is not None:
        flux, variance = flux / caught, variance / caught**2
    lost = fill <= 0
    touched = np.where((part > 0) & usable, spectra.mask, 0)
    mask = np.bitwise_or.reduce(touched, axis=0) | np.where(lost, np.uint32(int(ReductionBit.NO_DATA)), np.uint32(0))
    return SourceSpectrum(
        wave=np.asarray(wave), flux=np.where(lost, 0.0, flux), variance=np.where(lost, 0.0, variance),
        sky=(gain * sky).sum(axis=0), sky_variance=(gain**2 * spectra.variance).sum(axis=0), mask=mask,
        fraction=caught, unit=spectra.unit, medium=spectra.medium,
        method=f"circle of {aperture.radius:.2f} arcsec" + (", whole light" if whole else ""),
    )  # fmt: skip


def covered(lenslets: Lenslets, aperture: FieldAperture, dar: Array, wave: Array) -> NDArray[np.float64]:
    """Part of each lenslet inside the circle, (nfiber, nwave)."""
    node = np.linspace(wave.min(), wave.max(), NODES)
    dx, dy = displacement(dar, node)
    zx, zy = displacement(dar, np.array([aperture.wave]))
    ox, oy, weight = _points(lenslets)
    out = np.empty((lenslets.x.size, NODES))
    for n in range(NODES):
        x = lenslets.x[:, None] + ox - (aperture.x + dx[n] - zx[0])
        y = lenslets.y[:, None] + oy - (aperture.y + dy[n] - zy[0])
        out[:, n] = (np.hypot(x, y) < aperture.radius) @ weight
    return np.clip(interpolate_nodes(node, out, wave), 0, 1)


def _points(lenslets: Lenslets) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Points all over a face and their weights, whose sum is one."""
    line = ((np.arange(FINE) + 0.5) / FINE - 0.5) * lenslets.size
    x, y = (a.ravel() for a in np.meshgrid(line, line))
    inside = np.ones(x.size, bool) if lenslets.face == "square" else np.hypot(x, y) < lenslets.size / 2
    return x[inside], y[inside], np.full(int(inside.sum()), 1 / inside.sum())


def _ring(
    spectra: FiberSpectra, usable: Array, aperture: FieldAperture, lenslets: Lenslets
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of the fibers whose centers lie in the ring and its variance, zero where there is no ring."""
    apart = np.hypot(lenslets.x - aperture.x, lenslets.y - aperture.y)
    inside = (apart >= aperture.inner) & (apart < aperture.outer)
    count = usable[inside].sum(axis=0)
    if not inside.any():
        return np.zeros(spectra.flux.shape[1]), np.zeros(spectra.flux.shape[1])
    by = np.maximum(count, 1)
    level = np.where(usable[inside], spectra.flux[inside], 0).sum(axis=0) / by
    return level, np.where(usable[inside], spectra.variance[inside], 0).sum(axis=0) / by**2

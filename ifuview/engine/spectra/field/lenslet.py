"""Share of a point source's light that each fiber catches: a Moffat profile integrated over the lenslet.

I(r) = (beta - 1) / (pi a2) (1 + r2 / a2)^-beta with FWHM = 2 a sqrt(2^(1/beta) - 1), after Moffat (1969); integrated
by Gauss's rule over the lenslet's face. Atmospheric seeing: FWHM ~ wave^-0.2 (Fried 1966).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit

SEEING_POWER = -0.2
NODES = 4  # of Gauss's rule, along each axis
WAVE_NODES = 33  # along the spectrum, between which the share is interpolated


class Face(StrEnum):
    """Shape of a lenslet or of a fiber's core."""

    SQUARE = "square"
    CIRCLE = "circle"


@dataclass(frozen=True, slots=True, eq=False)
class Lenslets:
    """Where the lenslets lie in the frame of the IFU and what each covers.

    Parameters
    ----------
    x, y : ndarray, shape (nfiber,), arcsec
    size : float, arcsec
        Side of the square, or diameter of the circle.
    face : Face
    """

    x: Array
    y: Array
    size: float
    face: Face = Face.SQUARE

    @property
    def area(self) -> float:
        """Of one lenslet, in arcsec2."""
        return self.size**2 * (1.0 if self.face is Face.SQUARE else np.pi / 4)

    def some(self, fibers: Array) -> Lenslets:
        """Those of some fibers, by number or by a mask."""
        return Lenslets(self.x[fibers], self.y[fibers], self.size, self.face)

    def rule(self, nodes: int = NODES) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Offsets in x and y (arcsec) and weights (arcsec2) to integrate over one face."""
        node, weight = _gauss(nodes)
        if self.face is Face.SQUARE:
            across, up = np.meshgrid(node * self.size / 2, node * self.size / 2)
            return across.ravel(), up.ravel(), np.outer(weight, weight).ravel() * self.size**2 / 4
        radius = (self.size / 2) * np.sqrt((node + 1) / 2)  # equal areas
        angle = 2 * np.pi * np.arange(2 * nodes) / (2 * nodes)
        share = np.repeat(weight / 2, angle.size) / angle.size * self.area
        return np.outer(radius, np.cos(angle)).ravel(), np.outer(radius, np.sin(angle)).ravel(), share


@cache
def _gauss(nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of Gauss's rule."""
    node, weight = np.polynomial.legendre.leggauss(nodes)
    return node, weight


def moffat_share(
    lenslets: Lenslets, x: Array, y: Array, fwhm: Array, beta: float, nodes: int = NODES
) -> NDArray[np.float64]:
    """Share in each fiber of sources at several places.

    Parameters
    ----------
    lenslets : Lenslets
    x, y, fwhm : ndarray, shape (n,), arcsec
    beta : float
        Above 1.
    nodes : int
        Of Gauss's rule; 4: to 1e-5 of the light, 1: to some percent.

    Returns
    -------
    ndarray, shape (n, nfiber)
    """
    x, y, fwhm = (np.atleast_1d(np.asarray(v, np.float64)) for v in (x, y, fwhm))
    fwhm = np.broadcast_to(fwhm, x.shape)
    out = np.empty((x.size, lenslets.x.size))
    rule = lenslets.rule(nodes)
    _share(np.asarray(lenslets.x, np.float64), np.asarray(lenslets.y, np.float64), *rule, x, y, fwhm, beta, out)
    return out


def moffat_slopes(lenslets: Lenslets, x: Array, y: Array, fwhm: Array, beta: float) -> NDArray[np.float64]:
    """Share, and its derivatives by x, y, log FWHM and beta; shape (5, n, nfiber)."""
    out = np.empty((5, x.size, lenslets.x.size))
    px, py = np.asarray(lenslets.x, np.float64), np.asarray(lenslets.y, np.float64)
    _slopes(px, py, *lenslets.rule(), x, y, fwhm, beta, out)
    return out


def displacement(dar: Array, wave: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Displacement in x and y at wavelengths; the first and last value hold outside, `dar` as in SourceFit."""
    return np.interp(wave, dar[0], dar[1]), np.interp(wave, dar[0], dar[2])


def source_share(fit: SourceFit, lenslets: Lenslets, wave: Array) -> NDArray[np.float64]:
    """Share of a source's light in each fiber at one set of wavelengths, shape (nfiber, nwave)."""
    node = np.linspace(wave.min(), wave.max(), WAVE_NODES)
    return interpolate_nodes(node, share_at(fit, lenslets, node), wave)


def share_at(fit: SourceFit, lenslets: Lenslets, wave: Array) -> NDArray[np.float64]:
    """The same without interpolation, at a few wavelengths."""
    dx, dy = displacement(fit.dar, wave)
    fwhm = fit.fwhm * (wave / fit.wave) ** SEEING_POWER
    return np.ascontiguousarray(moffat_share(lenslets, fit.x + dx, fit.y + dy, fwhm, fit.beta).T)


class KeptShares:
    """Shares of sources in the fibers of a field, each of them integrated once however often it is asked for.

    Kept are the nodes along the spectrum.

    Parameters
    ----------
    lenslets : Lenslets
    wave : ndarray, shape (nwave,), Angstrom
    """

    def __init__(self, lenslets: Lenslets, wave: Array) -> None:
        self.lenslets, self.wave = lenslets, np.asarray(wave)
        self.node = np.linspace(self.wave.min(), self.wave.max(), WAVE_NODES)
        self._known: dict[SourceFit, NDArray[np.float64]] = {}

    def of(self, fit: SourceFit, fibers: Array) -> NDArray[np.float64]:
        """Share of a source's light in those of the fibers that are True, shape (n, nwave), as `source_share`."""
        number = np.flatnonzero(fibers)
        values = self._known.setdefault(fit, np.full((self.lenslets.x.size, WAVE_NODES), np.nan))
        new = number[np.isnan(values[number, 0])]
        if new.size:
            values[new] = share_at(fit, self.lenslets.some(new), self.node)
        return interpolate_nodes(self.node, values[number], self.wave)


def interpolate_nodes(node: Array, values: Array, wave: Array) -> NDArray[np.float64]:
    """Values (nfiber, nnode) at equally spaced `node`, at wavelengths (nwave,) or (nfiber, nwave), by parabolas."""
    own = np.broadcast_to(wave, (values.shape[0], wave.shape[-1]))
    out = np.empty(own.shape)
    _parabolas(float(node[0]), float(node[1] - node[0]), np.ascontiguousarray(values, np.float64), own, out)
    return out


@njit(cache=True, nogil=True)
def _parabolas(start: float, step: float, values: Array, wave: Array, out: Array) -> None:
    last = values.shape[1] - 2
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            t = (wave[k, j] - start) / step
            i = min(max(int(t + 0.5), 1), last)
            t -= i
            a, b, c = values[k, i - 1], values[k, i], values[k, i + 1]
            out[k, j] = b + 0.5 * t * (c - a) + 0.5 * t * t * (c - 2 * b + a)


@njit(cache=True, nogil=True, fastmath=True)
def _share(
    px: Array, py: Array, ox: Array, oy: Array, weight: Array, x: Array, y: Array, fwhm: Array, beta: float, out: Array
) -> None:
    for n in range(x.size):
        a2 = (fwhm[n] / 2) ** 2 / (2 ** (1 / beta) - 1)
        peak = (beta - 1) / (np.pi * a2)
        for k in range(px.size):
            total = 0.0
            for m in range(ox.size):
                dx, dy = px[k] + ox[m] - x[n], py[k] + oy[m] - y[n]
                total += weight[m] * (1 + (dx * dx + dy * dy) / a2) ** -beta
            out[n, k] = peak * total


@njit(cache=True, nogil=True, fastmath=True)
def _slopes(
    px: Array, py: Array, ox: Array, oy: Array, weight: Array, x: Array, y: Array, fwhm: Array, beta: float, out: Array
) -> None:
    root = 2 ** (1 / beta)
    grow = np.log(2.0) * root / (beta * beta * (root - 1))  # derivative of log a2 by beta
    for n in range(x.size):
        a2 = (fwhm[n] / 2) ** 2 / (root - 1)
        peak = (beta - 1) / (np.pi * a2)
        for k in range(px.size):
            total, by_x, by_y, by_q, by_log = 0.0, 0.0, 0.0, 0.0, 0.0
            for m in range(ox.size):
                dx, dy = px[k] + ox[m] - x[n], py[k] + oy[m] - y[n]
                q = (dx * dx + dy * dy) / a2
                log = np.log1p(q)
                v = weight[m] * np.exp(-beta * log)
                u = beta * v / (1 + q)
                total += v
                by_x += u * dx
                by_y += u * dy
                by_q += u * q
                by_log += v * log
            by_a2 = peak * (by_q - total)  # of log a2
            out[0, n, k] = peak * total
            out[1, n, k] = peak * by_x * 2 / a2
            out[2, n, k] = peak * by_y * 2 / a2
            out[3, n, k] = 2 * by_a2
            out[4, n, k] = peak * total / (beta - 1) - peak * by_log + grow * by_a2

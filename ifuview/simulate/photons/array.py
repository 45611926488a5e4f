"""A simulated photon-counting array: beammap, response and energy resolution of every pixel, and its bad pixels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ifuview.io.photons.flags import MODERN_FLAGS
from ifuview.model.checks import Array
from ifuview.model.photons.lists import HC, Beammap

SHAPE = (30, 24)  # ny, nx; small enough for a test, large enough for a scene
FEEDLINES = 5
PER_FEEDLINE = 10_000  # resonator id = 10000 * feedline + number on the feedline
REFERENCE_WAVE = 980.0  # nm; resolving powers are given there
RESPONSE_WAVE, RESPONSE_SPAN = 1100.0, 400.0  # nm; response = q0 (1 + qslope (wave - 1100) / 400)
FWHM = 2.3548200450309493  # of a Gaussian, in sigma


class PixelKind(IntEnum):
    """What is wrong with a simulated pixel."""

    NORMAL = 0
    DEAD = 1  # no tone, no photons
    COLD = 2  # a sixth of the light
    HOT = 3  # photons of its own, at any phase


COLD_RESPONSE = 1 / 6


@dataclass(frozen=True, slots=True, eq=False)
class PhotonArray:
    """Truth about an array; all images are (ny, nx).

    Parameters
    ----------
    beammap : Beammap
        With the flags of the beammap and of the wavelength calibration, as a pipeline would have set them.
    kind : ndarray of PixelKind, uint8
    coefficients : ndarray, float64, shape (ny, nx, 3)
        a, b, c of E = a p^2 + b p + c; E in eV, p in degree.
    resolution : ndarray, float32
        FWHM resolving power at 980 nm; falls as the root of the energy.
    q0, qslope : ndarray, float32
        Response q0 (1 + qslope (wave - 1100 nm) / 400 nm); 0 for dead pixels.
    solved : ndarray, bool
        Pixels with a wavelength solution.
    hot_rate : ndarray, float32
        Counts per second that are no light.
    """

    beammap: Beammap
    kind: Array
    coefficients: Array
    resolution: Array
    q0: Array
    qslope: Array
    solved: Array
    hot_rate: Array

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return self.beammap.shape

    def response(self, wave: float | Array) -> Array:
        """Response at one wavelength (ny, nx), or at several (ny, nx, n)."""
        at = (np.asarray(wave, float) - RESPONSE_WAVE) / RESPONSE_SPAN
        extra = (...,) + (None,) * at.ndim
        response: Array = self.q0[extra] * (1 + self.qslope[extra] * at)
        return response

    def flat_weights(self, edges: Array) -> Array:
        """True flat weights (ny, nx, n): mean response of the good pixels over the own, in each bin; NaN if dead."""
        edges = np.asarray(edges, float)
        response = self.response((edges[:-1] + edges[1:]) / 2)  # linear in wavelength: the mean is that of the middle
        good = (self.kind == PixelKind.NORMAL) & self.solved
        mean = response[good].mean(axis=0)
        weights: Array = np.full(response.shape, np.nan)
        np.divide(mean, response, out=weights, where=response > 0)
        return weights

    def phase(self, place: tuple[Array, ...], wave: Array, rng: np.random.Generator) -> Array:
        """Measured phase, float32 degree, of photons of true `wave` in the pixels `place` (rows, columns)."""
        a, b, c = np.moveaxis(self.coefficients[place], -1, 0)
        energy = HC / wave
        slope = np.sqrt(b * b - 4 * a * (c - energy))  # -dE/dp at the root where energy falls with phase
        sigma = np.sqrt(energy * HC / REFERENCE_WAVE) / (FWHM * self.resolution[place])
        exact = 2 * (c - energy) / (slope - b)
        phase: Array = exact + rng.normal(size=len(wave)) * sigma / slope
        return phase.astype(np.float32)

    def wavelength(self, place: tuple[Array, ...], phase: Array) -> Array:
        """Wavelength, float32 nm, that the true solution gives; the phase itself where there is none."""
        a, b, c = np.moveaxis(self.coefficients[place], -1, 0)
        p = phase.astype(np.float64)
        wave: Array = np.where(self.solved[place], HC / ((a * p + b) * p + c), p)
        return wave.astype(np.float32)


def make_array(
    shape: tuple[int, int] = SHAPE,
    *,
    dead: int = 8,
    cold: int = 4,
    hot: int = 4,
    unsolved: int = 6,
    duplicates: int = 0,
    seed: int = 11,
) -> PhotonArray:
    """Return an array with so many bad pixels of each kind.

    Parameters
    ----------
    shape : (ny, nx)
    dead, cold, hot : int
        Pixels of each kind.
    unsolved : int
        Normal pixels whose wavelength fit failed.
    duplicates : int
        Pixels that share the resonator of another one, as in old beammaps.
    """
    rng = np.random.default_rng(seed)
    count = shape[0] * shape[1]
    order = rng.permutation(count)
    kind = np.full(count, PixelKind.NORMAL, np.uint8)
    kind[order[:dead]] = PixelKind.DEAD
    kind[order[dead : dead + cold]] = PixelKind.COLD
    kind[order[dead + cold : dead + cold + hot]] = PixelKind.HOT
    special = dead + cold + hot
    solved = kind != PixelKind.DEAD
    solved[order[special : special + unsolved]] = False
    ids = _resonators(shape, rng)
    spare = order[special + unsolved :]
    ids[spare[:duplicates]] = ids[spare[duplicates : 2 * duplicates]]
    q0 = np.where(kind == PixelKind.DEAD, 0, rng.normal(1, 0.08, count).clip(0.6, 1.4))
    q0[kind == PixelKind.COLD] *= COLD_RESPONSE
    linear = rng.random(count) < 0.1
    curve = np.where(linear, 0, rng.normal(0, 3e-6, count).clip(-6e-6, 6e-6))
    coefficients = np.stack((curve, -rng.normal(0.0115, 0.0008, count), rng.normal(0.12, 0.02, count)), axis=-1)
    flags = _flags(kind, solved, linear)
    unique, index = np.unique(ids, return_inverse=True)
    return PhotonArray(
        beammap=Beammap(unique, index.reshape(shape), flags.reshape(shape), MODERN_FLAGS),
        kind=kind.reshape(shape),
        coefficients=coefficients.reshape(*shape, 3),
        resolution=rng.normal(8, 0.7, count).clip(5, 11).astype(np.float32).reshape(shape),
        q0=q0.astype(np.float32).reshape(shape),
        qslope=rng.normal(0.08, 0.05, count).clip(-0.2, 0.3).astype(np.float32).reshape(shape),
        solved=solved.reshape(shape),
        hot_rate=np.where(kind == PixelKind.HOT, rng.uniform(300, 1200, count), 0).astype(np.float32).reshape(shape),
    )


def _resonators(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Resonator id of each pixel: feedlines are bands along y, their resonators are scattered over the band."""
    line = (np.arange(shape[0]) * FEEDLINES) // shape[0]
    feedline = np.repeat(line, shape[1])
    ids = np.empty(feedline.size, np.int64)
    for k in range(FEEDLINES):
        own = np.flatnonzero(feedline == k)
        ids[own] = PER_FEEDLINE * (k + 1) + rng.permutation(own.size)
    return ids


def _flags(kind: Array, solved: Array, linear: Array) -> Array:
    """Bits as a beammap and a wavelength calibration set them."""
    bit = {name: np.uint64(1 << i) for i, name in enumerate(MODERN_FLAGS)}
    failed = bit["wavecal.bad"] | bit["wavecal.failed_convergence"]
    flags = np.where(linear, bit["wavecal.linear"], bit["wavecal.quadratic"])
    flags = np.where(solved, flags, failed)
    dead = bit["beammap.noDacTone"] | bit["wavecal.bad"] | bit["wavecal.no_histograms"]
    return np.where(kind == PixelKind.DEAD, dead, flags)

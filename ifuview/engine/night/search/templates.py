"""Factor, shift and width of the sky's lines in every fiber: its residual fitted with what a wrong one would leave.

A line that is too strong leaves itself, a displaced one its slope, a wider one its curvature. All lines of a fiber take
part at once in one weighted fit; stretches that no such error explains (lines of the target, cosmic rays) lose their
weight. The spectra are taken without what is wider than ROUGH pixels, so that continua do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.stats import mad
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

ROUGH = 61  # px: what is wider is continuum
CHUNK = 24  # px of a stretch that is weighted as one
ROUNDS, OUTLYING = 3, 3.0  # of the weights, sigma of a stretch
VISIBLE, BESIDE = 5.0, 4  # noise of the sky model that a line must exceed, px beside it
TINY = 1e-9  # keeps fibers without information solvable
KINDS = ("factor", "shift", "width")


@dataclass(frozen=True, slots=True, eq=False)
class FiberFits:
    """One number of each kind per fiber.

    Parameters
    ----------
    value, error : ndarray, shape (3, nfiber)
        Of KINDS: part of the lines that stays; Angstrom to the red; Angstrom squared added to the width. The error is
        infinite where nothing is known.
    shapes : ndarray, shape (3, nwave)
        What 1 of each leaves in the flux.
    """

    value: Array
    error: Array
    shapes: Array

    def expected(self, use: Array) -> Array:
        """What the numbers in `use`, shape (3, nfiber), leave in the flux, shape (nfiber, nwave)."""
        return np.asarray((np.where(use, np.nan_to_num(self.value), 0.0).T @ self.shapes).astype(np.float32))


def rough(values: Array, width: int = ROUGH) -> Array:
    """Running mean along the last axis, the same shape, float32."""
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(values, width, axis=-1, output=np.float32, mode="nearest"))


def shapes(sky: Array, wave: Array) -> Array:
    """What a factor, a shift and a width leave of a sky spectrum, shape (3, nwave); 0 where it has no lines.

    Where lines are weaker than the noise of the sky spectrum the fit would measure that noise.
    """
    step = float(np.median(np.diff(wave)))
    slope = np.gradient(sky.astype(np.float64)) / step
    out = np.stack([sky, -slope, 0.5 * np.gradient(slope) / step])
    out = out - rough(out)
    steps = np.diff(sky, 3)
    noise = MAD_TO_SIGMA * float(np.median(np.abs(steps))) / np.sqrt(20.0)  # of a third difference
    line = np.abs(out[0]) > VISIBLE * noise
    near = np.convolve(line, np.ones(2 * BESIDE + 1), "same") > 0.5
    return np.asarray(np.where(near, out, 0.0))


def sharp(flux: Array) -> Array:
    """The spectra without what is wide; 0 in gaps."""
    known = np.isfinite(flux)
    values = np.where(known, flux, 0.0).astype(np.float32)
    if known.all():
        return np.asarray(values - rough(values))
    return np.asarray(np.where(known, values - rough(values) / np.maximum(rough(known.astype(np.float32)), 0.1), 0.0))


def fiber_fits(flux: Array, ivar: Array, sky: Array, wave: Array) -> FiberFits:
    """Fit all fibers at once.

    Parameters
    ----------
    flux : ndarray, shape (nfiber, nwave)
        Sky-subtracted, without what is wide; see `sharp`.
    ivar : ndarray, shape (nfiber, nwave)
        0 = unknown.
    sky, wave : ndarray, shape (nwave,)
    """
    of = shapes(sky, wave)
    return FiberFits(*solved(flux.astype(np.float32), ivar.astype(np.float32), of.astype(np.float32)), of)


def solved(values: Array, weight: Array, of: Array) -> tuple[Array, Array]:
    """Values and errors, shape (3, nfiber), with stretches that do not fit weighted down."""
    count = values.shape[1] // CHUNK
    cut = count * CHUNK
    w = weight[:, :cut].reshape(-1, count, CHUNK)
    r = (weight * values)[:, :cut].reshape(-1, count, CHUNK)
    shape = of[:, :cut].reshape(3, count, CHUNK)
    pairs = (shape[:, None] * shape[None]).reshape(9, count, CHUNK)
    normal = np.einsum("fbc,pbc->fbp", w, pairs, optimize=True).reshape(-1, count, 3, 3).astype(np.float64)
    right = np.einsum("fbc,ibc->fbi", r, shape, optimize=True).astype(np.float64)
    power = np.maximum(np.einsum("fbii->fbi", normal), TINY)
    scale = np.sqrt(np.maximum(power.sum(axis=1), TINY))  # makes factor, shift and width alike
    use = np.ones(right.shape[:2])
    for _ in range(ROUNDS):
        total = np.einsum("fb,fbij->fij", use, normal) / (scale[:, :, None] * scale[:, None, :])
        total += TINY * np.eye(3)
        solution = np.linalg.solve(total, (np.einsum("fb,fbi->fi", use, right) / scale)[..., None])[..., 0] / scale
        rest = right - np.einsum("fbij,fj->fbi", normal, solution)
        chi = np.max(rest**2 / power, axis=2)
        use = np.minimum(1.0, OUTLYING**2 / np.maximum(chi, TINY))
    error = np.sqrt(np.einsum("fii->fi", np.linalg.inv(total))) / scale
    extra = np.maximum(1.0, mad((rest / np.sqrt(power))[..., 0], axis=1))
    nothing = power.sum(axis=1) <= 10 * TINY * count
    error = np.where(nothing, np.inf, error * extra[:, None])
    return np.asarray(np.where(nothing, 0.0, solution).T), np.asarray(error.T)


def without_strongest(values: Array, weight: Array, of: Array, kind: int) -> tuple[float, float]:
    """One number of one fiber, and its error, without the stretch that tells most of it.

    Shapes (nwave,), (nwave,), (3, nwave).
    """
    count = values.size // CHUNK
    told = (weight * values * of[kind])[: count * CHUNK].reshape(count, CHUNK).sum(axis=1)
    strongest = int(np.argmax(np.abs(told)))
    rest = weight.copy()
    rest[max(strongest - 1, 0) * CHUNK : (strongest + 2) * CHUNK] = 0.0  # a line may lie on an edge
    value, error = solved(values[None], rest[None], of)
    return float(value[kind, 0]), float(error[kind, 0])


def by_itself(values: Array, weight: Array, of: Array, kind: int) -> tuple[float, float]:
    """One number of one fiber, and its error, with the other two at 0. Shapes as above."""
    own = np.zeros_like(of)
    own[kind] = of[kind]
    value, error = solved(values[None], weight[None], own)
    return float(value[kind, 0]), float(error[kind, 0])

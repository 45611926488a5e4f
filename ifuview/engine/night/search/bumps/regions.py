"""Weak light on a part of the focal plane: one bump over wavelength in fibers that are neighbors in the field.

Every fiber is asked for bumps of a few widths at all wavelengths, by matched filters that its own smooth spectrum has
no part in. What fibers around a place answer more than the others is added up; each counts by no more than CLIP sigma,
and by less where its spectrum has such bumps everywhere: a broad line of one target makes no region.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.stats import binned
from ifuview.model.checks import Array

WIDTHS = (45.0, 90.0)  # Angstrom, sigma of the bumps: one between the two is found with 95 % of its significance
RADII = (35.0, 60.0, 100.0)  # mm, sigma of a region
STEP = 1.5  # bumps a width
SMOOTH_TERMS = 3  # of the parabola that a spectrum may have of its own
LEFT = 0.25  # of the power of a bump that the parabola must leave
PIXEL, CLIP, OWN = 4.0, 3.0, 9.0  # sigma that a bin, and a fiber, can count; that tell the bumps of a fiber
EVERY = 6  # fibers: the places that are asked for
QUIET = 0.5  # of their noise that the answers must be believed to scatter
EDGE = 0.3  # of the light: where a region ends


@dataclass(frozen=True, slots=True)
class LitRegion:
    """A place that has light.

    Parameters
    ----------
    fibers : tuple of int
        That have a good part of it.
    center : (float, float), mm
    wave, width : float, Angstrom
        Of the bump.
    level : float
        Of its middle over the rest of the field, counts.
    score : float, sigma
    """

    fibers: tuple[int, ...]
    center: tuple[float, float]
    wave: float
    width: float
    level: float
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The fibers that take part.

    Parameters
    ----------
    fiber : ndarray of int, shape (nused,)
    x, y : ndarray, shape (nused,), mm
    natural : ndarray, shape (nused, nterm)
        Patterns over the fibers that are no region: a gradient of the sky, the half of the detector.
    """

    fiber: Array
    x: Array
    y: Array
    natural: Array


def brightest(rest: Array, sigma: Array, wave: Array, field: Places) -> LitRegion | None:
    """The region that stands out most; None without fibers.

    Parameters
    ----------
    rest : ndarray, shape (nused, nbin)
        Light that is left after sky, lines and continuum, in bins of BIN pixels, weighted; 0 where unknown.
    sigma, wave : ndarray, shape (nwave,)
        Noise and wavelength of a pixel.
    """
    if field.fiber.size < 2 * EVERY:
        return None
    noise = (BIN * binned(sigma**-2.0, BIN)) ** -0.5
    shapes, centers, widths, norms = _bumps(binned(wave, BIN), noise)
    raw = np.clip(rest / noise, -PIXEL, PIXEL).astype(np.float32) @ shapes.T
    natural = np.column_stack([np.ones(raw.shape[0]), field.natural])
    whole = np.linalg.qr(natural)[0].astype(np.float32)
    raw -= whole @ (whole.T @ np.clip(raw, -OWN, OWN))
    own = np.maximum(1.0, np.sqrt(np.mean(np.clip(raw, -OWN, OWN) ** 2, axis=1)))
    answer = np.clip(raw, -CLIP, CLIP) / own[:, None]
    basis = np.linalg.qr(natural / own[:, None])[0].astype(np.float32)
    answer -= basis @ (basis.T @ answer)
    quiet = (own[:, None] ** -2.0).astype(np.float32)  # fibers with the weight that they have in a region
    scatter = np.maximum(np.sqrt(np.sum(quiet * answer**2, axis=0) / np.sum(quiet)), QUIET)
    far = (field.x[::EVERY, None] - field.x) ** 2 + (field.y[::EVERY, None] - field.y) ** 2
    best: tuple[float, LitRegion | None] = 0.0, None
    for radius in RADII:
        near = np.exp(-0.5 * far / radius**2).astype(np.float32) / own.astype(np.float32)
        near -= (near @ basis) @ basis.T
        power = np.sqrt(np.sum(near**2, axis=1))
        score = (near @ answer) / power[:, None] / scatter
        place, k = (int(i) for i in np.unravel_index(int(np.argmax(score)), score.shape))
        if score[place, k] > best[0]:
            inside = np.exp(-0.5 * far[place] / radius**2) > EDGE
            best = float(score[place, k]), LitRegion(
                tuple(int(f) for f in field.fiber[inside]),
                (float(field.x[place * EVERY]), float(field.y[place * EVERY])), float(centers[k]), float(widths[k]),
                float(score[place, k] * scatter[k] / power[place] / norms[k]), float(score[place, k]),
            )  # fmt: skip
    return best[1]


def _bumps(wave: Array, noise: Array) -> tuple[Array, Array, Array, Array]:
    """Matched filters of unit length for all bumps, without a parabola, their centers and widths, and their power.

    Shapes (nbump, nbin), then (nbump,) three times.
    """
    u = np.linspace(-1.0, 1.0, wave.size)
    own = np.linalg.qr((np.stack([u**k for k in range(SMOOTH_TERMS)]) / noise).T)[0]
    at = [(c, w) for w in WIDTHS for c in np.arange(wave[0] + w, wave[-1] - w, w / STEP)]
    centers, widths = np.array(at).T
    bumps = np.exp(-0.5 * ((wave - centers[:, None]) / widths[:, None]) ** 2) / noise
    left = bumps - (bumps @ own) @ own.T
    power, whole = np.sum(left**2, axis=1), np.sum(bumps**2, axis=1)
    keep = power > LEFT * whole
    norm = np.sqrt(power[keep])
    return (left[keep] / norm[:, None]).astype(np.float32), centers[keep], widths[keep], norm

"""Light that neighbors on the slit have at the same wavelengths and the others have not: any run, any place, any width.

Every fiber is asked for bumps of a few widths at all wavelengths, by matched filters; each counts by no more than CLIP
sigma, so that a line of one target makes no run, and by less where its spectrum has such bumps everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.search.deviating import FINE
from ifuview.engine.night.search.scan import Span, spans
from ifuview.engine.night.stats import binned
from ifuview.model.checks import Array

WIDTHS = (5.0, 12.0, 30.0)  # px, sigma of the bumps
STEP = 1.5  # bumps a width
PIXEL, CLIP = 6.0, 3.0  # sigma that a bin, and a fiber, can count
FREE = 0.5  # of a bump that lines must leave
LIMIT = 6.6  # sigma of a run
LENGTHS = (5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100)
MOST = 3  # found in one camera
REACH = 3.0  # widths of a bump that is found, where nothing else is sought
LEAST_FIBERS = 40
WINDOW, SMOOTH, BY_ITSELF = 7.0, 3, 3.3  # widths beside a bump, terms of what is smooth there, sigma of it over that


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of fibers that has a bump.

    Parameters
    ----------
    span : Span
        Its rows, and the height of the bump, counts.
    wave, width : float, Angstrom
        Center, and sigma.
    """

    span: Span
    wave: float
    width: float


def stretches(
    rest: Array, sigma: Array, wave: Array, line: Array, use: Array, natural: Array, bundle: int
) -> list[Stretch]:
    """The runs that stand out, the most significant first.

    Parameters
    ----------
    rest : ndarray, shape (nfiber, nwave)
        Light that is left after sky and continuum; NaN where unknown.
    sigma, wave : ndarray, shape (nwave,)
        Noise and wavelength of a pixel.
    line : ndarray of bool, shape (nwave,)
        Pixels of strong lines: they take no part.
    use : ndarray of bool, shape (nfiber,)
    natural : ndarray, shape (nfiber, nterm)
        Patterns over the fibers that are no run: a gradient of the sky.
    bundle : int
        Fibers of a bundle: whole ones are preferred where the data hardly tell.
    """
    at = np.flatnonzero(use)
    if at.size < LEAST_FIBERS:
        return []
    noise = binned(sigma, FINE) / np.sqrt(FINE)
    free = binned((~line).astype(float), FINE)
    shapes, centers, widths, norms = _bumps(noise, free)
    known = np.nan_to_num(binned(rest[at], FINE))
    raw = np.clip(known / noise, -PIXEL, PIXEL).astype(np.float32) @ shapes.T
    raw -= np.median(raw, axis=0)
    basis = np.linalg.qr(np.column_stack([np.ones(at.size), natural[at]]))[0].astype(np.float32)
    raw -= basis @ (basis.T @ np.clip(raw, -CLIP, CLIP))
    raw /= np.maximum(1.0, np.sqrt(np.mean(np.clip(raw, -CLIP, CLIP) ** 2, axis=1)))[:, None]
    answer = np.clip(raw, -CLIP, CLIP)
    answer /= np.maximum(1.0, np.sqrt(np.mean(answer**2, axis=0)))
    out: list[Stretch] = []
    scale = float(np.median(np.diff(wave)))
    for _ in range(MOST):
        score, k = _strongest(answer)
        if score < LIMIT:
            break
        value, error = np.zeros(use.size), np.full(use.size, np.inf)
        value[at], error[at] = raw[:, k] / norms[k], 1.0 / norms[k]
        found = [s for s in spans(value, error, use, run=LIMIT, snap=bundle) if s.last - s.first >= LENGTHS[0]]
        own = known / noise
        found = [s for s in found if _by_itself(own[(at >= s.first) & (at < s.last)], noise, centers[k], widths[k])]
        out += [Stretch(s, float(np.interp(centers[k], np.arange(wave.size), wave)), widths[k] * scale) for s in found]
        reach = REACH * (widths + widths[k])
        answer[:, np.abs(centers - centers[k]) < reach] = 0.0
    return out


def _by_itself(own: Array, noise: Array, center: float, width: float) -> bool:
    """Whether fibers have a bump by itself, and not the slope or the side of something wider in one of them.

    Parameters
    ----------
    own : ndarray, shape (nfiber, nbin)
        Their light in units of its noise.
    noise : ndarray, shape (nbin,)
    center, width : float, px
    """
    away = ((np.arange(noise.size) + 0.5) * FINE - center) / width
    near = np.abs(away) < WINDOW
    shapes = np.stack([np.exp(-0.5 * away[near] ** 2), *(away[near] ** k for k in range(SMOOTH))]) / noise[near]
    cover = np.linalg.inv(shapes @ shapes.T)
    values = (cover[0] @ shapes) @ np.clip(own[:, near], -PIXEL, PIXEL).T / np.sqrt(cover[0, 0])
    return bool(abs(np.clip(values, -CLIP, CLIP).sum()) > BY_ITSELF * np.sqrt(values.size))


def _strongest(answer: Array) -> tuple[float, int]:
    """The highest score of a run, and its bump."""
    sums = np.concatenate([np.zeros((1, answer.shape[1]), np.float32), np.cumsum(answer, axis=0, dtype=np.float32)])
    best = np.zeros(answer.shape[1])
    for length in LENGTHS:
        if length < answer.shape[0]:
            best = np.maximum(best, np.abs(sums[length:] - sums[:-length]).max(axis=0) / np.sqrt(length))
    k = int(np.argmax(best))
    return float(best[k]), k


def _bumps(noise: Array, free: Array) -> tuple[Array, Array, Array, Array]:
    """Matched filters of unit length, their centers and widths in pixels, and their power: (nbump, nbin), (nbump,)."""
    column = (np.arange(noise.size) + 0.5) * FINE
    at = [(c, w) for w in WIDTHS for c in np.arange(2 * w, column[-1] - 2 * w, w / STEP)]
    centers, widths = np.array(at).T
    away = (column - centers[:, None]).astype(np.float32) / widths[:, None].astype(np.float32)
    bumps = np.exp(np.float32(-0.5) * away * away) / noise.astype(np.float32)
    whole = np.einsum("bk,bk->b", bumps, bumps)
    bumps *= free > 0.99
    power = np.einsum("bk,bk->b", bumps, bumps)
    keep = power > FREE * whole
    norm = np.sqrt(power[keep])
    return bumps[keep] / norm[:, None], centers[keep], widths[keep], norm

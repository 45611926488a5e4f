"""Charge that lags behind in one amplifier: lines with a tail, or light of a fiber in the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ifuview.engine.night.search.templates import rough, shapes
from ifuview.engine.night.stats import mad
from ifuview.model.checks import Array

TAIL = (0.5, 0.3, 0.2)  # of what lags, in the next pixels
SOURCES = 60  # fibers with most features
CLIP = 6.0  # sigma of a fiber's answer
COUNTS = 3.0  # sigma that a fiber counts in the mean of all


def along(
    sharp: Array, weight: Array, sky: Array, where: Mapping[str, Array], beside: Mapping[str, Sequence[str]]
) -> dict[str, tuple[float, float]]:
    """(part of the light that trails, its significance) of each amplifier over those that see the same wavelengths.

    All fibers have the noise of the one sky model, and whatever it gets wrong, at the same wavelengths: that is no
    part of the difference between amplifiers beside each other, and would be of each of them.

    Parameters
    ----------
    sharp, weight : ndarray, shape (nfiber, nwave)
    sky : ndarray, shape (nwave,)
    where : mapping of amplifier to ndarray of bool, shape (nfiber, nwave)
    beside : mapping of amplifier to those that read the same rows
    """
    of = shapes(sky, np.arange(sky.size, dtype=float))
    tail = tailed(sky) - sky
    tail = np.where(np.abs(of[0]) > 0, tail - rough(tail), 0.0)
    design = np.stack([tail, of[0]])
    use = np.flatnonzero(np.abs(design).sum(axis=0) > 0)
    if use.size < 20:
        return {}
    w, shape = weight[:, use], design[:, use]
    part = sharp[:, use] - clipped_mean(sharp[:, use], w)
    own = {}
    for name, area in where.items():
        inside = w * area[:, use]
        normal = np.einsum("fk,ik,jk->fij", inside, shape, shape, optimize=True)
        right = np.einsum("fk,ik,fk->fi", inside, shape, part, optimize=True)
        own[name] = _robust(normal, right)
    out = {}
    for name, (value, error) in own.items():
        partners = [own[n] for n in beside.get(name, ()) if n in own]
        if not partners or not np.isfinite([error, *(e for _, e in partners)]).all():
            continue
        away = value - float(np.mean([v for v, _ in partners]))
        of_others = float(np.hypot.reduce([e for _, e in partners])) / len(partners)
        out[name] = away, abs(away) / max(float(np.hypot(error, of_others)), 1e-12)
    return out


def clipped_mean(values: Array, weight: Array) -> Array:
    """Weighted mean of all fibers in which none counts more than a few sigma, shape (nwave,)."""
    noise = 1 / np.sqrt(np.where(weight > 0, weight, np.inf))
    total = np.maximum(weight.sum(axis=0), 1e-30)
    return np.asarray((weight * np.clip(values, -COUNTS * noise, COUNTS * noise)).sum(axis=0) / total)


def tailed(values: Array) -> Array:
    """What arrives late, shape of `values`."""
    late = np.zeros_like(values, dtype=np.float64)
    for step, share in enumerate(TAIL, 1):
        late[..., step:] += share * values[..., :-step]
        late[..., :step] += share * values[..., :1]
    return late


def _robust(normal: Array, right: Array) -> tuple[float, float]:
    """First unknown of all fibers together, without fibers that contradict, and its error; infinite if unknown."""
    own = normal[:, 0, 0]
    keep = known = own > 0
    value, error = 0.0, np.inf
    for _ in range(3):
        if not keep.any():
            return 0.0, np.inf
        total = normal[keep].sum(axis=0) + 1e-12 * np.eye(2)
        solution = np.linalg.solve(total, right[keep].sum(axis=0))
        value, error = float(solution[0]), float(np.sqrt(np.linalg.inv(total)[0, 0]))
        z = np.where(known, (right[:, 0] - normal[:, 0] @ solution) / np.sqrt(np.maximum(own, 1e-12)), 0.0)
        scale = max(1.0, float(mad(z[known])))
        keep = known & (np.abs(z) < CLIP * scale)
        error *= scale
    return value, error


def across(sharp: Array, weight: Array, where: dict[str, Array]) -> dict[str, tuple[float, float]]:
    """(part of a fiber's light in the next one, its significance) of each amplifier: what one side has over the other.

    The features of the fibers that have most are looked for in their neighbors: what is on one side only is charge.
    """
    noise = np.where(weight > 0, 1 / np.where(weight > 0, weight, 1.0), 0.0)
    out = {}
    for name, area in where.items():
        power = np.sum(np.where(area, weight, 0.0) * sharp**2, axis=1)
        power[:1] = power[-1:] = 0.0
        chosen = np.argsort(-power)[:SOURCES]
        chosen = chosen[power[chosen] > 0]
        if chosen.size < 5:
            continue
        source, error = sharp[chosen].astype(np.float64), noise[chosen]
        (a, sa), (b, sb) = (_neighbor(source, error, sharp, np.where(area, weight, 0.0), chosen, k) for k in (1, -1))
        out[name] = a - b, abs(a - b) / max(float(np.hypot(sa, sb)), 1e-12)
    return out


def _neighbor(
    source: Array, error: Array, sharp: Array, weight: Array, chosen: Array, step: int
) -> tuple[float, float]:
    """Part of the sources in the fibers beside them, and its error."""
    w = np.where(weight[chosen] > 0, weight[chosen + step], 0.0)
    norm = np.sum(w * (source**2 - error), axis=1)
    power = np.sum(w * source**2, axis=1)
    answer = np.sum(w * source * sharp[chosen + step], axis=1)
    use = norm > 0.2 * power
    if not use.any():
        return 0.0, np.inf
    each = answer[use] / norm[use]
    own = np.sqrt(power[use]) / norm[use]
    keep = np.abs(each - np.median(each)) < CLIP * np.maximum(own, float(mad(each)))
    best = np.average(each[keep], weights=own[keep] ** -2.0)
    scatter = max(1.0, float(mad((each - best) / own)))
    return float(best), float(scatter / np.sqrt(np.sum(own[keep] ** -2.0)))

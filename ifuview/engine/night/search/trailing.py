"""Charge that lags behind in one amplifier: lines with a tail, or light of a fiber in the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.noise import bounds
from ifuview.engine.night.search.scan import Span, spans
from ifuview.engine.night.search.templates import rough, shapes
from ifuview.engine.night.stats import mad
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array

TAIL = (0.5, 0.3, 0.2)  # of what lags, in the next pixels
SOURCES = 60  # fibers with most features
CLIP = 6.0  # sigma of a fiber's answer
LEAST_FIBERS = 5  # that tell what their neighbors have
FAR = 4.0  # scatters of a fiber that is left out
ONE_SIDED = 0.012  # of the light of a neighbor on one side that a fiber may have by itself: no charge
LEAST_TAIL = 1e-6  # of what is known of a tail, that the place of the lines leaves
MOST_OF_IT = 0.6  # of the fibers of an amplifier: fewer that lag behind are no amplifier
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
    w, part, shape = weight[:, use], sharp[:, use], design[:, use]
    pairs = (shape[:, None] * shape[None]).reshape(4, -1).T
    part -= clipped_mean(part, w)
    sums: dict[str, tuple[Array, Array]] = {}
    for name, area in where.items():
        fibers, columns = bounds(area)
        within = slice(*np.searchsorted(use, (columns.start, columns.stop)))
        inside = w[fibers, within] * area[fibers, use[within]]
        normal, right = np.zeros((len(sharp), 2, 2)), np.zeros((len(sharp), 2))
        normal[fibers] = (inside @ pairs[within]).reshape(-1, 2, 2)
        right[fibers] = (inside * part[fibers, within]) @ shape[:, within].T
        sums[name] = normal, right
    own = {}
    runs: dict[frozenset[str], list[Span]] = {}
    for name, (normal, right) in sums.items():
        pair = frozenset({name, *beside.get(name, ())} & sums.keys())
        if pair not in runs:
            normals, rights = ([sums[n][k] for n in pair] for k in range(2))
            runs[pair] = _trailing_runs(np.sum(normals, axis=0), np.sum(rights, axis=0))
        apart = _part_of(runs[pair], normal[:, 0, 0] > 0)
        own[name] = _robust(np.where(apart[:, None, None], 0.0, normal), np.where(apart[:, None], 0.0, right))
    out = {}
    for name, (value, error) in own.items():
        partners = [own[n] for n in beside.get(name, ()) if n in own]
        if not partners or not np.isfinite([error, *(e for _, e in partners)]).all():
            continue
        away = value - float(np.mean([v for v, _ in partners]))
        of_others = float(np.hypot.reduce([e for _, e in partners])) / len(partners)
        out[name] = away, abs(away) / max(float(np.hypot(error, of_others)), 1e-12)
    return out


def _trailing_runs(normal: Array, right: Array) -> list[Span]:
    """Runs of fibers that lag behind by another part than the others, of normal equations (nfiber, 2, 2), (nfiber, 2).

    The place of the lines is fitted, too.
    """
    place = np.maximum(normal[:, 1, 1], 1e-30)
    tail = normal[:, 0, 0] - normal[:, 0, 1] ** 2 / place
    known = tail > LEAST_TAIL * normal[:, 0, 0]
    value = np.where(known, right[:, 0] - normal[:, 0, 1] / place * right[:, 1], 0.0) / np.where(known, tail, 1.0)
    return spans(value, np.where(known, tail, np.inf) ** -0.5, known, single=np.inf)


def _part_of(runs: list[Span], area: Array) -> Array:
    """Fibers of an amplifier in runs that are a part of it, shape (nfiber,): charge lags behind in all its fibers."""
    out = np.zeros(area.size, bool)
    for run in runs:
        part = slice(run.first, run.last)
        if np.count_nonzero(area[part]) < MOST_OF_IT * np.count_nonzero(area):
            out[part] |= area[part]
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


def across(
    sharp: Array, weight: Array, where: Mapping[str, Array], empty: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """(part of a fiber's light in the next one, its significance) of each amplifier: what one side has over the other.

    The features of the fibers that have most are looked for in their neighbors: what is on one side only is charge.
    What sky fibers show of their neighbors is joined; see `into_empty`.
    """
    out = {}
    for name, area in where.items():
        values = [empty[name]] if name in empty else []
        box = fibers, columns = bounds(area)
        power = np.zeros(len(sharp), np.float32)
        power[fibers] = np.einsum("fk,fk->f", weight[box] * area[box], sharp[box] ** 2)
        power[:1] = power[-1:] = 0.0
        chosen = np.argsort(-power)[:SOURCES]
        chosen = chosen[power[chosen] > 0]
        if chosen.size >= LEAST_FIBERS:
            light, sure = sharp[:, columns], weight[:, columns]
            own = np.where(area[:, columns], sure, np.float32(0.0))
            known = sure[chosen] > 0
            noise = np.where(known, 1 / np.where(known, sure[chosen], 1.0), 0.0)
            source = light[chosen].astype(np.float64)
            (a, sa), (b, sb) = (_neighbor(source, noise, light, own, chosen, k) for k in (1, -1))
            values.append((a - b, float(np.hypot(sa, sb))))
        power_of = [(v, e**-2.0) for v, e in values if np.isfinite(e) and e > 0]
        if power_of:
            total = sum(p for _, p in power_of)
            value = sum(v * p for v, p in power_of) / total
            out[name] = value, abs(value) * total**0.5
    return out


def into_empty(of: Levels, where: Mapping[str, Array], empty: Array, scatter: float) -> dict[str, tuple[float, float]]:
    """(what sky fibers have more of the fiber before than of the one after, its error) of each amplifier.

    All light of the neighbors tells, lines or not; a sky fiber may have a level of its own, like the sky's, that
    scatters as those of the others do.

    Parameters
    ----------
    of : Levels
    where : mapping of amplifier to ndarray of bool, shape (nfiber, nbin)
    empty : ndarray of bool, shape (nfiber,)
    scatter : float
        Of the levels of sky fibers, part of the sky.
    """
    fibers = np.flatnonzero(empty[1:-1]) + 1
    if not np.isfinite(of.share[fibers]).any():
        return {}
    before, after = of.value[fibers - 1], of.value[fibers + 1]
    design = np.stack([(before - after) / 2, (before + after) / 2, np.broadcast_to(of.sky, before.shape)])
    known = np.isfinite(of.error[fibers - 1]) & np.isfinite(of.error[fibers + 1])
    values = of.value[fibers] - float(np.nanmedian(of.share[fibers])) * of.sky  # a level of all is the sky model's
    out = {}
    for name, area in where.items():
        inside = known & area[fibers]
        w = np.where(inside, of.error[fibers], np.inf) ** -2.0
        normal = np.einsum("fk,ifk,jfk->fij", w, design, design, optimize=True)
        right = np.einsum("fk,ifk,fk->fi", w, design, values, optimize=True)
        normal[:, 2, 2] += max(scatter, 1e-4) ** -2.0
        misfit = _misfit(w, design, values, normal, right)
        normal, right = normal / misfit[:, None, None], right / misfit[:, None]
        gone = normal[:, :2, 2] / normal[:, 2, 2, None]
        normal, right = (
            normal[:, :2, :2] - gone[:, :, None] * normal[:, None, 2, :2],
            right[:, :2] - gone * right[:, 2:],
        )
        natural = np.eye(2) + ONE_SIDED**2 * normal  # no fiber tells more than the natural scatter lets it
        use = w.any(axis=1)
        if np.count_nonzero(use) >= LEAST_FIBERS:
            out[name] = _robust(
                np.linalg.solve(natural, normal)[use], np.linalg.solve(natural, right[..., None])[use, :, 0]
            )
    return out


def _of_all(value: Array, error: Array) -> tuple[float, float]:
    """Weighted mean without what lies far from the median, and its error by the scatter."""
    away = np.abs(value - np.median(value)) / error
    keep = away < FAR * max(1.0, MAD_TO_SIGMA * float(np.median(away)))
    weight = np.where(keep, error, np.inf) ** -2.0
    best = float(np.sum(weight * value) / weight.sum())
    scatter = max(1.0, float(mad((value - best) / error)))
    return best, scatter * float(weight.sum() ** -0.5)


def _misfit(weight: Array, design: Array, values: Array, normal: Array, right: Array) -> Array:
    """Mean chi2 of the bins of each fiber over its own fit, at least 1: other light of its own tells of no neighbor."""
    ridge = 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(normal.shape[1])
    own = np.linalg.solve(normal + ridge + 1e-30 * np.eye(normal.shape[1]), right[..., None])[..., 0]
    rest = values - np.einsum("fi,ifk->fk", own, design)
    free = np.maximum((weight > 0).sum(axis=1) - normal.shape[1], 1)
    return np.asarray(np.maximum(np.sum(weight * rest**2, axis=1) / free, 1.0))


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
    each, own = answer[use] / norm[use], np.sqrt(power[use]) / norm[use]
    return _of_all(each, np.hypot(own, ONE_SIDED))

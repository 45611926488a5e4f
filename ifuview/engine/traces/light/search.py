"""Light without a trace, and how far a trace lies from its light, in a coarse search."""

from __future__ import annotations

import numpy as np

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, MEDIAN_ERROR, median_along
from ifuview.model.checks import Array

WIDE_GAP = 1.6  # of the spacing; room for light without a trace

MIN_BLOCK = 5  # fibers
UNLIKELY = 2.0  # a block that begins without a gap, or a wide gap elsewhere, counts like so many empty places
NEAREST = 0.6  # of the spacing; nearest place of such light to a slot

OUTSIDE = 3.0  # spacings beyond the first and last slot that are searched

PARTS = 16  # that these columns are averaged in before the median

FAINT = 0.02  # of the neighbors' light

CERTAIN = 6.0  # sigma of light without a trace, in three rows ...

DARK = 0.25  # ... above the level below which so many rows lie

NEAR = 0.42  # of the spacing, but at most:

NEAR_PX = 3.0  # px, coarse search for light beside a trace

AGREEING = 0.3  # of the slots that must show light in a part of the columns to say that all are shifted there

SEEN = 0.7  # of the rows about a slot, that tell of a shift: beside a mask the wing of a neighbor is the brightest

COARSE = 0.7  # px, nearer light is left to the fit

BROAD = 0.2  # height of both neighbors over the peak; less is a hot row ...

FEW, NARROWER = 0.1, 0.5  # ... or this part of what nearly all fibers have, if smaller

COMB = (1.7, 2.3)  # spacings of a gap with one empty place


def strips(few: Array, usable: Array, path: Array, reach: int) -> Array:
    """Counts at the rows around paths, shape (nslot, ncolumn, 2 * reach + 1); NaN outside and where unusable."""
    nrow = few.shape[1]
    middle = np.where(np.isfinite(path), np.round(np.nan_to_num(path)), -10 * reach - 10).astype(np.intp)
    rows = middle[..., None] + np.arange(-reach, reach + 1)
    inside = (rows >= 0) & (rows < nrow)
    rows = np.clip(rows, 0, nrow - 1)
    x = np.arange(few.shape[0])[None, :, None]
    return np.where(inside & usable[x, rows], few[x, rows], np.nan)


def _parts(values: Array, axis: int) -> Array:
    """Means of PARTS groups along an axis, NaN ignored."""
    n = values.shape[axis]
    edges = np.unique(np.round(np.linspace(0, n, min(n, PARTS) + 1)).astype(int))
    known = np.isfinite(values)
    total = np.add.reduceat(np.where(known, values, 0), edges[:-1], axis=axis)
    count = np.add.reduceat(known.astype(np.float32), edges[:-1], axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan)


def coarse_shift(few: Array, usable: Array, path: Array, chosen: Array, ncol: int, spacing: float) -> Array:
    """Shift of each slot towards light that is too far away for the fit, shape (nslot, ncol), px; mostly zero."""
    reach = max(1, int(np.ceil(min(NEAR_PX, NEAR * spacing)))) + 1
    part = _parts(strips(few, usable, path, reach), 1)
    level = np.nan_to_num(part - np.nanmin(part, axis=2, keepdims=True, initial=np.inf, where=np.isfinite(part)))
    soft = (level[..., :-2] + 2 * level[..., 1:-1] + level[..., 2:]) / 4
    best = soft.argmax(axis=2)
    peak = soft.max(axis=2)
    usual = np.median(peak)
    inner = np.clip(best, 1, soft.shape[2] - 2)
    i, j = np.indices(best.shape)
    a, b, c = soft[i, j, inner - 1], soft[i, j, inner], soft[i, j, inner + 1]
    curve = a - 2 * b + c
    with np.errstate(invalid="ignore", divide="ignore"):
        offset = np.where(curve < 0, 0.5 * (a - c) / curve, 0) + inner - (soft.shape[2] // 2)
    sure = (best == inner) & (peak > 0.2 * usual) & (np.isfinite(part).mean(axis=2) > SEEN)
    offset = np.where(sure, offset, np.nan)
    told = np.isfinite(offset).sum(axis=0) >= max(1.0, AGREEING * offset.shape[0])  # a few may be cosmic rays
    common = np.where(told, median_along(offset.T), np.nan)  # of all slots, by part
    part_of = np.arange(common.size)
    common = np.interp(part_of, part_of[told], common[told]) if told.any() else np.zeros(common.size)
    own = median_along(offset - common)
    own = np.where(np.isfinite(own) & (np.abs(own) > COARSE), own, 0)
    total = np.where(np.abs(common) > COARSE / 2, common, 0)[None] + own[:, None]
    if not total.any():
        return np.zeros((1, ncol))
    where = np.linspace(0, chosen.size, total.shape[1] + 1)
    at = np.interp((where[:-1] + where[1:]) / 2, np.arange(chosen.size), chosen)
    return np.array([np.interp(np.arange(ncol), at, row) for row in total])


def untraced(few: Array, usable: Array, path: Array, spacing: float) -> list[tuple[int, float]]:
    """Light without a trace, as (slot below it, distance above that slot); slot -1 means below the first."""
    if not np.isfinite(spacing):
        return []
    middle = np.median(path, axis=1)
    gaps = np.diff(middle)
    out: list[tuple[int, float]] = []
    some = _parts(strips(few, usable, path[:: max(1, path.shape[0] // 64)], 3), 1)
    reference, broad = np.nanmedian(some[:, :, 2:5].max(axis=2)), breadth(some)
    for k in (-1, *np.flatnonzero(gaps > WIDE_GAP * spacing), path.shape[0] - 1):
        outer = k in (-1, path.shape[0] - 1)
        length = OUTSIDE * spacing if outer else gaps[k]
        reach = int(length)
        base = path[max(k, 0)][None]
        strip = strips(few, usable, base, reach)[0]
        along = strip[:, :reach][:, ::-1] if k == -1 else strip[:, reach + 1 :]
        for at in _peaks(_parts(along, 0), spacing, length, outer, reference, broad):
            out.append((k, -at if k == -1 else at))
    return out


def breadth(some: Array) -> float:
    """Least height of both neighbors of a peak over that of the peak, for light that is as broad as a fiber's.

    Parameters
    ----------
    some : (nslot, npart, nrow)
        Counts about the paths of fibers.
    """
    with np.errstate(invalid="ignore"):
        peak = np.argmax(np.where(np.isfinite(some), some, -np.inf)[:, :, 1:-1], axis=2)[..., None] + 1
        low = np.min(np.where(np.isfinite(some), some, np.inf), axis=2)
        top, below, above = (np.take_along_axis(some, peak + d, axis=2)[..., 0] - low for d in (0, -1, 1))
        ratio = np.minimum(below, above) / top
    ratio = ratio[np.isfinite(ratio) & (top > 0)]
    return float(min(BROAD, NARROWER * np.quantile(ratio, FEW))) if ratio.size else BROAD


def _peaks(parts: Array, spacing: float, length: float, outer: bool, reference: float, least: float) -> list[float]:
    """Distances of fiber-like maxima of the median over the parts; parts (npart, nrow), first row at distance 1."""
    some = np.isfinite(parts).any(axis=0)
    if some.sum() < 5:
        return []
    parts = parts[:, some]
    profile = np.nanmedian(parts, axis=0)
    scatter = MAD_TO_SIGMA * np.nanmedian(np.abs(parts - profile), axis=0)
    error = MEDIAN_ERROR * float(np.median(scatter)) / np.sqrt(parts.shape[0])
    three = np.convolve(profile - np.quantile(profile, DARK), np.ones(3), "same")  # the lowest row is low by chance
    profile = profile - np.nanmin(profile)
    distance = np.flatnonzero(some) + 1.0
    inside = (distance > NEAREST * spacing) & (outer | (distance < length - NEAREST * spacing))
    found: list[float] = []
    for i in np.argsort(-profile):
        if not inside[i] or not 0 < i < profile.size - 1:
            continue
        height = profile[i]
        if height < FAINT * reference:
            break
        is_peak = profile[i] >= profile[i - 1] and profile[i] >= profile[i + 1]
        is_peak &= three[i] > CERTAIN * np.sqrt(3) * error
        broad = min(profile[i - 1], profile[i + 1]) >= least * height  # not one hot row
        if is_peak and broad and all(abs(distance[i] - d) > NEAREST * spacing for d in found):
            a, b, c = profile[i - 1 : i + 2]
            found.append(float(distance[i] + (0.5 * (a - c) / (a - 2 * b + c) if a - 2 * b + c < 0 else 0)))
    return sorted(found)


def comb_holes(path: Array, spacing: float, number: int) -> list[tuple[int, float]]:
    """Places for fibers without light: gaps of two spacings that are not the regular gaps between blocks.

    Parameters
    ----------
    path : (nslot, ncol), px
    spacing : float, px
    number : int
        At most so many.

    Returns
    -------
    list of (slot below, distance above it)
    """
    gaps = np.diff(np.median(path, axis=1)) / spacing
    wide = np.flatnonzero(gaps > COMB[0])
    single = set(np.flatnonzero((gaps > COMB[0]) & (gaps < COMB[1])).tolist())
    if not single or not np.isfinite(spacing):
        return []
    best: tuple[float, list[int]] = (float("inf"), [])
    for size in range(MIN_BLOCK, gaps.size + 2 + len(single)):
        cost, holes, shift = 0.0, [], 0
        seen = set()
        for k in wide.tolist():
            count = k + 1 + shift
            if count % size == 0:
                seen.add(count // size)
            elif k in single:
                holes.append(k)
                shift += 1
                if (count + 1) % size == 0:
                    seen.add((count + 1) // size)
            else:
                cost += UNLIKELY
        cost += len(holes) + UNLIKELY * max((gaps.size + shift) // size - len(seen), 0)
        cost += UNLIKELY * ((gaps.size + 1 + shift) % size > 0)  # a block is cut off at the end
        if cost < best[0]:
            best = (cost, holes)
    return [(int(k), float(gaps[k] * spacing / 2)) for k in best[1][:number]]


def brightness(few: Array, usable: Array, path: Array) -> Array:
    """Light of each slot over that of its neighbors, shape (nslot,)."""
    level = np.empty(path.shape[0])
    for start in range(0, path.shape[0], 64):  # in pieces: less memory
        part = slice(start, start + 64)
        strip = _parts(strips(few, usable, path[part], 2), 1)
        low = np.where(np.isfinite(strip).any(axis=2), np.nan_to_num(strip, nan=np.inf).min(axis=2), 0)
        top = np.nan_to_num(strip[..., 1:4], nan=-np.inf).max(axis=2)
        with np.errstate(invalid="ignore"):
            level[part] = median_along(np.where(np.isfinite(top), top - low, np.nan))
    usual = median_along(level[None])[0]
    return np.nan_to_num(level / usual) if usual > 0 else np.ones(level.size)

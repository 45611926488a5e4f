"""What the patterns leave: the misfit of clusters of fibers, a map of it, and what all fibers share bin by bin."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.engine.traces.doctor.patterns.equations import LAG, OUTLIER, coarse, own_scatter
from ifuview.engine.traces.doctor.patterns.shapes import CLUSTERS, MEMBERS, parts_of
from ifuview.model.checks import Array

MAP_DEGREES = (0, 2, 4, 8)  # of the map of what is left along dispersion
MAP_PRIOR = 0.5  # px, of its terms
MAP_FIBERS = (3, 6, 12, 25)  # in a run of it
BENT_BINS = 4
MEDIAN_ERROR = 1.25  # error of a median over that of a mean
TILT = 0.4  # rise inside of a block over the step to the next, of what is no shift of blocks
TILT_FIBERS = 3  # of a block, and blocks, that tell of a tilt


def model_floor(
    residual: Array, error: Array, used: Array, clusters: Array, block: Array, together: float = 1.0
) -> tuple[float, float]:
    """Rms of what the fibers of a cluster share in a coarse bin, beyond noise and scatter, and its error; px.

    Zero unless it exceeds what noise and the scatter of single fibers would give by two of its errors. What varies
    along dispersion counts by itself: no fiber that is off everywhere moves it.
    """
    seen = _clusters(residual, error, used, clusters, block, together)
    count = np.maximum(seen.known.sum(axis=1, keepdims=True), 1)
    level = seen.whole.sum(axis=1, keepdims=True) / count
    along = (seen.whole - level)[seen.known] * np.sqrt(count / np.maximum(count - 1, 1)).repeat(seen.whole.shape[1], 1)[
        seen.known
    ]
    both = (_excess(seen.mean, seen.noise, seen.scatter_err), _excess(along, seen.noise - seen.own, 0.0))
    return max(both, key=lambda found: found[0])


def _excess(mean: Array, noise: Array, extra: float) -> tuple[float, float]:
    """Rms of means beyond their noise and its error, px; zero unless it is significant."""
    size = np.abs(mean)
    sound = size < OUTLIER * MAD_TO_SIGMA * np.median(size)
    square, expected = mean[sound] ** 2, noise[sound]
    excess = float(np.mean(square - expected))
    excess_err = float(np.hypot(np.std(square - expected) / np.sqrt(sound.sum()), extra))
    if excess < 2 * max(excess_err, float(np.mean(expected)) * np.sqrt(2 / sound.sum())):
        return 0.0, float(np.sqrt(np.mean(expected) / np.sqrt(sound.sum())))
    return float(np.sqrt(excess)), excess_err / (2 * float(np.sqrt(excess)))


def leftover(
    rest: Array, error: Array, used: Array, clusters: Array, block: Array, together: float = 1.0
) -> tuple[float, float, float]:
    """Rms that fibers of a cluster share in a coarse bin beyond noise and scatter, its significance; the largest."""
    seen = _clusters(rest, error, used, clusters, block, together)
    excess = float(np.mean(seen.mean**2 - seen.noise))
    err = float(np.hypot(np.sqrt(2 * np.mean(seen.noise**2) / seen.noise.size), seen.scatter_err))
    mean = seen.whole
    padded = mean if min(mean.shape) < 2 else (mean[1:, 1:] + mean[1:, :-1] + mean[:-1, 1:] + mean[:-1, :-1]) / 4
    return float(np.sqrt(max(excess, 0))), excess / err, float(np.abs(padded).max())


class _Means(NamedTuple):
    """What clusters of fibers share in coarse bins, those that are measured well enough.

    Parameters
    ----------
    mean : (n,), px
    noise : (n,), px^2
        Variance of the mean by noise, and by what fibers do by themselves.
    own : (n,), px^2
        The latter alone.
    known : bool (ncluster, ncoarse)
    whole : (ncluster, ncoarse), px
        The means in their places, zero where they are not measured.
    scatter_err : float, px^2
        Error that the fibers leave in the mean square: one that is off is off in all bins, so that only whole clusters
        are independent.
    """

    mean: Array
    noise: Array
    own: Array
    known: Array
    whole: Array
    scatter_err: float


def _clusters(rest: Array, error: Array, used: Array, clusters: Array, block: Array, together: float) -> _Means:
    weight, value, _ = coarse(rest, error, used, [])
    ncluster = int(clusters.max()) + 1
    sums = np.zeros((3, ncluster, weight.shape[1]))
    for k, part in enumerate((weight, weight * value, (weight > 0).astype(float))):
        np.add.at(sums[k], clusters, part)
    total, pull, count = sums
    known = total > 0.25 * np.median(total[total > 0])
    whole = np.where(known, pull / np.where(known, total, 1), 0)
    own, own_err = own_scatter(value, weight, block)
    usual = float(np.mean(count[known]))
    independent = max(int(known.any(axis=1).sum()), 1)
    scatter_err = float(np.hypot(own * np.sqrt(2 / independent), own_err)) / usual
    alone = own / count[known]
    shared = 1 + (together - 1) * (1 - 1 / np.maximum(count[known], 1))  # of so many neighbors
    return _Means(whole[known], shared / total[known] + alone, alone, known, whole, scatter_err)


def map_of(rest: Array, error: Array, used: Array, block: Array) -> tuple[NDArray[np.float64], float]:
    """What is left as a smooth function of column in runs of fibers, with a slope across them, and its usual error, px.

    The runs are as long, and the function as smooth, as explains the most for the number of terms (Akaike's
    criterion): short for waves over the fibers, whole blocks or nothing at all where the light is faint.
    """
    weight = np.where(used, 1 / np.where(used, error, 1) ** 2, 0)
    best, fewest = np.zeros(rest.shape), 0
    least = float((weight * np.where(used, rest, 0) ** 2).sum())
    highest = max(rest.shape[1] // 4, 0)
    for size in sorted({1, *MAP_FIBERS, max(block.size // CLUSTERS, MEMBERS), block.size}):
        clusters = parts_of(block, size)
        for degree in sorted({min(degree, highest) for degree in MAP_DEGREES}):
            out, terms = _map(rest, weight, used, clusters, degree)
            cost = float((weight * np.where(used, rest - out, 0) ** 2).sum()) + 2 * terms
            if cost < least:
                best, least, fewest = out, cost, terms
    number = max(int(used.sum()), 1)
    return best, float(np.median(error[used])) * float(np.sqrt(min(fewest / number, 1.0)))


def _map(rest: Array, weight: Array, used: Array, clusters: Array, degree: int) -> tuple[NDArray[np.float64], int]:
    """The map for some runs of fibers and a degree along dispersion, and its number of terms."""
    out = np.zeros(rest.shape)
    nbin, terms = rest.shape[1], 0
    along = np.polynomial.legendre.legvander(np.linspace(-1, 1, nbin), degree)
    for c in range(int(clusters.max()) + 1):
        rows = np.flatnonzero(clusters == c)
        across = np.polynomial.legendre.legvander(np.linspace(-1, 1, rows.size), 1 if rows.size > 2 else 0)
        basis = (across[:, None, :, None] * along[None, :, None, :]).reshape(rows.size * nbin, -1)
        w = weight[rows].ravel()
        normal = basis.T @ (w[:, None] * basis)
        normal += np.eye(len(normal)) / MAP_PRIOR**2
        beta = np.linalg.solve(normal, basis.T @ (w * np.where(used[rows], rest[rows], 0).ravel()))
        out[rows] = (basis @ beta).reshape(rows.size, nbin)
        terms += basis.shape[1] if w.any() else 0
    return out, terms


def bent(rest: Array, error: Array, used: Array) -> tuple[float, float]:
    """Rms by which the usual fiber is bent along dispersion beyond noise, px, and its significance.

    Of fibers that are each off in their own way no group shares anything. The median over the fibers: a single one
    that is bent is a problem of that fiber.
    """
    weight, value, _ = coarse(rest, error, used, [])
    seen = weight > 0
    count = seen.sum(axis=1)
    told = count >= BENT_BINS
    if not told.any():
        return 0.0, 0.0
    weight, value, seen, count = weight[told], value[told], seen[told], count[told]
    level = (weight * value).sum(axis=1) / weight.sum(axis=1)
    square = np.where(seen, (value - level[:, None]) ** 2 - (1 - 1 / count[:, None]) / np.where(seen, weight, 1), 0)
    noise = np.sqrt((2 * np.where(seen, 1 / np.where(seen, weight, 1), 0) ** 2).sum(axis=1)) / count
    excess = square.sum(axis=1) / count
    usual = float(np.median(excess))
    return float(np.sqrt(max(usual, 0))), usual / (MEDIAN_ERROR * float(np.median(noise)) / np.sqrt(told.sum()))


def tilted(rest: Array, error: Array, used: Array, level: Array, block: Array) -> bool:
    """Whether what is left goes on inside of the blocks where the shifts of their neighbors differ: no shifts of them.

    Parameters
    ----------
    level : (nblock,), px
        Shift of each block, in the order of the slit.
    """
    weight = np.where(used, 1 / np.where(used, error, 1) ** 2, 0)
    total = weight.sum(axis=1)
    mean = (weight * np.where(used, rest, 0)).sum(axis=1) / np.maximum(total, 1e-30)
    rise, noise = [], []
    for b in np.unique(block):
        rows = np.flatnonzero((block == b) & (total > 0))
        if rows.size < TILT_FIBERS:
            continue
        x = np.linspace(-0.5, 0.5, rows.size)
        x = x - np.average(x, weights=total[rows])
        info = float((total[rows] * x**2).sum())
        rise.append(float((total[rows] * x * mean[rows]).sum()) / info)
        noise.append(1 / info)
    if len(rise) < TILT_FIBERS:
        return False
    inside = float(np.mean(np.square(rise) - noise))
    return inside > TILT**2 * float(np.mean(np.diff(level) ** 2))


def common_wiggle(
    residual: Array, error: Array, used: Array, clusters: Array, floor: float, together: float = 1.0
) -> tuple[Array, Array, float]:
    """Mean residual per bin but for what is the same in all, its error from noise and scatter of clusters, and chi2."""
    weight = np.where(used, 1 / np.where(used, error, 1) ** 2, 0)
    ncluster = int(clusters.max()) + 1
    total, pull = np.zeros((ncluster, residual.shape[1])), np.zeros((ncluster, residual.shape[1]))
    np.add.at(total, clusters, weight)
    np.add.at(pull, clusters, weight * np.where(used, residual, 0))
    whole = total.sum(axis=0)
    known = whole > 0
    mean = np.where(known, pull.sum(axis=0) / np.where(known, whole, 1), np.nan)
    if known.any():
        level = float(np.sum(whole[known] * mean[known]) / np.sum(whole[known]))
        mean, pull = mean - level, pull - total * level
    score = pull - total * np.nan_to_num(mean)[None]
    middle = (score**2).sum(axis=0)
    for lag in range(1, min(LAG, ncluster // 3) + 1):
        middle += 2 * (1 - lag / (LAG + 1)) * (score[lag:] * score[:-lag]).sum(axis=0)
    middle *= ncluster / max(ncluster - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = together / whole
        smooth = _running(np.where(known, np.maximum(middle, 0) / whole**2, np.nan))
        err = np.sqrt(np.maximum(noise, smooth) + floor)
    good = known & ((total > 0).sum(axis=0) >= max(ncluster // 2, 1))
    chi2 = float(np.sum((mean[good] / err[good]) ** 2)) if good.any() else np.nan
    return np.where(good, mean, np.nan), np.where(good, err, np.nan), chi2


def _running(values: Array) -> Array:
    """Mean over five bins: the scatter of few clusters is itself uncertain."""
    known = np.isfinite(values)
    kernel = np.ones(5)
    total = np.convolve(np.where(known, values, 0), kernel, "same")
    count = np.convolve(known.astype(float), kernel, "same")
    return total / np.maximum(count, 1)


def chi2_deviate(chi2: float, dof: int) -> float:
    """Normal deviate that is as unlikely as a chi2 this large (Wilson and Hilferty 1931), 0 without freedom."""
    if dof < 1:
        return 0.0
    scale = 2 / (9 * dof)
    return ((chi2 / dof) ** (1 / 3) - (1 - scale)) / sqrt(scale)

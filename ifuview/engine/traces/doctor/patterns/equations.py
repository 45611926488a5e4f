"""Normal equations of all patterns by cluster of fibers: amplitudes, and errors from noise and scatter of clusters."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, robust_sigma
from ifuview.engine.traces.doctor.patterns.shapes import Pattern, clusters_of
from ifuview.model.checks import Array

LAG = 6  # blocks on each side that may be correlated
INDEPENDENT = 4.0  # number of parts of the slit whose misfit is taken to be independent
ROBUST_ROUNDS = 8
HUBER = 2.0  # sigma
OUTLIER = 6.0  # sigma; fibers and bins beyond are left out
MIN_CLUSTERS = 4  # for the scatter of blocks
COARSE_BINS = 16  # of the robust start
TOGETHER = 4  # smooth patterns in the model
BLOCK_CLIP = 3.5  # sigma; blocks beyond do not count for the scatter of the blocks ...
BLOCK_WIDER = 1.1  # which is then too small by this
CANCEL = 0.003  # least eigenvalue of the correlation of patterns that are fitted together
MEDIAN_CHI2 = 0.455  # of one degree of freedom
RIDGE = 1e-9
SURE = 2.0  # errors by noise of the variance of what fibers do by themselves
SECOND = 6.0  # variance of a second difference over that of each value


class Equations:
    """Normal equations of all patterns, kept by cluster of fibers; the first `nnamed` patterns have names.

    `own` is the variance of what fibers do by themselves over that of the noise of a fiber; `together` that of a mean
    of neighbors over that of independent ones.
    """

    def __init__(
        self,
        offset: Array,
        error: Array,
        used: Array,
        shapes: list[Pattern],
        block: Array,
        nnamed: int,
        together: float = 1.0,
    ) -> None:
        self.shapes, self.nnamed, self.together = shapes, nnamed, together
        clusters = clusters_of(block)
        weight, value, design = coarse(offset, error, used, shapes)
        ncluster = int(clusters.max()) + 1
        n = len(shapes)
        self.info, self.side = np.zeros((ncluster, n, n)), np.zeros((ncluster, n))
        for c in range(ncluster):
            rows = clusters == c
            wide = design[:, rows].reshape(n, -1)
            w = weight[rows].ravel()
            half = wide * np.sqrt(w)
            self.info[c] = half @ half.T
            self.side[c] = wide @ (w * value[rows].ravel())
        self.total, self.right = self.info.sum(axis=0), self.side.sum(axis=0)
        self.square = float((weight * value**2).sum())
        self.floor, self.parts = 0.0, INDEPENDENT
        of_fiber = weight.sum(axis=1)
        usual = float(np.median(of_fiber[of_fiber > 0]))
        mean = (weight * value).sum(axis=1) / np.maximum(of_fiber, 1e-30)
        self.own = usual * own_scatter(mean[:, None], of_fiber[:, None], block)[0]
        self.steady = _steady(design, weight)
        self.power = np.diag(self.total) / max(self.total[0, 0], 1e-30)
        self.middle = np.zeros((n, n))
        self.robust = np.ones(n)
        self.subsets = [self._told_apart(s) for s in _subsets(shapes[:nnamed])]
        self.refer_to([])

    def _told_apart(self, groups: Array) -> Array:
        """Combinations of patterns that do not nearly cancel each other."""
        scale = np.sqrt(np.maximum(np.diag(self.total), 1e-30))
        scaled = (self.total / np.outer(scale, scale))[groups[:, :, None], groups[:, None, :]]
        kept: Array = groups[np.linalg.eigvalsh(scaled)[:, 0] > CANCEL] if groups.shape[1] > 1 else groups
        return kept

    def refer_to(self, blocks: list[int]) -> None:
        """Take the scatter of the clusters about the whole surface and these blocks for the errors."""
        whole = [*(range(self.nnamed, len(self.shapes)) if len(self.shapes) > self.nnamed else [0]), *blocks]
        beta = self.amplitudes(whole)
        score = self.side - self.info[:, :, whole] @ beta
        n = score.shape[0]
        middle = score.T @ score
        for lag in range(1, min(LAG, n // 3) + 1):
            cross = score[lag:].T @ score[:-lag]
            middle += (1 - lag / (LAG + 1)) * (cross + cross.T)
        taken = len({s.kind.split(",")[-1] for s in self.shapes[self.nnamed :]}) or 1
        self.middle = middle * n / max(n - min(taken + len(blocks), n // 2), 1)
        own = np.maximum(np.einsum("cii->ci", self.info), 1e-30)
        self.robust = np.median(score**2 / own, axis=0) / MEDIAN_CHI2

    def amplitudes(self, chosen: list[int]) -> Array:
        """Least squares of some patterns, which may depend on each other."""
        normal, right = self.total[np.ix_(chosen, chosen)], self.right[chosen]
        scale = np.sqrt(np.maximum(np.diag(normal), 1e-30))
        solved: Array = np.linalg.lstsq(normal / np.outer(scale, scale), right / scale, rcond=1e-10)[0] / scale
        return solved

    def explained(self, chosen: list[int]) -> float:
        """By how much some patterns together lower chi2."""
        return float(self.explained_by_each(np.array([chosen], np.intp).reshape(1, -1), [])[0])

    def explained_by_each(self, groups: Array, also: list[int]) -> Array:
        """By how much every row of patterns, together with some others, lowers chi2."""
        index = np.concatenate([groups, np.tile(np.array(also, np.intp), (len(groups), 1))], axis=1)
        if not index.shape[1]:
            return np.zeros(len(groups))
        scale = np.sqrt(np.maximum(np.diag(self.total), 1e-30))
        scaled = (self.total / np.outer(scale, scale))[index[:, :, None], index[:, None, :]]
        right = (self.right / scale)[index][..., None]
        solved = np.linalg.solve(scaled + RIDGE * np.eye(index.shape[1]), right)
        out: Array = (right * solved).sum(axis=(1, 2))
        return out

    def inflation(self) -> float:
        """How much larger than by noise the variance of a common pattern usually is."""
        named = np.array([s.name != "block_shift" for s in self.shapes[: self.nnamed]])
        return float(max(np.median(self.robust[: self.nnamed][named]), self.together + self.own))

    def solve(self, chosen: list[int]) -> tuple[Array, Array]:
        """Amplitudes and errors of the chosen patterns."""
        if not chosen:
            return np.zeros(0), np.zeros(0)
        pick = np.ix_(chosen, chosen)
        normal = self.total[pick]
        scale = np.sqrt(np.maximum(np.diag(normal), 1e-30))
        scaled = normal / np.outer(scale, scale) + RIDGE * np.eye(len(chosen))
        inverse = np.linalg.inv(scaled) / np.outer(scale, scale)
        beta = inverse @ self.right[chosen]
        sandwich = inverse @ self.middle[pick] @ inverse
        noise = np.diag(inverse) * (self.together + self.own * self.steady[chosen])
        variance = np.maximum(noise, np.diag(sandwich))
        floor = self.block_floor(chosen)
        for i, j in enumerate(chosen):
            if self.shapes[j].name == "block_shift":
                variance[i] = noise[i] + max(floor, self.floor) ** 2
            else:
                variance[i] += self.floor**2 / self.parts / max(self.power[j], 1e-3)
        return beta, np.sqrt(variance)

    @property
    def blocks(self) -> list[int]:
        """The shifts of all blocks."""
        return [i for i in range(self.nnamed) if self.shapes[i].name == "block_shift"]

    def block_floor(self, chosen: list[int]) -> float:
        """Scatter of the means of the blocks beyond their noise, px; that of single blocks stays in, of all not."""
        if self.blocks and set(self.blocks) <= set(chosen):
            return 0.0
        common = [i for i in chosen if self.shapes[i].name != "block_shift"]
        weight = self.info[:, 0, 0]  # the first pattern is the shift
        known = weight > 0
        if known.sum() < MIN_CLUSTERS:
            return 0.0
        beta = np.linalg.lstsq(self.total[np.ix_(common, common)], self.right[common], rcond=None)[0] if common else []
        mean = self.side[known, 0] / weight[known]
        if common:
            mean -= self.info[known, 0][:, common] @ beta / weight[known]
        mean -= np.median(mean)
        scatter = robust_sigma(mean, 0.0)
        for _ in range(4):
            inner = mean[np.abs(mean) <= BLOCK_CLIP * max(scatter, 1e-12)]
            scatter = float(np.sqrt(np.mean(inner**2))) * BLOCK_WIDER if inner.size > 2 else scatter
        excess = scatter**2 - self.together * float(np.mean(1 / weight[known]))
        significant = excess > 2 * scatter**2 * np.sqrt(2 / known.sum())
        return float(np.sqrt(max(excess, 0.0))) if significant else 0.0


def _steady(design: Array, weight: Array) -> NDArray[np.float64]:
    """Part of each pattern that is the same along dispersion, as what a fiber is off by itself, (npattern,)."""
    total = weight.sum(axis=1)
    mean = (design * weight).sum(axis=2) / np.where(total > 0, total, 1)
    whole = (design**2 * weight).sum(axis=(1, 2))
    return np.asarray((mean**2 * total).sum(axis=1) / np.where(whole > 0, whole, 1))


def coarse(offset: Array, error: Array, used: Array, shapes: list[Pattern]) -> tuple[Array, Array, Array]:
    """Weight, weighted mean and weighted mean of every pattern in coarse bins, (nfiber, ncoarse) each."""
    nbin = offset.shape[1]
    edges = np.unique(np.round(np.linspace(0, nbin, min(nbin, COARSE_BINS) + 1)).astype(int))[:-1]
    weight = np.where(used, 1 / np.where(used, error, 1) ** 2, 0)
    total = np.add.reduceat(weight, edges, axis=1)
    safe = np.maximum(total, 1e-30)
    value = np.add.reduceat(weight * np.where(used, offset, 0), edges, axis=1) / safe
    design = np.array([np.add.reduceat(weight * s.value, edges, axis=1) / safe for s in shapes])
    return total, value, design


def own_scatter(value: Array, weight: Array, block: Array) -> tuple[float, float]:
    """Variance of what fibers do by themselves, beyond noise and what neighbors share, and its error, px^2.

    By the second differences of neighbors, which no smooth pattern and no shift of a block moves.

    Parameters
    ----------
    value, weight : (nfiber, ncoarse), px and 1/px^2
    block : (nfiber,)
    """
    alike = (block[:-2] == block[1:-1]) & (block[1:-1] == block[2:])
    step, info = value[:-2] - 2 * value[1:-1] + value[2:], np.where(weight > 0, weight, np.inf)
    known = alike[:, None] & (weight[:-2] > 0) & (weight[1:-1] > 0) & (weight[2:] > 0)
    if not known.any():
        return 0.0, 0.0
    noise = float(np.median((1 / info[:-2] + 4 / info[1:-1] + 1 / info[2:])[known])) / SECOND
    square = (MAD_TO_SIGMA * float(np.median(np.abs(step[known])))) ** 2 / SECOND
    by_noise = noise * float(np.sqrt(4 / known.sum()))
    own = square - noise if square - noise > SURE * by_noise else 0.0  # what stands out by chance is no scatter
    return own, float(np.hypot(own * np.sqrt(4 / known.any(axis=1).sum()), by_noise))


def sound(offset: Array, error: Array, usable: Array, shapes: list[Pattern]) -> NDArray[np.bool_]:
    """Fibers and bins that follow some sum of the patterns; robust, on coarse bins."""
    total, value, design = coarse(offset, error, usable, shapes)
    nbin = offset.shape[1]
    edges = np.unique(np.round(np.linspace(0, nbin, min(nbin, COARSE_BINS) + 1)).astype(int))
    design = design.reshape(len(shapes), -1).T
    known = total.ravel() > 0
    y, noise = value.ravel()[known], total.ravel()[known] ** -0.5
    design = design[known]
    spread = noise
    robust = np.ones(y.size)
    weighted = np.empty_like(design)
    for _ in range(ROBUST_ROUNDS):
        w = robust / spread**2
        np.multiply(design, np.sqrt(w)[:, None], out=weighted)
        normal = weighted.T @ weighted  # of one array with itself: half the work
        normal += np.diag(1e-6 * np.diag(normal) + RIDGE * np.trace(normal) / len(normal))
        residual = y - design @ np.linalg.solve(normal, design.T @ (w * y))
        scatter = robust_sigma(residual, 0.0)
        typical = np.sqrt(max(scatter**2 - float(np.median(noise)) ** 2, 0.0))
        spread = np.sqrt(noise**2 + typical**2)
        robust = np.minimum(1, HUBER / np.maximum(np.abs(residual) / spread, 1e-9)) ** 2
    pull = np.zeros(total.size)
    pull[known] = np.abs(residual) / spread
    wrong = np.asarray(pull > OUTLIER).reshape(offset.shape[0], -1)
    bad_fiber = wrong.sum(axis=1) >= max(2, 0.3 * wrong.shape[1])
    out = usable & ~np.repeat(wrong, np.diff(edges), axis=1)
    out[bad_fiber] = False
    return out if out.any() else usable


def _subsets(shapes: list[Pattern]) -> list[NDArray[np.intp]]:
    """All combinations of at most TOGETHER smooth patterns of different names, (ncombination, size) by size."""
    names: dict[str, list[int]] = {}
    for i, shape in enumerate(shapes):
        if shape.name != "block_shift":
            names.setdefault(shape.name, []).append(i)
    return [
        np.array(
            [s for kinds in combinations(names, size) for s in product(*(names[k] for k in kinds))], np.intp
        ).reshape(-1 if size else 1, size)
        for size in range(min(TOGETHER, len(names)) + 1)
    ]

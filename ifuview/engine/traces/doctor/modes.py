"""Patterns that many fibers share, fitted together and then tested.

Patterns are added one by one, that which explains most first, and all that are in the model are refitted each time; the
rest is tested on top. Errors are the larger of the propagated noise and what the scatter of whole blocks says (scores
summed by block, with the correlation of neighboring blocks: a "sandwich"). To that the model floor is added: the misfit
of the profile leaves a pattern of its own in every block, which cannot be told from a trace error; its rms beyond the
noise is measured, and a common pattern must stand out of the mean of INDEPENDENT such misfits, a block out of one.
Bad fibers and bins are left out first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ifuview.model.checks import Array

MIN_BLOCKS = 4  # for a shift of one block to be told from shift and scale
CLUSTERS = 20  # groups of fibers for the scatter, where there are no blocks
LAG = 6  # blocks on each side that may be correlated
INDEPENDENT = 4.0  # number of parts of the slit whose misfit is taken to be independent
ROBUST_ROUNDS = 8
HUBER = 2.0  # sigma
OUTLIER = 6.0  # sigma; fibers and bins beyond are left out
COARSE_BINS = 16  # of the robust start
MOST = 12  # patterns in the model
BLOCK_CLIP = 3.5  # sigma; blocks beyond do not count for the scatter of the blocks ...
BLOCK_WIDER = 1.1  # which is then too small by this
MAD_TO_SIGMA = 1.4826
RIDGE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One shape of a mode: its name, its value at every fiber and bin (largest size about 1), and its block."""

    name: str
    value: NDArray[np.float64]
    block: int = -1
    kind: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """Amplitude and error of one pattern."""

    pattern: Pattern
    amplitude: float
    sigma: float
    fitted: bool

    @property
    def significance(self) -> float:
        """Amplitude over error."""
        return abs(self.amplitude) / self.sigma if self.sigma > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class ModeFit:
    """The fitted model, the test of every pattern and of the common wiggle.

    Parameters
    ----------
    tests : tuple of Test
        Those in the model first.
    model : (nfiber, nbin), px
    used : bool (nfiber, nbin)
    wiggle, wiggle_err : (nbin,), px
        What all fibers share beyond the model.
    wiggle_chi2, wiggle_dof
    floor, floor_err : float, px
        Model floor: rms of what whole blocks share beyond the model and the noise.
    """

    tests: tuple[Test, ...]
    model: Array
    used: Array
    wiggle: Array
    wiggle_err: Array
    wiggle_chi2: float
    wiggle_dof: int
    floor: float
    floor_err: float


def patterns(u: Array, v: Array, w: Array, block: Array) -> list[Pattern]:
    """The shapes that are tried.

    Parameters
    ----------
    u : (nbin,), v : (nfiber,)
        Column and row on [-1, 1].
    w : (nfiber, nbin)
        Wavelength, or column, on [0, 1].
    block : (nfiber,)
    """
    one = np.ones((v.size, u.size))
    uu, vv = u[None] * one, v[:, None] * one
    legendre = np.polynomial.legendre.Legendre.basis
    out = [
        Pattern("shift", one),
        Pattern("rotation", uu),
        Pattern("scale", vv),
        Pattern("keystone", uu * vv),
        Pattern("smile", legendre(2)(uu)),
        Pattern("smile", uu**2, kind="square"),
        Pattern("s_curve", legendre(3)(uu)),
        Pattern("s_curve", uu**3, kind="cube"),
        Pattern("s_curve", np.sin(np.pi * uu), kind="sine"),
        Pattern("drift", w**2, kind="from the blue end"),
        Pattern("drift", (1 - w) ** 2, kind="from the red end"),
    ]
    number = np.unique(block)
    if number.size >= MIN_BLOCKS:
        out += [Pattern("block_shift", (block == b)[:, None] * one, block=int(b)) for b in number]
    return out


def fit_modes(
    offset: Array, error: Array, usable: Array, shapes: list[Pattern], block: Array, sigmas: float
) -> ModeFit:
    """Fit and test all patterns.

    Parameters
    ----------
    offset, error : (nfiber, nbin), px
    usable : bool (nfiber, nbin)
    shapes : list of Pattern
    block : (nfiber,)
    sigmas : float
        From where on a pattern is part of the model.
    """
    usable = usable & np.isfinite(offset) & np.isfinite(error) & (error > 0)
    empty = np.zeros(offset.shape)
    if usable.sum() < 3:
        wiggle = np.full(offset.shape[1], np.nan)
        return ModeFit((), empty, usable, wiggle, wiggle, np.nan, 0, np.nan, np.nan)
    used = _sound(offset, error, usable, shapes)
    clusters = _clusters(block)
    state = _Normal(offset, error, used, shapes, clusters)
    chosen = _select(state, shapes, sigmas)
    for _ in range(2):  # the floor depends on what is taken out, and the other way round
        rest = offset - _model(shapes, chosen, state.solve(chosen)[0], offset.shape)
        state.floor, state.floor_err = model_floor(rest, error, used, clusters)
        state.parts = max(INDEPENDENT * float(used.any(axis=1).mean()), 1.0)
        chosen = _select(state, shapes, sigmas)
    beta, sigma = state.solve(chosen)
    model = _model(shapes, chosen, beta, offset.shape)
    tests = [Test(shapes[i], float(b), float(s), True) for i, b, s in zip(chosen, beta, sigma)]
    for i, shape in enumerate(shapes):
        if i in chosen or any(shape.name == shapes[j].name and shape.name != "block_shift" for j in chosen):
            continue
        amplitude, err = state.solve([*chosen, i])
        tests.append(Test(shape, float(amplitude[-1]), float(err[-1]), False))
    wiggle, err, chi2 = _wiggle(offset - model, error, used, clusters, state.floor**2 / state.parts)
    dof = int(np.isfinite(wiggle).sum()) - len({shapes[i].name for i in chosen} - {"block_shift", "scale"})
    return ModeFit(tuple(tests), model, used, wiggle, err, chi2, max(dof, 0), state.floor, state.floor_err)


def _model(shapes: list[Pattern], chosen: list[int], beta: Array, size: tuple[int, int]) -> NDArray[np.float64]:
    """Sum of the chosen patterns."""
    out = np.zeros(size)
    for i, b in zip(chosen, beta):
        out += b * shapes[i].value
    return out


def model_floor(residual: Array, error: Array, used: Array, clusters: Array) -> tuple[float, float]:
    """Rms of what the fibers of a cluster share in a coarse bin, beyond the noise, and its error; px.

    Zero unless it exceeds what noise alone would give by two of its errors.
    """
    nbin = residual.shape[1]
    edges = np.unique(np.round(np.linspace(0, nbin, min(nbin, COARSE_BINS) + 1)).astype(int))[:-1]
    weight = np.where(used, 1 / np.where(used, error, 1) ** 2, 0)
    ncluster = int(clusters.max()) + 1
    total, pull = np.zeros((ncluster, nbin)), np.zeros((ncluster, nbin))
    np.add.at(total, clusters, weight)
    np.add.at(pull, clusters, weight * np.where(used, residual, 0))
    total, pull = np.add.reduceat(total, edges, axis=1), np.add.reduceat(pull, edges, axis=1)
    known = total > 0.25 * np.median(total[total > 0])
    mean, noise = pull[known] / total[known], 1 / total[known]
    size = np.abs(mean)
    inner = size < OUTLIER * MAD_TO_SIGMA * np.median(size)
    square, expected = mean[inner] ** 2, noise[inner]
    excess = float(np.mean(square - expected))
    excess_err = float(np.std(square - expected) / np.sqrt(inner.sum()))
    if excess < 2 * max(excess_err, float(np.mean(expected)) * np.sqrt(2 / inner.sum())):
        return 0.0, float(np.sqrt(np.mean(expected) / np.sqrt(inner.sum())))
    return float(np.sqrt(excess)), excess_err / (2 * float(np.sqrt(excess)))


def _clusters(block: Array) -> NDArray[np.intp]:
    """Blocks, or runs of fibers where there are few blocks."""
    number = np.unique(block, return_inverse=True)[1]
    if number.max(initial=0) + 1 >= 2 * MIN_BLOCKS:
        return number.astype(np.intp)
    n = block.size
    return (np.arange(n) * min(CLUSTERS, n) // n).astype(np.intp)


def _sound(offset: Array, error: Array, usable: Array, shapes: list[Pattern]) -> NDArray[np.bool_]:
    """Fibers and bins that follow some sum of the patterns; robust, on coarse bins."""
    nbin = offset.shape[1]
    edges = np.unique(np.round(np.linspace(0, nbin, min(nbin, COARSE_BINS) + 1)).astype(int))[:-1]
    weight = np.where(usable, 1 / np.where(usable, error, 1) ** 2, 0)
    total = np.add.reduceat(weight, edges, axis=1)
    safe = np.maximum(total, 1e-30)
    value = np.add.reduceat(weight * np.nan_to_num(offset), edges, axis=1) / safe
    basis = [
        np.add.reduceat(weight * s.value, edges, axis=1) / safe
        for s in shapes
        if not s.kind or s.kind.startswith("from")
    ]
    design = np.stack([b.ravel() for b in basis], axis=1)
    known = total.ravel() > 0
    y, noise = value.ravel()[known], total.ravel()[known] ** -0.5
    design = design[known]
    spread = noise
    robust = np.ones(y.size)
    for _ in range(ROBUST_ROUNDS):
        w = robust / spread**2
        normal = design.T @ (w[:, None] * design)
        normal += np.diag(RIDGE * np.trace(normal) / len(normal) + np.zeros(len(normal)))
        residual = y - design @ np.linalg.solve(normal, design.T @ (w * y))
        scatter = MAD_TO_SIGMA * np.median(np.abs(residual))
        typical = np.sqrt(max(scatter**2 - float(np.median(noise)) ** 2, 0.0))
        spread = np.sqrt(noise**2 + typical**2)
        robust = np.minimum(1, HUBER / np.maximum(np.abs(residual) / spread, 1e-9)) ** 2
    pull = np.zeros(total.size)
    pull[known] = np.abs(residual) / spread
    wrong = np.asarray(pull > OUTLIER).reshape(offset.shape[0], -1)
    bad_fiber = wrong.sum(axis=1) >= max(2, 0.3 * wrong.shape[1])
    out = usable & ~np.repeat(wrong, np.diff(np.append(edges, nbin)), axis=1)
    out[bad_fiber] = False
    return out if out.any() else usable


class _Normal:
    """Normal equations of all patterns, kept by cluster of fibers."""

    def __init__(self, offset: Array, error: Array, used: Array, shapes: list[Pattern], clusters: Array) -> None:
        self.shapes, self.clusters = shapes, clusters
        weight = np.where(used, 1 / np.where(used, error, 1) ** 2, 0)
        y = np.where(used, offset, 0)
        ncluster = int(clusters.max()) + 1
        n = len(shapes)
        self.info, self.side = np.zeros((ncluster, n, n)), np.zeros((ncluster, n))
        self.square = float((weight * y * y).sum())
        self.count = int(used.sum())
        design = np.stack([s.value for s in shapes])
        for c in range(ncluster):
            rows = clusters == c
            wide = design[:, rows].reshape(n, -1)
            w = weight[rows].ravel()
            self.info[c] = (wide * w) @ wide.T
            self.side[c] = wide @ (w * y[rows].ravel())
        self.total, self.right = self.info.sum(axis=0), self.side.sum(axis=0)
        self.floor, self.floor_err, self.parts = 0.0, 0.0, INDEPENDENT
        self.power = np.diag(self.total) / max(self.total[0, 0], 1e-30)

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
        score = self.side[:, chosen] - self.info[:, chosen][:, :, chosen] @ beta
        middle = score.T @ score
        n = score.shape[0]
        for lag in range(1, min(LAG, n // 3) + 1):
            cross = score[lag:].T @ score[:-lag]
            middle += (1 - lag / (LAG + 1)) * (cross + cross.T)
        sandwich = inverse @ middle @ inverse * n / max(n - min(len(chosen), n // 2), 1)
        variance = np.maximum(np.diag(inverse), np.diag(sandwich))
        floor = self.block_floor(chosen)
        for i, j in enumerate(chosen):
            if self.shapes[j].name == "block_shift":
                variance[i] = inverse[i, i] + max(floor, self.floor) ** 2
            else:
                variance[i] += self.floor**2 / self.parts / max(self.power[j], 1e-3)
        return beta, np.sqrt(variance)

    def block_floor(self, chosen: list[int]) -> float:
        """Scatter of the means of the blocks beyond their noise, px; shifts of single blocks stay in."""
        common = [i for i in chosen if self.shapes[i].name != "block_shift"]
        weight = self.info[:, 0, 0]  # the first pattern is the shift
        known = weight > 0
        if known.sum() < MIN_BLOCKS:
            return 0.0
        beta = np.linalg.lstsq(self.total[np.ix_(common, common)], self.right[common], rcond=None)[0] if common else []
        mean = self.side[known, 0] / weight[known]
        if common:
            mean -= self.info[known, 0][:, common] @ beta / weight[known]
        mean -= np.median(mean)
        scatter = MAD_TO_SIGMA * np.median(np.abs(mean))
        for _ in range(4):
            inner = mean[np.abs(mean) <= BLOCK_CLIP * max(scatter, 1e-12)]
            scatter = float(np.sqrt(np.mean(inner**2))) * BLOCK_WIDER if inner.size > 2 else scatter
        excess = scatter**2 - float(np.mean(1 / weight[known]))
        significant = excess > 2 * scatter**2 * np.sqrt(2 / known.sum())
        return float(np.sqrt(max(excess, 0.0))) if significant else 0.0


def _select(state: _Normal, shapes: list[Pattern], sigmas: float) -> list[int]:
    """Patterns of the model, that which explains most first, without those that lose their significance."""
    chosen: list[int] = []
    refused: set[int] = set()
    while len(chosen) < MOST:
        best, gain = -1, 0.0
        beta, _ = state.solve(chosen)
        for i, shape in enumerate(shapes):
            same = shape.name != "block_shift" and any(shapes[j].name == shape.name for j in chosen)
            if i in chosen or i in refused or same:
                continue
            more = _gain(state, chosen, beta, i)
            if more > gain:
                best, gain = i, more
        if best < 0 or gain < sigmas**2:
            break
        amplitude, sigma = state.solve([*chosen, best])
        if abs(amplitude[-1]) > sigmas * sigma[-1]:
            chosen.append(best)
        else:
            refused.add(best)
    return _prune(state, chosen, sigmas)


def _gain(state: _Normal, chosen: list[int], beta: Array, i: int) -> float:
    """By how much chi2 falls when one pattern is added."""
    score = state.right[i] - state.total[i, chosen] @ beta if chosen else state.right[i]
    info = state.total[i, i]
    if chosen:
        normal = state.total[np.ix_(chosen, chosen)]
        info -= state.total[i, chosen] @ np.linalg.lstsq(normal, state.total[chosen, i], rcond=None)[0]
    return float(score**2 / info) if info > 1e-6 * state.total[i, i] else 0.0


def _prune(state: _Normal, chosen: list[int], sigmas: float) -> list[int]:
    """Drop patterns that are no longer significant beside the others, the weakest first."""
    chosen = list(chosen)
    while chosen:
        beta, sigma = state.solve(chosen)
        pull = np.abs(beta) / sigma
        if pull.min() >= sigmas:
            break
        chosen.pop(int(pull.argmin()))
    return chosen


def _wiggle(residual: Array, error: Array, used: Array, clusters: Array, floor: float) -> tuple[Array, Array, float]:
    """Mean residual per bin, its error from noise and scatter of the clusters, and chi2."""
    weight = np.where(used, 1 / np.where(used, error, 1) ** 2, 0)
    ncluster = int(clusters.max()) + 1
    total, pull = np.zeros((ncluster, residual.shape[1])), np.zeros((ncluster, residual.shape[1]))
    np.add.at(total, clusters, weight)
    np.add.at(pull, clusters, weight * np.where(used, residual, 0))
    whole = total.sum(axis=0)
    known = whole > 0
    mean = np.where(known, pull.sum(axis=0) / np.where(known, whole, 1), np.nan)
    score = pull - total * np.nan_to_num(mean)[None]
    middle = (score**2).sum(axis=0)
    for lag in range(1, min(LAG, ncluster // 3) + 1):
        middle += 2 * (1 - lag / (LAG + 1)) * (score[lag:] * score[:-lag]).sum(axis=0)
    middle *= ncluster / max(ncluster - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = 1 / whole
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

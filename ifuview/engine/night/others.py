"""What concerns all fibers alike: mixed products, calibration, amplifier edges, a residual everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.blocks import BIN, MIN_BINS
from ifuview.engine.night.stats import binned, blocks_of, mad, middle
from ifuview.engine.numeric.medians import MEDIAN_ERROR, median
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain, Section

MISFIT = 0.35  # sigma of a pixel beyond which two products contradict each other (rounding in files: 0.16)
MISFIT_SHARE = 0.01  # of the pixels
LINE_FACTOR = 0.1  # of the sky model that a factor on lines may change
WIGGLE, WIGGLE_WIDTH, DEGREE = 0.05, 200.0, 6  # of a flux calibration against a polynomial; clean: 0.0002
EVERY = 5  # fibers that tell the level of the sky, the shape of the calibration: they differ by a factor
JUMP, STEP, STEP_SCATTERS = 12, 0.03, 12.0  # px on both sides of a step; least step, and scatters
SHARP, SAME_JUMP = 3, 0.6  # px within which a step is done, to this part of it
EVERY_PIXEL = 16
MARGIN = 100  # px at the ends of it
EDGE_ROWS, EDGE_LIMIT, EDGE_SKY = 40.0, 5.0, 0.03  # rows each side, sigma, part of the sky level
ALL_LIMIT, ALL_SKY, MOST_WINDOWS = 5.8, 0.002, 4  # sigma, part of the sky, stretches
AGREE, SUPPORT = 3.0, 2.0  # errors; of a mean with the other sign
SHOWN, HALF = (1.5, 2.6), 0.5  # sigma of the last mean, which must show it, too: this part of what it should show
FREE = 0.25  # of the pixels of a bin that must lie between the lines: one or two are a hit
QUIET = 0.4  # of its noise that the bins of a mean must be believed to have: a sky model follows its fibers
TINY = 1e-30
WIDEST = 0.5  # of the bins: what is wider is continuum of the targets


@dataclass(frozen=True, slots=True, eq=False)
class Misfit:
    """Pixels in which a product is not what its inputs make."""

    share: float
    typical: float
    fibers: tuple[int, ...]
    wave_range: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class SharedMean:
    """Mean spectrum of some fibers.

    Parameters
    ----------
    mean, noise : ndarray, shape (nwave,)
    own : ndarray, shape (nshape, nwave)
        What it may have of its own: that has no part in what a stretch tells.
    """

    mean: Array
    noise: Array
    own: Array


def identity(gaps: Array, sky: Array, good: Array, sigma: Array, wave: Array) -> Misfit | None:
    """Where sframe is not frame / flat - sky; None if nowhere. `gaps` is what it has more.

    A factor on the lines of the sky model is allowed for.
    """
    return _misfit(gaps, good, sigma, wave, LINE_FACTOR * np.maximum(sky - median(sky[::EVERY]), np.float32(0.0)))


def calibration_identity(
    sframe: Array, fluxcalib: Array, cframe: Array, good: Array, sigma: Array, wave: Array
) -> Misfit | None:
    """Where cframe is not sframe / fluxcalib; None if nowhere."""
    return _misfit(cframe * fluxcalib - sframe, good & (fluxcalib != 0), sigma, wave, None)


def _misfit(gap: Array, good: Array, sigma: Array, wave: Array, allowed: Array | None) -> Misfit | None:
    limit = MISFIT * sigma if allowed is None else MISFIT * sigma + allowed
    bad = (np.abs(gap) > limit) & good
    count = max(int(np.count_nonzero(good)), 1)
    share = int(np.count_nonzero(bad)) / count
    if share < MISFIT_SHARE:
        return None
    rows = bad.mean(axis=1)
    columns = np.flatnonzero(bad.mean(axis=0) > 0.5 * share)
    return Misfit(
        float(share), float(np.median(np.abs(gap[bad]))), tuple(int(f) for f in np.flatnonzero(rows > 0.5 * share)),
        (float(wave[columns[0]]), float(wave[columns[-1]])),
    )  # fmt: skip


def wiggle(fluxcalib: Array, wave: Array) -> tuple[float, tuple[float, float]] | None:
    """(largest departure, wavelength range) of a calibration from a smooth curve; None if it is smooth."""
    level = median(fluxcalib[::EVERY], 0)
    part = slice(MARGIN, -MARGIN) if level.size > 4 * MARGIN else slice(None)
    if not (level[part] > 0).all():
        return None
    u = (wave - wave.mean()) / np.ptp(wave)
    use = np.ones(u[part].size, bool)
    logs = np.log(level[part])
    rest = logs
    for _ in range(4):
        rest = logs - np.polyval(np.polyfit(u[part][use], logs[use], DEGREE), u[part])
        use = np.abs(rest) < max(3 * float(mad(rest[use])), 1e-4)
    at = int(np.argmax(np.abs(rest)))
    peak = float(rest[at])
    if abs(peak) < WIGGLE:
        return None
    spans = [s for s in runs(np.abs(rest) > 0.1 * abs(peak), 3) if s[0] <= at < s[1]]
    low, high = float(wave[part][spans[0][0]]), float(wave[part][spans[0][1] - 1])
    return (peak, (low, high)) if high - low < WIGGLE_WIDTH else None


def calibration_step(fluxcalib: Array, wave: Array) -> tuple[float, float] | None:
    """(relative step, wavelength) where a calibration jumps from one pixel to the next few; None if nowhere."""
    level = median(fluxcalib[::EVERY], 0)
    if level.size < 8 * JUMP or not (level > 0).all():
        return None
    logs = np.log(level)
    wide, sharp = _jumps(logs, JUMP), _jumps(logs, SHARP)[JUMP - SHARP : SHARP - JUMP]
    far = median(np.lib.stride_tricks.sliding_window_view(np.pad(wide, 4 * JUMP, mode="edge"), 8 * JUMP + 1), 1)
    rest = np.where(np.abs(sharp) > SAME_JUMP * np.abs(wide), wide - far, 0.0)  # a slope grows with the distance
    at = int(np.argmax(np.abs(rest)))
    if abs(rest[at]) < max(STEP, STEP_SCATTERS * float(mad(wide - far))):
        return None
    return float(np.expm1(rest[at])), float(wave[min(at + JUMP, wave.size - 1)])


def _jumps(logs: Array, size: int) -> Array:
    """Mean of `size` pixels after each pixel minus that of as many before it."""
    total = np.concatenate([[0.0], np.cumsum(logs)])
    mean = (total[size:] - total[:-size]) / size
    return np.asarray(mean[size + 1 :] - mean[: -size - 1])


def calibrated(chain: Chain, added: Array) -> Array | None:
    """The cframe where `added` is added to sframe, shape (nfiber, nwave); itself where no calibration tells."""
    if chain.cframe is None or chain.fluxcalib is None:
        return chain.cframe
    by = np.where(chain.fluxcalib > 0, chain.fluxcalib, np.inf).astype(np.float32)
    return np.asarray(chain.cframe + added / by, chain.cframe.dtype)


def calibration_levels(fluxcalib: Array) -> Array:
    """Logarithm of the calibration of every fiber over the typical one's, shape (nfiber,); NaN if unknown."""
    thin = fluxcalib[:, ::EVERY_PIXEL].astype(np.float64)
    typical = median(thin, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((thin > 0) & (typical > 0), thin / typical, np.nan)
        return np.asarray(np.log(middle(ratio, axis=1)))


def calibration_shapes(fluxcalib: Array) -> Array:
    """What the calibration of a fiber departs by from the typical one, in bins, without a parabola; 0 if unknown."""
    coarse = binned(fluxcalib, BIN).astype(np.float64)
    typical = median(coarse, 0)
    known = (coarse > 0).all(axis=1) & bool((typical > 0).all())
    out = np.zeros(coarse.shape)
    if known.any():
        logs = np.log(coarse[known] / typical)
        own = np.linalg.qr(np.vander(np.linspace(-1.0, 1.0, typical.size), 3))[0]
        out[known] = logs - (logs @ own) @ own.T
    return out


def steps(
    residual: Array, disp: Array, cross: Array, sections: tuple[Section, ...], size: int, skip: tuple[str, ...],
    shared: float = 0.0,
) -> list[tuple[str, str, float, float, float]]:  # fmt: skip
    """(amplifier below, above, step in counts, significance, edge row) where the level jumps from one to the next.

    `shared` is the noise of a pixel that all fibers have alike, as that of the sky model.
    """
    out = []
    for below in sections:
        for above in sections:
            if above.disp[0] != below.disp[1] or above.cross != below.cross or {below.name, above.name} & set(skip):
                continue
            edge = above.disp[0]
            center = cross[:, cross.shape[1] // 2]
            rows = np.flatnonzero((center >= below.cross[0]) & (center < below.cross[1]))
            away = disp[rows] - edge
            near = np.flatnonzero((np.abs(away) <= EDGE_ROWS).any(axis=0))
            if not near.size:
                continue
            away, rest = away[:, near], residual[rows][:, near]
            low = np.where((away >= -EDGE_ROWS) & (away < 0), rest, np.nan)
            high = np.where((away >= 0) & (away < EDGE_ROWS), rest, np.nan)
            jump = middle(high, axis=1) - middle(low, axis=1)
            jump = jump[np.isfinite(jump)]
            if jump.size < size:
                continue
            error = MEDIAN_ERROR * float(np.hypot(mad(jump) / np.sqrt(jump.size), shared * np.sqrt(2 / EDGE_ROWS)))
            value = float(np.median(jump))
            parts = blocks_of(jump, size)
            same = np.mean(np.sign(parts) == np.sign(value)) > 0.9 and np.min(np.abs(parts)) > 0.3 * abs(value)
            if same and abs(value) > EDGE_LIMIT * error:
                out.append((below.name, above.name, value, abs(value) / max(error, 1e-9), float(edge)))
    return out


def everywhere(
    means: list[SharedMean], line: Array, wave: Array, sky: Array
) -> list[tuple[float, float, tuple[float, float]]]:
    """(amplitude, significance, wavelength range) of residuals that all fibers share, between the lines.

    Parameters
    ----------
    means : list of SharedMean
        Of fibers that differ: of targets, of sky fibers, which must show it, too.
    line : ndarray of bool, shape (nwave,)
        Pixels of strong lines.
    wave, sky : ndarray, shape (nwave,)
    """
    if not means:
        return []
    count = wave.size // BIN
    cut = count * BIN
    centers, level = binned(wave, BIN), np.median(sky[:cut].reshape(count, BIN), axis=1)  # between the lines
    half = float(np.median(np.diff(centers))) / 2
    free = binned(~line, BIN) > FREE
    parts = []
    for of in means:
        weight = np.where(line, 0.0, of.noise**-2.0)[:cut].reshape(count, BIN).sum(axis=1)
        total = np.where(line, 0.0, of.mean * of.noise**-2.0)[:cut].reshape(count, BIN).sum(axis=1)
        known = free & (weight > 0)
        total, weight = np.where(known, total, 0.0), np.where(known, weight, 0.0)
        z = np.where(known, total / np.sqrt(np.where(known, weight, 1.0)), 0.0)
        extra = max(QUIET, float(mad(z[known])) if known.any() else 1.0) ** 2
        parts.append(_Binned(total / extra, weight / extra, binned(of.own, BIN)))
    return [
        (value, score, (float(centers[a]) - half, float(centers[b - 1]) + half))
        for a, b, value, score in _windows(parts, ALL_SKY * level)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Binned:
    """A mean in bins: sums over their variances, inverse variances, what it may have of its own (nshape, nbin)."""

    total: Array
    weight: Array
    own: Array

    def stretches(self, free: Array, first: Array, last: Array) -> tuple[Array, Array]:
        """Sums of some stretches over their variance, and their inverse variances, by the bins that are free.

        What the mean may have of its own is fitted at once: it takes away a part of what is wide.
        """
        weight, total = np.where(free, self.weight, 0.0), np.where(free, self.total, 0.0)
        weighted = self.own * weight
        normal = weighted @ self.own.T
        root = np.linalg.cholesky(normal + 1e-9 * np.trace(normal) * np.eye(len(normal)) + 1e-30 * np.eye(len(normal)))
        gone = np.linalg.solve(root, weighted)
        total = total - gone.T @ np.linalg.solve(root, self.own @ total)
        sums, weights, parts = (
            np.concatenate([np.zeros((*v.shape[:-1], 1)), np.cumsum(v, axis=-1)], axis=-1)
            for v in (total, weight, gone)
        )
        lost = np.sum((parts[:, last] - parts[:, first]) ** 2, axis=0)
        return sums[last] - sums[first], np.maximum(weights[last] - weights[first] - lost, 0.0)


def _windows(parts: list[_Binned], least: Array) -> list[tuple[int, int, float, float]]:
    """(first, last, value, sigma) of the stretches of bins that stand out and exceed `least`, one after the other."""
    count = least.size
    first, last = np.triu_indices(count + 1, MIN_BINS)
    narrow = last - first <= WIDEST * count
    first, last = first[narrow], last[narrow]
    floor = np.concatenate([[0.0], np.cumsum(least)])
    floor = (floor[last] - floor[first]) / (last - first)
    free, out = np.ones(count, bool), []
    for _ in range(MOST_WINDOWS):
        each = [part.stretches(free, first, last) for part in parts]
        together = sum(total for total, _ in each), sum(norm for _, norm in each)
        best = (0.0, 0, 0.0)
        for total, norm in (*each, together):
            value = total / np.maximum(norm, TINY)
            use = (np.abs(value) > floor) & _shown(*each[-1], value)
            for one in each:
                use &= _agrees(*one, value)
            score = np.where(use, np.abs(total) / np.sqrt(np.maximum(norm, TINY)), 0.0)
            k = int(np.argmax(score))
            best = max(best, (float(score[k]), k, float(value[k])))
        score_of, k, value_of = best
        if score_of < ALL_LIMIT:
            break
        out.append((int(first[k]), int(last[k]), value_of, score_of))
        free[first[k] : last[k]] = False
    return out


def _agrees(total: Array, norm: Array, value: Array) -> Array:
    """Whether another mean shows the same: targets have light of their own, sky fibers have not."""
    error = np.maximum(norm, TINY) ** -0.5
    near = np.abs(total * error**2 - value) < AGREE * error + 0.5 * np.abs(value)
    return np.asarray((norm > TINY) & near & ((total * value > 0) | (np.abs(total) * error < SUPPORT)))


def _shown(total: Array, norm: Array, value: Array) -> Array:
    """Whether a mean shows a good part of a residual with its sign."""
    root = np.sqrt(np.maximum(norm, TINY))
    return np.asarray(np.sign(value) * total > np.clip(HALF * np.abs(value) * root, *SHOWN) * root)

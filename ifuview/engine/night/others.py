"""What concerns all fibers alike: mixed products, calibration, amplifier edges, a residual everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.blocks import BIN, MIN_BINS
from ifuview.engine.night.stats import MEDIAN_ERROR, binned, blocks_of, mad, middle, runs
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array
from ifuview.model.night.chain import Section

MISFIT = 0.35  # sigma of a pixel beyond which two products contradict each other (rounding in files: 0.16)
MISFIT_SHARE = 0.01  # of the pixels
LINE_FACTOR = 0.1  # of the sky model that a factor on lines may change
WIGGLE, WIGGLE_WIDTH, DEGREE = 0.05, 200.0, 6  # of a flux calibration against a polynomial; clean: 0.0002
EVERY = 5  # fibers of the calibration that are looked at: they differ by a factor
JUMP, STEP, STEP_SCATTERS = 12, 0.03, 12.0  # px on both sides of a step; least step, and scatters
SHARP, SAME_JUMP = 3, 0.6  # px within which a step is done, to this part of it
EVERY_PIXEL = 16
MARGIN = 100  # px at the ends of it
EDGE_ROWS, EDGE_LIMIT, EDGE_SKY = 40.0, 5.0, 0.03  # rows each side, sigma, part of the sky level
ALL_LIMIT, ALL_SKY, MOST_WINDOWS = 6.2, 0.002, 4  # sigma, part of the sky, stretches
AGREE, SUPPORT = 3.0, 2.0  # errors; of a mean with the other sign
SHOWN, HALF = (1.5, 2.6), 0.5  # sigma of the last mean, which must show it, too: this part of what it should show
FREE = 0.25  # of the pixels of a bin that must lie between the lines: one or two are a hit
QUIET = 0.4  # of its noise that the bins of a mean must be believed to have: a sky model follows its fibers
WIDEST = 0.5  # of the bins: what is wider is continuum of the targets


@dataclass(frozen=True, slots=True, eq=False)
class Misfit:
    """Pixels in which a product is not what its inputs make."""

    share: float
    typical: float
    fibers: tuple[int, ...]
    wave_range: tuple[float, float]


def identity(
    frame: Array, flat: Array, sky: Array, sframe: Array, good: Array, sigma: Array, wave: Array
) -> Misfit | None:
    """Where sframe is not frame / flat - sky; None if nowhere.

    A factor on the lines of the sky model is allowed for.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = frame / flat - sky - sframe
    return _misfit(gap, good & (flat > 0), sigma, wave, LINE_FACTOR * np.maximum(sky - np.median(sky), 0.0))


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


def calibration_levels(fluxcalib: Array) -> Array:
    """Logarithm of the calibration of every fiber over the typical one's, shape (nfiber,); NaN if unknown."""
    thin = fluxcalib[:, ::EVERY_PIXEL].astype(np.float64)
    typical = median(thin, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((thin > 0) & (typical > 0), thin / typical, np.nan)
        return np.asarray(np.log(middle(ratio, axis=1)))


def steps(
    residual: Array, disp: Array, cross: Array, sections: tuple[Section, ...], size: int, skip: tuple[str, ...]
) -> list[tuple[str, str, float, float, float]]:
    """(amplifier below, above, step in counts, significance, edge row) where the level jumps from one to the next."""
    out = []
    for below in sections:
        for above in sections:
            if above.disp[0] != below.disp[1] or above.cross != below.cross or {below.name, above.name} & set(skip):
                continue
            edge = above.disp[0]
            center = cross[:, cross.shape[1] // 2]
            rows = np.flatnonzero((center >= below.cross[0]) & (center < below.cross[1]))
            low = np.where((disp[rows] >= edge - EDGE_ROWS) & (disp[rows] < edge), residual[rows], np.nan)
            high = np.where((disp[rows] >= edge) & (disp[rows] < edge + EDGE_ROWS), residual[rows], np.nan)
            use = np.isfinite(low).any(axis=0) | np.isfinite(high).any(axis=0)
            if not use.any():
                continue
            jump = middle(high[:, use], axis=1) - middle(low[:, use], axis=1)
            jump = jump[np.isfinite(jump)]
            if jump.size < size:
                continue
            error = MEDIAN_ERROR * float(mad(jump)) / np.sqrt(jump.size)
            value = float(np.median(jump))
            parts = blocks_of(jump, size)
            same = np.mean(np.sign(parts) == np.sign(value)) > 0.9 and np.min(np.abs(parts)) > 0.3 * abs(value)
            if same and abs(value) > EDGE_LIMIT * error:
                out.append((below.name, above.name, value, abs(value) / max(error, 1e-9), float(edge)))
    return out


def everywhere(
    means: list[tuple[Array, Array]], line: Array, wave: Array, sky: Array
) -> list[tuple[float, float, tuple[float, float]]]:
    """(amplitude, significance, wavelength range) of residuals that all fibers share, between the lines.

    Parameters
    ----------
    means : list of (ndarray, ndarray), shape (nwave,)
        Means of fibers that differ, and their noise: of targets, of sky fibers, which must show it, too.
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
    best: dict[tuple[int, int], tuple[float, float]] = {}
    free = binned(~line, BIN) > FREE
    binned_means = []
    for mean, noise in means:
        weight = np.where(line, 0.0, noise**-2.0)[:cut].reshape(count, BIN).sum(axis=1)
        total = np.where(line, 0.0, mean * noise**-2.0)[:cut].reshape(count, BIN).sum(axis=1)
        known = free & (weight > 0)
        total, weight = np.where(known, total, 0.0), np.where(known, weight, 0.0)
        z = np.where(known, total / np.sqrt(np.where(known, weight, 1.0)), 0.0)
        extra = max(QUIET, float(mad(z[known])) if known.any() else 1.0) ** 2
        binned_means.append((total / extra, weight / extra))
    together = np.sum(binned_means, axis=0)
    for total, weight in (*binned_means, together):
        for first, last, value, score in _windows(total, weight):
            agreed = all(_agrees(own, first, last, value) for own in binned_means)
            agreed &= _shown(binned_means[-1], first, last, value)
            if agreed and score > ALL_LIMIT and abs(value) > ALL_SKY * level[first:last].mean():
                best[first, last] = max(best.get((first, last), (0.0, 0.0)), (value, score), key=lambda v: v[1])
    out: list[tuple[int, int, float, float]] = []
    for (first, last), (value, score) in sorted(best.items(), key=lambda item: -item[1][1]):
        if not any(first < b and a < last for a, b, *_ in out):
            out.append((first, last, value, score))
    return [(v, s, (float(centers[a]) - half, float(centers[b - 1]) + half)) for a, b, v, s in out]


def _agrees(own: tuple[Array, Array], first: int, last: int, value: float) -> bool:
    """Whether another mean shows the same: targets have light of their own, sky fibers have not."""
    total, weight = (float(v[first:last].sum()) for v in own)
    if weight <= 0:
        return False
    error = weight**-0.5
    near = abs(total / weight - value) < AGREE * error + 0.5 * abs(value)
    return near and (total * value > 0 or abs(total) * error < SUPPORT)


def _shown(own: tuple[Array, Array], first: int, last: int, value: float) -> bool:
    """Whether a mean shows a good part of a residual with its sign."""
    total, weight = (float(v[first:last].sum()) for v in own)
    least = float(np.clip(HALF * abs(value) * weight**0.5, *SHOWN))
    return float(np.sign(value)) * total > least * max(weight, 1e-30) ** 0.5


def _windows(total: Array, weight: Array) -> list[tuple[int, int, float, float]]:
    """(first, last, mean, sigma) of the stretches of bins that stand out, one after the other."""
    out = []
    total, weight = total.copy(), weight.copy()
    for _ in range(MOST_WINDOWS):
        sums, weights = (np.concatenate([[0.0], np.cumsum(v)]) for v in (total, weight))
        first, last = np.triu_indices(sums.size, MIN_BINS)
        narrow = last - first <= WIDEST * total.size
        first, last = first[narrow], last[narrow]
        norm = weights[last] - weights[first]
        gain = np.abs(sums[last] - sums[first]) / np.sqrt(np.maximum(norm, 1e-30))
        k = int(np.argmax(gain))
        a, b = int(first[k]), int(last[k])
        if gain[k] < ALL_LIMIT:
            break
        out.append((a, b, float((sums[b] - sums[a]) / max(norm[k], 1e-30)), float(gain[k])))
        total[a:b] = 0.0
    return out

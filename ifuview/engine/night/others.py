"""What concerns all fibers alike: mixed products, calibration, amplifier edges, a residual everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.blocks import BIN, MIN_BINS, Grid
from ifuview.engine.night.stats import MEDIAN_ERROR, binned, blocks_of, mad, middle, runs
from ifuview.model.checks import Array
from ifuview.model.night.chain import Section

MISFIT = 0.35  # sigma of a pixel beyond which two products contradict each other (rounding in files: 0.16)
MISFIT_SHARE = 0.01  # of the pixels
LINE_FACTOR = 0.1  # of the sky model that a factor on lines may change
WIGGLE, WIGGLE_WIDTH, DEGREE = 0.05, 200.0, 6  # of a flux calibration against a polynomial; clean: 0.0002
EVERY = 5  # fibers of the calibration that are looked at: they differ by a factor
MARGIN = 100  # px at the ends of it
EDGE_ROWS, EDGE_LIMIT, EDGE_SKY = 40.0, 5.0, 0.03  # rows each side, sigma, part of the sky level
ALL_LIMIT, ALL_SKY = 8.0, 0.03


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
    level = np.median(fluxcalib[::EVERY], axis=0)
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


def everywhere(residual: Array, bins: Grid, size: int) -> list[tuple[float, float, tuple[float, float]]]:
    """(amplitude, significance, wavelength range) of residuals that all fibers share."""
    level = middle(blocks_of(binned(residual, BIN), size), axis=0)
    z = level / (MEDIAN_ERROR * bins.sigma / np.sqrt(residual.shape[0]))
    z /= max(1.0, float(mad(z)))
    hit = (np.abs(z) > ALL_LIMIT) & (np.abs(level) > ALL_SKY * bins.sky)
    out = []
    for first, last in runs(hit, 1):
        if np.count_nonzero(hit[first:last]) >= MIN_BINS:
            at = first + int(np.argmax(np.abs(level[first:last])))
            span = (float(bins.wave[first] - bins.half), float(bins.wave[last - 1] + bins.half))
            out.append((float(level[at]), float(abs(z[at])), span))
    return out

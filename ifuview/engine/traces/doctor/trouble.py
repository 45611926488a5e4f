"""Trouble of the image itself that could be taken for wrong traces: cosmics, bad columns, saturation, backgrounds."""

from __future__ import annotations

import numpy as np

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.traces.light import kernels as kernel
from ifuview.engine.traces.light.masked import outside
from ifuview.model.checks import Array
from ifuview.model.orientation import CANONICAL, AxisWords
from ifuview.model.traces.doctor import MASKED, UNTRACED, FrameTrouble, untraced_words

LINE_PIXELS = 40  # marked pixels of one row or column that make it bad ...
LINE_SIGMA = 8.0  # ... and this many sigma above the other rows or columns
MIN_COSMICS = 20  # pixels
MASKED_SHARE = 0.02  # of the image
SATURATED = 30  # pixels at the very same highest value
STEP_SIGMA = 8.0
STEP_SHARE = 0.005  # of the usual peak
PEDESTAL_SHARE = 0.01  # of the usual peak
SCATTERED_SHARE = 0.02
MOST_LISTED = 12  # rows that a sentence lists
DEAD_SHARE = 0.5  # of a column that reads exactly the same


def find_trouble(
    columns: Array,
    good: Array,
    marks: Array,
    center: Array,
    background: Array,
    background_err: Array,
    edges: Array,
    peak: float,
    bad_rows: tuple[tuple[int, int, int], ...] = (),
    areas: tuple[FrameTrouble, ...] = (),
    axes: AxisWords = CANONICAL,
) -> tuple[FrameTrouble, ...]:
    """Return what is wrong with the image.

    Parameters
    ----------
    columns : float32 (ncol, nrow); good, marks : uint8 (ncol, nrow)
    center : (nslot, nbin), px
    background, background_err : (ngroup, nbin), counts
    edges : (nbin + 1,)
    peak : float
        Usual peak of a fiber, counts.
    bad_rows : tuple of (row, first column, last column)
        Found, and left out, by the fit.
    areas : tuple of FrameTrouble
        Of `masked_areas`: not said again.
    axes : AxisWords
        How places are called.
    """
    out: list[FrameTrouble] = []
    marked = (marks & kernel.MARKED) > 0
    known = [_bad_row(row, x0, x1, center, edges, axes) for row, x0, x1 in bad_rows]
    dead = _dead_columns(columns, good, outside(good, areas), axes)
    lines = [*known, *_bad_lines(marked, center, edges, axes), *dead]
    left = marked
    if lines:
        left = marked.copy()
        for line in lines:
            x0, x1 = int(line.x_range[0]), int(line.x_range[1]) + 1
            r0, r1 = int(line.row_range[0]), int(line.row_range[1]) + 1
            left[x0:x1, r0:r1] = False
    out += lines
    out += _cosmics(left)
    out += _saturated(columns, axes)
    masked = float(1 - (good & 1).mean()) - sum(area.amount for area in areas)
    if masked > MASKED_SHARE:
        out.append(_trouble(MASKED, masked, np.sqrt(masked / good.size), "share", columns.shape, (),
                            f"{100 * masked:.1f} % of the pixels are masked or have no weight"))  # fmt: skip
    out += _backgrounds(background, background_err, edges, peak, columns.shape, axes)
    return tuple(out)


def untraced_light(center: Array, nfiber: int, ncol: int) -> tuple[FrameTrouble, ...]:
    """Lit fibers without a trace.

    Parameters
    ----------
    center : (n, nbin), px
        Of their light.
    nfiber, ncol : int
        Traces and columns.
    """
    n = center.shape[0]
    if not n:
        return ()
    with np.errstate(invalid="ignore"):
        rows = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.nan for c in center])
    rows = np.sort(rows[np.isfinite(rows)])
    listed = ", ".join(f"{row:.0f}" for row in rows[:MOST_LISTED])
    more = f" and {rows.size - MOST_LISTED} more, up to {rows[-1]:.0f}" if rows.size > MOST_LISTED else ""
    where = f"at pixel{'' if n == 1 else 's'} {listed}{more} across the fibers"
    text = f"{untraced_words(n)} ({nfiber} {'has' if nfiber == 1 else 'have'} one): {where}"
    ends = (float(rows[0]), float(rows[-1])) if rows.size else (0.0, 0.0)
    return (
        FrameTrouble(
            UNTRACED, float(n), float(np.sqrt(n)), "fibers", (0.0, ncol - 1.0), ends, (), text, tuple(rows.tolist())
        ),
    )


def _trouble(
    kind: str, amount: float, err: float, unit: str, shape: tuple[int, ...], fibers: tuple[int, ...], text: str
) -> FrameTrouble:
    """Trouble of the whole image."""
    return FrameTrouble(
        kind, float(amount), float(err), unit, (0.0, shape[0] - 1.0), (0.0, shape[1] - 1.0), fibers, text
    )


def _bad_row(row: int, x0: float, x1: float, center: Array, edges: Array, axes: AxisWords) -> FrameTrouble:
    """A row of pixels along dispersion that sticks out."""
    text = f"{axes.across(row)} sticks out {axes.between(x0, x1)}: hot or bad line of pixels"
    size = float(x1 - x0 + 1)
    near = _near(center, edges, float(row), x0, x1)
    return FrameTrouble(
        "bad_columns",
        size,
        float(np.sqrt(size)),
        "pixels",
        (float(x0), float(x1)),
        (float(row), float(row)),
        near,
        text,
    )


def _bad_lines(marked: Array, center: Array, edges: Array, axes: AxisWords) -> list[FrameTrouble]:
    """Rows along dispersion, and columns, in which far more pixels stick out than in others."""
    out = []
    by_row, by_column = marked.sum(axis=0), marked.sum(axis=1)
    for row in _peaks(by_row):
        at = np.flatnonzero(marked[:, row])
        x0, x1 = np.percentile(at, [2, 98])
        out.append(_bad_row(row, float(x0), float(x1), center, edges, axes))
    for column in _peaks(by_column):
        at = np.flatnonzero(marked[column])
        text = f"{axes.along(column)} sticks out in {by_column[column]} pixels: bad line of pixels across the fibers"
        out.append(FrameTrouble("bad_columns", float(by_column[column]), float(np.sqrt(by_column[column])), "pixels",
                                (float(column), float(column)), (float(at[0]), float(at[-1])), (), text))  # fmt: skip
    return out


def _peaks(count: Array) -> list[int]:
    """Lines with far more marks than usual."""
    usual = float(np.median(count))
    high = usual + max(LINE_PIXELS, LINE_SIGMA * np.sqrt(usual + 1))
    found = np.flatnonzero(count > high)
    return [int(i) for i in found[np.argsort(-count[found])][:50]]


def _near(center: Array, edges: Array, row: float, x0: float, x1: float) -> tuple[int, ...]:
    """Slots within three pixels of a row in a range of columns."""
    inside = (edges[1:] > x0) & (edges[:-1] < x1)
    if not inside.any():
        return ()
    with np.errstate(invalid="ignore"):
        close = (np.abs(center[:, inside] - row) < 3).any(axis=1)
    return tuple(int(k) for k in np.flatnonzero(close))


def _dead_columns(columns: Array, good: Array, told: Array, axes: AxisWords) -> list[FrameTrouble]:
    """Columns across the fibers that read one value, or are masked, from edge to edge."""
    first = columns[:, :1]
    step = max(1, columns.shape[1] // 64)
    few, told = columns[:, ::step], told[:, ::step]
    count = np.maximum(told.sum(axis=1), 0.25 * told.shape[1])
    same = ((few == first) & told).sum(axis=1) > DEAD_SHARE * count
    masked = ((good[:, ::step] == 0) & told).sum(axis=1) > DEAD_SHARE * count
    out = []
    for column in np.flatnonzero(same | masked)[:50]:
        how = "reads one value" if same[column] else "is masked"
        text = f"{axes.along(column)} {how} across the fibers: bad line of pixels"
        out.append(FrameTrouble("bad_columns", float(columns.shape[1]), 0.0, "pixels", (float(column), float(column)),
                                (0.0, columns.shape[1] - 1.0), (), text))  # fmt: skip
    return out


def _cosmics(marked: Array) -> list[FrameTrouble]:
    """What is left of the marked pixels."""
    count = int(marked.sum())
    if count < MIN_COSMICS:
        return []
    text = f"{count} pixels on the fibers stick out like cosmic rays; they are left out"
    return [_trouble("cosmics", count, np.sqrt(count), "pixels", marked.shape, (), text)]


def _saturated(columns: Array, axes: AxisWords) -> list[FrameTrouble]:
    """Many pixels at the very same highest value."""
    top = float(columns.max()) if np.isfinite(columns).all() else float(np.nanmax(columns))
    if not np.isfinite(top) or top <= 0:
        return []
    full = columns >= top * (1 - 1e-6)
    count = int(full.sum())
    if count < SATURATED or count == columns.size:
        return []
    x = np.flatnonzero(full.any(axis=1))
    r = np.flatnonzero(full.any(axis=0))
    text = f"{count} pixels stand at the highest value {top:.6g}: saturated, {axes.between(x[0], x[-1])}"
    return [FrameTrouble("saturated", float(count), float(np.sqrt(count)), "pixels", (float(x[0]), float(x[-1])),
                         (float(r[0]), float(r[-1])), (), text)]  # fmt: skip


def _backgrounds(
    level: Array, error: Array, edges: Array, peak: float, shape: tuple[int, ...], axes: AxisWords
) -> list[FrameTrouble]:
    """Pedestal, amplifier steps and scattered light from the background between the fibers."""
    known = np.isfinite(level) & np.isfinite(error) & (error > 0)
    if not known.any() or not peak > 0:
        return []
    weight = np.where(known, 1 / np.where(known, error, 1) ** 2, 0)
    mean = float((weight * np.nan_to_num(level)).sum() / weight.sum())
    mean_err = float(weight.sum() ** -0.5)
    out = []
    if abs(mean) > PEDESTAL_SHARE * peak and abs(mean) > STEP_SIGMA * mean_err:
        share = 100 * mean / peak
        text = f"a pedestal of {mean:.3g} ± {mean_err:.1g} counts lies under the fibers, {share:.1f} % of their peak"
        out.append(_trouble("pedestal", mean, mean_err, "counts", shape, (), text))
    step, step_err, at, along = _step(np.where(known, level, np.nan))
    if abs(step) > STEP_SHARE * peak and abs(step) > STEP_SIGMA * step_err:
        where = axes.along(edges[at]) if along else f"group {at} of the fibers"
        text = f"the background steps by {step:.3g} ± {step_err:.1g} counts at {where}: amplifiers differ"
        out.append(_trouble("amplifier_step", step, step_err, "counts", shape, (), text))
        return out
    spread = float(
        np.sqrt(max(np.average((np.nan_to_num(level) - mean) ** 2, weights=weight) - 1 / weight[known].mean(), 0))
    )
    if spread > SCATTERED_SHARE * peak and spread > 3 * mean_err:
        text = f"the background between the fibers varies by {spread:.3g} counts rms: scattered light"
        out.append(_trouble("scattered_light", spread, mean_err, "counts", shape, (), text))
    return out


def _step(level: Array) -> tuple[float, float, int, bool]:
    """The sharpest step of the background along or across dispersion: size, error, place, whether along."""
    best = (0.0, np.inf, 0, True)
    for along in (True, False):
        values = level if along else level.T
        n = values.shape[1]
        if n < 8:
            continue
        width = max(2, min(6, n // 4))
        profile = np.array([np.nanmedian(c) if np.isfinite(c).any() else np.nan for c in values.T])
        rough = np.diff(profile)
        scatter = robust_sigma(rough) if np.isfinite(rough).any() else np.inf
        for i in range(width, n - width + 1):
            low, high = profile[i - width : i - 1], profile[i + 1 : i + width]
            if not (np.isfinite(low).all() and np.isfinite(high).all() and low.size and high.size):
                continue
            size = float(high.mean() - low.mean())
            err = max(scatter / np.sqrt(low.size), float(np.std(low)), float(np.std(high)), 1e-9)
            if abs(size) / err > abs(best[0]) / best[1]:
                best = (size, err, i, along)
    return best

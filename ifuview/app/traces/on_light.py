"""Whether traces lie on the light of an image at all, and how those that do not lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

CERTAIN, MEDIAN_ERROR = 5.0, 1.86  # sigma of light; error of a median over median deviation / sqrt(n)

ON_LIGHT = 1.1  # light on the traces over light between them; less is no trace of this image

MOST_SHIFT = 4.0  # px

TURNED = 1.5  # contrast of turned traces over that of the given ones, from where on they are called turned

LEAST_COVERED = 0.6  # share of the columns; traces of a detector of half the size reach no farther

CHECKED_COLUMNS = 64

AVERAGED, WINDOW = 4, 3  # columns on each side that are averaged, and rows on each side, for the center of the light

SMOOTH, CLIPPED = 3, 6.0  # degree of what is smooth over fibers and columns; times the spread beyond which is no light

LEAST_SCATTER, SCATTERED = 0.03, 0.6  # px: less about the traces is no turn; share of it that turned traces leave

LEAST_OFFSET, MOVED = 0.1, 0.3  # px: usual offset of straight traces that may be turned; share of it that is left then,

NOISE = 1.5  # times the scatter: no more than noise

BLOCK, BLOCKS = 32, 8  # columns of a median, and such medians, that tell along which axis the fibers run

BRIGHT = 95  # percentile of the rows, that is as bright as fibers

FEWEST, UNEQUAL, REGULAR, HALF = 4, 0.25, 0.6, 0.5  # gaps; what those of a comb differ by, its share, that of places

STEPPED, RUNS = 75, 3.0  # percentile of the steps; times the steps along the other axis, from where on it is told


def check_on_light(data: Array, traces: TraceSet) -> None:
    """Raise UsageError where the traces have nothing to do with the image."""
    if data.shape[1] != traces.ncol:
        text = f"the traces have {traces.ncol} pixels along dispersion, the image has {data.shape[1]}"
        raise UsageError(text, traces.name, "open the traces of this detector")
    few = np.isfinite(traces.center).sum(axis=1)
    if (few < 2).all():
        raise UsageError("the traces have fewer than two points per fiber", traces.name, "give whole traces")
    if outside(data, traces):
        raise UsageError("most of the traces lie outside the image", traces.name, "open the traces of this detector")


def outside(data: Array, traces: TraceSet) -> bool:
    """Whether most of the traces lie outside the image."""
    return float(np.nanmean((traces.center >= 0) & (traces.center <= data.shape[0] - 1))) < 0.5


def contrast(data: Array, traces: TraceSet) -> float:
    """Light on the traces over light beside them: far above one for traces of this image, 0 without light on them."""
    from ifuview.engine.traces.light.slots import spacing_of, typical

    at = np.unique(np.round(np.linspace(0, traces.ncol - 1, CHECKED_COLUMNS)).astype(int))
    center = traces.center[:, at]
    half = min(spacing_of(typical(traces.center)) / 2, 4.0)
    nrow = data.shape[0]
    known = np.isfinite(center)
    column = np.broadcast_to(at, center.shape)

    def light(offset: float) -> tuple[float, float]:
        rows = np.clip(np.round(np.nan_to_num(center) + offset), 0, nrow - 1).astype(int)
        values = data[rows, column][known]
        values = values[np.isfinite(values)]
        if not values.size:
            return 0.0, 0.0
        level = float(np.median(values))
        return level, MEDIAN_ERROR * float(np.median(np.abs(values - level))) / float(np.sqrt(values.size))

    sides = [light(half), light(-half)]
    beside = (sides[0][0] + sides[1][0]) / 2
    on, error = max(light(0.0), light(1.0), light(-1.0))
    if on - beside <= CERTAIN * float(np.hypot(error, max(sides[0][1], sides[1][1]))):
        return 0.0  # of an image without light both are near zero, and their ratio is anything
    return on / max(abs(beside), 1e-9)


def turned_words(data: Array, traces: TraceSet) -> str:
    """How traces lie turned against an image, where turning them back brings them onto the light; "" if they do not.

    Light far better on the turned traces tells it; where a slit is nearly its own mirror image, the light of the single
    fibers does: turned back it lies on their traces but for what is smooth over the detector, otherwise it does not.
    Nearly straight traces change little by mirroring: what is left of their offset then tells it.
    """
    own, own_scatter, own_offset = _best(data, traces)
    found = {how: _best(data, turned) for how, turned in _turns(data, traces).items()}
    best = max(found, key=lambda how: found[how][0])
    if found[best][0] > TURNED * max(own, ON_LIGHT):
        return best
    best = min(found, key=lambda how: found[how][1] + found[how][2])
    light, scatter, offset = found[best]
    if own_scatter > LEAST_SCATTER and scatter < SCATTERED * own_scatter and light > max(own, ON_LIGHT):
        return best
    straight = own_offset > LEAST_OFFSET and offset < min(MOVED * own_offset, NOISE * scatter)
    return best if straight and light > ON_LIGHT else ""


def lit(data: Array, traces: TraceSet | None) -> float:
    """Contrast of traces shifted or turned onto the light as well as can be; 0 of none, or of another detector's."""
    if traces is None or traces.ncol != data.shape[1]:
        return 0.0
    return max(_best(data, one)[0] for one in (traces, *_turns(data, traces).values()))


def _turns(data: Array, traces: TraceSet) -> dict[str, TraceSet]:
    """Traces that are turned back, by how they are turned."""
    upside = data.shape[0] - 1 - traces.center
    centers = {
        "upside down": upside,
        "mirrored along dispersion": traces.center[:, ::-1],
        "upside down and mirrored along dispersion": upside[:, ::-1],
    }
    return {how: replace(traces, center=center, coeff=None) for how, center in centers.items()}


def _best(data: Array, traces: TraceSet) -> tuple[float, float, float]:
    """Contrast of traces shifted onto the light, a shift is no turn, and `scatter` of the light about them, px."""
    shifts = np.linspace(-MOST_SHIFT, MOST_SHIFT, 2 * int(MOST_SHIFT) + 1)
    shifted = [replace(traces, center=traces.center + d, coeff=None) for d in shifts]
    light = [contrast(data, one) for one in shifted]
    best = int(np.argmax(light))
    return light[best], *scatter(data, shifted[best])


def scatter(data: Array, traces: TraceSet) -> tuple[float, float]:
    """Scatter of the light of the fibers about their traces, px, without what is smooth over fibers and columns.

    And with it, but for a shift.
    """
    at = np.unique(np.round(np.linspace(AVERAGED, traces.ncol - 1 - AVERAGED, CHECKED_COLUMNS)).astype(int))
    path = traces.center[:, at]
    known = np.isfinite(path) & (path > WINDOW) & (path < data.shape[0] - 1 - WINDOW)
    few = np.stack([np.nan_to_num(data[:, max(x - AVERAGED, 0) : x + AVERAGED + 1]).mean(axis=1) for x in at], axis=1)
    rows = np.round(np.where(known, path, WINDOW)).astype(int)
    step = np.arange(-WINDOW, WINDOW + 1)
    light = few[rows[..., None] + step, np.arange(at.size)[None, :, None]]
    light = light - light.min(axis=2, keepdims=True)
    total = light.sum(axis=2)
    away = rows + (light * step).sum(axis=2) / np.where(total > 0, total, 1) - path
    known &= total > 0
    u, v = np.linspace(-1, 1, at.size), np.linspace(-1, 1, path.shape[0])
    smooth = np.polynomial.legendre.legvander2d(np.repeat(v, u.size), np.tile(u, v.size), (SMOOTH, SMOOTH))
    left, good = away.ravel(), known.ravel()
    for _ in range(3):
        if good.sum() <= smooth.shape[1]:
            return float("inf"), float("inf")
        left = away.ravel() - smooth @ np.linalg.lstsq(smooth[good], away.ravel()[good], rcond=None)[0]
        spread = float(np.median(np.abs(left[good])))
        good = known.ravel() & (np.abs(left) < CLIPPED * max(spread, 1e-6))
    return spread, float(np.median(np.abs(away[known] - np.median(away[known]))))


def light_runs(data: Array) -> str:
    """Axis of an image, "x" or "y", along which its fibers run, by their light; "" where it does not tell.

    Medians of a few dozen neighbors along the fibers keep the steps from fiber to gap; across them they leave the
    spectrum, which is smooth but for some lines. Of a lamp of lines alone they keep the lines: no comb of fibers.
    """
    along_x, along_y = _medians(data), _medians(data.T)
    x, y = _steps(along_x), _steps(along_y)
    if max(x, y) <= RUNS * min(x, y) or not _is_comb(along_x if x > y else along_y):
        return ""
    return "x" if x > y else "y"


def _medians(data: Array) -> Array:
    """Medians of neighboring columns in some places, (nplace, nrow)."""
    width = min(BLOCK, data.shape[1])
    start = np.unique(np.linspace(0, data.shape[1] - width, BLOCKS).astype(int))
    return np.stack([np.median(np.nan_to_num(data[:, x : x + width]), axis=1) for x in start])


def _steps(rows: Array) -> float:
    """Steps from row to row that are usual."""
    if rows.shape[1] <= 2 * WINDOW:
        return 0.0
    steps = [np.abs(rows[:, d:-d] - (rows[:, : -2 * d] + rows[:, 2 * d :]) / 2) for d in range(2, WINDOW + 1)]
    return max(float(np.percentile(step, STEPPED)) for step in steps)


def _is_comb(rows: Array) -> bool:
    """Whether the peaks have equal distances in most places, but for some gaps."""
    from ifuview.engine.traces.peaks import find_peaks

    regular = []
    for row in rows:
        low, high = np.percentile(row, [100 - BRIGHT, BRIGHT])
        peaks = find_peaks(row, 0.0)
        gaps = np.diff(peaks[row[np.rint(peaks).astype(int)] > low + (high - low) / 4])  # others may be noise
        regular.append(gaps.size >= FEWEST and np.mean(np.abs(gaps / np.median(gaps) - 1) < UNEQUAL) > REGULAR)
    return bool(np.mean(regular) >= HALF)

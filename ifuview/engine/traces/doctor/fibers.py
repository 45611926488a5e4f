"""Problems of single fibers, judged from what was measured: pure comparison with limits, so that it can be repeated.

A fiber is compared with its own light after the shared modes are removed; flux and width with those of its neighbors
on the slit. Errors contain the model floor and, where pixels were left out, a share of the profile's width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ifuview.engine.numeric.groups import TwoGroups
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.traces.doctor.patterns.light import FLAT_SCATTER, against_neighbors, dim_part
from ifuview.model.checks import Array
from ifuview.model.orientation import CANONICAL, AxisWords
from ifuview.model.traces.doctor import DoctorLimits, Problem, Range
from ifuview.model.traces.findings import fiber_words
from ifuview.model.verdict import Verdict

CLIPPED_ERROR = 0.5  # px per share of clipped pixels
WHOLE = 0.7  # of the measured bins: the whole fiber is off
RUN = 3  # fibers in a row with the same slip are an index shift
EDGE = 3.0  # sigma; a range of bins ends where the offset falls below
EDGE_SHARE = 0.15  # of the largest offset; likewise


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the judgement needs; arrays (nfiber, nbin) unless said.

    Parameters
    ----------
    offset, error : px
        Light of the fiber minus its trace.
    model : px
        Shared modes.
    flux, flux_err, width, width_err, clipped
    edges : (nbin + 1,)
    wave : Angstrom, or None
    of_fiber, of_trace : (nfiber,)
        Slots.
    floor : float, px
    names : tuple of str
    axes : AxisWords
    """

    offset: Array
    error: Array
    model: Array
    flux: Array
    flux_err: Array
    width: Array
    width_err: Array
    clipped: Array
    edges: Array
    wave: Array | None
    of_fiber: Array
    of_trace: Array
    floor: float
    names: tuple[str, ...]
    axes: AxisWords = CANONICAL

    @property
    def residual(self) -> Array:
        """Offset beyond the modes."""
        return self.offset - self.model

    def total_error(self) -> Array:
        """Error of a bin with the floor and the effect of clipped pixels."""
        return np.sqrt(self.error**2 + self.floor**2 + (CLIPPED_ERROR * self.clipped) ** 2)

    def called(self, k: int) -> str:
        """A fiber in a sentence."""
        return fiber_words(self.names[k])

    def x_range(self, inside: Array | None = None) -> Range:
        """Columns of the bins inside."""
        at = np.arange(self.edges.size - 1) if inside is None else np.flatnonzero(inside)
        return float(self.edges[at[0]]), float(self.edges[at[-1] + 1] - 1)

    def wave_range(self, k: int, inside: Array | None = None) -> Range | None:
        """Wavelengths of the bins inside."""
        if self.wave is None:
            return None
        w = self.wave[k] if inside is None else self.wave[k][inside]
        w = w[np.isfinite(w)]
        return (float(w.min()), float(w.max())) if w.size else None


def find_problems(m: Measured, limits: DoctorLimits, apart: Array | None = None) -> tuple[Problem, ...]:
    """Return all problems, the most significant first within each verdict; fibers `apart` are off alike."""
    out = displaced(m)
    taken = {p.fiber for p in out if abs(p.amplitude_px or 0) > 0}
    ratio, ratio_err, telling = throughput(m)
    wide, wide_err = width_ratio(m)
    part = dim_part(m.flux, m.flux_err)
    for k in range(len(m.names)):
        dim = _dim(m, k, ratio[k], ratio_err[k], telling, limits)
        if dim is None and part is not None and part.low[k]:
            dim = _dim_alike(m, k, part, limits)
        if dim is not None:
            out.append(dim)
        if dim is not None and dim.kind == "dead":
            continue
        if k not in taken:
            own = offset_problem(m, k, limits)
            out += own or ([] if apart is None or not apart[k] else _alike(m, k, int(apart.sum()), limits))
        out += _broad(m, k, wide[k], wide_err[k], limits)
    order = (Verdict.FAIL, Verdict.WARN)
    return tuple(sorted(out, key=lambda p: (order.index(p.verdict), -(p.significance or 0))))


def displaced(m: Measured) -> list[Problem]:
    """Swapped, merged and index-shifted traces."""
    slip = m.of_trace - m.of_fiber
    out: list[Problem] = []
    shared = {int(s) for s in np.flatnonzero(np.bincount(m.of_trace, minlength=1) > 1)}
    owner = {int(s): k for k, s in enumerate(m.of_fiber)}
    trace_on = {int(s): k for k, s in enumerate(m.of_trace)}
    run = _runs(slip)
    in_run: set[int] = set()
    for first, last in run:
        for k in range(first, last + 1):
            in_run.add(k)
            text = (
                f"traces of fibers {m.names[first]} to {m.names[last]} each lie on the light of the fiber "
                f"{abs(slip[k])} {'up' if slip[k] > 0 else 'down'} the slit: shifted index"
            )
            out.append(_moved(m, k, "index_shift", text))
    ends = {int(s) for a, b in run for s in m.of_trace[a : b + 1]}
    for k in (int(j) for j in np.flatnonzero(slip)):
        if k in in_run:
            continue
        other = owner.get(int(m.of_trace[k]), -1)
        if other >= 0 and m.of_trace[other] == m.of_fiber[k]:
            text = f"fibers {m.names[k]} and {m.names[other]} have each other's trace"
            out.append(_moved(m, k, "swapped", text))
        elif other >= 0:
            there = trace_on.get(int(m.of_fiber[k]))
            own = "its own light has no trace" if there is None else f"that of {m.called(there)} on its own light"
            kind = "merged" if int(m.of_trace[k]) in shared else "swapped"
            out.append(_moved(m, k, kind, f"the trace lies on the light of {m.called(other)}, {own}"))
            if not slip[other]:
                out.append(_moved(m, other, "merged", f"{m.called(k)} has its trace on this fiber's light"))
    known = {p.fiber for p in out}
    for slot in shared - ends:
        both = [int(k) for k in np.flatnonzero(m.of_trace == slot)]
        for k in both:
            if k not in known:
                names = " and ".join(m.names[j] for j in both)
                out.append(_moved(m, k, "merged", f"traces {names} lie on the same light"))
    return out


def _runs(slip: Array) -> list[tuple[int, int]]:
    """First and last fiber of every run with the same slip."""
    out = []
    start = 0
    for k in range(1, slip.size + 1):
        if k == slip.size or slip[k] != slip[start]:
            if slip[start] and k - start >= RUN:
                out.append((start, k - 1))
            start = k
    return out


def _moved(m: Measured, k: int, kind: str, text: str) -> Problem:
    """Problem of a trace on another fiber's light."""
    mean, err, _ = mean_offset(m.residual[k], m.total_error()[k])
    known = np.isfinite(mean)
    sigma = float(np.hypot(err, m.floor)) if known else None
    return Problem(
        k, m.names[k], kind, mean if known else None, sigma, abs(mean) / sigma if known and sigma else None,
        m.x_range(), m.wave_range(k), f"{m.called(k)}: {text}",
    )  # fmt: skip


def mean_offset(value: Array, error: Array) -> tuple[float, float, int]:
    """Weighted mean, its error and the number of bins."""
    known = np.isfinite(value) & np.isfinite(error) & (error > 0)
    if not known.any():
        return np.nan, np.nan, 0
    w = error[known] ** -2.0
    return float((w * value[known]).sum() / w.sum()), float(w.sum() ** -0.5), int(known.sum())


def offset_problem(m: Measured, k: int, limits: DoctorLimits) -> list[Problem]:
    """Lost, offset or kinked trace."""
    value, error = m.residual[k], np.sqrt(m.error[k] ** 2 + m.floor**2 + (CLIPPED_ERROR * m.clipped[k]) ** 2)
    known = np.isfinite(value) & np.isfinite(error)
    if known.sum() < 2:
        return []
    size = np.where(known, np.abs(value), 0)
    pull = np.where(known, size / np.where(known, error, 1), 0)
    lost = (size > limits.lost_px) & (pull > limits.fiber_sigmas)
    if lost.sum() >= 2:
        return [_range_problem(m, k, "lost", value, error, lost, "leaves the light")]
    mean, err, _ = mean_offset(value, error)
    sigma = float(np.hypot(err, m.floor))
    agree = (size > limits.offset_px / 2) & (np.sign(value) == np.sign(mean))
    if abs(mean) > limits.offset_px and abs(mean) > limits.fiber_sigmas * sigma and agree.sum() > WHOLE * known.sum():
        text = f"{m.called(k)}: the trace is {abs(mean):.3f} px off, the light lies at {m.axes.side(mean)}"
        out = [Problem(k, m.names[k], "offset", mean, sigma, abs(mean) / sigma, m.x_range(), m.wave_range(k), text)]
        rest = np.where(known, np.abs(value - mean), 0)
    else:
        out, mean = [], 0.0
        rest = size
    bent = (rest > limits.kink_px) & (rest > limits.fiber_sigmas * np.where(known, error, np.inf))
    if _longest(bent) >= 2:
        out.append(_range_problem(m, k, "kink", value - mean, error, bent, "has a kink"))
    return out


def _alike(m: Measured, k: int, number: int, limits: DoctorLimits) -> list[Problem]:
    """Offset of a trace that would be too small for a problem, were there not many that are off alike."""
    mean, err, _ = mean_offset(m.residual[k], m.total_error()[k])
    sigma = float(np.hypot(err, m.floor))
    if not np.isfinite(mean) or abs(mean) < EDGE * sigma:
        return []
    text = f"{m.called(k)}: the trace is {abs(mean):.3f} px off, the light lies at {m.axes.side(mean)}"
    verdict = Verdict.FAIL if abs(mean) > limits.mode_fail_px else Verdict.WARN
    return [
        Problem(
            k, m.names[k], "offset", mean, sigma, abs(mean) / sigma, m.x_range(), m.wave_range(k),
            f"{text}, as those of {number - 1} others are", verdict,
        )
    ]  # fmt: skip


def _range_problem(m: Measured, k: int, kind: str, value: Array, error: Array, wrong: Array, words: str) -> Problem:
    """Problem of a range of bins, widened to where the offset ends."""
    size = np.where(np.isfinite(value), np.abs(value), 0)
    worst = int(np.argmax(np.where(wrong, size, 0)))
    off = wrong | (size > max(EDGE * float(np.nanmedian(error)), EDGE_SHARE * size[worst]))
    a = b = worst
    while a > 0 and off[a - 1]:
        a -= 1
    while b < off.size - 1 and off[b + 1]:
        b += 1
    inside = np.zeros(off.size, bool)
    inside[a : b + 1] = True
    amplitude, err = float(value[worst]), float(error[worst])
    x0, x1 = m.x_range(inside)
    text = (
        f"{m.called(k)}: the trace {words} {m.axes.between(x0, x1)}, by up to "
        f"{abs(amplitude):.2f} px; the light lies at {m.axes.side(amplitude)}"
    )
    return Problem(k, m.names[k], kind, amplitude, err, abs(amplitude) / err, (x0, x1), m.wave_range(k, inside), text)


def throughput(m: Measured) -> tuple[Array, Array, bool]:
    """Flux over that of the neighbors, its error, and whether it tells of throughput at all."""
    ratio, err = against_neighbors(m.flux, m.flux_err)
    return ratio, err, robust_sigma(ratio) < FLAT_SCATTER


def width_ratio(m: Measured) -> tuple[Array, Array]:
    """Width over that of the neighbors and its error."""
    return against_neighbors(m.width, m.width_err)


def _dim(m: Measured, k: int, ratio: float, err: float, telling: bool, limits: DoctorLimits) -> Problem | None:
    """Dead fiber or low throughput."""
    if not np.isfinite(ratio) or len(m.names) < 3:
        return None
    if ratio + limits.fiber_sigmas * err < 2 * limits.dead_flux and ratio < limits.dead_flux:
        digits = min(max(1 - math.floor(math.log10(max(100 * err, 1e-9))), 1), 4)
        text = f"{m.called(k)}: no light ({100 * ratio:.{digits}f} ± {100 * err:.{digits}f} % of its neighbors): dead"
        return Problem(
            k, m.names[k], "dead", None, None, (1 - ratio) / err, m.x_range(), m.wave_range(k), text, Verdict.WARN
        )
    if telling and ratio + limits.fiber_sigmas * err < limits.low_flux:
        text = f"{m.called(k)}: {100 * ratio:.0f} ± {100 * err:.1f} % of the light of its neighbors"
        return Problem(
            k, m.names[k], "low_throughput", None, None, (1 - ratio) / err, m.x_range(), m.wave_range(k), text,
            Verdict.WARN,
        )  # fmt: skip
    return None


def _dim_alike(m: Measured, k: int, part: TwoGroups, limits: DoctorLimits) -> Problem | None:
    """Low throughput of a fiber that many others share."""
    ratio = float(np.exp(part.values[0] - part.values[1]))
    err = ratio * float(np.hypot(*part.errors))
    if ratio + limits.fiber_sigmas * err >= limits.low_flux:
        return None
    text = (
        f"{m.called(k)}: like {int(part.low.sum()) - 1} others it has {100 * ratio:.0f} ± {100 * err:.1f} % of the "
        f"light that {int(part.high.sum())} fibers have"
    )
    return Problem(
        k, m.names[k], "low_throughput", None, None, (1 - ratio) / err, m.x_range(), m.wave_range(k), text,
        Verdict.WARN,
    )  # fmt: skip


def _broad(m: Measured, k: int, ratio: float, err: float, limits: DoctorLimits) -> list[Problem]:
    """Wide profile, or one that many pixels do not follow."""
    out = []
    if np.isfinite(ratio) and ratio > limits.wide_ratio and ratio - 1 > limits.fiber_sigmas * err:
        text = f"{m.called(k)}: the profile is {ratio:.2f} ± {err:.2f} times as wide as its neighbors'"
        out.append(
            Problem(
                k, m.names[k], "wide", None, None, (ratio - 1) / err, m.x_range(), m.wave_range(k), text, Verdict.WARN
            )
        )
    share = float(np.mean(m.clipped[k]))
    if share > limits.contaminated_share:
        text = f"{m.called(k)}: {100 * share:.0f} % of its pixels do not follow the profile: light of something else"
        out.append(
            Problem(k, m.names[k], "contaminated", None, None, None, m.x_range(m.clipped[k] > share / 2),
                    m.wave_range(k, m.clipped[k] > share / 2), text, Verdict.WARN)
        )  # fmt: skip
    return out


def _longest(flags: Array) -> int:
    """Length of the longest run."""
    best = run = 0
    if not flags.any():  # as in nearly all fibers
        return 0
    for flag in flags.tolist():
        run = run + 1 if flag else 0
        best = max(best, run)
    return best

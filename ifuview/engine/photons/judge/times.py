"""What happens in time: the whole array, feedlines, single resonators that stop counting; photons out of order.

The light of a list varies by itself (speckles, clouds). Therefore no resonator is held against the clock but against
the photons of the others of its feedline, and the chance of a gap is that of light which varies as its own does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.engine.numeric.runs import runs
from ifuview.engine.photons.calibration.badpixels import median_of, neighbors
from ifuview.engine.photons.judge.chance import deviations, excess, log_none, sigma_of
from ifuview.engine.photons.judge.gather import PhotonSums
from ifuview.model.checks import Array
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding

SURE = 6.0  # sigma, trials counted
SURE_OUT = 6.5  # of a time-out: how light varies is known from the same few photons
CHANGE = 0.15  # of the light of the whole array that is worth a word
DARKER = 0.5  # a feedline with less than this of its usual part of the light
FEW = 5  # resonators of a feedline that saw light, for it to be a clock of its own
ENOUGH = 50.0  # photons wanted in a bin of the array's light curve
WIDTHS = (1, 4, 20, 50)  # of its bins, in the finest ones
WORTH = 20.0  # photons that a gap must lack, and that the rest must have
REST = 0.3  # of the light of the others that the rest must be of
PAUSE = 0.2  # of the time; such a pause is to be noticed
SAFE = 1.5  # sigma more than needed, for a pause that is sure to be noticed
TOP = 99.0  # percent of the resonators; the light of brighter ones counts as that in a clock
SCALES = (1, 5, 10)  # bins of time taken together, to see how fast light varies
MANY, SHARE = 10, 0.01  # photons, and part of a resonator's photons, within the dead time


def array_in_time(sums: PhotonSums, silent: Array, shifted: Array) -> tuple[list[PhotonFinding], Array]:
    """Return drops and spikes of the light of the whole array, and the coarse bins (nbin,) that they lie in.

    Looked for in bins of several widths: short ones show deep drops, wide ones shallow ones. Where a feedline is
    `silent` (bool, (n, nbin)) less light is no wonder. Boards whose clock is off (`shifted`, bool (n,)) do not count.
    """
    explained = silent.any(axis=0)
    right = np.setdiff1d(np.arange(len(sums.fine)), sums.board[shifted])
    fine = sums.fine[right] if len(right) else sums.fine
    dark = np.zeros(sums.binned.shape[1], bool)
    best: dict[PhotonFault, PhotonFinding] = {}
    for factor in WIDTHS:
        by_line = fine.reshape(len(fine), -1, factor).sum(axis=2)
        counts = by_line.sum(axis=0)
        level = float(np.median(counts))
        if level < ENOUGH:
            continue
        edges = np.linspace(0.0, sums.duration, len(counts) + 1)
        for fault, sign in ((PhotonFault.DROP, -1), (PhotonFault.SPIKE, 1)):
            off = deviations(counts, np.full(len(counts), level), above=sign > 0)
            stretches = runs((sign * off > SURE) & (sign * (counts / level - 1) > CHANGE))
            where = [(sums.edges[1:] > edges[a]) & (sums.edges[:-1] < edges[b]) for a, b in stretches]
            own = [
                _everywhere(by_line[:, a:b].sum(axis=1), np.median(by_line, axis=1) * (b - a), sign)
                and (sign > 0 or 2 * np.count_nonzero(w & explained) < np.count_nonzero(w))
                for (a, b), w in zip(stretches, where)
            ]
            stretches = [s for s, real in zip(stretches, own) if real]
            for w in (w for w, real in zip(where, own) if real):
                dark |= w
            if stretches:
                found = _change(fault, counts, edges, level, off, stretches)
                if fault not in best or found.significance > 1.5 * best[fault].significance:  # else the finer times
                    best[fault] = found
    return list(best.values()), dark


def _everywhere(counts: Array, expected: Array, sign: int) -> bool:
    """Whether a change is seen without the half of the feedlines that change most: a bright speckle is in a few."""
    order = np.argsort(sign * (counts - expected))[: max(len(counts) - len(counts) // 2, 1)]
    number, hoped = float(counts[order].sum()), float(expected[order].sum())
    more = sign * (number - hoped)
    return bool(more > SURE * np.sqrt(max(hoped, 1.0)) and more > CHANGE * hoped)


def _change(
    fault: PhotonFault, counts: Array, edges: Array, level: float, off: Array, stretches: list[tuple[int, int]]
) -> PhotonFinding:
    """Drops or spikes of the whole array as one finding."""
    sums = [np.abs(off[a:b]).sum() / np.sqrt(b - a) for a, b in stretches]
    best = int(np.argmax(sums))
    first, last = stretches[best]
    part = float(counts[first:last].mean()) / level
    error = float(np.sqrt(max(counts[first:last].sum(), 1)) / (last - first) / level)
    lasting = sum(float(edges[b] - edges[a]) for a, b in stretches)
    when = f"{edges[first]:.3g} to {edges[last]:.3g} s"
    more = f", {len(stretches) - 1} more times" if len(stretches) > 1 else ""
    text = (
        f"The whole array counts {part:.3g} +- {error:.1g} of its usual light at {when}{more}; {lasting:.3g} s in all."
    )
    return PhotonFinding(
        fault, amount=part, error=error, unit="of the light", significance=float(sums[best]),
        times=(float(edges[first]), float(edges[last])), text=text,
        arrays={"edges": edges, "counts": counts, "expected": np.full(len(counts), level)},
    )  # fmt: skip


def feedlines_in_time(sums: PhotonSums, shifted: Array) -> tuple[list[PhotonFinding], Array]:
    """Return feedlines that drop out for a while, and bool (n, nbin) where their resonators are not to be asked.

    Those whose clock is off (`shifted`, bool (n,)) are asked nothing.
    """
    lines, place = np.unique(sums.feedline, return_inverse=True)
    out = np.zeros(sums.binned.shape, bool)
    if len(lines) < 2:
        return [], out
    light = np.zeros((len(lines), sums.binned.shape[1]))
    np.add.at(light, place, clipped(sums.binned))
    off_clock = np.isin(np.arange(len(lines)), place[shifted])
    found = []
    for k, line in enumerate(lines.tolist()):
        if off_clock[k]:
            continue
        other = light[~off_clock].sum(axis=0) - light[k]
        if other.sum() <= 0 or light[k].sum() < ENOUGH:
            continue
        expected = other * np.median(light[k][other > 0] / other[other > 0])
        off = deviations(light[k], expected)
        stretches = runs((off < -SURE) & (light[k] < DARKER * expected))
        for first, last in stretches:
            out[place == k, first:last] = True
        if stretches:
            dropped = _dropped(line, sums.edges, light[k], expected, off, stretches)
            found.append(replace(dropped, area=area_of(sums, place == k)))
    return found, out


def _dropped(
    line: int, edges: Array, counts: Array, expected: Array, off: Array, stretches: list[tuple[int, int]]
) -> PhotonFinding:
    """A feedline that drops out."""
    first, last = max(stretches, key=lambda s: s[1] - s[0])
    hoped = float(expected[first:last].sum())
    part = float(counts[first:last].sum()) / hoped
    sigma = float(np.abs(off[first:last]).sum() / np.sqrt(last - first))
    when, hoped_s = f"{edges[first]:.3g} to {edges[last]:.3g} s", float(edges[last] - edges[first])
    more = f" and {len(stretches) - 1} more times" if len(stretches) > 1 else ""
    end = first == 0 or last == len(counts)
    clock = f", or its clock is {hoped_s:.3g} s {'ahead' if first == 0 else 'behind'}" if end else ""
    return PhotonFinding(
        PhotonFault.FEEDLINE_DROP, amount=part, error=float(np.sqrt(max(part, 1 / hoped) / hoped)), unit="of its light",
        significance=sigma, times=(float(edges[first]), float(edges[last])), feedlines=(line,),
        text=f"Feedline {line} counts {part:.2g} of what the others let expect at {when}{more}{clock}.",
        arrays={"edges": edges, "counts": counts, "expected": expected},
    )  # fmt: skip


def clipped(binned: Array) -> Array:
    """Photons per resonator and bin, none of more weight than the usual bright one: a clock is no single pixel."""
    total = binned.sum(axis=1)
    seen = total[total > 0]
    if not len(seen):
        return binned.astype(float)
    top = np.percentile(seen, TOP)
    return np.asarray(binned * np.minimum(top / np.maximum(total, 1), 1.0)[:, None])


def clocks(sums: PhotonSums, silent: Array) -> Array:
    """Return the photons that each resonator would count by the light of its feedline, float64 (n, nbin).

    Parameters
    ----------
    silent : ndarray, bool, shape (n, nbin)
        Bins that are not to be asked; nothing is expected there.
    """
    light = clipped(sums.binned)
    line = sums.feedline
    whole = light.sum(axis=0)
    total = sums.counts.astype(float)
    out = np.empty(light.shape)
    for k in np.unique(line):
        own = line == k
        shared = light[own].sum(axis=0) if np.count_nonzero(total[own]) >= FEW else whole
        clock = shared - light[own] if np.count_nonzero(total[own]) >= FEW else whole - light[own]
        clock = np.where(silent[own], 0.0, np.maximum(clock, 0.0))
        out[own] = clock
    asked = np.where(silent, 0, sums.binned).sum(axis=1)
    norm = out.sum(axis=1)
    return np.asarray(out * np.divide(asked, norm, out=np.zeros(len(norm)), where=norm > 0)[:, None])


def time_outs(sums: PhotonSums, clock: Array, allowed: Array) -> tuple[PhotonFinding | None, Array, Array]:
    """Return the resonators that stop counting for a while, bool (n,) of them, and whether one would have been noticed.

    The latter, bool (n,), are those whose pause of a fifth of the time would have been sure.

    Parameters
    ----------
    clock : ndarray, shape (n, nbin)
        Of `clocks`.
    allowed : ndarray, bool, shape (n,)
        Those that can be judged.
    """
    total = clock.sum(axis=1)
    until = np.concatenate((np.zeros((len(clock), 1)), np.cumsum(clock, axis=1)), axis=1)
    inside = _at(until, sums.edges, sums.gap_start + sums.gap) - _at(until, sums.edges, sums.gap_start)
    scale = np.divide(
        total, total - inside, out=np.ones(len(total)), where=total - inside > 0
    )  # what the rest lets expect
    hoped = inside * scale
    enough = allowed & (sums.counts >= WORTH) & (total - inside > REST * total)
    middle = (sums.edges[1:] + sums.edges[:-1]) / 2
    outside = (middle < sums.gap_start[:, None]) | (middle > (sums.gap_start + sums.gap)[:, None])
    spread = spreads(sums, np.where(outside, sums.binned, 0), np.where(outside, clock * scale[:, None], 0))
    trials = np.log(np.maximum(sums.counts, 1) * max(len(clock), 1))
    chance = log_none(hoped, modes_in(sums, spread, sums.gap)) + trials
    sigma = np.where(enough & (hoped > WORTH), sigma_of(np.minimum(chance, 0.0)), 0.0)
    lost = sigma > SURE_OUT
    hoped_in_pause = sums.counts * PAUSE
    pause = np.full(len(clock), PAUSE * sums.duration)
    in_pause = log_none(hoped_in_pause, modes_in(sums, spread, pause)) + trials
    timed = lost | (allowed & (hoped_in_pause > WORTH) & (sigma_of(np.minimum(in_pause, 0.0)) > SURE_OUT + SAFE))
    if not lost.any():
        return None, lost, timed
    order = np.flatnonzero(lost)[np.argsort(-sigma[lost] - 1e-3 * hoped[lost], kind="stable")]
    worst = int(order[0])
    times = float(sums.gap_start[worst]), float(sums.gap_start[worst] + sums.gap[worst])
    lasting = float(sums.gap[order].sum())
    text = (
        f"{len(order)} resonator{'s' * (len(order) != 1)} stop counting for a while: {lasting:.3g} s in all, the "
        f"clearest from {times[0]:.3g} to {times[1]:.3g} s, where {hoped[worst]:.0f} photons were to be expected."
    )
    found = PhotonFinding(
        PhotonFault.TIME_OUT, pixels=pixels_of(sums, order), amount=float(sums.gap[worst]), error=1.0 / max(
            float(sums.counts[worst]) / sums.duration, 1e-9), unit="s", significance=float(sigma[worst]), times=times,
        text=text, arrays={"edges": sums.edges, "counts": sums.binned[worst], "expected": clock[worst] * scale[worst],
                           "gaps": np.stack((sums.gap_start[order], sums.gap[order]), axis=1)},
    )  # fmt: skip
    return found, lost, timed


def spreads(sums: PhotonSums, counts: Array, expected: Array) -> dict[int, Array]:
    """Return how much the light of each resonator varies beyond counting, by the number of bins taken together; (n,).

    Not less than that of its neighbors, by their median: that of a single resonator is known badly.
    """
    index = sums.info.beammap.index
    there = index >= 0
    out = {}
    for together in SCALES:
        own = excess(*(a.reshape(len(a), -1, together).sum(axis=2) for a in (counts, expected)))
        near, _ = median_of(neighbors(np.where(there, own[np.maximum(index, 0)], np.nan), there, 1))
        shared = np.zeros(len(own))
        shared[index[there]] = near[there]
        out[together] = np.maximum(own, shared)
    return out


def modes_in(sums: PhotonSums, spread: dict[int, Array], span: Array) -> Array:
    """Return how many independent moments a time (s, (n,)) holds: by the largest variation at scales within it."""
    width = sums.edges[1]
    modes = span / width / spread[SCALES[0]]
    for together in SCALES[1:]:
        modes = np.where(span >= together * width, np.minimum(modes, span / width / together / spread[together]), modes)
    return np.asarray(np.maximum(modes, 1.0))


def _at(until: Array, edges: Array, when: Array) -> Array:
    """Sums until a time of each row, from sums until the edges."""
    place = np.clip(when / edges[1], 0, len(edges) - 1)
    low = np.minimum(place.astype(np.int64), len(edges) - 2)
    rows = np.arange(len(until))
    return np.asarray(until[rows, low] + (until[rows, low + 1] - until[rows, low]) * (place - low))


def pixels_of(sums: PhotonSums, resonators: Array) -> Array:
    """x, y of the pixels of resonators, in their order; int64 (m, 2)."""
    index = sums.info.beammap.index
    rank = np.full(sums.info.beammap.nresonator + 1, -1)
    rank[resonators] = np.arange(len(resonators))
    y, x = np.nonzero(rank[index] >= 0)
    order = np.argsort(rank[index[y, x]], kind="stable")
    return np.stack((x, y), axis=1)[order]


def area_of(sums: PhotonSums, own: Array) -> tuple[int, int, int, int]:
    """First and last pixels x0, y0, x1, y1 of some resonators (bool, n)."""
    index = sums.info.beammap.index
    y, x = np.nonzero(np.append(own, False)[index])
    return int(x.min()), int(y.min()), int(x.max()), int(y.max())


def photons_in_order(sums: PhotonSums) -> PhotonFinding | None:
    """Return photons that come before their predecessor; None if there are none."""
    total = int(sums.back.sum())
    if not total:
        return None
    order = np.argsort(-sums.back, kind="stable")[: np.count_nonzero(sums.back)]
    share = total / max(int(sums.counts.sum()), 1)
    return PhotonFinding(
        PhotonFault.ORDER, pixels=pixels_of(sums, order), amount=float(total), error=0.0, unit="photons",
        text=f"{total} photons of {len(order)} resonators ({share:.2g} of all) come before the one that the file has "
        "before them.",
        arrays={"edges": sums.edges, "counts": sums.back_binned},
    )  # fmt: skip


def photons_too_close(sums: PhotonSums, told: Array) -> PhotonFinding | None:
    """Return photons within the dead time of the one before, where they are more than a clock's last digit explains.

    Nothing is said of resonators (`told`, bool, n) whose clock stands still: their photons have one time for that.
    """
    dead, counts = sums.info.dead_time, sums.counts
    if dead <= 0:
        return None
    by_chance = counts * counts / max(sums.duration, dead) * dead  # were there no dead time
    many = (sums.short > MANY) & (sums.short > SHARE * counts) & ~told
    if not many.any():
        return None
    order = np.flatnonzero(many)[np.argsort(-sums.short[many] / counts[many], kind="stable")]
    worst = int(order[0])
    share = float(sums.short[worst] / counts[worst])
    return PhotonFinding(
        PhotonFault.SHORT, pixels=pixels_of(sums, order), amount=share, error=float(np.sqrt(share / counts[worst])),
        unit="of the photons",
        text=f"{len(order)} resonators count again within their dead time of {dead * 1e6:.3g} microseconds, the worst "
        f"in {share:.2g} of its photons ({by_chance[worst] / counts[worst]:.1g} would come so close by chance).",
        arrays={"share": np.sort(sums.short / np.maximum(counts, 1))[::-1], "limit": np.array([SHARE])},
    )  # fmt: skip

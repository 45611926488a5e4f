"""Boards whose clock is off: their light begins and ends, or varies, as that of the others does but at other times.

A roach that was started wrongly gives all photons of its board a time that is off by seconds. What the whole array sees
(clouds, drops, the shutter) then comes early or late there: the light curves of a board and of the others are most
alike when they are shifted. Where nothing varies, the light of such a board begins later than that of the others and
ends later by as much, or both are earlier. A clock that stands still gives all photons of a while one time, and none
to the rest of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.photons.judge.gather import BOARD, FEEDLINE, FINE_BINS, PhotonSums
from ifuview.engine.photons.judge.times import area_of
from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding

SURE = 8.0  # sigma by which a shifted light curve is more alike than it is as it stands
FARTHEST = 0.25  # of the time; of a shift
ENDS = 30.0  # photons that were to be expected at either end
ALIKE = 0.25  # of a shift, by which what both ends say may differ; of photons that came at once, and were lost
MOST, DARK = 3.0, 0.2  # of the light that is expected: photons of a clock that stands still, and then
FEWEST = 3  # boards with light


def clocks_off(sums: PhotonSums) -> tuple[list[PhotonFinding], Array]:
    """Return the boards whose times are off, and bool (n,) of their resonators."""
    out = np.zeros(len(sums.counts), bool)
    board = sums.board
    light = np.array([sums.counts[board == k].sum() for k in range(len(sums.fine))])
    lit = np.flatnonzero(light > 0)
    if len(lit) < FEWEST:
        return [], out
    found = []
    ends = _ends(sums, board, len(sums.fine))
    for k in lit.tolist():
        own = board == k
        still = _standing(sums, k, lit)
        told = None if still else _by_light(sums, k, lit) or _by_ends(ends, light, k, lit, sums.duration)
        if still:
            found.append(replace(_stands_still(sums, k, lit, *still), area=area_of(sums, own)))
        elif told:
            found.append(replace(_finding(sums, k, lit, *told), area=area_of(sums, own)))
        out |= own & bool(still or told)
    return found, out


def _by_light(sums: PhotonSums, k: int, lit: Array) -> tuple[float, float, float] | None:
    """Shift (s), its error and its significance by which the light curves of a board and of the others are alike."""
    own, rest = sums.fine[k], sums.fine[lit[lit != k]]
    one = _varying(own)
    shape, center = _likeness(one, _varying(rest.sum(axis=0)))
    far = int(FARTHEST * FINE_BINS)
    near = shape[center - far : center + far + 1]
    noise = robust_sigma(near)
    best = int(np.argmax(near)) - far
    if best == 0 or noise <= 0 or near[best + far] - near[far] < SURE * np.sqrt(2) * noise:
        return None
    for other in rest:  # what is seen by this board alone is no light of all: the others agree on when it is
        alike, _ = _likeness(_varying(other), _varying(rest.sum(axis=0) - other))
        here = alike[center - far : center + far + 1]
        if here[far] < 0.5 * here.max() or here[far] < SURE * robust_sigma(here):
            return None
    width = sums.duration / FINE_BINS
    return best * width, width, float((near[best + far] - near[far]) / (np.sqrt(2) * noise))


def _standing(sums: PhotonSums, k: int, lit: Array) -> tuple[int, int, float] | None:
    """First fine bin and the one after the last of the while in which a clock stands still, and how many photons."""
    own, rest = sums.fine[k], sums.fine[lit[lit != k]].sum(axis=0)
    expected = rest * own.sum() / max(float(rest.sum()), 1.0)
    first = int(np.argmax(own - expected))
    more = float(own[first] - expected[first])
    if more < max(ENDS, MOST * expected[first], SURE * np.sqrt(expected[first])):
        return None
    seen = np.flatnonzero(own[first + 1 :] > DARK * expected[first + 1 :])
    stop = first + 1 + (int(seen[0]) if len(seen) else len(own) - first - 1)
    lost = float(expected[first + 1 : stop].sum())
    return (first, stop, more) if abs(lost - more) < ALIKE * more else None


def _varying(counts: Array) -> Array:
    """What a light curve varies by, in units of its noise."""
    mean = max(float(counts.mean()), 1e-9)
    return np.asarray((counts - mean) / np.sqrt(mean))


def _likeness(one: Array, other: Array) -> tuple[Array, int]:
    """Cross-correlation of two curves by how much later the first is, and where that is none."""
    size = len(one)
    product = np.fft.rfft(one, 2 * size) * np.conj(np.fft.rfft(other, 2 * size))
    return np.roll(np.fft.irfft(product, 2 * size), size) / size, size


def _ends(sums: PhotonSums, board: Array, number: int) -> Array:
    """When the light of each board begins and ends, s, shape (nboard, 2); NaN without light."""
    out = np.full((number, 2), np.nan)
    for k in range(number):
        own = (board == k) & (sums.latest >= 0)
        if own.any():
            out[k] = sums.earliest[own].min() * TICK, sums.latest[own].max() * TICK
    return out


def _by_ends(ends: Array, light: Array, k: int, lit: Array, duration: float) -> tuple[float, float, float] | None:
    """Shift (s), its error and its significance by which the light of a board begins and ends later, or earlier."""
    rest = lit[lit != k]
    later = ends[k] - np.median(ends[rest], axis=0)
    seldom = duration / light[k] + duration / np.median(light[rest])  # s between photons
    shift = float(later.mean())
    sure = float(np.abs(later).min()) / seldom
    if sure < ENDS or abs(later[0] - later[1]) > ALIKE * abs(shift):
        return None
    return shift, seldom, float(np.sqrt(2 * sure))


def _stands_still(sums: PhotonSums, k: int, lit: Array, first: int, stop: int, more: float) -> PhotonFinding:
    """A board whose clock stands still for a while."""
    width = sums.duration / FINE_BINS
    return replace(
        _finding(sums, k, lit, (stop - first) * width, width, float(np.sqrt(2 * more))),
        times=(first * width, stop * width),
        text=f"The clock of {_name(sums, k)[1]} stands still from {first * width:.4g} to {stop * width:.4g} s: about "
        f"{more:.0f} photons have its time, and then there are none.",
    )


def _name(sums: PhotonSums, k: int) -> tuple[int, str]:
    """Feedline of a board, and its name."""
    ids = sums.info.beammap.ids[sums.board == k]
    line, second = int(ids[0]) // FEEDLINE, int(ids[0]) % FEEDLINE >= BOARD
    return line, f"{'the second board of ' * second}feedline {line}"


def _finding(sums: PhotonSums, k: int, lit: Array, shift: float, error: float, sigma: float) -> PhotonFinding:
    """A board whose clock is off."""
    line, name = _name(sums, k)
    own, rest = sums.fine[k].astype(float), sums.fine[lit[lit != k]].sum(axis=0).astype(float)
    step = max(FINE_BINS // sums.binned.shape[1], 1)
    counts, expected = (c.reshape(-1, step).sum(axis=1) for c in (own, rest * own.sum() / max(rest.sum(), 1)))
    return PhotonFinding(
        PhotonFault.CLOCK, amount=shift, error=error, unit="s", significance=sigma, feedlines=(line,),
        text=f"The clock of {name} is {abs(shift):.4g} +- {error:.1g} s "
        f"{'ahead' if shift > 0 else 'behind'}: its light comes {'later' if shift > 0 else 'earlier'} than that of the "
        "others.",
        arrays={"edges": sums.edges, "counts": counts, "expected": expected},
    )  # fmt: skip

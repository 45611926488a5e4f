"""Speckle statistics of every pixel: Ic, Is and Ip from binned counts or from photon arrival times."""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import check, live_bins, live_time, time_range
from ifuview.engine.photons.counting.image import seen
from ifuview.engine.photons.counting.sorted_photons import by_resonator
from ifuview.engine.photons.statistics.alike import settle_together
from ifuview.engine.photons.statistics.arrival import CLASSES, gap_middles, sort_gaps
from ifuview.engine.photons.statistics.incoherent import common_incoherent
from ifuview.engine.photons.statistics.lives import change_rate
from ifuview.engine.photons.statistics.posterior import (
    AUTO,
    BLOCKS,
    FINE,
    FREE,
    HIGH,
    IC,
    IC_ERROR,
    IP,
    IP_ERROR,
    IS,
    IS_ERROR,
    LIVES,
    LOGLIKE,
    STEADY_ERROR,
    Law,
    fit_outcomes,
)
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK, PhotonCut, PhotonInfo, PhotonSource
from ifuview.model.photons.speckle import SpeckleMaps

METHODS = ("binned", "arrival")
WIDTH = {"binned": 0.01, "arrival": 0.005}  # s; tried on patterns that live for 75 ms (1/e of the intensity)
FEWEST_PHOTONS = 30  # of a pixel; with fewer nothing can be told
FEWEST_LIVES = 20.0  # of speckles in the record, median of the pixels: those of one exposure live alike
TOLD = LOGLIKE + 1  # of what is found: whether the data tell anything; the columns before are those of a fit
COLUMNS = TOLD + 1
STATISTICS = {
    "ic": IC, "is_": IS, "ip": IP, "ic_error": IC_ERROR, "is_error": IS_ERROR, "ip_error": IP_ERROR,
    "steady_error": STEADY_ERROR, "lives": LIVES,
}  # fmt: skip


def speckle_maps(
    source: PhotonSource,
    cut: PhotonCut = PhotonCut(),  # noqa: B008
    *,
    method: str = "binned",
    width: float | None = None,
    ip: float | str = "auto",
    ctx: JobContext = SILENT,
) -> SpeckleMaps:
    """Return the speckle statistics of every pixel.

    Parameters
    ----------
    source : PhotonSource
        Sorted by resonator.
    cut : PhotonCut
        Pixels with excluded flags are NaN.
    method : {"binned", "arrival"}
        Counts in time bins (`statistics.rician`), or gaps between photons (`statistics.arrival`).
    width : float, s
        Of a bin, or the longest gap that is used in full; should be below the life of a speckle.
    ip : float in photons per second, "free" or "auto"
        Incoherent light: given, fitted in every pixel, or that of the whole array (`statistics.incoherent`) and
        fitted where the third moment asks for more.
    ctx : JobContext

    Raises
    ------
    UsageError
        Unknown method, a width that does not fit into the record, weights, or photons that are not sorted.

    Notes
    -----
    A pattern that changes within `width` looks too smooth; by how much is measured over all pixels and taken into
    account (`statistics.lives`). Pixels whose photons tell nothing about the part of speckles are NaN; all are where
    the record holds hardly any lives. See `statistics.posterior` for the fit and its errors.
    """
    info = source.info
    binned = _is_binned(method)
    wish = _incoherent(ip)
    check(info, cut)
    width = WIDTH[method] if width is None else width
    start, stop = time_range(info, cut)
    window = _window(info, start, stop, width)
    excluded = info.beammap.flagged(cut.exclude)
    wanted = seen(source, excluded)
    common, change = _shared(source, cut, window, wanted, wish, ctx.part(0.0, 0.4))
    found, photons = _fitted(
        source, cut, window, law=_law(binned, info.dead_time, width, change), ip=common, wish=wish, wanted=wanted,
        ctx=ctx.part(0.4, 1.0),
    )  # fmt: skip
    images = info.beammap.image(found, np.nan)
    images[:, excluded] = np.nan
    return SpeckleMaps(
        **{name: images[column] for name, column in STATISTICS.items()},
        photons=np.where(excluded, 0, info.beammap.image(photons)), loglike=images[LOGLIKE],
        converged=images[TOLD] == 1, excluded=excluded, info=info, cut=cut, method=method, width=width,
        start=start, stop=stop, common=common,
    )  # fmt: skip


def _law(binned: bool, dead: float, width: float, change: float) -> Law:
    """What the outcomes of a pixel are; see `posterior.fit_outcomes`. `change` is one over the life of speckles."""
    if binned:
        return width, dead, width, np.empty(0), change
    return 0.0, dead, width, gap_middles(dead, width), change


def _blocks(source: PhotonSource, window: tuple[int, int, int], ticks: int = 1) -> Array:
    """Edges of BLOCKS blocks of time that were looked at equally long, whole bins of `ticks` microseconds (int64)."""
    first, last, _ = window
    fine = np.linspace(first, last, 40 * BLOCKS + 1)
    looked = np.append(0.0, np.cumsum(live_bins(source, fine * TICK)))
    edges = np.interp(np.linspace(0, looked[-1], BLOCKS + 1), looked, fine)
    return (first + np.rint((edges - first) / ticks) * ticks).astype(np.int64)


def _limited(cut: PhotonCut, window: tuple[int, int, int]) -> PhotonCut:
    """The cut within the window."""
    return PhotonCut(window[0] * TICK, window[1] * TICK, cut.low, cut.high, cut.exclude)


def _shared(
    source: PhotonSource, cut: PhotonCut, window: tuple[int, int, int], wanted: Array, wish: float, ctx: JobContext
) -> tuple[float, float]:
    """What all pixels tell together: incoherent light that each has (photons/s), and one over the life of speckles."""
    ticks = round(WIDTH["binned"] / TICK)
    window = window[0], window[1], min(ticks, (window[1] - window[0]) // 2)
    live = live_time(source, window[0] * TICK, window[1] * TICK)
    rate, excess, shared = (np.zeros(len(wanted)) for _ in range(3))
    for group in by_resonator(source, _limited(cut, window), ctx):
        _moments(*group, window, live, rate, excess, shared)
    own = wanted & (rate > 0)
    rate, excess, shared = rate[own], excess[own], shared[own]
    common = common_incoherent(rate, excess, live, window[2] * TICK) if wish == AUTO else max(wish, 0.0)
    return common, change_rate(rate, excess, shared, live, window[2] * TICK)


def _fitted(
    source: PhotonSource,
    cut: PhotonCut,
    window: tuple[int, int, int],
    *,
    law: Law,
    ip: float,
    wish: float,
    wanted: Array,
    ctx: JobContext,
) -> tuple[Array, Array]:
    """Statistics (COLUMNS, nresonator + 1), NaN where they are not wanted, and photons of every resonator."""
    found = np.full((COLUMNS, source.info.beammap.nresonator + 1), np.nan)
    photons = np.zeros(found.shape[1], np.int64)
    binned = law[0] > 0
    if binned:  # a rest that fills no bin is left out
        first, last, ticks = window
        window = first, first + (last - first) // ticks * ticks, ticks
    blocks = _blocks(source, window, window[2] if binned else 1)
    live = live_bins(source, blocks * TICK)
    own, likely = np.full((found.shape[1], HIGH + 1), np.nan), np.zeros((found.shape[1], FINE))
    for group in by_resonator(source, _limited(cut, window), ctx):
        fit_group(*group, wanted, window, blocks, live, law, ip, wish, found, photons, own, likely)
    found[:, ~wanted] = np.nan
    told = found[TOLD] == 1
    own[~told] = np.nan
    settle_together(found, own, likely)
    if told.any() and np.median(found[LIVES, told]) < FEWEST_LIVES:
        found[np.arange(COLUMNS) != LIVES] = np.nan
    return found, photons


def _is_binned(method: str) -> bool:
    """Whether the method counts in time bins; UsageError for an unknown one."""
    if method not in METHODS:
        raise UsageError(f"there is no speckle method {method!r}", "", "choose binned or arrival")
    return method == "binned"


def _incoherent(ip: float | str) -> float:
    """Incoherent light in photons per second, AUTO or FREE."""
    given = {"auto": AUTO, "free": FREE}.get(ip) if isinstance(ip, str) else float(ip)
    if given is None:
        raise UsageError(f"{ip!r} is no incoherent light", "", "say auto, free or photons per second")
    return given


def _window(info: PhotonInfo, start: float, stop: float, width: float) -> tuple[int, int, int]:
    """First and last microsecond and the width of a bin."""
    if not 2 * TICK <= width <= (stop - start) / 2:
        raise UsageError(f"bins of {width * 1e3:g} ms do not fit into {stop - start:g} s", info.path, "choose --bin MS")
    return round(start / TICK), round(stop / TICK), max(round(width / TICK), 1)


@njit(cache=True, nogil=True)
def _runs(time: Array, first: int, ticks: int, ends: Array, runs: Array) -> int:
    """Write end (microseconds) and photons of each bin that holds some; times ascend. Returns how many bins do."""
    count = -1
    end = np.int64(-1)
    for t in time:
        if np.int64(t) >= end:
            end = first + ((np.int64(t) - first) // ticks + 1) * ticks
            count += 1
            ends[count], runs[count] = end, 0
        runs[count] += 1
    return count + 1


@njit(cache=True, nogil=True)
def _moments(
    resonators: Array, firsts: Array, time: Array, window: tuple[int, int, int], live: float, rate: Array,
    excess: Array, shared: Array,
) -> None:  # fmt: skip
    """Write mean and excess variance of each resonator's counts and covariance of neighboring bins, per s, per s^2."""
    width = window[2] * 1e-6
    ends, runs = np.empty(len(time), np.int64), np.empty(len(time), np.int64)
    for k in range(len(resonators)):
        own = time[firsts[k] : firsts[k + 1]]
        bins = _runs(own, window[0], window[2], ends, runs)
        square, product = float((runs[:bins] * runs[:bins]).sum()), 0.0
        for i in range(1, bins):
            if ends[i] - ends[i - 1] == window[2]:
                product += runs[i] * runs[i - 1]
        mean = len(own) / live
        rate[resonators[k]] = mean
        excess[resonators[k]] = (square / (live / width) - (mean * width) ** 2 - mean * width) / width**2
        shared[resonators[k]] = (product / (live / width) - (mean * width) ** 2) / width**2


@njit(cache=True, nogil=True)
def fit_group(
    resonators: Array,
    firsts: Array,
    time: Array,
    wanted: Array,
    window: tuple[int, int, int],
    blocks: Array,
    live: Array,
    law: Law,
    ip: float,
    wish: float,
    found: Array,
    photons: Array,
    rest: Array,
    likely: Array,
) -> None:
    """Fit the resonators of a group; `found` (COLUMNS, nresonator + 1) and `photons` (nresonator + 1,) are filled.

    So are `rest` (nresonator + 1, 8) and `likely` (nresonator + 1, FINE).

    blocks : edges of the blocks, microseconds; live : s of each that were looked at
    law, ip, wish : see `posterior.fit_outcomes`
    """
    out = np.empty(LOGLIKE + 1)
    for k in range(len(resonators)):
        r = resonators[k]
        count = firsts[k + 1] - firsts[k]
        photons[r] = count
        if not wanted[r] or count < FEWEST_PHOTONS:
            continue
        own = time[firsts[k] : firsts[k + 1]]
        arrived = np.diff(np.searchsorted(own, blocks)).astype(np.float64)
        if law[0] > 0:
            outcomes = _counts(own, window, blocks, live)
        else:
            outcomes = np.zeros((BLOCKS, CLASSES + 1))
            sort_gaps(own, blocks, law[1], law[2], outcomes)
        told = fit_outcomes(outcomes, arrived, live.sum(), law, ip, wish, out, rest[r], likely[r])
        if told:
            found[:TOLD, r] = out
        found[LIVES, r] = out[LIVES]
        found[TOLD, r] = 1.0 if told else 0.0


@njit(cache=True, nogil=True)
def _counts(time: Array, window: tuple[int, int, int], blocks: Array, live: Array) -> Array:
    """Number of bins of each block that hold n photons, n = 0, 1, ...: (BLOCKS, most + 1), float64; times ascend."""
    first, _, ticks = window
    ends, runs = np.empty(len(time), np.int64), np.empty(len(time), np.int64)
    bins = _runs(time, first, ticks, ends, runs)
    seen = np.zeros((BLOCKS, (runs[:bins].max() if bins else 0) + 1))
    block = 0
    for k in range(bins):
        while block < BLOCKS - 1 and ends[k] > blocks[block + 1]:
            block += 1
        seen[block, runs[k]] += 1.0
    for block in range(BLOCKS):
        seen[block, 0] = max(np.rint(live[block] / (ticks * 1e-6)) - seen[block].sum(), 0.0)
    return seen

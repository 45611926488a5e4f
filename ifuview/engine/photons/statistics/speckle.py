"""Speckle statistics of every pixel: Ic, Is and Ip from binned counts or from photon arrival times."""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import check, live_time, time_range
from ifuview.engine.photons.counting.image import seen
from ifuview.engine.photons.counting.sorted_photons import by_resonator
from ifuview.engine.photons.statistics.arrival import IP_GAIN, fit_arrival
from ifuview.engine.photons.statistics.newton import IC, IC_ERROR, IP, IP_ERROR, IS, IS_ERROR, LOGLIKE
from ifuview.engine.photons.statistics.rician import fit_histogram
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.lists import TICK, PhotonCut, PhotonInfo, PhotonSource
from ifuview.model.photons.speckle import SpeckleMaps

METHODS = ("binned", "arrival")
WIDTH = {"binned": 0.01, "arrival": 0.02}  # s; tried on patterns that live for 75 ms (1/e of the intensity)
FEWEST_PHOTONS = 30  # of a pixel; with fewer nothing can be told
PAYS = 1.0  # ln L that a third intensity must gain (Akaike)
CONVERGED = LOGLIKE + 1  # of what is found; the columns before are those of a fit
COLUMNS = CONVERGED + 1
STATISTICS = {"ic": IC, "is_": IS, "ip": IP, "ic_error": IC_ERROR, "is_error": IS_ERROR, "ip_error": IP_ERROR}
AUTO, FREE = -2.0, -1.0  # in place of an Ip that is given


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
        Of a bin, or the longest gap that is used in full; should be well below the life of a speckle.
    ip : float in photons per second, "free" or "auto"
        Incoherent light: given, always fitted, or fitted where ln L gains at least 1 by it and else 0. It differs
        from constant light in the third moment alone, which most records do not tell.
    ctx : JobContext

    Raises
    ------
    UsageError
        Unknown method, a width that does not fit into the record, weights, or photons that are not sorted.

    Notes
    -----
    A pattern that changes within `width` looks too smooth: Is comes out low by about width / (3 life).
    """
    info = source.info
    binned = _is_binned(method)
    given = _incoherent(ip)
    check(info, cut)
    width = WIDTH[method] if width is None else width
    start, stop = time_range(info, cut)
    window = _window(info, start, stop, width, whole=binned)
    excluded = info.beammap.flagged(cut.exclude)
    found, photons = _fitted(source, cut, window, binned=binned, ip=given, wanted=seen(source, excluded), ctx=ctx)
    images = info.beammap.image(found, np.nan)
    images[:, excluded] = np.nan
    return SpeckleMaps(
        **{name: images[column] for name, column in STATISTICS.items()},
        photons=np.where(excluded, 0, info.beammap.image(photons)), loglike=images[LOGLIKE],
        converged=images[CONVERGED] == 1, excluded=excluded, info=info, cut=cut, method=method, width=width,
        start=start, stop=stop,
    )  # fmt: skip


def _fitted(
    source: PhotonSource,
    cut: PhotonCut,
    window: tuple[int, int, int],
    *,
    binned: bool,
    ip: float,
    wanted: Array,
    ctx: JobContext,
) -> tuple[Array, Array]:
    """Statistics (COLUMNS, nresonator + 1), NaN where they are not wanted, and photons of every resonator."""
    start, stop = window[0] * TICK, window[1] * TICK
    found = np.full((COLUMNS, source.info.beammap.nresonator + 1), np.nan)
    photons = np.zeros(found.shape[1], np.int64)
    live = live_time(source, start, stop)
    limited = PhotonCut(start, stop, cut.low, cut.high, cut.exclude)
    for group in by_resonator(source, limited, ctx):
        fit_group(*group, wanted, window, live, binned, source.info.dead_time, ip, found, photons)
    found[:, ~wanted] = np.nan
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


def _window(info: PhotonInfo, start: float, stop: float, width: float, *, whole: bool) -> tuple[int, int, int]:
    """First and last microsecond and the width of a bin; a rest that fills no bin is left out if `whole`."""
    if not 2 * TICK <= width <= (stop - start) / 2:
        raise UsageError(f"bins of {width * 1e3:g} ms do not fit into {stop - start:g} s", info.path, "choose --bin MS")
    ticks = max(round(width / TICK), 1)
    first, last = round(start / TICK), round(stop / TICK)
    return first, (first + (last - first) // ticks * ticks if whole else last), ticks


@njit(cache=True, nogil=True)
def fit_group(
    resonators: Array,
    firsts: Array,
    time: Array,
    wanted: Array,
    window: tuple[int, int, int],
    live: float,
    binned: bool,
    dead_time: float,
    ip: float,
    found: Array,
    photons: Array,
) -> None:
    """Fit the resonators of a group; `found` (COLUMNS, nresonator + 1) and `photons` (nresonator + 1,) are filled.

    live : s that were looked at
    ip : photons per second; FREE or AUTO
    """
    first, _, ticks = window
    longest = ticks * 1e-6
    bins = round(live / longest)
    scale = longest if binned else 1.0
    out, other = np.empty(IP_GAIN + 1), np.empty(IP_GAIN + 1)
    for k in range(len(resonators)):
        r = resonators[k]
        count = firsts[k + 1] - firsts[k]
        photons[r] = count
        if not wanted[r] or count < FEWEST_PHOTONS:
            continue
        own = time[firsts[k] : firsts[k + 1]]
        if binned:
            hist = _histogram(own, first, ticks, bins)
            work = np.empty((6, len(hist)))
            done = fit_histogram(
                hist, ip * scale if ip >= 0 else (0.0 if ip == AUTO else -1.0), work, out[: LOGLIKE + 1]
            )
            if (
                ip == AUTO
                and fit_histogram(hist, -1.0, work, other[: LOGLIKE + 1])
                and other[LOGLIKE] > out[LOGLIKE] + PAYS
            ):
                out[:], done = other, True
        else:
            gaps = _gaps(own, dead_time)
            rate = count / live
            done = fit_arrival(gaps, rate, dead_time, longest, 0.0 if ip == AUTO else ip, out)
            pays = ip == AUTO and out[IP_GAIN] > 0 and fit_arrival(gaps, rate, dead_time, longest, -1.0, other)
            if pays and other[LOGLIKE] > out[LOGLIKE] + PAYS:
                out[:], done = other, True
        found[:LOGLIKE, r] = out[:LOGLIKE] / scale
        found[LOGLIKE, r] = out[LOGLIKE]
        found[CONVERGED, r] = 1.0 if done else 0.0


@njit(cache=True, nogil=True)
def _histogram(time: Array, first: int, ticks: int, bins: int) -> Array:
    """Number of bins that hold n photons, n = 0, 1, ... (float64); times ascend."""
    most = 0
    run = 0
    before = np.int64(-1)
    for t in time:
        b = (np.int64(t) - first) // ticks
        run = run + 1 if b == before else 1
        before = b
        most = max(most, run)
    hist = np.zeros(most + 1)
    run = 0
    filled = 0
    before = np.int64(-1)
    for t in time:
        b = (np.int64(t) - first) // ticks
        if b != before:
            if run:
                hist[run] += 1
            run = 0
            filled += 1
            before = b
        run += 1
    hist[run] += 1
    hist[0] = bins - filled
    return hist


@njit(cache=True, nogil=True)
def _gaps(time: Array, dead_time: float) -> Array:
    """Gaps between photons (s) that are at least the dead time."""
    out = np.empty(max(len(time) - 1, 0))
    count = 0
    for i in range(1, len(time)):
        gap = (np.int64(time[i]) - np.int64(time[i - 1])) * 1e-6
        if gap >= dead_time:
            out[count] = gap
            count += 1
    return out[:count]

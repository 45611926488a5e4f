"""The flat: weights that make the array respond evenly, by resonator and wavelength, from even light.

Counts of each resonator in bins of wavelength and chunks of time; a chunk in which a resonator counts other than in
the rest (by 5 sigma) is left out. The response relative to the mean of the good pixels is averaged over the chunks with
inverse variances. These variances are those of the expected counts: variances of the counts found would favor chunks
with few photons by chance, and the result is then the ratio of the sums, which is also the most likely value. Published
code always drops the extreme chunk at either end, which with few photons makes errors that are not Poisson's.
Whether a bin has photons enough is asked of the number expected from all bins of the resonator: to ask the number
found would keep bins with many photons by chance. Rates are corrected for the dead time; the mean response of the good
pixels is 1 in each bin; the weight is its inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numba import njit

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cube import energy_edges
from ifuview.errors import FitError, UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FlatSolution, flat_flags
from ifuview.model.photons.lists import PROBLEM_FLAGS, TICK, Beammap, PhotonInfo, PhotonSource
from ifuview.model.photons.resonators import grid_of, rows_of
from ifuview.model.photons.wavelength_solution import WavelengthSolution

BIN_WIDTH = 0.2  # eV; about a resolution element and a half of these detectors at 1 eV
CHUNK = 10.0  # s
MOST_CHUNKS = 64
OUTLIER = 5.0  # sigma of a chunk
LEAST = 3.0  # photons expected behind a weight; fewer make no error that can be told
POWER = 1  # of the polynomial
SCALE = 1000.0  # nm; of the polynomial while it is fitted
WINDOW = 2.0  # sigma of a laser on either side that counts
USUAL_POWER = 8.0  # resolving power where none is known
FWHM = 2.3548200450309493  # sigma
METHOD_BINS = {"interpolation": 1, "polynomial": 2}  # bins that a method needs


class FlatCounts(NamedTuple):
    """Counts (nchunk, n, m) of the resonators of a beammap, bin edges or windows (m, 2) in nm, s of each chunk."""

    counts: Array
    windows: Array
    chunks: Array


@njit(cache=True, nogil=True)
def _add(resonator: Array, time: Array, wave: Array, chunk: int, low: Array, high: Array, out: Array) -> None:
    """Count photons; windows (low, high) do not overlap and rise."""
    nchunk, number, nbin = out.shape
    for i in range(len(time)):
        r = resonator[i]
        w = wave[i]
        if r >= number or not w >= low[0] or not w < high[nbin - 1]:
            continue
        k = np.searchsorted(low, w, side="right") - 1
        if w < high[k]:
            out[min(np.int64(time[i]) // chunk, nchunk - 1), r, k] += 1


def count_flat(
    source: PhotonSource, windows: Array, *, chunk: float = CHUNK, duration: float | None = None,
    ctx: JobContext = SILENT,
) -> FlatCounts:  # fmt: skip
    """Count the photons of even light, of the first `duration` seconds at most, in windows of wavelength (m, 2), nm.

    Raises
    ------
    UsageError
        The list holds phases.
    """
    info = source.info
    if not info.calibrated:
        raise UsageError("the flat file holds phases, not wavelengths", info.path, "calibrate it or give its --wavecal")
    whole = duration is None or duration >= info.duration
    duration = max(info.duration if duration is None or whole else duration, TICK)
    number = int(np.clip(round(duration / chunk), 1, MOST_CHUNKS))
    ticks = max(1, int(np.ceil(duration / number / TICK)))
    counts = np.zeros((number, info.beammap.nresonator, len(windows)), np.uint32)
    windows = np.asarray(windows, np.float64)
    low, high = (np.ascontiguousarray(column) for column in windows.T)
    for block in source.blocks(value=True, ctx=ctx):
        assert block.value is not None
        if not whole:
            block = block.rows(block.time < np.uint32(round(duration / TICK)))
        assert block.value is not None
        _add(resonator=block.resonator, time=block.time, wave=block.value, chunk=ticks, low=low, high=high, out=counts)
    return FlatCounts(counts, windows, np.full(number, duration / number))


def flat_weights(
    source: PhotonSource,
    *more: PhotonSource,
    edges: Array | None = None,
    width: float = BIN_WIDTH,
    wave_range: tuple[float, float] | None = None,
    chunk: float = CHUNK,
    duration: float | None = None,
    dead_time: float | None = None,
    max_rate: float = np.inf,
    method: str = "interpolation",
    power: int = POWER,
    name: str = "flatcal",
    exclude: tuple[str, ...] = PROBLEM_FLAGS,
    ctx: JobContext = SILENT,
) -> FlatSolution:
    """Return the flat from white light.

    Parameters
    ----------
    source, more : PhotonSource
        Wavelengths; several of one beammap add up.
    edges : ndarray, nm, optional
        Of the bins. Default: bins of `width` eV over `wave_range`, by default the range of the list.
    width : float, eV
    chunk : float, s
        Of a chunk of time; a third of the exposure at most.
    duration : float, s, optional
        Of each list no more than this from its beginning counts.
    dead_time : float, s, optional
        Default: what the list says.
    max_rate : float, photons per second
        Brighter pixels get no weights.
    method : str
        How weights are used: "interpolation" between the bins, or "polynomial" of order `power` in wavelength.
    exclude : tuple of str
        Pixels with one of these flags get no weight and do not count in the mean.

    Raises
    ------
    UsageError
        The list holds phases; bins make no sense.
    FitError
        No pixel has photons.
    """
    info = source.info
    edges = (
        energy_edges(*(wave_range or info.wave_range), width=width) if edges is None else np.asarray(edges, np.float64)
    )
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all() or edges[0] <= 0:
        raise UsageError("the edges of the wavelength bins do not rise", todo="give rising wavelengths in nm")
    windows = np.stack([edges[:-1], edges[1:]], axis=1)
    lists = (source, *more)
    parts = []
    for k, own in enumerate(lists):
        length = own.info.duration if duration is None else min(duration, own.info.duration)
        part = ctx.part(k / len(lists), (k + 1) / len(lists))
        parts.append(count_flat(own, windows, chunk=min(chunk, length / 3), duration=duration, ctx=part))
    found = FlatCounts(np.concatenate([p.counts for p in parts]), windows, np.concatenate([p.chunks for p in parts]))
    files = tuple(own.info.path.rsplit("/", 1)[-1] for own in lists)
    return from_counts(
        found, info, method=method, power=power, name=name, edges=edges, exclude=exclude, files=files,
        dead_time=dead_time, max_rate=max_rate,
    )  # fmt: skip


def flat_of_lasers(
    lasers: Mapping[float, PhotonSource],
    solution: WavelengthSolution | None = None,
    *,
    chunk: float = CHUNK,
    method: str = "interpolation",
    power: int = POWER,
    name: str = "flatcal",
    exclude: tuple[str, ...] = PROBLEM_FLAGS,
    ctx: JobContext = SILENT,
) -> FlatSolution:
    """Return the flat from lasers that light the array evenly: one weight a laser; sources give wavelengths.

    Photons within 2 sigma of a laser count, with the median resolving power of `solution`.
    """
    parts: list[FlatSolution] = []
    for k, wave in enumerate(sorted(lasers)):
        source = lasers[wave]
        half = WINDOW * wave / (FWHM * _power(solution, wave))
        window = np.array([[wave - half, wave + half]])
        part = ctx.part(k / len(lasers), (k + 1) / len(lasers))
        found = count_flat(source, window, chunk=min(chunk, source.info.duration / 3), ctx=part)
        file = source.info.path.rsplit("/", 1)[-1]
        parts.append(from_counts(found, source.info, name=name, exclude=exclude, files=(file,)))
    return _together(parts, np.array(sorted(lasers)), method, power)


def _power(solution: WavelengthSolution | None, wave: float) -> float:
    """Resolving power at a wavelength."""
    if solution is None:
        return USUAL_POWER
    power = solution.resolution().power
    good = np.isfinite(power)
    return float(np.interp(wave, solution.lasers[good], power[good])) if good.any() else USUAL_POWER


def good_resonators(beammap: Beammap, exclude: tuple[str, ...]) -> Array:
    """Boolean (n,): resonators of at least one pixel without these flags."""
    pixels = ~beammap.flagged(exclude) & (beammap.index >= 0)
    good = np.zeros(beammap.nresonator, bool)
    good[beammap.index[pixels]] = True
    return good


def from_counts(
    found: FlatCounts,
    info: PhotonInfo,
    *,
    method: str = "interpolation",
    power: int = POWER,
    name: str = "flatcal",
    edges: Array | None = None,
    exclude: tuple[str, ...] = PROBLEM_FLAGS,
    files: tuple[str, ...] = (),
    dead_time: float | None = None,
    max_rate: float = np.inf,
) -> FlatSolution:
    """Return the flat of counts; pixels above `max_rate` photons per second get no weights.

    Raises
    ------
    FitError
        No good pixel has photons.
    """
    good = good_resonators(info.beammap, exclude)
    counts = found.counts.astype(np.float64)
    good &= counts.sum(axis=(0, 2)) <= max_rate * found.chunks.sum()
    lit = good & (counts.sum(axis=(0, 2)) > 0)
    if not lit.any():
        raise FitError("no usable pixel has photons in the wavelengths of the flat", info.path, "give another file")
    rates = counts / found.chunks[:, None, None]
    blind = rates.sum(axis=2, keepdims=True) * (info.dead_time if dead_time is None else dead_time)
    counts_alive = counts / np.maximum(1 - blind, 0.05)
    kept = _steady(counts, lit)
    expected = counts_alive[:, lit].mean(axis=1)  # (nchunk, m), of the mean good pixel
    seen = (counts_alive * kept[..., None]).sum(axis=0)
    number = (counts * kept[..., None]).sum(axis=0)
    even = np.einsum("cr,cm->rm", kept.astype(np.float64), expected)
    response = np.divide(seen, even, out=np.zeros_like(seen), where=even > 0)
    response /= np.maximum(response[lit].mean(axis=0), 1e-300)
    usual = number.sum(axis=1, keepdims=True) * (number[lit].sum(axis=0) / number[lit].sum())
    valid = good[:, None] & (usual >= LEAST) & (response > 0)
    weights = np.where(valid, 1 / np.where(valid, response, 1), np.nan)
    errors = np.where(valid, weights / np.sqrt(np.maximum(number, 1)), np.nan)
    waves = found.windows.mean(axis=1)
    return _solution(
        name=name, ids=info.beammap.ids, waves=waves, weights=weights, errors=errors, counts=number, edges=edges,
        method=method, power=power, grid=grid_of(info.beammap), files=files, source="white",
    )  # fmt: skip


def _steady(counts: Array, lit: Array) -> Array:
    """Boolean (nchunk, n): chunks in which a resonator counts as in its others."""
    total = counts.sum(axis=2)
    share = total[:, lit].sum(axis=1)
    share = share / max(share.sum(), 1)
    if len(share) < 3 or (share <= 0).any():
        return np.ones(total.shape, bool)
    usual = np.median(total / share[:, None], axis=0)
    expected = np.maximum(usual * share[:, None], 1.0)
    return np.asarray(np.abs(total - expected) <= OUTLIER * np.sqrt(expected) + 1)


def _together(parts: list[FlatSolution], waves: Array, method: str, power: int) -> FlatSolution:
    """Flats of single wavelengths as one."""
    ids = np.unique(np.concatenate([part.ids for part in parts]))
    columns = {name: np.full((len(ids), len(parts)), np.nan) for name in ("weights", "errors", "counts")}
    for k, part in enumerate(parts):
        rows = rows_of(ids, part.ids)
        for name, column in columns.items():
            column[rows, k] = getattr(part, name)[:, 0]
    files = tuple(part.sources[0] for part in parts)
    return _solution(
        name=parts[0].name, ids=ids, waves=waves, weights=columns["weights"], errors=columns["errors"],
        counts=np.nan_to_num(columns["counts"]), edges=None, method=method, power=power, grid=parts[0].grid,
        files=files, source="laser",
    )  # fmt: skip


def _solution(
    name: str, ids: Array, waves: Array, weights: Array, errors: Array, counts: Array, edges: Array | None, method: str,
    power: int, grid: Array | None, files: tuple[str, ...], source: str,
) -> FlatSolution:  # fmt: skip
    """The solution with its flags and polynomials."""
    if method not in METHOD_BINS:
        raise UsageError(f"there is no flat method {method!r}", todo=f"choose {' or '.join(METHOD_BINS)}")
    flags = flat_flags(np.isfinite(weights))
    power = min(power, len(waves) - 1)
    polynomial = fit_polynomials(waves, weights, errors, power)
    return FlatSolution(
        name=name, ids=ids, waves=waves, weights=weights, errors=errors, flags=flags, edges=edges,
        polynomial=polynomial, method=method, counts=counts, grid=grid, sources=files, source=source, form="fitted",
    )  # fmt: skip


def fit_polynomials(waves: Array, weights: Array, errors: Array, power: int) -> Array:
    """Coefficients (n, power + 1) in nm, highest power first, of the weights of each resonator; NaN where none.

    Weighted by inverse variances; relative errors are smoothed over the bins first, so that a bin with a low weight
    by chance does not count for more. Resonators with too few bins get a constant.
    """
    valid = np.isfinite(weights) & np.isfinite(errors) & (errors > 0)
    number = valid.sum(axis=1)
    clean = np.where(valid, weights, 0.0)
    relative = np.where(valid, np.where(valid, errors, 1) / np.where(valid, np.abs(weights) + 1e-300, 1), np.nan)
    mean = np.divide(clean.sum(axis=1), number, out=np.zeros(len(number)), where=number > 0)
    typical = np.sqrt(np.divide(np.nansum(relative**2, axis=1), number, out=np.ones(len(number)), where=number > 0))
    inverse = np.where(valid, 1 / np.maximum(mean * typical, 1e-12)[:, None] ** 2, 0.0)
    out = np.full((len(weights), power + 1), np.nan)
    out[number > 0] = 0.0
    out[number > 0, -1] = mean[number > 0]
    enough = number > power
    terms = np.vander(waves / SCALE, power + 1)
    matrix = np.einsum("rm,ma,mb->rab", inverse[enough], terms, terms)
    right = np.einsum("rm,ma,rm->ra", inverse[enough], terms, clean[enough])
    if enough.any():
        out[enough] = np.linalg.solve(matrix, right[..., None])[..., 0] / SCALE ** np.arange(power, -1, -1)
    return out

"""Photons per pixel in bins of time, wavelength or phase, and the edges that such bins usually have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import (
    NO_WAVELENGTH,
    bounds,
    inner_edges,
    live_time,
    other_limits,
    source_range,
)
from ifuview.engine.photons.counting.image import NOTHING, blanked, seen
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.images import BinAxis, PhotonCube, PhotonImage, value_axis
from ifuview.model.photons.lists import HC, TICK, Beammap, PhotonCut, PhotonInfo, PhotonSource

MOST_CELLS = 40_000_000  # resonators times bins; 160 MB, twice while they are mapped to pixels or written
MOST_WEIGHTED_CELLS = 5_000_000
PLANES_AT_ONCE = 64
PHASE_BINS, HEIGHT_BINS = 100, 256  # of 2 degrees; of 32 units of a converter of 12 bits
NYQUIST = 2.0  # bins in one resolution element


def count_cube(
    source: PhotonSource, axis: BinAxis, edges: Sequence[float] | Array, cut: PhotonCut = PhotonCut(),  # noqa: B008
    ctx: JobContext = SILENT,
) -> PhotonCube:  # fmt: skip
    """Return the photons per pixel in half-open bins.

    Parameters
    ----------
    source : PhotonSource
    axis : BinAxis
        TIME, or what the third column of the source is: WAVE or PHASE.
    edges : sequence of float
        s, nm or degree; rising. Times count in whole microseconds.
    cut : PhotonCut, optional
        Holds besides: a photon is in the cube if it passes the cut and lies in a bin.
    ctx : JobContext, optional

    Raises
    ------
    UsageError
        The edges do not rise, the third column is something else, or the cube would not fit into memory.
    """
    edges = checked_edges(edges, source.info, axis)
    asked = bounds(source.info, cut)
    time_like = axis is BinAxis.TIME
    keys = np.round(edges / TICK) if time_like else edges
    limits = other_limits(asked, time_like)
    size = (source.info.beammap.nresonator + 1, len(edges) - 1)
    most = (MOST_WEIGHTED_CELLS if cut.weighted else MOST_CELLS) // size[0]
    if size[1] > most:
        todo = f"ask for {most} bins at most, one part of the time or range after the other"
        raise UsageError(f"a cube of {size[1]} bins does not fit into memory", source.info.path, todo)
    counts, sums, squares = _count(
        source=source, keys=keys, limits=limits, value=asked.by_value or not time_like, cut=cut, size=size,
        time_like=time_like, ctx=ctx,
    )  # fmt: skip
    return _cube(source=source, axis=axis, edges=edges, cut=cut, counts=counts, sums=sums, squares=squares)


def _count(
    source: PhotonSource, keys: Array, limits: tuple[float, float], value: bool, cut: PhotonCut,
    size: tuple[int, int], time_like: bool, ctx: JobContext,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Counts, sums of weights and of their squares, each (nresonator + 1, nbin); all the same array if unweighted."""
    from ifuview.engine.photons.counting import kernels

    low, high = limits
    inner, first, scale = kernels.bin_table(inner_edges(source.info, keys, cut, time_like))
    counts = np.zeros(size, np.uint32)
    sums, squares = (np.zeros(size), np.zeros(size)) if cut.weighted else (counts, counts)
    for block in source.blocks(value=value, weight=cut.weighted, ctx=ctx):
        values = NOTHING if block.value is None or not value else block.value
        key, other = (block.time, values) if time_like else (values, block.time)
        if cut.weighted:
            ones = np.ones(len(block.time), np.float32) if block.weight is None else block.weight
            kernels.sum_bins(
                resonator=block.resonator, key=key, other=other, weight=ones, low=low, high=high, edges=inner,
                first=first, scale=scale, counts=counts, sums=sums, squares=squares,
            )  # fmt: skip
        else:
            kernels.count_bins(
                resonator=block.resonator, key=key, other=other, low=low, high=high, edges=inner, first=first,
                scale=scale, counts=counts,
            )  # fmt: skip
    return counts, sums, squares


def _cube(
    source: PhotonSource, axis: BinAxis, edges: Array, cut: PhotonCut, counts: Array, sums: Array, squares: Array
) -> PhotonCube:
    """The pixels of what was counted per resonator, with the sum over the bins."""
    beammap = source.info.beammap
    excluded = beammap.flagged(cut.exclude)
    start, stop = (0.0, 0.0) if axis is BinAxis.TIME else source_range(source, cut)
    if axis is BinAxis.TIME:
        start = max(cut.start or 0.0, float(edges[0]))
        stop = float(edges[-1]) if cut.stop is None else min(cut.stop, float(edges[-1]))
    photons = int(counts[seen(source, excluded)].sum())
    planes = blanked(_planes(beammap, sums), excluded)
    variance = planes if sums is counts else blanked(_planes(beammap, squares), excluded)
    whole = np.float64 if cut.weighted else np.int64
    image = PhotonImage(
        counts=planes.sum(axis=0, dtype=whole), variance=variance.sum(axis=0, dtype=np.float64), excluded=excluded,
        info=source.info, cut=cut, photons=photons, start=start, stop=stop, exposure=live_time(source, start, stop),
    )  # fmt: skip
    return PhotonCube(planes, variance, edges, axis, image)


def _planes(beammap: Beammap, sums: Array) -> Array:
    """Planes (nbin, ny, nx) of sums (nresonator + 1, nbin), some at a time: the whole turned around is a copy."""
    out = np.empty((sums.shape[1], *beammap.shape), sums.dtype)
    for start in range(0, len(out), PLANES_AT_ONCE):
        own = slice(start, start + PLANES_AT_ONCE)
        out[own] = beammap.image(sums[:, own].T)
    return out


def checked_edges(edges: Sequence[float] | Array, info: PhotonInfo, axis: BinAxis) -> Array:
    """The edges as an array.

    Raises
    ------
    UsageError
        They do not rise, or the third column of the list is not what `axis` says.
    """
    out = np.asarray(edges, dtype=np.float64)
    if out.ndim != 1 or len(out) < 2 or not np.all(np.isfinite(out)) or not np.all(np.diff(out) > 0):
        raise UsageError("bin edges must be finite and rise", info.path, "give at least two of them")
    check_axis(info, axis)
    return out


def check_axis(info: PhotonInfo, axis: BinAxis) -> None:
    """Raise UsageError if the third column is asked for as what it is not."""
    if axis is BinAxis.WAVE and not info.calibrated:
        todo = "ask for phases in degrees, or calibrate the file first"
        raise UsageError("the file is not wavelength calibrated: its third column is the phase", info.path, todo)
    if axis is BinAxis.PHASE and info.calibrated:
        raise UsageError("the file holds wavelengths, not phases", info.path, "ask for wavelengths in nm instead")


def energy_edges(low: float, high: float, *, width: float | None = None, nbin: int | None = None) -> Array:
    """Return rising edges in nm of bins of equal energy between two wavelengths.

    Parameters
    ----------
    low, high : float
        nm
    width : float
        eV; as many whole bins as fit, stretched to fill the range: 0.1 eV between 700 and 1500 nm are nine.
    nbin : int
        In its place.
    """
    top, bottom = HC / low, HC / high
    if nbin is None:
        assert width is not None
        nbin = max(1, int((top - bottom) / width))
    edges = HC / np.linspace(top, bottom, nbin + 1)
    edges[0], edges[-1] = low, high
    return edges


def resolution_edges(low: float, high: float, wave: Array | float, resolving_power: Array | float) -> Array:
    """Return edges in nm of bins half a resolution element wide, from `low` to `high`.

    The resolving power is interpolated between its wavelengths (nm) and held beyond them; one number holds for all.
    """
    wave, power = np.atleast_1d(wave), np.atleast_1d(resolving_power)
    edges = [float(low)]
    while edges[-1] < high:
        edges.append(edges[-1] * (1 + 1 / (NYQUIST * max(float(np.interp(edges[-1], wave, power)), 1.0))))
    if len(edges) > 2 and high - edges[-2] < 0.5 * (edges[-1] - edges[-2]):
        edges.pop()
    return np.array([*edges[:-1], float(high)])


def phase_edges(low: float, high: float, width: float = 2.0) -> Array:
    """Return edges in degrees, `width` apart, from `low` to at least `high`."""
    return low + width * np.arange(max(1, int(np.ceil((high - low) / width - 1e-9))) + 1)


def time_edges(start: float, stop: float, *, width: float | None = None, nbin: int | None = None) -> Array:
    """Return edges in s of equal bins from `start`: as many whole bins of `width` as fit, or `nbin` to `stop`.

    Edges lie on whole microseconds, as the photons do.
    """
    if nbin is not None:
        return np.asarray(np.round(np.linspace(start, stop, nbin + 1) / TICK) * TICK)
    assert width is not None
    first, step = round(start / TICK), max(1, round(width / TICK))
    count = max(1, (round(stop / TICK) - first) // step)
    return np.asarray((first + step * np.arange(count + 1, dtype=np.float64)) * TICK)


def default_edges(info: PhotonInfo, nbin: int | None = None) -> Array:
    """Return the bins of the third column that a user expects: equal energies over the valid range, or 2 degrees."""
    low, high = info.wave_range
    if value_axis(info) is BinAxis.WAVE:
        return energy_edges(max(low, NO_WAVELENGTH), high, width=info.energy_width, nbin=nbin)
    usual = PHASE_BINS if info.phase_unit == BinAxis.PHASE.unit else HEIGHT_BINS
    return np.linspace(*info.phase_range, (nbin or usual) + 1)

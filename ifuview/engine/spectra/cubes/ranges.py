"""Images of a range of wavelengths of a cube: sum, mean, median, what is above the continuum, moments.

A plane belongs to a range if its wavelength does. Sums of any range are the difference of two running sums and of a few
planes beside them, once those are made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifuview.engine.context import SILENT, JobContext, threads
from ifuview.engine.spectra.cubes import kernels
from ifuview.engine.spectra.cubes.kernels import COUNT, FLUX, NPOWER, VARIANCE
from ifuview.engine.spectra.cubes.medians import COLUMNS, plane_medians
from ifuview.engine.spectra.cubes.parts import PIECE, CubeParts, Stored, spread
from ifuview.model.checks import Array

PARTS = 12  # of the rows of a thread, between which a median can be stopped
STEP = 64  # planes between two running sums
LATEST = 3  # ranges whose sums are kept until the running sums are made
ENOUGH = 0.5  # of the planes that must be known in a spaxel
SIGNIFICANT = 3.0  # sigma of the light from which on a line has a place and a width
GAP, SIDE = 0.5, 0.5  # side windows: distance from the range and width, in widths of the range
Window = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class RangeImage:
    """One image of a range.

    Parameters
    ----------
    name : str
        "sum", "mean", "median", "above continuum", "moment 0" ...
    flux : ndarray of float32, shape (ny, nx)
        NaN where fewer than half of the planes are known.
    ivar : ndarray of float32 or None
        0 where nothing is known; None without variances.
    unit : str
        What is put behind the unit of the cube ("Å" of an integral), or "=Å" where it takes its place.
    """

    name: str
    flux: Array
    ivar: Array | None
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class RunningSums:
    """Sums over planes 0 to `STEP` n - 1: shape (n, 3, ny, nx), flux, variance and count."""

    table: Array

    @property
    def nbytes(self) -> int:
        """Memory."""
        return int(self.table.nbytes)


class LatestSums:
    """Sums of the ranges that were asked for last: of the next ones only the planes that come and go are read.

    For one cube; what a range and its two side windows need is kept.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[int, int, Array]] = []

    def of(self, parts: CubeParts, first: int, last: int, ctx: JobContext) -> Array:
        """Sums of planes first..last-1, shape (3, ny, nx)."""

        def change(one: tuple[int, int, Array]) -> int:
            return abs(one[0] - first) + abs(one[1] - last)

        near = min(self._kept, key=change, default=None)
        if near is None or change(near) >= last - first:
            sums = np.zeros((3, *parts.shape[1:]))
            _add(parts, first, last, 1.0, sums, ctx)
        else:
            self._kept = [one for one in self._kept if one is not near]
            sums = near[2].copy()
            for old, new, sign in ((near[0], first, -1.0), (near[1], last, 1.0)):
                _add(parts, min(old, new), max(old, new), sign if old < new else -sign, sums, ctx)
        self._kept = [(first, last, sums), *self._kept][:LATEST]
        return sums.copy()


class LatestMedians:
    """Medians of the range that was asked for last: those of the next are looked for near them first.

    For one cube.
    """

    def __init__(self) -> None:
        self._known: Array | None = None

    def of(self, parts: CubeParts, first: int, last: int, ctx: JobContext, every: int = 1) -> Array:
        """Medians of every n-th of planes first..last-1, shape (4, ny, nx): rows as in `medians`."""
        shape = (COLUMNS, *parts.shape[1:])
        sums = np.full(shape, np.nan) if self._known is None else self._known.copy()
        stored = parts.stored(first, last)

        def rows(top: int, bottom: int) -> None:
            plane_medians(*stored, top, bottom, every, sums)

        spread(rows, rows_of(shape[1], PARTS), ctx)  # it takes long: what is no longer wanted ends soon
        self._known = sums
        return sums


Sums = RunningSums | LatestSums


def running_size(parts: CubeParts) -> int:
    """Bytes that the running sums of a cube take."""
    depth, ny, nx = parts.shape
    return (depth // STEP + 1) * 3 * ny * nx * 8


def running_sums(parts: CubeParts, ctx: JobContext = SILENT) -> RunningSums:
    """Read the whole cube once."""
    depth, ny, nx = parts.shape
    table = np.zeros((depth // STEP + 1, 3, ny, nx))
    for n in range(1, len(table)):
        ctx.checkpoint(n / len(table), "running sums over wavelength")
        table[n] = table[n - 1]
        _add(parts, (n - 1) * STEP, n * STEP, 1.0, table[n], ctx)
    return RunningSums(table)


def planes_of(wave: Array, window: Window) -> tuple[int, int]:
    """First plane and the one behind the last of a range; the nearest plane where the range holds none."""
    found = np.flatnonzero((wave >= window[0]) & (wave <= window[1]))
    if not found.size:
        nearest = int(np.nanargmin(np.abs(wave - 0.5 * (window[0] + window[1]))))
        return nearest, nearest + 1
    return int(found[0]), int(found[-1]) + 1


def sides_of(window: Window) -> tuple[Window, Window]:
    """The usual side windows of a range: half as wide, half a width away."""
    low, high = window
    width = high - low
    near, far = GAP * width, (GAP + SIDE) * width
    return (low - far, low - near), (high + near, high + far)


def plane_sums(parts: CubeParts, first: int, last: int, running: Sums | None = None, ctx: JobContext = SILENT) -> Array:
    """Sums of planes first..last-1, shape (3, ny, nx)."""
    if isinstance(running, LatestSums):
        return running.of(parts, first, last, ctx)
    sums = np.zeros((3, *parts.shape[1:]))
    if running is None or last - first <= STEP:
        _add(parts, first, last, 1.0, sums, ctx)
        return sums
    low, high = (min(round(at / STEP), len(running.table) - 1) for at in (first, last))
    np.subtract(running.table[high], running.table[low], out=sums)
    for at, edge, sign in ((first, low * STEP, 1.0), (last, high * STEP, -1.0)):
        _add(parts, min(at, edge), max(at, edge), sign if at < edge else -sign, sums, ctx)
    return sums


def range_image(
    parts: CubeParts, wave: Array, window: Window, how: str, sides: tuple[Window, Window] | None = None,
    running: Sums | None = None, ctx: JobContext = SILENT, near: LatestMedians | None = None, every: int = 1,
) -> RangeImage:  # fmt: skip
    """The "sum", "mean" or "median" of a range, or the sum "above continuum"; `near`: medians of the one before.

    A median may be that of every n-th plane: its noise is larger by the root of that.
    A plane that is not known in a spaxel counts as the mean of the others in a sum. The continuum is the straight line
    through the means of two side windows (`sides_of`); its noise is in the variance.
    """
    first, last = planes_of(wave, window)
    total = last - first
    if how == "median":
        sums, total = (near or LatestMedians()).of(parts, first, last, ctx, every), -(-total // every)
        return _image(how, sums[FLUX], sums[VARIANCE] if parts.error is not None else None, sums[COUNT], total)
    sums = plane_sums(parts, first, last, running, ctx)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (1.0 if how == "mean" else total) / sums[COUNT]
        flux, noise = sums[FLUX] * factor, sums[VARIANCE] * factor**2
    if how == "above continuum":
        level, _, rough = continuum(parts, wave, window, sides, running, ctx)
        flux, noise = flux - total * level, noise + total**2 * rough
    return _image(how, flux, noise if parts.error is not None else None, sums[COUNT], total)


def continuum(
    parts: CubeParts, wave: Array, window: Window, sides: tuple[Window, Window] | None,
    running: Sums | None = None, ctx: JobContext = SILENT,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The straight line through two side windows: its level in the middle of a range, slope (1/Angstrom), variance."""
    places, means, noises = [], [], []
    for side in sides or sides_of(window):
        first, last = planes_of(wave, side)
        sums = plane_sums(parts, first, last, running, ctx)
        with np.errstate(divide="ignore", invalid="ignore"):
            means.append(sums[FLUX] / sums[COUNT])
            noises.append(sums[VARIANCE] / sums[COUNT] ** 2)
        places.append(float(np.mean(wave[first:last])))
    first, last = planes_of(wave, window)
    middle = float(np.mean(wave[first:last]))
    if places[0] == places[1]:
        return means[0], np.zeros_like(means[0]), noises[0]
    part = (middle - places[0]) / (places[1] - places[0])
    level = (1 - part) * means[0] + part * means[1]
    slope = (means[1] - means[0]) / (places[1] - places[0])
    return level, slope, (1 - part) ** 2 * noises[0] + part**2 * noises[1]


def moments(
    parts: CubeParts, wave: Array, window: Window, sides: tuple[Window, Window] | None = None,
    running: Sums | None = None, ctx: JobContext = SILENT,
) -> tuple[RangeImage, RangeImage, RangeImage]:  # fmt: skip
    """Moments 0, 1 and 2 above the continuum: integral over wavelength, mean wavelength, width (sigma), Angstrom.

    Variances are propagated from those of the voxels (that of the continuum goes into moment 0 alone). Place and width
    are given where the light is 3 sigma, or without variances where it is positive; a width whose square is negative
    is none.
    """
    first, last = planes_of(wave, window)
    total, shape = last - first, parts.shape[1:]
    level, slope, rough = continuum(parts, wave, window, sides, running, ctx)
    middle = float(np.mean(wave[first:last]))
    widths = np.abs(np.gradient(wave)) if wave.size > 1 else np.ones(1)
    light, noise, count = np.zeros((3, *shape)), np.zeros((NPOWER, *shape)), np.zeros(shape)

    for a, b in _pieces(parts, first, last):
        stored, along = parts.stored(a, b), wave[a:b] - middle

        def rows(top: int, bottom: int, stored: Stored = stored, along: Array = along, a: int = a, b: int = b) -> None:
            kernels.add_moments(*stored, along, widths[a:b], level, slope, top, bottom, light, noise, count)

        spread(rows, rows_of(shape[0]), ctx)
    errors = parts.error is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        area = light[0] * total / count
        area_noise = noise[0] * (total / count) ** 2 + rough * float(np.sum(widths[first:last])) ** 2
        place, square = light[1] / light[0], light[2] / light[0] - (light[1] / light[0]) ** 2
        sigma = np.sqrt(square)
        seen = (area > SIGNIFICANT * np.sqrt(area_noise)) if errors else (area > 0)
        place_noise = (noise[2] - 2 * place * noise[1] + place**2 * noise[0]) / light[0] ** 2
        m, q = place, place**2 - square  # ((x - m)^2 - s^2)^2 in powers of x
        spread_of = (noise[4] - 4 * m * noise[3] + (4 * m**2 + 2 * q) * noise[2] - 4 * m * q * noise[1]
                     + q**2 * noise[0])  # fmt: skip
        sigma_noise = spread_of / (4 * square * light[0] ** 2)
    place, sigma = np.where(seen, middle + place, np.nan), np.where(seen, sigma, np.nan)
    made = (("moment 0", area, area_noise, "Å"), ("moment 1", place, place_noise, "=Å"),
            ("moment 2", sigma, sigma_noise, "=Å"))  # fmt: skip
    zero, one, two = (_image(n, f, v if errors else None, count, total, u) for n, f, v, u in made)
    return zero, one, two


def _image(name: str, flux: Array, noise: Array | None, count: Array, total: int, unit: str = "") -> RangeImage:
    """The image without what rests on too few planes."""
    known = (count >= max(ENOUGH * total, 1)) & np.isfinite(flux)
    ivar = None
    if noise is not None:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ivar = np.where(known & (noise > 0), 1 / noise, 0.0).astype(np.float32)
    return RangeImage(name, np.where(known, flux, np.nan).astype(np.float32), ivar, unit)


def _pieces(parts: CubeParts, first: int, last: int) -> list[tuple[int, int]]:
    """Ranges of planes that are held at once."""
    step = PIECE if parts.copied else max(last - first, 1)
    return [(k, min(k + step, last)) for k in range(first, last, step)]


def _add(parts: CubeParts, first: int, last: int, sign: float, sums: Array, ctx: JobContext) -> None:
    """Add planes to sums."""
    for a, b in _pieces(parts, first, last):
        stored = parts.stored(a, b)

        def rows(top: int, bottom: int, stored: Stored = stored) -> None:
            kernels.add_planes(*stored, top, bottom, sign, sums)

        spread(rows, rows_of(parts.shape[1]), ctx)


def rows_of(ny: int, parts: int = 1) -> list[tuple[int, int]]:
    """Rows for each thread, in some parts."""
    step = max(-(-ny // (threads() * parts)), 1)
    return [(y, min(y + step, ny)) for y in range(0, ny, step)]

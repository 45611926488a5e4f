"""Areas of an image that cannot be used: large ones as one finding each, and fibers of which too little is seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.traces.light.light_fit import LightFit
from ifuview.model.checks import Array
from ifuview.model.orientation import CANONICAL, AxisWords
from ifuview.model.traces.doctor import MASKED, FrameTrouble

CELL, EACH = 32, 8  # px; size of a cell, and of the steps between the pixels that are looked at
EMPTY = 0.9  # share of unusable pixels of a cell
LEAST = 0.02  # of the image, that an area has
BARELY = 0.6  # of the light of a fiber; less is no measurement of its center
WHOLE = 0.9  # of the light; less, beside an area, leaves too little to tell a fiber from its neighbor
REACH = 3.0  # widths of a fiber that are looked at
WING = 0.55  # of the light; the flux of less cannot be told from that of the neighbor
BEYOND = 4  # rows past the end of a fiber that an area covers, and no bad line of pixels
MOSTLY = 0.8  # of the columns of a bin
INSIDE = 0.8  # of the columns of an area, in which a trace must lie inside of it


def masked_areas(
    good: Array, column: Array, path: Array, names: tuple[str, ...], axes: AxisWords = CANONICAL
) -> tuple[FrameTrouble, ...]:
    """Return the areas, with the fibers whose light they hide.

    Parameters
    ----------
    good : uint8 (ncol, nrow)
    column : (nbin,), px
    path : (nfiber, nbin), px
        Where the light of the fibers lies.
    names : tuple of str
        Of the fibers.
    """
    from scipy.ndimage import find_objects, label

    cells = _cells((good[::EACH, ::EACH] & 1) == 0)
    if not cells.any():
        return ()
    number = label(cells)[0]
    out = []
    for i, (x, r) in enumerate(find_objects(number), 1):
        if (number[x, r] == i).sum() < LEAST * cells.size:
            continue
        rows = slice(r.start * CELL, min(r.stop * CELL, good.shape[1]))
        x0, x1 = _grown(good[:, rows], x.start * CELL, min(x.stop * CELL, good.shape[0]))
        r0, r1 = _grown(good[x0 : x1 + 1].T, rows.start, rows.stop)
        hidden = (good[x0 : x1 + 1, r0 : r1 + 1] & 1) == 0
        share = float(hidden.sum()) / good.size
        beside = (column >= x0) & (column <= x1)
        with np.errstate(invalid="ignore"):
            inside = (path[:, beside] >= r0) & (path[:, beside] <= r1)
        fibers = tuple(int(k) for k in np.flatnonzero(inside.mean(axis=1) >= INSIDE)) if beside.any() else ()
        whose = f"fibers {names[fibers[0]]} to {names[fibers[-1]]}" if fibers else f"pixels {r0} to {r1}"
        text = f"{axes.along(x0, x1)} of {whose} are masked or have no weight ({100 * share:.0f} % of the image)"
        out.append(
            FrameTrouble(MASKED, share, 0.0, "share", (float(x0), float(x1)), (float(r0), float(r1)), fibers, text)
        )
    return tuple(out)


def filled(columns: Array) -> NDArray[np.bool_]:
    """Pixels of squares of CELL that read 0 all over, (ncol, nrow): filled in where nothing was measured."""
    from scipy.ndimage import grey_opening

    if not _cells(columns[::EACH, ::EACH] == 0).any():  # as in nearly all images
        return np.zeros(columns.shape, bool)
    return np.asarray(grey_opening((columns == 0).view(np.uint8), size=(CELL, CELL)) > 0)


def barely_seen(good: Array, fit: LightFit) -> NDArray[np.bool_]:
    """Bins of fibers of whose light so much is masked that a wing alone tells where it lies, (nslot, nbin).

    Parameters
    ----------
    good : uint8 (ncol, nrow)
    fit : LightFit
    """
    path, width = fit.path, fit.width[np.isfinite(fit.width)]
    if not width.size:
        return np.zeros(path.shape, bool)
    share = _share(good, path, np.rint(fit.column).astype(np.intp), float(np.median(width)))[0]
    return (share > 0) & (share < BARELY)


def half_hidden(good: Array, path: Array, edges: Array, sigma: float) -> NDArray[np.bool_]:
    """Bins of fibers on the edge of a masked area, which cannot be told from their neighbors, (nslot, nbin).

    Where only a wing is seen, it is masked too: fitted anywhere it would take light from the neighbor. Fibers of which
    nothing is seen are not counted.

    Parameters
    ----------
    good : uint8 (ncol, nrow), in and out
    path : (nslot, ncol), px
    edges : (nbin + 1,)
        First columns of the bins, and the end.
    sigma : float, px
        Usual width.
    """
    step = EACH if np.diff(edges).min() > EACH else 1
    some = np.arange(step // 2, good.shape[0], step)
    if (good[some] & 1).mean() > 1 - LEAST / 4:
        return np.zeros((path.shape[0], edges.size - 1), bool)
    share, whole = _by_bin(good, path, some, edges, sigma)
    for k, i in zip(*np.nonzero((share > 0) & (share < WING) & ~whole)):
        columns = slice(edges[i], edges[i + 1])
        low, high = np.nanmin(path[k, columns]) - REACH * sigma, np.nanmax(path[k, columns]) + REACH * sigma
        good[columns, max(int(np.ceil(low)), 0) : max(int(high) + 1, 0)] = 0
    share, whole = _by_bin(good, path, some, edges, sigma)
    hidden = np.pad((share > 0) & (share < WHOLE) & ~whole, ((0, 0), (1, 1)))
    return np.asarray(hidden[:, 1:-1] | hidden[:, :-2] | hidden[:, 2:])  # bins are interpolated


def _by_bin(
    good: Array, path: Array, some: Array, edges: Array, sigma: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Share of the light of each fiber that can be used, and whether no area is beside it, (nslot, nbin)."""
    share, ends = _share(good, path[:, some], some, sigma)
    first = np.searchsorted(some, edges[:-1])
    count = np.diff(np.append(first, some.size))
    share, ends = (np.add.reduceat(v, first, axis=1) / count for v in (share, ends))
    return share, ends >= MOSTLY


def _share(good: Array, path: Array, column: Array, sigma: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the light of each fiber at some columns that can be used, and 0 beside a masked area, (nslot, n)."""
    known = np.isfinite(path)
    row = np.rint(np.where(known, path, 0)).astype(np.intp)
    seen, whole, free = np.zeros(path.shape), np.zeros(path.shape), np.ones(path.shape)
    reach = int(REACH * sigma)

    def usable(step: int) -> NDArray[np.bool_]:
        return (good[column[None], np.clip(row + step, 0, good.shape[1] - 1)] & 1) > 0

    for step in range(-reach, reach + 1):
        share = np.exp(-0.5 * ((row + step - path) / sigma) ** 2)
        inside = known & (row + step >= 0) & (row + step < good.shape[1])
        seen += np.where(inside & usable(step), share, 0)
        whole += np.where(known, share, 0)
    for side in (-1, 1):
        beyond = [usable(side * (reach + more)) for more in range(BEYOND)]
        free = np.where(known & ~np.any(beyond, axis=0), 0, free)
    return np.where(whole > 0, seen / np.where(whole > 0, whole, 1), 0.0), free


def _grown(good: Array, first: int, stop: int) -> tuple[int, int]:
    """First and last line of an area, with the lines beside it that cannot be used either."""
    last = stop - 1
    while first > 0 and (good[first - 1] & 1).mean() < 1 - EMPTY:
        first -= 1
    while last + 1 < good.shape[0] and (good[last + 1] & 1).mean() < 1 - EMPTY:
        last += 1
    return first, last


def _cells(few: Array) -> NDArray[np.bool_]:
    """Which cells cannot be used, (ncol / CELL, nrow / CELL), from every EACH-th pixel."""
    n = CELL // EACH
    shape = tuple(-(-size // n) * n for size in few.shape)
    padded = np.full(shape, np.nan)
    padded[: few.shape[0], : few.shape[1]] = few
    cells = padded.reshape(shape[0] // n, n, shape[1] // n, n)
    out: NDArray[np.bool_] = np.nanmean(cells, axis=(1, 3)) > EMPTY
    return out


def outside(good: Array, areas: tuple[FrameTrouble, ...]) -> NDArray[np.bool_]:
    """Pixels that lie in none of the areas, (ncol, nrow)."""
    out = np.ones(good.shape, bool)
    for area in areas:
        (x0, x1), (r0, r1) = area.x_range, area.row_range
        out[int(x0) : int(x1) + 1, int(r0) : int(r1) + 1] = False
    return out

"""Centers, widths, fluxes and profile shape of all fibers of an image, about paths that are nearly right.

Gauss-Newton rounds on every few columns settle center, width, shape and background; then every column is used once.
The shape (skewness, kurtosis) and the background are those of a group of neighboring fibers, so that they cost the
centers nothing. The center is that of the Gaussian that fits the profile best with uniform weights, whatever the
weights of the fit were: for a skew profile it lies 1.5 skewness * width below the mean of the light.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import spread
from ifuview.engine.traces.light import kernels as kernel
from ifuview.engine.traces.light.beside import freed
from ifuview.engine.traces.light.first_width import first_width
from ifuview.engine.traces.light.ground import less_certain
from ifuview.engine.traces.light.light_fit import LightFit, Noise
from ifuview.engine.traces.light.masked import half_hidden
from ifuview.engine.traces.light.shape import gaussian_table
from ifuview.model.checks import Array

BINS = 64  # most column bins along dispersion
MIN_BIN = 8  # columns
PARTS, FEW = 8, 20_000  # of the columns, that threads work on; fibers times columns that are not worth it
SPARSE = 260  # columns of the early rounds
SKEW_TO_CENTER = -1.5  # widths per skewness: from the mean of the light to the center of the best Gaussian
GROUP = 25  # fibers that share shape and background, about
START_SIGMA = 1.2  # px, where neither the trace file nor the light tells of a width
SIGMA_RANGE = (0.5, 4.0)  # px
MAX_STEP = 0.7  # px, of one round
MAX_ROUNDS = 24
MIN_ROUNDS = 4
ENOUGH_ROUNDS = 24  # when the centers rest, though width and background still give way to each other
HERMITE_TURN = 2  # first round that fits skewness and kurtosis
WIDTH_SETTLED = 0.001  # px, median step of the widths
GROUND_SETTLED = 0.00005  # of the usual flux, median step of the background; or less than ...
GROUND_SHARE = 0.05  # ... of its error
BAD_ROW_PIXELS = 40  # marked pixels that make a row bad ...
BAD_ROW_SIGMA = 8.0  # ... and this many sigma above the other rows,
BAD_ROW_SHARE = 0.1  # and this share between the first and the last
BAD_ROW_MARGIN, BAD_ROW_ENDS = 16, 50  # px left out beyond both, and at least this part of the length
BAD_ROW_PART = 0.5  # of the marks of a row beside it: fewer are of a fit that followed that row
BAD_ROW_ROUNDS = 3
AGAIN_ROUNDS = 3
AGAIN_STEP = 4  # columns
SETTLED = 0.04  # px, largest move of nearly all bins in the last sparse round ...
CERTAIN_ERROR = 0.05  # px, ... that are measured so well
SKEW_SIGMA = 4.0  # a skewness of all groups together that is less certain is taken to be none
SHAPE_RANGE = 0.15  # of the Hermite terms
SHAPE_SNR = 5.0  # of the mean flux of a fiber in a column, from where on the Hermite terms are fitted
SHAPE_STEP = 4  # columns, of the last round, of which one measures the shape terms
SHAPE_DEGREE = 2  # of the shape terms along dispersion
WIDTH_DEGREE = 3
PER_COLUMN = 1.02  # degrees of freedom that the fluxes take per fiber and column
WIDTH_STEP = 0.8  # of the step of width and shape; where all neighbors move together a whole one overshoots
GROUND_STEP = 1.2  # of the step of the background, against which width and shape give way
GROUND_BINS = 1  # bins on each side that share the background of the fit
CLIP_SIGMA = 5.0  # pixels farther from the model are left out (cosmics) ...
CLIP_SHARE = (2.0, 0.5, 0.15, 0.08)  # ... plus this share of the fiber's peak, by round
LAST_CLIP_SHARE = 0.08
USEFUL_ERROR = 0.25  # px, worse centers are not measured
USEFUL_SIGNAL = 0.2  # of the information on the center that must be signal rather than the noise of the fluxes
MAX_CLIPPED = 0.25  # share of clipped pixels above which a bin is not measured
SMOOTH_BINS = 1.0  # width of the kernel that smooths a path
PRIOR_ERROR = 0.05  # px, keeps unmeasured bins of a path on the given trace
NOISE_TURN = 2  # round after which the noise is measured, if it is not known


def bin_edges(ncol: int, most: int = BINS) -> NDArray[np.intp]:
    """First columns of at most so many bins of nearly equal width, and the end."""
    nbin = max(1, min(most, ncol // MIN_BIN))
    return np.round(np.linspace(0, ncol, nbin + 1)).astype(np.intp)


def fit_light(
    columns: Array,
    good: Array,
    path: Array,
    noise: Noise,
    *,
    sigma: Array | None = None,
    block: Array | None = None,
    background: float = 0.0,
    bins: int = BINS,
    smooth: Callable[[LightFit], Array] | None = None,
    ctx: JobContext = SILENT,
) -> LightFit:
    """Fit all slots of an image.

    Parameters
    ----------
    columns : float32 (ncol, nrow)
        The image, dispersion axis first, contiguous.
    good : uint8 (ncol, nrow)
        1 where a pixel can be used.
    path : float64 (nslot, ncol), px
        Within about a pixel of the light, rising from slot to slot; NaN where there is none.
    noise : Noise
    sigma : (nslot, ncol), px, optional
        First width.
    block : (nslot,), optional
        Shape and background are shared within blocks.
    background : float
        First background, counts.
    bins : int
        Most column bins.
    smooth : callable, optional
        Smooth paths (nslot, ncol) through what was measured: everything is measured again about them, so that the
        noise of the first rounds in the path of one fiber does not leak into its neighbors.
    """
    ncol = columns.shape[0]
    fit = _Fit(columns, good.copy(), path, noise, sigma, groups(path.shape[0], block), bins)
    fit.shape[..., 2] = background
    step = max(1, ncol // SPARSE)
    chosen = np.arange(step // 2, ncol, step)
    fit.settle(chosen, ctx.part(0.0, 0.5))
    touched = fit.find_bad_rows(chosen.size)
    if touched.any():
        fit.forget(touched)
        fit.settle(chosen, ctx.part(0.5, 0.6))
    fit.ctx = ctx.part(0.6, 0.8)
    found = fit.finish(np.arange(ncol))
    if smooth is not None:
        fit.ctx = ctx.part(0.8, 1.0)
        fit.move_to(smooth(found), found)
        found = fit.finish(np.arange(ncol))
    return found


def at_columns(values: Array, column: Array) -> NDArray[np.float64]:
    """Values (n, ncol) at columns that need not be whole numbers, linear between the two neighbors."""
    low = np.clip(np.floor(column).astype(np.intp), 0, values.shape[1] - 1)
    high = np.minimum(low + 1, values.shape[1] - 1)
    part = column - low
    out: NDArray[np.float64] = values[:, low] * (1 - part) + values[:, high] * part
    return out


def groups(nslot: int, block: Array | None) -> NDArray[np.intp]:
    """Groups of about GROUP neighbors: the blocks, cut where they are larger."""
    if block is None or np.unique(block).size == 1:
        return (np.arange(nslot) * max(1, round(nslot / GROUP)) // max(nslot, 1)).astype(np.intp)
    number = np.unique(block, return_inverse=True)[1]
    out = np.zeros(nslot, np.intp)
    count = 0
    for b in range(number.max() + 1):
        members = np.flatnonzero(number == b)
        parts = max(1, round(members.size / (1.5 * GROUP)))
        out[members] = count + np.arange(members.size) * parts // members.size
        count += parts
    return out


def whole_bins(binned: Array, most: int) -> list[slice]:
    """Parts of columns, given their bins in rising order, that share no bin: each adds to places of its own."""
    first = np.flatnonzero(np.diff(binned, prepend=-1))
    parts = np.array_split(first, min(most, first.size))
    start = [int(part[0]) for part in parts]
    return [slice(a, b) for a, b in zip(start, [*start[1:], binned.size])]


class _Fit:
    """The state that the rounds improve."""

    def __init__(
        self,
        columns: Array,
        good: Array,
        path: Array,
        noise: Noise,
        sigma: Array | None,
        group: Array,
        bins: int = BINS,
    ) -> None:
        self.columns, self.good, self.noise, self.group = columns, good, noise, group
        self.ncol = columns.shape[0]
        self.nslot = path.shape[0]
        self.edges = bin_edges(self.ncol, bins)
        self.nbin = self.edges.size - 1
        self.middle = (self.edges[:-1] + self.edges[1:] - 1) / 2
        self.given = np.ascontiguousarray(path, np.float64)
        self.shift = np.zeros((self.nslot, self.nbin))  # added to `given`
        start = np.full((self.nslot, self.nbin), START_SIGMA if sigma is not None else first_width(columns, good, path))
        if sigma is not None:
            at = np.clip(np.round(self.middle).astype(int), 0, self.ncol - 1)
            known = np.asarray(sigma)[:, at]
            start = np.where(np.isfinite(known) & (known > 0), np.clip(known, *SIGMA_RANGE), start)
        self.width = start
        usual = float(np.median(start)) if start.size else START_SIGMA
        self.hidden = half_hidden(good, self.given, self.edges, usual)
        self.shape = np.zeros((int(group.max(initial=0)) + 1, self.nbin, 3), np.float32)
        self.table = gaussian_table()
        self.turn = 0
        self.ctx = SILENT
        self.unsettled: tuple[bool, ...] = (True, True)
        self.common_ground = True
        self.bad_rows: list[tuple[int, int, int]] = []
        self.u = self.middle / max(self.ncol - 1, 1) * 2 - 1
        self.start: Array = np.zeros((self.nslot, self.nbin))

    def pass_over(
        self, chosen: Array, clip: float, share: float, with_shape: bool = True, with_beside: bool = False
    ) -> tuple[Array, Array, Array, Array]:
        """One kernel run."""
        binned = (np.searchsorted(self.edges, chosen, side="right") - 1).astype(np.intp)
        at = np.interp(chosen, self.middle, np.arange(self.nbin)) if self.nbin > 1 else np.zeros(chosen.size)
        low = np.minimum(at.astype(np.intp), max(self.nbin - 2, 0))
        n = chosen.size
        flux, variance = np.empty((n, self.nslot), np.float32), np.empty((n, self.nslot), np.float32)
        sums = np.zeros((self.nslot, self.nbin, kernel.NTERM))
        ground = np.zeros((self.shape.shape[0], self.nbin, 2))
        shift, width, columns = _turned(self.shift, float), _turned(self.width, np.float32), chosen.astype(np.intp)

        def some(of: slice) -> None:
            kernel.fit_columns(
                self.columns, self.good, columns[of], binned[of], low[of], (at - low)[of], self.given, shift, width,
                self.table, self.group, self.noise.floor, self.noise.per_count, clip, share, with_shape, with_beside,
                self.shape, flux[of], variance[of], sums, ground,
            )  # fmt: skip

        parts = whole_bins(binned, PARTS if n * self.nslot > FEW else 1)
        spread(some, parts, ctx=self.ctx, text="Measuring all fibers")
        self.start = sums[..., kernel.FLUX] / np.maximum(sums[..., kernel.NCOL], 1)
        return flux, variance, sums, ground

    def settle(self, chosen: Array, ctx: JobContext) -> None:
        """Rounds on some columns until centers, widths, shape and background rest."""
        for turn in range(MAX_ROUNDS):
            self.ctx = ctx.part(turn / MAX_ROUNDS, (turn + 1) / MAX_ROUNDS)
            moved = self.round(chosen, CLIP_SHARE[min(turn, len(CLIP_SHARE) - 1)])
            if turn == NOISE_TURN and self.noise.source == "data":
                self.measure_noise()
            settled = turn + 1 >= MIN_ROUNDS and not any(self.unsettled)
            if moved < SETTLED and (settled or turn + 1 >= ENOUGH_ROUNDS):
                break

    def round(self, chosen: Array, share: float) -> float:
        """Improve centers, widths, shape and background; return by how much nearly all centers moved at most."""
        self.good &= kernel.USED
        _, _, sums, ground = self.pass_over(chosen, CLIP_SIGMA, share, self.turn % 2 == 0 and self.turn >= HERMITE_TURN)
        self.last = sums
        step, error = offsets(sums)
        step = np.clip(np.where(np.isfinite(error), step, 0), -MAX_STEP, MAX_STEP)
        weight = np.where(np.isfinite(error) & (error > 0) & ~self.hidden, 1 / np.maximum(error, 1e-9) ** 2, 0)
        move = _smooth(step, weight)
        self.shift += move
        if self.turn % 2:
            unsettled = self._ground(ground)
        else:
            unsettled = self._shape(sums, self.turn >= HERMITE_TURN)
        self.forget(self.hidden)
        self.turn += 1
        self.unsettled = (*self.unsettled[-1:], unsettled)
        certain = weight > CERTAIN_ERROR**-2
        return float(np.quantile(np.abs(move[certain]), 0.998)) if certain.any() else 0.0

    def _shape(self, sums: Array, hermite: bool) -> bool:
        """Widths of each fiber, shape of each group, smooth along dispersion; return whether they still move."""
        yy, ys, ss = (sums[..., i] for i in (kernel.YY, kernel.YS, kernel.SS))
        by, bs = sums[..., kernel.BY], sums[..., kernel.BS]
        known = (yy > 0) & (ss > 0) & ~self.hidden
        known &= sums[..., kernel.FLUX] > 3 * np.sqrt(np.maximum(sums[..., kernel.VARIANCE], 1e-30))
        with np.errstate(invalid="ignore", divide="ignore"):
            lean = np.where(known, ys / yy, 0)
        info, pull = np.where(known, ss - lean * ys, 0), np.where(known, bs - lean * by, 0)
        whole = sums.sum(axis=1)  # bins that chance makes bright have a shape of their own
        noise = np.sqrt(whole[:, kernel.VARIANCE] * whole[:, kernel.NCOL])
        bright = (whole[:, kernel.FLUX] > SHAPE_SNR * noise)[:, None]
        if hermite and (known & bright).any():  # faint light cannot tell the shape from the background
            step = WIDTH_STEP * self._hermite_step(sums, known & bright)[0]
            new = np.clip(self.shape[..., :2] + step, -SHAPE_RANGE, SHAPE_RANGE)
            step = (new - self.shape[..., :2])[self.group]
            self.shape[..., :2] = new
            shape_terms = (kernel.SK, kernel.YK), (kernel.SQ, kernel.YQ)
            for term, (with_s, with_y) in enumerate(shape_terms):  # what the new shape takes from the width
                pull = pull - np.where(known, (sums[..., with_s] - lean * sums[..., with_y]) * step[..., term], 0)
        basis = np.polynomial.legendre.legvander(self.u, min(WIDTH_DEGREE, max(self.nbin // 3, 0)))
        normal = np.einsum("kb,bi,bj->kij", info, basis, basis)
        trace = np.einsum("kii->k", normal)[:, None, None]
        ridge = (1e-3 * trace + 1e-9) * np.eye(basis.shape[1])
        step = np.linalg.solve(normal + ridge, np.einsum("kb,bi->ki", pull, basis)[..., None])[..., 0] @ basis.T
        step = WIDTH_STEP * np.clip(step, -0.3, 0.3)
        self.width = np.clip(self.width + step, *SIGMA_RANGE)
        lit = known.any(axis=1)
        return bool(lit.any() and np.median(np.abs(step[lit])) > WIDTH_SETTLED)

    def _ground(self, ground: Array) -> bool:
        """Background of each group and bin; return whether it still moves.

        First that of all groups together: without gaps a group by itself takes wider fibers for background, and leaves
        that slowly. From there on, each its own.
        """
        window = np.subtract.outer(np.arange(self.nbin), np.arange(self.nbin))
        near = np.maximum(1 - np.abs(window) / (GROUND_BINS + 1), 0)  # no pattern of bins is answered the wrong way
        top, below = ground[..., 0] @ near, ground[..., 1] @ near
        if self.common_ground:
            top = _bounded(top, below)
            top, below = (np.broadcast_to(part.sum(axis=0), part.shape) for part in (top, below))
        with np.errstate(invalid="ignore", divide="ignore"):
            step = np.where(below > 0, top / below, 0)
            error = np.where(below > 0, below**-0.5, np.inf)
        self.shape[..., 2] += (GROUND_STEP * step).astype(np.float32)
        usual = float(np.median(np.maximum(self.start, 0)))
        moves = bool(np.median(np.abs(step) / np.maximum(GROUND_SHARE * error, GROUND_SETTLED * usual)) > 1)
        common, self.common_ground = self.common_ground, self.common_ground and moves
        return moves or common

    def _hermite_step(self, sums: Array, known: Array) -> tuple[Array, Array]:
        """What is missing from the shape terms, (ngroup, nbin, 2), and the information on the skewness per bin."""
        ngroup = self.shape.shape[0]
        basis = self._shape_basis()
        m = basis.shape[1]
        a = np.empty((*sums.shape[:2], 4, 4))
        upper = np.triu_indices(4)
        a[..., upper[0], upper[1]] = a[..., upper[1], upper[0]] = sums[..., kernel.NORMAL]
        b = sums[..., kernel.RIGHT]
        own = a[..., :2, :2] + 1e-12 * np.eye(2)
        own[~known] = np.eye(2)
        mixed = np.linalg.solve(own, a[..., :2, 2:])
        info = a[..., 2:, 2:] - np.swapaxes(a[..., :2, 2:], -1, -2) @ mixed
        pull = b[..., 2:] - np.einsum("...ij,...i->...j", mixed, b[..., :2])
        info[~known], pull[~known] = 0, 0
        each_info, each_pull = np.zeros((ngroup, self.nbin, 2, 2)), np.zeros((ngroup, self.nbin, 2))
        np.add.at(each_info, self.group, info)
        np.add.at(each_pull, self.group, pull)
        normal = np.einsum("gbpq,bi,bj->gpiqj", each_info, basis, basis).reshape(ngroup, 2 * m, 2 * m)
        side = np.einsum("gbp,bi->gpi", each_pull, basis).reshape(ngroup, 2 * m)
        ridge = (1e-3 * np.einsum("gii->g", normal) / (2 * m) + 1e-9)[:, None, None] * np.eye(2 * m)
        step = np.linalg.solve(normal + ridge, side[..., None])[..., 0].reshape(ngroup, 2, m)
        return np.einsum("gpi,bi->gbp", step, basis), each_info[..., 0, 0]

    def _shape_basis(self) -> Array:
        """Polynomials of the shape along dispersion."""
        return np.polynomial.legendre.legvander(self.u, min(SHAPE_DEGREE, max(self.nbin // 4, 0)))

    def final_skewness(self, sums: Array) -> Array:
        """Skewness from all columns, (ngroup, nbin), in the share that is more than noise; 0 if none is certain."""
        signal = sums[..., kernel.FLUX] > 3 * np.sqrt(np.maximum(sums[..., kernel.VARIANCE], 1e-30))
        step, info = self._hermite_step(sums, signal & (sums[..., kernel.YY] > 0) & (sums[..., kernel.SS] > 0))
        skew = self.shape[..., 0] + step[..., 0]
        freedom = skew.shape[0] * self._shape_basis().shape[1]
        chi2 = float((info * skew**2).sum()) / max(image_chi2(sums), 1.0)
        if chi2 < freedom + SKEW_SIGMA * np.sqrt(2 * freedom):
            return np.zeros_like(skew)
        return skew * (1 - freedom / chi2)

    def mean_shift(self) -> Array:
        """Mean over the columns of each bin of the shift, which is linear between the middles of the bins."""
        before = np.concatenate([self.shift[:, :1], self.shift[:, :-1]], axis=1)
        after = np.concatenate([self.shift[:, 1:], self.shift[:, -1:]], axis=1)
        return (before + 6 * self.shift + after) / 8

    def find_bad_rows(self, looked_at: int) -> NDArray[np.bool_]:
        """Mask rows of pixels along dispersion that stick out; return the bins that they touch, (nslot, nbin).

        Light that is fitted beside such a row is off, too: less marked neighbors are for the next round to tell.
        `looked_at` is the number of columns of the last pass.
        """
        marked = (self.good & kernel.MARKED) > 0
        count = marked.sum(axis=0)
        usual = np.median(count)
        touched = np.zeros((self.nslot, self.nbin), bool)
        center = self.given[:, np.round(self.middle).astype(int)] + self.shift
        beside = maximum_filter1d(count, 2 * kernel.FIT_ROWS + 1)
        high = count > usual + max(BAD_ROW_PIXELS, BAD_ROW_SIGMA * np.sqrt(usual + 1))
        for row in np.flatnonzero(high & (count >= BAD_ROW_PART * beside)):
            at = np.flatnonzero(marked[:, row])
            first, last = int(np.percentile(at, 1)), int(np.percentile(at, 99))
            if count[row] < BAD_ROW_SHARE * (last - first + 1) * looked_at / self.ncol:
                continue
            margin = max(BAD_ROW_MARGIN, (last - first) // BAD_ROW_ENDS)
            first, last = max(first - margin, 0), min(last + margin, self.ncol - 1)
            self.good[first : last + 1, row] = 0
            self.bad_rows.append((int(row), first, last))
            bins = (self.edges[1:] > first) & (self.edges[:-1] <= last)
            with np.errstate(invalid="ignore"):
                touched |= (np.abs(center - row) < kernel.FIT_ROWS + 1) & bins
        return touched

    def forget(self, touched: Array) -> None:
        """Take centers and widths that bad rows touch, or that a mask hides, from the fibers beside them."""
        for k in np.flatnonzero(touched.any(axis=1)):
            near = slice(max(k - GROUP, 0), k + GROUP + 1)
            for values, unknown in ((self.shift, 0.0), (self.width, START_SIGMA)):
                usual = np.ma.median(np.ma.array(values[near], mask=touched[near]), axis=0)
                values[k] = np.where(touched[k], usual.filled(unknown), values[k])

    def again(self, touched: Array, results: tuple[Array, Array, Array, Array]) -> None:
        """Measure the bins that bad rows touch once more without them, starting from the bins beside them."""
        bins = np.asarray(touched.any(axis=0))
        index = np.arange(self.nbin)
        for k in np.flatnonzero(touched.any(axis=1)):
            if not touched[k].all():
                self.shift[k, touched[k]] = np.interp(index[touched[k]], index[~touched[k]], self.shift[k, ~touched[k]])
        columns = np.flatnonzero(bins[np.repeat(index, np.diff(self.edges))])
        for _ in range(AGAIN_ROUNDS):
            step, error = offsets(self.pass_over(columns[::AGAIN_STEP], CLIP_SIGMA, LAST_CLIP_SHARE, False)[2])
            moved = touched & np.isfinite(error)
            self.shift[moved] += np.clip(step[moved], -MAX_STEP, MAX_STEP)
        self.good[columns] &= kernel.USED
        new = self.pass_over(columns, CLIP_SIGMA, LAST_CLIP_SHARE, False)
        results[0][columns], results[1][columns] = new[0], new[1]
        results[2][:, bins], results[3][:, bins] = new[2][:, bins], new[3][:, bins]

    def move_to(self, path: Array, found: LightFit) -> None:
        """Take smooth paths of the light as the given ones, and the widths about them."""
        lean = SKEW_TO_CENTER * self.shape[self.group, :, 0] * self.width
        whole = np.arange(self.ncol)
        moved = np.array([np.interp(whole, self.middle, row) for row in lean])
        self.given = np.where(np.isfinite(path), path - moved, np.nan)
        self.shift[:] = 0
        info = np.where(np.isfinite(found.width_err), 1 / np.maximum(found.width_err, 1e-6) ** 2, 0)
        basis = np.polynomial.legendre.legvander(self.u, min(WIDTH_DEGREE, max(self.nbin // 3, 0)))
        normal = np.einsum("kb,bi,bj->kij", info, basis, basis)
        normal += 1e-9 * (1 + np.einsum("kii->k", normal))[:, None, None] * np.eye(basis.shape[1])
        side = np.einsum("kb,bi->ki", info * np.nan_to_num(found.width - self.width), basis)
        step = np.linalg.solve(normal, side[..., None])[..., 0] @ basis.T
        self.width = np.clip(self.width + np.clip(step, -0.3, 0.3), *SIGMA_RANGE)

    def measure_noise(self) -> None:
        """Scale the noise so that the fit has a chi2 of one per degree of freedom."""
        scale = image_chi2(self.last)
        self.noise = Noise(self.noise.floor * scale, self.noise.per_count * scale, "data")

    def every_column(self, chosen: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Pass over all columns; the last result are the sums of every few, with the terms of shape and neighbors."""
        shaped = chosen % SHAPE_STEP == SHAPE_STEP // 2 if self.nbin > 1 else np.ones(chosen.size, bool)
        ctx = self.ctx
        self.ctx = ctx.part(0.0, 0.3)
        few = self.pass_over(chosen[shaped], CLIP_SIGMA, LAST_CLIP_SHARE, True, True)
        self.ctx = ctx.part(0.3, 1.0)
        rest = self.pass_over(chosen[~shaped], CLIP_SIGMA, LAST_CLIP_SHARE, False)
        flux, variance = np.empty((2, chosen.size, self.nslot), np.float32)
        flux[shaped], flux[~shaped] = few[0], rest[0]
        variance[shaped], variance[~shaped] = few[1], rest[1]
        sums = few[2] + rest[2]
        self.start = sums[..., kernel.FLUX] / np.maximum(sums[..., kernel.NCOL], 1)
        return flux, variance, sums, few[3] + rest[3], few[2]

    def finish(self, chosen: Array) -> LightFit:
        """Use every column and gather the result."""
        self.good &= kernel.USED
        flux, variance, sums, ground, some = results = self.every_column(chosen)
        for _ in range(BAD_ROW_ROUNDS):
            touched = self.find_bad_rows(chosen.size)
            if not touched.any():
                break
            self.again(touched, results[:4])
        scale = image_chi2(sums)
        skew = self.final_skewness(some)
        with np.errstate(invalid="ignore", divide="ignore"):
            lean = (some[..., kernel.YK] + some[..., kernel.SKEW_BESIDE]) / some[..., kernel.YY]
            lean = np.where(np.isfinite(lean), lean, 0)
        step, error = offsets(sums)
        step, error, with_next = freed(step - lean * (skew - self.shape[..., 0])[self.group], error, sums, some)
        self.shape[..., 0] = skew
        npix, ncol = sums[..., kernel.NPIX], np.maximum(sums[..., kernel.NCOL], 1)
        clipped = sums[..., kernel.CLIPPED] / np.maximum(npix + sums[..., kernel.CLIPPED], 1)
        error = np.where(clipped < MAX_CLIPPED, error * np.sqrt(max(scale, 1.0)), np.inf)
        path = at_columns(self.given, self.middle) + self.mean_shift()
        path += SKEW_TO_CENTER * self.shape[self.group, :, 0] * self.width
        error = np.where(self.hidden, np.inf, error)
        measured = np.isfinite(error)
        with np.errstate(invalid="ignore", divide="ignore"):
            yy, ys = sums[..., kernel.YY], sums[..., kernel.YS]
            info = sums[..., kernel.SS] - ys**2 / yy
            width_step = (sums[..., kernel.BS] - ys / yy * sums[..., kernel.BY]) / info
            width_err = np.where(info > 0, np.sqrt(max(scale, 1.0) / info), np.inf)
            chi2 = sums[..., kernel.CHI2] / (npix - PER_COLUMN * sums[..., kernel.NCOL])
        width_step = np.where(np.isfinite(width_step), np.clip(width_step, -0.5, 0.5), 0)
        usual = sums[..., kernel.FLUX] / ncol
        level, level_err = _background(ground, self.shape)
        level_err = level_err * less_certain(
            path, self.width, usual, level, self.noise, self.group, self.columns.shape[1], WIDTH_DEGREE + 1
        )
        return LightFit(
            self.edges,
            np.where(measured, path + step, np.nan),
            path,
            np.where(measured, error, np.nan),
            np.where(measured, self.width + width_step, np.nan),
            np.where(measured, width_err, np.nan),
            usual,
            np.where(sums[..., kernel.NCOL] > 0, np.sqrt(sums[..., kernel.VARIANCE]) / ncol, np.inf),
            np.where(npix > 0, chi2, np.nan),
            clipped,
            self.shape,
            level,
            level_err,
            self.group,
            flux,
            variance,
            self.good,
            self.noise,
            scale,
            with_next,
            tuple(self.bad_rows),
        )


def _bounded(top: Array, below: Array) -> Array:
    """Pull of each group on a common background, not far above that of the others: what sticks out is a hot row."""
    with np.errstate(invalid="ignore", divide="ignore"):
        usual = np.median(np.abs(np.where(below > 0, top / below, 0)), axis=0)
    out: Array = np.minimum(top, usual * below + np.sqrt(below))
    return out


def _turned(values: Array, dtype: type) -> Array:
    """Transposed and contiguous."""
    return np.ascontiguousarray(values.T, dtype)


def _background(ground: Array, shape: Array) -> tuple[Array, Array]:
    """Background of each group and bin and its error, from the sums of the last round."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = np.where(ground[..., 1] > 0, ground[..., 0] / ground[..., 1], np.nan)
        error = np.where(ground[..., 1] > 0, ground[..., 1] ** -0.5, np.nan)
    return shape[..., 2] + rest, error


def offsets(sums: Array) -> tuple[Array, Array]:
    """Step of the center and its error, inf where it is not measured."""
    yy, noise, by = sums[..., kernel.YY], sums[..., kernel.NOISE_YY], sums[..., kernel.BY]
    signal = yy - noise
    known = (yy > 0) & (signal > USEFUL_SIGNAL * yy)
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.where(known, by / signal, 0)
        error = np.where(known, np.sqrt(yy) / signal, np.inf)
    error[~(error < USEFUL_ERROR)] = np.inf
    return step, error


def image_chi2(sums: Array) -> float:
    """Chi2 per degree of freedom of the image: the median over fibers and bins."""
    dof = sums[..., kernel.NPIX] - PER_COLUMN * sums[..., kernel.NCOL] - 1
    yy = sums[..., kernel.YY]
    usable = (dof > 0) & (yy > 0)
    left = sums[..., kernel.CHI2][usable] - sums[..., kernel.BY][usable] ** 2 / yy[usable]  # after the last step
    return float(np.median(left / dof[usable])) if usable.any() else 1.0


def _smooth(step: Array, weight: Array) -> Array:
    """Weighted running mean along the bins, drawn to zero where little is measured."""
    nbin = step.shape[1]
    distance = np.subtract.outer(np.arange(nbin), np.arange(nbin))
    window = np.exp(-0.5 * (distance / SMOOTH_BINS) ** 2)
    return (weight * step) @ window / (weight @ window + PRIOR_ERROR**-2)

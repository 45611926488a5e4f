"""Estimate the profile of the fibers of an image, with its wings, and the light that belongs to no fiber.

Each round solves the fluxes of some hundred columns with the profile of the round before and takes one step for the
shape of all groups and the background together (`equations`). The wings come from the gaps between the fibers and
from bright fibers beside faint ones; what does not fall off with distance from any fiber is background.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import spread
from ifuview.engine.traces.light.measure import groups
from ifuview.engine.traces.profile.arrays import pixels, rising, transposed
from ifuview.engine.traces.profile.column import bandwidth
from ifuview.engine.traces.profile.equations import accumulate
from ifuview.engine.traces.profile.fiber_profile import FiberProfile, legendre, tables
from ifuview.engine.traces.profile.splines import PER_WIDTH, Basis, basis
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

REACH = 15.0  # px, where the wings are taken to end
DEGREE = 2  # of the shape along dispersion
COLUMNS, LAST_COLUMNS, BINS = 160, 640, 16  # that the rounds look at, and the last ones, in so many parts
START_WIDTH = 1.2  # px, where the traces have none
GROUND_ROWS = 128  # px, between the nodes of the background across dispersion
GROUND_DEGREE = 2  # along dispersion
MAX_ROUNDS, MIN_ROUNDS = 8, 3  # of each stage: all fibers alike, then each group by itself with more columns
GROUND_ROUNDS = 4  # of the background with a known profile
SETTLED = 1e-4  # of the peak, largest change of a profile in the last round
CLIP = 5.0  # sigma, pixels farther from the model are left out (cosmic rays) ...
CLIP_SHARE = (math.inf, 0.5, 0.3, 0.15, 0.08, 0.05)  # ... plus this share of the peak nearby, by round
PRIOR_CORE, PRIOR_WING = 1.0, 0.3  # density that may be added to the Gaussian in the core and, falling, in the wings
PRIOR_GROUP = 0.1  # of it, by which a group may differ from all fibers
NORMED = 1e3  # weight of the condition that the light of a profile is one, against the largest weight of the data


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """What stays the same from round to round, columns first, fibers rising."""

    data: NDArray[np.float32]
    floor: NDArray[np.float32]
    per_count: float
    center: Array
    width: Array
    group: NDArray[np.intp]
    pieces: Basis
    rows: int
    nband: int
    node: Array
    parts: list[NDArray[np.intp]]
    legendre: Array
    ground_legendre: Array


@dataclass(slots=True, eq=False)
class _Sums:
    """Equations of each part of the columns."""

    shape: Array
    mixed: Array
    side: Array
    ground: Array
    ground_side: Array
    tally: Array


class _Fit:
    """What the rounds improve: the shape, the background, and the fluxes that make the variance."""

    def __init__(self, frame: _Frame) -> None:
        self.coeff = np.zeros((1, frame.legendre.shape[1], frame.pieces.spline.shape[0]))
        self.level = np.zeros((frame.ground_legendre.shape[1], frame.node.size))
        self.flux = np.zeros(frame.center.shape)
        self.turn = 0
        self.chi2 = math.nan

    def settle(self, frame: _Frame, about: Array, freedom: float, ctx: JobContext) -> int:
        """Rounds until the profile rests; return how many. `about` and `freedom`: what the shape is drawn to."""
        for turn in range(MAX_ROUNDS):
            part = ctx.part(turn / MAX_ROUNDS, (turn + 1) / MAX_ROUNDS)
            sums = _round(frame, self, turn > 0, part)  # the first makes the fluxes
            pixel, fitted = sums.tally[..., 1].sum(), sums.tally[..., 2].sum()
            if fitted == 0:
                raise FitError("no fiber has light on usable pixels", todo="give traces that lie on the light")
            self.chi2 = float(sums.tally[..., 0].sum() / max(pixel - fitted, 1))
            if turn == 0:
                self.level += _ground_step(frame, sums)
                continue
            step, rise = _solve(frame, sums, self.coeff - about, freedom)
            self.coeff += step
            self.level += rise
            self.turn += 1
            if turn >= MIN_ROUNDS and _change(frame, step) < SETTLED:
                break
        return turn + 1


def fit_profile(
    image: Array,
    variance: float | Array,
    traces: TraceSet,
    *,
    gain: float = 1.0,
    mask: Array | None = None,
    block: Array | None = None,
    reach: float = REACH,
    degree: int = DEGREE,
    ctx: JobContext = SILENT,
) -> FiberProfile:
    """Return the profile of all fibers of an image, to be used by `extract_joint`.

    Parameters
    ----------
    image : ndarray, shape (nrow, ncol), counts
        A flat, twilight or any exposure with light in most fibers; fibers run along axis 1.
    variance : float or ndarray of shape (nrow, ncol), counts^2
        Of a pixel without light: read noise squared, and what else does not depend on the light. The light's own
        noise comes from the model.
    traces : TraceSet
        Centers on this image; widths are the scale of each fiber's profile.
    gain : float
        Electrons per count; inf if `variance` has the noise of the light already.
    mask : ndarray of bool, shape (nrow, ncol), optional
        True where a pixel is not to be used.
    block : ndarray, shape (nfiber,), optional
        Fibers of one block lie side by side; a shape is shared within blocks (by some 25 neighbors).
    reach : float, px
        Where the wings end.
    degree : int
        Of the shape along columns, beyond the change of the width.

    Returns
    -------
    FiberProfile
        For all fibers of `traces`, in their order.

    Raises
    ------
    FitError
        No fiber has light on usable pixels.
    """
    order = rising(traces.center)
    frame = _prepare(image, variance, traces, order, gain, mask, block, reach, degree)
    state = _Fit(frame)
    one = replace(frame, group=np.zeros_like(frame.group), parts=_parts(traces.ncol, COLUMNS))
    rounds = state.settle(one, np.zeros((1, 1, 1)), 1.0, ctx.part(0, 0.4))
    common = np.repeat(state.coeff, int(frame.group.max()) + 1, axis=0)
    state.coeff = common.copy()
    rounds += state.settle(frame, common, PRIOR_GROUP, ctx.part(0.4, 1))
    back = np.argsort(order)
    return FiberProfile(
        width=np.ascontiguousarray(frame.width.T[back]),
        offset=np.zeros(traces.center.shape),
        group=frame.group[back],
        coeff=state.coeff,
        reach=frame.pieces.reach,
        background=_background(frame, state.level),
        chi2=state.chi2,
        rounds=rounds,
    )


def _prepare(
    image: Array, variance: float | Array, traces: TraceSet, order: Array, gain: float, mask: Array | None,
    block: Array | None, reach: float, degree: int,
) -> _Frame:  # fmt: skip
    """The arrays that the kernels take."""
    ncol = traces.ncol
    known = np.array(START_WIDTH) if traces.sigma is None else traces.sigma
    known = np.broadcast_to(known, traces.center.shape)
    width = np.where(np.isfinite(known) & (known > 0), known, START_WIDTH)[order]
    assert traces.valid is not None  # made by the constructor
    center = np.where(traces.valid, traces.center, np.nan)[order]
    pieces = basis(reach / float(np.median(width)))
    group = groups(order.size, None if block is None else np.asarray(block)[order])
    rows = 2 * math.ceil(pieces.reach * float(width.max()) + 0.5) + 1
    data, floor = pixels(image, variance, mask)
    return _Frame(
        data=data,
        floor=floor,
        per_count=1 / gain,
        center=transposed(center, np.float64),
        width=transposed(width, np.float64),
        group=group,
        pieces=pieces,
        rows=rows,
        nband=bandwidth(center, rows),
        node=np.linspace(0, image.shape[0] - 1, max(2, round(image.shape[0] / GROUND_ROWS) + 1)),
        parts=_parts(ncol, LAST_COLUMNS),
        legendre=legendre(ncol, degree + 1),
        ground_legendre=legendre(ncol, GROUND_DEGREE + 1),
    )


def _parts(ncol: int, most: int) -> list[NDArray[np.intp]]:
    """At most so many columns, in parts of neighbors."""
    chosen = np.unique(np.round(np.linspace(0, ncol, min(most, ncol), endpoint=False)).astype(np.intp))
    return [part.astype(np.intp) for part in np.array_split(chosen, min(BINS, chosen.size))]


def _round(frame: _Frame, state: _Fit, with_shape: bool, ctx: JobContext) -> _Sums:
    """The equations of all parts about the present profile."""
    ngroup, nspline = state.coeff.shape[0], state.coeff.shape[2]
    n, nground = len(frame.parts), frame.node.size
    sums = _Sums(
        np.zeros((n, ngroup, nspline, nspline)), np.zeros((n, ngroup, nspline, nground)),
        np.zeros((n, ngroup, nspline)), np.zeros((n, nground, nground)), np.zeros((n, nground)), np.zeros((n, 3)),
    )  # fmt: skip
    table, ground = tables(frame.pieces, state.coeff), frame.ground_legendre @ state.level
    share = CLIP_SHARE[min(state.turn, len(CLIP_SHARE) - 1)]
    clip = CLIP if math.isfinite(share) else 0.0

    def work(i: int) -> None:
        accumulate(
            frame.parts[i], frame.data, frame.floor, frame.per_count, frame.center, frame.width, table,
            frame.legendre, frame.pieces.reach, frame.group, frame.rows, frame.nband, frame.pieces.spline,
            frame.pieces.begin, frame.pieces.end, frame.node, ground, clip, min(share, 1.0), with_shape, state.flux,
            sums.shape[i], sums.mixed[i], sums.side[i], sums.ground[i], sums.ground_side[i], sums.tally[i],
        )  # fmt: skip

    spread(work, range(n), ctx=ctx, text="Measuring the fiber profile")
    return sums


def _middles(frame: _Frame) -> NDArray[np.intp]:
    """Middle column of each part."""
    return np.array([part[part.size // 2] for part in frame.parts])


def _ground_matrix(frame: _Frame, sums: _Sums) -> tuple[Array, Array]:
    """Equations of the background, (ndegree nnode) each way, and their right side."""
    basis_x = frame.ground_legendre[_middles(frame)]
    size = basis_x.shape[1] * frame.node.size
    matrix = np.einsum("bm,bn,bij->minj", basis_x, basis_x, sums.ground).reshape(size, size)
    side = np.einsum("bm,bi->mi", basis_x, sums.ground_side).reshape(size)
    return matrix + 1e-9 * (1 + matrix.diagonal().max()) * np.eye(size), side


def _ground_step(frame: _Frame, sums: _Sums) -> Array:
    """What is missing from the background, (ndegree, nnode)."""
    matrix, side = _ground_matrix(frame, sums)
    return np.linalg.solve(matrix, side).reshape(-1, frame.node.size)


def _solve(frame: _Frame, sums: _Sums, added: Array, freedom: float) -> tuple[Array, Array]:
    """Steps of the shape, like `added`, and of the background, (ndegree, nnode).

    `added` is what the coefficients have beyond those that they are drawn to, `freedom` the share of `_prior` that
    they may differ by.
    """
    ngroup, ndegree, nspline = added.shape
    at = _middles(frame)
    along, ground_along = frame.legendre[at], frame.ground_legendre[at]
    size = ndegree * nspline
    lower = np.tril(sums.shape)
    whole = lower + np.swapaxes(np.tril(sums.shape, -1), -1, -2)
    normal = np.einsum("bm,bn,bgij->gminj", along, along, whole).reshape(ngroup, size, size)
    mixed = np.einsum("bm,bn,bgij->gminj", along, ground_along, sums.mixed).reshape(ngroup, size, -1)
    side = np.einsum("bm,bgi->gmi", along, sums.side).reshape(ngroup, size)
    prior = 1 / np.tile(freedom * _prior(frame.pieces), ndegree) ** 2
    side -= prior * added.reshape(ngroup, size)
    one = np.kron(np.eye(ndegree), np.ones((nspline, nspline)))
    top = np.einsum("gii->gi", normal).max(axis=1)
    normal += np.diag(prior) + (NORMED * (1 + top))[:, None, None] * one
    matrix, right = _ground_matrix(frame, sums)
    solved = np.linalg.solve(normal, np.concatenate([side[..., None], mixed], axis=2))
    matrix = matrix - np.einsum("gij,gik->jk", mixed, solved[..., 1:])
    right = right - np.einsum("gij,gi->j", mixed, solved[..., 0])
    rise = np.linalg.solve(matrix, right)
    step = solved[..., 0] - solved[..., 1:] @ rise
    return step.reshape(added.shape), rise.reshape(-1, frame.node.size)


def _prior(pieces: Basis) -> Array:
    """What may be added to the Gaussian at each spline where the light says nothing: 1 sigma of its coefficient."""
    u = np.abs(pieces.middle)
    span = (pieces.end - pieces.begin) / PER_WIDTH / 4  # from density to coefficient: width of a spline
    return span * (PRIOR_CORE * np.exp(-0.5 * u**2) + PRIOR_WING / (1 + u**2) ** 1.5)


def _change(frame: _Frame, step: Array) -> float:
    """Largest change of a profile, of the peak of the Gaussian."""
    slope = np.einsum("bm,gmj,jn->bgn", frame.legendre[_middles(frame)], step, frame.pieces.spline[..., 1])
    return float(np.abs(slope).max() / frame.pieces.gaussian[:, 1].max())


def _background(frame: _Frame, level: Array) -> NDArray[np.float32]:
    """The background of all pixels, (nrow, ncol)."""
    along = frame.ground_legendre @ level
    row = np.arange(frame.data.shape[1])
    low = np.clip(np.searchsorted(frame.node, row, side="right") - 1, 0, frame.node.size - 2)
    part = (row - frame.node[low]) / (frame.node[low + 1] - frame.node[low])
    out = along[:, low] * (1 - part) + along[:, low + 1] * part
    return np.ascontiguousarray(out.T, np.float32)


def fit_background(
    image: Array,
    variance: float | Array,
    traces: TraceSet,
    profile: FiberProfile,
    *,
    gain: float = 1.0,
    mask: Array | None = None,
    ctx: JobContext = SILENT,
) -> NDArray[np.float32]:
    """Return the light that belongs to no fiber in an image, (nrow, ncol), with the profile of another one.

    Parameters as in `fit_profile`.
    """
    order = rising(traces.center)
    reach = profile.reach * float(np.median(profile.width))
    frame = _prepare(
        image,
        variance,
        replace(traces, sigma=profile.width),
        order,
        gain,
        mask,
        None,
        reach,
        profile.coeff.shape[1] - 1,
    )
    frame = replace(frame, group=profile.group[order])
    state = _Fit(frame)
    state.coeff = profile.coeff
    for state.turn in range(GROUND_ROUNDS):
        part = ctx.part(state.turn / GROUND_ROUNDS, (state.turn + 1) / GROUND_ROUNDS)
        state.level += _ground_step(frame, _round(frame, state, False, part))
    return _background(frame, state.level)

"""Estimate the profile of the fibers of an image, with its wings, and the light that belongs to no fiber.

Each round solves the fluxes of some hundred columns with the profile of the round before and takes one step for the
shape of all groups and the background together (`equations`), and for the center and width of each fiber. First all
fibers have one shape, then each group its own, drawn to the common one. The wings come from the gaps between the
fibers and from bright fibers beside faint ones; what does not fall off with distance from any fiber is background.
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.cores import spread
from ifuview.engine.traces.profile.arrays import rising
from ifuview.engine.traces.profile.equations import FIBERS, GROUND, SHAPE, accumulate
from ifuview.engine.traces.profile.fiber_profile import FiberProfile, tables
from ifuview.engine.traces.profile.frame import CENTER_DEGREE, MOST_WIDER, WIDTH_DEGREE, Frame, prepare
from ifuview.engine.traces.profile.solve import Sums, empty_sums, fiber_step, ground_step, shape_step
from ifuview.engine.traces.profile.splines import FLANKS, Knots
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

REACH = 15.0  # px, where the wings are taken to end
DEGREE = 2  # of the shape along dispersion
MIN_ROUNDS = 3  # of a stage, before it can end
SETTLED = 0.03  # mean square of the last steps of all parameters, in units of their errors
CLIP = 5.0  # sigma, pixels farther from the model are left out (cosmic rays) ...
CLIP_SHARE = (math.inf, 0.5, 0.3, 0.15, 0.08, 0.05)  # ... plus this share of the peak nearby, by round


class Stage(NamedTuple):
    """Most rounds, the first of them that places fibers, and the share of the prior that the shape may differ by."""

    rounds: int
    place_from: int
    freedom: float


TOGETHER, GROUPS = Stage(11, 3, 1.0), Stage(4, 2, 0.1)  # all fibers alike, then each group by itself


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
    knots: Knots = FLANKS,
    place: bool = True,
    ground: float = math.inf,
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
        Centers on this image, right to some tenths of a pixel; widths are the scale of each fiber's profile.
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
    knots : Knots
        Of the splines: FLANKS for an image that is measured whole, STIFF for few columns.
    place : bool
        Improve the center and width of each fiber, as far as its light is brighter than their errors.
    ground : float, counts
        How far the light that belongs to no fiber is from zero, one sigma: where fibers are close everywhere their
        wings and a higher ground look alike. Default: nothing is known.

    Returns
    -------
    FiberProfile
        For all fibers of `traces`, in their order.

    Raises
    ------
    FitError
        No fiber has light on usable pixels.
    """
    frame = prepare(
        image, variance, traces, gain=gain, mask=mask, block=block, reach=reach, degree=degree, knots=knots,
        ground=ground,
    )  # fmt: skip
    state = _Fit(frame)
    rounds = state.settle(frame.with_few_columns(), np.zeros((1, 1, 1)), TOGETHER, place, ctx.part(0, 0.5))
    common = np.repeat(state.coeff, int(frame.group.max()) + 1, axis=0)
    state.coeff = common.copy()
    rounds += state.settle(frame, common, GROUPS, place, ctx.part(0.5, 1))
    back = np.argsort(rising(traces.center))
    return FiberProfile(
        width=np.ascontiguousarray(state.width.T[back]),
        offset=np.ascontiguousarray((state.center - frame.center).T[back]),
        group=frame.group[back],
        coeff=state.coeff,
        reach=frame.pieces.reach,
        background=frame.background(state.level),
        chi2=state.chi2,
        rounds=rounds,
        knots=knots,
    )


class _Fit:
    """What the rounds improve: shape, background, centers and widths, and the fluxes that make the variance."""

    def __init__(self, frame: Frame) -> None:
        nfiber = frame.center.shape[1]
        self.coeff = np.zeros((1, frame.legendre.shape[1], frame.pieces.spline.shape[0]))
        self.level = np.zeros((frame.ground_legendre.shape[1], frame.node.size))
        self.center, self.width = frame.center, frame.width
        self.shift, self.growth = np.zeros((nfiber, CENTER_DEGREE + 1)), np.zeros((nfiber, WIDTH_DEGREE + 1))
        self.flux = np.zeros(frame.center.shape)
        self.turn = 0
        self.chi2 = math.nan

    def settle(self, frame: Frame, drawn_to: Array, stage: Stage, place: bool, ctx: JobContext) -> int:
        """Rounds until the profile rests, its shape drawn to what is given; return how many."""
        moved = math.inf if place else 0.0
        for turn in range(stage.rounds):
            part = ctx.part(turn / stage.rounds, (turn + 1) / stage.rounds)
            placing = (
                place and turn >= stage.place_from and (turn - stage.place_from) % 2 == 0
            )  # in turns with the shape, as ...
            sums = self.equations(frame, GROUND if turn == 0 else FIBERS if placing else SHAPE, part)
            pixel, fitted = sums.tally[..., 1].sum(), sums.tally[..., 2].sum()
            if fitted == 0:
                raise FitError("no fiber has light on usable pixels", todo="give traces that lie on the light")
            self.chi2 = float(sums.tally[..., 0].sum() / max(pixel - fitted, 1))
            self.turn += turn > 0
            if turn == 0:  # only makes the fluxes
                self.level += ground_step(frame, sums, self.level)
            elif placing:  # ... they give way to each other
                moved = self.place(frame, sums)
            else:
                step, rise, far = shape_step(frame, sums, self.coeff - drawn_to, stage.freedom, self.level)
                self.coeff += step
                self.level += rise
                if turn >= MIN_ROUNDS and max(far, moved) < SETTLED:
                    break
        return turn + 1

    def place(self, frame: Frame, sums: Sums) -> float:
        """Improve centers and widths; return how far they had to go."""
        shift, growth, far = fiber_step(frame, sums, self.shift, self.growth)
        self.shift += shift
        self.growth += growth
        along = frame.fiber_legendre
        self.center = frame.center + along[:, : CENTER_DEGREE + 1] @ self.shift.T
        grown = np.clip(1 + along[:, : WIDTH_DEGREE + 1] @ self.growth.T, 1 / MOST_WIDER, MOST_WIDER)
        self.width = frame.width * grown
        return far

    def equations(self, frame: Frame, wanted: int, ctx: JobContext) -> Sums:
        """The equations of all parts about the present profile."""
        sums = empty_sums(frame, self.coeff.shape[0])
        share = CLIP_SHARE[min(self.turn, len(CLIP_SHARE) - 1)]
        work = partial(
            _add_part, self, frame, sums, tables(frame.pieces, self.coeff), frame.ground_legendre @ self.level,
            share, wanted,
        )  # fmt: skip
        spread(work, range(len(frame.parts)), ctx=ctx, text="Measuring the fiber profile")
        return sums


def _add_part(
    state: _Fit, frame: Frame, sums: Sums, table: Array, level: Array, share: float, wanted: int, part: int
) -> None:
    """Add up the equations of one part of the columns."""
    accumulate(
        frame.parts[part], frame.data, frame.floor, frame.per_count, state.center, state.width, table, frame.legendre,
        frame.pieces.reach, frame.group, frame.rows, frame.nband, frame.pieces.spline, frame.pieces.begin,
        frame.pieces.end, frame.node, level, CLIP if math.isfinite(share) else 0.0, min(share, 1.0), wanted,
        state.flux, sums.shape[part], sums.mixed[part], sums.side[part], sums.ground[part], sums.ground_side[part],
        sums.fiber[part], sums.tally[part],
    )  # fmt: skip

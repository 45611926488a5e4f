"""Patterns that many fibers share, fitted together and tested, and what they leave.

All combinations of a few smooth patterns, and of shifts of blocks beside them, are fitted; that which explains most
for its number is taken if each of its parts is significant. Errors are the larger of the propagated noise and what
the scatter of whole blocks about a smooth surface says (scores summed by block, with the correlation of neighboring
blocks: a "sandwich"), so that one error never hides another. To that the model floor is added: the misfit of the
profile leaves a pattern of its own in every block, which cannot be told from a trace error; its rms beyond the noise
is measured, and a common pattern must stand out of the mean of INDEPENDENT such misfits, a block out of one. Bad
fibers and bins are left out first.

At the end stands the goodness of fit: what whole clusters of fibers still share, beyond noise and misfit, is an error
of no known shape, whose map follows the light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.traces.doctor.patterns.choose import choose, every_block, odd_terms, smooth_instead, telling
from ifuview.engine.traces.doctor.patterns.equations import INDEPENDENT, Equations, sound
from ifuview.engine.traces.doctor.patterns.left import bent, common_wiggle, leftover, map_of, model_floor, tilted
from ifuview.engine.traces.doctor.patterns.shapes import Pattern, along_only, clusters_of, parts_of
from ifuview.model.checks import Array

TOLERANCE = 0.015  # px; the misfit of real profiles leaves up to 0.008
LEFT_SIGMA = 6.0
LEFT_PEAK = 4.0  # tolerances; largest mean of four coarse bins
FINE = 3  # fibers of the smallest groups that are asked what they share
PART = 2 / 3  # of the tolerance, for what the patterns leave ...
SMOOTHER = 2.0  # ... that is so many times what any smooth surface leaves; the misfit of real profiles: 1.5 times


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """Amplitude and error of one pattern."""

    pattern: Pattern
    amplitude: float
    sigma: float
    fitted: bool

    @property
    def significance(self) -> float:
        """Amplitude over error."""
        return abs(self.amplitude) / self.sigma if self.sigma > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class ModeFit:
    """The fitted model, the test of every pattern and of the common wiggle.

    Parameters
    ----------
    tests : tuple of Test
        Those in the model first.
    model : (nfiber, nbin), px
        With `unknown`.
    used : bool (nfiber, nbin)
    wiggle, wiggle_err : (nbin,), px
        What all fibers share beyond the model.
    wiggle_chi2, wiggle_dof
    floor, floor_err : float, px
        Model floor: rms of what whole blocks share beyond the model and the noise.
    unknown : (nfiber, nbin), px
        Smooth error that is none of the patterns.
    unknown_pull : float
        Its significance in sigma.
    left : float, px
        Rms that whole clusters of fibers share beyond the patterns and the noise.
    """

    tests: tuple[Test, ...]
    model: Array
    used: Array
    wiggle: Array
    wiggle_err: Array
    wiggle_chi2: float
    wiggle_dof: int
    floor: float
    floor_err: float
    unknown: Array | None = None
    unknown_pull: float = 0.0
    left: float = float("nan")


def fit_modes(
    offset: Array,
    error: Array,
    usable: Array,
    shapes: list[Pattern],
    block: Array,
    sigmas: float,
    smooth: list[Pattern] | None = None,
    tolerance: float = TOLERANCE,
    together: float = 1.0,
) -> ModeFit:
    """Fit and test all patterns.

    Parameters
    ----------
    offset, error : (nfiber, nbin), px
    usable : bool (nfiber, nbin)
    shapes : list of Pattern
    block : (nfiber,)
    sigmas : float
        From where on a pattern is part of the model.
    smooth : list of Pattern, optional
        `surface`: what stands out of the noise in it beyond the patterns is of no known shape.
    tolerance : float, px
        A larger rms that whole clusters of fibers share beyond the patterns is an error of no known shape.
    together : float
        Variance of a mean over many fibers, over that of independent errors.
    """
    usable = usable & np.isfinite(offset) & np.isfinite(error) & (error > 0)
    empty = np.zeros(offset.shape)
    if usable.sum() < 3:
        wiggle = np.full(offset.shape[1], np.nan)
        return ModeFit((), empty, usable, wiggle, wiggle, np.nan, 0, np.nan, np.nan)
    every = [*shapes, *(smooth or [])]
    used = sound(offset, error, usable, every)
    state = Equations(offset, error, used, every, block, len(shapes), together)
    seen = _Seen(offset, error, used, block, clusters_of(block), state, together)
    chosen, unknown, pull = _explained(seen, sigmas, tolerance)
    model, left = seen.model(chosen), seen.left(chosen)
    beta, sigma = state.solve(chosen)
    tests = [Test(shapes[i], float(b), float(s), True) for i, b, s in zip(chosen, beta, sigma)]
    for i, shape in enumerate(shapes):
        if i in chosen or any(shape.name == shapes[j].name and shape.name != "block_shift" for j in chosen):
            continue
        amplitude, err = state.solve([*chosen, i])
        tests.append(Test(shape, float(amplitude[-1]), float(err[-1]), False))
    wiggle, err, chi2 = seen.wiggle_of(offset - model - unknown)
    dof = int(np.isfinite(wiggle).sum()) - len({shapes[i].name for i in chosen} - {"block_shift", "scale"})
    return ModeFit(
        tuple(tests), model + unknown, used, wiggle, err, chi2, max(dof, 0),
        *seen.floor(offset - model), unknown,
        pull, left[0],
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What was measured, and what is left of it when some patterns are taken out."""

    offset: Array
    error: Array
    used: Array
    block: Array
    clusters: Array
    state: Equations
    together: float

    def model(self, chosen: list[int]) -> NDArray[np.float64]:
        """Sum of the chosen patterns."""
        return self._sum(chosen, self.state.solve(chosen)[0])

    def left(self, chosen: list[int], shared: Array | float = 0.0) -> tuple[float, float, float]:
        """What clusters share beyond the chosen patterns; see `leftover`."""
        return self._left(self.offset - self.model(chosen) - shared)

    def _left(self, rest: Array) -> tuple[float, float, float]:
        """The same of a rest, the larger of groups of two sizes."""
        groups = (self.clusters, parts_of(self.block, FINE))
        return max(leftover(rest, self.error, self.used, group, self.block, self.together) for group in groups)

    def is_other(self, chosen: list[int], tolerance: float) -> bool:
        """Whether a smooth surface leaves far less than the chosen patterns and what all share do."""
        rms, pull, _ = self.left(chosen, self.shared(chosen))
        whole = [*range(self.state.nnamed, len(self.state.shapes)), *(i for i in chosen if i in self.state.blocks)]
        rest = self.offset - self._sum(whole, self.state.amplitudes(whole))
        smallest = max(PART * tolerance, SMOOTHER * self._left(rest)[0])
        return pull > LEFT_SIGMA and rms > smallest

    def goes_on(self, chosen: list[int]) -> bool:
        """Whether what the shifts of blocks leave is as steep inside of the blocks as between them."""
        amplitude = dict(zip(chosen, self.state.solve(chosen)[0]))
        level = np.array([amplitude[i] for i in self.state.blocks])
        return tilted(self.offset - self.model(chosen), self.error, self.used, level, self.block)

    def shared(self, chosen: list[int]) -> NDArray[np.float64]:
        """What all fibers share beyond the chosen patterns, bin by bin."""
        return np.asarray(np.nan_to_num(self.wiggle_of(self.offset - self.model(chosen))[0]))

    def bends(self, chosen: list[int], tolerance: float) -> bool:
        """Whether the fibers are each bent in their own way beyond the chosen patterns and what all share."""
        rms, pull = bent(self.offset - self.model(chosen) - self.shared(chosen), self.error, self.used)
        return pull > LEFT_SIGMA and rms > tolerance

    def take_misfit(self, chosen: list[int]) -> None:
        """Take what is left beside the chosen patterns and terms for misfit, if any smooth surface leaves some, too.

        Else it is chance, or a smooth error that is too weak to be chosen: misfit is different in every block.
        """
        surface = range(self.state.nnamed, len(self.state.shapes))
        whole = [*surface, *(i for i in chosen if i in self.state.blocks)] if len(surface) else chosen
        self.take_floor(whole, self.state.amplitudes(whole))
        if self.state.floor > 0:
            self.take_floor(chosen, self.state.solve(chosen)[0])

    def take_floor(self, chosen: list[int], amplitudes: Array) -> None:
        """Take what is left beside some patterns for the misfit of the profiles."""
        rest = self.offset - self._sum(chosen, amplitudes)
        self.state.floor = self.floor(rest)[0]

    def floor(self, rest: Array) -> tuple[float, float]:
        """What clusters share of a rest, and its error; see `model_floor`."""
        return model_floor(rest, self.error, self.used, self.clusters, self.block, self.together)

    def wiggle_of(self, rest: Array) -> tuple[Array, Array, float]:
        """What all fibers share of a rest; see `common_wiggle`."""
        floor = self.state.floor**2 / self.state.parts
        return common_wiggle(rest, self.error, self.used, self.clusters, floor, self.together)

    def _sum(self, chosen: list[int], amplitudes: Array) -> NDArray[np.float64]:
        out = np.zeros(self.offset.shape)
        for i, amplitude in zip(chosen, amplitudes):
            out += amplitude * self.state.shapes[i].value
        return out


def _explained(seen: _Seen, sigmas: float, tolerance: float) -> tuple[list[int], NDArray[np.float64], float]:
    """The patterns of the model, the map of what is of no known shape, px, and its significance."""
    chosen, odd = _settled(seen, sigmas)
    none = np.zeros(seen.offset.shape)
    if odd or _stands_out(seen.left(chosen), tolerance):
        blocks = _blocks(seen, [*chosen, *odd], sigmas, tolerance)
        rest = seen.left(chosen, seen.shared(chosen))
        if blocks:
            chosen, odd = blocks, []
        elif all(along_only(seen.state.shapes[i]) for i in odd) and not _stands_out(rest, tolerance):
            odd = []
        else:
            return _mapped(seen, chosen, odd)
    other = seen.is_other(chosen, tolerance) or seen.bends(chosen, tolerance)
    return _mapped(seen, chosen, odd) if other else (chosen, none, 0.0)


def _mapped(seen: _Seen, chosen: list[int], odd: list[int]) -> tuple[list[int], NDArray[np.float64], float]:
    """Patterns that stand beside an error of no known shape, its map, and its significance."""
    kept = telling(seen.state, chosen)
    smooth = seen.model([*chosen, *odd])
    rest, err = map_of(seen.offset - smooth, seen.error, seen.used, seen.block)
    beta, sigma = seen.state.solve([*kept, *odd])
    pull = np.abs(beta / sigma)[len(kept) :] if odd else np.abs(rest) / max(err, 1e-9)
    return kept, smooth - seen.model(kept) + rest, float(pull.max())


def _settled(seen: _Seen, sigmas: float) -> tuple[list[int], list[int]]:
    """The patterns of the model and the terms of no known shape beside them."""
    state = seen.state
    chosen = choose(state, sigmas)
    chosen, odd = smooth_instead(state, chosen, odd_terms(state, chosen, sigmas), sigmas)
    state.parts = max(INDEPENDENT * float(seen.used.any(axis=1).mean()), 1.0)
    for _ in range(2):  # the floor depends on what is taken out, and the other way round
        seen.take_misfit([*chosen, *odd])
        chosen = choose(state, sigmas)
        chosen, odd = smooth_instead(state, chosen, odd_terms(state, chosen, sigmas), sigmas)
    return chosen, odd


def _blocks(seen: _Seen, otherwise: list[int], sigmas: float, tolerance: float) -> list[int]:
    """The model in which every block has a shift of its own, where that leaves nothing; else none."""
    state = seen.state
    floor = state.floor
    whole = [*range(state.nnamed, len(state.shapes)), *state.blocks]
    seen.take_floor(whole, state.amplitudes(whole))
    chosen = every_block(state, otherwise, sigmas)
    if chosen and not _stands_out(seen.left(chosen), tolerance) and not seen.goes_on(chosen):
        return chosen
    state.floor = floor
    state.refer_to([i for i in otherwise if i in state.blocks])
    return []


def _stands_out(left: tuple[float, float, float], tolerance: float) -> bool:
    """Whether what the patterns leave is more than noise and the misfit of profiles."""
    rms, pull, largest = left
    return pull > LEFT_SIGMA and (rms > tolerance or largest > LEFT_PEAK * tolerance)

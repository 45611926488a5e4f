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

from ifuview.engine.traces.doctor.patterns.choose import choose, odd_terms, telling
from ifuview.engine.traces.doctor.patterns.equations import INDEPENDENT, Equations, sound
from ifuview.engine.traces.doctor.patterns.left import common_wiggle, leftover, map_of, model_floor
from ifuview.engine.traces.doctor.patterns.shapes import Pattern, clusters_of
from ifuview.model.checks import Array

TOLERANCE = 0.015  # px; the misfit of real profiles leaves up to 0.008
LEFT_SIGMA = 6.0
LEFT_PEAK = 4.0  # tolerances; largest mean of four coarse bins


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
    """
    usable = usable & np.isfinite(offset) & np.isfinite(error) & (error > 0)
    empty = np.zeros(offset.shape)
    if usable.sum() < 3:
        wiggle = np.full(offset.shape[1], np.nan)
        return ModeFit((), empty, usable, wiggle, wiggle, np.nan, 0, np.nan, np.nan)
    smooth = smooth or []
    every = [*shapes, *smooth]
    clusters = clusters_of(block)
    used = sound(offset, error, usable, every)
    state = Equations(offset, error, used, every, clusters, len(shapes))
    chosen = choose(state, sigmas)
    odd = odd_terms(state, chosen, sigmas)
    for _ in range(2):  # the floor depends on what is taken out, and the other way round
        rest = offset - _model(every, [*chosen, *odd], state.solve([*chosen, *odd])[0], offset.shape)
        state.floor, state.floor_err = model_floor(rest, error, used, clusters)
        state.parts = max(INDEPENDENT * float(used.any(axis=1).mean()), 1.0)
        chosen = choose(state, sigmas)
        odd = odd_terms(state, chosen, sigmas)
    model = _model(every, chosen, state.solve(chosen)[0], offset.shape)
    rms, pull, largest = leftover(offset - model, error, used, clusters)
    unknown = np.zeros(offset.shape)
    if odd or (pull > LEFT_SIGMA and (rms > tolerance or largest > LEFT_PEAK * tolerance)):
        chosen = telling(state, chosen)
        model = _model(every, chosen, state.solve(chosen)[0], offset.shape)
        unknown = map_of(offset - model, error, used, clusters)
    beta, sigma = state.solve(chosen)
    tests = [Test(shapes[i], float(b), float(s), True) for i, b, s in zip(chosen, beta, sigma)]
    for i, shape in enumerate(shapes):
        if i in chosen or any(shape.name == shapes[j].name and shape.name != "block_shift" for j in chosen):
            continue
        amplitude, err = state.solve([*chosen, i])
        tests.append(Test(shape, float(amplitude[-1]), float(err[-1]), False))
    wiggle, err, chi2 = common_wiggle(offset - model - unknown, error, used, clusters, state.floor**2 / state.parts)
    dof = int(np.isfinite(wiggle).sum()) - len({shapes[i].name for i in chosen} - {"block_shift", "scale"})
    odd_beta, odd_sigma = state.solve([*chosen, *odd])
    odd_pull = float(np.max(np.abs(odd_beta / odd_sigma)[len(chosen) :], initial=0))
    return ModeFit(
        tuple(tests), model + unknown, used, wiggle, err, chi2, max(dof, 0), state.floor, state.floor_err, unknown,
        odd_pull if odd else pull if unknown.any() else 0.0, rms,
    )  # fmt: skip


def _model(shapes: list[Pattern], chosen: list[int], beta: Array, size: tuple[int, int]) -> NDArray[np.float64]:
    """Sum of the chosen patterns."""
    out = np.zeros(size)
    for i, b in zip(chosen, beta):
        out += b * shapes[i].value
    return out

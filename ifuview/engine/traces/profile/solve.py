"""Steps of the shape, of the background and of each fiber's center and width, from their normal equations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.traces.profile.frame import CENTER_DEGREE, WIDTH_DEGREE, Frame
from ifuview.engine.traces.profile.splines import PER_WIDTH, Basis
from ifuview.model.checks import Array

PRIOR_CORE, PRIOR_WING = 1.0, 0.3  # density that may be added to the Gaussian in the core and, falling, in the wings
PRIOR_CENTER, PRIOR_WIDTH = 0.1, 0.03  # px, and of the width: what single fibers may differ by from what is given
NORMED = 1e3  # weight of the condition that the light of a profile is one, against the largest weight of the data
YY, YS, SS, Y, S = range(5)  # sums of a fiber: normal equations of center and width, and right sides


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Equations of each part of the columns; see `equations.accumulate`."""

    shape: NDArray[np.float64]
    mixed: NDArray[np.float64]
    side: NDArray[np.float64]
    ground: NDArray[np.float64]
    ground_side: NDArray[np.float64]
    fiber: NDArray[np.float64]
    tally: NDArray[np.float64]


def empty_sums(frame: Frame, ngroup: int) -> Sums:
    """Return sums to be added to."""
    n, nspline, nground = len(frame.parts), frame.pieces.spline.shape[0], frame.node.size
    return Sums(
        shape=np.zeros((n, ngroup, nspline, nspline)),
        mixed=np.zeros((n, ngroup, nspline, nground)),
        side=np.zeros((n, ngroup, nspline)),
        ground=np.zeros((n, nground, nground)),
        ground_side=np.zeros((n, nground)),
        fiber=np.zeros((n, frame.center.shape[1], 5)),
        tally=np.zeros((n, 3)),
    )


def ground_step(frame: Frame, sums: Sums, level: Array) -> NDArray[np.float64]:
    """Return what is missing from the background `level`, (ndegree, nnode)."""
    matrix, side = _ground_matrix(frame, sums, level)
    return np.asarray(np.linalg.solve(matrix, side).reshape(-1, frame.node.size))


def shape_step(
    frame: Frame, sums: Sums, added: Array, freedom: float, level: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return steps of the shape, like `added`, and of the background, (ndegree, nnode), and how far they are to go.

    The latter is the mean square step of the parameters in units of their errors.

    Parameters
    ----------
    frame, sums :
        The equations.
    added : ndarray, shape (ngroup, ndegree, nspline)
        What the coefficients have beyond those that they are drawn to.
    freedom : float
        Share of the prior that they may differ by.
    level : ndarray, shape (ndegree, nnode), counts
        The background so far.
    """
    ngroup, ndegree, nspline = added.shape
    at = frame.middles()
    along, ground_along = frame.legendre[at], frame.ground_legendre[at]
    size = ndegree * nspline
    whole = np.tril(sums.shape) + np.swapaxes(np.tril(sums.shape, -1), -1, -2)
    normal = np.einsum("bm,bn,bgij->gminj", along, along, whole).reshape(ngroup, size, size)
    mixed = np.einsum("bm,bn,bgij->gminj", along, ground_along, sums.mixed).reshape(ngroup, size, -1)
    side = np.einsum("bm,bgi->gmi", along, sums.side).reshape(ngroup, size)
    prior = 1 / np.tile(freedom * _prior(frame.pieces), ndegree) ** 2
    side -= prior * added.reshape(ngroup, size)
    one = np.kron(np.eye(ndegree), np.ones((nspline, nspline)))
    top = np.einsum("gii->gi", normal).max(axis=1)
    normal += np.diag(prior) + (NORMED * (1 + top))[:, None, None] * one
    matrix, pull = _ground_matrix(frame, sums, level)
    solved = np.linalg.solve(normal, np.concatenate([side[..., None], mixed], axis=2))
    matrix = matrix - np.einsum("gij,gik->jk", mixed, solved[..., 1:])
    right = pull - np.einsum("gij,gi->j", mixed, solved[..., 0])
    rise = np.linalg.solve(matrix, right)
    step = solved[..., 0] - solved[..., 1:] @ rise
    far = float(np.sum(step * side) + rise @ pull) / (step.size + rise.size)
    return np.asarray(step.reshape(added.shape)), np.asarray(rise.reshape(-1, frame.node.size)), far


def fiber_step(
    frame: Frame, sums: Sums, center: Array, width: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return steps of the centers and widths of all fibers as Legendre coefficients, and how far they are to go.

    What a group has in common belongs to its shape and is left out.

    Parameters
    ----------
    frame, sums :
        The equations.
    center : ndarray, shape (nfiber, CENTER_DEGREE + 1), px
        What was added to the centers so far.
    width : ndarray, shape (nfiber, WIDTH_DEGREE + 1)
        Likewise to the widths, as a share of them.
    """
    along = frame.fiber_legendre[frame.middles()]
    at, nfiber = (along[:, : CENTER_DEGREE + 1], along[:, : WIDTH_DEGREE + 1]), center.shape[0]
    n, size = CENTER_DEGREE + 1, CENTER_DEGREE + WIDTH_DEGREE + 2
    normal, side = np.zeros((nfiber, size, size)), np.zeros((nfiber, size))
    normal[:, :n, :n] = np.einsum("bk,bi,bj->kij", sums.fiber[..., YY], at[0], at[0])
    normal[:, :n, n:] = np.einsum("bk,bi,bj->kij", sums.fiber[..., YS], at[0], at[1])
    normal[:, n:, :n] = np.swapaxes(normal[:, :n, n:], 1, 2)
    normal[:, n:, n:] = np.einsum("bk,bi,bj->kij", sums.fiber[..., SS], at[1], at[1])
    side[:, :n] = np.einsum("bk,bi->ki", sums.fiber[..., Y], at[0])
    side[:, n:] = np.einsum("bk,bi->ki", sums.fiber[..., S], at[1])
    prior = np.repeat([PRIOR_CENTER**-2.0, PRIOR_WIDTH**-2.0], [n, size - n])
    side -= prior * np.concatenate([center, width], axis=1)
    step = np.linalg.solve(normal + np.diag(prior), side[..., None])[..., 0]
    common = min(frame.legendre.shape[1], n)
    for g in range(int(frame.group.max()) + 1):
        of = frame.group == g
        step[of, :common] -= step[of, :common].mean(axis=0)
        step[of, n : n + common] -= step[of, n : n + common].mean(axis=0)
    return np.asarray(step[:, :n]), np.asarray(step[:, n:]), float(np.mean(step * side))


def _ground_matrix(frame: Frame, sums: Sums, level: Array) -> tuple[Array, Array]:
    """Equations of the background, (ndegree nnode) each way, and their right side; drawn to zero as far as known."""
    along = frame.ground_legendre[frame.middles()]
    size = along.shape[1] * frame.node.size
    matrix = np.einsum("bm,bn,bij->minj", along, along, sums.ground).reshape(size, size)
    prior = frame.ground_error**-2.0
    side = np.einsum("bm,bi->mi", along, sums.ground_side).reshape(size) - prior * level.ravel()
    matrix[np.diag_indices_from(matrix)] += prior
    return matrix + 1e-9 * (1 + matrix.diagonal().max()) * np.eye(size), side


def _prior(pieces: Basis) -> Array:
    """What may be added to the Gaussian at each spline where the light says nothing: 1 sigma of its coefficient."""
    u = np.abs(pieces.middle)
    span = (pieces.end - pieces.begin) / PER_WIDTH / 4  # from density to coefficient: width of a spline
    return np.asarray(span * (PRIOR_CORE * np.exp(-0.5 * u**2) + PRIOR_WING / (1 + u**2) ** 1.5))

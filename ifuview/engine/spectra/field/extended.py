"""An extended source: a smooth elliptical profile with a core, for light that reaches most of the field.

I = exp(-((r2 + core2) / scale2)^(1 / (2 n))) of elliptical radius r: Sersic (1963) with a core that stands for seeing
and lenslet. Fitted together with a plane: the sky under it, with its gradient over the field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.errors import FitError
from ifuview.model.checks import Array

FLOOR = 0.05  # of the light in a fiber, that the profile does not describe
LEAST_FIBERS = 30
SCALE = (0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2)  # of the parameters
RANGE = ((0.05, 20.0), (0.1, 1.5), (0.8, 5.0))  # scale and core in arcsec, n: what galaxies and seeing have


@dataclass(frozen=True, slots=True, eq=False)
class ExtendedFit:
    """Profile of an extended source.

    Parameters
    ----------
    x, y : float, arcsec
    axis_ratio : float
    angle : float, rad
        Of the long axis, from x to y.
    scale, core : float, arcsec
    n : float
    share : ndarray, shape (nfiber,)
        Light in each fiber; the sum is one.
    constant, constant_error : float
        In the unit of the levels fitted: mean of the plane, which is the light that all fibers have in common.
    plane : ndarray, shape (nfiber,)
        Its value in each fiber.
    amplitude : float
        Sum of the source's light over the fibers.
    """

    x: float
    y: float
    axis_ratio: float
    angle: float
    scale: float
    core: float
    n: float
    share: NDArray[np.float64]
    constant: float
    constant_error: float
    plane: NDArray[np.float64]
    amplitude: float


def fit_extended(level: Array, error: Array, lenslets: Lenslets) -> ExtendedFit:
    """Fit the profile to the fibers' light.

    Parameters
    ----------
    level, error : ndarray, shape (nfiber,)
        NaN where unknown.

    Raises
    ------
    FitError
        Fewer than thirty fibers are known.
    """
    known = np.isfinite(level) & (error > 0)
    if known.sum() < LEAST_FIBERS:
        raise FitError("fewer than thirty fibers for the profile of an extended source")
    x, y = lenslets.x, lenslets.y
    weight = np.clip(level - np.nanmin(level[known]), 0, None) ** 2 * known
    weight = np.nan_to_num(weight)
    cx, cy = (weight @ x) / weight.sum(), (weight @ y) / weight.sum()
    sigma = np.hypot(error, FLOOR * np.clip(level - np.nanpercentile(level[known], 5), 0, None))

    def residual(p: Array) -> NDArray[np.float64]:
        return ((_solved(p, level, sigma, known, x, y)[0] - level) / sigma)[known]

    low = [cx - 2, cy - 2, np.log(0.15), -np.inf, *(np.log(r[0]) for r in RANGE)]
    high = [cx + 2, cy + 2, 0.0, np.inf, *(np.log(r[1]) for r in RANGE)]
    best = None
    for angle in (0.2, 1.0, 1.8, 2.6):
        start = [cx, cy, np.log(0.7), angle, np.log(1.5), np.log(0.8), 0.0]
        found = least_squares(residual, start, bounds=(low, high), max_nfev=60, x_scale=SCALE)
        best = found if best is None or found.cost < best.cost else best
    assert best is not None
    p = best.x
    _, amplitude, plane, shape = _solved(p, level, sigma, known, x, y)
    wrong = _constant_error(best.jac, sigma[known], np.stack([shape, x, y], axis=1)[known])
    return ExtendedFit(
        x=float(p[0]), y=float(p[1]), axis_ratio=float(np.exp(p[2])), angle=float(p[3] % np.pi),
        scale=float(np.exp(p[4])), core=float(np.exp(p[5])), n=float(np.exp(p[6])), share=shape / shape.sum(),
        constant=float(plane.mean()), constant_error=wrong, plane=plane, amplitude=float(amplitude * shape.sum()),
    )  # fmt: skip


def _shape(p: Array, x: Array, y: Array) -> NDArray[np.float64]:
    c, s = np.cos(p[3]), np.sin(p[3])
    along, across = (x - p[0]) * c + (y - p[1]) * s, (-(x - p[0]) * s + (y - p[1]) * c) / np.exp(p[2])
    square = (along**2 + across**2 + np.exp(2 * p[5])) / np.exp(2 * p[4])
    return np.exp(-(square ** (0.5 / np.exp(p[6]))))


def _solved(
    p: Array, level: Array, sigma: Array, known: Array, x: Array, y: Array
) -> tuple[NDArray[np.float64], float, NDArray[np.float64], NDArray[np.float64]]:
    """Model, amplitude, plane and shape, the linear ones solved for."""
    shape = _shape(p, x, y)
    terms = np.stack([shape, np.ones(x.size), x, y], axis=1)
    by = np.where(known, sigma, 1.0)
    found = np.linalg.lstsq(terms[known] / by[known, None], (level / by)[known], rcond=None)[0]
    plane = terms[:, 1:] @ found[1:]
    return found[0] * shape + plane, float(found[0]), plane, shape


def _constant_error(jac: Array, sigma: Array, linear: Array) -> float:
    """Error of the constant with all others free."""
    design = np.column_stack([1 / sigma, linear / sigma[:, None], jac])
    return float(np.sqrt(np.linalg.pinv(design.T @ design)[0, 0]))

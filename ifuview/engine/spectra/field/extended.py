"""An extended source: a smooth elliptical profile with a core, for light that reaches most of the field.

I = exp(-((r2 + core2) / scale2)^(1 / (2 n))) of elliptical radius r: Sersic (1963) with a core that stands for seeing
and lenslet. Fitted together with a plane: the sky under it, with its gradient over the field. No fiber shows the sky
alone, so that it is only as right as the profile: in the end the core gives way to a real blur by seeing (Moffat) and
lenslet, as galaxies are fitted (GALFIT; Peng et al. 2002), without which the sky comes out brighter by some percent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.optimize import least_squares
from scipy.signal import fftconvolve

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.errors import FitError
from ifuview.model.checks import Array

FLOOR = 0.05  # of the light in a fiber, that the profile does not describe
LEAST_FIBERS = 30
SCALE = (0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2)  # of the parameters
STEP, ROOM = 0.2, 4.0  # arcsec, of the picture that is blurred, and beyond the outermost fibers
BETA = 3.5  # Moffat exponent of the seeing
SEEING, SHARPEST = (0.7, 3.5), 0.5  # arcsec, FWHM; least n
UNLIKE = (0.01, 0.1)  # of the light in a fiber, that a galaxy may differ from its profile by: at least, and at most
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

    @property
    def doubt(self) -> float:
        """How well the sky below is known, over the mean light of the source."""
        return self.constant_error * self.share.size / self.amplitude if self.amplitude > 0 else np.inf


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
        return ((_solved(_shape(p, x, y), level, sigma, known, x, y)[0] - level) / sigma)[known]

    low = [cx - 2, cy - 2, np.log(0.15), -np.inf, *(np.log(r[0]) for r in RANGE)]
    high = [cx + 2, cy + 2, 0.0, np.inf, *(np.log(r[1]) for r in RANGE)]
    best = None
    for angle in (0.2, 1.0, 1.8, 2.6):
        start = [cx, cy, np.log(0.7), angle, np.log(1.5), np.log(0.8), 0.0]
        found = least_squares(residual, start, bounds=(low, high), max_nfev=60, x_scale=SCALE)
        best = found if best is None or found.cost < best.cost else best
    assert best is not None
    shape = _shape(best.x, x, y)
    return _fit_of(best.x, best.jac, shape, _solved(shape, level, sigma, known, x, y), sigma, known, x, y)


def with_seeing(
    rough: ExtendedFit, level: Array, error: Array, lenslets: Lenslets, ctx: JobContext = SILENT
) -> ExtendedFit:
    """Fit a profile blurred by seeing and lenslet, from a fit that is nearly right; `core` is then the seeing (FWHM).

    Fibers count as far as the galaxy is like the profile. How much the sky depends on that it is like it in its middle,
    too, is told by the fainter half of the fibers alone, and is in `constant_error`.

    Parameters
    ----------
    rough : ExtendedFit
        Of `fit_extended` with the same light, which is returned where a blurred profile is no better.
    level, error, lenslets
        As there.
    ctx : JobContext, optional
    """
    x, y = lenslets.x, lenslets.y
    known = np.isfinite(level) & (error > 0)
    blurred = _blurred(lenslets)
    light = np.clip(level - rough.plane, 0, None)
    outer = known & (light <= np.median(light[known]))
    core = np.clip(rough.core, 1.1 * SEEING[0], 0.9 * SEEING[1])
    start = [rough.x, rough.y, *np.log([rough.axis_ratio]), rough.angle, *np.log([rough.scale, core, rough.n])]
    low = [rough.x - 1, rough.y - 1, np.log(0.15), -np.inf, *np.log([RANGE[0][0], SEEING[0], SHARPEST])]
    high = [rough.x + 1, rough.y + 1, 0.01, np.inf, *np.log([RANGE[0][1], SEEING[1], RANGE[2][1]])]

    def fitted(start: Array, sigma: Array, use: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        def residual(p: Array) -> NDArray[np.float64]:
            ctx.check()
            return ((_solved(blurred(p), level, sigma, use, x, y)[0] - level) / sigma)[use]

        found = least_squares(residual, start, bounds=(low, high), max_nfev=30, x_scale=SCALE)
        return found.x, found.jac

    sigma = np.hypot(error, FLOOR * light)
    p = fitted(np.array(start), sigma, known)[0]
    off = _solved(blurred(p), level, sigma, known, x, y)[0] - level
    before = rough.amplitude * rough.share + rough.plane - level
    if np.sum((off / sigma)[known] ** 2) >= np.sum((before / sigma)[known] ** 2):
        return rough
    inner = known & ~outer
    sigma = np.hypot(error, np.clip(robust_sigma(off[inner] / light[inner]), *UNLIKE) * light)
    p, jac = fitted(p, sigma, known)
    shape = blurred(p)
    found = _fit_of(p, jac, shape, _solved(shape, level, sigma, known, x, y), sigma, known, x, y)
    other = _solved(blurred(fitted(p, sigma, outer)[0]), level, sigma, outer, x, y)[2].mean()
    return replace(found, constant_error=float(np.hypot(found.constant_error, other - found.constant)))


def _fit_of(
    p: Array,
    jac: Array,
    shape: Array,
    solved: tuple[Array, float, Array],
    sigma: Array,
    known: Array,
    x: Array,
    y: Array,
) -> ExtendedFit:
    """Parameters and their model as a result."""
    _, amplitude, plane = solved
    wrong = _constant_error(jac, sigma[known], np.stack([shape, x, y], axis=1)[known])
    return ExtendedFit(
        x=float(p[0]), y=float(p[1]), axis_ratio=float(np.exp(p[2])), angle=float(p[3] % np.pi),
        scale=float(np.exp(p[4])), core=float(np.exp(p[5])), n=float(np.exp(p[6])), share=shape / shape.sum(),
        constant=float(plane.mean()), constant_error=wrong, plane=plane, amplitude=float(amplitude * shape.sum()),
    )  # fmt: skip


def _blurred(lenslets: Lenslets) -> Callable[[Array], NDArray[np.float64]]:
    """Light in each fiber of a profile through seeing and lenslets, by its parameters: a picture is blurred."""
    x, y = lenslets.x, lenslets.y
    across, up = (np.arange(v.min() - ROOM, v.max() + ROOM + STEP, STEP) for v in (x, y))
    picture = np.meshgrid(across, up)
    at = np.stack([(y - up[0]) / STEP, (x - across[0]) / STEP])
    reach = np.arange(-round(ROOM / STEP), round(ROOM / STEP) + 1) * STEP
    radius = np.hypot(*np.meshgrid(reach, reach))
    face = np.clip((lenslets.size / 2 - np.abs(reach)) / STEP + 0.5, 0, 1)
    face = face[:, None] * face / face.sum() ** 2

    def light(p: Array) -> NDArray[np.float64]:
        width = np.exp(p[5]) / 2 / np.sqrt(2 ** (1 / BETA) - 1)
        seeing = (1 + (radius / width) ** 2) ** -BETA
        kernel = fftconvolve(seeing / seeing.sum(), face, mode="same")
        sharp = np.array(p)
        sharp[5] = np.log(STEP / 2)  # within a pixel of the picture
        return np.asarray(map_coordinates(fftconvolve(_shape(sharp, *picture), kernel, mode="same"), at, order=3))

    return light


def _shape(p: Array, x: Array, y: Array) -> NDArray[np.float64]:
    c, s = np.cos(p[3]), np.sin(p[3])
    along, across = (x - p[0]) * c + (y - p[1]) * s, (-(x - p[0]) * s + (y - p[1]) * c) / np.exp(p[2])
    square = (along**2 + across**2 + np.exp(2 * p[5])) / np.exp(2 * p[4])
    return np.exp(-(square ** (0.5 / np.exp(p[6]))))


def _solved(
    shape: Array, level: Array, sigma: Array, known: Array, x: Array, y: Array
) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """Model, amplitude and plane, solved for a shape."""
    terms = np.stack([shape, np.ones(x.size), x, y], axis=1)
    by = np.where(known, sigma, 1.0)
    found = np.linalg.lstsq(terms[known] / by[known, None], (level / by)[known], rcond=None)[0]
    plane = terms[:, 1:] @ found[1:]
    return found[0] * shape + plane, float(found[0]), plane


def _constant_error(jac: Array, sigma: Array, linear: Array) -> float:
    """Error of the constant with all others free."""
    design = np.column_stack([1 / sigma, linear / sigma[:, None], jac])
    return float(np.sqrt(np.linalg.pinv(design.T @ design)[0, 0]))

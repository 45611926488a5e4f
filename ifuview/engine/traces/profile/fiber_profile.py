"""The profile of all fibers of a detector, as one value that extraction and models of an image take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.traces.profile.splines import PER_WIDTH, STIFF, Basis, Knots, basis
from ifuview.model.checks import Array


@dataclass(frozen=True, slots=True, eq=False)
class FiberProfile:
    """Shape of the light of each fiber across dispersion, along all columns.

    The light of fiber k on the pixel at row r is the integral over that pixel of a density of u = (r - center) /
    width: a Gaussian plus splines, the same for a group of neighboring fibers, smooth along dispersion. It is
    0 beyond `reach` widths and sums to 1.

    Parameters
    ----------
    width : ndarray, shape (nfiber, ncol), px
        Scale of each fiber; the Gaussian sigma where the shape is a Gaussian. NaN: no such fiber.
    offset : ndarray, shape (nfiber, ncol), px
        To be added to the centers of the traces that the profile was measured about.
    group : ndarray of intp, shape (nfiber,)
        Fibers of one number share a shape.
    coeff : ndarray, shape (ngroup, ndegree, nspline)
        Weight of each spline as Legendre coefficients along columns; all 0 is the Gaussian.
    reach : float, widths
    background : ndarray of float32, shape (nrow, ncol), counts
        Light that belongs to no fiber in the image that the profile was measured on.
    chi2 : float
        Chi2 per degree of freedom of that image, once the profile is settled; NaN if none was fitted.
    rounds : int
        Rounds that it took.
    knots : Knots
        Of the splines.
    """

    width: NDArray[np.float64]
    offset: NDArray[np.float64]
    group: NDArray[np.intp]
    coeff: NDArray[np.float64]
    reach: float
    background: NDArray[np.float32]
    chi2: float = math.nan
    rounds: int = 0
    knots: Knots = STIFF

    @property
    def half_rows(self) -> int:
        """Rows on each side of a fiber that get light."""
        widest = float(np.nanmax(self.width, initial=1.0))
        return math.ceil(self.reach * widest + 0.5)

    def tables(self) -> NDArray[np.float64]:
        """Integral of the density and its slope at the nodes of `splines.basis`, as Legendre coefficients.

        Returns
        -------
        ndarray, shape (ngroup, ndegree, nnode, 2)
        """
        return tables(basis(self.reach, self.knots), self.coeff)

    def legendre(self) -> NDArray[np.float64]:
        """Value of each Legendre polynomial at each column, shape (ncol, ndegree)."""
        return legendre(self.width.shape[1], self.coeff.shape[1])

    def density(self, group: int, column: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distance from the center in widths and density there, of one group at one column."""
        u = np.linspace(-1, 1, self.width.shape[1]) if self.width.shape[1] > 1 else np.zeros(1)
        at = np.interp(column, np.arange(u.size), u)
        weight = np.polynomial.legendre.legvander(np.array([at]), self.coeff.shape[1] - 1)[0]
        slope = np.einsum("m,mn->n", weight, self.tables()[group, ..., 1])
        node = np.linspace(-self.reach, self.reach, slope.size)
        return node, slope * PER_WIDTH


def legendre(ncol: int, count: int) -> NDArray[np.float64]:
    """The first Legendre polynomials over the columns, shape (ncol, count)."""
    u = np.linspace(-1, 1, ncol) if ncol > 1 else np.zeros(1)
    return np.ascontiguousarray(np.polynomial.legendre.legvander(u, count - 1))


def tables(pieces: Basis, coeff: Array) -> NDArray[np.float64]:
    """Tables of the Gaussian plus splines with coefficients (ngroup, ndegree, nspline)."""
    out = np.einsum("gmj,jnc->gmnc", coeff, pieces.spline)
    out[:, 0] += pieces.gaussian
    return np.ascontiguousarray(out)


def gaussian_profile(width: Array, nrow: int, reach: float = 6.0) -> FiberProfile:
    """Return the profile of Gaussians of known width.

    Parameters
    ----------
    width : ndarray, shape (nfiber, ncol), px
    nrow : int
        Of the image.
    reach : float, widths
    """
    width = np.asarray(width, np.float64)
    pieces = basis(reach)
    coeff = np.zeros((1, 1, pieces.spline.shape[0]))
    ground = np.zeros((nrow, width.shape[1]), np.float32)
    return FiberProfile(width, np.zeros_like(width), np.zeros(width.shape[0], np.intp), coeff, pieces.reach, ground)

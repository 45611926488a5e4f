"""Polynomials in pixels, one a row of a table: FUNC (kind), COEFF and, not needed to evaluate them, XMIN and XMAX."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.dataset import Table

FUNCTION, COEFFICIENTS = "FUNC", "COEFF"


def polynomials(table: Table, size: int) -> Array | None:
    """Value of each row's polynomial at pixels 0 to size - 1.

    Returns
    -------
    ndarray, shape (nrow, size), or None
        None if the table holds no polynomials; a row of an unknown kind is NaN.
    """
    from numpy.polynomial import chebyshev, legendre, polynomial

    values = {"poly": polynomial.polyval, "legendre": legendre.legval, "chebyshev": chebyshev.chebval}
    columns = {name.upper(): value for name, value in table.columns.items()}
    coefficients = columns.get(COEFFICIENTS)
    if coefficients is None or coefficients.ndim != 2 or coefficients.dtype.kind != "f":
        return None
    count = len(coefficients)
    kinds = [str(kind).strip().lower() for kind in columns.get(FUNCTION, np.full(count, "poly")).tolist()]
    pixel = np.arange(size, dtype=np.float64)
    out = np.full((count, size), np.nan)
    for kind, value in values.items():
        rows = [row for row, word in enumerate(kinds) if word.startswith(kind)]
        if rows:
            out[rows] = value(pixel, coefficients[rows].astype(np.float64).T)
    return out

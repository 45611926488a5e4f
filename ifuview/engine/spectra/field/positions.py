"""Where fibers lie on the sky: a tangent projection about the center of the focal plane.

Focal-plane coordinates swap the axes of an IFU: focal x = y of its slot + x of the fiber, focal y = x of its slot + y.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.errors import UsageError
from ifuview.model.checks import Array

HOUR = 15.0  # deg


def focal_place(x: Array, y: Array, slot_x: float, slot_y: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Focal-plane coordinates (arcsec) of fibers at x, y of an IFU whose slot is at slot_x, slot_y in the table."""
    return np.asarray(x) + slot_y, np.asarray(y) + slot_x


def sky_place(
    focal_x: Array, focal_y: Array, ra_hours: float, dec: float, turn: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right ascension and declination (deg) of places on the focal plane.

    Parameters
    ----------
    focal_x, focal_y : ndarray, arcsec
    ra_hours : float, hours
        Of the center, as headers of the telescope give it.
    dec : float, deg
    turn : float, deg
        Rotation of the PC matrix [[cos, sin], [-sin, cos]] with CDELT (-1", 1").

    Raises
    ------
    UsageError
        The center is no place on the sky.
    """
    if not (0 <= ra_hours < 24 and -90 <= dec <= 90):
        raise UsageError(f"RA {ra_hours} h, Dec {dec} deg is no place on the sky")
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    x, y = np.asarray(focal_x, np.float64), np.asarray(focal_y, np.float64)
    xi = np.radians(-(c * x + s * y) / 3600)
    eta = np.radians((-s * x + c * y) / 3600)
    ra0, dec0 = np.radians(ra_hours * HOUR), np.radians(dec)
    bottom = np.cos(dec0) - eta * np.sin(dec0)
    ra = ra0 + np.arctan2(xi, bottom)
    out = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, bottom))
    return np.degrees(ra) % 360.0, np.degrees(out)


def position_table(
    x: Array, y: Array, slot: tuple[float, float] | None, center: tuple[float, float] | None, turn: float
) -> NDArray[np.float64]:
    """Positions of fibers in the IFU, on the focal plane and on the sky.

    Parameters
    ----------
    x, y : ndarray, shape (nfiber,), arcsec
        In the IFU.
    slot : tuple of float or None, arcsec
        Where the IFU's slot is in the focal-plane table; None: not known.
    center : tuple of float or None
        Right ascension (hours) and declination (deg) of the focal plane's center; None: not known.
    turn : float, deg
        As in `sky_place`.

    Returns
    -------
    ndarray, shape (nfiber, 6)
        x, y, focal x, focal y (arcsec), right ascension, declination (deg); NaN unknown.
    """
    out = np.full((np.size(x), 6), np.nan)
    out[:, 0], out[:, 1] = x, y
    if slot is not None:
        out[:, 2], out[:, 3] = focal_place(out[:, 0], out[:, 1], *slot)
        if center is not None:
            out[:, 4], out[:, 5] = sky_place(out[:, 2], out[:, 3], *center, turn)
    return out

"""Where the selected fiber points on the sky, as text and as the address of a sky viewer."""

from __future__ import annotations

import math

from ifuview.app.frames import joined
from ifuview.app.session import Session

COLUMNS = (("TARGET_RA", "TARGET_DEC"), ("MEAN_FIBER_RA", "MEAN_FIBER_DEC"))  # of joined tables
VIEWER = "https://www.legacysurvey.org/viewer?ra={ra:.6f}&dec={dec:.6f}&layer=ls-dr9&zoom=15&mark={ra:.6f},{dec:.6f}"


def position(session: Session) -> tuple[float, float] | None:
    """Right ascension and declination of the selected fiber in degrees; None where they are not known."""
    slot, fiber = session.slot(), session.selection.fiber
    if slot is None or fiber is None:
        return None
    fibermap = joined.fibermap_of(slot)
    if fibermap is not None and fibermap.ra is not None and fibermap.dec is not None and 0 <= fiber < fibermap.nfiber:
        return _known(float(fibermap.ra[fiber]), float(fibermap.dec[fiber]))
    for names in COLUMNS:
        ra, dec = (joined.value(session, slot, fiber, name) for name in names)
        if isinstance(ra, float) and isinstance(dec, float):
            return _known(ra, dec)
    return None


def text(place: tuple[float, float]) -> str:
    """The position as it is copied: degrees."""
    return f"{place[0]:.6f} {place[1]:.6f}"


def address(place: tuple[float, float]) -> str:
    """Page of the sky viewer."""
    return VIEWER.format(ra=place[0], dec=place[1])


def _known(ra: float, dec: float) -> tuple[float, float] | None:
    """The position if it is one."""
    good = math.isfinite(ra) and math.isfinite(dec) and -90 <= dec <= 90
    return (ra, dec) if good else None

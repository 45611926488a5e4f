"""Pixels of an image to the sky and back, by all that its header asks for.

A plain TAN projection is arithmetic (`worldpos.Tangent`). For anything else (SIP and other polynomials, other
projections and poles, axes that are listed in tables, tables of distortions) astropy.wcs is asked itself, so that the
read-out has no error of its own: one position takes microseconds once the map is made, which a task does.
"""

from __future__ import annotations

import copy
import math
import warnings
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.sky import worldpos
from ifuview.app.frames.sky.worldpos import SYSTEMS, Tangent
from ifuview.errors import FileFormatError
from ifuview.model.checks import Array, Header
from ifuview.model.image import Image

if TYPE_CHECKING:
    from astropy.coordinates import BaseCoordinateFrame
    from astropy.io.fits import Header as FitsHeader
    from astropy.wcs import WCS

LOOKUPS = ("CPDIS", "D2IMDIS")  # distortions that are listed in tables
SAMPLES = 5  # positions along each axis that tell how the axes of an image are turned against ICRS
MOST_COLUMNS = 999  # of a table, FITS standard 4.0, section 7.3.1
NEAR = 0.5  # px, half the step of derivatives
Point = tuple[float, float]
NOTHING: Array = np.eye(3)


@dataclass(frozen=True, slots=True, eq=False)
class SkyMap:
    """Where 0-based pixel positions of an image lie on the sky.

    Parameters
    ----------
    plane : Tangent or astropy.wcs.WCS
    turn : ndarray, shape (3, 3)
        From unit vectors along the image's own axes to ICRS.
    equatorial : bool
        The own axes are right ascension and declination; they are read out as the file has them, others in ICRS.
    system : str
        "FK4", or "" where ICRS and FK5 (J2000) agree to some 0.02 arcsec.
    error : float, px
        By how much a position that goes through ICRS may be wrong: `turn` is a rotation, FK4 is not quite one.
    note : str
        What the header asks for and is not used; "" if everything is.
    scale : float, deg
        Of a pixel.
    cards : mapping or None
        The cards that it was made from, `Image.wcs`.
    lock : Lock
        wcslib works in the map itself: one thread at a time. For many positions take a `copy`.
    """

    plane: Tangent | WCS
    turn: Array
    equatorial: bool = True
    system: str = ""
    error: float = 0.0
    note: str = ""
    scale: float = 0.0
    cards: Header | None = None
    lock: Lock = field(default_factory=Lock)

    def own(self, x: float, y: float) -> Point | None:
        """Longitude and latitude (deg) along the image's own axes; None where the projection has no sky."""
        if isinstance(self.plane, Tangent):
            return self.plane.sky(x, y)
        with self.lock:
            world = self.plane.all_pix2world([[x, y]], 0)[0]
        lon, lat = float(world[self.plane.wcs.lng]), float(world[self.plane.wcs.lat])
        return (lon, lat) if math.isfinite(lon) and math.isfinite(lat) else None

    def read(self, x: float, y: float) -> Point | None:
        """Right ascension and declination (deg) as they are read out."""
        return self.own(x, y) if self.equatorial else self.icrs(x, y)

    def icrs(self, x: float, y: float) -> Point | None:
        """Right ascension and declination (deg), ICRS."""
        place = self.own(x, y)
        return place if place is None or self.turn is NOTHING else angles(self.turn @ vector(*place))

    def pixel(self, ra: float, dec: float) -> Point | None:
        """Pixel of an ICRS position (deg); None where the image has none."""
        lon, lat = (ra, dec) if self.turn is NOTHING else angles(self.turn.T @ vector(ra, dec))
        if isinstance(self.plane, Tangent):
            return self.plane.pixel(lon, lat)
        found = self.pixels(np.array([[lon, lat]]))[0]
        return (float(found[0]), float(found[1])) if np.all(np.isfinite(found)) else None

    def pixels(self, places: Array) -> Array:
        """Pixels, shape (n, 2), of longitudes and latitudes (deg) along the own axes; NaN where there are none."""
        if isinstance(self.plane, Tangent):
            found = [self.plane.pixel(float(lon), float(lat)) for lon, lat in places]
            return np.array([(math.nan, math.nan) if p is None else p for p in found]).reshape(-1, 2)
        from astropy.wcs import NoConvergence

        world = np.empty((len(places), 2))
        world[:, self.plane.wcs.lng], world[:, self.plane.wcs.lat] = np.asarray(places, np.float64).T
        try:
            with self.lock, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return np.asarray(self.plane.all_world2pix(world, 0))
        except (NoConvergence, ValueError) as problem:
            best = getattr(problem, "best_solution", None)
            return np.full_like(world, np.nan) if best is None else _converged(problem, np.asarray(best))

    def slopes(self, x: float, y: float) -> Array | None:
        """Degrees east and north (ICRS) that one pixel along x and y is, shape (2, 2), at a pixel."""
        center = self.icrs(x, y)
        ends = [self.icrs(x + dx, y + dy) for dx, dy in ((-NEAR, 0), (NEAR, 0), (0, -NEAR), (0, NEAR))]
        if center is None or any(end is None for end in ends):
            return None
        east, north = tangents(*center)
        steps = [vector(*end) for end in ends if end is not None]
        along = np.stack([steps[1] - steps[0], steps[3] - steps[2]], axis=1) / (2 * NEAR)
        return np.degrees(np.stack([east @ along, north @ along]))

    def copy(self) -> SkyMap:
        """The same map with a state of its own, for a thread that asks for many positions."""
        if isinstance(self.plane, Tangent):
            return self
        with self.lock:
            return replace(self, plane=copy.deepcopy(self.plane), lock=Lock())


def _converged(problem: Exception, best: Array) -> Array:
    """The positions that were found, NaN for the others."""
    lost = [getattr(problem, name, None) for name in ("divergent", "slow_conv")]
    for rows in lost:
        if rows is not None:
            best[rows] = np.nan
    return best


def vector(lon: float, lat: float) -> Array:
    """Unit vector of a position in degrees."""
    a, d = math.radians(lon), math.radians(lat)
    return np.array((math.cos(d) * math.cos(a), math.cos(d) * math.sin(a), math.sin(d)))


def angles(at: Array) -> Point:
    """Position in degrees of a vector."""
    x, y, z = (float(v) for v in at)
    return math.degrees(math.atan2(y, x)) % 360.0, math.degrees(math.atan2(z, math.hypot(x, y)))


def tangents(lon: float, lat: float) -> tuple[Array, Array]:
    """Unit vectors to the east and to the north at a position."""
    a, d = math.radians(lon), math.radians(lat)
    east = np.array((-math.sin(a), math.cos(a), 0.0))
    return east, np.array((-math.sin(d) * math.cos(a), -math.sin(d) * math.sin(a), math.cos(d)))


def quick(image: Image) -> SkyMap | None:
    """The map of an image that arithmetic makes; None where there is no sky, or astropy has to be asked."""
    cards = worldpos.with_sky(image.wcs)
    plane = worldpos.tangent_of(cards)
    plain = plane is not None and not _looks_up(image.header) and _is_j2000(cards)
    return SkyMap(plane, NOTHING, scale=plane.scale) if plain and plane is not None else None


def wanted(image: Image) -> bool:
    """Whether an image has a sky that only astropy knows."""
    return worldpos.has_sky(worldpos.with_sky(image.wcs)) and quick(image) is None


def make(image: Image, path: str) -> SkyMap:
    """The map of an image by astropy, with the tables of its file.

    Raises
    ------
    FileFormatError
        The cards contradict themselves, or a table is not there.
    """
    try:
        plane, note = _plane(image, path)
    except Exception as problem:  # whatever wcslib and astropy raise on cards that contradict themselves
        why = " ".join(str(problem).split()) or type(problem).__name__
        raise FileFormatError(f"its sky coordinates are not understood: {why[:200]}", path) from problem
    turn, error = _turn(plane, image.shape)
    name = own_frame(plane).name
    equatorial = plane.wcs.lngtyp.strip() == "RA"
    system = "FK4" if name.startswith("fk4") else ""
    made = SkyMap(plane, turn, equatorial, system, note=note, cards=image.wcs)
    slopes = made.slopes(image.shape[1] / 2, image.shape[0] / 2)
    scale = 0.0 if slopes is None else math.sqrt(abs(float(np.linalg.det(slopes))))
    return replace(made, scale=scale, error=math.degrees(error) / scale if scale > 0 else 0.0)


def _plane(image: Image, path: str) -> tuple[WCS, str]:
    """The celestial axes 1 and 2, and what is not used of them."""
    cards = worldpos.with_sky(image.wcs)
    if not _looks_up(image.header) and not worldpos.is_listed(cards):
        return worldpos.astropy_plane(cards), ""
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, memmap=False, disable_image_compression=True) as file:
            if not all(h.header.get("TFIELDS", 0) in range(MOST_COLUMNS + 1) for h in file):  # astropy counts up to it
                return worldpos.astropy_plane(cards), "without the tables of distortions: one is damaged"
            if not _looks_up(image.header):
                return worldpos.astropy_plane(cards, file), ""
            header = next((h.header for h in file if _same(h.header, image.header)), None)
            if header is None or any(image.wcs.get(k) != header.get(k) for k in ("CRPIX1", "CRPIX2")):
                return worldpos.astropy_plane(cards), "without the tables of distortions: this is a section"
            from astropy.wcs import WCS

            return WCS(header, file, naxis=2), ""


def _same(header: FitsHeader, other: Header) -> bool:
    """Whether two headers are of one image."""
    keys = ("EXTNAME", "EXTVER", "CRVAL1", "CRVAL2", "CPDIS1", "D2IMDIS1")
    return all(header.get(key) == other.get(key) for key in keys)


def _looks_up(header: Header) -> bool:
    """Whether distortions are listed in tables."""
    return any(f"{name}{axis}" in header for name in LOOKUPS for axis in (1, 2))


def _is_j2000(cards: Header) -> bool:
    """Whether the equatorial axes are those of ICRS, as near as FK5 is to it."""
    system = str(cards.get("RADESYS", cards.get("RADECSYS", ""))).strip().upper()
    equinox = cards.get("EQUINOX", cards.get("EPOCH", 2000.0))
    return system in ("", "ICRS", "FK5") and (system == "ICRS" or equinox in (2000, 2000.0))


def _turn(plane: WCS, shape: tuple[int, int]) -> tuple[Array, float]:
    """The rotation of the own axes to ICRS that suits the image best, and what it leaves, in radians."""
    frame = own_frame(plane)
    if frame.name == "icrs":
        return NOTHING, 0.0
    from astropy.coordinates import SkyCoord

    x, y = (np.linspace(-0.5, n - 0.5, SAMPLES) for n in (shape[1], shape[0]))
    world = plane.all_pix2world(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2), 0)
    world = world[np.all(np.isfinite(world), axis=1)]
    if len(world) < 3:
        return NOTHING, 0.0
    lon, lat = world[:, plane.wcs.lng], world[:, plane.wcs.lat]
    there = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    before = np.array([vector(float(a), float(d)) for a, d in zip(lon, lat)])
    after = np.array([vector(float(a), float(d)) for a, d in zip(there.ra.deg, there.dec.deg)])
    u, _, v = np.linalg.svd(after.T @ before)
    turn = u @ np.diag((1.0, 1.0, np.sign(np.linalg.det(u @ v)))) @ v
    return turn, float(np.max(np.linalg.norm(before @ turn.T - after, axis=1)))


def own_frame(plane: WCS) -> BaseCoordinateFrame:
    """The coordinate frame of the axes of an image."""
    from astropy.coordinates import SkyCoord
    from astropy.wcs.utils import wcs_to_celestial_frame

    name = SYSTEMS.get(plane.wcs.lngtyp.strip())
    frame: BaseCoordinateFrame = (
        wcs_to_celestial_frame(plane) if name is None else SkyCoord(0, 0, unit="deg", frame=name).frame
    )
    return frame

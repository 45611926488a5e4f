"""Regions of a file in the pixels of the image that they are loaded on."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.sky.maps import own_frame
from ifuview.app.frames.sky.worldpos import SYSTEMS, sky_axes
from ifuview.model.checks import Array
from ifuview.model.region import PHYSICAL, SKY_FRAMES, Region, Shape

if TYPE_CHECKING:
    from astropy.coordinates import BaseCoordinateFrame
    from astropy.wcs import WCS

ASTROPY = {"ecliptic": SYSTEMS["ELON"]}  # names of frames that astropy has others for
STEP = 1 / 3600  # degrees; over which the image is taken as flat about a region
ROUND = 0.01  # of its radius; a circle that is drawn out more becomes an ellipse
NO_SKY = "the image has no sky coordinates that are understood"


def placed(regions: Sequence[Region], wcs: Mapping[str, object]) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """Return the regions in 0-based pixels of an image with these WCS cards, and what had to be left out.

    Physical coordinates are turned by LTV and LTM, sky coordinates by astropy through the celestial axes; sizes and
    angles by the scale and the directions of west and north at the region's center.
    """
    out: list[Region] = []
    notes: list[str] = []
    for region in regions:
        found: Region | str = region
        if region.frame == PHYSICAL:
            found = _from_physical(region, wcs)
        if isinstance(found, Region) and (found.frame in SKY_FRAMES or found.size_unit == "deg"):
            found = _from_sky(found, wcs)
        if isinstance(found, str):
            name = f"{region.shape} {region.text}".rstrip()
            notes.append(f"{name} in {region.frame} coordinates is left out: {found}")
        else:
            out.append(found)
    return tuple(out), tuple(dict.fromkeys(notes))


def _from_physical(region: Region, wcs: Mapping[str, object]) -> Region | str:
    """By the linear terms LTM and LTV: image = LTM physical + LTV."""
    scale = [_number(wcs.get(f"LTM{k}_{k}"), 1.0) for k in (1, 2)]
    shift = [_number(wcs.get(f"LTV{k}"), 0.0) for k in (1, 2)]
    if not all(scale) or any(_number(wcs.get(key), 0.0) for key in ("LTM1_2", "LTM2_1")):
        return "LTM of the image turns its axes"
    points = tuple((scale[0] * x + shift[0] - 1, scale[1] * y + shift[1] - 1) for x, y in region.points)
    size = region.size
    if region.size_unit != "deg":
        size = _sized(region, abs(scale[0]), abs(scale[1]))
    return replace(region, points=points, size=size, frame="image")


def _sized(region: Region, sx: float, sy: float) -> tuple[float, ...]:
    """Sizes by the scale of both axes; of turned and of round shapes by their mean."""
    if region.shape in (Shape.BOX, Shape.ELLIPSE) and not region.angle:
        return region.size[0] * sx, region.size[1] * sy
    return tuple(size * math.sqrt(sx * sy) for size in region.size)


def _from_sky(region: Region, wcs: Mapping[str, object]) -> Region | str:
    """By the celestial axes of the image."""
    plane = sky_axes(wcs)
    if plane is None:
        return NO_SKY
    points = list(region.points)
    if region.frame in SKY_FRAMES:
        points = _pixels(plane, region.points, region.frame)
    center = points[0]
    if not np.all(np.isfinite(points)):
        return "it lies outside the part of the sky that the image can show"
    if not region.size or region.size_unit == "px":
        return replace(region, points=tuple(points), frame="image", size_unit="")
    west, north = _directions(plane, center, region.frame)
    if not np.all(np.isfinite((west, north))):
        return "the scale of the image is not known there"
    done = replace(region, points=tuple(points), frame="image", size_unit="")
    return _stretched(done, west, north, turned=region.frame in SKY_FRAMES)


def _stretched(region: Region, west: Array, north: Array, turned: bool) -> Region:
    """The region with sizes in degrees made pixels; its angle too where it counts from west over north."""
    across, along = np.linalg.norm(west), np.linalg.norm(north)
    if region.shape in (Shape.BOX, Shape.ELLIPSE):
        a = math.radians(region.angle)
        first, second = math.cos(a) * west + math.sin(a) * north, -math.sin(a) * west + math.cos(a) * north
        if not turned:  # an angle in pixels: the scale alone counts
            first = second = np.array([math.sqrt(float(across * along)), 0.0])
        size = region.size[0] * float(np.linalg.norm(first)), region.size[1] * float(np.linalg.norm(second))
        angle = math.degrees(math.atan2(first[1], first[0])) % 360.0 if turned else region.angle
        return replace(region, size=size, angle=angle)
    if region.shape is Shape.CIRCLE and abs(float(across / along) - 1) > ROUND:
        radius = region.size[0]
        angle = math.degrees(math.atan2(west[1], west[0]))
        return replace(region, shape=Shape.ELLIPSE, size=(radius * float(across), radius * float(along)), angle=angle)
    scale = math.sqrt(abs(float(west[0] * north[1] - west[1] * north[0])))
    return replace(region, size=tuple(size * scale for size in region.size))


def _directions(plane: WCS, center: tuple[float, float], frame: str) -> tuple[Array, Array]:
    """Pixels that one degree west and north are at a place of the image, in the directions of `frame`."""
    from astropy import units
    from astropy.coordinates import SkyCoord

    place = plane.all_pix2world([center], 0)[0]
    lon, lat = place[[plane.wcs.lng, plane.wcs.lat]]
    here = SkyCoord(lon, lat, unit="deg", frame=own_frame(plane))
    wanted = here if frame not in SKY_FRAMES or frame == "wcs" else here.transform_to(_frame(frame))
    steps = [wanted.directional_offset_by(angle * units.deg, STEP * units.deg) for angle in (270, 0)]
    ends = [(float(s.spherical.lon.deg), float(s.spherical.lat.deg)) for s in steps]
    found = _pixels(plane, ends, frame if frame in SKY_FRAMES else "wcs")
    west, north = ((np.asarray(p) - center) / STEP for p in found)
    return west, north


def _pixels(plane: WCS, points: Sequence[tuple[float, float]], frame: str) -> list[tuple[float, float]]:
    """Pixels (0-based) of sky positions in degrees; NaN where there are none."""
    from astropy.coordinates import SkyCoord
    from astropy.wcs import NoConvergence

    lon, lat = np.array(points, np.float64).T
    if frame != "wcs":
        there = SkyCoord(lon, lat, unit="deg", frame=_frame(frame)).transform_to(own_frame(plane))
        lon, lat = there.spherical.lon.deg, there.spherical.lat.deg
    world = np.empty((len(points), 2))
    world[:, plane.wcs.lng], world[:, plane.wcs.lat] = lon, lat
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = plane.all_world2pix(world, 0)
    except (NoConvergence, ValueError):
        found = np.full_like(world, np.nan)
    return [(float(x), float(y)) for x, y in found]


def _frame(name: str) -> BaseCoordinateFrame:
    """The coordinate frame of a region file."""
    from astropy.coordinates import SkyCoord

    frame: BaseCoordinateFrame = SkyCoord(0, 0, unit="deg", frame=ASTROPY.get(name, name)).frame
    return frame


def _number(value: object, usual: float) -> float:
    return float(value) if isinstance(value, (int, float)) else usual

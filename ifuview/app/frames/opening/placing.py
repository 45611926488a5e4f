"""Regions of a file in the pixels of the image that they are loaded on, and back in the frames that they came in."""

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
from ifuview.model.region import PANDAS, PHYSICAL, SKY_FRAMES, TURNED, Home, Region, Shape

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
    angles by the scale and the directions of west and north at the region's center. Each remembers where it came from.
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
        elif region.frame == "image" and not region.size_unit:
            out.append(found)
        else:
            out.append(replace(found, home=Home(region, found.geometry)))
    return tuple(out), tuple(dict.fromkeys(notes))


def given_back(regions: Sequence[Region], wcs: Mapping[str, object]) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """The regions of an image in the frames that they came in, and what is written in pixels instead.

    One that was not moved is written with the numbers of its file; a moved one by the inverse of `placed`.
    """
    out: list[Region] = []
    notes: list[str] = []
    for region in regions:
        home, bare = region.home, replace(region, home=None)
        if home is None or home.frame == "image":
            out.append(bare)
        elif home.placed == region.geometry:
            given = home.given
            out.append(replace(given, text=region.text, color=region.color, tags=region.tags, include=region.include))
        else:
            found = _to_physical(bare, wcs) if home.frame == PHYSICAL else _to_sky(bare, wcs, home.frame)
            if found is None:
                name = f"{region.shape} {region.text}".rstrip()
                notes.append(f"{name} is written in pixels: it has no place in {home.frame} coordinates")
            out.append(found or bare)
    return tuple(out), tuple(dict.fromkeys(notes))


def _from_physical(region: Region, wcs: Mapping[str, object]) -> Region | str:
    """By the linear terms LTM and LTV: image = LTM physical + LTV."""
    terms = _linear(wcs)
    if terms is None:
        return "LTM of the image turns its axes"
    scale, shift = terms
    points = tuple((scale[0] * x + shift[0] - 1, scale[1] * y + shift[1] - 1) for x, y in region.points)
    size = region.size
    if region.size_unit != "deg":
        size = _sized(region, abs(scale[0]), abs(scale[1]))
    return replace(region, points=points, size=size, frame="image")


def _to_physical(region: Region, wcs: Mapping[str, object]) -> Region | None:
    """The inverse of `_from_physical`."""
    terms = _linear(wcs)
    if terms is None:
        return None
    scale, shift = terms
    points = tuple(((x + 1 - shift[0]) / scale[0], (y + 1 - shift[1]) / scale[1]) for x, y in region.points)
    size = _sized(region, 1 / abs(scale[0]), 1 / abs(scale[1]))
    return replace(region, points=points, size=size, frame=PHYSICAL)


def _linear(wcs: Mapping[str, object]) -> tuple[list[float], list[float]] | None:
    """LTM and LTV of both axes; None where they turn the axes."""
    scale = [_number(wcs.get(f"LTM{k}_{k}"), 1.0) for k in (1, 2)]
    shift = [_number(wcs.get(f"LTV{k}"), 0.0) for k in (1, 2)]
    turned = any(_number(wcs.get(key), 0.0) for key in ("LTM1_2", "LTM2_1"))
    return None if turned or not all(scale) else (scale, shift)


def _sized(region: Region, sx: float, sy: float) -> tuple[float, ...]:
    """Sizes by the scale of both axes; of turned and of round shapes by their mean."""
    if region.shape in TURNED and not region.angle:
        return tuple(size * (sx, sy)[n % 2] for n, size in enumerate(region.size))
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
    turned = region.frame in SKY_FRAMES and region.shape in (*TURNED, Shape.PANDA, Shape.COMPASS)
    if not turned and (not region.size or region.size_unit == "px"):
        return replace(region, points=tuple(points), frame="image", size_unit="")
    west, north = _directions(plane, center, region.frame)
    if not np.all(np.isfinite((west, north))):
        return "the scale of the image is not known there"
    done = replace(region, points=tuple(points), frame="image", size_unit="")
    if region.shape is Shape.COMPASS:
        done = replace(done, sectors=tuple(math.degrees(math.atan2(v[1], v[0])) for v in (-west, north)))
    made = _stretched(done, west, north, turned=region.frame in SKY_FRAMES)
    return replace(made, size=region.size) if region.size_unit == "px" else made


def _to_sky(region: Region, wcs: Mapping[str, object], frame: str) -> Region | None:
    """The inverse of `_from_sky`, with sizes in degrees."""
    plane = sky_axes(wcs)
    if plane is None:
        return None
    points = _places(plane, region.points, frame)
    west, north = _directions(plane, region.points[0], frame)
    if not (np.all(np.isfinite(points)) and np.all(np.isfinite((west, north)))):
        return None
    back = np.linalg.inv(np.stack([west, north], axis=1))
    return _stretched(replace(region, points=tuple(points), frame=frame), back[:, 0], back[:, 1], turned=True)


def _stretched(region: Region, west: Array, north: Array, turned: bool) -> Region:
    """The region with sizes in other units, and its angles too where they count from other axes.

    `west` and `north` are what one unit along the first and the second axis, from which angles count, becomes.
    """
    area = float(west[0] * north[1] - west[1] * north[0])
    if region.shape in TURNED:
        a = math.radians(region.angle)
        first, second = math.cos(a) * west + math.sin(a) * north, -math.sin(a) * west + math.cos(a) * north
        if not turned:  # an angle in pixels: the scale alone counts
            first = second = np.array([math.sqrt(abs(area)), 0.0])
        along = float(np.linalg.norm(first)), float(np.linalg.norm(second))
        size = tuple(value * along[n % 2] for n, value in enumerate(region.size))
        angle = math.degrees(math.atan2(first[1], first[0])) % 360.0 if turned else region.angle
        return _turned_sectors(replace(region, size=size, angle=angle), 0.0, mirrored=turned and area < 0)
    across, along_north = float(np.linalg.norm(west)), float(np.linalg.norm(north))
    turn = math.degrees(math.atan2(west[1], west[0])) if turned else 0.0
    if region.shape is Shape.CIRCLE and abs(across / along_north - 1) > ROUND:
        radius = region.size[0]
        return replace(region, shape=Shape.ELLIPSE, size=(radius * across, radius * along_north), angle=turn)
    done = replace(region, size=tuple(size * math.sqrt(abs(area)) for size in region.size))
    return _turned_sectors(done, turn, mirrored=turned and area < 0)


def _turned_sectors(region: Region, turn: float, *, mirrored: bool) -> Region:
    """The sectors of a panda after its axis was turned, on a mirrored image the other way round."""
    if region.shape not in PANDAS:
        return region
    first, last = region.sectors[:2]
    if mirrored:
        first, last = -last, -first
    begin = (first + turn) % 360.0
    return replace(region, sectors=(begin, begin + last - first, *region.sectors[2:]))


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


def _places(plane: WCS, points: Sequence[tuple[float, float]], frame: str) -> list[tuple[float, float]]:
    """Sky positions in degrees of pixels (0-based)."""
    from astropy.coordinates import SkyCoord

    world = plane.all_pix2world(np.array(points, np.float64), 0)
    lon, lat = world[:, plane.wcs.lng], world[:, plane.wcs.lat]
    if frame != "wcs":
        there = SkyCoord(lon, lat, unit="deg", frame=own_frame(plane)).transform_to(_frame(frame))
        lon, lat = there.spherical.lon.deg, there.spherical.lat.deg
    return [(float(a), float(d)) for a, d in zip(lon, lat)]


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

"""What a kept session asks for within what the window can show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ifuview.app.frames.look import Look, ViewState
from ifuview.app.frames.views.colors import known
from ifuview.app.saved.state import SavedFrame
from ifuview.errors import MissingDataError
from ifuview.model.image import Image
from ifuview.model.region import LINES, PANDAS, Region, Shape

LEAST_ZOOM, MOST_ZOOM = 1e-6, 1e6
MOST_PLACE = 1e9  # px
MOST_RADIUS = 100.0  # px, of the smoothing
SIZES: Mapping[Shape, int] = {  # the least numbers of sizes and points, where these are not 0 and 1
    Shape.CIRCLE: 1, Shape.ELLIPSE: 2, Shape.BOX: 2, Shape.ANNULUS: 2, Shape.PANDA: 2, Shape.EPANDA: 4, Shape.BPANDA: 4,
    Shape.PROJECTION: 1, Shape.COMPASS: 1,
}  # fmt: skip
POINTS: Mapping[Shape, int] = {Shape.POLYGON: 3} | dict.fromkeys(LINES, 2)
SECTORS = 4  # numbers that say how a panda is cut


def sensible(frame: SavedFrame) -> SavedFrame:
    """A frame whose look, view and regions can be drawn."""
    regions = tuple(region for region in frame.regions if drawable(region))
    return replace(frame, look=_look(frame.look), view=_view(frame.view), regions=regions)


def plane_of(plane: tuple[int, ...], image: Image, usual: tuple[int, ...]) -> tuple[int, ...]:
    """A plane that an image has."""
    lead = image.pixels.shape[:-2]
    fits = len(plane) == len(lead) and all(0 <= i < n for i, n in zip(plane, lead, strict=True))
    return plane if fits else usual


def _look(look: Look) -> Look:
    usual = Look()
    try:
        cmap = known(look.cmap)
    except MissingDataError:
        cmap = usual.cmap
    lo, hi = (look.lo, look.hi) if look.lo is not None and look.hi is not None and look.lo <= look.hi else (None, None)
    return replace(
        look, cmap=cmap, lo=lo, hi=hi,
        percent=look.percent if 0 < look.percent <= 100 else usual.percent,
        zcontrast=look.zcontrast if 0 < look.zcontrast <= 1 else usual.zcontrast,
        exponent=look.exponent if look.exponent > 0 else usual.exponent,
        smooth_radius=min(max(look.smooth_radius, 0.0), MOST_RADIUS),
        mask_shown=max(look.mask_shown, 0), mask_opacity=min(max(look.mask_opacity, 0.0), 1.0),
    )  # fmt: skip


def _view(view: ViewState) -> ViewState:
    fits = LEAST_ZOOM <= view.zoom <= MOST_ZOOM and max(abs(view.x), abs(view.y)) <= MOST_PLACE
    fits = fits and math.isfinite(view.rotation) and (view.aspect == 0 or LEAST_ZOOM <= view.aspect <= MOST_ZOOM)
    part = view.part
    fits = fits and (part is None or (part[0] < part[2] and part[1] < part[3]))
    return view if fits else ViewState(aspect=0.0 if view.aspect == 0 else 1.0)


def drawable(region: Region) -> bool:
    """Whether a region has what its shape needs."""
    points, sizes = len(region.points), len(region.size)
    enough = points >= POINTS[region.shape] if region.shape in POINTS else points == 1
    enough &= region.shape not in PANDAS or len(region.sectors) == SECTORS
    numbers = (*region.size, *region.sectors, region.angle, *(v for point in region.points for v in point))
    small = all(math.isfinite(v) and abs(v) <= MOST_PLACE for v in numbers)
    return enough and small and sizes >= SIZES.get(region.shape, 0) and all(v >= 0 for v in region.size)

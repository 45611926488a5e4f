"""Where an image pixel is on the screen and back: exact, for any zoom, aspect, rotation and flip.

Screen positions are continuous: screen pixel i covers i <= s < i + 1, y runs down. Image positions are native: the
center of pixel (column i, row j) is (i, j), y runs up. Every view is one affine map. Turned by right angles each screen
axis follows one image axis alone; another view is such a one (`straight`), turned a little further (`lean`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames.look import ViewState
from ifuview.model.checks import Array

MIN_ZOOM, MAX_ZOOM = 1e-3, 512.0  # screen pixels per image pixel
TINY = 1e-12  # of a unit vector: that of a right angle
QUARTER = {0.0: (1.0, 0.0), 90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}  # cosine, sine

Size = tuple[int, int]  # width, height of the canvas in screen pixels
Matrix = tuple[float, float, float, float, float, float]


def matrix(view: ViewState, size: Size) -> Matrix:
    """Return (m11, m12, m21, m22, dx, dy): sx = m11 x + m21 y + dx, sy = m12 x + m22 y + dy."""
    cos, sin = QUARTER.get(view.rotation % 360) or _direction(view.rotation)
    zx = view.zoom * (-1 if view.flip_x else 1)
    zy = view.zoom * view.aspect * (-1 if view.flip_y else 1)
    m11, m21 = cos * zx, -sin * zy
    m12, m22 = -sin * zx, -cos * zy
    dx = size[0] / 2 - m11 * view.x - m21 * view.y
    dy = size[1] / 2 - m12 * view.x - m22 * view.y
    return m11, m12, m21, m22, dx, dy


def _direction(degrees: float) -> tuple[float, float]:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def to_screen(view: ViewState, size: Size, x: Array | float, y: Array | float) -> tuple[Array, Array]:
    """Return screen positions of native image positions."""
    m11, m12, m21, m22, dx, dy = matrix(view, size)
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return m11 * x + m21 * y + dx, m12 * x + m22 * y + dy


def to_image(view: ViewState, size: Size, sx: float, sy: float) -> tuple[float, float]:
    """Return the native image position under a screen position."""
    m11, m12, m21, m22, dx, dy = matrix(view, size)
    det = m11 * m22 - m12 * m21
    u, v = sx - dx, sy - dy
    return (m22 * u - m21 * v) / det, (m11 * v - m12 * u) / det


def axis(view: ViewState, along: str) -> Array:
    """Return the unit vector on the screen of an image axis ("x" or "y"), to the right, or down if it is steeper."""
    m11, m12, m21, m22, *_ = matrix(view, (0, 0))
    way = np.array([m11, m12] if along == "x" else [m21, m22])
    return way / np.hypot(*way) * math.copysign(1.0, way[np.argmax(np.abs(way))])


def ends(view: ViewState, size: Size, x: Array | float, y: Array | float, along: str, margin: float = 0.0) -> Array:
    """Return where lines along an image axis through image positions enter and leave the canvas less a margin.

    Shape (2, 2, n): enter and leave, sx and sy, line; NaN of lines that are not seen. They run as `axis` says.
    """
    at = np.array(np.broadcast_arrays(*to_screen(view, size, np.atleast_1d(x), np.atleast_1d(y))))
    way = axis(view, along)[:, None]
    slope = np.where(np.abs(way) < TINY, TINY, way)
    one, other = (margin - at) / slope, (np.array(size)[:, None] - margin - at) / slope
    enter, leave = np.minimum(one, other).max(axis=0), np.maximum(one, other).min(axis=0)
    found: Array = np.where(enter <= leave, np.stack([at + enter * way, at + leave * way]), np.nan)
    return found


def straight(view: ViewState) -> ViewState:
    """Return the view turned by the nearest right angle."""
    return replace(view, rotation=round(view.rotation / 90) * 90 % 360)


def lean(view: ViewState) -> float:
    """Degrees, -45 to 45, by which a view is turned further than `straight`."""
    return view.rotation - round(view.rotation / 90) * 90


def turned(view: ViewState) -> bool:
    """Whether native x runs vertically on the screen, rather than horizontally."""
    return round(view.rotation / 90) % 2 == 1


def extent(shape: tuple[int, int], view: ViewState) -> tuple[float, float]:
    """Width and height on the screen of what `view` fits, in pixels along native x.

    Of a view that leans these are of the whole image as it is seen; of a part of it, of that part before it leans.
    """
    x0, y0, x1, y1 = view.part or (-0.5, -0.5, shape[1] - 0.5, shape[0] - 0.5)
    nx, ny = x1 - x0, (y1 - y0) * (view.aspect if view.aspect > 0 else 1.0)
    wide, high = (ny, nx) if turned(view) else (nx, ny)
    if view.part is not None:
        return wide, high
    cos, sin = _direction(abs(lean(view)))
    return wide * cos + high * sin, wide * sin + high * cos


def fit_view(shape: tuple[int, int], size: Size, view: ViewState) -> ViewState:
    """Return `view` centered and zoomed so that the whole image of `shape` (ny, nx), or its part, just fits the canvas.

    With `view.aspect` 0 that fills the canvas and its pixels are not square.
    """
    x0, y0, x1, y1 = view.part or (-0.5, -0.5, shape[1] - 0.5, shape[0] - 0.5)
    if view.aspect <= 0:
        across, down = extent(shape, straight(view))
        filling = (size[1] / down) / (size[0] / across)
        view = replace(view, aspect=1 / filling if turned(view) else filling)
    wide, high = extent(shape, view)
    zoom = min(max(size[0], 1) / wide, max(size[1], 1) / high)
    return replace(view, x=(x0 + x1) / 2, y=(y0 + y1) / 2, zoom=min(max(zoom, MIN_ZOOM), MAX_ZOOM))


def resolve(view: ViewState, shape: tuple[int, int], size: Size) -> ViewState:
    """Return the view with `fit` carried out."""
    return fit_view(shape, size, view) if view.fit else view


def panned(view: ViewState, size: Size, dx: float, dy: float) -> ViewState:
    """Return the view after its picture moved by (dx, dy) screen pixels."""
    x, y = to_image(view, size, size[0] / 2 - dx, size[1] / 2 - dy)
    return replace(view, x=x, y=y, fit=False)


def zoomed(view: ViewState, size: Size, factor: float, at: tuple[float, float] | None = None) -> ViewState:
    """Return the view zoomed by `factor`, keeping what is under the screen position `at` (default: the center)."""
    zoom = min(max(view.zoom * factor, MIN_ZOOM), MAX_ZOOM)
    out = replace(view, zoom=zoom, fit=False)
    if at is None:
        return out
    sx, sy = (float(v) for v in to_screen(out, size, *to_image(view, size, *at)))
    return panned(out, size, at[0] - sx, at[1] - sy)


def centered(view: ViewState, x: float, y: float) -> ViewState:
    """Return the view with image position (x, y) at the center of the canvas."""
    return replace(view, x=x, y=y, fit=False)


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """Which image position each screen column and row shows.

    Parameters
    ----------
    left, top : int
        First screen column and row that show the image.
    x, y : ndarray
        Native position along x (y) at the centers of the screen pixels that run along that axis.
    swapped : bool
        Native x runs down the screen: the picture is the transpose of the gathered pixels.
    step_x, step_y : float
        Image pixels per screen pixel along native x and y.
    """

    left: int
    top: int
    x: Array
    y: Array
    swapped: bool
    step_x: float
    step_y: float


def _inside(slope: float, offset: float, length: int, n: int) -> tuple[int, Array]:
    """First screen pixel of `length` whose center lies on the image axis of `n` pixels, and all such positions."""
    position = (np.arange(length) + 0.5 - offset) / slope
    index = np.flatnonzero((position >= -0.5) & (position < n - 0.5))
    return (int(index[0]), position[index]) if index.size else (0, position[:0])


def sampling(view: ViewState, size: Size, shape: tuple[int, int]) -> Sampling | None:
    """Return what a canvas shows of an image of `shape` (ny, nx) turned by right angles; None if nothing is in view."""
    view = straight(view)
    m11, m12, m21, m22, dx, dy = matrix(view, size)
    ny, nx = shape
    swapped = turned(view)
    if swapped:
        left, y = _inside(m21, dx, size[0], ny)
        top, x = _inside(m12, dy, size[1], nx)
    else:
        left, x = _inside(m11, dx, size[0], nx)
        top, y = _inside(m22, dy, size[1], ny)
    if not x.size or not y.size:
        return None
    return Sampling(left, top, x, y, swapped, 1 / view.zoom, 1 / (view.zoom * view.aspect))

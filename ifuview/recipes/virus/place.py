"""What files of a head hold beyond the values of its steps: places of detections on the sky, pictures of stars."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.blend import take_pictures
from ifuview.engine.spectra.field.lenslet import Face, Lenslets
from ifuview.engine.spectra.field.mosaic import dithered_cube, point_scatter
from ifuview.engine.spectra.field.positions import HOUR, sky_place
from ifuview.engine.spectra.stars.match import focal_of
from ifuview.model.checks import Array
from ifuview.model.reduction.detection import Detection
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.placed import HeadProducts, PlacedDetection, StarImage
from ifuview.model.reduction.products import ReductionRecord
from ifuview.model.reduction.shot import IfuSpectra, ReducedIfu
from ifuview.model.reduction.solution import CatalogSpectrum, ShotSolution
from ifuview.model.reduction.source import CubeGrid
from ifuview.model.reduction.spectra import FiberSpectra

CHUNKS, SIDE, STEP = 11, 21, 0.5  # pictures of a star, spaxels of each, arcsec
NEAR = 9.0  # arcsec, fibers of such a picture
UNEVEN = 0.02  # of a point source's flux in the cube, by its place, that is worth saying
NAN = float("nan")


def head_products(
    done: ReducedIfu, exposures: tuple[IfuExposure, ...], solution: ShotSolution, detections: tuple[Detection, ...],
    record: ReductionRecord, notes: tuple[str, ...] = (),
) -> HeadProducts:  # fmt: skip
    """All that the files of a head hold."""
    point, focal = solution.pointing, done.spectra.focal
    notes = (*notes, *_gaps(done.spectra, solution))
    place = None
    if all(map(math.isfinite, focal)):
        place = np.array([point.ra, point.dec, point.turn, *focal])
    return HeadProducts(
        done, exposures, exposures[0].header, placed(detections, solution, focal), star_images(done, solution),
        seeing=solution.optics.fwhm, sky_place=place, record=record, notes=notes,
    )  # fmt: skip


def _gaps(spectra: IfuSpectra, solution: ShotSolution) -> tuple[str, ...]:
    """What the gaps between fibers do to the cube, if much."""
    lenslets = Lenslets(spectra.x, spectra.y, spectra.size, Face.CIRCLE)
    scatter = point_scatter(lenslets, solution.optics.fwhm, solution.optics.beta)
    if not scatter > UNEVEN:
        return ()
    words = f"the flux of a source that no catalog has scatters by {100 * scatter:.0f} % with its place between fibers"
    return (f"cube: {words} (right in the mean); its spectrum among the detections does not",)


def placed(
    detections: tuple[Detection, ...], solution: ShotSolution, focal: tuple[float, float]
) -> tuple[PlacedDetection, ...]:
    """Detections with their places."""
    x, y = (np.array([getattr(one, name) for one in detections], float) for name in ("x", "y"))
    fx, fy = x + focal[0], y + focal[1]
    ra = dec = np.full(x.size, np.nan)
    if all(map(math.isfinite, focal)):
        point = solution.pointing
        ra, dec = sky_place(fx, fy, point.ra / HOUR, point.dec, point.turn)
    return tuple(
        PlacedDetection(one, float(ra[n]), float(dec[n]), float(fx[n]), float(fy[n]))
        for n, one in enumerate(detections)
    )


def star_images(done: ReducedIfu, solution: ShotSolution) -> tuple[StarImage, ...]:
    """Pictures of the stars that were found in the fibers."""
    return tuple(_star_image(done.spectra, star, solution) for star in done.stars if star.matched)


def _star_image(fields: IfuSpectra, star: CatalogSpectrum, solution: ShotSolution) -> StarImage:
    near = np.hypot(fields.x - star.x, fields.y - star.y) < NEAR
    own = fields.joined()
    good = own.usable()[near] & (own.variance[near] > 0)
    weight = np.where(good, 1 / np.where(good, own.variance[near], 1.0), 0.0)
    wave = np.broadcast_to(own.wave, weight.shape)
    light = take_pictures(own.flux[near], weight, wave, CHUNKS)
    known = np.isfinite(light.variance).T
    mask = np.where(known, np.uint32(0), np.uint32(1))
    chunks = FiberSpectra(light.light.T, np.where(known, light.variance.T, 0.0), mask, light.wave, own.unit)
    axis = STEP * (np.arange(SIDE) - SIDE // 2)
    lenslets = Lenslets(fields.x[near], fields.y[near], fields.size, Face.CIRCLE)
    cube = dithered_cube(chunks, lenslets, solution.optics.dar, CubeGrid(star.x + axis, star.y + axis, STEP))
    x, y = np.meshgrid(axis, axis)
    catalog = _catalog_place(star, solution)
    return StarImage(
        star.index, star.x + fields.focal[0], star.y + fields.focal[1], *catalog, cube.data, x.astype(np.float32),
        y.astype(np.float32),
    )  # fmt: skip


def _catalog_place(star: CatalogSpectrum, solution: ShotSolution) -> tuple[float, float]:
    """Where the catalog has a star on the focal plane, arcsec."""
    point = solution.pointing
    x, y = focal_of(np.array([star.ra]), np.array([star.dec]), (point.ra, point.dec), point.turn)
    return float(x[0]), float(y[0])


def focal_mosaic(
    pictures: list[tuple[Array, Array, Array]], most: int = 1500
) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    """Pictures of heads in their places on the focal plane, and what it spans.

    Parameters
    ----------
    pictures : list of (ndarray, ndarray, ndarray)
        Light (ny, nx), and focal x (nx,) and y (ny,) of its spaxels, arcsec.
    most : int
        Pixels along an axis.

    Returns
    -------
    ndarray of float32, shape (n, m)
        NaN between the heads.
    (float, float, float, float)
        First and last x and y, arcsec.
    """
    low = [min(float(one[axis].min()) for one in pictures) for axis in (1, 2)]
    high = [max(float(one[axis].max()) for one in pictures) for axis in (1, 2)]
    own = float(pictures[0][1][1] - pictures[0][1][0])
    step = max(own, max(b - a for a, b in zip(low, high, strict=True)) / most)
    size = [int((b - a) / step + 0.5) + 1 for a, b in zip(low, high, strict=True)]
    total, count = np.zeros(size[::-1]), np.zeros(size[::-1])
    for light, x, y in pictures:
        column = ((x - low[0]) / step + 0.5).astype(int)
        row = ((y - low[1]) / step + 0.5).astype(int)
        known = np.isfinite(light)
        at = np.ix_(row, column)
        np.add.at(total, at, np.where(known, light, 0.0))
        np.add.at(count, at, known)
    image = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return image, (
        low[0] - step / 2,
        low[0] + (size[0] - 0.5) * step,
        low[1] - step / 2,
        low[1] + (size[1] - 0.5) * step,
    )

"""Sources above a sky that is known from elsewhere, for fields in which no fiber sees sky alone.

The sky of another exposure is brought to the brightness of this one (`sky.borrow`), with its gradient, and taken off;
the most significant source of what is left is measured as a point: its spectrum by its first profile, then its place by
the fibers. One that is wider than any seeing is extended: its elliptical profile takes the place of the point. Where it
is no brighter than the sky of two exposures differs over the field it is none.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import uniform_filter1d

from ifuview.engine.spectra.field.extended import ExtendedFit, fit_extended
from ifuview.engine.spectra.field.extract import extract_points
from ifuview.engine.spectra.field.find import find_source
from ifuview.engine.spectra.field.lenslet import Lenslets, displacement, source_share
from ifuview.engine.spectra.field.point import BETA, fit_point, measure_shares
from ifuview.engine.spectra.field.separate import WIDE
from ifuview.engine.spectra.field.separation import Separation
from ifuview.engine.spectra.flux.rectify import rectify, rectify_values
from ifuview.engine.spectra.sky.borrow import borrow_for_empty, borrow_sky
from ifuview.engine.spectra.sky.fibers import brightness
from ifuview.engine.spectra.sky.spline import CommonSpectra
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit
from ifuview.model.reduction.spectra import FiberSpectra

CHUNKS = 16  # of wavelength, for a source's place
BROAD = 64  # px, that a source's spectrum is smoothed over to weigh fibers with
UNEVEN, TOP = 0.04, 95.0  # of the sky, that its gradient is at most; percentile of the fibers that shows it
LOWEST = 0.05  # of its median


def separate_borrowed(
    spectra: FiberSpectra, other: CommonSpectra, lenslets: Lenslets, dar: Array, grid: Array, *,
    sky_fibers: Array | None = None, sources: tuple[SourceFit, ...] | None = None, search: bool = True,
    surface: bool = True,
) -> Separation:  # fmt: skip
    """Take the sky of another exposure off and find the source.

    Parameters
    ----------
    spectra, lenslets, dar, grid
        As for `separate`.
    other : CommonSpectra
        Of the other exposure; its first term is the sky.
    sky_fibers : ndarray of bool, shape (nfiber,), optional
        That tell how bright the sky is. Default: the lines of the sky tell it.
    sources : tuple of SourceFit, optional
        Instead of looking for one.
    search : bool
        Look for a source.
    surface : bool
        Follow a gradient of the sky.

    Raises
    ------
    FitError
        Neither fibers nor lines tell how bright the sky is.
    """
    other = other.alone()
    place = (lenslets.x, lenslets.y) if surface else None
    borrowed = borrow_sky(spectra, other, sky_fibers=sky_fibers, place=place)
    sky = borrowed.sky
    wave = np.ascontiguousarray(np.broadcast_to(spectra.wave, spectra.flux.shape))
    clean = replace(spectra, flux=spectra.flux - sky.model, variance=spectra.variance + sky.variance)
    middle = float(grid[grid.size // 2])
    dx, dy = displacement(dar, np.array([middle]))
    moved = np.stack([dar[0], dar[1] - dx[0], dar[2] - dy[0]])
    first = None
    if sources is None and search:
        clear, below = rectify(clean, grid), rectify_values(sky.model, wave, grid)
        first = find_source(clear, below, lenslets, moved)
        nothing = float("nan")
        sources = () if first is None else (
            SourceFit(first.x, first.y, nothing, nothing, first.fwhm, nothing, BETA, first.snr, middle, nothing, moved),
        )  # fmt: skip
    found = tuple(_measured(clean, wave, one, lenslets, moved, grid) for one in sources or ())
    if first is not None and found[0].fwhm > WIDE and not _stands_out(clear, below, first.wave):
        found = ()
    extended = _extended(clean, lenslets) if search and found and found[0].fwhm > WIDE else None
    if extended is not None:
        found = ()
    if search and not found and extended is None and sky_fibers is None:
        borrowed = borrow_for_empty(spectra, other, borrowed, place=place)
    shares = [source_share(one, lenslets, wave) for one in found]
    if extended is not None:
        shares.append(np.broadcast_to(extended.share[:, None], wave.shape))
    share = np.stack(shares).astype(np.float32) if shares else np.zeros((0, *wave.shape), np.float32)
    return Separation(borrowed.sky, found, share, extended, other, borrowed.surface, None)


def _stands_out(clean: FiberSpectra, sky: Array, span: tuple[float, float]) -> bool:
    """Whether light that fills the field is more, where it was found, than a gradient of the sky leaves."""
    inside = (clean.wave >= span[0]) & (clean.wave <= span[1])
    usable = clean.usable()[:, inside] & (clean.variance[:, inside] > 0)
    count = usable.sum(axis=1)
    light, below = (np.where(usable, v[:, inside], 0).sum(axis=1)[count > 0] for v in (clean.flux, sky))
    share = light / np.maximum(below, 1e-300)
    return bool(share.size and np.percentile(share, TOP) > UNEVEN)


def _extended(clean: FiberSpectra, lenslets: Lenslets) -> ExtendedFit | None:
    """Profile of what fills the field; None where too few fibers tell it."""
    try:
        return fit_extended(*brightness(clean), lenslets)
    except FitError:
        return None


def _measured(
    clean: FiberSpectra, wave: Array, start: SourceFit, lenslets: Lenslets, dar: Array, grid: Array
) -> SourceFit:
    """A source measured from where it was found; as it was found where that fails."""
    even = rectify(clean, grid)
    light = extract_points(even, np.zeros(even.flux.shape, np.float32), (start,), lenslets)[0]
    smooth = uniform_filter1d(np.where(light.variance > 0, light.flux, 0).astype(np.float64), BROAD, mode="nearest")
    level = float(np.median(smooth))
    if not level > 0:
        return start
    spectrum = np.interp(wave, grid, np.maximum(smooth, LOWEST * level)).astype(np.float32)
    weight = np.where(clean.usable() & (clean.variance > 0), 1 / np.where(clean.variance > 0, clean.variance, 1), 0)
    try:
        return fit_point(measure_shares(clean.flux, weight, spectrum, wave, CHUNKS), lenslets, dar, start)
    except FitError:
        return start

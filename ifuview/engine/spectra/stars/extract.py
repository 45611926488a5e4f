"""Spectra of the sources of a catalog in the fibers of one head: those whose light overlaps together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ifuview.engine.spectra.field.extract import extract_points
from ifuview.engine.spectra.field.lenslet import Lenslets, source_share
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

APART = 4.5  # widths: sources nearer to each other are extracted together
TOGETHER = 12  # sources at most that are
RADIUS = 4.0  # arcsec, of the fibers used
INSIDE = 0.75  # of the usual share, that fibers catch of a source inside of the field, wherever it lies between them
LEAST = 0.05  # of a source's light in usable fibers, below which there is no spectrum


@dataclass(frozen=True, slots=True, eq=False)
class SourceLight:
    """Spectrum of a source, and the share of what all fibers would catch that usable ones did."""

    spectrum: SourceSpectrum
    caught: float


def hexagon_cover(x: Array, y: Array, lenslets: Lenslets, count: int) -> float:
    """Share of a source's light that fibers of `count` dithered exposures catch in the middle of a field.

    Parameters
    ----------
    x, y : ndarray, shape (nfiber,), arcsec
        Of one exposure, in a hexagonal pattern.
    lenslets : Lenslets
    count : int
    """
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    apart[apart < lenslets.size / 2] = np.inf
    pitch = float(np.median(apart.min(axis=1)))
    return min(count * lenslets.area / (np.sqrt(3) / 2 * pitch**2), 1.0)


def extract_sources(
    spectra: FiberSpectra, sky: Array, sources: tuple[SourceFit, ...], lenslets: Lenslets, cover: float
) -> tuple[SourceLight | None, ...]:
    """Extract each source; None for one with less than LEAST of its light in usable fibers.

    Parameters
    ----------
    spectra : FiberSpectra
        Of all exposures of the head, on one grid, without sky.
    sky : ndarray, shape (nfiber, nwave)
    sources : tuple of SourceFit
    lenslets : Lenslets
        Dithers included.
    cover : float
        As `hexagon_cover`.
    """
    usable = spectra.usable() & (spectra.variance > 0)
    alive = usable.mean(axis=1)
    caught, whole = np.zeros(len(sources)), np.full(len(sources), INSIDE * cover)
    for n, source in enumerate(sources):
        near = np.hypot(lenslets.x - source.x, lenslets.y - source.y) < RADIUS + source.fwhm
        own = Lenslets(lenslets.x[near], lenslets.y[near], lenslets.size, lenslets.face)
        if near.any():
            middle = np.array([source.wave - 1.0, source.wave, source.wave + 1.0])
            share = source_share(source, own, middle)[:, 1]
            caught[n], whole[n] = float(share @ alive[near]), max(float(share.sum()), INSIDE * cover)
    out: list[SourceLight | None] = [None] * len(sources)
    for group in _groups(sources, caught > LEAST):
        found = extract_points(spectra, sky, tuple(sources[n] for n in group), lenslets, radius=RADIUS)
        for n, spectrum in zip(group, found, strict=True):
            out[n] = SourceLight(spectrum, float(caught[n] / whole[n]))
    return tuple(out)


def _groups(sources: tuple[SourceFit, ...], lit: Array) -> list[list[int]]:
    """Sources by chains of those that overlap; long chains are cut."""
    number = np.flatnonzero(lit)
    if not number.size:
        return []
    x, y = (np.array([getattr(sources[n], axis) for n in number]) for axis in ("x", "y"))
    width = np.array([sources[n].fwhm for n in number])
    close = np.hypot(x[:, None] - x, y[:, None] - y) < APART * width
    label = connected_components(csr_array(close), directed=False)[1]
    out = []
    for one in np.unique(label):
        own = number[label == one].tolist()
        out += [own[k : k + TOGETHER] for k in range(0, len(own), TOGETHER)]
    return out

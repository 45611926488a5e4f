"""Spectra of the sources of a catalog in the fibers of one head: those whose light overlaps together.

Where a field is so crowded that all overlap, those that are closest to each other are extracted together, and the light
of all others, as it is known so far, is taken off before: in turns (Gauss and Seidel) until nothing moves any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ifuview.engine.spectra.field.extract import extract_points
from ifuview.engine.spectra.field.lenslet import Lenslets, source_share
from ifuview.engine.spectra.stars.put import add_light
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

APART = 4.5  # widths: sources nearer to each other are extracted together
TOGETHER = 12  # sources at most that are
TURNS = 4  # of parts of a crowded field
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
    for chain in _chains(sources, caught > LEAST):
        found = _extract_chain(spectra, sky, tuple(sources[n] for n in chain), lenslets)
        for n, spectrum in zip(chain, found, strict=True):
            out[n] = SourceLight(spectrum, float(caught[n] / whole[n]))
    return tuple(out)


def _extract_chain(
    spectra: FiberSpectra, sky: Array, sources: tuple[SourceFit, ...], lenslets: Lenslets
) -> list[SourceSpectrum]:
    """Sources that overlap, all together or, where they are many, in parts."""
    parts = _parts(sources)
    if len(parts) == 1:
        return list(extract_points(spectra, sky, sources, lenslets, radius=RADIUS))
    left = np.array(spectra.flux)
    found: dict[int, SourceSpectrum] = {}
    for _ in range(TURNS):
        for part in parts:
            for n in part:
                if n in found:
                    add_light(left, lenslets, sources[n], found[n].wave, found[n].flux)
            rest = replace(spectra, flux=left)
            new = extract_points(rest, sky, tuple(sources[n] for n in part), lenslets, radius=RADIUS)
            found |= dict(zip(part, new, strict=True))
            for n in part:
                add_light(left, lenslets, sources[n], found[n].wave, -found[n].flux)
    return [found[n] for n in range(len(sources))]


def _chains(sources: tuple[SourceFit, ...], lit: Array) -> list[list[int]]:
    """Sources by chains of those that overlap."""
    number = np.flatnonzero(lit)
    if not number.size:
        return []
    own = [sources[n] for n in number]
    width = np.array([one.fwhm for one in own])
    label = connected_components(csr_array(_distance(own) < APART * width), directed=False)[1]
    return [number[label == one].tolist() for one in np.unique(label)]


def _parts(sources: Sequence[SourceFit]) -> list[list[int]]:
    """Sources in parts of at most TOGETHER, the closest pairs in one."""
    count = len(sources)
    part = list(range(count))
    if count <= TOGETHER:
        return [part]
    first, second = np.triu_indices(count, 1)
    apart = _distance(sources)[first, second]
    for pair in np.argsort(apart, kind="stable"):
        one, other = part[first[pair]], part[second[pair]]
        if one != other and part.count(one) + part.count(other) <= TOGETHER:
            part = [one if n == other else n for n in part]
    return [[n for n in range(count) if part[n] == one] for one in dict.fromkeys(part)]


def _distance(sources: Sequence[SourceFit]) -> Array:
    """Distance of each source from each, arcsec."""
    x, y = (np.array([getattr(one, axis) for one in sources]) for axis in ("x", "y"))
    return np.asarray(np.hypot(x[:, None] - x, y[:, None] - y))

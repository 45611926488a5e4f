"""Spectra of the sources of a catalog in the fibers of one head: those whose light overlaps together.

Where a field is so crowded that all overlap, those that are closest to each other are extracted together, and the light
of all others, as it is known so far, is taken off before: in turns (Gauss and Seidel) until nothing moves any more.
A source on the light of a galaxy is extracted again with a polynomial of place beside, if that changes its flux by much
more than chance: the test of Hausman (1978), as the plain flux has the least variance and the other one no bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from ifuview.engine.spectra.field.extract import PointSystem, extract_points, point_spectra
from ifuview.engine.spectra.field.lenslet import KeptShares, Lenslets, share_at
from ifuview.engine.spectra.stars.places import BLENDED, SettledPlaces
from ifuview.engine.spectra.stars.put import add_light
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

APART = 4.5  # widths: sources nearer to each other are extracted together
TOGETHER = 12  # sources at most that are
TURNS = 4  # of parts of a crowded field
RADIUS = 4.0  # arcsec, of the fibers used
INSIDE = 0.75  # of the usual share, that fibers catch of a source inside of the field, wherever it lies between them
AROUND, DEGREE = 6.0, 2  # arcsec, of the fibers that tell the light under a source, and of its polynomial
WIDE = 2.7  # widths, the same where seeing is bad
ALONGSIDE = 2.0  # widths: sources this near are extracted together with it
CHANGED, UNLIKE = 5.0, 0.02  # sigma, and share of the flux that errors of the profile may make: what has to change
CORRELATED = 2.3  # variance of the mean of samples on a grid, over that of independent ones
LEAST_FIBERS = 15
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


def blended_by(x: Array, y: Array, magnitude: Array, fwhm: float) -> NDArray[np.float64]:
    """By how much the light of neighbors that are not told apart moves the middle of each source at most.

    Parameters
    ----------
    x, y : ndarray, shape (n,), arcsec
    magnitude : ndarray, shape (n,)
    fwhm : float, arcsec

    Returns
    -------
    ndarray, shape (n,), arcsec
    """
    place = np.stack([x, y], axis=1)
    near = KDTree(place).query_pairs(BLENDED * fwhm, output_type="ndarray")
    out = np.zeros(len(place))
    for one, other in (near.T, near.T[::-1]):
        share = 1 / (1 + 10 ** (0.4 * (magnitude[other] - magnitude[one])))  # of the other one in the light of both
        np.add.at(out, one, np.hypot(*(place[one] - place[other]).T) * share)
    return out


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
        if near.any():
            share = share_at(source, lenslets.some(near), np.array([source.wave]))[:, 0]
            caught[n], whole[n] = float(share @ alive[near]), max(float(share.sum()), INSIDE * cover)
    shares = KeptShares(lenslets, spectra.wave)
    found: dict[int, SourceSpectrum] = {}
    for chain in _chains(sources, caught > LEAST):
        together = _extract_chain(spectra, sky, tuple(sources[n] for n in chain), shares)
        found |= dict(zip(chain, together, strict=True))
    _take_background(spectra, sky, sources, shares, found)
    return tuple(
        SourceLight(found[n], float(caught[n] / whole[n])) if n in found else None for n in range(len(sources))
    )


def with_errors_of(places: SettledPlaces, found: tuple[SourceLight | None, ...]) -> tuple[SourceLight | None, ...]:
    """The spectra of the sources of `places` with what the errors of these add to their errors."""
    some = next((one for one in found if one is not None), None)
    if some is None:
        return found
    nothing = np.zeros(some.spectrum.flux.size)
    more = places.variance(np.stack([nothing if one is None else np.maximum(one.spectrum.flux, 0) for one in found]))
    out: list[SourceLight | None] = []
    for one, own in zip(found, more, strict=True):
        if one is not None and own.any():
            known = one.spectrum.variance > 0
            one = replace(one, spectrum=replace(one.spectrum, variance=one.spectrum.variance + np.where(known, own, 0)))
        out.append(one)
    return tuple(out)


def _take_background(
    spectra: FiberSpectra, sky: Array, sources: tuple[SourceFit, ...], shares: KeptShares,
    found: dict[int, SourceSpectrum],
) -> None:  # fmt: skip
    """Put spectra with the light under them taken off in the place of those `found` that it changes."""
    left = np.array(spectra.flux)
    for n, one in found.items():
        add_light(left, shares, sources[n], -one.flux)
    asked = list(found)
    for _ in range(2):  # the light of neighbors has changed after the first turn
        changed = []
        for n in asked:
            new = _on_background(spectra, sky, left, n, sources, shares, found)
            if new is not None:
                changed.append(n)
                add_light(left, shares, sources[n], found[n].flux - new.flux)
                found[n] = new
        asked = changed if len(changed) > 1 else []


def _on_background(
    spectra: FiberSpectra, sky: Array, left: Array, number: int, sources: tuple[SourceFit, ...], shares: KeptShares,
    found: dict[int, SourceSpectrum],
) -> SourceSpectrum | None:  # fmt: skip
    """Spectrum of a source with the light around it fitted beside; None where that tells nothing new."""
    source, lenslets = sources[number], shares.lenslets
    distance = {m: float(np.hypot(sources[m].x - source.x, sources[m].y - source.y)) for m in found}
    joint = [m for m in sorted(found, key=distance.__getitem__) if distance[m] < ALONGSIDE * source.fwhm][:TOGETHER]
    near = np.hypot(lenslets.x - source.x, lenslets.y - source.y) < max(AROUND, WIDE * source.fwhm)
    if near.sum() < LEAST_FIBERS + len(joint):
        return None
    share = np.stack([shares.of(sources[m], near) for m in joint])
    flux = left[near] + np.einsum("ikw,iw->kw", share, np.stack([found[m].flux for m in joint]))
    part = replace(spectra.some(near), flux=flux)
    system = PointSystem(part, share, lenslets.some(near), DEGREE)
    plain, other = (
        point_spectra(part, sky[near], (source,), share[:1], system.gain(1, count), AROUND)[0]
        for count in (len(joint), None)
    )
    known = (plain.variance > 0) & (other.variance > plain.variance)
    if not known.any():
        return None
    weight = 1 / (other.variance - plain.variance)[known]
    change = float(np.average((plain.flux - other.flux)[known], weights=weight))
    level = float(np.average(other.flux[known], weights=weight))
    error = float(np.sqrt(CORRELATED / weight.sum()))
    return other if abs(change) > CHANGED * error and abs(change) > UNLIKE * abs(level) else None


def _extract_chain(
    spectra: FiberSpectra, sky: Array, sources: tuple[SourceFit, ...], shares: KeptShares
) -> list[SourceSpectrum]:
    """Sources that overlap, all together or, where they are many, in parts."""
    parts = _parts(sources)
    if len(parts) == 1:
        return list(extract_points(spectra, sky, sources, shares.lenslets, radius=RADIUS, shares=shares))
    left = np.array(spectra.flux)
    found: dict[int, SourceSpectrum] = {}
    for _ in range(TURNS):
        for part in parts:
            for n in part:
                if n in found:
                    add_light(left, shares, sources[n], found[n].flux)
            rest, own = replace(spectra, flux=left), tuple(sources[n] for n in part)
            new = extract_points(rest, sky, own, shares.lenslets, radius=RADIUS, shares=shares)
            found |= dict(zip(part, new, strict=True))
            for n in part:
                add_light(left, shares, sources[n], -found[n].flux)
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

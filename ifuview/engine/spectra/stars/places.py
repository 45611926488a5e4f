"""Places of sources that are one peak with a neighbor, by the light of all and by what a catalog says of each.

Where two sources lie closer than their profile is wide, an error of their places moves light from one to the other:
0.04 arcsec at a distance of 0.6 are some 7 percent. The places are fitted together with the light of each in chunks of
wavelength, held near the catalog by its errors (variable projection, Golub & Pereyra 1973, with Gauss-Newton steps);
the width of the profile, which looks like a distance, is free within its error. What no profile describes counts as
error. What the places are not known by is an error of the light, the same at all wavelengths.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ifuview.engine.spectra.field.blend import FieldPictures
from ifuview.engine.spectra.field.lenslet import SEEING_POWER, Lenslets, displacement, moffat_share, moffat_slopes
from ifuview.engine.spectra.field.point import FLOOR, TAIL
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit

BLENDED = 1.3  # widths: sources that are nearer to each other are one peak
CLOSE = 2.5  # widths: a source without one as near as that stays where it is
RADIUS = 4.0  # arcsec, of the fibers around a source that tell its place
BESIDE = 4.5  # widths: sources this near to one of a peak are fitted beside it, where they are
WIDTH = 0.01  # of the width, by which it differs in a head at least
ROUNDS, REWEIGHED, STEADY, MOST_STEP = 12, 3, 1e-3, 0.1  # arcsec


@dataclass(frozen=True, slots=True, eq=False)
class SettledPlaces:
    """Sources where they were found to lie.

    Parameters
    ----------
    sources : tuple of SourceFit
        With the errors of places that were fitted, and the width of their peak.
    peak : ndarray of int, shape (n,)
        Sources of the same number are one peak.
    moved : ndarray, shape (n,)
        Error of a source's light that is owed to the places, over the light of its whole peak.
    """

    sources: tuple[SourceFit, ...]
    peak: NDArray[np.intp]
    moved: NDArray[np.float64]

    def variance(self, flux: Array) -> NDArray[np.float64]:
        """What the errors of the places add to the variance of the sources' spectra, both (n, nwave)."""
        whole = np.zeros((int(self.peak.max(initial=-1)) + 1, flux.shape[1]))
        np.add.at(whole, self.peak, flux)
        return np.asarray((self.moved[:, None] * whole[self.peak]) ** 2)


def settle_places(
    pictures: FieldPictures, lenslets: Lenslets, sources: tuple[SourceFit, ...], error: float
) -> SettledPlaces:
    """Find the places of sources that are one peak with others; all others stay.

    Parameters
    ----------
    pictures : FieldPictures
        Of the fibers of all exposures, without sky.
    lenslets : Lenslets
        Dithers included.
    sources : tuple of SourceFit
        Where the catalog has them, of one width and refraction.
    error : float, arcsec
        Of the catalog, along each axis.
    """
    place = np.array([[one.x, one.y] for one in sources]).reshape(-1, 2)
    apart = np.hypot(*(place[:, None] - place).T)
    width = np.array([one.fwhm for one in sources])
    peak = connected_components(csr_array(apart < BLENDED * width), directed=False)[1] if len(sources) else ()
    out, moved = list(sources), np.zeros(len(sources))
    for number in np.unique(peak):
        own = np.flatnonzero(peak == number)
        if own.size < 2 and (apart[own[0]] < CLOSE * width[own[0]]).sum() < 2:
            continue
        beside = np.setdiff1d(np.flatnonzero((apart[own] < BESIDE * width).any(axis=0)), own)
        found = _Peak(pictures, lenslets, sources[own[0]], place[own], place[beside], error)
        if not found.known:
            continue
        found.settle()
        moved[own] = found.moved_light()
        for n, (x, y), (dx, dy) in zip(own, found.place, found.errors(), strict=False):
            fwhm = float(sources[n].fwhm * np.exp(found.widened))
            out[n] = replace(sources[n], x=float(x), y=float(y), x_error=float(dx), y_error=float(dy), fwhm=fwhm)
    return SettledPlaces(tuple(out), np.asarray(peak, np.intp), moved)


class _Peak:
    """Sources of one peak, `place` (n, 2), and others at `beside`, whose places are fitted, too, but not told.

    Held where the catalog has them, neighbors within a few widths would move light, and pretend that all is known.
    """

    def __init__(
        self, pictures: FieldPictures, lenslets: Lenslets, like: SourceFit, place: Array, beside: Array, error: float
    ) -> None:
        near = (np.hypot(*(lenslets.x - place[:, :1], lenslets.y - place[:, 1:])) < RADIUS).any(axis=0)
        near &= np.isfinite(pictures.variance).any(axis=0)
        self.fibers, self.start, self.count, self.beta = (
            lenslets.some(near),
            np.concatenate([place, beside]),
            len(place),
            like.beta,
        )
        self.place = np.array(self.start)
        self.light, self.variance = pictures.light[:, near], pictures.variance[:, near]
        self.shift = np.stack(displacement(like.dar, pictures.wave), axis=1)
        self.width = like.fwhm * (pictures.wave / like.wave) ** SEEING_POWER
        self.widened = 0.0  # logarithm
        wide = np.hypot(WIDTH, np.nan_to_num(like.fwhm_error / like.fwhm))
        self.prior = 1 / np.append(np.full(self.place.size, error), wide) ** 2
        self.cover = np.diag(1 / self.prior)

    @property
    def known(self) -> bool:
        """Whether fibers tell anything."""
        return self.light.shape[1] > len(self.start) + 2

    def settle(self) -> None:
        """Move the places until they stay."""
        for n in range(ROUNDS):
            if n < REWEIGHED:
                self.weigh()
            slopes, left = self._projected()
            normal = slopes @ slopes.T + np.diag(self.prior)
            off = np.append((self.start - self.place).ravel(), -self.widened)
            step = np.clip(np.linalg.solve(normal, slopes @ left + self.prior * off), -MOST_STEP, MOST_STEP)
            self.place = self.place + step[:-1].reshape(-1, 2)
            self.widened += float(step[-1])
            self.cover = np.asarray(np.linalg.inv(normal))
            if n >= REWEIGHED and np.abs(step).max() < STEADY:
                break

    def errors(self) -> NDArray[np.float64]:
        """Of the places along x and y, those beside last, (nsource, 2)."""
        return np.sqrt(np.diag(self.cover)[:-1]).reshape(-1, 2)

    def weigh(self) -> None:
        """Weights with what the profiles do not describe, by the light as it is known."""
        known = np.isfinite(self.variance)
        weight = np.where(known, 1 / np.where(known, self.variance, 1.0), 0.0)
        share = self._shares()
        light = np.maximum(self._lights(share, np.sqrt(weight)), 0)
        each = light[:, :, None] * (FLOOR * share + TAIL * share.max(axis=2, keepdims=True))
        total = np.where(known, self.variance, 1.0) + each.sum(axis=0) ** 2
        self.root = np.where(known, 1 / np.sqrt(total), 0.0)

    def _shares(self) -> NDArray[np.float64]:
        """Share of each source in each chunk and fiber, those beside last."""
        width = np.exp(self.widened) * self.width
        return np.stack([moffat_share(self.fibers, x, y, width, self.beta) for x, y in self._displaced()])

    def _displaced(self) -> NDArray[np.float64]:
        """Places of all sources in each chunk, (nsource, 2, nchunk)."""
        return self.place[:, :, None] + self.shift.T

    def _lights(self, share: Array, root: Array) -> NDArray[np.float64]:
        """Light of each source in each chunk, (nsource, nchunk)."""
        basis = (root * share).transpose(1, 2, 0)
        return np.asarray((np.linalg.pinv(basis) @ (root * self.light)[:, :, None])[:, :, 0].T)

    def _slopes(self, light: Array) -> NDArray[np.float64]:
        """Change of the light in the fibers by x and y of each source and the width, weighted, (2 nsource + 1, ...)."""
        width, out, wider = np.exp(self.widened) * self.width, [], np.zeros(self.light.shape)
        for (x, y), own in zip(self._displaced(), light, strict=True):
            by = self.root * np.maximum(own, 0)[:, None]
            slopes = by * moffat_slopes(self.fibers, x, y, width, self.beta)
            out += list(slopes[1:3])
            wider += slopes[3]
        return np.stack([*out, wider])

    def _projected(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Slopes (2 nsource + 1, nsample) without what the light takes up, and what is left of the light (nsample,)."""
        share = self._shares()
        light = self._lights(share, self.root)
        base = np.linalg.qr((self.root * share).transpose(1, 2, 0))[0]
        slopes = self._slopes(light)
        slopes = slopes - np.einsum("cki,cji,pcj->pck", base, base, slopes, optimize=True)
        left = self.root * (self.light - np.einsum("ic,ick->ck", light, share))
        return slopes.reshape(len(slopes), -1), left.ravel()

    def moved_light(self) -> NDArray[np.float64]:
        """Error of the light of each source by the errors of the places, over the light of all of the peak."""
        share, count = self._shares(), self.count
        light = self._lights(share, self.root)
        inverse = np.linalg.pinv((self.root * share).transpose(1, 2, 0))
        by_place = np.einsum("cik,pck->cip", inverse, self._slopes(light), optimize=True)[:, :count]
        spread = np.einsum("cip,pq,ciq->ci", by_place, self.cover, by_place, optimize=True)
        whole = np.maximum(light[:count], 0).sum(axis=0).mean()
        return np.asarray(np.sqrt(spread.mean(axis=0)) / max(float(whole), 1e-300))

"""Spectra of point sources by their profile, all sources and a local background fitted together at each wavelength.

At each wavelength the fibers' light is amplitude x share plus a constant, by least squares with weights of the smooth
variance: for a faint source this is optimal extraction (Horne 1986), for a bright one, where the noise is that of its
own light, the sum over the fibers divided by the share they catch, which errors of the profile hardly touch. A variance
that followed the noise of its own samples would make the flux too low (at two electrons a sample by half a percent if
25 samples are averaged), so that what fibers differ by is smoothed widely along wavelength.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ifuview.engine.numeric.medians import known_medians
from ifuview.engine.spectra.field.lenslet import KeptShares, Lenslets
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

RADIUS = 3.5  # arcsec around a source, of the fibers used
SMOOTH = 25  # px, of the variance that weights are made of
FIBERS = 201  # px, likewise where only what fibers differ by counts
LEAST_SHARE = 0.3  # of the light that the usable fibers would catch: below it a sample is masked
LEAST_FIBERS = 3


def extract_points(
    spectra: FiberSpectra, sky: Array, sources: tuple[SourceFit, ...], lenslets: Lenslets, *, radius: float = RADIUS,
    degree: int | None = None, shares: KeptShares | None = None,
) -> tuple[SourceSpectrum, ...]:  # fmt: skip
    """Extract the spectrum of each source.

    Parameters
    ----------
    spectra : FiberSpectra
        Sky-subtracted, on one grid.
    sky : ndarray, shape (nfiber, nwave)
        What was taken off.
    sources : tuple of SourceFit
    lenslets : Lenslets
    radius : float, arcsec
        Of the fibers used around any of the sources.
    degree : int, optional
        Of a polynomial of place (0: a constant) that is fitted beside, for light that neither the sky model nor the
        sources hold. Costs noise.
    shares : KeptShares, optional
        Of the same fibers and wavelengths, where they serve more than once.

    Returns
    -------
    tuple of SourceSpectrum
        In the order of `sources`. Sky: that of the same fibers, for one fiber.

    Raises
    ------
    FitError
        No fiber lies near a source.
    """
    near = np.zeros(spectra.nfiber, bool)
    for source in sources:
        near |= np.hypot(lenslets.x - source.x, lenslets.y - source.y) < max(radius, 2 * source.fwhm)
    if near.sum() < LEAST_FIBERS:
        raise FitError("no fibers near the source")
    shares = shares or KeptShares(lenslets, spectra.wave)
    share = np.stack([shares.of(s, near) for s in sources])
    part = spectra.some(near)
    gain = PointSystem(part, share, lenslets.some(near), degree).gain(len(sources))
    return point_spectra(part, sky[near], sources, share, gain, radius)


class PointSystem:
    """Normal equations of sources, and of a polynomial of place beside them, at each wavelength.

    Parameters
    ----------
    spectra : FiberSpectra
        Of the fibers near the sources.
    share : ndarray, shape (nsource, nfiber, nwave)
    lenslets : Lenslets
    degree : int or None
        Of the polynomial; None: there is none.
    """

    def __init__(self, spectra: FiberSpectra, share: Array, lenslets: Lenslets, degree: int | None) -> None:
        self.weight = fiber_weight(spectra.variance, spectra.usable() & (spectra.variance > 0))
        smooth = () if degree is None else _polynomial(lenslets, degree)
        self.terms = np.concatenate([share, *(np.broadcast_to(one[:, None], share[:1].shape) for one in smooth)])
        self.normal = np.einsum("kw,ikw,jkw->wij", self.weight, self.terms, self.terms, optimize=True)

    def gain(self, wanted: int, count: int | None = None) -> NDArray[np.float64]:
        """What each sample adds to the flux of the first `wanted` sources, (wanted, nfiber, nwave).

        Of `count` terms fitted together, of all if None.
        """
        best = _inverse(self.normal[:, :count, :count])[:, :wanted]
        return np.asarray(np.einsum("wij,jkw,kw->ikw", best, self.terms[:count], self.weight, optimize=True))


def point_spectra(
    spectra: FiberSpectra, sky: Array, sources: tuple[SourceFit, ...], share: Array, gain: Array, radius: float
) -> tuple[SourceSpectrum, ...]:
    """Spectra of sources by what each sample adds to their flux; shapes as in `PointSystem`."""
    usable = spectra.usable() & (spectra.variance > 0)
    flux = np.einsum("ikw,kw->iw", gain, spectra.flux)
    variance = np.einsum("ikw,kw->iw", gain**2, spectra.variance)
    mean = gain / np.where(np.abs(gain).sum(axis=1) > 0, np.abs(gain).sum(axis=1), 1)[:, None]
    under = np.einsum("ikw,kw->iw", np.abs(mean), sky)
    under_variance = np.einsum("ikw,kw->iw", mean**2, spectra.variance)
    caught = np.einsum("ikw,kw->iw", share, usable)
    whole = share.sum(axis=1)
    lost = (caught < LEAST_SHARE * whole) | ~np.isfinite(variance) | (variance <= 0)
    bits = np.bitwise_or.reduce(np.where(usable, spectra.mask, 0), axis=0)
    empty = np.uint32(int(ReductionBit.NO_DATA))
    return tuple(
        SourceSpectrum(
            wave=np.asarray(spectra.wave), flux=np.where(lost[n], 0.0, flux[n]),
            variance=np.where(lost[n], 0.0, variance[n]), sky=under[n], sky_variance=under_variance[n],
            mask=np.where(lost[n], bits | empty, bits), fraction=caught[n], unit=spectra.unit, medium=spectra.medium,
            method=f"profile within {radius} arcsec, Moffat beta {one.beta:.2f}",
        )
        for n, one in enumerate(sources)
    )  # fmt: skip


def _polynomial(lenslets: Lenslets, degree: int) -> list[NDArray[np.float64]]:
    """Terms of a polynomial of place, each (nfiber,) and of about one."""
    x, y = lenslets.x - lenslets.x.mean(), lenslets.y - lenslets.y.mean()
    size = max(float(np.hypot(x, y).max()), lenslets.size)
    return [(x / size) ** i * (y / size) ** j for i in range(degree + 1) for j in range(degree + 1 - i)]


def fiber_weight(variance: Array, usable: Array) -> NDArray[np.float64]:
    """Inverse of the variance over the usual one at each wavelength, which is the same for all fibers, smoothed along
    wavelength; zero where not usable, shape (nfiber, nwave).
    """
    usual = known_medians(variance.T, usable.T, 1.0)
    return smooth_weight(variance / np.where(usual > 0, usual, 1.0), usable, FIBERS)


def smooth_weight(variance: Array, usable: Array, size: int = SMOOTH) -> NDArray[np.float64]:
    """Inverse of the variance smoothed along wavelength, zero where not usable; shape as given."""
    total = uniform_filter1d(np.where(usable, variance, 0.0).astype(np.float64), size, axis=1, mode="nearest")
    count = uniform_filter1d(usable.astype(np.float64), size, axis=1, mode="nearest")
    good = usable & (total > 0)
    return np.where(good, count / np.where(good, total, 1.0), 0.0)


def _inverse(normal: Array) -> NDArray[np.float64]:
    """Inverse of each matrix, zero where it has none."""
    size = normal.shape[-1]
    top = np.sqrt(np.abs(np.einsum("wii->wi", normal)))
    good = (top > 0).all(axis=1)
    scale = np.where(good[:, None], top, 1.0)
    unit = normal / scale[:, :, None] / scale[:, None, :]
    unit[~good] = np.eye(size)
    good &= np.linalg.det(unit) > 1e-6**size
    unit[~good] = np.eye(size)
    out = np.linalg.inv(unit) / scale[:, :, None] / scale[:, None, :]
    out[~good] = 0.0
    return out

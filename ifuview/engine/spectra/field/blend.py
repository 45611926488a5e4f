"""Several point sources measured together, where one's wings lie under another.

Pictures of the field in chunks of wavelength; in each chunk the light of every source and a constant are free, places
are their own, FWHM and beta are common. Variable projection, derivatives by differences.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ifuview.engine.spectra.field.lenslet import SEEING_POWER, Lenslets, displacement, moffat_share
from ifuview.engine.spectra.field.point import BETA, BETA_PRIOR, FLOOR
from ifuview.model.checks import Array
from ifuview.model.reduction.source import SourceFit

REACH = 1.5  # arcsec that a place may move
WIDTH = (np.log(0.5), np.log(6.0))  # of log FWHM
SHAPE = (1.8, 8.0)  # of beta
MOST = 40  # evaluations


@dataclass(frozen=True, slots=True, eq=False)
class FieldPictures:
    """Light of each fiber in chunks of wavelength.

    Parameters
    ----------
    wave : ndarray, shape (nchunk,), Angstrom
    light, variance : ndarray, shape (nchunk, nfiber)
        Variance infinite where nothing is known.
    """

    wave: Array
    light: Array
    variance: Array


def take_pictures(value: Array, weight: Array, wave: Array, chunks: int) -> FieldPictures:
    """Mean of the samples of each fiber in chunks, all samples of a column with one weight in all fibers."""
    edge = np.linspace(0, value.shape[1], chunks + 1).astype(int)[:-1]
    known = weight > 0
    column = np.median(weight[known.any(axis=1)], axis=0) if known.any() else np.ones(value.shape[1])
    total = np.add.reduceat(known * column, edge, axis=1).T
    light = np.add.reduceat(known * column * value, edge, axis=1, dtype=np.float64).T
    spread = np.add.reduceat(known * column**2 / np.where(known, weight, 1), edge, axis=1, dtype=np.float64).T
    good = total > 0
    by = np.where(good, total, 1.0)
    middle = np.add.reduceat(np.median(wave, axis=0), edge) / np.diff(np.append(edge, value.shape[1]))
    return FieldPictures(middle, light / by, np.where(good, spread / by**2, np.inf))


def fit_blend(
    pictures: FieldPictures, lenslets: Lenslets, dar: Array, sources: tuple[SourceFit, ...]
) -> tuple[SourceFit, ...]:
    """Measure sources together, from where they are."""
    count = len(sources)
    dx, dy = displacement(dar, pictures.wave)
    widen = (pictures.wave / sources[0].wave) ** SEEING_POWER
    unknown = ~np.isfinite(pictures.variance)
    floor = FLOOR * np.maximum(pictures.light, 0)
    root = np.where(unknown, 0.0, 1 / np.sqrt(np.where(unknown, 1.0, pictures.variance) + floor**2))
    light = np.where(unknown, 0.0, pictures.light)

    def residual(theta: Array) -> NDArray[np.float64]:
        width = np.exp(theta[-2]) * widen
        share = [moffat_share(lenslets, x + dx, y + dy, width, theta[-1]) for x, y in theta[:-2].reshape(-1, 2)]
        basis = np.stack([*share, np.ones_like(light)], axis=2) * root[:, :, None]
        normal = np.einsum("cfi,cfj->cij", basis, basis)
        right = np.einsum("cfi,cf->ci", basis, light * root)
        best = np.einsum("cij,cj->ci", np.linalg.pinv(normal, rcond=1e-10, hermitian=True), right)
        left = light * root - np.einsum("cfi,ci->cf", basis, best)
        return np.append(left.ravel(), (theta[-1] - BETA) / BETA_PRIOR)

    places = np.array([[s.x, s.y] for s in sources]).ravel()
    start = np.append(places, [np.log(min(s.fwhm for s in sources)), BETA])
    start[-2] = np.clip(start[-2], WIDTH[0] + 0.01, WIDTH[1] - 0.01)
    low, high = np.append(places - REACH, [WIDTH[0], SHAPE[0]]), np.append(places + REACH, [WIDTH[1], SHAPE[1]])
    found = least_squares(residual, start, bounds=(low, high), max_nfev=MOST, x_scale="jac")
    free = max(int((root > 0).sum()) - (count + 1) * light.shape[0] - start.size, 1)
    chi2 = 2 * float(found.cost) / free
    error = np.sqrt(np.diag(np.linalg.pinv(found.jac.T @ found.jac)) * max(chi2, 1.0))
    fwhm, beta = float(np.exp(found.x[-2])), float(found.x[-1])
    return tuple(
        replace(
            s, x=float(found.x[2 * n]), y=float(found.x[2 * n + 1]), x_error=float(error[2 * n]),
            y_error=float(error[2 * n + 1]), fwhm=fwhm, fwhm_error=fwhm * float(error[-2]), beta=beta, chi2=chi2,
        )
        for n, s in enumerate(sources)
    )  # fmt: skip

"""How far an exposure's wavelengths lie off those of the lamps: from the light of the night sky, with its error.

All fibers show the same sky, whose spectrum is known well enough, at other fractions of a pixel: pieces of columns are
compared with it. What pieces differ by beyond their errors is part of the error of the shift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, known_medians
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution

LEAST_SNR = 15.0  # of a piece in all fibers together
ROUNDS = 5
MAX_SHIFT = 3.0  # px
BRIGHTEST = 0.25  # share of the fibers, those with the brightest continuum, that are left out: light of a source
LEAST_PIECES = 3
CLIP = 4.0  # sigma, of pieces against each other
PIECE = 96  # columns that are compared with a known sky at a time
PIECE_USABLE = 0.8  # share of them that must be usable in a fiber
MAX_ERROR = 0.3  # px, of a piece that counts
KNOWN = 0.03  # px, how well the wavelengths of a known sky are known (scatter of published solutions: 0.022 to 0.029)
SURE = 3.0  # sigma from which a shift is told from none


@dataclass(frozen=True, slots=True, eq=False)
class SkyShift:
    """Shift of the light of an exposure along columns against a solution of wavelengths.

    Parameters
    ----------
    shift, error : float, px
        Positive: the sky lies at larger columns. NaN where there is too little of it.
    line, offset, offset_error : ndarray, shape (npiece,)
        Wavelength (Angstrom) of each piece looked at and its own shift (px); NaN where it says nothing.
    used : ndarray of bool, shape (npiece,)
    notes : tuple of str
    """

    shift: float
    error: float
    line: NDArray[np.float64]
    offset: NDArray[np.float64]
    offset_error: NDArray[np.float64]
    used: NDArray[np.bool_]
    notes: tuple[str, ...] = field(default=())

    @property
    def sure(self) -> bool:
        """Whether the shift differs from none by more than its error explains."""
        return bool(abs(self.shift) > SURE * self.error)


def _faint_fibers(flux: Array, usable: Array) -> NDArray[np.intp]:
    """Fibers without the brightest ones."""
    level = known_medians(flux, usable, np.inf)
    lit = np.isfinite(level)
    if not lit.any():
        return np.zeros(0, np.intp)
    return np.flatnonzero(lit & (level <= np.quantile(level[lit], 1 - BRIGHTEST)))


def _without_level(values: Array, weight: Array, level: tuple[Array, Array]) -> NDArray[np.float64]:
    """Values of each fiber less the straight line that fits them best."""
    one, along = level
    total = weight.sum(axis=1, keepdims=True)
    middle = along - (weight * along).sum(axis=1, keepdims=True) / total
    out = values - (weight * values).sum(axis=1, keepdims=True) / total * one
    slope = (weight * out * middle).sum(axis=1, keepdims=True) / (weight * middle**2).sum(axis=1, keepdims=True)
    return np.asarray(out - slope * middle)


def _mean(offset: Array, error: Array, seen: Array) -> tuple[float, float, NDArray[np.bool_]]:
    """Mean of the pieces, with what they differ by beyond their errors in its error; those that agree."""
    used = np.asarray(seen).copy()
    scatter = 0.0
    shift = float(np.median(offset[used]))
    for _ in range(ROUNDS):
        off = offset - shift
        square = (MAD_TO_SIGMA * float(np.median(np.abs(off[used])))) ** 2
        scatter = math.sqrt(max(square - float(np.median(error[used])) ** 2, 0.0))
        total = np.hypot(error, scatter)
        with np.errstate(invalid="ignore"):
            used = seen & (np.abs(off) < CLIP * np.maximum(total, 1e-3))
        if used.sum() < LEAST_PIECES:
            used = np.asarray(seen).copy()
        weight = np.where(used, 1 / np.where(used, total, 1) ** 2, 0)
        shift = float((weight * np.where(used, offset, 0)).sum() / weight.sum())
    chi2 = float((weight * np.where(used, offset - shift, 0) ** 2).sum()) / max(int(used.sum()) - 1, 1)
    return shift, float(np.sqrt(max(chi2, 1.0) / weight.sum())), used


def moved(solution: WaveSolution, shift: SkyShift) -> WaveSolution:
    """The solution of an exposure whose sky lies off by a shift, the error of which is then in its error.

    A shift that is not sure leaves the solution as it is, and that is noted.
    """
    if not shift.sure:
        stays = "; that is not sure: wavelengths stay as the lamps have them" if math.isfinite(shift.shift) else ""
        return replace(solution, notes=(*solution.notes, *(f"{note}{stays}" for note in shift.notes)))
    step = np.gradient(solution.wave, axis=1)
    return replace(
        solution,
        wave=solution.wave - shift.shift * step,
        error=np.hypot(solution.error, shift.error * np.abs(step)).astype(np.float32),
        notes=(*solution.notes, *shift.notes),
    )


def measure_sky_match(spectra: FiberSpectra, wave: Array, flux: Array) -> SkyShift:
    """Return the shift of the sky against a known spectrum of it, piece by piece.

    Every piece of columns has an amplitude and a shift of its own and each fiber a straight level, so that a sky of
    other brightness and lines of other strength do not matter; pieces without structure say nothing. Sharper than a
    list of lines, whose blends have no one wavelength, but right only as far as the known spectrum is.

    Parameters
    ----------
    spectra : FiberSpectra
        Of the exposure, with the wavelengths of the lamps.
    wave, flux : ndarray, shape (n,), Angstrom, any unit
        The sky at the resolution of the spectra, in their medium.
    """
    own = np.broadcast_to(spectra.wave, spectra.flux.shape)
    usable = spectra.usable() & np.isfinite(own)
    rows = _faint_fibers(spectra.flux, usable)
    starts = np.arange(PIECE // 4, own.shape[1] - PIECE, PIECE)
    place, offset, error = (np.full(starts.size, np.nan) for _ in range(3))
    for n, x in enumerate(starts):
        at = np.arange(x, x + PIECE)
        good = usable[rows][:, at]
        k = rows[good.mean(axis=1) > PIECE_USABLE]
        if k.size < 2:
            continue
        place[n] = float(np.median(own[k][:, at]))
        if place[n] - wave[0] < PIECE or wave[-1] - place[n] < PIECE:
            continue
        piece = slice(x, x + PIECE)
        offset[n], error[n] = _piece_shift(spectra, own, usable, k, piece, wave, flux)
    seen = np.isfinite(offset)
    known = np.isfinite(place)
    if seen.sum() < LEAST_PIECES:
        note = "the sky has too little structure to tell a shift: wavelengths stay as the lamps have them"
        return SkyShift(math.nan, math.nan, place[known], offset[known], error[known], seen[known], (note,))
    shift, sigma, used = _mean(offset, error, seen)
    sigma = math.hypot(sigma, KNOWN)
    note = f"the sky lies {shift:+.3f} +- {sigma:.3f} px off the lamps ({int(used.sum())} pieces)"
    return SkyShift(shift, sigma, place[known], offset[known], error[known], used[known], (note,))


def _piece_shift(
    spectra: FiberSpectra, own: Array, usable: Array, rows: Array, piece: slice, wave: Array, flux: Array
) -> tuple[float, float]:
    """Shift of one piece of columns in some fibers and its error; NaN where there is too little structure."""
    value, good, at = spectra.flux[rows, piece].astype(float), usable[rows, piece], own[rows, piece]
    noise = np.where(good, spectra.variance[rows, piece], np.inf)
    typical = np.median(np.where(good, noise, np.median(noise[good])), axis=0)
    weight = np.where(good, 1 / typical, 0)
    columns = np.broadcast_to(np.arange(value.shape[1], dtype=float), value.shape)
    level = (np.ones_like(value), columns - columns.mean())
    left = _without_level(np.where(good, value, 0), weight, level)
    step = np.gradient(at, axis=1)
    shift, error = 0.0, math.nan
    for _ in range(ROUNDS):
        sky = np.interp(at - shift * step, wave, flux)
        slope = -np.gradient(sky, axis=1)  # of a shift to larger columns
        terms = [_without_level(t, weight, level) for t in (sky, slope)]
        normal = np.array([[(weight * a * b).sum() for a in terms] for b in terms])
        if not np.linalg.det(normal) > 0:
            return math.nan, math.nan
        amount, moving = np.linalg.solve(normal, [(weight * t * left).sum() for t in terms])
        chi2 = float((weight * (left - amount * terms[0] - moving * terms[1]) ** 2).sum() / max(good.sum(), 1))
        spread = np.linalg.inv(normal) * max(chi2, 1.0)
        if amount < LEAST_SNR * math.sqrt(spread[0, 0]):
            return math.nan, math.nan
        error = math.sqrt(spread[1, 1]) / amount
        shift += float(np.clip(moving / amount, -1, 1))
        if abs(shift) > MAX_SHIFT:
            return math.nan, math.nan
    return (shift, error) if error < MAX_ERROR else (math.nan, math.nan)

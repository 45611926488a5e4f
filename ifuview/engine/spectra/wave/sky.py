"""How far an exposure's wavelengths lie off those of the lamps: from the light of the night sky, with its error.

All fibers show the same sky, whose spectrum is known well enough, at other fractions of a pixel: pieces of columns are
compared with it. What pieces differ by beyond their errors is part of the error of the shift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ifuview.engine.numeric.medians import MAD_TO_SIGMA, known_medians
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.reduction.tables import WaveCurve

LEAST_SNR = 15.0  # of a piece in all fibers together
ROUNDS = 5
MAX_SHIFT = 3.0  # px
BRIGHTEST = 0.25  # share of the fibers, those with the brightest continuum, that are left out: light of a source
LEAST_PIECES = 3
CLIP = 4.0  # sigma, of pieces against each other
PIECE = 96  # columns that are compared with a known sky at a time
PIECE_USABLE = 0.8  # share of them that must be usable in a fiber
MAX_ERROR = 0.3  # px, of a piece that counts
KNOWN = 0.02  # Angstrom, how well a known sky has its wavelengths (scatter of the published solutions: 0.014, 0.027)
SETTLED = 1e-4  # px
TINY = 1e-12


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
    common : float, px
        Part of the error that all exposures have alike: how well the known sky has its wavelengths.
    """

    shift: float
    error: float
    line: NDArray[np.float64]
    offset: NDArray[np.float64]
    offset_error: NDArray[np.float64]
    used: NDArray[np.bool_]
    notes: tuple[str, ...] = field(default=())
    common: float = 0.0

    @property
    def applied(self) -> float:
        """The shift as far as it is more than its error, px: times 1 - (error/shift)^2, which is what is to be expected
        of it where nothing but itself tells how large shifts are (James & Stein 1961); 0 where none is known."""
        if not abs(self.shift) > self.error:
            return 0.0
        return self.shift * (1 - (self.error / self.shift) ** 2)

    def told(self) -> SkyShift:
        """The same, its shift in words."""
        words = f"the sky lies {self.shift:+.3f} +- {self.error:.3f} px off the lamps ({int(self.used.sum())} pieces)"
        stays = "" if self.applied else "; that is no more than its error: wavelengths stay as the lamps have them"
        return replace(self, notes=(words + stays,))


def _faint_fibers(flux: Array, usable: Array) -> NDArray[np.intp]:
    """Fibers without the brightest ones."""
    level = known_medians(flux, usable, np.inf)
    lit = np.isfinite(level)
    if not lit.any():
        return np.zeros(0, np.intp)
    return np.flatnonzero(lit & (level <= np.quantile(level[lit], 1 - BRIGHTEST)))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
def _take_levels(values: Array, weight: Array, along: Array) -> None:
    """Take off each fiber's values (nterm, nfiber, n) the straight line that fits them best, weights (nfiber, n)."""
    n = along.size
    for k in range(weight.shape[0]):
        w = weight[k]
        total = first = second = 0.0
        for i in range(n):
            total += w[i]
            first += w[i] * along[i]
            second += w[i] * along[i] * along[i]
        middle = first / total
        square = second - first * middle
        for t in range(values.shape[0]):
            v = values[t, k]
            mean = slope = 0.0
            for i in range(n):
                mean += w[i] * v[i]
                slope += w[i] * v[i] * (along[i] - middle)
            mean, slope = mean / total, slope / square
            for i in range(n):
                v[i] -= mean + slope * (along[i] - middle)


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
    """The solution of an exposure whose sky lies off by a shift, the error of which is then in its error."""
    notes = (*solution.notes, *shift.notes)
    if not shift.applied:
        return replace(solution, notes=notes)
    step = np.gradient(solution.wave, axis=1)
    return replace(
        solution,
        wave=solution.wave - shift.applied * step,
        error=np.hypot(solution.error, shift.error * np.abs(step)).astype(np.float32),
        notes=notes,
    )


def measure_sky_match(spectra: FiberSpectra, skies: Sequence[WaveCurve]) -> SkyShift:
    """Return the shift of the sky against known spectra of it, piece by piece.

    The sky is a mixture of those known. Every piece of columns has an amplitude, a change of it along the columns, a
    width and a shift of its own and each fiber a straight level, so that a sky of other brightness, lines of other
    strength and a detector of other resolution do not matter; pieces without structure say nothing. Sharper than a
    list of lines, whose blends have no one wavelength, but right only as far as the known spectra are.

    Parameters
    ----------
    spectra : FiberSpectra
        Of the exposure, with the wavelengths of the lamps.
    skies : sequence of WaveCurve
        As the moon changes it, at about the resolution of the spectra and in their medium; electrons for each Angstrom
        on any scale. All on the wavelengths of the first.
    """
    own = np.broadcast_to(spectra.wave, spectra.flux.shape)
    usable = spectra.usable() & np.isfinite(own)
    wave, known = skies[0].wave, np.array([one.value / np.median(one.value) for one in skies])
    pieces = _pieces(spectra, own, usable, (float(wave[0]), float(wave[-1])))
    flux = _mixture(pieces, wave, known)
    found = np.array([_piece_shift(piece, wave, flux) for piece in pieces]).reshape(-1, 2)
    place, (offset, error) = np.array([piece.place for piece in pieces]), found.T
    seen = np.isfinite(offset)
    if seen.sum() < LEAST_PIECES:
        note = "the sky has too little structure to tell a shift: wavelengths stay as the lamps have them"
        return SkyShift(math.nan, math.nan, place, offset, error, seen, (note,))
    shift, sigma, used = _mean(offset, error, seen)
    common = KNOWN / float(np.median(np.concatenate([np.abs(piece.step).ravel() for piece in pieces])))
    return SkyShift(shift, math.hypot(sigma, common), place, offset, error, used, common=common).told()


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Some columns of some fibers: wavelengths and steps, weights, where columns lie (-1 to 1), light without level."""

    place: float
    wave: Array
    step: Array
    weight: Array
    along: Array
    left: Array
    count: int

    def terms(self, *values: Array) -> NDArray[np.float64]:
        """Values without what a level explains, (nterm, nfiber, n)."""
        out = np.stack(values)
        _take_levels(out, self.weight, self.along)
        return out

    def normal(self, terms: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Products of terms with each other, and with what is left."""
        flat = terms.reshape(len(terms), -1)
        heavy = flat * self.weight.ravel()
        return heavy @ flat.T, heavy @ self.left.ravel()


def _pieces(spectra: FiberSpectra, own: Array, usable: Array, known: tuple[float, float]) -> list[_Piece]:
    """All pieces of columns whose wavelengths are known ones, in faint fibers."""
    rows = _faint_fibers(spectra.flux, usable)
    out = []
    for x in range(PIECE // 4, own.shape[1] - PIECE, PIECE):
        at = slice(x, x + PIECE)
        k = rows[usable[rows, at].mean(axis=1) > PIECE_USABLE]
        if k.size < 2:
            continue
        wave, good = own[k, at].astype(float), usable[k, at]
        step = np.gradient(wave, axis=1)
        room = MAX_SHIFT * np.abs(step).max()
        if np.nanmin(wave) - known[0] < room or known[1] - np.nanmax(wave) < room:
            continue
        value = np.where(good, spectra.flux[k, at], 0).astype(float)
        noise = np.where(good, spectra.variance[k, at], np.inf)
        typical = np.median(np.where(good, noise, np.median(noise[good])), axis=0)
        weight = np.where(good, 1 / typical, 0)
        columns = np.linspace(-1, 1, PIECE)
        _take_levels(value[None], weight, columns)
        out.append(_Piece(float(np.median(wave)), wave, step, weight, columns, value, max(int(good.sum()), 1)))
    return out


def _mixture(pieces: Sequence[_Piece], wave: Array, known: Array) -> NDArray[np.float64]:
    """The mixture of known skies that is nearest to all pieces together."""
    from scipy.optimize import nnls

    if len(known) == 1 or not pieces:
        return np.asarray(known[0])
    normal, right = np.zeros((len(known),) * 2), np.zeros(len(known))
    for piece in pieces:
        own = piece.normal(piece.terms(*(np.interp(piece.wave, wave, one) * piece.step for one in known)))
        normal, right = normal + own[0], right + own[1]
    values, vectors = np.linalg.eigh(normal)
    root = np.sqrt(np.maximum(values, values[-1] * TINY))
    share, _ = nnls((vectors * root).T, (vectors / root).T @ right)
    return np.asarray(share @ known) if share.any() else np.asarray(known[0])


def _piece_shift(piece: _Piece, wave: Array, flux: Array) -> tuple[float, float]:
    """Shift of one piece and its error; NaN where there is too little structure."""
    curved = np.gradient(np.gradient(flux, wave), wave)
    shift, error = 0.0, math.nan
    for _ in range(ROUNDS):
        at = piece.wave - shift * piece.step
        sky = np.interp(at, wave, flux) * piece.step
        slope = -np.gradient(sky, axis=1)  # of a shift to larger columns
        terms = piece.terms(sky, slope, np.interp(at, wave, curved), sky * piece.along)
        normal, right = piece.normal(terms)
        scale = np.sqrt(np.diag(normal))
        if not (scale > 0).all():
            return math.nan, math.nan
        spread = np.linalg.pinv(normal / np.outer(scale, scale), hermitian=True) / np.outer(scale, scale)
        amount = spread @ right
        left = piece.left - np.tensordot(amount, terms, 1)
        chi2 = float((piece.weight * left**2).sum() / piece.count)
        spread = spread * max(chi2, 1.0)
        if not amount[0] > LEAST_SNR * math.sqrt(spread[0, 0]):
            return math.nan, math.nan
        error = math.sqrt(spread[1, 1]) / amount[0]
        step = float(np.clip(amount[1] / amount[0], -1, 1))
        shift += step
        if abs(shift) > MAX_SHIFT:
            return math.nan, math.nan
        if abs(step) < SETTLED:
            break
    return (shift, error) if error < MAX_ERROR else (math.nan, math.nan)


def shared_shifts(found: Sequence[SkyShift]) -> list[SkyShift]:
    """Return the shift of each exposure and detector of a spectrograph, in the light of the others.

    Each is drawn to the mean of all as far as their scatter is explained by their errors (an empirical Bayes estimate:
    Efron & Morris 1973). What is known of the sky is the same for all.

    Parameters
    ----------
    found : sequence of SkyShift
        Those without a shift get the mean.
    """
    known = [one for one in found if math.isfinite(one.shift)]
    if not known:
        return list(found)
    shift = np.array([one.shift for one in known])
    common = max(one.common for one in known)
    own = np.array([max(one.error**2 - one.common**2, TINY) for one in known])
    weight = 1 / own
    mean = float((weight * shift).sum() / weight.sum())
    free = float(weight.sum() - (weight**2).sum() / weight.sum())
    excess = float((weight * (shift - mean) ** 2).sum()) - (len(known) - 1)
    scatter = max(excess / free, 0.0) if free > 0 else 0.0
    weight = 1 / (own + scatter)
    mean, wrong = float((weight * shift).sum() / weight.sum()), 1 / float(weight.sum())
    out = []
    for one in found:
        if not math.isfinite(one.shift):
            out.append(replace(one, shift=mean, error=math.sqrt(wrong + scatter + common**2), common=common).told())
            continue
        noise = max(one.error**2 - one.common**2, TINY)
        part = scatter / (scatter + noise)
        error = math.sqrt(part * noise + (1 - part) ** 2 * wrong + common**2)
        out.append(replace(one, shift=mean + part * (one.shift - mean), error=error, common=common).told())
    return out

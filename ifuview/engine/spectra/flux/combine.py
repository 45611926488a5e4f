"""One spectrum from those of several detectors and exposures: borders matched in the overlap, then a weighted mean.

Factors between neighbors are found from where both have light, by the weighted ratio; the chain of factors begins with
the first spectrum, or with the clearest exposure of its detector, which keeps its flux. Those that it does not reach
make chains of their own. Exposures of one detector, which overlap whole, are brought to one level the same way;
clouds may have taken much of the light of one, while at a border a large factor is a fault. Spectra come
to the common grid by cubics, with the variance that belongs to them; the mean is weighted with a smoothed variance, so
that it is not pulled to low samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.spectra.field.extract import smooth_weight
from ifuview.engine.spectra.flux.rectify import rectify
from ifuview.errors import FitError, UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

MOST_FACTOR = 1.5  # between neighbors: more is no border
MOST_CLOUDED = 20.0  # between exposures of one detector
ONE_DETECTOR = 0.5  # of the samples of the shorter one that two spectra have in common
CLEARER = 0.03  # more light than the first exposure, and three errors of it: that one keeps its level
LEAST_SNR = 5.0  # of a ratio
CUT = 10  # samples at the end of a spectrum that do not count for a ratio


@dataclass(frozen=True, slots=True, eq=False)
class CombinedSpectrum:
    """Spectrum over all wavelengths.

    Parameters
    ----------
    spectrum : SourceSpectrum
    factor, factor_error : tuple of float
        What each of the spectra was multiplied with; error NaN where it was not measured.
    count : ndarray of int16, shape (nwave,)
        Spectra that each wavelength is made from.
    notes : tuple of str
    """

    spectrum: SourceSpectrum
    factor: tuple[float, ...]
    factor_error: tuple[float, ...]
    count: NDArray[np.int16]
    notes: tuple[str, ...] = ()


def combine_spectra(
    spectra: Sequence[SourceSpectrum], grid: Array, *, match: bool = True, names: Sequence[str] = ()
) -> CombinedSpectrum:
    """Combine spectra of one source.

    Parameters
    ----------
    spectra : sequence of SourceSpectrum
        Of one unit.
    grid : ndarray, shape (nwave,), Angstrom
    match : bool
        Bring neighbors to one level where they overlap.
    names : sequence of str, optional
        Of the spectra, for what is said of them. Default: their numbers.

    Raises
    ------
    UsageError
        There are none, or their units differ.
    """
    if not spectra or len({(s.unit, s.medium) for s in spectra}) != 1:
        raise UsageError("spectra to combine need one unit and one medium of wavelengths")
    even = [_on_grid(s, grid) for s in spectra]
    factor, error = np.ones(len(spectra)), np.full(len(spectra), np.nan)
    notes: list[str] = []
    if match:
        factor, error, notes = _factors(even, names or [f"spectrum {n + 1}" for n in range(len(even))])
    flux, variance, sky, sky_variance, mask, fraction = (
        np.stack([getattr(s, name) for s in even])
        for name in ("flux", "variance", "sky", "sky_variance", "mask", "fraction")
    )
    by = factor[:, None]
    good = variance > 0
    weight = smooth_weight(variance * by**2, good)
    total = weight.sum(axis=0)
    share = weight / np.where(total > 0, total, 1.0)
    bits = np.where(good, mask, np.uint32(0))
    nothing = np.where(total > 0, np.uint32(0), np.uint32(int(ReductionBit.NO_DATA)))
    out = SourceSpectrum(
        wave=np.asarray(grid, np.float64), flux=(share * by * flux).sum(axis=0),
        variance=(share**2 * by**2 * variance).sum(axis=0), sky=(share * sky).sum(axis=0),
        sky_variance=(share**2 * sky_variance).sum(axis=0), mask=np.bitwise_or.reduce(bits, axis=0) | nothing,
        fraction=(share * np.nan_to_num(fraction)).sum(axis=0), unit=spectra[0].unit, medium=spectra[0].medium,
        method=f"mean of {len(spectra)} spectra" + (", borders matched" if match else ""),
    )  # fmt: skip
    return CombinedSpectrum(
        out, tuple(map(float, factor)), tuple(map(float, error)), good.sum(axis=0).astype(np.int16), tuple(notes)
    )


def overlap_ratio(left: SourceSpectrum, right: SourceSpectrum) -> tuple[float, float]:
    """Factor of `right` that brings it to `left`, both on one grid, and its error.

    Raises
    ------
    FitError
        They have too little light in common.
    """
    both = _inner(left) & _inner(right)
    weight = np.where(both, 1 / np.where(both, left.variance + right.variance, 1.0), 0.0)
    ll, rr = np.sum(weight * left.flux**2), np.sum(weight * right.flux**2)
    lr = np.sum(weight * left.flux * right.flux)
    if not (both.sum() > CUT and rr > LEAST_SNR**2):
        raise FitError("spectra have too little light in common")
    lengths = np.array([[ll - both.sum() / 2, lr], [lr, rr - both.sum() / 2]])  # noise of either taken off
    if lengths[0, 0] <= 0 or lengths[1, 1] <= 0 or lr <= 0:
        raise FitError("spectra have too little light in common")
    return float(np.sqrt(lengths[0, 0] / lengths[1, 1])), float(1 / np.sqrt(rr))


def _inner(spectrum: SourceSpectrum) -> NDArray[np.bool_]:
    """Where there is light, without the ends."""
    good = np.asarray(spectrum.variance > 0)
    at = np.flatnonzero(good)
    if at.size > 2 * CUT:
        good[: at[CUT]] = False
        good[at[-CUT] :] = False
    return good


class _Level(NamedTuple):
    """Factor of a spectrum and its error; its ratio to another one, that it was found by."""

    factor: float
    error: float
    ratio: float
    by: int


def _factors(spectra: list[SourceSpectrum], names: Sequence[str]) -> tuple[NDArray, NDArray, list[str]]:
    """Factor of each and its error, one set of those that overlap after the other."""
    factor, error = np.ones(len(spectra)), np.full(len(spectra), np.nan)
    notes, alone, odd = list[str](), list[str](), dict[int, _Level]()
    left = list(range(len(spectra)))
    while left:
        known, beyond = _one_set(spectra, left)
        root, own = next(iter(known)), ", ".join(names[n] for n in known)
        if root != left[0]:
            notes.append(f"levels are those of {names[root]}, the clearest")
        for n, one in known.items():
            factor[n], error[n] = one.factor, one.error
            if (times := max(one.ratio, 1 / one.ratio)) > MOST_FACTOR:
                less = f"{times:.2f} times {'less' if one.ratio > 1 else 'more'}"
                notes.append(f"{names[n]} has {less} light than {names[one.by]}: brought to its level")
        if root in odd:
            other = f"{odd[root].ratio:.2f} from {names[odd[root].by]}"
            notes.append(f"{names[root]} differs by a factor of {other}: left as it was")
        elif len(left) < len(spectra):
            error[root] = np.nan
            alone += [own] if len(known) == 1 else []
            notes += [f"{own} overlap in light enough only with each other"] if len(known) > 1 else []
        odd |= beyond
        left = [n for n in left if n not in known]
    if alone:
        notes.append(f"{', '.join(alone)} do not overlap with others in light enough: their level is as it was")
    return factor, error, notes


def _one_set(spectra: list[SourceSpectrum], left: list[int]) -> tuple[dict[int, _Level], dict[int, _Level]]:
    """Levels of the first of those left and of all that overlap with it, and others whose ratio cannot be true.

    The first one keeps its flux, or the clearest exposure of its detector: clouds only take light away.
    """
    known, odd = _grown(spectra, left[0], left)
    alike = [n for n in known if n == left[0] or _one_detector(spectra[left[0]], spectra[n])]
    best = min(alike, key=lambda n: known[n].factor)
    if known[best].factor < 1 - CLEARER - 3 * known[best].error:
        return _grown(spectra, best, left)
    return known, odd


def _grown(
    spectra: list[SourceSpectrum], root: int, left: list[int]
) -> tuple[dict[int, _Level], dict[int, _Level]]:  # fmt: skip
    """From the root outwards; always next the one with the surest ratio."""
    known = {root: _Level(1.0, 0.0, 1.0, root)}
    while True:
        best: tuple[float, int, _Level] | None = None
        odd: dict[int, _Level] = {}
        for n in (n for n in left if n not in known):
            for m, one in known.items():
                try:
                    ratio, wrong = overlap_ratio(spectra[m], spectra[n])
                except FitError:
                    continue
                spread = float(np.hypot(wrong, one.error))
                if max(ratio, 1 / ratio) > (MOST_CLOUDED if _one_detector(spectra[m], spectra[n]) else MOST_FACTOR):
                    odd[n] = _Level(1.0, spread, ratio, m)
                elif best is None or spread < best[0]:
                    best = spread, n, _Level(ratio * one.factor, spread, ratio, m)
        if best is None:
            return known, odd
        known[best[1]] = best[2]


def _one_detector(left: SourceSpectrum, right: SourceSpectrum) -> bool:
    """Whether two spectra are of the same wavelengths."""
    a, b = left.variance > 0, right.variance > 0
    return bool((a & b).sum() > ONE_DETECTOR * min(a.sum(), b.sum()))


def _on_grid(spectrum: SourceSpectrum, grid: Array) -> SourceSpectrum:
    """On the common wavelengths, variance 0 where there is nothing."""

    def even(flux: Array, variance: Array) -> FiberSpectra:
        lost = np.where(variance > 0, np.uint32(0), np.uint32(int(ReductionBit.NO_DATA)))
        mask = (spectrum.mask | lost)[None]
        row = FiberSpectra((flux / scale)[None], (variance / scale**2)[None], mask, np.asarray(spectrum.wave))
        return rectify(row, grid)

    scale = max(float(np.median(np.sqrt(np.maximum(spectrum.variance, 0)))), 1e-300)
    light, under = even(spectrum.flux, spectrum.variance), even(spectrum.sky, spectrum.sky_variance)
    good = light.usable()[0] & (light.variance[0] > 0)
    return replace(
        spectrum, wave=grid, flux=np.where(good, light.flux[0], 0.0) * scale,
        variance=np.where(good, light.variance[0], 0.0).astype(np.float64) * scale**2,
        sky=np.where(good, under.flux[0], 0.0) * scale, sky_variance=under.variance[0].astype(np.float64) * scale**2,
        mask=light.mask[0], fraction=np.interp(grid, spectrum.wave, np.nan_to_num(spectrum.fraction)),
    )  # fmt: skip

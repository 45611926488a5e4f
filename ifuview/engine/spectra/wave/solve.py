"""Wavelengths of all fibers from a lamp: seeds identified by themselves, lines measured everywhere, surfaces fitted.

Some spectra over each block of fibers (an amplifier) are identified without help; those that do not fit the best one
are identified again near it. The centers found are interpolated to all fibers, all lines are fitted there, also the
unknown ones beside known ones, and a smooth surface gives the wavelengths of each block. A fiber that lies off the
surface in all its lines by more than the errors allow is moved by what its own lines say, as far as they say it
surely. Where the lines leave the surface uncertain, as with a lamp missing, light that is the same in all fibers tells
how they lie against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.wave.identify import MAX_SHIFT, Identified, expected_columns, identify
from ifuview.engine.spectra.wave.lines import LineFits, Peaks, find_peaks, fit_lines
from ifuview.engine.spectra.wave.same import SameLight, same_light
from ifuview.engine.spectra.wave.shape import WaveShape, expected_shape
from ifuview.engine.spectra.wave.surface import MAX_DEGREE, WaveSurface, fit_wave_surface, simplest
from ifuview.errors import FitError
from ifuview.model.checks import Array
from ifuview.model.reduction.spectra import ArcLines, FiberSpectra, WaveSolution

SEEDS = 5  # spectra of a block that are identified
SEED_FIBERS = 3  # on each side that a seed is the median of
SIGMA = 1.8  # px, of a line, to begin with
NEAR = 30.0  # px, within which other seeds must agree with the best one
AGREE = 8.0  # px
LEAST_SNR, MAX_ERROR = 5.0, 0.3  # of a line's flux; px, of its center
WIDTH_SNR = 40.0  # of a line whose width is believed
ALONE = 4.5  # sigma, to the next line of one whose width is believed
BESIDE = 12.0  # sigma, within which unknown peaks are fitted with a line
WIDTH_DEGREE = 2
BENT = 0.5  # px, by which a detector bends wavelengths off the shape that is expected, from where on that is bent, too
BORROWED = 2.0  # px, error of wavelengths that are those of another block
LOST_SHARE = 0.5  # of the fibers without lines, above which it is said


SURE = 0.01  # px, median error up to which the lines of the lamps are enough
SAME_ROUNDS = 2  # the first may start from wavelengths that are some tenths of a pixel off

_ToFit = tuple[Array, Array, Array, Array, WaveShape]  # columns, places, values, errors, shape


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Start centers of listed and unknown lines in all fibers (nfiber, nline), their pattern and expected columns."""

    center: NDArray[np.float64]
    best: Identified
    expected: NDArray[np.float64]
    seed: int
    notes: tuple[str, ...]


def solve_wavelengths(
    spectra: FiberSpectra,
    lines: ArcLines,
    grid: tuple[float, float],
    *,
    block: Array | None = None,
    live: Array | None = None,
    degree: int = MAX_DEGREE,
    same: Callable[[], FiberSpectra] | None = None,
    ctx: JobContext = SILENT,
) -> WaveSolution:
    """Return the wavelength of every pixel of every fiber.

    Parameters
    ----------
    spectra : FiberSpectra
        Of the lamps (their sum, where there are several); wavelengths are not looked at.
    lines : ArcLines
        That the lamps may show; not all need to be there.
    grid : (float, float), Angstrom
        Wavelength of the first and last column, roughly.
    block : ndarray of int, shape (nfiber,), optional
        Fibers of one number lie on one smooth surface. Default: all.
    live : ndarray of bool, shape (nfiber,), optional
        Fibers with light. Others get the wavelengths of the surface. A block without any gets those of another, with an
        error of `BORROWED` px, and a note.
    degree : int
        Of the surfaces along columns at most.
    same : callable, optional
        Gives spectra of light that is the same in all fibers, as of a twilight, where the lamps leave wavelengths
        uncertain by more than `SURE`; wavelengths are not looked at.

    Raises
    ------
    FitError
        No block can be identified.
    """
    nfiber, ncol = spectra.flux.shape
    block = np.zeros(nfiber, int) if block is None else np.asarray(block)
    usable = spectra.usable()
    lit = np.asarray(usable.any(axis=1) if live is None else np.asarray(live, bool) & usable.any(axis=1))
    found = _start(spectra, usable, lines, grid, block, lit, ctx)
    ctx.checkpoint(0.4, "Fitting lines")
    nline = lines.wave.size
    spread = np.full(found.center.shape, SIGMA)
    first = fit_lines(spectra.flux, spectra.variance, usable, found.center, spread, fit_width=True)
    lsf = line_widths(first, block, ncol)
    width = _at_columns(lsf, found.center)
    fits = fit_lines(spectra.flux, spectra.variance, usable, found.center, width)
    ctx.checkpoint(0.8, "Fitting wavelengths")
    solution = _solution(fits, lines, found, block, lit, ncol, lsf, nline, degree)
    step = np.abs(np.gradient(solution.wave, axis=1))
    if same is None or float(np.median(solution.error[lit] / step[lit])) < SURE:
        return solution
    spectra = same()
    for _ in range(SAME_ROUNDS):
        more = same_light(replace(spectra, wave=solution.wave))
        solution = _solution(fits, lines, found, block, lit, ncol, lsf, nline, degree, more)
    return solution


def _start(
    spectra: FiberSpectra, usable: Array, lines: ArcLines, grid: tuple[float, float], block: Array, live: Array,
    ctx: JobContext,
) -> _Found:  # fmt: skip
    """Centers to start from, from seeds of all blocks."""
    ncol = spectra.flux.shape[1]
    expected = expected_columns(lines, grid, ncol)
    seeds: list[int] = []
    peaks: list[Peaks] = []
    answers: list[Identified | None] = []
    for name in np.unique(block):
        fibers = np.flatnonzero((block == name) & live)
        for place in (np.arange(SEEDS) + 0.5) / SEEDS if fibers.size else ():
            ctx.checkpoint(0.3 * len(seeds) / (SEEDS * np.unique(block).size), "Identifying lines")
            k = int(place * fibers.size)
            near = fibers[max(0, k - SEED_FIBERS) : k + SEED_FIBERS + 1]
            dark = ~usable[near].any(axis=0)
            stack = np.where(usable[near] | dark, spectra.flux[near], np.nan)
            seeds.append(int(fibers[k]))
            peaks.append(find_peaks(np.nanmedian(stack, axis=0), SIGMA))
            answers.append(_try(peaks[-1], lines, expected, ncol))
    known = [(a.score, n, a) for n, a in enumerate(answers) if a is not None]
    if not known:
        raise FitError("no line of the lamp is recognized in any fiber", todo="look at the lamp's frames and the list")
    _, top, best = max(known, key=lambda t: t[0])
    notes = []
    for n, answer in enumerate(answers):
        if answer is None or float(np.median(np.abs(answer.expected - best.expected))) > AGREE:
            answers[n] = _try(peaks[n], lines, best.expected, ncol, NEAR)
    if best.rival > 0.8 * best.score:
        notes.append(f"another pattern of lines fits nearly as well (score {best.rival:.1f}, best {best.score:.1f})")
    center = _interpolated(answers, seeds, best, block)
    extra = _unknown(peaks[top].column, center, seeds[top])
    return _Found(np.concatenate([center, extra], axis=1), best, expected, seeds[top], tuple(notes))


def _try(peaks: Peaks, lines: ArcLines, expected: Array, ncol: int, about: float = MAX_SHIFT) -> Identified | None:
    """The identification, None where there is none."""
    try:
        return identify(peaks, lines, expected, ncol, about=about)
    except FitError:
        return None


def _interpolated(
    answers: list[Identified | None], seeds: list[int], best: Identified, block: Array
) -> NDArray[np.float64]:
    """Centers of the listed lines in all fibers, from those in the seeds of each block."""
    out = np.empty((block.size, best.expected.size))
    for name in np.unique(block):
        fibers = np.flatnonzero(block == name)
        mine = [(s, a) for s, a in zip(seeds, answers, strict=True) if a is not None and block[s] == name]
        if not mine:
            out[fibers] = np.where(np.isfinite(best.column), best.column, best.expected)
            continue
        at = np.array([s for s, _ in mine], float)
        value = np.array([np.where(np.isfinite(a.column), a.column, a.expected) for _, a in mine])
        degree = min(2, at.size - 1)
        scale = max(float(np.ptp(at)), 1.0)
        coeff = np.polynomial.polynomial.polyfit((at - at.mean()) / scale, value, degree)
        out[fibers] = np.polynomial.polynomial.polyval((fibers - at.mean()) / scale, coeff).T
    return out


def _unknown(peaks: Array, center: Array, seed: int) -> NDArray[np.float64]:
    """Centers in all fibers of the peaks that no listed line explains but lie beside one."""
    off = np.abs(peaks[:, None] - center[seed][None])
    odd = peaks[(off.min(axis=1) > SIGMA) & (off.min(axis=1) < BESIDE * SIGMA)]
    order = np.argsort(center[seed])
    moved = center - center[seed]
    out = np.empty((center.shape[0], odd.size))
    for k in range(center.shape[0]):
        out[k] = odd + np.interp(odd, center[seed][order], moved[k][order])
    return out


def line_widths(fits: LineFits, block: Array, ncol: int) -> NDArray[np.float32]:
    """Line width over columns, smooth over the lines of each block, shape (nfiber, ncol)."""
    gap = np.abs(fits.center[:, :, None] - fits.center[:, None, :])
    gap[:, np.arange(gap.shape[1]), np.arange(gap.shape[1])] = np.inf
    with np.errstate(invalid="ignore"):
        alone = np.nanmin(np.where(np.isfinite(gap), gap, np.inf), axis=2) > ALONE * SIGMA
        good = alone & (fits.flux > WIDTH_SNR * fits.flux_error) & np.isfinite(fits.sigma) & (fits.sigma_error > 0)
    out = np.full((block.size, ncol), np.float32(SIGMA))
    column = np.arange(ncol) * 2 / (ncol - 1) - 1
    for name in np.unique(block):
        rows = np.flatnonzero(block == name)
        mine = good[rows]
        count = int((mine.sum(axis=0) > 0.2 * rows.size).sum())
        if count == 0:
            continue
        k, i = np.nonzero(mine)
        degree = min(WIDTH_DEGREE, count - 1)
        place = np.linspace(-1, 1, rows.size)
        u = fits.center[rows][k, i] * 2 / (ncol - 1) - 1
        pair = np.polynomial.legendre.legvander
        design = np.concatenate([pair(u, degree), place[k][:, None]], axis=1)
        value = fits.sigma[rows][k, i]
        kept = np.abs(value - np.median(value)) < 0.5 * np.median(value)
        coeff = np.linalg.lstsq(design[kept], value[kept], rcond=None)[0]
        smooth = pair(column, degree) @ coeff[:-1]
        out[rows] = np.clip(smooth[None] + place[:, None] * coeff[-1], 0.5 * np.median(value), 2 * np.median(value))
    return out


def _at_columns(table: Array, center: Array) -> NDArray[np.float64]:
    """Values of a table (nfiber, ncol) at the columns nearest to some centers."""
    column = np.clip(np.nan_to_num(np.rint(center)), 0, table.shape[1] - 1).astype(np.intp)
    return np.asarray(np.take_along_axis(table, column, axis=1), np.float64)


def _solution(
    fits: LineFits,
    lines: ArcLines,
    found: _Found,
    block: Array,
    live: Array,
    ncol: int,
    lsf: Array,
    nline: int,
    degree: int,
    more: SameLight | None = None,
) -> WaveSolution:
    """Surfaces of all blocks as one solution."""
    with np.errstate(invalid="ignore"):
        seen = (fits.flux > LEAST_SNR * fits.flux_error) & (fits.center_error < MAX_ERROR) & live[:, None]
    center = np.where(seen, fits.center, np.nan)[:, :nline]
    error = np.where(seen, fits.center_error * np.sqrt(np.maximum(fits.chi2, 1)), np.nan)[:, :nline]
    wave, wave_error = np.full((block.size, ncol), np.nan), np.full((block.size, ncol), np.nan, np.float32)
    known, at, sure = np.asarray(lines.wave), center, error
    if more is not None:
        known, at, sure = more.after(known, at, sure)
    used, notes, chi2 = np.zeros(at.shape, bool), list(found.notes), []
    columns = np.arange(ncol) * 2 / (ncol - 1) - 1
    shape = expected_shape(found.best, lines, found.expected, ncol)
    half = (ncol - 1) / 2
    places = {name: np.flatnonzero(block == name) for name in np.unique(block)}
    given = _to_fit(at, sure, places, known, shape, half)
    said: list[str] = []
    surfaces = _surfaces(given, degree, known.size - nline, said)
    common = [one.common for one in surfaces.values()]
    if any(np.abs(bends[2:]).max(initial=0.0) > BENT for bends in common):  # its polynomial is another one then
        shape = shape.bent(
            np.mean([np.pad(bends, (0, MAX_DEGREE + 1 - bends.size)) for bends in common], axis=0) / half
        )
        given = _to_fit(at, sure, places, known, shape, half)
        surfaces = _surfaces(given, degree, known.size - nline, said := [])
    notes += said
    for name, surface in surfaces.items():
        rows, (u, place, rest, *_) = places[name], given[name]
        offset = _own_offsets(surface, u, place, rest, sure[rows])
        moved = columns + (surface.grid(columns, place) + offset[:, None]) / half
        wave[rows] = shape.base(moved)
        wave_error[rows] = surface.error(columns, place) * np.abs(shape.base.deriv()(moved)) / half
        used[rows] = surface.used
        chi2.append(surface.chi2)
        blind = float(np.mean(~surface.used[:, :nline].any(axis=1)))
        if blind > LOST_SHARE:
            notes.append(f"block {name}: no line is seen in {blind:.0%} of the fibers")
        notes.append(f"block {name}: wavelengths by {surface.told(lines.wave, wave_error[rows])}")
    if not chi2:
        raise FitError("wavelengths cannot be fitted in any block", todo="look at the lamp's frames")
    notes += _borrowed(wave, wave_error, block, float(np.abs(shape.base.deriv()(0.0))) / half)
    return WaveSolution(
        wave=wave, error=wave_error, line=np.asarray(lines.wave), center=center, center_error=error,
        used=used[:, :nline], lsf=lsf, medium=lines.medium, chi2=float(np.mean(chi2)), notes=tuple(notes),
    )  # fmt: skip


def _to_fit(
    center: Array, error: Array, places: Mapping[int, Array], wave: Array, shape: WaveShape, half: float
) -> dict[int, _ToFit]:
    """What a surface is fitted to, for each block: how far beyond its own column a shape expects each line."""
    expected = shape.place(wave)
    return {
        name: (at := center[rows] / half - 1, np.linspace(-1, 1, rows.size), half * (expected - at), error[rows], shape)
        for name, rows in places.items()
    }


def _surfaces(given: Mapping[int, _ToFit], degree: int, unknown: int, notes: list[str]) -> dict[int, WaveSurface]:
    """A surface for each block, of one degree along columns: that of the criteria of all together."""
    found: dict[int, WaveSurface] = {}
    for name, values in given.items():
        try:
            found[name] = fit_wave_surface(*values, degree, unknown=unknown)
        except FitError as failed:
            notes.append(f"block {name}: {failed}")
    if len({one.degree for one in found.values()}) < 2:
        return found
    tried = min(len(one.criteria) for one in found.values())
    best = 1 + simplest([sum(one.criteria[d] for one in found.values()) for d in range(tried)])
    other = {n for n, one in found.items() if best != one.degree <= tried}  # the lines of all tell that degree, too
    return {n: fit_wave_surface(*given[n], best, best, unknown) if n in other else one for n, one in found.items()}


def _borrowed(wave: Array, error: Array, block: Array, scale: float) -> list[str]:
    """Fill blocks without a solution from the nearest one that has it, mirrored as a slit's image is; say so."""
    notes = []
    solved = [name for name in np.unique(block) if np.isfinite(wave[block == name]).all()]
    for name in np.unique(block):
        rows = np.flatnonzero(block == name)
        if name in solved:
            continue
        other = np.flatnonzero(block == min(solved, key=lambda n: abs(int(n) - int(name))))
        mirrored = other[::-1][np.minimum(np.arange(rows.size), other.size - 1)]
        wave[rows], error[rows] = wave[mirrored], BORROWED * scale
        notes.append(f"block {name}: wavelengths are those of the fibers across the seam, known to {BORROWED:g} px")
    return notes


def _own_offsets(surface: WaveSurface, u: Array, place: Array, rest: Array, error: Array) -> NDArray[np.float64]:
    """What each fiber's own lines say beyond the surface, as far as fibers differ by more than their errors."""
    at = np.nan_to_num(u)
    miss = rest - surface.at(at, np.broadcast_to(place[:, None], u.shape))
    mine = surface.used & np.isfinite(miss)
    weight = np.where(mine, 1 / np.where(mine, error, 1) ** 2, 0)
    total = weight.sum(axis=1)
    first = (weight * np.where(mine, miss, 0)).sum(axis=1) / np.maximum(total, 1e-30)
    left = miss - first[:, None]  # medians of what all lines of a fiber share would move all fibers
    line = np.array([np.median(left[mine[:, n], n]) if mine[:, n].any() else 0.0 for n in range(u.shape[1])])
    mean = np.where(total > 0, (weight * np.where(mine, miss - line, 0)).sum(axis=1) / np.maximum(total, 1e-30), 0)
    noise = np.where(total > 0, 1 / np.maximum(total, 1e-30), np.inf) * max(surface.chi2, 1.0)
    known = total > 0
    if known.sum() < 3:
        return np.zeros(place.size)
    excess = max(float(np.mean(mean[known] ** 2 - noise[known])), 0.0)
    return np.where(known, mean * excess / (excess + np.where(known, noise, 1)), 0.0)

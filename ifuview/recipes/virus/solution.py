"""What all heads of an observation share: pointing, optics, illumination and zero point, from the stars in all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.field.lenslet import Lenslets, moffat_share
from ifuview.engine.spectra.field.positions import HOUR, sky_place
from ifuview.engine.spectra.stars.brightness import star_magnitudes
from ifuview.engine.spectra.stars.match import PointingFit, focal_of, match_catalog
from ifuview.engine.spectra.stars.optics import OpticsFit, StarLight, fit_optics
from ifuview.engine.spectra.stars.photometry import zero_point
from ifuview.errors import UsageError
from ifuview.model.checks import Array, Header
from ifuview.model.reduction.params import param
from ifuview.model.reduction.solution import (
    ExposureSurvey,
    MatchedStar,
    Pointing,
    ShotOptics,
    ShotSolution,
    StarCatalog,
)
from ifuview.recipes.virus.head import AREA
from ifuview.recipes.virus.shot_values import TURN, WIDTH_WAVE, HeadPictures, ShotSetup

SEEING, BETA = 1.8, 3.5  # arcsec, where no star tells
AGREE = 25.0  # arcsec: commanded and actual pointing, beyond which the actual one is taken
NEAR = 6.0  # arcsec, fibers of a star
APART = 7.0  # arcsec to the next source, of a star that tells the optics
MOST = 60  # stars that tell the optics
FREE_DITHER = 1.5  # arcsec, of dithers of which nothing is known
PEAK_ERROR = 0.15, 2.0  # arcsec: of a peak's place, and for each sigma
BRIGHT = (14.0, 22.5)  # g of stars that are matched
TELLING = (13.0, 20.5)  # g of stars that tell the zero point
UNLIKE = 0.2  # of a head's response, by which twilight and sky may differ
WHOLE = 0.9  # of a star's light in usable fibers, that tells the zero point


@dataclass(frozen=True, slots=True)
class SolutionParams:
    """Pointing, optics and zero point."""

    ra: float = param(float("nan"), "Right ascension of the field", "deg", 0.0, 360.0, hint="nan: by the header")
    dec: float = param(float("nan"), "Declination of the field", "deg", -90.0, 90.0, hint="nan: by the header")
    turn: float = param(float("nan"), "Rotation of the field", "deg", -720.0, 720.0, hint="nan: by the header")
    seeing: float = param(SEEING, "Seeing to begin with", "arcsec", 0.5, 6.0)
    snr: float = param(30.0, "Significance of stars that tell the optics", "sigma", 5.0, 1e4)
    zero: bool = param(True, "Bring fluxes to the catalog's g")


@dataclass(frozen=True, slots=True, eq=False)
class ShotStars:
    """Stars of all heads that the optics were measured with.

    Parameters
    ----------
    head, peak : ndarray of int, shape (nstar,)
        Which head, and which of its peaks.
    fit : OpticsFit or None
        None: no star.
    magnitude, error : ndarray, shape (nstar,)
        g of their light as calibrated so far.
    """

    head: NDArray[np.intp]
    peak: NDArray[np.intp]
    fit: OpticsFit | None
    magnitude: NDArray[np.float64]
    error: NDArray[np.float64]


def header_pointing(params: SolutionParams, header: Header) -> Pointing:
    """Where the header, or the user, says that the focal plane lies.

    Raises
    ------
    UsageError
        It says nothing that is a place on the sky.
    """
    ra, dec = _number(header, "TRAJCRA") * HOUR, _number(header, "TRAJCDEC")
    other = _number(header, "TRAJRA") * HOUR, _number(header, "TRAJDEC")
    if all(map(math.isfinite, other)):
        apart = math.hypot((ra - other[0]) * math.cos(math.radians(other[1])), dec - other[1]) * 3600
        if not apart < AGREE:
            ra, dec = other
    turn = 360.0 - (90.0 + _number(header, "PARANGLE") + TURN)
    ra = params.ra if math.isfinite(params.ra) else ra
    dec = params.dec if math.isfinite(params.dec) else dec
    turn = params.turn if math.isfinite(params.turn) else turn
    if not (0 <= ra < 360 and -90 <= dec <= 90 and math.isfinite(turn)):
        raise UsageError("the header says nothing of the pointing", "TRAJCRA, TRAJCDEC, PARANGLE", "give -ra and -dec")
    return Pointing(ra, dec, turn)


def make_shot_stars(
    params: SolutionParams, ctx: JobContext, setup: ShotSetup, heads: tuple[HeadPictures, ...]
) -> ShotStars:
    """Optics from the isolated, bright stars of all heads."""
    chosen = _telling(params, heads)
    numbers = exposure_numbers(heads)
    stars = tuple(_star(heads[h], p, numbers) for h, p in chosen)

    head, peak = (np.array([pair[k] for pair in chosen], np.intp) for k in (0, 1))
    if not stars:
        return ShotStars(head, peak, None, np.zeros(0), np.zeros(0))

    expected = all(one.expected for one in heads)
    fit = fit_optics(
        stars, heads[0].wave, setup.refraction, len(numbers), fwhm=params.seeing, reference=WIDTH_WAVE,
        dither_error=None if expected else FREE_DITHER,
    )  # fmt: skip
    magnitude, error = star_magnitudes(stars, heads[0].wave, fit, WIDTH_WAVE, setup.band.wave, setup.band.value)
    response = np.array([value for _, value in _throughputs(heads, [])])[head]
    magnitude = magnitude + 2.5 * np.log10(response)

    return ShotStars(head, peak, fit, magnitude, error)


def make_solution(
    params: SolutionParams, ctx: JobContext, setup: ShotSetup, heads: tuple[HeadPictures, ...], stars: ShotStars,
    header: Header, catalog: StarCatalog | None,

) -> ShotSolution:  # fmt: skip
    """Pointing, optics, and what each exposure is worth."""
    start = header_pointing(params, header)
    notes: list[str] = []
    if stars.fit is None:
        notes.append("No bright star stands alone: point spread and illumination are defaults.")
    fit = _defaults(params, setup, len(exposure_numbers(heads))) if stars.fit is None else stars.fit
    plane = _sources(heads, stars)
    pointing, found = start, _matching(plane, catalog, start, notes)
    matched: tuple[MatchedStar, ...] = ()
    if found is not None:
        pointing = _pointing(start, found)
        matched = _matched(heads, found, plane, pointing)
    zero, wrong, number = 1.0, float("nan"), 0
    if params.zero and catalog is not None:
        zero, wrong, number = _zero(stars, matched, catalog, found, plane.source)
        if number == 0:
            notes.append("No star of the catalog tells the zero point: fluxes are those of the tables.")
    surveys = _surveys(heads, fit, (zero, wrong, number))
    optics = ShotOptics(fit.fwhm, fit.fwhm_error, fit.beta, WIDTH_WAVE, fit.dar, len(stars.head))
    throughputs = _throughputs(heads, notes)
    return ShotSolution(pointing, optics, surveys, matched, tuple(notes), throughputs)


def exposure_numbers(heads: tuple[HeadPictures, ...]) -> list[int]:
    """Numbers of all exposures of an observation, rising."""
    return sorted({number for head in heads for number in head.numbers})


def _throughputs(heads: tuple[HeadPictures, ...], notes: list[str]) -> tuple[tuple[str, float], ...]:
    """Slot and response of each head over the median one: by the twilight, by the sky where that is another by far."""
    twilight, sky = (np.array(v) for v in ([h.twilight for h in heads], [float(np.mean(h.sky)) for h in heads]))
    by_sky = sky / np.median(sky)
    known = np.isfinite(twilight) & (twilight > 0)
    by_twilight = twilight / np.median(twilight[known]) if known.any() else by_sky
    good = known & (np.abs(np.where(known, by_twilight, 1.0) / by_sky - 1) < UNLIKE)
    if known.any() and not good.all():
        slots = ", ".join(head.slot for head, own in zip(heads, good, strict=True) if not own)
        notes.append(f"The twilights of {slots} do not tell their response: it is that of the sky.")
    out = np.where(good, by_twilight, by_sky if known.any() else 1.0)
    return tuple((head.slot, float(value)) for head, value in zip(heads, out, strict=True))


def _surveys(
    heads: tuple[HeadPictures, ...], fit: OpticsFit, zero: tuple[float, float, int]
) -> tuple[ExposureSurvey, ...]:
    """What each exposure is worth; dithers are against the frame of a head."""
    out = []
    for n, number in enumerate(exposure_numbers(heads)):
        head = next(one for one in heads if number in one.numbers)
        at = head.numbers.index(number)
        dither = head.dither[:, at] + fit.dither[:, n]
        out.append(
            ExposureSurvey(
                number, head.exptimes[at], float(fit.illumination[n]), float(fit.illumination_error[n]),
                float(dither[0]), float(dither[1]), AREA, 1.0, *zero,
            )
        )  # fmt: skip
    return tuple(out)


def _telling(params: SolutionParams, heads: tuple[HeadPictures, ...]) -> list[tuple[int, int]]:
    """Head and peak of the stars that tell the optics, the most significant first."""
    found: list[tuple[float, int, int]] = []
    for h, head in enumerate(heads):
        for p, peak in enumerate(head.peaks):
            beside = [q for q in head.peaks if q is not peak and q.light > 0.02 * peak.light]
            alone = all(math.hypot(q.x - peak.x, q.y - peak.y) > APART for q in beside)
            inside = _caught(head, peak.x, peak.y, params.seeing) > WHOLE
            if peak.snr > params.snr and alone and inside:
                found.append((-peak.snr, h, p))
    return [(h, p) for _, h, p in sorted(found)[:MOST]]


def _caught(head: HeadPictures, x: float, y: float, seeing: float) -> float:
    """Share of a source's light that usable fibers catch, of what all would inside of the head."""
    alive = np.isfinite(head.variance).mean(axis=0)
    own = moffat_share(head.lenslets, np.array([x]), np.array([y]), np.array([seeing]), BETA)[0]
    return min(float(own @ alive) / head.cover, 1.0)


def _star(head: HeadPictures, peak: int, numbers: list[int]) -> StarLight:
    """The fibers around a peak, exposures by their place in `numbers`."""
    one = head.peaks[peak]
    exposure = np.searchsorted(numbers, head.numbers)[head.exposure]

    near = np.hypot(head.lenslets.x - one.x, head.lenslets.y - one.y) < NEAR
    fibers = Lenslets(head.lenslets.x[near], head.lenslets.y[near], head.lenslets.size, head.lenslets.face)
    return StarLight(one.x, one.y, fibers, exposure[near], head.light[:, near], head.variance[:, near])


def _defaults(params: SolutionParams, setup: ShotSetup, count: int) -> OpticsFit:
    """Optics where no star tells."""
    none, nan = np.zeros(0), float("nan")
    return OpticsFit(
        params.seeing, nan, BETA, np.asarray(setup.refraction), np.ones(count), np.full(count, nan),
        np.zeros((2, count)), none, none, none, none,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Plane:
    """Sources on the focal plane: x, y, error (arcsec), significance; head and peak of each."""

    x: Array
    y: Array
    error: Array
    snr: Array
    source: list[tuple[int, int]]


def _sources(heads: tuple[HeadPictures, ...], stars: ShotStars) -> _Plane:
    """All peaks of heads whose place is known; stars as they were measured."""
    better = {(int(h), int(p)): n for n, (h, p) in enumerate(zip(stars.head, stars.peak, strict=True))}
    rows, source = [], []
    for h, head in enumerate(heads):
        if not np.isfinite(head.focal).all():
            continue
        for p, peak in enumerate(head.peaks):
            px, py, wrong = peak.x, peak.y, PEAK_ERROR[0] + PEAK_ERROR[1] / peak.snr
            if (n := better.get((h, p))) is not None and stars.fit is not None:
                px, py, wrong = float(stars.fit.x[n]), float(stars.fit.y[n]), float(stars.fit.error[n])
            rows.append((px + head.focal[0], py + head.focal[1], wrong, peak.snr))
            source.append((h, p))
    x, y, error, snr = np.array(rows).reshape(-1, 4).T
    return _Plane(x, y, error, snr, source)


def _matching(plane: _Plane, catalog: StarCatalog | None, start: Pointing, notes: list[str]) -> PointingFit | None:
    """Sources and stars of the catalog that agree; None, and why, where too few do."""
    if catalog is None:
        notes.append("There is no catalog: places are those of the header, fluxes are not brought to any other.")
        return None
    bright = np.flatnonzero((catalog.g > BRIGHT[0]) & (catalog.g < BRIGHT[1]))
    order = np.argsort(-plane.snr)
    found = match_catalog(
        plane.x[order], plane.y[order], plane.error[order], catalog.ra[bright], catalog.dec[bright],
        (start.ra, start.dec), start.turn,
    )  # fmt: skip
    if found is None:
        notes.append("Fewer than four stars agree with the catalog: places are those of the header.")
        return None
    return replace(found, source=order[found.source], star=bright[found.star])


def _pointing(start: Pointing, found: PointingFit) -> Pointing:
    """The pointing with what it differs from the header by."""
    used = found.off[:, found.used]
    freedom = math.sqrt(max(used.shape[1] - 1.5, 1.0))
    scatter = np.sqrt((used**2).sum(axis=1)) / freedom
    ra = (found.ra - start.ra + 180) % 360 - 180
    return Pointing(
        found.ra, found.dec, found.turn, ra * math.cos(math.radians(start.dec)) * 3600, (found.dec - start.dec) * 3600,
        found.turn - start.turn, int(found.used.sum()), float(scatter[0]), float(scatter[1]), True,
    )  # fmt: skip


def _matched(
    heads: tuple[HeadPictures, ...], found: PointingFit, plane: _Plane, pointing: Pointing
) -> tuple[MatchedStar, ...]:
    """The pairs as values."""
    x, y = plane.x[found.source], plane.y[found.source]
    ra, dec = sky_place(x, y, pointing.ra / HOUR, pointing.dec, pointing.turn)
    out = []
    for n, (k, star) in enumerate(zip(found.source, found.star, strict=True)):
        head = heads[plane.source[k][0]]
        px, py = float(x[n] - head.focal[0]), float(y[n] - head.focal[1])
        out.append(
            MatchedStar(
                head.slot, int(star), px, py, float(plane.error[k]), float(ra[n]), float(dec[n]), float(plane.snr[k]),
                _caught(head, px, py, SEEING), bool(found.used[n]),
            )
        )  # fmt: skip
    return tuple(out)


def _zero(
    stars: ShotStars, matched: tuple[MatchedStar, ...], catalog: StarCatalog, found: PointingFit | None,
    source: list[tuple[int, int]],
) -> tuple[float, float, int]:  # fmt: skip
    """Factor on all fluxes, its error, and the stars it rests on."""
    if found is None:
        return 1.0, float("nan"), 0
    star = {source[k]: (n, int(s)) for n, (k, s) in enumerate(zip(found.source, found.star, strict=True))}
    synthetic, error, known = [], [], []
    for n, pair in enumerate(zip(stars.head.tolist(), stars.peak.tolist(), strict=True)):
        if pair in star:
            g = float(catalog.g[star[pair][1]])
            if TELLING[0] < g < TELLING[1] and matched[star[pair][0]].caught > WHOLE:
                synthetic.append(stars.magnitude[n])
                error.append(stars.error[n])
                known.append(g)
    one = zero_point(np.array(synthetic), np.array(error), np.array(known))
    return one.factor, one.error, one.nstars


def place_in_head(
    ra: Array, dec: Array, pointing: Pointing, focal: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where places on the sky (deg) lie in the frame of a head, arcsec."""
    x, y = focal_of(ra, dec, (pointing.ra, pointing.dec), pointing.turn)
    return x - focal[0], y - focal[1]


def _number(header: Header, key: str) -> float:
    """A card as a number, NaN without."""
    try:
        return float(str(header[key]))
    except (KeyError, ValueError):
        return float("nan")

"""What all heads of an observation share: pointing, optics, illumination and zero point, from the stars in all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.field.positions import HOUR, sky_place
from ifuview.engine.spectra.stars.extract import blended_by
from ifuview.engine.spectra.stars.match import PointingFit, focal_of, match_catalog
from ifuview.engine.spectra.stars.optics import OpticsFit
from ifuview.engine.spectra.stars.photometry import zero_point
from ifuview.engine.spectra.stars.places import BLENDED
from ifuview.model.checks import Array, Header
from ifuview.model.reduction.solution import (
    ExposureSurvey,
    MatchedStar,
    Pointing,
    ShotOptics,
    ShotSolution,
    StarCatalog,
)
from ifuview.recipes.virus.head import AREA
from ifuview.recipes.virus.light.stars import (
    BETA,
    SEEING,
    WHOLE,
    ShotStars,
    SolutionParams,
    caught_share,
    exposure_numbers,
    head_throughputs,
    stars_alone,
)
from ifuview.recipes.virus.shot_values import TURN, WIDTH_WAVE, HeadPictures, ShotSetup

AGREE = 25.0  # arcsec: commanded and actual pointing, beyond which the actual one is taken
PEAK_ERROR = 0.15, 2.0, 0.8  # arcsec: of a peak's place, over its sigma, and for its light in unusable fibers
MOVED = 0.02  # arcsec, of a peak by stars in it that are not told apart, above which it tells nothing
BRIGHT = (9.0, 22.5)  # g of stars that are matched
TELLING = (13.0, 20.5)  # g of stars that tell the zero point


def header_pointing(params: SolutionParams, header: Header) -> Pointing:
    """Where the header, or the user, says that the focal plane lies; NaN where that is no place on the sky."""
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
        return Pointing(math.nan, math.nan, math.nan)
    return Pointing(ra, dec, turn)


def make_solution(
    params: SolutionParams, ctx: JobContext, setup: ShotSetup, stars: ShotStars, header: Header,
    catalog: StarCatalog | None,
) -> ShotSolution:  # fmt: skip
    """Pointing, optics, and what each exposure is worth."""
    start = header_pointing(params, header)
    notes: list[str] = []
    plane = _sources(stars)
    found = _matching(plane, catalog, start, notes)
    if found is not None and catalog is not None and stars.fit is not None:
        stars, plane, found = _unblended(params, setup, stars, plane, found, catalog, start)
    heads, notes = stars.heads, [*stars.notes, *notes]
    if stars.fit is None:
        notes.append("No bright star stands alone: point spread and illumination are defaults.")
    fit = _defaults(params, setup, len(exposure_numbers(heads))) if stars.fit is None else stars.fit
    pointing = start
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
    throughputs = head_throughputs(heads, notes)
    return ShotSolution(pointing, optics, surveys, matched, tuple(notes), throughputs)


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


def _defaults(params: SolutionParams, setup: ShotSetup, count: int) -> OpticsFit:
    """Optics where no star tells."""
    none, nan = np.zeros(0), float("nan")
    return OpticsFit(
        params.seeing, nan, BETA, np.asarray(setup.refraction), np.ones(count), np.full(count, nan),
        np.zeros((2, count)), none, none, none, none,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Plane:
    """Sources on the focal plane: x, y, error (arcsec), significance, magnitude; head and peak of each."""

    x: Array
    y: Array
    error: Array
    snr: Array
    magnitude: Array
    source: list[tuple[int, int]]


def _unblended(
    params: SolutionParams, setup: ShotSetup, stars: ShotStars, plane: _Plane, found: PointingFit,
    catalog: StarCatalog, start: Pointing,
) -> tuple[ShotStars, _Plane, PointingFit]:  # fmt: skip
    """Stars, sources and their matches anew, where the catalog tells of some that they are several stars in one peak.

    Such a peak is too wide, and lies where no star is.
    """
    assert stars.fit is not None
    x, y = focal_of(catalog.ra, catalog.dec, (found.ra, found.dec), found.turn)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(catalog.g))
    off = blended_by(x[known], y[known], catalog.g[known], stars.fit.fwhm)
    tree = KDTree(np.stack([x[known], y[known]], axis=1))
    apart, mate = tree.query(np.stack([plane.x, plane.y], axis=1), distance_upper_bound=BLENDED * stars.fit.fwhm)
    moved = np.where(np.isfinite(apart), np.append(off, 0.0)[mate], 0.0)
    if not (moved > MOVED).any():
        return stars, plane, found
    by = dict(zip(plane.source, moved, strict=True))
    pairs = zip(stars.head.tolist(), stars.peak.tolist(), strict=True)
    stars = stars_alone(params, setup, stars, np.array([by.get(pair, 0.0) <= MOVED for pair in pairs]))
    plane = _sources(stars)
    plane = replace(plane, error=np.hypot(plane.error, moved))
    return stars, plane, _matching(plane, catalog, start, []) or found


def _sources(stars: ShotStars) -> _Plane:
    """All peaks of heads whose place is known; stars as they were measured."""
    heads = stars.heads
    better = {(int(h), int(p)): n for n, (h, p) in enumerate(zip(stars.head, stars.peak, strict=True))}
    rows, source = [], []
    for h, head in enumerate(heads):
        if not np.isfinite(head.focal).all():
            continue
        for p, peak in enumerate(head.peaks):
            lost = max(1 - caught_share(head, peak.x, peak.y, peak.fwhm), 0.0)
            px, py, wrong = peak.x, peak.y, PEAK_ERROR[0] + PEAK_ERROR[1] / peak.snr + PEAK_ERROR[2] * lost
            if (n := better.get((h, p))) is not None and stars.fit is not None:
                px, py, wrong = float(stars.fit.x[n]), float(stars.fit.y[n]), float(stars.fit.error[n])
            rows.append((px + head.focal[0], py + head.focal[1], wrong, peak.snr, _magnitude(peak.light)))
            source.append((h, p))
    x, y, error, snr, magnitude = np.array(rows).reshape(-1, 5).T
    return _Plane(x, y, error, snr, magnitude, source)


def _magnitude(light: float) -> float:
    """Of a source without color, on a scale of its own."""
    return -2.5 * math.log10(light) if light > 0 else math.inf


def _matching(plane: _Plane, catalog: StarCatalog | None, start: Pointing, notes: list[str]) -> PointingFit | None:
    """Sources and stars of the catalog that agree; None, and why, where too few do."""
    if not start.known:
        return None
    if catalog is None:
        notes.append("There is no catalog of stars: places are those of the header, fluxes by the throughput.")
        return None
    bright = np.flatnonzero((catalog.g > BRIGHT[0]) & (catalog.g < BRIGHT[1]))
    order = np.argsort(-plane.snr)
    found = match_catalog(
        plane.x[order], plane.y[order], plane.error[order], catalog.ra[bright], catalog.dec[bright],
        (start.ra, start.dec), start.turn, (plane.magnitude[order], catalog.g[bright]),
    )  # fmt: skip
    if found is None:
        notes.append("Fewer than two stars agree with the catalog: places are those of the header.")
        return None
    if not found.turned:
        notes.append(f"Fewer than four stars agree with the catalog: {found.used.sum()} tell the shift, none the turn.")
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
                caught_share(head, px, py, SEEING), bool(found.used[n]),
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

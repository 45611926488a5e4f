"""Is a column of the detector brighter in the image than the light of the fibers beside it explains?

In every row the fibers around a column are fitted to the pixels beside it, and say what it should have. The columns
near it are asked the same way: what they have too much is not known of the profile, and tells how far to believe it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.night.image.detector import Detector
from ifuview.engine.night.search.columns import touched
from ifuview.engine.night.stats import mad, middle
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain, Section
from ifuview.model.night.triage import Finding, ranges

OR_TARGET = ", or a broad feature of the target; the preproc image or another exposure would tell"
PROFILE = 1.1  # px, sigma of the profile of a fiber
REACH, NEAR = 6, 8  # px beside a column that its light is told by; columns on both sides that are asked, too
BESIDE = 2  # px to which the spectra know the place of a column
THIN, LEAST_ROWS = 4, 100  # one row of so many is enough; rows that tell
DOUBT = 0.4  # of a column that the image has not
TINY = 1e-9
SEEN, LEAST = 6.0, 3.0  # errors, and electron, of a column that is there
LEAST_ALONE, PART = 10.0, 0.3  # electron of one that the spectra do not show; of it, what the fit to the fibers leaves
EVERY, HALF, AROUND = 16, 4, 16  # rows that are looked at, one of so many; px of a profile; columns to compare with
CROSSED, HALF_WIDTH = 10, 1.5  # px of a trace that lie on it, nearer than so many


@dataclass(frozen=True, slots=True)
class HotColumn:
    """A column of the image.

    Parameters
    ----------
    column : int
        Canonical pixel across.
    level, error : float, electron a pixel
        What it has over the light of the fibers.
    """

    column: int
    level: float
    error: float

    @property
    def score(self) -> float:
        """Sigma."""
        return self.level / max(self.error, TINY)

    @property
    def hot(self) -> bool:
        """Whether it is there beyond doubt."""
        return self.level > max(SEEN * self.error, LEAST)


def hottest(detector: Detector, cross: Array, disp: Array, at: float, rows: tuple[float, float]) -> HotColumn | None:
    """The brightest column where the spectra say that one is; None where the image cannot tell.

    Parameters
    ----------
    detector : Detector
    cross, disp : ndarray, shape (nfiber, nwave), px
    at : float, px across
    rows : (float, float), px along
        Half-open range of rows that it fills.
    """
    first, last = max(int(rows[0]), 0), min(int(rows[1]), detector.image.shape[1])
    place = round(at)
    columns = np.arange(place - NEAR, place + NEAR + 1)
    along = np.arange(first, last, THIN)
    inside = columns[0] - REACH >= 0 and columns[-1] + REACH < detector.image.shape[0]
    if not inside or along.size < LEAST_ROWS:
        return None
    near = np.flatnonzero((np.abs(cross - place) < NEAR + 2 * REACH).any(axis=1))
    centers = np.array([np.interp(along, disp[f], cross[f], left=np.nan, right=np.nan) for f in near])
    image = detector.image[columns[0] - REACH : columns[-1] + REACH + 1, first:last:THIN].astype(np.float64)
    good = np.isfinite(image)
    if detector.bad is not None:
        good &= ~detector.bad[columns[0] - REACH : columns[-1] + REACH + 1, first:last:THIN]
    excess = np.array([_excess(image, good, centers, int(c), int(columns[0]) - REACH) for c in columns])
    own = np.abs(columns - place) <= BESIDE
    others = excess[~own][np.isfinite(excess[~own])]
    if not np.isfinite(excess[own]).any() or others.size < NEAR:
        return None
    best = int(np.nanargmax(np.where(own, excess, np.nan)))
    return HotColumn(int(columns[best]), float(excess[best] - np.median(others)), float(mad(others)))


def _excess(image: Array, good: Array, centers: Array, column: int, start: int) -> float:
    """Median over the rows of what one column has over the light that the pixels beside it tell; NaN if unknown."""
    at = column - start
    pixels = np.arange(at - REACH, at + REACH + 1)
    beside = np.abs(pixels - at) > 1
    away = pixels[:, None, None] + start - centers[None]  # (npixel, nfiber, nrow)
    light = np.exp(-0.5 * (np.nan_to_num(away, nan=1e3) / PROFILE) ** 2)
    use = (good[pixels] & beside[:, None]).astype(np.float64)
    normal = np.einsum("pfr,pr,pgr->rfg", light, use, light, optimize=True)
    right = np.einsum("pfr,pr,pr->rf", light, use, np.where(good[pixels], image[pixels], 0.0), optimize=True)
    normal += 1e-3 * np.eye(centers.shape[0])
    flux = np.linalg.solve(normal, right[..., None])[..., 0]
    rest = image[at] - np.einsum("fr,rf->r", light[REACH], flux)
    known = good[at]
    return float(np.median(rest[known])) if np.count_nonzero(known) > LEAST_ROWS // 2 else float("nan")


def hot_columns(
    detector: Detector, cross: Array, disp: Array, sections: Sequence[Section]
) -> list[tuple[Section, HotColumn]]:
    """Columns of each amplifier that the light of the fibers does not explain, anywhere in the image."""
    out: list[tuple[Section, HotColumn]] = []
    for s in sections:
        excess = _over_fibers(detector, cross, disp, s)
        near = np.lib.stride_tricks.sliding_window_view(np.pad(excess, AROUND, constant_values=np.nan), 2 * AROUND + 1)
        known = np.isfinite(excess)
        center, scatter = np.full(excess.size, np.nan), np.full(excess.size, np.nan)
        center[known] = middle(near[known], axis=1)
        scatter[known] = mad(near[known], axis=1)
        with np.errstate(invalid="ignore"):
            found = np.flatnonzero(excess - center > np.maximum(SEEN * scatter, PART * LEAST_ALONE))
        for first, last in runs(np.bincount(found, minlength=1) > 0, BESIDE):
            at = first + int(np.nanargmax(excess[first:last]))
            hot = hottest(detector, cross, disp, float(s.cross[0]) + at, s.disp)
            if hot is not None and hot.hot and hot.level > LEAST_ALONE:
                out.append((s, hot))
    return out


def _over_fibers(detector: Detector, cross: Array, disp: Array, section: Section) -> Array:
    """Median over some rows of what each column of an amplifier has over the light of the fibers; NaN if unknown."""
    edge = detector.image.shape
    columns = slice(max(int(section.cross[0]), 0), min(int(section.cross[1]), edge[0]))
    along = np.arange(max(int(section.disp[0]), 0), min(int(section.disp[1]), edge[1]), EVERY)
    rest = detector.image[columns, along].astype(np.float64)
    good = np.isfinite(rest)
    if detector.bad is not None:
        good &= ~detector.bad[columns, along]
    rest[~good] = 0.0
    near = np.flatnonzero(((cross > columns.start - REACH) & (cross < columns.stop + REACH)).any(axis=1))
    centers = np.array([np.interp(along, disp[f], cross[f], left=-REACH, right=-REACH) for f in near]) - columns.start
    steps, row = np.arange(-HALF, HALF + 1), np.arange(along.size)
    pixels = np.rint(centers)[:, None, :].astype(int) + steps[:, None]  # (nfiber, nstep, nrow)
    light = np.exp(-0.5 * ((pixels - centers[:, None]) / PROFILE) ** 2)
    inside = (pixels >= 0) & (pixels < rest.shape[0])
    pixels = np.where(inside, pixels, 0)
    light *= inside & good[pixels, row]
    flux = np.sum(light * rest[pixels, row], axis=1) / np.maximum(np.sum(light**2, axis=1), TINY)
    for step in range(steps.size):  # of one step, no two fibers have the same pixel
        np.subtract.at(rest, (pixels[:, step], np.broadcast_to(row, pixels[:, step].shape)), flux * light[:, step])
    few = good.sum(axis=1) < along.size // 2
    return np.where(few, np.nan, middle(np.where(good, rest, np.nan), axis=1))


def columns_told(
    findings: Sequence[Finding], chain: Chain, detector: Detector, expid: int, camera: str
) -> list[Finding]:
    """The findings; of columns the image decides, and it tells of those that the spectra do not show."""
    assert chain.cross is not None and chain.disp is not None
    found = hot_columns(detector, chain.cross, chain.disp, chain.sections)
    out: list[Finding] = []
    for f in findings:
        seen = _seen(f, chain, detector) if "column" in f.detail else None
        if seen is None:
            out.append(f)
        elif seen[1].hot:
            out.append(_there(f, *seen))
            found = [x for x in found if x[0] is not seen[0] or abs(x[1].column - seen[1].column) > BESIDE]
        elif f.detail["sky_fiber"]:  # no broad feature of a target: something else has its shape
            said = f"; the detector image has no such column ({seen[1].level:+.1f} +- {seen[1].error:.1f} e)"
            out.append(
                replace(f, text=f.text + said, confidence=DOUBT, detail={**f.detail, "in_detector_image": False})
            )
    told = (_of_image(chain, s, hot, expid, camera) for s, hot in found)
    return out + [one for one in told if one is not None]


def _of_image(chain: Chain, section: Section, hot: HotColumn, expid: int, camera: str) -> Finding | None:
    """A column of the image; None if no trace crosses it."""
    assert chain.cross is not None and chain.disp is not None
    rows = (chain.disp >= section.disp[0]) & (chain.disp < section.disp[1])
    if ((np.abs(chain.cross - hot.column) < HALF_WIDTH) & rows).sum(axis=1).max() < CROSSED:
        return None
    fibers, (first, last) = touched(chain.cross, rows, hot.column)
    low, high = float(chain.wave[first]), float(chain.wave[last - 1])
    return Finding(
        expid, camera, "ccd-column", "preproc", fibers=fibers, wave_range=(low, high), amplifier=section.name,
        amplitude=hot.level, unit="electron a pixel", significance=hot.score,
        detail={"column": hot.column, "level": round(hot.level, 1), "in_detector_image": True},
        text=f"Column {hot.column} of the detector has {hot.level:+.1f} e a pixel more than the light beside it "
        f"in amplifier {section.name}; it crosses the traces of fiber{'s' * (len(fibers) > 1)} {ranges(fibers)} at "
        f"{low:.0f}-{high:.0f} A",
    )  # fmt: skip


def _seen(f: Finding, chain: Chain, detector: Detector) -> tuple[Section, HotColumn] | None:
    """The amplifier of a column, and the column in the image; None where that cannot be told."""
    assert chain.cross is not None and chain.disp is not None
    edge, at = max(s.disp[0] for s in chain.sections), f.detail["column"]
    for s in chain.sections:
        if s.cross[0] <= at < s.cross[1] and (s.disp[0] < edge) == f.detail["lower"]:
            found = hottest(detector, chain.cross, chain.disp, at, s.disp)
            return None if found is None else (s, found)
    return None


def _there(f: Finding, section: Section, hot: HotColumn) -> Finding:
    """A column that the image has."""
    text = f.text.replace(OR_TARGET, "").replace(f"Column {f.detail['column']:.0f}", f"Column {hot.column}", 1)
    return replace(
        f, text=f"{text}; the detector image has it, {hot.level:+.1f} e a pixel in amplifier {section.name}",
        amplifier=section.name, confidence=1.0, significance=max(f.significance, hot.score),
        detail={**f.detail, "column": hot.column, "level": round(hot.level, 1), "in_detector_image": True},
    )  # fmt: skip

"""Wavelengths and weights: pixels without a solution, lines that are not where they belong, flats that do not fit."""

from __future__ import annotations

import numpy as np

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.photons.calibration.badpixels import median_of, neighbors
from ifuview.engine.photons.judge.gather import PhotonSums
from ifuview.engine.photons.judge.pixels import PixelLight
from ifuview.engine.photons.judge.times import pixels_of
from ifuview.model.checks import Array
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding

LINE = 0.15  # of its wavelength, to either side: a line has nearly all light within
IN_LINE = 0.75  # of the photons
LEAST = 50  # photons of a resonator whose line is measured
OFF = 0.01  # of the wavelength that matters
SURE = 6.0  # sigma, trials counted
ONCE = 4.0  # sigma of what is asked once
UNLIKELY = 0.5  # of the photons at wavelengths that are not valid
HALF = 0.5  # of the photons of a resonator without a wavelength: it has no solution
MUCH = 0.3  # of the pixels without a solution
BRIGHT = 30  # photons of pixels that a flat is held against
FEW = 40  # such pixels
FOLLOWS = -0.3  # slope of the log of counts with that of weights, at most; right weights have -1
NO_SOLUTION = (
    "wavecal.bad", "wavecal.failed_validation", "wavecal.failed_convergence", "wavecal.not_monotonic",
    "wavecal.not_enough_histogram_fits", "wavecal.no_histograms", "wavecal.not_attempted",
)  # fmt: skip


def unsolved(sums: PhotonSums, usable: Array) -> list[PhotonFinding]:
    """Return pixels of a list of wavelengths whose photons have none: flagged ones, and others."""
    beammap, counts = sums.info.beammap, sums.counts
    none = beammap.image((counts > 0) & (sums.unsolved > HALF * counts), empty=False).astype(bool) & usable
    flagged = beammap.flagged((*NO_SOLUTION, "beammap.failed"))  # one bit for both in files of 2018
    seen = usable & (beammap.image(counts) > 0)
    found = []
    for known in (False, True):
        chosen = none & (flagged if known else ~flagged)
        number, of = int(chosen.sum()), int(seen.sum())
        if not number:
            continue
        y, x = np.nonzero(chosen)
        share = number / of
        line = np.where(usable, beammap.image(sums.feedline, empty=-1), -1)
        names = np.unique(line[line >= 0])
        parts = np.array([chosen[line == k].sum() / max(seen[line == k].sum(), 1) for k in names])
        found.append(PhotonFinding(
            PhotonFault.UNSOLVED, known=known and share < MUCH, pixels=np.stack((x, y), axis=1), amount=share,
            error=float(np.sqrt(share * (1 - share) / of)), unit="of the pixels",
            text=f"{number} of {of} pixels that saw light ({share:.1%}) have no wavelengths"
            f"{'; flags say so' if known else ', and no flag says so'}.",
            arrays={"feedline": names, "ratio": parts, "error": np.sqrt(parts * (1 - parts) / np.maximum(
                [seen[line == k].sum() for k in names], 1))},
        ))  # fmt: skip
    return found


def has_line(sums: PhotonSums) -> float:
    """Return the wavelength (nm) of the one line that a list of wavelengths is of; NaN: it is of none."""
    total = sums.values.sum(axis=0).astype(float)
    if not sums.info.calibrated or total.sum() <= 0:
        return np.nan
    middle = (sums.value_edges[1:] + sums.value_edges[:-1]) / 2
    line = float(middle[np.argmax(np.convolve(total, np.ones(5), "same"))])
    share = total[np.abs(middle / line - 1) < LINE].sum() / total.sum()
    return line if share > IN_LINE else np.nan


def lines(sums: PhotonSums, nominal: float, unasked: Array) -> list[PhotonFinding]:
    """Return what is wrong with the places of a laser's line.

    Parameters
    ----------
    nominal : float, nm
        Where it belongs; NaN: nobody says.
    unasked : ndarray, bool, shape (n,)
        Resonators whose photons are no light.
    """
    line = has_line(sums)
    if not np.isfinite(line):
        return []
    center, error = _centers(sums, line)
    known = np.isfinite(center) & ~unasked
    if np.count_nonzero(known) < 3:
        return []
    usual = float(np.median(center[known]))
    spread = robust_sigma(center[known])
    usual_error = max(spread, float(np.median(error[known]))) / np.sqrt(known.sum())
    found = []
    total = sums.values[known].sum(axis=0)
    if np.isfinite(nominal):
        sigma = abs(usual - nominal) / usual_error
        if abs(usual / nominal - 1) > OFF and sigma > SURE:
            found.append(PhotonFinding(
                PhotonFault.WRONG_LINE, amount=usual - nominal, error=usual_error, unit="nm", significance=float(sigma),
                text=f"The line of {nominal:g} nm lies at {usual:.1f} +- {usual_error:.1g} nm.",
                arrays={"edges": sums.value_edges, "counts": total, "lines": np.array([nominal, usual])},
            ))  # fmt: skip
    noise = np.sqrt(error**2 + spread**2)
    sigma = np.where(known, np.abs(center - usual) / noise, 0.0)
    off = known & (sigma > SURE) & (np.abs(center / usual - 1) > 2 * OFF)
    if off.any():
        order = np.flatnonzero(off)[np.argsort(-sigma[off], kind="stable")]
        worst = int(order[0])
        found.append(PhotonFinding(
            PhotonFault.OFF_LINE, pixels=pixels_of(sums, order), amount=float(center[worst] - usual),
            error=float(error[worst]), unit="nm", significance=float(sigma[worst]),
            text=f"{len(order)} resonators have the line elsewhere than the others at {usual:.1f} nm, the clearest at "
            f"{center[worst]:.1f} +- {error[worst]:.1g} nm.",
            arrays={"edges": sums.value_edges, "counts": total, "other": sums.values[worst],
                    "lines": np.array([usual, center[worst]])},
        ))  # fmt: skip
    return found


def _centers(sums: PhotonSums, line: float) -> tuple[Array, Array]:
    """Center of the line of each resonator with its error, nm; NaN where photons are few."""
    middle = (sums.value_edges[1:] + sums.value_edges[:-1]) / 2
    light = sums.values.astype(float)
    light[:, [0, -1]] = 0.0  # all beyond
    peak = middle[np.argmax(light[:, :-2] + light[:, 1:-1] + light[:, 2:], axis=1) + 1]
    for _ in range(4):
        inside = light * (np.abs(middle / peak[:, None] - 1) < LINE)
        number = inside.sum(axis=1)
        safe = np.maximum(number, 1.0)
        peak = np.where(number > 0, (inside * middle).sum(axis=1) / safe, line)
    width = np.sqrt((inside * (middle - peak[:, None]) ** 2).sum(axis=1) / safe)
    measured = (number >= LEAST) & (number > HALF * np.maximum(sums.counts - sums.unsolved, 1))
    return np.where(measured, peak, np.nan), np.where(measured, width / np.sqrt(safe), np.nan)


def out_of_range(sums: PhotonSums, unasked: Array) -> PhotonFinding | None:
    """Return resonators most of whose photons have wavelengths that are not valid."""
    if not sums.info.calibrated:
        return None
    low, high = sums.info.wave_range
    middle = (sums.value_edges[1:] + sums.value_edges[:-1]) / 2
    total = sums.values.sum(axis=1)
    beyond = sums.values[:, (middle < low) | (middle > high)].sum(axis=1)
    solved = (total >= LEAST) & ~unasked
    if not solved.any():
        return None
    share = np.divide(beyond, total, out=np.zeros(len(total)), where=total > 0)
    usual = float(np.median(share[solved]))
    noise = np.sqrt(
        robust_sigma(share[solved]) ** 2 + usual * (1 - usual) / np.maximum(total, 1) + 1.0 / np.maximum(total, 1) ** 2
    )
    sigma = (share - min(usual, UNLIKELY / 2)) / noise
    off = solved & (share > UNLIKELY) & (sigma > SURE)
    if not off.any():
        return None
    order = np.flatnonzero(off)[np.argsort(-sigma[off], kind="stable")]
    worst = int(order[0])
    return PhotonFinding(
        PhotonFault.OUT_OF_RANGE, pixels=pixels_of(sums, order), amount=float(share[worst]), unit="of the photons",
        error=float(np.sqrt(share[worst] * (1 - share[worst]) / total[worst])), significance=float(sigma[worst]),
        text=f"{len(order)} resonators have most photons outside {low:g} to {high:g} nm, where the others have "
        f"{usual:.0%} of theirs.",
        arrays={"edges": sums.value_edges, "counts": sums.values[solved & ~off].sum(axis=0),
                "other": sums.values[worst], "lines": np.array([low, high])},
    )  # fmt: skip


def flat(sums: PhotonSums, light: PixelLight, claimed: bool) -> tuple[list[PhotonFinding], str]:
    """Return what is wrong with the weights, and why they could not be held against the light ("": they were).

    Weights are to undo the response: a pixel with less light than those around it has the larger weight. The slope
    of the logarithms, each against the median of the eight neighbors, is -1 for right weights, nearer to zero for
    noisy ones, zero for those of other pixels, and positive for inverse ones.
    """
    weights, bad = sums.weights, sums.weights_bad
    if weights is None or bad is None:
        return [], "the list has no weights"
    beammap = sums.info.beammap
    found = []
    if bad.sum():
        order = np.argsort(-bad, kind="stable")[: np.count_nonzero(bad)]
        found.append(PhotonFinding(
            PhotonFault.BAD_WEIGHTS, pixels=pixels_of(sums, order), amount=float(bad.sum()), error=0.0, unit="photons",
            text=f"{bad.sum():.0f} photons of {len(order)} resonators have a weight that is negative or no number.",
        ))  # fmt: skip
    mean = beammap.image(np.divide(weights, sums.counts, out=np.ones(len(weights)), where=sums.counts > 0))
    if np.all(np.abs(mean[light.usable & (light.counts > 0)] - 1) < 1e-6):
        if claimed:
            found.append(PhotonFinding(
                PhotonFault.WRONG_FLAT, text="The file says that a flat is applied, and all weights are 1."
            ))  # fmt: skip
        return found, "" if claimed else "all weights are 1"
    slope = _slope(light, mean)
    if slope is None:
        return found, "too few pixels have light and different weights"
    value, error, x, y = slope
    if value - ONCE * error > FOLLOWS:
        found.append(PhotonFinding(
            PhotonFault.WRONG_FLAT, amount=value, error=error, unit="slope",
            significance=float((value - FOLLOWS) / error),
            text="The weights do not undo the response of the pixels: counts go with their power "
            f"{value:+.2f} +- {error:.2f}, -1 would be right.",
            arrays={"weights": x, "counts": y, "slope": np.array([value, error])},
        ))  # fmt: skip
        return found, ""
    return found, "" if value + ONCE * error < 0 else "the light is too faint or too uneven for it"


def _slope(light: PixelLight, weight: Array) -> tuple[float, float, Array, Array] | None:
    """Slope of log counts with log weights, both against the neighbors, with its error and the two logarithms."""
    bad = light.bad.bad if light.bad is not None else np.zeros(weight.shape, bool)
    good = light.usable & ~bad & (light.counts >= BRIGHT) & (weight > 0)
    (light_near, number), (weight_near, _) = (
        median_of(neighbors(np.asarray(image, float), good, 1)) for image in (light.counts, weight)
    )
    asked = good & (number >= 3)
    if asked.sum() < FEW:
        return None
    x, y = np.log(weight[asked] / weight_near[asked]), np.log(light.counts[asked] / light_near[asked])
    kept = (np.abs(x) < 5 * robust_sigma(x) + 1e-9) & (np.abs(y) < 5 * robust_sigma(y) + 1e-9)
    x, y = x[kept] - np.mean(x[kept]), y[kept] - np.mean(y[kept])
    square = float((x * x).sum())
    if square <= 1e-6 * max(len(x), 1):
        return None
    value = float((x * y).sum()) / square
    return value, robust_sigma(y - value * x) / np.sqrt(square), x, y

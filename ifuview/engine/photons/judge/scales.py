"""Pixels whose wavelengths are wrong by a factor, single ones and blocks, by what lies beyond the ends of the light."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.photons.calibration.badpixels import deviation, neighbors
from ifuview.engine.photons.judge.colors import FEW, HALF, LEAST, NO_SOLUTION, ONCE, SURE
from ifuview.engine.photons.judge.gather import PhotonSums
from ifuview.engine.photons.judge.pixels import PixelLight
from ifuview.model.checks import Array
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding

BEYOND = 0.05  # of the photons, more than around: what a wrong scale of energies moves beyond an end
RESPONSE = 1.3  # times the light of the others that a pixel may have by its response
SEEDS = 3  # pixels that are sure, of a block in which less is enough for the others
MISSING, MOST = 3.0, 2.0  # sigma by which photons lack beyond the other end; times that which a gain may count
WINDOW, FAINTER = 8, 0.7  # px to either side that a block is held against; of their light that it must have


def scaled(sums: PhotonSums, light: PixelLight, unasked: Array) -> PhotonFinding | None:
    """Return resonators whose wavelengths reach farther beyond one end of what is valid than those around them.

    Light ends where the instrument lets it end, at the same wavelengths in all pixels. A solution whose energies are
    wrong by a factor moves both ends. Pixels whose neighbors have colors of their own (satellite spots) are asked only
    for what no light could add: see `_of_a_block`.
    """
    low, high = sums.info.wave_range
    middle = (sums.value_edges[1:] + sums.value_edges[:-1]) / 2
    total = sums.values.sum(axis=1).astype(float)
    index = sums.info.beammap.index
    there = light.usable & ~sums.info.beammap.flagged(NO_SOLUTION) & ~np.append(unasked, True)[index]
    if total.sum() <= 0:
        return None
    best: tuple[float, PhotonFinding] | None = None
    ends = {"low": middle < low, "high": middle > high}
    for end, beyond in ends.items():
        share, around = _beyond(sums.values[:, beyond].sum(axis=1), total, index, there)
        usual = float(np.median(around[there])) if there.any() else 0.0
        ordinary = there & (around < 2 * usual) & (around > usual / 2) & (total[index] >= LEAST)
        if ordinary.sum() < FEW:
            continue
        noise = np.sqrt(np.maximum(around, 1e-3) * (1 + 1 / 8) / np.maximum(total[index], 1))
        more = share - around
        own = max(robust_sigma(more[ordinary]) ** 2 - float(np.median(noise[ordinary] ** 2)), 0.0)
        of = total[index]
        few = deviation(share * of, around * of)
        sigma = np.where(ordinary, np.minimum(more / np.sqrt(noise**2 + own), few), 0.0)
        other = sums.values[:, ends["high" if end == "low" else "low"]].sum(axis=1).astype(float)[index]
        block = _of_a_block(share, around, of, there & ~ordinary, there, usual, other)
        sigma = np.maximum(sigma, block)
        off = (sigma > SURE) & ((more > BEYOND) | (block > 0))
        if off.any() and (best is None or sigma.max() > best[0]):
            best = float(sigma.max()), _scaled(sums, end, off, sigma, share, around)
    return None if best is None else best[1]


def _of_a_block(
    share: Array, around: Array, of: Array, asked: Array, there: Array, usual: float, other: Array
) -> Array:
    """Sigma by which pixels among others like them have more beyond an end than light could add, (ny, nx).

    They are held against the pixels farther away that are not like them. Light of another color is light more: at most
    half of it lies beyond an end. Where there is no more light, its wavelengths are wrong. Nor does light that comes in
    take any away beyond the other end: what is missing there speaks for wrong wavelengths, on a star too.

    Parameters
    ----------
    share, around : ndarray
        Part of the photons beyond the end, and that of the eight pixels around.
    of : ndarray
        Photons of each pixel.
    asked, there : ndarray of bool
        Pixels that are asked, and all that can be judged.
    usual : float
        `share` of most pixels.
    other : ndarray
        Photons beyond the other end.
    """
    strict, lenient = np.zeros(share.shape), np.zeros(share.shape)  # pixels differ in their response, too
    odd = there & (share > 2 * usual) & (share > usual + BEYOND)
    plain = there & ~odd & (of >= LEAST)
    if not (asked & odd & (around > 2 * usual)).any():
        return strict
    for y, x in np.argwhere(odd & (of >= LEAST)):
        near = np.s_[max(y - WINDOW, 0) : y + WINDOW + 1, max(x - WINDOW, 0) : x + WINDOW + 1]
        beside = plain[near]
        if np.count_nonzero(beside) < FEW:
            continue
        part, light = float(np.median(share[near][beside])), float(np.median(of[near][beside]))
        if of[y, x] < FAINTER * light:  # its light may be another one
            continue
        seen = float(share[y, x] * of[y, x])
        left = float(np.median((other[near] / np.maximum(of[near], 1))[beside])) * FAINTER * min(light, float(of[y, x]))
        for sigma, allowed in ((strict, 1.0), (lenient, RESPONSE)):
            expected = part * float(of[y, x]) + HALF * max(float(of[y, x]) - allowed * light, 0.0)
            if seen > 2 * expected:
                sigma[y, x] = float(deviation(np.array(seen), np.array(expected)))
        if other[y, x] < left / 2 and seen > 2 * part * float(of[y, x]):
            missing = -float(deviation(np.array(float(other[y, x])), np.array(left)))
            gained = float(deviation(np.array(seen), np.array(part * float(of[y, x]))))
            both = float(np.hypot(missing, min(gained, MOST * missing))) if missing > MISSING else 0.0
            strict[y, x], lenient[y, x] = max(strict[y, x], both), max(lenient[y, x], both)
    block, number = label(lenient > ONCE, np.ones((3, 3)))
    sure = np.bincount(block[strict > SURE], minlength=number + 1) >= SEEDS
    return np.where(sure[block] & (block > 0), np.maximum(strict, SURE + 1e-9), 0.0)


def _beyond(number: Array, total: Array, index: Array, there: Array) -> tuple[Array, Array]:
    """Part of the photons beyond an end of each pixel, and at most about that of the eight around it; (ny, nx)."""
    counted, of = (np.where(there, a[np.maximum(index, 0)], np.nan) for a in (number.astype(float), total))
    near, whole = (np.nansum(neighbors(image, there, 1), axis=0) for image in (counted, of))
    share = np.divide(counted, of, out=np.zeros(of.shape), where=there & (of > 0))
    return share, (near + 1) / (whole + 1)  # one more than none: a few photons are no surprise


def _scaled(sums: PhotonSums, end: str, off: Array, sigma: Array, share: Array, around: Array) -> PhotonFinding:
    """Pixels whose wavelengths are off by a factor."""
    y, x = np.nonzero(off)
    order = np.argsort(-sigma[y, x], kind="stable")
    y, x = y[order], x[order]
    worst = int(sums.info.beammap.index[y[0], x[0]])
    middle = (sums.value_edges[1:] + sums.value_edges[:-1]) / 2
    others = sums.values.sum(axis=0)
    factor = _half(middle, sums.values[worst]) / _half(middle, others)
    low, high = sums.info.wave_range
    return PhotonFinding(
        PhotonFault.SCALED, pixels=np.stack((x, y), axis=1), amount=float(share[y[0], x[0]]), unit="of the photons",
        error=float(np.sqrt(share[y[0], x[0]] / max(sums.values[worst].sum(), 1))), significance=float(sigma.max()),
        text=f"{len(x)} pixel{'s' * (len(x) != 1)} with wrong wavelengths: the clearest, {x[0]}, {y[0]}, has "
        f"{share[y[0], x[0]]:.0%} of its photons {'below' if end == 'low' else 'above'} "
        f"{low if end == 'low' else high:g} nm, where those around it have {around[y[0], x[0]]:.0%}; its wavelengths "
        f"are about {factor:.2f} times those of the others.",
        arrays={"edges": sums.value_edges, "counts": others, "other": sums.values[worst],
                "lines": np.array([low, high])},
    )  # fmt: skip


def _half(middle: Array, counts: Array) -> float:
    """Wavelength below which half of the photons are."""
    until = np.cumsum(counts) / max(float(counts.sum()), 1.0)
    return float(np.interp(0.5, until, middle))

"""Light that drifts from begin to end: that of the whole array, and of feedlines and resonators against the others."""

from __future__ import annotations

import numpy as np

from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.engine.photons.calibration.badpixels import median_of, neighbors
from ifuview.engine.photons.judge.chance import excess
from ifuview.engine.photons.judge.gather import PhotonSums
from ifuview.engine.photons.judge.times import area_of, clipped, pixels_of
from ifuview.model.checks import Array
from ifuview.model.photons.verdict import PhotonFault, PhotonFinding

SURE = 6.5  # sigma, trials counted; how light varies is known from the same few photons
PARTS = (20, 10)  # of the time; slow light varies more over long ones
WORTH, WORTH_OF_ALL = 0.25, 0.15  # of the light, from begin to end, of a part and of the whole; less is not told
ENOUGH = 100.0  # photons
NONE = 1e-12  # variance where nothing is counted


def drifting(sums: PhotonSums, clock: Array, allowed: Array) -> list[PhotonFinding]:
    """Return the drift of the light of all, and of the response of feedlines, and of resonators within them.

    Parameters
    ----------
    clock : ndarray, shape (n, nbin)
        Photons that each resonator would count by the light of its feedline.
    allowed : ndarray, bool, shape (n,)
        Those that can be judged.
    """
    return _array(sums) + _lines(sums) + _resonators(sums, clock, allowed)


def _array(sums: PhotonSums) -> list[PhotonFinding]:
    """The whole array, if most boards agree: a lamp, clouds."""
    light = sums.fine.reshape(len(sums.fine), sums.binned.shape[1], -1).sum(axis=2).astype(float)
    light = light[light.sum(axis=1) >= ENOUGH]
    if not len(light):
        return []
    both = np.vstack((light, light.sum(axis=0)))
    change, error = changes(both, np.broadcast_to(both.mean(axis=1, keepdims=True), both.shape))
    usual, sure = float(np.median(change[:-1])), float(np.median(np.abs(change[:-1]) / error[:-1]))
    if abs(usual) < WORTH_OF_ALL or sure < SURE or np.mean(np.sign(change[:-1]) == np.sign(usual)) < 1:
        return []
    whole = light.sum(axis=0)
    return [_finding(sums, "The light of the whole array drifts", change[-1], error[-1], abs(change[-1]) / error[-1],
                     whole, np.full(len(whole), whole.mean()))]  # fmt: skip


def _resonators(sums: PhotonSums, clock: Array, allowed: Array) -> list[PhotonFinding]:
    """Resonators against their feedline; the drift of light itself (slow speckles) is that of the neighbors."""
    change, error = changes(sums.binned, clock)
    index = sums.info.beammap.index
    there = index >= 0
    near, usual = (
        median_of(neighbors(np.where(there, a[np.maximum(index, 0)], np.nan), there, 1))[0]
        for a in (np.abs(change), error)
    )
    light = np.zeros(len(change))
    light[index[there]] = np.sqrt(np.maximum((MAD_TO_SIGMA * near) ** 2 - usual**2, 0.0))[there]
    sigma = np.abs(change) / np.hypot(error, light)
    found = allowed & (sums.counts >= ENOUGH) & (sigma > SURE) & (np.abs(change) > WORTH)
    if not found.any():
        return []
    order = np.flatnonzero(found)[np.argsort(-sigma[found], kind="stable")]
    worst = int(order[0])
    number = len(order)
    text = f"The response of {number} resonator{'s' * (number != 1)} drifts"
    return [_finding(sums, text, change[worst], error[worst], sigma[worst], sums.binned[worst], clock[worst],
                     pixels=pixels_of(sums, order))]  # fmt: skip


def _lines(sums: PhotonSums) -> list[PhotonFinding]:
    """Feedlines against the others."""
    lines, place = np.unique(sums.feedline, return_inverse=True)
    if len(lines) < 3:  # of two nobody knows which it is
        return []
    light = np.zeros((len(lines), sums.binned.shape[1]))
    np.add.at(light, place, clipped(sums.binned))
    rest = light.sum(axis=0) - light
    total = rest.sum(axis=1)
    expected = rest * np.divide(light.sum(axis=1), total, out=np.zeros(len(lines)), where=total > 0)[:, None]
    change, error = changes(light, expected)
    usual = float(np.median(change))  # a feedline that drifts is in the light of the others
    sigma = np.abs(change - usual) / np.maximum(error, 1e-12)
    chosen = (light.sum(axis=1) >= ENOUGH) & (sigma > SURE) & (np.abs(change - usual) > WORTH)
    return [
        _finding(sums, f"The response of feedline {lines[k]} drifts", change[k], error[k], sigma[k], light[k],
                 expected[k], feedlines=(int(lines[k]),), area=area_of(sums, place == k))
        for k in np.flatnonzero(chosen).tolist()
    ]  # fmt: skip


def changes(counts: Array, expected: Array) -> tuple[Array, Array]:
    """Return by what part of the mean light counts change from begin to end, and 1 sigma of it; each (n,).

    The error is that of the counts and of how light scatters about the line, in the parts of time that scatter most.
    """
    change = np.zeros(len(counts))
    variance = np.zeros(len(counts))
    for parts in PARTS:
        own, hoped = (np.asarray(a, float).reshape(len(a), parts, -1).sum(axis=2) for a in (counts, expected))
        when = np.linspace(-0.5, 0.5, parts, endpoint=False) + 0.5 / parts
        middle = np.divide((hoped * when).sum(axis=1), hoped.sum(axis=1), out=np.zeros(len(own)),
                           where=hoped.sum(axis=1) > 0)[:, None]  # fmt: skip
        at = when - middle
        square = np.maximum((at**2 * hoped).sum(axis=1), 1e-12)
        slope = (at * (own - hoped)).sum(axis=1) / square
        line = np.maximum(hoped * (1 + slope[:, None] * at), 0.0)
        extra = excess(own, line) * parts / (parts - 2)
        noise = (at**2 * (hoped + extra[:, None] * hoped**2)).sum(axis=1) / square**2
        if parts == PARTS[0]:
            change = slope
        variance = np.maximum(variance, noise)
    return change, np.sqrt(np.maximum(variance, NONE))


def _finding(sums: PhotonSums, what: str, change: float, error: float, sigma: float, counts: Array, expected: Array,
             **where: object) -> PhotonFinding:  # fmt: skip
    """A drift of one feedline, or of resonators, by the clearest of them."""
    first, last = 1 - change / 2, 1 + change / 2
    return PhotonFinding(
        PhotonFault.DRIFT, amount=float(change), error=float(error), unit="of the light", significance=float(sigma),
        text=f"{what}{', the clearest' if 'pixels' in where else ''} from {first:.2g} to {last:.2g} of "
        f"{'the light that the others let expect' if where else 'its mean'}.",
        arrays={"edges": sums.edges, "counts": counts, "expected": expected}, **where,  # type: ignore[arg-type]
    )  # fmt: skip

"""Has the fiber that mirrors a bright star on the detector a part of its spectrum?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night import fibers as of_fibers
from ifuview.engine.night.questions.case import THIN, Case
from ifuview.engine.night.stats import mad
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array

SCORE, LEAST = 7.0, 5e-4  # sigma, and part of the star's light
LAGS = tuple(sign * lag for lag in range(15, 135, 10) for sign in (1, -1))  # px, wider than lines


def ghosts(case: Case) -> None:
    """Spectra of bright stars looked for where cross-talk of the read-out, or a reflection, sends them.

    Elsewhere another star of the same kind looks alike.
    """
    chain = case.chain
    if not case.asks("ghost") or case.clean is None or chain.sframe is None or case.level is None:
        return
    flux = median(chain.sframe[:, ::THIN], 1)
    sky = max(float(np.median(case.level)), 1e-6)
    count = flux.size
    for source, first, last, ratio in of_fibers.bright_rows(flux, sky):
        mirrored = count - 1 - source
        if first <= mirrored <= last:
            continue
        bright = case.sharp[source].astype(np.float64)
        weight = np.where((case.weight[source] > 0) & (case.weight[mirrored] > 0), case.weight[mirrored], 0.0)
        norm = float(np.sum(weight * bright**2))
        if norm <= 0:
            continue
        share = float(np.sum(weight * bright * case.sharp[mirrored])) / norm
        rest = case.sharp[mirrored] - share * bright
        formal = max(1.0, float(mad((rest * np.sqrt(weight))[weight > 0]))) / np.sqrt(norm)
        z = share / max(formal, _by_chance(bright, rest, weight))
        if abs(z) > SCORE and abs(share) > LEAST:
            _add(case, mirrored, source, share, z, ratio)


def _by_chance(bright: Array, rest: Array, weight: Array) -> float:
    """Part of a star's spectrum that is found where it is not, displaced by LAGS: lines of another star answer, too."""
    shares = []
    for lag in LAGS:
        moved = np.roll(bright, lag)
        shares.append(float(np.sum(weight * moved * rest)) / max(float(np.sum(weight * moved**2)), 1e-12))
    return float(np.sqrt(np.mean(np.square(shares))))


def _add(case: Case, fiber: int, source: int, share: float, score: float, ratio: float) -> None:
    why = "cross-talk of the read-out" if share < 0 else "cross-talk of the read-out, or a reflection"
    case.add(
        "ghost", "preproc", fibers=(fiber,), amplitude=share, unit="of the bright fiber's "
        "light", significance=abs(score),
        confidence=0.8, detail={"source": source, "error": abs(share / score)},
        text=f"Fiber {fiber}, which mirrors it on the detector, has {100 * share:+.2f} % of the spectrum of "
        f"fiber {source}, "
        f"{ratio:.0f} times as bright as the sky: {why}",
    )  # fmt: skip

"""Has the fiber that mirrors a bright star on the detector a part of its spectrum?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night import fibers as of_fibers
from ifuview.engine.night.questions.case import THIN, Case
from ifuview.engine.night.stats import mad

SCORE, LEAST = 7.0, 5e-4  # sigma, and part of the star's light


def ghosts(case: Case) -> None:
    """Spectra of bright stars looked for where cross-talk of the read-out, or a reflection, sends them.

    Elsewhere another star of the same kind looks alike.
    """
    chain = case.chain
    if not case.asks("ghost") or case.clean is None or chain.sframe is None or case.level is None:
        return
    flux = np.median(chain.sframe[:, ::THIN], axis=1)
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
        rest = (case.sharp[mirrored] - share * bright) * np.sqrt(weight)
        z = share * np.sqrt(norm) / max(1.0, float(mad(rest[weight > 0])))
        if abs(z) > SCORE and abs(share) > LEAST:
            _add(case, mirrored, source, share, z, ratio)


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

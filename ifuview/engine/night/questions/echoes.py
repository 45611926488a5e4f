"""What a run of fibers with another part of the light makes elsewhere: its sky fibers have a part in what all share."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.case import Case

EXPLAINED = 0.4  # of a level of one side, by fibers of it that lost light
ECHO = 2.0  # times what a sky model makes of fibers that it follows


def echoes(case: Case) -> None:
    """Take back findings that the sky fibers of a run make: levels of a side, lines that stay in all fibers."""
    chain, runs = case.chain, [f for f in case.findings if f.kind == "block-throughput"]
    if chain.is_sky is None or case.level is None or not runs:
        return
    lost = np.zeros(chain.shape[0])
    for f in runs:
        lost[list(f.fibers)] = f.amplitude - 1
    sky = chain.is_sky & case.measured
    followed = float(np.abs(lost[sky]).sum()) / max(int(np.count_nonzero(sky)), 1)
    for f in list(case.findings):
        if f.kind == "amplifier-step" and f.detail.get("sky_fibers"):
            side = np.zeros(sky.size, bool)
            side[list(f.fibers)] = True
            own, other = (lost[sky & part].mean() if (sky & part).any() else 0.0 for part in (side, ~side))
            told = float(np.median(case.level) * (own - other) * np.sign(f.amplitude)) > EXPLAINED * abs(f.amplitude)
        else:
            told = bool(f.detail.get("change") == "factor" and len(f.fibers) == lost.size)
            told &= abs(f.amplitude) < ECHO * followed
        if told:
            case.findings.remove(f)

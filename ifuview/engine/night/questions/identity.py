"""Do the products of each fiber make one another? If not, its sky was left in, or rows were exchanged."""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.case import COUNTS, Case
from ifuview.engine.night.search.identity import LEAST, LEAST_SWAPPED, Broken, broken_fibers, gap, swapped
from ifuview.model.checks import Array

OF_SKY = 0.5  # of the gap must have the shape of the sky


def identity(case: Case) -> None:
    """Fibers whose products contradict each other, one by one; whole productions are asked elsewhere."""
    chain = case.chain
    if case.level is None or chain.frame is None or chain.flat is None or chain.sky is None or chain.sframe is None:
        return
    good = case.good if chain.frame_ivar is None else case.good & (chain.frame_ivar > 0)
    weak = broken_fibers(gap(chain.frame, chain.flat, chain.sky, chain.sframe), good, case.level, LEAST_SWAPPED)
    taken = swapped([b.fiber for b in weak], chain.frame, chain.flat, chain.sky, chain.sframe) if len(weak) > 1 else {}
    found = [b for b in weak if b.off > LEAST or b.fiber in taken]
    case.set_aside |= {b.fiber for b in found}
    pairs = {(min(a, b), max(a, b)) for a, b in taken.items() if taken.get(b) == a}
    for pair in sorted(pairs):
        _exchanged(case, *pair)
    for a, b in taken.items():
        if (min(a, b), max(a, b)) not in pairs and case.asks("swapped-fibers"):
            _moved(case, a, b)
    for one in found:
        if one.fiber not in taken:
            _contradiction(case, one)
    _calibrated(case, good)


def _exchanged(case: Case, one: int, two: int) -> None:
    if not case.asks("swapped-fibers"):
        return
    case.add(
        "swapped-fibers", "preproc", fibers=(one, two), amplitude=2.0, unit="fibers", significance=10.0,
        text=f"The spectra of fibers {one} and {two} are exchanged: each was made with the flat and the sky "
        f"model of the "
        "other one",
    )  # fmt: skip


def _moved(case: Case, fiber: int, of: int) -> None:
    case.add(
        "swapped-fibers", "preproc", fibers=(fiber,), amplitude=1.0, unit="fibers", significance=10.0,
        text=f"The row of fiber {fiber} holds the spectrum of fiber {of}: it was made with the flat and the sky "
        f"model of "
        "that one", detail={"taken_from": of},
    )  # fmt: skip


def _contradiction(case: Case, one: Broken) -> None:
    """One fiber whose sframe is not what its frame, flat and sky model make."""
    if not case.asks("isolated-fiber"):
        return
    sky_shaped = abs(one.share) > OF_SKY * one.off
    verb = "keeps" if one.share > 0 else "lost, once more than it should,"
    what = f": it {verb} {100 * abs(one.share):.1f} % of its sky" if sky_shaped else ""
    assert case.level is not None
    case.add(
        "isolated-fiber", "sky", fibers=(one.fiber,), amplitude=one.share * float(np.median(case.level)), unit=COUNTS,
        significance=one.score, known=bool(case.known[one.fiber]),
        detail={"cause": "products contradict each other", "share_of_sky": round(one.share, 4)},
        text=f"The sframe of fiber {one.fiber} is not its frame / flat - sky{what}; the other fibers' are",
    )  # fmt: skip


def _calibrated(case: Case, good: Array) -> None:
    """Fibers whose cframe is not sframe / fluxcalib."""
    chain = case.chain
    if chain.cframe is None or chain.fluxcalib is None or chain.sframe is None or not case.asks("isolated-fiber"):
        return
    assert case.level is not None
    for one in broken_fibers(chain.cframe * chain.fluxcalib - chain.sframe, good, case.level):
        case.add(
            "isolated-fiber", "fluxcalib", fibers=(one.fiber,), amplitude=one.off * float(np.median(case.level)),
            unit=COUNTS, significance=one.score, known=bool(case.known[one.fiber]),
            detail={"cause": "products contradict each other"},
            text=f"The cframe of fiber {one.fiber} is not its sframe / fluxcalib; the other fibers' are",
        )  # fmt: skip

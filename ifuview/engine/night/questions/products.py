"""Do the products contradict each other, and is the calibration smooth?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night import others
from ifuview.engine.night.questions.case import BUNDLE, COUNTS, Case
from ifuview.engine.night.search.between import calibrated_sky, ends
from ifuview.engine.night.search.scan import SINGLE, blocks_of_fibers, spans
from ifuview.engine.night.search.templates import shapes
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

EDGE = 4.0  # Angstrom on both sides of a step
LEVEL = 0.05  # of the calibration of a fiber


def products(case: Case) -> None:
    """Products that contradict each other, and the flux calibration."""
    chain = case.chain
    if case.asks("mixed-production"):
        _mixed(case)
    if case.asks("fluxcalib") and chain.fluxcalib is not None:
        _calibration(case, chain.fluxcalib)
        _for_others(case, chain.fluxcalib)


def _for_others(case: Case, fluxcalib: Array) -> None:
    """Numbers by which other cameras of the exposure tell a gray factor."""
    chain = case.chain
    if case.level is not None:
        typical = np.median(fluxcalib[:: others.EVERY], axis=0)
        case.numbers["calibrated_sky"] = calibrated_sky(case.level, typical, shapes(case.level, chain.wave)[0])
    if chain.cframe is not None and chain.sframe_ivar is not None:
        case.numbers["ends"] = ends(chain.cframe, chain.sframe_ivar * fluxcalib**2, chain.wave)


def _calibration(case: Case, fluxcalib: Array) -> None:
    """A bump or a step that no response has, and fibers whose calibration has another level."""
    wave = case.chain.wave
    everyone = tuple(range(case.chain.shape[0]))
    step = others.calibration_step(fluxcalib, wave)
    found = None if step is not None else others.wiggle(fluxcalib, wave)
    if found is not None:
        peak, span = found
        case.add(
            "fluxcalib", "fluxcalib", fibers=everyone, wave_range=span, amplitude=peak, unit="relative",
            significance=abs(peak) / 0.01, text=f"The flux calibration has a feature of {100 * peak:+.0f} % at "
            f"{span[0]:.0f}-{span[1]:.0f} A that no smooth response has",
        )  # fmt: skip
    if step is not None:
        size, at = step
        case.add(
            "fluxcalib", "fluxcalib", fibers=everyone, wave_range=(at - EDGE, at + EDGE), amplitude=size,
            unit="relative", significance=abs(size) / 0.01,
            text=f"The flux calibration jumps by {100 * size:+.0f} % at {at:.0f} A: no response does",
        )  # fmt: skip
    logs = others.calibration_levels(fluxcalib)
    known = np.isfinite(logs)
    for run in spans(logs, np.full(logs.size, LEVEL / SINGLE), known, snap=BUNDLE):
        if abs(run.value) < LEVEL:
            continue
        fibers = tuple(int(f) for f in run.fibers if known[f])
        case.add(
            "fluxcalib", "fluxcalib", fibers=fibers, blocks=blocks_of_fibers(fibers, BUNDLE), block_size=BUNDLE,
            amplitude=float(np.expm1(run.value)), unit="relative", significance=run.score,
            text=f"The flux calibration of fibers {ranges(fibers)} is {np.exp(run.value):.2f} times that of the "
            f"others",
        )  # fmt: skip


def _mixed(case: Case) -> None:
    """sframe must be frame / flat - sky, and cframe must be sframe / fluxcalib."""
    chain = case.chain
    assert chain.frame is not None and chain.flat is not None and chain.sky is not None and chain.sframe is not None
    good = case.good if chain.frame_ivar is None else case.good & (chain.frame_ivar > 0)
    if case.set_aside:  # fibers that were named one by one
        good = good.copy()
        good[list(case.set_aside)] = False
    names = "frame / flat - sky"
    found = others.identity(chain.frame, chain.flat, chain.sky, chain.sframe, good, case.sigma, chain.wave)
    step, product = "sky", "sframe"
    if found is None and chain.fluxcalib is not None and chain.cframe is not None:
        found = others.calibration_identity(chain.sframe, chain.fluxcalib, chain.cframe, good, case.sigma, chain.wave)
        step, product, names = "fluxcalib", "cframe", "sframe / fluxcalib"
    if found is None:
        return
    case.add(
        "mixed-production", step, fibers=found.fibers, wave_range=found.wave_range, amplitude=found.typical,
        unit=COUNTS, significance=found.share / others.MISFIT_SHARE,
        detail={"share": round(found.share, 3), "product": product},
        text=f"{product} is not {names} in {100 * found.share:.0f} % of the pixels (typically {found.typical:.0f} "
        f"{COUNTS}): files of different productions are mixed",
    )  # fmt: skip

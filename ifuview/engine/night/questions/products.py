"""Do the products contradict each other, and is the calibration smooth?"""

from __future__ import annotations

from ifuview.engine.night import others
from ifuview.engine.night.questions.case import COUNTS, Case


def products(case: Case) -> None:
    """Products that contradict each other, and the flux calibration."""
    chain = case.chain
    if case.asks("mixed-production"):
        _mixed(case)
    if case.asks("fluxcalib") and chain.fluxcalib is not None:
        found = others.wiggle(chain.fluxcalib, chain.wave)
        if found is not None:
            peak, span = found
            case.add(
                "fluxcalib", "fluxcalib", fibers=tuple(range(chain.shape[0])), wave_range=span, amplitude=peak,
                unit="relative", significance=abs(peak) / 0.01, text=f"The flux calibration has a feature of "
                f"{100 * peak:+.0f} % at {span[0]:.0f}-{span[1]:.0f} A that no smooth response has",
            )  # fmt: skip


def _mixed(case: Case) -> None:
    """sframe must be frame / flat - sky, and cframe must be sframe / fluxcalib."""
    chain = case.chain
    assert chain.frame is not None and chain.flat is not None and chain.sky is not None and chain.sframe is not None
    good = case.good if chain.frame_ivar is None else case.good & (chain.frame_ivar > 0)
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

"""Do blocks of fibers, or all of them, deviate at some wavelengths, and which product has it first?"""

from __future__ import annotations

from typing import Any

import numpy as np

from ifuview.engine.night import blocks as in_blocks
from ifuview.engine.night import others
from ifuview.engine.night.questions.case import BLOCK, BUNDLE, COUNTS, THIN, Case
from ifuview.engine.night.stats import blocks_of, continuum
from ifuview.model.checks import Array


def blocks(case: Case) -> None:
    """Blocks of fibers that deviate at some wavelengths, and residuals that all fibers share."""
    chain = case.chain
    if case.clean is None or case.level is None or chain.sky is None:
        return
    if not (case.asks("wavelength-blocks") or case.asks("wavelength-all")):
        return
    bins = in_blocks.grid(chain.wave, case.level, case.sigma)
    products = {"sky": chain.sky}
    if chain.flat is not None:
        products = {"fiberflat": _flat_shape(chain.flat, case.level), **products}
    if case.asks("wavelength-blocks"):
        for region in in_blocks.regions(case.clean, products, bins, BLOCK):
            frame = None
            if chain.frame is not None and chain.flat is not None:
                frame = in_blocks.share(region, case.seen, case.clean, bins)
            case.add("wavelength-blocks", {"frame": "preproc"}.get(region.step, region.step), **_region(region, frame))
    if case.asks("wavelength-all"):
        for amplitude, significance, span in others.everywhere(case.clean - case.expected, bins, BLOCK):
            case.add(
                "wavelength-all", "sky", fibers=tuple(range(chain.shape[0])), wave_range=span, amplitude=amplitude,
                unit=COUNTS, significance=significance, confidence=0.7,
                text=f"All fibers keep {amplitude:+.0f} {COUNTS} at {span[0]:.0f}-{span[1]:.0f} A after the sky is off",
            )  # fmt: skip


def _flat_shape(flat: Array, level: Array) -> Array:
    """The flat of each bundle without its smooth part, in counts of sky."""
    good = np.where(flat > 0, flat, 1.0).astype(np.float32)
    relative = good / np.median(good[:, ::THIN], axis=1, keepdims=True)
    shape = blocks_of(relative, BUNDLE)
    shape = (shape - continuum(shape)) * level
    out = np.zeros(flat.shape, np.float32)
    out[: shape.shape[0] * BUNDLE] = np.repeat(shape, BUNDLE, axis=0)
    return out


def _region(region: in_blocks.Region, frame: float | None) -> dict[str, Any]:
    low, high = region.wave_range
    fibers = tuple(f for b in region.blocks for f in range(b * region.size, (b + 1) * region.size))
    strongest = max(region.amplitude, key=abs)
    where = {
        "sky": "the sky model itself deviates there, frame and flat do not",
        "fiberflat": "the fiberflat has a feature there",
        "frame": "neither sky model nor fiberflat has it",
    }[region.step]
    signs = ", ".join(f"{b}{'+' if a > 0 else '-'}" for b, a in zip(region.blocks, region.amplitude, strict=True))
    return {
        "fibers": fibers, "blocks": region.blocks, "block_size": region.size, "wave_range": region.wave_range,
        "amplitude": strongest, "unit": COUNTS, "significance": region.significance,
        "confidence": 1.0 if region.answer else 0.8,
        "text": f"Blocks of {region.size} fibers ({signs}) deviate by up to {abs(strongest):.0f} {COUNTS} at "
        f"{low:.0f}-{high:.0f} A: {where}",
        "detail": {
            "amplitude_of_block": [round(a, 1) for a in region.amplitude],
            "flux_over_product": [round(-a, 2) for a in region.answer],
            "frame_over_flux": None if frame is None else round(frame, 2),
        },
    }  # fmt: skip

"""What do products show by themselves, where there are no sky-subtracted spectra to ask?

A sky model and a flat are positive and vary little from fiber to fiber; extracted spectra have at least some of the
others' light. What is off there may still be right: the text says what would tell.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night import others
from ifuview.engine.night.questions.case import BUNDLE, LEAST_FIBERS, Case
from ifuview.engine.night.search.deviating import deviating, flat_deviation, sky_deviation
from ifuview.engine.night.search.scan import SINGLE, Span, blocks_of_fibers, spans
from ifuview.engine.night.stats import middle
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array
from ifuview.model.night.triage import ranges

FEATURE = 0.05  # of it: less is in models and flats that are right
DARK = 0.1  # of the others' light
JUDGES = ("frame", "flat", "sky", "sframe")


@dataclass(frozen=True, slots=True)
class Alone:
    """A product that can be judged by itself: its step, words, and what it may differ by from fiber to fiber."""

    step: str
    words: str
    usual: float


KINDS = {
    "frame": Alone("frame", "spectrum", np.inf),  # targets add light of their own
    "flat": Alone("fiberflat", "flat", 0.15),
    "sky": Alone("sky", "sky model", 0.05),
}


def alone(case: Case, wanted: Collection[str]) -> None:
    """Fibers, runs and wavelengths that stand out in frame, flat and sky model; of the classes that are wanted."""
    if case.chain.sframe is not None or case.chain.shape[0] < LEAST_FIBERS:
        return
    before = len(case.findings)
    lacking = " and ".join(name for name in JUDGES if getattr(case.chain, name) is None)
    for name, kind in KINDS.items():
        values = getattr(case.chain, name)
        if values is None or getattr(case.given, name) is None:
            continue
        logs = others.calibration_levels(values)
        dark = ~(logs > np.log(DARK)) & ~case.known & _written(case, name)
        if dark.any():
            _dark(case, kind, dark, lacking)
        if np.isfinite(kind.usual) and np.count_nonzero(~dark) >= BUNDLE:
            for run in spans(logs, np.full(logs.size, kind.usual / SINGLE), ~dark & np.isfinite(logs), snap=BUNDLE):
                if abs(run.value) > kind.usual:
                    _level(case, kind, run, lacking)
            _features(case, kind, np.where(dark[:, None], median(values, 0), values), lacking)
    case.findings[before:] = [found for found in case.findings[before:] if found.kind in wanted]


def _written(case: Case, name: str) -> Array:
    """Fibers of which the product holds anything: those that are masked are told of elsewhere."""
    values, ivar = getattr(case.given, name), getattr(case.given, f"{name}_ivar")
    return np.asarray((np.isfinite(values) & (True if ivar is None else ivar > 0)).mean(axis=1) > 0.5)


def _dark(case: Case, kind: Alone, dark: Array, lacking: str) -> None:
    fibers = tuple(int(f) for f in np.flatnonzero(dark))
    case.add(
        "isolated-fiber", kind.step, fibers=fibers, amplitude=0.0, unit="level / other blocks", significance=10.0,
        text=f"The {kind.words} of fiber{'s' * (len(fibers) > 1)} {ranges(fibers)} has less than {100 * DARK:.0f} % of "
        f"the others'{_doubt(lacking)}", detail={"dead": True, "alone": kind.step},
    )  # fmt: skip


def _level(case: Case, kind: Alone, run: Span, lacking: str) -> None:
    single = len(run.fibers) == 1
    blocks = blocks_of_fibers(run.fibers, BUNDLE)
    case.add(
        "isolated-fiber" if single else "block-throughput", kind.step, fibers=run.fibers, blocks=blocks,
        block_size=BUNDLE if blocks else 0, amplitude=float(np.exp(run.value)), unit="level / other blocks",
        significance=run.score, confidence=0.6, detail={"alone": kind.step},
        text=f"The {kind.words} of fiber{'s' * (not single)} {ranges(run.fibers)} is {np.exp(run.value):.2f} times the "
        f"others' at all wavelengths{_doubt(lacking)}",
    )  # fmt: skip


def _features(case: Case, kind: Alone, values: Array, lacking: str) -> None:
    """Wavelengths at which some fibers differ from the others, the smooth part of a flat taken off."""
    level = median(values, 0)
    if kind.step == "sky":
        own = values - middle(values / np.where(level > 0, level, np.inf), axis=1)[:, None] * level
        product, scale = sky_deviation(level + own, level), level
    else:
        scale = np.ones(values.shape[1], np.float32)
        product = flat_deviation(values, np.ones_like(values))
    for fibers, columns in deviating(kind.step, product, scale):
        part = product[fibers][:, columns] / np.maximum(scale[columns], 1e-6)
        most = np.abs(part).max(axis=1)
        fibers, part = fibers[most > FEATURE], part[most > FEATURE]
        if not fibers.size:
            continue
        peak = float(part.ravel()[np.argmax(np.abs(part))])
        wave, named = case.chain.wave[columns], tuple(int(f) for f in fibers)
        case.add(
            "wavelength-blocks", kind.step, fibers=named, wave_range=(float(wave[0]), float(wave[-1])), amplitude=peak,
            unit="relative", significance=abs(peak) / FEATURE * SINGLE, confidence=0.6, detail={"alone": kind.step},
            text=f"The {kind.words} of fiber{'s' * (len(named) > 1)} {ranges(named)} differs from the others' by "
            f"{100 * peak:+.0f} % at {wave[0]:.0f}-{wave[-1]:.0f} A{_doubt(lacking)}",
        )  # fmt: skip


def _doubt(lacking: str) -> str:
    return f"; {lacking} would tell whether that is right" if lacking else ""

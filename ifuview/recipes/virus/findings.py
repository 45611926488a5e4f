"""What is wrong with a reduced fiber head, in sentences: of its amplifiers, and of its exposures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ifuview.model.inspection import VerdictState
from ifuview.model.night.triage import ranges
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.quality import AmplifierQuality
from ifuview.model.reduction.shot import IfuSpectra


def head_findings(spectra: IfuSpectra, quality: Sequence[AmplifierQuality]) -> tuple[str, ...]:
    """Return what is wrong with a head, one sentence for each cause.

    Parameters
    ----------
    spectra : IfuSpectra
    quality : sequence of AmplifierQuality
        Of its amplifiers in all exposures.
    """
    lost: dict[str, dict[int, str]] = {}
    for field in spectra.fields:
        for state in field.amplifiers:
            if state.reason:
                lost.setdefault(state.name, {})[field.number] = state.reason
    out = [
        f"{spectra.slot} {name} is not used in {_exposures(found)}: {next(iter(found.values()))}"
        for name, found in lost.items()
    ]
    wrong: dict[tuple[str, str], dict[int, str]] = {}
    for row in quality:
        for one in row.numbers if row.exposure not in lost.get(row.amplifier, {}) else ():
            if one.state is VerdictState.WRONG:
                words = f"{one.value:.3g} {one.unit}".rstrip()
                wrong.setdefault((row.amplifier, one.title), {})[row.exposure] = words
    out += [
        f"{spectra.slot} {name}, {_exposures(found)}: {title} {next(iter(found.values()))}"
        for (name, title), found in wrong.items()
    ]
    trail = np.uint32(int(ReductionBit.TRAIL))
    for field in spectra.fields:
        below = int(((field.spectra.mask & trail) != 0).any(axis=1).sum())
        out += [f"{spectra.slot}, exposure {field.number}: {below} fibers are below a trail"] * (below > 0)
    return tuple(out)


def _exposures(numbers: Iterable[int]) -> str:
    """Some exposures in words."""
    own = tuple(sorted(numbers))
    return f"exposure{'s' * (len(own) > 1)} {ranges(own)}"

"""One spectrum of a target from all its channels and exposures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ifuview import __version__
from ifuview.app.night.reduction.channel import ReducedChannel
from ifuview.instrument.tables import Tables
from ifuview.io.products.lrs2.combined import CombinedTarget, common_grid, write_combined
from ifuview.io.products.lrs2.folders import target_name
from ifuview.model.reduction.products import ProductName, ReductionRecord
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.recipes.lrs2.others import one_spectrum


def combined(done: Sequence[ReducedChannel]) -> tuple[CombinedTarget, ...]:
    """Each target of some reduced channels; none of those without a source.

    The first channel in wavelength keeps its flux; neighbors are brought to one level where they overlap.
    """
    targets: dict[str, list[ReducedChannel]] = {}
    for one in done:
        if isinstance(one.steps["spectrum"].value if "spectrum" in one.steps else None, SourceSpectrum):
            targets.setdefault(target_name(one.exposure.object).upper(), []).append(one)
    return tuple(_target(own) for own in targets.values())


def _target(own: Sequence[ReducedChannel]) -> CombinedTarget:
    own = sorted(own, key=lambda one: (float(one.setup.grid[0]), one.exposure.date, one.exposure.observation))
    spectra = [spectrum for one in own if isinstance(spectrum := one.value("spectrum"), SourceSpectrum)]
    found = one_spectrum(spectra, common_grid())
    names = [
        ProductName(one.exposure.date, one.exposure.observation, one.exposure.number, one.setup.camera) for one in own
    ]
    record = ReductionRecord({"combine.match": "True"}, {}, found.notes, __version__)
    return CombinedTarget(
        min(one.exposure.date for one in own), own[0].header, found.spectrum, found.count, names, found.factor,
        found.factor_error, record,
    )  # fmt: skip


def combine_targets(done: Sequence[ReducedChannel], output: str, config: str = "") -> list[str]:
    """Write the combined products of all targets; what was written, one line each.

    Raises
    ------
    UsageError
        They cannot be written.
    """
    standards, lines = Tables("lrs2", config).standards(), []
    for target in combined(done):
        path = write_combined(output, target, standards)
        off = [abs(factor - 1) for factor in target.factor]
        lines.append(f"{len(target.names)} spectra, borders within {100 * float(np.max(off)):.1f} %: {path}")
    return lines

"""Exposures of one head with the same amplifiers each: one that is missing in some is there without light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.ifu import IfuAmplifier, IfuExposure
from ifuview.model.reduction.spectra import FiberSpectra

MISSING = "it is missing"


def aligned(exposures: tuple[IfuExposure, ...]) -> tuple[IfuExposure, ...]:
    """Return the exposures with the amplifiers of all, in the order of the one that has most of them.

    Parameters
    ----------
    exposures : tuple of IfuExposure
        Of one head.
    """
    order: list[str] = []
    for one in sorted(exposures, key=lambda e: -len(e.amplifiers)):
        order += [a.name for a in one.amplifiers if a.name not in order]
    if all([a.name for a in one.amplifiers] == order for one in exposures):
        return exposures
    having = {a.name: one for one in reversed(exposures) for a in one.amplifiers}
    return tuple(_with(one, order, having) for one in exposures)


def _with(one: IfuExposure, order: list[str], having: dict[str, IfuExposure]) -> IfuExposure:
    """An exposure with all amplifiers in order; those that it lacks are like those of another, without light."""
    own = {a.name for a in one.amplifiers}
    source = [one if name in own else having[name] for name in order]
    part = [each.amplifier(name).fibers for each, name in zip(source, order, strict=True)]
    amplifiers: list[IfuAmplifier] = []
    for each, name in zip(source, order, strict=True):
        first = amplifiers[-1].last if amplifiers else 0
        old = each.amplifier(name)
        new = old if name in own else IfuAmplifier(name, 0, 0, None, problem=MISSING)
        amplifiers.append(replace(new, first=first, last=first + old.last - old.first))

    def joined(values: list[Array]) -> Array:
        return np.concatenate([value[rows] for value, rows in zip(values, part, strict=True)])

    spectra = [each.spectra if each is one else _dark(each.spectra) for each in source]
    lamps = set.intersection(*(set(each.lamps) for each in source))
    return replace(
        one,
        spectra=FiberSpectra(
            joined([s.flux for s in spectra]), joined([s.variance for s in spectra]), joined([s.mask for s in spectra]),
            joined([s.wave for s in spectra]), one.spectra.unit, one.spectra.medium,
        ),
        fiber_flat=joined([each.fiber_flat for each in source]), x=joined([each.x for each in source]),
        y=joined([each.y for each in source]), dead=joined([each.dead for each in source]),
        amplifiers=tuple(amplifiers), aperture=None, trace=None,
        lsf=None if any(each.lsf is None for each in source) else joined([np.asarray(each.lsf) for each in source]),
        lamps={name: joined([each.lamps[name] for each in source]) for name in sorted(lamps)},
    )  # fmt: skip


def _dark(spectra: FiberSpectra) -> FiberSpectra:
    """Wavelengths of some fibers without any light."""
    nothing = np.zeros(spectra.flux.shape, np.float32)
    mask = np.full(spectra.flux.shape, int(ReductionBit.AMPLIFIER), np.uint32)
    return replace(spectra, flux=nothing, variance=nothing + 1, mask=mask, chi2=None)

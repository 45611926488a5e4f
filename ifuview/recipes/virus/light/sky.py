"""Sky of a head's exposures: of its own fibers, its neighbors, another head, or another exposure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.sky.borrow import borrow_sky
from ifuview.engine.spectra.sky.many import ManySky, fit_sky, moved_sky
from ifuview.errors import FitError, UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.params import param
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.virus.shot_values import HeadFlux, HeadSkies

SOURCES = ("auto", "own", "all", "others", "scaled")


@dataclass(frozen=True, slots=True)
class HeadSkyParams:
    """Where the sky comes from."""

    source: str = param(
        "auto", "Sky from", choices=SOURCES,
        hint="own: this head; all: and its neighbors; others: those alone; scaled: another exposure, brought to the "
        "brightness here; auto: own, others where light of a source is everywhere",
    )  # fmt: skip
    surface: bool = param(True, "Follow a gradient of the sky")
    lines: bool = param(True, "Correct wavelength and width from the sky's lines")


def head_skies(
    params: HeadSkyParams, ctx: JobContext, flux: HeadFlux, others: tuple[HeadFlux, ...], light: Array | None
) -> HeadSkies:
    """Sky of all exposures of a head from where `params` says; `light` (nexp, nfiber) of sources over the sky."""
    skies, notes = [], []
    for n in range(len(flux.flux)):
        ctx.checkpoint(n / len(flux.flux), "sky")
        lit = None if light is None else light[n]
        usable = tuple(one for one in others if n < len(one.flux))
        try:
            found, note = _sky(params, flux, usable, n, lit)
        except FitError as problem:
            if params.source != "auto" or not usable:
                raise FitError(f"exposure {flux.exposures[n].number}: {problem}", flux.exposures[n].slot) from problem
            found, note = _borrowed(params, flux, usable, n), f"{problem}; sky of {_names(usable)}"
        skies.append(found)
        notes += [f"exposure {flux.exposures[n].number}: {note}"] if note else []
    return HeadSkies(tuple(skies), tuple(notes))


def _sky(
    params: HeadSkyParams, flux: HeadFlux, others: tuple[HeadFlux, ...], n: int, light: Array | None
) -> tuple[ManySky, str]:
    """Sky of one exposure and what is to be said of it."""
    if params.source in ("others", "scaled"):
        if not others:
            raise UsageError("there is no other head or exposure to take the sky from", flux.exposures[n].slot)
        if params.source == "others":
            return _borrowed(params, flux, others, n), f"sky of {_names(others)}"
        found = _fit(params, (others[0],), n, None, flux)
        own = borrow_sky(flux.flux[n], found.common)
        return replace(found, sky=own.sky), "; ".join(own.sky.notes)
    if params.source == "all" and others:
        return _borrowed(params, flux, (flux, *others), n), f"sky of {_names((flux, *others))}"
    found = _fit(params, (flux,), n, light, flux)
    if found.crowded and params.source == "auto" and others:
        return _borrowed(params, flux, others, n), f"light of sources is everywhere: sky of {_names(others)}"
    return found, "light of sources reaches most fibers: the sky is that of the darkest" if found.crowded else ""


def _fit(
    params: HeadSkyParams, heads: tuple[HeadFlux, ...], n: int, light: Array | None, like: HeadFlux
) -> ManySky:  # fmt: skip
    """Sky of one exposure from the fibers of some heads together, as bright as a head sees it."""

    place = [head.plane(n) for head in heads]
    spectra = [_as_bright(head.flux[n], like.twilight / head.twilight) for head in heads]

    count = np.cumsum([0] + [int(head.block.max()) + 1 for head in heads])
    joined = spectra[0]
    if len(heads) > 1:
        joined = FiberSpectra(
            np.concatenate([one.flux for one in spectra]), np.concatenate([one.variance for one in spectra]),
            np.concatenate([one.mask for one in spectra]), np.concatenate([one.wave for one in spectra]), joined.unit,
            joined.medium,
        )  # fmt: skip
    lsf = [head.exposures[n].lsf for head in heads]
    known = [one for one in lsf if one is not None]
    return fit_sky(
        joined, np.concatenate([x for x, _ in place]), np.concatenate([y for _, y in place]),
        np.concatenate([head.block + first for head, first in zip(heads, count, strict=False)]), light=light,
        lsf=np.concatenate(known) if len(known) == len(lsf) else None, surface=params.surface, lines=params.lines,
    )  # fmt: skip


def _borrowed(params: HeadSkyParams, flux: HeadFlux, others: tuple[HeadFlux, ...], n: int) -> ManySky:
    """The sky of other heads where the fibers of this one are."""
    found = _fit(params, others, n, None, flux)
    there = [head.plane(n) for head in others]
    place = np.concatenate([x for x, _ in there]), np.concatenate([y for _, y in there])
    return moved_sky(found, place, np.asarray(flux.flux[n].wave), flux.plane(n))


def _names(heads: tuple[HeadFlux, ...]) -> str:
    return ", ".join(one.exposures[0].slot for one in heads)


def _as_bright(spectra: FiberSpectra, factor: float) -> FiberSpectra:
    """Multiplied, where the factor is known."""
    return divided(spectra, 1 / factor) if np.isfinite(factor) and factor > 0 else spectra


def divided(spectra: FiberSpectra, by: Array | float) -> FiberSpectra:
    """Spectra over a factor, errors with them."""
    return replace(spectra, flux=spectra.flux / by, variance=spectra.variance / by**2)

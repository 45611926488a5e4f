"""Sky of a head's exposures: of its own fibers, its neighbors, another head, or another exposure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.context import JobContext
from ifuview.engine.spectra.flat.adjust import response_change
from ifuview.engine.spectra.sky.fibers import brightness
from ifuview.engine.spectra.sky.many import ManySky, fit_sky, worn_sky
from ifuview.errors import FitError, UsageError
from ifuview.model.checks import Array
from ifuview.model.reduction.params import param
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.virus.shot_values import HeadFlux, HeadSkies

SOURCES = ("auto", "own", "all", "others", "scaled")
LENT = SOURCES[2:]  # that another head is needed for
NEAREST = "nearest"  # head
CHANGED = 0.04  # of the response of fibers: calibrations are not of this light


@dataclass(frozen=True, slots=True)
class HeadSkyParams:
    """Where the sky comes from."""

    source: str = param(
        "auto", "Sky from", choices=SOURCES,
        hint="own: this head; all: and its neighbors; others: those alone; scaled: another exposure, brought to the "
        "brightness here; auto: own, others where light of a source is everywhere",
    )  # fmt: skip
    slot: str = param(NEAREST, "Slot of the other head", hint="for all, others and scaled")
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
        usable = tuple(one for one in others if one.flux)
        try:
            found, note = _sky(params, flux, usable, n, lit)
        except FitError as problem:
            if params.source != "auto" or not usable:
                number, slot = flux.exposures[n].number, flux.exposures[n].slot
                raise FitError(_changed(flux) or f"exposure {number}: {problem}", slot) from problem
            found, note = _worn(params, flux, usable, n)
            note = f"{problem}; {note}"
        skies.append(found)
        notes += [f"exposure {flux.exposures[n].number}: {note}"] if note else []
    return HeadSkies(tuple(skies), tuple(notes))


def _changed(flux: HeadFlux) -> str:
    """That the calibrations are not those of the light, if so."""
    level, error = np.array([brightness(one) for one in flux.flux]).swapaxes(0, 1)
    change = response_change(level, error, flux.block)
    words = f"the response of fibers differs by {100 * change:.0f} % from their twilight"
    return f"the calibrations are of another time or head: {words}" if change > CHANGED else ""


def _sky(
    params: HeadSkyParams, flux: HeadFlux, others: tuple[HeadFlux, ...], n: int, light: Array | None
) -> tuple[ManySky, str]:
    """Sky of one exposure and what is to be said of it."""
    if params.source in ("others", "scaled"):
        if not others:
            raise UsageError("there is no other head or exposure to take the sky from", flux.exposures[n].slot)
        return _worn(params, flux, others, n, params.source == "scaled")
    if params.source == "all" and others:
        found = _fit(params, (flux, *others), n, light, flux)
        return _first_of(found, flux.exposures[n].nfiber), f"sky of {_names((flux, *others))}"
    found = _fit(params, (flux,), n, light, flux)
    if found.crowded and params.source == "auto" and others:
        worn, note = _worn(params, flux, others, n)
        return worn, f"light of sources is everywhere: {note}"
    return found, "light of sources reaches most fibers: the sky is that of the darkest" if found.crowded else ""


def _fit(params: HeadSkyParams, heads: tuple[HeadFlux, ...], n: int, light: Array | None, like: HeadFlux) -> ManySky:
    """Sky of one exposure from the fibers of some heads together, as bright as one of them sees it."""
    at = [min(n, len(head.flux) - 1) for head in heads]
    place = [head.plane(k) for head, k in zip(heads, at, strict=True)]
    spectra = [_as_bright(head.flux[k], like.twilight / head.twilight) for head, k in zip(heads, at, strict=True)]
    size = [one.nfiber for one in spectra]
    first = np.cumsum([0] + [int(head.block.max()) + 1 for head in heads])
    lit = None
    if light is not None:
        lit = np.concatenate([light, np.zeros(sum(size) - light.size)])
    lsf = [head.exposures[k].lsf for head, k in zip(heads, at, strict=True)]
    known = [one for one in lsf if one is not None]
    return fit_sky(
        _stacked(spectra),
        np.concatenate([x for x, _ in place]),
        np.concatenate([y for _, y in place]),
        np.concatenate([head.block + start for head, start in zip(heads, first, strict=False)]),
        light=lit,
        lsf=np.concatenate(known) if len(known) == len(lsf) else None,
        head=np.repeat(np.arange(len(heads)), size),
        surface=params.surface,
        lines=params.lines,
    )


def _stacked(spectra: list[FiberSpectra]) -> FiberSpectra:
    """The fibers of several heads as one field."""
    if len(spectra) == 1:
        return spectra[0]
    flux, variance, mask, wave = (
        np.concatenate([getattr(one, name) for one in spectra]) for name in ("flux", "variance", "mask", "wave")
    )
    return FiberSpectra(flux, variance, mask, wave, spectra[0].unit, spectra[0].medium)


def _first_of(found: ManySky, count: int) -> ManySky:
    """The sky of the first fibers."""
    one = found.sky
    sky = replace(
        one, model=one.model[:count], variance=one.variance[:count], fibers=one.fibers[:count],
        surface=one.surface[:count],
    )  # fmt: skip
    plane = replace(found.surface, value=found.surface.value[:count], fiber=found.surface.fiber[:count])
    return replace(found, sky=sky, surface=plane)


def _worn(
    params: HeadSkyParams, flux: HeadFlux, others: tuple[HeadFlux, ...], n: int, surely: bool = False
) -> tuple[ManySky, str]:
    """The sky of other heads, or of other exposures, as this head sees it, and what is to be said of it."""
    found = worn_sky(_fit(params, others, n, None, flux), flux.flux[n], *flux.plane(n), surely=surely)
    return found, f"sky of {_names(others)}, {found.sky.notes[-1]}"


def _names(heads: tuple[HeadFlux, ...]) -> str:
    return ", ".join(one.exposures[0].slot for one in heads)


def _as_bright(spectra: FiberSpectra, factor: float) -> FiberSpectra:
    """Multiplied, where the factor is known."""
    return divided(spectra, 1 / factor) if np.isfinite(factor) and factor > 0 else spectra


def divided(spectra: FiberSpectra, by: Array | float) -> FiberSpectra:
    """Spectra over a factor, errors with them."""
    return replace(spectra, flux=spectra.flux / by, variance=spectra.variance / by**2)

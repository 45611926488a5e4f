"""The values of a recipe as products: everything that the files of an exposure, or of a night's calibrations, hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from ifuview.errors import FileFormatError
from ifuview.files import sha256
from ifuview.instrument.tables import Tables
from ifuview.io.archive.paths import split
from ifuview.model.checks import Array, Header
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.products import (
    ProductName,
    ReducedCalibration,
    ReducedExposure,
    ReductionRecord,
)
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.recipes.graph import StepResult
from ifuview.recipes.lrs2.finish import detector_images, sky_positions
from ifuview.recipes.lrs2.recipe import RECIPE
from ifuview.recipes.lrs2.science import FluxParams
from ifuview.recipes.lrs2.values import ChannelSetup

Steps = Mapping[str, StepResult]


def record(
    steps: Steps, exposure: RawExposure, params: Mapping[str, object] | None, notes: tuple[str, ...]
) -> ReductionRecord:
    """What the products were made from and how."""
    from ifuview import __version__

    used: dict[str, str] = {}
    for step in RECIPE.steps:
        own = (params or {}).get(step.name, step.params)
        if is_dataclass(own):
            used |= {f"{step.name}.{one.name}": str(getattr(own, one.name)) for one in fields(own)}
    files = dict.fromkeys(split(a.path)[0] for a in exposure.amplifiers)
    told = [note for one in steps.values() for note in getattr(one.value, "notes", ())]
    return ReductionRecord(
        used, {path: sha256(path) for path in files}, tuple(dict.fromkeys((*notes, *told))), __version__
    )


def positions(
    setup: ChannelSetup, exposure: RawExposure, header: Header, tables: Tables
) -> tuple[Array, tuple[str, ...]]:
    """Places of the fibers in the head, on the focal plane and on the sky, (nfiber, 6); why some are not known."""
    pointing = number(header, "TRAJRA"), number(header, "TRAJDEC"), number(header, "PARANGLE")
    try:
        slot = tables.slot(next(a.slot for a in exposure.amplifiers if a.camera == setup.camera))
    except FileFormatError as problem:
        found, _ = sky_positions(setup.layout, None, pointing)
        return found, (f"{problem} Fibers have no place on the sky.",)
    return sky_positions(setup.layout, None if slot is None else (slot.x, slot.y), pointing)


def number(header: Header, key: str) -> float:
    """A card as a number, NaN where it is none."""
    try:
        return float(str(header.get(key, "nan")))
    except ValueError:
        return math.nan


def reduced(
    steps: Steps, setup: ChannelSetup, exposure: RawExposure, tables: Tables,
    params: Mapping[str, object] | None = None, notes: tuple[str, ...] = (),
) -> ReducedExposure:  # fmt: skip
    """All that the files of one exposure hold."""
    value: dict[str, Any] = {name: one.value for name, one in steps.items()}
    field, science, spectra, sky = value["field"], value["science"], value["spectra"], value["sky"]
    places, more = positions(setup, exposure, science.header, tables)
    spectrum = value["spectrum"] if isinstance(value["spectrum"], SourceSpectrum) else None
    how = (params or {}).get("flux", RECIPE.step("flux").params)
    assert isinstance(how, FluxParams)
    told = "by the guide cameras" if exposure.transparency else "no guider files tell it"
    told = "as given" if math.isfinite(how.transparency) else told
    said = f"transparency {how.of(exposure):.3g}: {told}; area of the mirror {how.area:.4g} cm2"
    cubes = value["cubes"] or {}
    return ReducedExposure(
        name=ProductName(exposure.date, exposure.observation, exposure.number, setup.camera),
        header=science.header,
        observed=field.observed,
        subtracted=field.subtracted,
        sky=field.sky,
        positions=places,
        spectrum=spectrum,
        sources=sky.sources,
        response=np.interp(setup.grid, value["curve"].wave, value["curve"].value),
        dar=sky.sources[0].dar if sky.sources else setup.refraction,
        native=replace(spectra.extraction.spectra, wave=value["drift"].wave),
        native_subtracted=field.native,
        center=None if sky.extended is None else (sky.extended.x, sky.extended.y),
        lsf=value["drift"].lsf,
        images=detector_images(spectra, value["drift"].wave, value["response"]),
        cubes=cubes,
        collapsed=value["picture"],
        area=how.area,
        transparency=how.of(exposure),
        record=record(steps, exposure, params, (*notes, *more, said)),
    )


def calibration(
    steps: Steps, setup: ChannelSetup, exposure: RawExposure, params: Mapping[str, object] | None = None
) -> ReducedCalibration:
    """All that the file of a night's calibrations holds."""
    value: dict[str, Any] = {name: one.value for name, one in steps.items()}
    biases, flat, response = value["biases"], value["flat"], value["response"]
    empty = np.zeros(setup.shape, np.float32)
    bias = np.concatenate([biases.frames[a].data if a in biases.frames else empty for a in setup.amplifiers])
    dead = np.stack([setup.reference, setup.dead], axis=1).astype(float)
    spectra = {
        "wavelength": value["wave"].wave, "trace": value["traces"].traces.center, "arcspec": value["arcs"].flux,
        "fltspec": response.spectra.flux, "Flatspec": response.fibers.flat, "dead": dead,
        "response": np.stack([setup.response.wave, setup.response.value]),
    }  # fmt: skip
    own = {"masterbias": bias, "masterFlat": flat.frame.data, "flat": response.pixels.response}
    return ReducedCalibration(
        exposure.date, setup.camera, own, spectra, np.stack([setup.layout.x, setup.layout.y], axis=1),
        record(steps, exposure, params, setup.notes),
    )  # fmt: skip

"""Values of the steps of a fiber head as frames: the fibers of all exposures one after the other, or the cube."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.opening.opened import Opened
from ifuview.app.night.reduction.frames import cube_image, rss_image, step_frame
from ifuview.app.night.reduction.state import ReductionState
from ifuview.app.night.virus.live.steps import HeadRaw
from ifuview.app.night.virus.setup import VIRUS
from ifuview.instrument import instrument
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap, FiberRole
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.reduction.ifu import IfuExposure
from ifuview.model.reduction.shot import IfuSpectra
from ifuview.model.reduction.source import SkyCube
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.recipes.virus.shot_values import HeadFlux, HeadSkies

SHOWN = {  # step -> the step whose value is its picture
    "calibration": "exposures", "pictures": "response", "seen": "response", "solution": "fields", "stars": "fields",
    "detections": "fields",
}  # fmt: skip
FIRST = "fields"  # step that is shown when all is done
RESTS_ON = {"sky": "response", "first_sky": "flux"}  # what the picture of a step is made with, beside its value


def picture(state: ReductionState, step: str) -> str:
    """Name of the picture of a step, another one when what it shows is; "": there is none."""
    name = SHOWN.get(step, step)
    one = state.steps.get(name)
    return "" if one is None or one.value is None else f"{name} {one.key}"


def frame_of(state: ReductionState, step: str) -> Opened:
    """The picture of a step of a head.

    Raises
    ------
    MissingDataError
        The step was not made.
    """
    raw = state.given["raw"].value
    assert isinstance(raw, HeadRaw)
    return step_frame(state, step, SHOWN.get(step, step), _image, instrument(VIRUS), raw.slot, state.title)


def _image(state: ReductionState, name: str, value: object) -> Image:
    """The image of a value."""
    if isinstance(value, SkyCube):
        return cube_image(value)
    if isinstance(value, IfuSpectra):
        return replace(rss_image(value.joined(), value.wave), fibermap=_fibers(value))
    if isinstance(value, tuple) and value and isinstance(value[0], IfuExposure):
        spectra = _joined([one.spectra for one in value])
        return rss_image(spectra, spectra.wave)
    if isinstance(value, HeadFlux):
        if name == "response":
            return _plain(value.response, value.flux)
        joined = _joined(value.flux)
        return rss_image(joined, joined.wave)
    rest = state.value(RESTS_ON[name])
    assert isinstance(value, HeadSkies) and isinstance(rest, HeadFlux)
    return _plain([one.sky.model for one in value.skies], rest.flux, rest.flux[0].unit)


def _joined(parts: list[FiberSpectra] | tuple[FiberSpectra, ...]) -> FiberSpectra:
    """The fibers of all exposures, each with its own wavelengths."""
    waves = [np.broadcast_to(one.wave, one.flux.shape) for one in parts]
    return FiberSpectra(
        np.concatenate([one.flux for one in parts]), np.concatenate([one.variance for one in parts]),
        np.concatenate([one.mask for one in parts]), np.concatenate(waves), parts[0].unit, parts[0].medium,
    )  # fmt: skip


def _plain(values: list[Array] | tuple[Array, ...], like: tuple[FiberSpectra, ...], unit: str = "") -> Image:
    wave = np.concatenate([np.broadcast_to(one.wave, one.flux.shape) for one in like])
    pixels = Pixels(np.concatenate(values).astype(np.float32))
    return Image("", Kind.RSS, pixels, unit=unit, wave=wave, medium=like[0].medium)


def _fibers(fields: IfuSpectra) -> FiberMap:
    """Where the fibers of all exposures lie, and which made the sky."""
    amplifiers = np.full(fields.nfiber, "", "U8")
    block = np.zeros(fields.nfiber, int)
    for n, one in enumerate(fields.fields[0].amplifiers):
        amplifiers[one.fibers], block[one.fibers] = one.name, n
    count = len(fields.fields)
    number = np.repeat([one.number for one in fields.fields], fields.nfiber)
    sky = np.concatenate([one.sky_fibers for one in fields.fields])
    names = tuple(
        f"{a} {k + 1} exp {e}" for e in (one.number for one in fields.fields) for k, a in enumerate(amplifiers)
    )
    return FiberMap(
        np.arange(number.size), names, tuple(FiberRole.SKY if one else FiberRole.SCIENCE for one in sky),
        np.concatenate([block + n * (block.max() + 1) for n in range(count)]), focal_x=fields.x, focal_y=fields.y,
        focal_unit="arcsec", ra=np.concatenate([one.ra for one in fields.fields]),
        dec=np.concatenate([one.dec for one in fields.fields]),
        table={"exp": number, "amplifier": np.tile(amplifiers, count)},
    )  # fmt: skip

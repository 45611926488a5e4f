"""Values of a recipe as frames: what each step of a reduction shows on the canvas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ifuview.app.frames.opening.opened import Opened, first_look
from ifuview.app.night.raw import BITS
from ifuview.app.night.reduction.state import LRS2, ReductionState
from ifuview.errors import MissingDataError
from ifuview.instrument import instrument
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.pixels import Pixels
from ifuview.model.reduction.ccd import CcdFrame
from ifuview.model.reduction.source import SkyCube
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.model.trace import TraceSet
from ifuview.recipes.camera.values import TracedFibers

PICTURE_RESTS_ON = {"arcs": "wave", "sky": "flux"}  # what the picture of a step is made with, beside its value
SHOWN = {  # step -> the step whose value is its picture
    "biases": "flat", "dark": "flat", "traces": "flat", "profile": "flat", "wave": "arcs", "drift": "spectra",
    "curve": "spectra", "sources": "flux", "spectrum": "field", "picture": "cubes",
}  # fmt: skip


def picture(state: ReductionState, step: str) -> str:
    """Name of the picture of a step, another one when what it shows is; "": there is none."""
    name = SHOWN.get(step, step)
    one, other = state.steps.get(name), state.steps.get(PICTURE_RESTS_ON.get(name, ""))
    return "" if one is None or one.value is None else f"{name} {one.key} {'' if other is None else other.key}"


def traces_on(state: ReductionState, step: str) -> TraceSet | None:
    """The traces that lie on the picture of a step."""
    made = state.value("traces")
    return made.traces if SHOWN.get(step, step) in ("flat", "science") and isinstance(made, TracedFibers) else None


def frame_of(state: ReductionState, step: str) -> Opened:
    """The picture of a step of a channel, and the traces on it.

    Raises
    ------
    MissingDataError
        The step was not made.
    """
    name = SHOWN.get(step, step)
    spec = instrument(LRS2)
    return step_frame(state, step, name, _picture, spec, state.camera, f"{state.camera}-{state.title}")


def step_frame(
    state: ReductionState, step: str, name: str, image_of: Callable[[ReductionState, str, Any], Image],
    spec: InstrumentSpec, camera: str, title: str,
) -> Opened:  # fmt: skip
    """The picture of a step, made of the value of the step `name`.

    Raises
    ------
    MissingDataError
        That was not made.
    """
    one = state.steps.get(name)
    if one is None or one.value is None:
        why = "it was not made" if one is None or not one.reason else one.reason
        raise MissingDataError(f"{step} has no picture: {why}", state.title)
    image = replace(image_of(state, name, one.value), name=name, camera=camera, stage=name)
    title = f"{name}-{title}" + (f" [{state.change}]" if state.change else "")
    dataset = Dataset(
        path="", spec=title, instrument=spec.name, kind=name, images=(image,), fibermap=image.fibermap, block=spec.block
    )
    return Opened(dataset, image, first_look(image))


def _picture(state: ReductionState, name: str, value: Any) -> Image:
    """The image of a value."""
    made: dict[str, Any] = {step: one.value for step, one in state.steps.items() if one.value is not None}
    if name in ("flat", "science"):
        return _detector(value.frame)
    if name == "arcs":
        return rss_image(value, made["wave"].wave if "wave" in made else None)
    if name == "response":
        return _plain(value.fibers.flat, value.spectra.wave)
    if name == "spectra":
        return rss_image(value.extraction.spectra, value.extraction.spectra.wave)
    if name == "flux":
        return rss_image(value, value.wave)
    if name == "sky":
        return _plain(value.sky.model, made["flux"].wave, made["flux"].unit)
    if name == "field":
        return replace(rss_image(value.subtracted, value.subtracted.wave), about_zero=True)
    assert name == "cubes"
    return cube_image(value["skysub"])


def _detector(frame: CcdFrame) -> Image:
    good = frame.usable() & (frame.variance > 0)
    ivar = np.where(good, 1 / np.where(good, frame.variance, 1), 0).astype(np.float32)
    return Image("", Kind.DETECTOR, Pixels(frame.data), Pixels(ivar), Pixels(frame.mask), BITS, "electron", gain=1.0)


def rss_image(spectra: FiberSpectra, wave: Array | None) -> Image:
    """Spectra with errors and mask as an image; `wave` None: they have no wavelengths but their own."""
    good = spectra.usable() & (spectra.variance > 0)
    flux = np.where(good, spectra.flux, np.nan).astype(np.float32)
    ivar = np.where(good, 1 / np.where(good, spectra.variance, 1), 0).astype(np.float32)
    return Image(
        "", Kind.RSS, Pixels(flux), Pixels(ivar), Pixels(spectra.mask), BITS, spectra.unit, wave=wave,
        medium=spectra.medium,
    )  # fmt: skip


def _plain(values: Array, wave: Array, unit: str = "") -> Image:
    return Image("", Kind.RSS, Pixels(np.asarray(values, np.float32)), unit=unit, wave=wave, medium="air")


def cube_image(cube: SkyCube) -> Image:
    """A cube with its errors as an image."""
    good = cube.variance > 0
    data = np.where(good, cube.data, np.nan).astype(np.float32)
    ivar = np.where(good, 1 / np.where(good, cube.variance, 1), 0).astype(np.float32)
    return Image(
        "", Kind.CUBE, Pixels(data), Pixels(ivar), Pixels(cube.mask), BITS, cube.unit, wave=cube.wave,
        medium=cube.medium,
    )  # fmt: skip

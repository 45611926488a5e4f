"""The files that a diagnosis reads: image, traces that fit it, wavelengths."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from ifuview.app.traces.diagnosis_request import Request
from ifuview.app.traces.on_light import LEAST_COVERED, ON_LIGHT, contrast, light_runs, lit, outside, turned_words
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError, MissingDataError, UsageError
from ifuview.files import sha256
from ifuview.instrument import PLAIN
from ifuview.model.checks import Array
from ifuview.model.image import Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet

FITS_SUFFIXES = (".fits", ".fit", ".fits.gz", ".fits.fz", ".fz", ".gz")

WANTED_WAVELENGTHS = (
    "give a FITS image with one row of wavelengths per fiber, or a trace file with the columns fiber_id, x_pixels, "
    "y_pixels and wavelength"
)


def load(
    request: Request, ctx: JobContext
) -> tuple[Image, TraceSet | None, tuple[tuple[str, str, str], ...], str | None, str]:
    """The image, its traces (None: trace it), the inputs with their checksums, the path of the traces, what to say."""
    from ifuview.app.frames.fibers import trace_companions
    from ifuview.app.frames.opening.reading import open_dataset

    dataset = open_dataset(request.image, ctx.part(0.0, 0.6))
    if not dataset.images:
        todo = "give it after --traces" if dataset.traces else "give a detector image"
        what = "there are traces in this file, no image" if dataset.traces else "there is no image in this file"
        raise MissingDataError(what, request.image, todo)
    image = dataset.images[0]
    image, said = lying(image, request.dispersion, known=dataset.instrument != PLAIN)
    path = request.traces
    if path is None:
        path = next(iter(trace_companions(dataset)), None) if dataset.traces is None else None
    traces = dataset.traces if path is None and request.traces is None else None
    if path is not None:
        traces = read_fitting(path, image, request.swap)
    if traces is not None and request.wavelengths:
        traces = with_wavelengths(traces, request.wavelengths, image)
    inputs = [("image", dataset.path or request.image)]
    named = (("traces", path), ("wavelengths", request.wavelengths), ("fibers", request.fibers),
             ("reference", request.reference), ("thresholds", request.thresholds))  # fmt: skip
    inputs += [(role, name) for role, name in named if name]
    ctx.checkpoint(0.9, "Checksums")
    return image, traces, tuple((role, Path(name).name, checksum(name)) for role, name in inputs), path, said


def lying(image: Image, dispersion: str, known: bool) -> tuple[Image, str]:
    """The image with its fibers along the axis that is given, or else seen; and what to say of the latter.

    Parameters
    ----------
    image : Image
    dispersion : str
        "x" or "y" of the file, "" if it is not given.
    known : bool
        The instrument of the image is known: the image then lies as it is.
    """
    said = ""
    if not dispersion and not known and image.kind not in (Kind.RSS, Kind.SPECTRUM):
        dispersion = light_runs(image.pixels.plane(()).native())
        said = f" The fibers run along {dispersion} of this image, by their light."
    if not dispersion or image.orientation.transpose == (dispersion == "y"):
        return image, ""
    return replace(image, orientation=Orientation(dispersion == "y")), said


def read_fitting(path: str, image: Image, swap: bool = False) -> TraceSet:
    """Traces of an image; says so where x and y are swapped, or the traces upside down or mirrored.

    Raises
    ------
    IfuviewError
    """
    from ifuview import io

    shape, lies, data = image.orientation.shape(image.shape), image.orientation, image.canonical()

    def read(orientation: Orientation) -> TraceSet | None:
        try:
            return io.read_traces(path, shape, orientation)
        except IfuviewError:
            return None

    given = exchanged(lies) if swap else lies
    traces = read(given)
    if not swap and (traces is None or outside(data, traces) or contrast(data, traces) < ON_LIGHT):
        turned = read(exchanged(lies))
        if turned is not None and lit(data, turned) > 2 * max(ON_LIGHT, lit(data, traces)):
            offer = "give --swap to exchange them"
            raise UsageError("x and y of these traces are swapped for this image", path, offer)
    if traces is None:
        traces = io.read_traces(path, shape, given)  # says why not
    if traces.center.shape[1] == shape[1] and (how := turned_words(data, traces)):
        raise UsageError(f"these traces are {how} for this image", path, "give traces in the axes of this image")
    covered = float(np.mean(np.asarray(traces.valid).any(axis=0)))
    if covered < LEAST_COVERED:
        text = f"these traces cover {covered:.0%} of the columns of the image"
        raise UsageError(text, path, "they are of another detector or binning; give those of this image")
    return traces


def exchanged(lies: Orientation) -> Orientation:
    """The orientation of a file with x and y the other way around."""
    return Orientation(not lies.transpose, lies.flip_cross, lies.flip_disp)


def with_wavelengths(traces: TraceSet, path: str, image: Image) -> TraceSet:
    """Traces with the wavelengths of another file.

    Raises
    ------
    UsageError
        The file has other fibers or another number of pixels.
    """
    wave, names = read_wavelengths(path, image)
    if wave.shape[0] != traces.nfiber:
        text = f"the wavelengths are of {wave.shape[0]} fibers, the traces of {traces.nfiber}"
        raise UsageError(text, path, "give the wavelengths of the same fibers")
    if names is not None and set(names) != set(traces.fiber_id):
        missing = sorted(set(traces.fiber_id) - set(names))[:3]
        raise UsageError(
            f"the wavelengths are of other fibers (none for {', '.join(missing)})",
            path,
            "give those of the same fibers",
        )
    if wave.shape[1] != traces.ncol:
        text = f"the wavelengths have {wave.shape[1]} pixels, the traces {traces.ncol}"
        raise UsageError(text, path, "give the wavelengths of this detector")
    if names is not None:
        order = {name: row for row, name in enumerate(names)}
        wave = wave[[order[name] for name in traces.fiber_id]]
    return replace(traces, wave=wave)


def read_wavelengths(path: str, image: Image | None = None) -> tuple[Array, tuple[str, ...] | None]:
    """Wavelength of every fiber and column, and the fiber ids if the file has them."""
    from ifuview import io

    try:
        shape = None if image is None else image.orientation.shape(image.shape)
        traces = io.read_traces(path, shape, None if image is None else image.orientation)
        if traces.wave is not None and np.isfinite(traces.wave).any():
            return np.asarray(traces.wave, float), traces.fiber_id
        said = "holds traces without wavelengths"
    except IfuviewError as problem:
        said = f"holds no wavelengths per fiber: {problem.what}" if problem.where else "holds no wavelengths per fiber"
    try:
        dataset = io.open_dataset(path)
    except IfuviewError as problem:
        if not os.path.isfile(path) or path.lower().endswith(FITS_SUFFIXES):
            raise
        raise MissingDataError(said, path, WANTED_WAVELENGTHS) from problem
    for candidate in dataset.images:
        if candidate.wave is not None and np.ndim(candidate.wave) == 2:
            return np.asarray(candidate.wave, float), None
    named = [i for i in dataset.images if "WAVE" in i.name.upper()] or list(dataset.images[:1])
    if named and named[0].pixels.ndim == 2:
        return named[0].pixels.native().astype(float), None
    raise MissingDataError("holds no wavelengths per fiber", path, WANTED_WAVELENGTHS)


def checksum(path: str) -> str:
    """SHA-256 of a file, also of one that is named with an extension in brackets; "" if there is none."""
    return sha256(path if os.path.exists(path) else path.split("[")[0])

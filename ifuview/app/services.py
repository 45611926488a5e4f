"""The one headless door: open, measure, inspect, report. Notebooks, the command line and the worker call these.

Nothing here loads Qt; heavy libraries are imported by the function that needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.look import LimitMode, Look, Reduction, ViewState
from ifuview.app.session import Selection, Session, Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.numeric.zscale import minmax, percentile_limits, zscale
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.model.quality import TraceBit
from ifuview.model.region import Region
from ifuview.model.trace import TraceSet

if TYPE_CHECKING:
    from ifuview.app.frames.views.raster import Pyramid
    from ifuview.model.inspection import FiberInspection
    from ifuview.model.night.exposures import ExposureIndex

ROWS_AT_ONCE = 256
SAME_FIBER = 3.5  # px; a measured trace farther from a given one is another fiber
NO_LIMITS = (0.0, 1.0)  # what the engine answers where no sampled pixel has a value
DEFAULT_READNOISE = 3.0  # electron; used only where neither the header nor an ivar plane tells


class TablesOnly(MissingDataError):
    """A file without pixels whose tables can be shown; `dataset` has them."""

    def __init__(self, dataset: Dataset, *words: str) -> None:
        super().__init__(*words)
        self.dataset = dataset


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """One image of a file with its first display limits."""

    dataset: Dataset
    image: Image
    look: Look


def open_dataset(spec: str, ctx: JobContext = SILENT) -> Dataset:
    """Read a file named with ds9's extension syntax.

    Raises
    ------
    FileFormatError, MissingDataError
        With what is wrong, where, and what to do.
    """
    from ifuview import io

    return io.open_dataset(spec, ctx)


def is_photons(path: str) -> bool:
    """Whether a file, or a folder of raw packets, is a photon list."""
    from ifuview.io.photons import opening as photons

    return photons.is_photons(path)


def scan_folder(path: str, ctx: JobContext = SILENT) -> ExposureIndex:
    """The exposures of a production, a night, an exposure, a tile or any folder of products.

    Raises
    ------
    MissingDataError, UsageError
        There is no such folder, or it cannot be read.
    """
    from ifuview.io.night.exposures import scan

    return scan(path, ctx)


def open_images(
    spec: str, *, every: bool = False, cube: bool = False, look: Look | None = None, ctx: JobContext = SILENT
) -> tuple[Opened, ...]:
    """Read a file and work out the display limits of its default image, or of `every` image extension.

    `cube` stacks the image extensions of one size into one cube.

    A file that has no image but traces gives an empty tuple; ask `open_dataset` for the traces.
    """
    from ifuview import io

    dataset = io.open_all(spec, ctx) if every or cube else io.open_dataset(spec, ctx)
    if cube:
        dataset = replace(dataset, images=(stacked(dataset),))
    images = dataset.images if every else dataset.images[:1]
    if dataset.kind == "photons":
        from ifuview.app.photons.images import opened_flags

        return (opened_flags(Opened(dataset, images[0], look or Look())),)
    out = []
    for image in images:
        ctx.checkpoint(0.9, "Display limits")
        out.append(Opened(dataset, image, first_look(image, look, spec)))
    if not out and dataset.traces is not None:
        out.append(Opened(dataset, trace_image(dataset), first_look(trace_image(dataset), look)))
    if not out:
        held = f"it holds {_contents(dataset)}; open a file with an image HDU"
        words = ("there is no image in this file", spec, held)
        raise TablesOnly(dataset, *words) if dataset.tables else MissingDataError(*words)
    return tuple(out)


def stacked(dataset: Dataset) -> Image:
    """All 2-D images of a dataset that have the size of the first, as the planes of one cube."""
    images = [i for i in dataset.images if i.pixels.ndim == 2]
    alike = [i for i in images if i.shape == images[0].shape]
    if not alike:
        raise MissingDataError("there are no images to stack", dataset.path, "open a file with image extensions")
    planes = np.stack([i.pixels.native() for i in alike])
    return replace(alike[0], name="cube", kind=Kind.CUBE, pixels=Pixels(planes), ivar=None, mask=None, wave=None)


def _contents(dataset: Dataset) -> str:
    names = [f"{h.name or h.index} ({h.kind})" for h in dataset.hdus[:6]]
    return ", ".join(names) or "nothing"


def trace_image(dataset: Dataset) -> Image:
    """Show a trace file by itself: its offset from a straight line per fiber, one row a fiber."""
    traces = dataset.traces
    assert traces is not None
    bend = traces.center - np.nanmean(traces.center, axis=1, keepdims=True)
    return Image("trace shape", Kind.IMAGE, Pixels(bend.astype(np.float32)), unit="px", stage="traces")


def first_look(image: Image, look: Look | None = None, where: str = "") -> Look:
    """The look that suits an image, with its limits; `look` says what was asked for otherwise.

    Raises
    ------
    MissingDataError
        No pixel has a value.
    """
    look = look or Look()
    if image.kind is Kind.RSS and look.reduction is Reduction.MEAN:
        look = replace(look, reduction=Reduction.EXTREME)
    if look.lo is None or look.hi is None:
        lo, hi = limits(middle_plane(image), look)
        if (lo, hi) == NO_LIMITS:
            _check_values(image, where)
        look = replace(look, lo=lo, hi=hi)
    return look


def _check_values(image: Image, where: str) -> None:
    """Raise MissingDataError if no pixel of the first plane has a value."""
    pixels = middle_plane(image)
    rows = range(0, pixels.shape[0], ROWS_AT_ONCE)
    if not any(np.isfinite(pixels.rows(row, row + ROWS_AT_ONCE)).any() for row in rows):
        raise MissingDataError(
            "no pixel has a value: all are NaN or blank", f"{where} {image.name}".strip(), "choose another extension"
        )


def middle_plane(image: Image) -> Pixels:
    """The plane that a cube opens with."""
    return image.pixels.plane(first_plane(image))


def first_plane(image: Image) -> tuple[int, ...]:
    """Index of the plane that an image opens with: the middle one of a cube."""
    lead = image.pixels.shape[:-2]
    return (*([0] * (len(lead) - 1)), lead[-1] // 2) if lead else ()


def limits(pixels: Pixels, look: Look) -> tuple[float, float]:
    """Display limits (lo, hi) of a 2-D image in image units, by the mode of `look`."""
    if look.limit_mode is LimitMode.USER and look.lo is not None and look.hi is not None:
        return look.lo, look.hi
    if look.limit_mode is LimitMode.MINMAX:
        return minmax(pixels)
    if look.limit_mode is LimitMode.PERCENTILE:
        return percentile_limits(pixels, look.percent)
    return zscale(pixels, look.zcontrast)


def pyramid(slot: Slot, ctx: JobContext = SILENT) -> Pyramid:
    """Reduced copies of the plane that a frame shows, and of its mask, for the canvas."""
    from ifuview.app.frames.views.raster import build_pyramid

    mask = None if slot.image.mask is None else slot.image.mask.plane(slot.plane)
    return build_pyramid(slot.image.pixels.plane(slot.plane), slot.look.reduction, ctx, mask=mask)


def load_traces(path: str, image: Image | None = None, ctx: JobContext = SILENT) -> TraceSet:
    """Read traces from any known form; they must fit `image` if one is given.

    Raises
    ------
    FileFormatError
        Not traces, no fibers, a missing column, or traces of a detector of another size.
    """
    from ifuview import io

    ctx.checkpoint(0.1, "Reading traces")
    if image is None:
        return io.read_traces(path, None, None)
    return drawable(io.read_traces(path, image.orientation.shape(image.shape), image.orientation), image)


def drawable(traces: TraceSet, image: Image) -> TraceSet:
    """The traces, with what the canvas needs to draw them already worked out."""
    from ifuview.app.frames.views.overlay import curves_of

    curves_of(traces, image)
    return traces


def measure_traces(image: Image, ctx: JobContext = SILENT) -> TraceSet:
    """Trace all fibers of a detector image from nothing (it should be a flat)."""
    from ifuview.engine.traces.flat import trace_flat

    if image.kind is Kind.RSS:
        raise UsageError("row-stacked spectra have no traces", image.name, "open the detector image")
    ctx.checkpoint(0.05, "Reading the image")
    data = np.ascontiguousarray(image.canonical())
    ctx.checkpoint(0.1, "Loading the kernels")
    if image.gain not in (None, 1.0):
        data *= np.float32(image.gain)
    traces = trace_flat(data, image.readnoise or DEFAULT_READNOISE, ctx=ctx.part(0.1, 0.95))
    ctx.checkpoint(0.95, "Drawing the traces")
    return drawable(traces, image)


def aligned(measured: TraceSet, given: TraceSet) -> TraceSet:
    """Measured traces in the rows of the given ones, so that a fiber keeps its number, its target and its wavelengths.

    Each goes to the nearest given trace; a fiber without a measured trace is NaN there and bears the bit DEAD.
    """
    column = measured.ncol // 2
    there = given.center[:, column]
    center, sigma = np.full((2, given.nfiber, given.ncol), np.nan)
    error = np.full(center.shape, np.nan)
    for row, position in enumerate(measured.center[:, column]):
        near = int(np.nanargmin(np.abs(there - position)))
        if abs(there[near] - position) <= SAME_FIBER:
            center[near] = measured.center[row]
            sigma[near] = np.nan if measured.sigma is None else measured.sigma[row]
            error[near] = np.nan if measured.error is None else measured.error[row]
    status = np.where(np.isfinite(center[:, column]), 0, int(TraceBit.DEAD)).astype(np.uint32)
    return replace(given, center=center, sigma=sigma, error=error, valid=np.isfinite(center), status=status, coeff=None,
                   rms=None, basis="sampled", argument="column", name=measured.name)  # fmt: skip


def read_regions(path: str) -> tuple[Region, ...]:
    """Regions of a ds9 region file, in 0-based pixels."""
    from ifuview import io

    return io.read_regions(path)


def write_regions(path: str, regions: Sequence[Region]) -> None:
    """Write a ds9 region file in image coordinates."""
    from ifuview import io

    io.write_regions(path, regions)


def combine(a: Slot, b: Slot, how: str, ctx: JobContext = SILENT) -> Opened:
    """Difference (a - b) or ratio (a / b) of two frames of the same size, with propagated ivar where both have one.

    Raises
    ------
    UsageError
        The frames have different sizes.
    """
    if a.image.shape != b.image.shape:
        raise UsageError(
            f"cannot make a {how}: {a.title} is {a.image.shape[1]} x {a.image.shape[0]} pixels and "
            f"{b.title} is {b.image.shape[1]} x {b.image.shape[0]}",
            todo="choose two frames of one size",
        )
    first, second = a.image.pixels.plane(a.plane), b.image.pixels.plane(b.plane)
    ctx.checkpoint(0.1, f"{how} of {a.title} and {b.title}")
    x, y = first.native(), second.native()
    with np.errstate(divide="ignore", invalid="ignore"):
        data = x - y if how == "difference" else x / y
        ivar = _combined_ivar(a.image, b.image, x, y, how)
    data[~np.isfinite(data)] = np.nan
    sign = "-" if how == "difference" else "/"
    title = f"{_bracketed(a.title)} {sign} {_bracketed(b.title)}"
    image = replace(
        a.image, name=title, pixels=Pixels(data), ivar=ivar, mask=None, stage=how, unit=a.image.unit * (how != "ratio")
    )
    dataset = Dataset(path="", spec=title, instrument=a.dataset.instrument, kind=how, images=(image,),
                      fibermap=a.dataset.fibermap, notes=(f"made from {a.dataset.spec} and {b.dataset.spec}",),
                      block=a.dataset.block)  # fmt: skip
    look = first_look(image, replace(a.look, limit_mode=LimitMode.ZSCALE, lo=None, hi=None, cmap="coolwarm"))
    return Opened(dataset, image, _symmetric(look) if how == "difference" else look)


def _bracketed(title: str) -> str:
    """A title that can stand in a formula."""
    return f"({title})" if " - " in title or " / " in title else title


def _combined_ivar(a: Image, b: Image, x: np.ndarray, y: np.ndarray, how: str) -> Pixels | None:
    if a.ivar is None or b.ivar is None or a.ivar.ndim != 2 or b.ivar.ndim != 2:
        return None
    va, vb = 1 / a.ivar.native(), 1 / b.ivar.native()
    var = va + vb if how == "difference" else (va + (x / y) ** 2 * vb) / y**2
    ivar = 1 / var
    ivar[~np.isfinite(ivar)] = 0
    return Pixels(ivar)


def _symmetric(look: Look) -> Look:
    """Limits around zero, as a residual wants them."""
    bound = max(abs(look.lo or 0.0), abs(look.hi or 0.0)) or 1.0
    return replace(look, lo=-bound, hi=bound, limit_mode=LimitMode.USER)


def with_mask_file(image: Image, spec: str, ctx: JobContext = SILENT) -> Image:
    """The image with the first image of another file as its mask."""
    dataset = open_dataset(spec, ctx)
    if not dataset.images or dataset.images[0].shape != image.shape:
        raise UsageError("the mask has not the size of the image", spec, "choose a mask of the same detector")
    found = dataset.images[0].mask or dataset.images[0].pixels
    return replace(image, mask=found, mask_bits=dataset.images[0].mask_bits)


def inspect(session: Session, ctx: JobContext = SILENT) -> FiberInspection | None:
    """Cross-section, spectrum and trace quality of the selected fiber of a session (None: nothing selected)."""
    from ifuview.app.spectra.inspect import inspect_selection

    return inspect_selection(session, ctx)


def make_session(
    paths: Sequence[str], traces: str | None = None, fiber: str | int | None = None, ctx: JobContext = SILENT
) -> Session:
    """Open files headless, as the window would: their companions' traces loaded, a fiber selected and inspected."""
    session = Session()
    for i, path in enumerate(paths):
        step = ctx.part(0.6 * i / len(paths), 0.6 * (i + 1) / len(paths))
        for opened in open_images(path, ctx=step):
            session = session.adding(new_slot(session, opened))
    session = replace(session, slots=tuple(with_traces(s, traces, ctx) for s in session.slots))
    if session.slots:
        session = session.showing(session.slots[0].key)
    row = default_fiber(session) if fiber is None else find_fiber(session, str(fiber))
    session = replace(session, selection=Selection(fiber=row))
    return replace(session, inspection=inspect(session, ctx.part(0.6, 0.9)))


def default_fiber(session: Session) -> int | None:
    """The middle fiber of the first frame that has fibers."""
    counts = [n for s in session.slots if (n := fiber_count(s))]
    return counts[0] // 2 if counts else None


def fiber_count(slot: Slot) -> int:
    """Number of fibers that can be selected in a frame."""
    if slot.image.kind is Kind.RSS:
        return slot.image.shape[0]
    return slot.traces.nfiber if slot.traces is not None else 0


def check_fiber(session: Session, fiber: int | None) -> int | None:
    """`fiber` if some frame has it.

    Raises
    ------
    UsageError
        No frame has such a fiber.
    """
    most = max((fiber_count(s) for s in session.slots), default=0)
    if fiber is None or 0 <= fiber < most:
        return fiber
    raise UsageError(
        f"there is no fiber {fiber}",
        todo=f"choose 0 to {most - 1}" if most else "load traces or extracted spectra first",
    )


def find_fiber(session: Session, name: str) -> int:
    """Row of the fiber that the instrument, or else the order of the rows, calls `name`.

    Raises
    ------
    UsageError
        No frame has it.
    """
    for slot in session.slots:
        for source in (slot.image.fibermap, slot.traces):
            if source is not None and name in source.fiber_id:
                return source.fiber_id.index(name)
    if name.isdigit():
        row = check_fiber(session, int(name))
        assert row is not None
        return row
    raise UsageError(f"there is no fiber {name}", todo="give its number")


def with_traces(slot: Slot, path: str | None = None, ctx: JobContext = SILENT) -> Slot:
    """The frame with traces from `path`, else its own, else from the first companion file that fits."""
    if slot.image.kind not in (Kind.DETECTOR, Kind.IMAGE):
        return slot
    if path:
        return replace(slot, traces=load_traces(path, slot.image, ctx))
    if slot.image.kind is not Kind.DETECTOR:
        return slot
    if slot.dataset.traces is not None:
        return replace(slot, traces=drawable(slot.dataset.traces, slot.image))
    for companion in trace_companions(slot.dataset):
        return replace(slot, traces=load_traces(companion, slot.image, ctx))
    return slot


def trace_companions(dataset: Dataset) -> tuple[str, ...]:
    """Files beside a dataset that hold its traces."""
    return tuple(p for p in dataset.companions if "psf" in Path(p).name or "trace" in Path(p).name)


def new_slot(session: Session, opened: Opened) -> Slot:
    """A frame for an opened image, titled so that it can be told from the others."""
    stem = Path(opened.dataset.path).name if opened.dataset.path else opened.image.name
    for ending in (".gz", ".fz", ".fits", ".fit"):
        stem = stem.removesuffix(ending)
    dataset = opened.dataset
    chosen = bool(dataset.path) and dataset.spec not in ("", dataset.path)
    other = len(dataset.images) > 1 and opened.image is not dataset.images[0]
    name = opened.image.name.strip("[]")
    title = f"{stem} [{name}]" if chosen or other else stem
    image = opened.image
    view = ViewState(aspect=0.0) if image.kind is Kind.RSS else ViewState()  # fiber by wavelength: nothing is square
    return Slot(session.next_key, title, dataset, image, first_plane(image), opened.look, view)


def report(
    paths: Sequence[str],
    output: str,
    traces: str | None = None,
    fiber: str | int | None = None,
    ctx: JobContext = SILENT,
) -> str:
    """Open files, inspect one fiber and write the report; return the path written."""
    return write_report(make_session(paths, traces, fiber, ctx), output, ctx.part(0.9, 1.0))


def write_report(session: Session, output: str, ctx: JobContext = SILENT) -> str:
    """Write the report of a session: its current frame, the overlay and the selected fiber.

    Raises
    ------
    UsageError
        Nothing is open, the suffix is unknown, or the folder cannot be written.
    """
    from ifuview.app.reporting.fiber_report import report_input
    from ifuview.report import write

    if session.slot() is None:
        raise UsageError("there is nothing to report", todo="open a file first")
    if (slot := session.slot()) is not None and slot.photons is not None:
        from ifuview.app.photons.views.light_report import with_light

        session = with_light(session, ctx.part(0.0, 0.3))
    if session.inspection is None and session.selection.fiber is not None:
        session = replace(session, inspection=inspect(session, ctx))
    ctx.checkpoint(0.3, "Drawing the report")
    write(report_input(session), output)
    return output


def tables_beside(path: str) -> tuple[str, ...]:
    """Files of redshifts that belong to a file of spectra, by their names."""
    name = Path(path).name
    if not name.startswith(("coadd", "spectra")):  # nothing need be loaded for the others
        return ()
    from ifuview.io.fits.tables import beside

    return beside(path)


def models_beside(path: str) -> tuple[str, ...]:
    """Files of best fits that belong to a file of spectra, by their names."""
    if not Path(path).name.startswith(("coadd", "spectra")):
        return ()
    from ifuview.io.fits.tables import models_beside as beside

    return beside(path)


def read_tables(path: str, ctx: JobContext = SILENT) -> Dataset:
    """The tables of a file that has no pixels."""
    from ifuview.io.fits.tables import read_tables as read

    return read(path, ctx)

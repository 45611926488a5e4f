"""`ifuview diagnose`: read an image and its traces, run the trace doctor, write everything into a folder or nothing.

The same functions serve the command line, the worker of the window and notebooks: `diagnose_image` has no files,
`run` has them.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ifuview.app.traces.limits import limits_for
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, IfuviewError, MissingDataError, UsageError
from ifuview.exit_codes import FOUND, OK
from ifuview.files import check_folder, filled, sha256, told
from ifuview.model.checks import Array
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image, Kind
from ifuview.model.inspection import Verdict
from ifuview.model.orientation import Orientation
from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import DoctorLimits, TraceDiagnosis, fiber_labels

PARTS = ("correlation", "impact", "crosstalk", "trouble")
FORMATS = ("html", "pdf", "png", "json")
METRICS, FIBERS, MEASURED = "metrics.json", "per_fiber.ecsv", "traces_measured.fits"
MEASURED_STEP = 16  # columns between the points of the measured traces
ON_LIGHT = 1.1  # light on the traces over light between them; less is no trace of this image
MOST_SHIFT = 4.0  # px
NM = (200.0, 1200.0)  # wavelengths that are nm: as Angstrom they would lie beyond what the air and mirrors pass
TURNED = 1.5  # contrast of turned traces over that of the given ones, from where on they are called turned
LEAST_COVERED = 0.6  # share of the columns; traces of a detector of half the size reach no farther
CHECKED_COLUMNS = 64
FITS_SUFFIXES = (".fits", ".fit", ".fits.gz", ".fits.fz", ".fz", ".gz")
WANTED_WAVELENGTHS = (
    "give a FITS image with one row of wavelengths per fiber, or a trace file with the columns fiber_id, x_pixels, "
    "y_pixels and wavelength"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What to diagnose, with which files, and where to write; see `ifuview diagnose --help`."""

    image: str
    output: str
    traces: str | None = None
    wavelengths: str | None = None
    fibers: str | None = None
    reference: str | None = None
    thresholds: str | None = None
    only: tuple[str, ...] = ()
    formats: tuple[str, ...] = FORMATS
    swap: bool = False
    dispersion: str = ""  # "x" or "y": the axis of the image along which wavelength runs; as the file says


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A diagnosis, the numbers of metrics.json and the names of the files written."""

    diagnosis: TraceDiagnosis
    metrics: dict[str, Any]
    files: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """Exit code."""
        return FOUND if self.diagnosis.verdict is Verdict.FAIL else OK


def diagnose_image(
    image: Image,
    traces: TraceSet | None,
    *,
    plane: tuple[int, ...] = (),
    block: Array | None = None,
    limits: DoctorLimits | None = None,
    only: tuple[str, ...] = (),
    ctx: JobContext = SILENT,
) -> TraceDiagnosis:
    """Diagnose the traces of an open image; without traces, trace it from nothing first.

    Parameters
    ----------
    image : Image
        A detector image, any orientation.
    traces : TraceSet or None
        In the canonical axes of the image.
    block : (nfiber,), optional
        Default: from the fiber table of the image, else from the gaps.

    Raises
    ------
    UsageError, FitError
        Not a detector image, traces of another one, or nothing to measure.
    """
    from ifuview.engine.traces.doctor.diagnose import diagnose

    if image.kind is Kind.RSS or image.kind is Kind.SPECTRUM:
        raise UsageError("extracted spectra have no traces", image.name, "give the detector image")
    ctx.checkpoint(0.0, "Reading the image")
    data = image.orientation.to_canonical(image.pixels.plane(plane).native())
    ivar = None if image.ivar is None else image.orientation.to_canonical(image.ivar.plane(plane).native())
    mask = None if image.mask is None else image.orientation.to_canonical(image.mask.plane(plane).raw)
    table = image.fibermap
    if traces is None:
        from ifuview.engine.traces.doctor.nothing import trace_all

        step = ctx.part(0.05, 0.4)
        traces = trace_all(data, ivar=ivar, mask=mask, gain=image.gain, readnoise=image.readnoise, ctx=step).traces
        if table is not None and table.nfiber == traces.nfiber:
            traces = replace(traces, fiber_id=table.fiber_id)
    else:
        check_on_light(data, traces)
    block = known_blocks(table, traces) if block is None else block
    found = diagnose(
        data, labelled(traces, table), ivar=ivar, mask=mask, gain=image.gain, readnoise=image.readnoise, block=block,
        limits=limits, only=only, ctx=ctx.part(0.1, 1.0),
    )  # fmt: skip
    return numbered(found, traces)


def known_blocks(table: FiberMap | None, traces: TraceSet) -> Array | None:
    """Block of each fiber from a fiber table; None where it does not say."""
    if table is None or table.nfiber != traces.nfiber or table.block is None or np.unique(table.block).size < 2:
        return None
    return table.block


def labelled(traces: TraceSet, table: FiberMap | None) -> TraceSet:
    """Traces that name fibers as a diagnosis does: as the fiber table of the image, if it has one, with their rows."""
    if table is None or table.nfiber != traces.nfiber:
        return traces
    return replace(traces, fiber_id=fiber_labels(table.fiber_id))


def numbered(found: TraceDiagnosis, traces: TraceSet) -> TraceDiagnosis:
    """The diagnosis with the trace sets as the file of the traces numbers its fibers."""
    ids = traces.fiber_id
    measured, corrected = replace(found.measured, fiber_id=ids), replace(found.corrected, fiber_id=ids)
    return replace(found, given=traces, measured=measured, corrected=corrected)


def check_on_light(data: Array, traces: TraceSet) -> None:
    """Raise UsageError where the traces have nothing to do with the image."""
    if data.shape[1] != traces.ncol:
        text = f"the traces have {traces.ncol} pixels along dispersion, the image has {data.shape[1]}"
        raise UsageError(text, traces.name, "open the traces of this detector")
    few = np.isfinite(traces.center).sum(axis=1)
    if (few < 2).all():
        raise UsageError("the traces have fewer than two points per fiber", traces.name, "give whole traces")
    inside = np.nanmean((traces.center >= 0) & (traces.center <= data.shape[0] - 1))
    if inside < 0.5:
        raise UsageError("most of the traces lie outside the image", traces.name, "open the traces of this detector")


def contrast(data: Array, traces: TraceSet) -> float:
    """Light on the traces over light beside them: far above one for traces of this image."""
    from ifuview.engine.traces.doctor.slots import spacing_of, typical

    at = np.unique(np.round(np.linspace(0, traces.ncol - 1, CHECKED_COLUMNS)).astype(int))
    center = traces.center[:, at]
    half = min(spacing_of(typical(traces.center)) / 2, 4.0)
    nrow = data.shape[0]
    known = np.isfinite(center)
    column = np.broadcast_to(at, center.shape)

    def light(offset: float) -> float:
        rows = np.clip(np.round(np.nan_to_num(center) + offset), 0, nrow - 1).astype(int)
        values = data[rows, column][known]
        return float(np.nanmedian(values)) if values.size else 0.0

    beside = (light(half) + light(-half)) / 2
    on = max(light(0.0), light(1.0), light(-1.0))
    return on / max(abs(beside), 1e-9) if on > beside else 0.0


def run(request: Request, ctx: JobContext = SILENT) -> Outcome:
    """Do it all; nothing is written unless everything is.

    Raises
    ------
    IfuviewError
        With one sentence about what is wrong with the input or the output folder.
    """
    limits = read_limits(request.thresholds)
    check_names(request.only, PARTS, "--only")
    check_names(request.formats, FORMATS, "--formats")
    folder = Path(request.output)
    check_folder(folder)
    image, traces, inputs, path = load(request, ctx.part(0.0, 0.2))
    limits = limits_for(image.header, limits)
    block = _blocks(request, traces, ctx)
    traces, said = in_angstrom(traces)
    found = diagnose_image(image, traces, block=block, limits=limits, only=request.only, ctx=ctx.part(0.2, 0.55))
    found = replace(found, sentence=f"{found.sentence}{said}")
    from ifuview.app.traces.doctor_metrics import metrics_of

    metrics = metrics_of(found, inputs, against(request, image, found, ctx))
    files = write_all(request, image, found, metrics, inputs, path, ctx.part(0.55, 1.0))
    return Outcome(found, metrics, files)


def load(
    request: Request, ctx: JobContext
) -> tuple[Image, TraceSet | None, tuple[tuple[str, str, str], ...], str | None]:
    """The image, its traces (None: trace it), the inputs with their checksums, and the path of the traces."""
    from ifuview.app.frames.fibers import trace_companions
    from ifuview.app.frames.opening.reading import open_dataset

    dataset = open_dataset(request.image, ctx.part(0.0, 0.6))
    if not dataset.images:
        raise MissingDataError("there is no image in this file", request.image, "give a detector image")
    image = dataset.images[0]
    if request.dispersion and image.orientation.transpose != (request.dispersion == "y"):
        image = replace(image, orientation=Orientation(request.dispersion == "y"))
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
    return image, traces, tuple((role, Path(name).name, checksum(name)) for role, name in inputs), path


def read_fitting(path: str, image: Image, swap: bool = False) -> TraceSet:
    """Traces of an image; says so where x and y are swapped, or the traces upside down or mirrored.

    Raises
    ------
    IfuviewError
    """
    from ifuview import io

    shape, lies = image.orientation.shape(image.shape), image.orientation
    other = exchanged(lies)
    if swap:
        return io.read_traces(path, shape, other)
    offer = "give --swap to exchange them"
    try:
        traces = io.read_traces(path, shape, lies)
    except FileFormatError as problem:
        try:
            turned = io.read_traces(path, shape, other)
        except IfuviewError:
            raise problem from None
        if contrast(image.canonical(), turned) > ON_LIGHT:
            raise UsageError("x and y of these traces are swapped for this image", path, offer) from problem
        raise
    data = image.canonical()
    if traces.center.shape[1] == shape[1] and contrast(data, traces) < ON_LIGHT:
        try:
            turned = io.read_traces(path, shape, other)
        except IfuviewError:
            turned = traces
        if contrast(data, turned) > 2 * max(contrast(data, traces), ON_LIGHT):
            raise UsageError("x and y of these traces are swapped for this image", path, offer)
    if traces.center.shape[1] == shape[1] and (how := turned_words(data, traces)):
        raise UsageError(f"these traces are {how} for this image", path, "give traces in the axes of this image")
    covered = float(np.mean(np.asarray(traces.valid).any(axis=0)))
    if covered < LEAST_COVERED:
        text = f"these traces cover {covered:.0%} of the columns of the image"
        raise UsageError(text, path, "they are of another detector or binning; give those of this image")
    return traces


def turned_words(data: Array, traces: TraceSet) -> str:
    """How traces lie turned against an image, where turning them back brings them onto the light; "" if they do not."""
    shifts = np.linspace(-MOST_SHIFT, MOST_SHIFT, 2 * int(MOST_SHIFT) + 1)  # a shift is no turn
    own = max(contrast(data, replace(traces, center=traces.center + d, coeff=None)) for d in shifts)
    upside = data.shape[0] - 1 - traces.center
    turns = {
        "upside down": upside,
        "mirrored along dispersion": traces.center[:, ::-1],
        "upside down and mirrored along dispersion": upside[:, ::-1],
    }
    found = {how: contrast(data, replace(traces, center=center, coeff=None)) for how, center in turns.items()}
    best = max(found, key=lambda how: found[how])
    return best if found[best] > TURNED * max(own, ON_LIGHT) else ""


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


def in_angstrom(traces: TraceSet | None) -> tuple[TraceSet | None, str]:
    """Traces with wavelengths in Angstrom, and what is to be said where they are plainly in nm."""
    if traces is None or traces.wave is None or not np.isfinite(traces.wave).any():
        return traces, ""
    low, high = float(np.nanmin(traces.wave)), float(np.nanmax(traces.wave))
    if not NM[0] < low < high < NM[1]:
        return traces, ""
    said = f" The wavelengths, {low:.0f} to {high:.0f}, are taken to be nm."
    return replace(traces, wave=np.asarray(traces.wave) * 10), said


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


def _blocks(request: Request, traces: TraceSet | None, ctx: JobContext) -> Array | None:
    """Block of each fiber from a fiber file."""
    if not request.fibers:
        return None
    from ifuview.app.frames.opening.reading import open_dataset

    table = open_dataset(request.fibers, ctx).fibermap
    if table is None:
        raise MissingDataError("holds no table of fibers", request.fibers, "give a file with one row per fiber")
    if traces is not None and table.nfiber != traces.nfiber:
        text = f"the table has {table.nfiber} fibers, the traces have {traces.nfiber}"
        raise UsageError(text, request.fibers, "give the table of the same fibers")
    return table.block if table.block is not None and np.unique(table.block).size > 1 else None


def against(request: Request, image: Image, found: TraceDiagnosis, ctx: JobContext) -> dict[str, float]:
    """Given traces minus reference traces, as global metrics."""
    if not request.reference:
        return {}
    reference = read_fitting(request.reference, image)
    if found.given is None or reference.center.shape != found.given.center.shape:
        raise UsageError("the reference has other fibers", request.reference, "give a reference of the same fibers")
    difference = found.given.center - reference.center
    known = difference[np.isfinite(difference)]
    if not known.size:
        return {}
    n = max(found.nfiber, 1)
    return {
        "reference_mean_px": float(known.mean()), "reference_mean_px_err": float(known.std() / np.sqrt(n)),
        "reference_rms_px": float(np.sqrt((known**2).mean())),
        "reference_rms_px_err": float(known.std() / np.sqrt(2 * n)),
        "reference_max_px": float(np.abs(known).max()), "reference_max_px_err": 0.0,
    }  # fmt: skip


def read_limits(path: str | None) -> DoctorLimits | None:
    """Limits from a TOML file: names of DoctorLimits, at the top or under [limits]; None without a file.

    Raises
    ------
    UsageError, FileFormatError
        Unknown name, not a number, not TOML.
    """
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            tree = tomllib.load(file)
    except OSError as problem:
        raise MissingDataError(f"cannot be read ({problem.strerror})", path) from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise FileFormatError(f"is not TOML ({problem})", path) from problem
    values = tree.get("limits", tree)
    known = {f.name for f in fields(DoctorLimits)}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"there is no limit {name!r}", path, f"choose of {', '.join(sorted(known))}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise UsageError(f"the limit {name} is not a number of at least 0", path)
    return DoctorLimits(**{name: float(value) for name, value in values.items()})


def check_names(given: Sequence[str], allowed: Sequence[str], option: str) -> None:
    """Raise UsageError for a name that does not exist."""
    wrong = [name for name in given if name not in allowed]
    if wrong:
        raise UsageError(f"there is no {wrong[0]!r}", option, f"choose of {', '.join(allowed)}")


def write_all(
    request: Request,
    image: Image,
    found: TraceDiagnosis,
    metrics: dict[str, Any],
    inputs: tuple[tuple[str, str, str], ...],
    path: str | None,
    ctx: JobContext,
) -> tuple[str, ...]:
    """Write every file or none; return the names."""
    with told(request.output, "the results", "choose another folder"), filled(request.output) as part:
        return _write_parts(request, part, image, found, metrics, inputs, path, ctx)


def _write_parts(
    request: Request,
    part: Path,
    image: Image,
    found: TraceDiagnosis,
    metrics: dict[str, Any],
    inputs: tuple[tuple[str, str, str], ...],
    path: str | None,
    ctx: JobContext,
) -> tuple[str, ...]:
    """Write every file into one folder."""
    from ifuview.app.traces.doctor_metrics import as_json, fiber_table
    from ifuview.io.traces.write import write_traces

    ctx.checkpoint(0.0, "Writing the numbers")
    if "json" in request.formats:
        (part / METRICS).write_text(as_json(metrics), encoding="utf-8")
    (part / FIBERS).write_text(fiber_table(found), encoding="utf-8")
    ctx.checkpoint(0.05, "Writing the traces")
    write_traces(str(part / MEASURED), sparse(found.measured), image.orientation, image.shape)
    write_corrected_traces(part, image, found, path, request.swap)
    wanted = tuple(f for f in request.formats if f != "json")
    if wanted:
        from datetime import UTC, datetime

        from ifuview import __version__
        from ifuview.report.traces.doctor import write_doctor
        from ifuview.report.traces.doctor_report import DoctorReport

        report = DoctorReport(
            found, image.canonical(), image.unit or "counts", f"Traces of {inputs[0][1]}", inputs,
            datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), __version__,
        )  # fmt: skip
        write_doctor(report, part, wanted, ctx.part(0.2, 1.0))
    return tuple(sorted(str(p.relative_to(part)) for p in part.rglob("*") if p.is_file()))


def write_corrected_traces(
    part: Path, image: Image, found: TraceDiagnosis, path: str | None, swap: bool = False
) -> str:
    """Write the corrected traces in the form of the given file, x and y as it has them; return the name."""
    from ifuview.io.traces.corrected import corrected_name, write_corrected
    from ifuview.io.traces.write import write_traces

    changed = found.corrected.provenance.changed or "nothing"
    if path is None:
        name = "traces_corrected.fits"
        write_traces(str(part / name), sparse(found.corrected), image.orientation, image.shape)
        return name
    name = corrected_name(path)
    lies = exchanged(image.orientation) if swap else image.orientation
    native = image.shape[::-1] if swap else image.shape
    write_corrected(path, found.corrected, part / name, changed, lies, (native[0], native[1]))
    return name


def sparse(traces: TraceSet) -> TraceSet:
    """The same traces with points at every MEASURED_STEP columns and at the ends of what is valid."""
    keep = np.zeros(traces.ncol, bool)
    keep[::MEASURED_STEP] = keep[-1] = True
    valid = np.asarray(traces.valid) & np.isfinite(traces.center)
    edge = np.zeros_like(valid)
    edge[:, 1:] |= valid[:, 1:] & ~valid[:, :-1]
    edge[:, :-1] |= valid[:, :-1] & ~valid[:, 1:]
    return replace(traces, valid=(valid & keep) | edge)


def checksum(path: str) -> str:
    """SHA-256 of a file, also of one that is named with an extension in brackets; "" if there is none."""
    return sha256(path if os.path.exists(path) else path.split("[")[0])

"""Calibrations of a detector from a file: its traces and wavelengths checked against its own master frames.

A file may be years old, and fits of it have failed silently. So traces are measured again on its twilight and
wavelengths on its arcs: where a fiber of the file agrees, it stays as it is; where it does not, it is replaced, and
that is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ifuview.engine.ccd.bias import master_bias
from ifuview.engine.ccd.dark import master_dark
from ifuview.engine.context import JobContext
from ifuview.engine.numeric.medians import robust_sigma
from ifuview.engine.spectra.boxcar import boxcar
from ifuview.engine.traces.slit.settle import trace_and_scattered
from ifuview.engine.traces.slit.shift import measure_shift, shifted
from ifuview.errors import FitError, MissingDataError
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.reduction.ccd import CcdFrame, ReadOut, ReductionBit
from ifuview.model.trace import Provenance, TraceSet
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import Biases, DetectorFrame, FiberFlat, TracedFibers
from ifuview.recipes.virus.values import APERTURE, USUAL_NOISE, DetectorGround, FiberLamps, Rows, StoredParams

EVEN = ("mastertwi", "masterflt", "mastersci")  # frames that light all fibers, in the order of preference
DARK_TIME = 360.0  # s, that master darks of these files are exposed for
MOST_LEVELS, LEAST_STEP = 2048, 1.0  # different numbers of a frame that is rounded, and electrons between two
LEAST_NOISE = 0.3  # electrons, of a master frame: they are rounded
OFF_TRACE = 0.15  # px, mean deviation of a fiber of the file that is replaced
SURE, LEAST_MOVE = 3.0, 0.01  # sigma and px of a shift of the file's traces against its twilight that is believed


def make_ground(params: None, ctx: JobContext, setup: CameraSetup, calibration: Rows) -> DetectorGround:
    """Bias structure, dark current and bad pixels."""
    biases: dict[str, CcdFrame] = {}
    noise: dict[str, tuple[float, float]] = {}
    darks, notes = [], []
    for name, row in zip(setup.amplifiers, calibration, strict=True):
        nothing = np.zeros(setup.shape, np.float32)
        bias = nothing if row is None else row.images.get("masterbias", nothing)
        dark = None if row is None else row.images.get("masterdark")
        if bias.any():
            biases[name] = master_bias([_master(bias)])
        if row is not None and np.isfinite(row.read_noise) and row.read_noise > 0:
            noise[name] = row.read_noise, 0.0
        if dark is None or not dark.any():
            notes.append(f"{setup.camera} {name}: the file has no dark: no dark current is taken off.")
            dark = nothing
        structure = biases[name].data if name in biases else np.float32(0)
        darks.append(_master(dark - structure))
    stack = _stacked(darks)
    current = master_dark([stack], [DARK_TIME]) if stack.data.any() else None
    bad = [np.zeros(setup.shape, bool) if row is None else row.bad for row in calibration]
    mask = np.where(np.concatenate(bad), np.uint32(ReductionBit.BAD), np.uint32(0)).astype(np.uint32)
    return DetectorGround(Biases(biases, noise), current, mask, tuple(notes))


def make_stored_flat(
    params: None, ctx: JobContext, setup: CameraSetup, calibration: Rows, ground: DetectorGround
) -> DetectorFrame:
    """The twilight of the file as a frame, else what lights the fibers most evenly.

    Raises
    ------
    MissingDataError
        The file has no such frame of any amplifier.
    """
    names = [name for name in EVEN if any(r is not None and _lit(r, name) for r in calibration)]
    if not names:
        raise MissingDataError("the calibration file has no master frame with light", setup.camera)
    frames, reads, notes = [], [], []
    for amplifier, row in zip(setup.amplifiers, calibration, strict=True):
        level = np.nan if row is None else row.read_noise
        problem = "" if row is not None and _lit(row, names[0]) else "the calibration file does not have it"
        if row is None or problem:
            blank = np.zeros(setup.shape, np.float32)
            frames.append(CcdFrame(blank, blank + 1, np.full(setup.shape, int(ReductionBit.AMPLIFIER), np.uint32)))
            notes.append(f"{setup.camera} {amplifier}: {problem or 'the calibration file does not have it'}.")
            reads.append(ReadOut(amplifier, np.nan, np.nan, np.nan, np.nan, np.nan, problem=problem or "missing"))
            continue
        data = row.images[names[0]]
        step = quantum(data)
        floor = (level if np.isfinite(level) else USUAL_NOISE) ** 2 + step**2 / 12
        lost = np.where(np.abs(data) < step / 2, np.uint32(ReductionBit.NO_DATA), np.uint32(0))
        frames.append(CcdFrame(data, np.maximum(data, 0) + np.float32(floor), lost.astype(np.uint32)))
        reads.append(ReadOut(amplifier, np.nan, np.nan, float(np.sqrt(floor)), np.nan, 1.0))
    if names[0] != EVEN[0]:
        notes.append(f"{setup.camera}: the file has no twilight: {names[0]} takes its place.")
    total = _stacked(frames)
    total = CcdFrame(total.data, total.variance, total.mask | ground.mask)
    return DetectorFrame(total, tuple(reads), np.nan, names[0], {}, tuple(notes))


def make_stored_traces(
    params: StoredParams, ctx: JobContext, setup: CameraSetup, calibration: Rows, flat: DetectorFrame
) -> TracedFibers:
    """Traces of the file where they agree with its twilight, else those measured on it; and the scattered light."""
    own, light = trace_and_scattered(
        flat.frame.data, flat.noise, setup.reference, column=setup.column, dead=setup.dead, block=setup.block,
        usable=flat.frame.usable(), seams=setup.seams, ctx=ctx,
    )  # fmt: skip
    found = TracedFibers(own, light.image, light.share)
    if not params.check:
        return replace(found, traces=replace(own, center=_stored_centers(setup, calibration, own), coeff=None))
    given = _stored_centers(setup, calibration, own)
    lit = np.asarray(own.valid).any(axis=1)
    lost = int(lost_fibers(own)["lost"].sum())
    notes = [f"{lost} fibers show no light in the calibration file, more than its tables say"] if lost else []
    traces = replace(own, center=given, coeff=None, basis="sampled")
    try:
        shift = measure_shift(
            flat.frame.data, traces, flat.noise, usable=flat.frame.usable(), background=light.image, seams=setup.seams
        )
        if abs(shift.mean) > max(SURE * float(shift.error[0]), LEAST_MOVE):
            notes.append(f"traces of the file lie {-shift.mean:+.3f} px off its own twilight and are moved")
            traces = shifted(traces, shift, flat.frame.shape[0])
    except FitError as problem:
        notes.append(str(problem))
    off = np.sqrt(np.mean((traces.center - own.center) ** 2, axis=1))
    odd = lit & ~(off < OFF_TRACE)
    if odd.any():
        notes.append(f"traces of {int(odd.sum())} fibers of the file do not fit its own twilight and are replaced")
    center = np.where(odd[:, None] | ~np.isfinite(traces.center), own.center, traces.center)
    told = Provenance(step="stored", notes=tuple(notes))
    return replace(found, traces=replace(traces, center=center, provenance=told))


def make_stored_lamps(
    params: None, ctx: JobContext, setup: CameraSetup, calibration: Rows, traces: TracedFibers, response: FiberFlat
) -> FiberLamps:
    """Spectra of the file's lamps, twilight and sky."""
    out: dict[str, Array] = {"twi": response.spectra.flux}
    for key, name in (("arc", "lampspec"), ("sci", "scispec")):
        if all(row is not None and name in row.spectra for row in calibration):
            out[key] = np.concatenate([row.spectra[name] for row in calibration if row is not None])
    if all(row is not None and "masterflt" in row.images for row in calibration):
        image = np.concatenate([row.images["masterflt"] for row in calibration if row is not None])
        out["flt"] = np.nan_to_num(boxcar(image, traces.traces.center, APERTURE, ctx=ctx)[0])
    return FiberLamps(out)


def _stored_centers(setup: CameraSetup, calibration: Rows, own: TraceSet) -> Array:
    """Centers of the file on the whole detector; those measured where it has none."""
    parts: list[Array] = []
    first = 0
    for number, (rows, row) in enumerate(zip(setup.rows, calibration, strict=True)):
        mine = own.center[first : first + rows.row.size]
        given = mine if row is None or row.trace.shape != mine.shape else row.trace + number * setup.shape[0]
        parts.append(np.where(np.isfinite(given) & (given > number * setup.shape[0]), given, mine))
        first += rows.row.size
    return np.concatenate(parts).astype(np.float64)


def _master(image: Array) -> CcdFrame:
    """A master frame whose noise is what its pixels scatter by."""
    noise = max(float(robust_sigma(image[::4, ::4].ravel())), LEAST_NOISE)
    return CcdFrame(image, np.full(image.shape, noise**2, np.float32), np.zeros(image.shape, np.uint32))


def _stacked(frames: Sequence[CcdFrame]) -> CcdFrame:
    """Frames of amplifiers one above the other."""
    return CcdFrame(*(np.concatenate([getattr(f, name) for f in frames]) for name in ("data", "variance", "mask")))


def quantum(image: Array) -> float:
    """Step that the numbers of a frame were rounded to; 0 where that is less than their noise.

    Some files are rounded coarsely to be packed better. A pixel that was rounded to zero says nothing of the little
    light between fibers.
    """
    values = np.unique(image[::4, ::4])
    step = float(np.diff(values).min()) if 1 < values.size < MOST_LEVELS else 0.0
    return step if step > LEAST_STEP else 0.0


def _lit(row: AmplifierCalibration, name: str) -> bool:
    """Whether a row has light in a master frame."""
    return name in row.images and float(np.percentile(row.images[name][::4, ::4], 75)) > 1.0


def lost_fibers(traces: TraceSet) -> Mapping[str, Array]:
    """Fibers that carry no light, bool of shape (nfiber,): as the table says ("dead"), and others ("lost")."""
    status = np.zeros(traces.nfiber, np.uint32) if traces.status is None else np.asarray(traces.status)
    return {
        "dead": (status & np.uint32(TraceBit.DEAD)) > 0,
        "lost": (status & np.uint32(TraceBit.LOST | TraceBit.NOT_FITTED)) > 0,
    }

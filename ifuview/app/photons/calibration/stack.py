"""The calibration stack of a photon frame in the window: read, add, switch, take away; nothing touches the file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.look import LimitMode
from ifuview.app.photons.calibration import files
from ifuview.app.photons.calibration import solve as cal
from ifuview.app.photons.calibration.sources import flat_step, is_large, parts_of, solutions_of, waits, wave_step
from ifuview.app.photons.speckle_maps import product
from ifuview.app.photons.state import FoundStep
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.calibration_stack import (
    CalibrationStack,
    FlagStep,
    FlatStep,
    LinearityStep,
    MaskStep,
    WaveStep,
)
from ifuview.model.photons.flat_solution import FLAT_BIT, FlatSolution
from ifuview.model.photons.lists import PhotonColumn, PhotonInfo, PhotonSource
from ifuview.model.photons.resonators import check_same_array, grid_of, rows_of
from ifuview.model.photons.wavelength_solution import WAVE_BIT, WavelengthSolution

if TYPE_CHECKING:
    from ifuview.app.frames.opening.opened import Opened
    from ifuview.app.photons.state import Live, PhotonFrame, PhotonStep, Steps
    from ifuview.model.photons.calibration_stack import Step
    from ifuview.model.photons.lists import PhotonSource

FOUND = ("found.hot", "found.cold", "found.dead")
KINDS = ("wavelength", "flat", "linearity", "cosmics", "badpixels")
NOT_THIS_KIND = ("is no ", ", no ")  # how a reader says that a file is something else
WEIGHTS = ("lincal", "flatcal")  # steps that change the weights of photons


# steps


def read(kind: str, path: str, ctx: JobContext = SILENT) -> WavelengthSolution | FlatSolution:
    """Read a solution: "wavelength", "flat", or "" for what the file is.

    Raises
    ------
    FileFormatError, MissingDataError
        What the file is instead, or what is wrong with it.
    """
    if kind == "wavelength":
        return cal.read_wavecal(path, ctx)
    if kind == "flat":
        return cal.read_flatcal(path, ctx)
    try:
        return cal.read_wavecal(path, ctx)
    except FileFormatError as problem:
        try:
            return cal.read_flatcal(path, ctx)
        except FileFormatError as other:
            if _is_other_kind(problem) and _is_other_kind(other):
                raise FileFormatError("is neither a wavelength solution nor a flat", path, "choose one") from other
            raise (problem if _is_other_kind(other) else other) from other


def _is_other_kind(error: FileFormatError) -> bool:
    """Whether a reader found something else than what it reads."""
    return any(words in error.what for words in NOT_THIS_KIND)


def make_step(frame: PhotonFrame, kind: str, path: str = "", method: str = "", ctx: JobContext = SILENT) -> PhotonStep:
    """Make the step that was asked for: read its solution, or look at the photons.

    Raises
    ------
    IfuviewError
        There is no such step, the solution cannot be read or is of another array.
    """
    if kind == "linearity":
        return LinearityStep(dead_time=frame.raw.info.dead_time)
    if kind == "cosmics":
        return cal.cosmic_step(frame.raw, method or "poisson", ctx)
    if kind == "badpixels":
        return found_step(frame, method or "threshold", ctx)
    if kind not in ("", "wavelength", "flat"):
        raise UsageError(f"there is no calibration {kind!r}", path, f"choose {', '.join(KINDS)}")
    solution = read(kind, path, ctx)
    check_same_array(solution, frame.raw.info.beammap, path)
    if isinstance(solution, FlatSolution):
        return FlatStep(solution)
    check_undo(frame.raw.info, solution, path)
    return WaveStep(solution)


def check_undo(info: PhotonInfo, solution: WavelengthSolution, path: str) -> None:
    """Raise UsageError for a list of wavelengths that were made by another solution."""
    made = info.calibrations.get("wavecal", "")
    if info.column is PhotonColumn.WAVELENGTH and made not in (solution.name, os.path.basename(path), Path(path).stem):
        by = f" (made with {made})" if made else ""
        raise UsageError(
            f"the photon list holds wavelengths already{by}", path, "load the solution it was made with to see phases"
        )


def found_step(frame: PhotonFrame, method: str, ctx: JobContext) -> FoundStep:
    """Search hot, cold and dead pixels among the photons of the cut."""
    from ifuview.app.photons.lists import bad_pixels

    found = bad_pixels(frame.source, frame.cut, method=method, ctx=ctx)
    flags = dict(zip(FOUND, (found.hot, found.cold, found.dead)))
    return FoundStep(MappingProxyType(flags), method)


def with_step(steps: Steps, step: PhotonStep) -> Steps:
    """The stack with a step added, or put in the place of the one of its key; in the order in which they act."""
    return _ordered((*(s for s in steps if s.key != step.key), step))


def _ordered(steps: Steps) -> Steps:
    stack, found = parts_of(steps)
    return stack.steps if found is None else (*stack.steps, found)


def switched(steps: Steps, number: int | None, on: bool | None) -> Steps:
    """The stack with one step (None: all) switched, or taken away (`on` None).

    Raises
    ------
    UsageError
        There is no such step.
    """
    if number is None:
        return () if on is None else tuple(replace(s, on=on) for s in steps)
    if not 0 <= number < len(steps):
        raise UsageError(f"the stack has no step {number}", todo="add one first")
    if on is None:
        return steps[:number] + steps[number + 1 :]
    return tuple(replace(s, on=on) if n == number else s for n, s in enumerate(steps))


def weight_words(frame: PhotonFrame, step: PhotonStep) -> str:
    """What is to be said of a new step that works by the weights of the photons; "" of others."""
    if step.key not in WEIGHTS:
        return ""
    if is_large(frame):
        return "; check Weighted in Photons to see it (the sliders are slower then)"
    return "; photons are weighted now (Weighted in Photons)"


def taking_hold(frame: PhotonFrame, step: PhotonStep) -> PhotonFrame:
    """The frame with newly found pixels left out, or with the weights that a new step gives."""
    if step.key in WEIGHTS and not is_large(frame) and frame.source.info.weighted:
        return frame.with_cut(weighted=True)
    if step.key != "found":
        return frame
    names = (*frame.cut.exclude, *(name for name in FOUND if name not in frame.cut.exclude))
    return frame.with_cut(exclude=names)


def restacked(frame: PhotonFrame, steps: Steps, source: PhotonSource, live: Live | None = None) -> PhotonFrame:
    """The frame under another stack; what was counted before no longer holds, nor bounds of the other column."""
    changed = replace(frame, stack=steps, source=source, live=live, image=None, speckle=None)
    if not source.info.weighted and not any(s.key in WEIGHTS for s in steps):
        changed = changed.with_cut(weighted=False)
    if source.info.column is frame.source.info.column:
        return changed
    return changed.with_cut(low=None, high=None)


def write(frame: PhotonFrame, path: str, ctx: JobContext = SILENT) -> tuple[PhotonInfo, tuple[str, ...]]:
    """Write the photons with the steps that are on as a new list that keeps what is needed to undo them.

    Raises
    ------
    IfuviewError
        Nothing is on, or the file cannot be written; nothing is left behind.
    """
    info = frame.raw.info
    active = [s for s in frame.stack if s.on and not waits(info, frame.stack, s)]
    steps: list[Step] = []
    for step in active:
        if isinstance(step, FoundStep):
            flags = {"pixcal." + n.removeprefix("found."): v for n, v in step.flags.items()}
            steps.append(FlagStep(flags, step.method))
        elif not (isinstance(step, WaveStep) and info.column is PhotonColumn.WAVELENGTH):
            steps.append(step)
    if not steps:
        raise UsageError("no calibration is on", path, "load one and switch it on")
    stack = CalibrationStack(tuple(steps))
    return files.calibrate_file(info.path, path, stack, beammap=frame.beammap or None, ctx=ctx)


def plot(frame: PhotonFrame, folder: str, at: tuple[int, int] | None, ctx: JobContext = SILENT) -> list[str]:
    """Write all plots of the solutions in the stack into a folder, with those of a pixel; return their names.

    Raises
    ------
    IfuviewError
        There is no solution, or the folder cannot be written.
    """
    from ifuview.app.photons.calibration import plots

    solutions = solutions_of(frame.stack)
    if not solutions:
        raise UsageError("there is no solution in the stack", folder, "load one first")
    names: list[str] = []
    for n, solution in enumerate(solutions):
        step = ctx.part(n / len(solutions), (n + 1) / len(solutions))
        placed = solution if solution.grid is not None else replace(solution, grid=grid_of(frame.raw.info.beammap))
        pixels = () if at is None or row_at(placed, frame.raw.info, *at) < 0 else (at,)
        if isinstance(placed, WavelengthSolution):
            names += plots.plot_wavecal(placed, folder, pixels=pixels, ctx=step)
        else:
            names += plots.plot_flat(placed, folder, pixels=pixels, ctx=step)
    return names


# words


def title(step: PhotonStep) -> str:
    """Name of a step."""
    names = {
        "wavecal": "Wavelength", "flatcal": "Flat", "lincal": "Linearity", "pixcal": "Bad pixels",
        "found": "Bad pixels", "cosmiccal": "Cosmic rays", "timemask": "Masked times",
    }  # fmt: skip
    return names[step.key]


def words(step: PhotonStep, info: PhotonInfo) -> str:
    """What a step is, and how many pixels it has."""
    if isinstance(step, (WaveStep, FlatStep)):
        solution = step.solution
        good = solution.solved if isinstance(solution, WavelengthSolution) else solution.usable
        rows = rows_of(solution.ids, info.beammap.ids)
        have = int(np.count_nonzero(good[rows[rows >= 0]]))
        wave = isinstance(solution, WavelengthSolution)
        how = solution.form if isinstance(solution, WavelengthSolution) else f"{solution.form}, {solution.method}"
        what = "solved" if wave else "with weights"
        return f"{have} of {info.beammap.nresonator} resonators {what}; {solution.name} ({how})"
    if isinstance(step, LinearityStep):
        return f"dead time {step.dead_time * 1e6:g} µs, neighbors within {step.window * 1e3:g} ms"
    if isinstance(step, MaskStep):
        return f"{len(step.mask.start)} times, {step.mask.total * 1e3:.3g} ms in all ({step.method})"
    counts = ", ".join(f"{int(v.sum())} {n.rpartition('.')[2]}" for n, v in step.flags.items())
    return f"{counts} ({step.method})"


# images of a solution


def row_at(solution: WavelengthSolution | FlatSolution, info: PhotonInfo, x: int, y: int) -> int:
    """Row of a solution for a pixel of a photon list; -1 for none."""
    beammap = info.beammap
    place = int(beammap.index[y, x])
    return -1 if place < 0 else int(rows_of(solution.ids, beammap.ids[place : place + 1])[0])


def images(frame: PhotonFrame, what: str, ctx: JobContext = SILENT) -> Opened:
    """The "resolution", "weights", "errors" or "mask" of the solution in the stack, one plane a laser or bin.

    Raises
    ------
    UsageError
        The stack has no such solution, or it does not say.
    """
    info = frame.raw.info
    wave, flat = wave_step(frame.stack), flat_step(frame.stack)
    stem = Path(info.path).name
    ctx.checkpoint(0.2, f"{what} over the array")
    if what == "resolution":
        if wave is None:
            raise UsageError("there is no wavelength solution in the stack", info.path, "load one first")
        fits = wave.solution.fits
        if fits is None or not np.isfinite(fits.resolution).any():
            raise UsageError(
                "the solution does not keep resolving powers", wave.solution.name, "use another form of it"
            )
        values = np.where(wave.solution.solved[:, None], fits.resolution, np.nan)
        return _cube(f"R by laser: {stem}", values, wave.solution, info)
    if flat is None:
        raise UsageError("there is no flat in the stack", info.path, "load one first")
    solution = flat.solution
    if what == "weights":
        return _cube(f"Flat weights: {stem}", solution.weights, solution, info)
    if what == "errors":
        return _cube(f"Flat errors: {stem}", solution.errors, solution, info)
    if what == "mask":
        bad = (~np.isfinite(solution.weights)).astype(np.float64)
        return _cube(f"No flat weight: {stem}", bad, solution, info, empty=1.0, mode=LimitMode.MINMAX)
    raise UsageError(f"there is no image {what!r} of a solution", todo="choose resolution, weights, errors or mask")


def _cube(
    name: str, values: Array, solution: WavelengthSolution | FlatSolution, info: PhotonInfo, empty: float = np.nan,
    mode: LimitMode = LimitMode.PERCENTILE,
) -> Opened:  # fmt: skip
    """Values (n, m) of a solution as planes over the array of a photon list."""
    rows = rows_of(solution.ids, info.beammap.ids)
    own = np.where((rows >= 0)[:, None], values[np.maximum(rows, 0)], empty)
    planes = info.beammap.image(np.append(own, np.full((1, own.shape[1]), empty), axis=0).T, empty)
    made = product(name, planes[0] if len(planes) == 1 else planes, info, "calibration", mode=mode)
    waves = solution.lasers if isinstance(solution, WavelengthSolution) else solution.waves
    image = replace(made.image, planes=tuple(f"{wave:g} nm" for wave in waves) if len(planes) > 1 else ())
    return replace(made, image=image, dataset=replace(made.dataset, images=(image,)))


def solution_flags(solution: WavelengthSolution | FlatSolution) -> dict[str, int]:
    """Flag names of a solution with the number of resonators that bear them."""
    bits = WAVE_BIT if isinstance(solution, WavelengthSolution) else FLAT_BIT
    count = {name: int(((solution.flags & np.uint32(bit)) != 0).sum()) for name, bit in bits.items()}
    return {name: n for name, n in count.items() if n}

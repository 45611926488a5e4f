"""Photon lists written with their calibrations, and as they were before them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.photons.calibration.solve import calibrated, check_output, cosmic_step, pixel_step
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.files import keep_inputs, whole_file
from ifuview.model.checks import Array
from ifuview.model.photons.calibration_stack import CalibrationStack
from ifuview.model.photons.lists import PhotonInfo
from ifuview.model.photons.wavelength_solution import WavelengthSolution

if TYPE_CHECKING:
    from ifuview.engine.photons.calibration.calibrate import CalibratedSource
    from ifuview.io.photons.original import Removed
    from ifuview.model.photons.lists import PhotonBlock, PhotonSource


def calibrate_file(
    path: str, output: str, steps: CalibrationStack, *, cosmics: str | None = None, pixels: str | None = None,
    beammap: str | None = None,
    ctx: JobContext = SILENT,
) -> tuple[PhotonInfo, tuple[str, ...]]:  # fmt: skip
    """Write a calibrated photon table (modern layout) that keeps what `undo_file` needs.

    Parameters
    ----------
    path, output : str
    steps : CalibrationStack
    cosmics : str, optional
        Method by which cosmic rays are found and left out ("poisson" or "sigma").
    pixels : str, optional
        Method by which hot, cold and dead pixels are found and flagged.
    beammap : str, optional
        Beam-map text file, for lists without one.

    Returns
    -------
    info : PhotonInfo
        Of what was written.
    notes : tuple of str
        What the user should know.

    Raises
    ------
    IfuviewError
        Steps that were applied before, solutions of another array; nothing is written.
    """
    from ifuview.app.photons.counting.sorting import sorted_photons
    from ifuview.app.photons.lists import open_source, unchanged
    from ifuview.engine.photons.calibration.applicable import check_stack

    check_output(output)
    opened = open_source(path, beammap=beammap, index=False, ctx=ctx)
    _refuse_twice(path, output)
    if not steps.steps and cosmics is None and pixels is None:
        todo = "give --wavecal, --flatcal, --lincal, --cosmics or --pixcal"
        raise UsageError("no calibration is asked for", path, todo)
    check_stack(replace(opened.info, sorted=True), steps)
    with unchanged(path), sorted_photons(opened, os.path.dirname(output) or ".", ctx.part(0, 0.1)) as source:
        if cosmics is not None:
            steps = steps.with_step(cosmic_step(source, cosmics, ctx.part(0.1, 0.2)))
        if pixels is not None:
            steps = steps.with_step(pixel_step(source, pixels, ctx.part(0.2, 0.3)))
        info, notes = _written(calibrated(source, steps), output, ctx.part(0.3, 1.0), in_order=source is opened)
    return info, notes if source is opened else (*notes, "The photons are sorted by resonator and time now.")


def _refuse_twice(path: str, output: str) -> None:
    """Raise UsageError for a file that keeps another calibration, or would be overwritten."""
    from ifuview.io.hdf5.file import is_h5
    from ifuview.io.photons.original import has_original

    keep_inputs(output, (path,))
    if os.path.isfile(path) and is_h5(path) and has_original(path):
        raise UsageError(
            "the file was calibrated by ifuview already and keeps its original columns", path,
            "undo that (ifuview calibrate --undo) and give all steps at once",
        )  # fmt: skip


def _written(
    made: CalibratedSource, output: str, ctx: JobContext, *, in_order: bool = True
) -> tuple[PhotonInfo, tuple[str, ...]]:
    """Write under a temporary name, then move."""
    from ifuview.io.photons.lists.write import write_photons
    from ifuview.io.photons.original import Removed, keep_original

    before = made.source.info
    extra = {"wavelength": np.dtype("<f4")} if made.stack.active("wavecal") else {}
    if made.weighing:
        extra["weight"] = np.dtype("<f4")
    removed = Removed(os.path.dirname(output) or ".", before.beammap)
    with closing(removed), whole_file(output) as part:
        rows = _rows(made, removed, ctx)
        notes = write_photons(part, rows, made.info, extra=extra, ctx=ctx)
        notes += keep_original(part, before, removed, in_order=in_order)
    count = made.source.info.nphoton - removed.count if made.source.info.nphoton >= 0 else -1
    if removed.count:
        notes = (f"{removed.count} photons of masked times are kept apart and come back with --undo.", *notes)
    return replace(made.info, nphoton=count), (*made.info.notes, *notes)


def _rows(made: CalibratedSource, removed: Removed, ctx: JobContext) -> Iterator[tuple[PhotonBlock, dict[str, Array]]]:
    """Calibrated blocks with their original columns; what is masked goes to `removed`."""
    from ifuview.engine.photons.counting.timemask import kept_times

    masks = [step.mask for key in ("cosmiccal", "timemask") if (step := made.stack.active(key)) is not None]
    start = 0
    for block in made.raw(value=True, weight=True, ctx=ctx):
        found = made.convert(block)
        assert block.value is not None
        keep = np.ones(len(block.time), bool)
        for mask in masks:
            keep &= kept_times(block.time, mask)
        weight = np.ones(len(block.time), np.float32) if block.weight is None else block.weight
        if keep.all():
            yield found, {"wavelength": block.value, "weight": weight}
        else:
            removed.add(start, block._replace(weight=weight), ~keep)
            columns: list[Array | None] = [None if c is None else c[keep] for c in found]
            yield type(block)(*columns), {"wavelength": block.value[keep], "weight": weight[keep]}  # type: ignore
        start += len(block.time)


def undo_file(
    path: str, output: str, *, wavecal: WavelengthSolution | None = None, ctx: JobContext = SILENT
) -> tuple[PhotonInfo, tuple[str, ...]]:
    """Write the photons as they were before calibration.

    From the columns that the file keeps, bit by bit. A file that keeps none gives its phases back through the
    `wavecal` that was applied, to within rounding.

    Raises
    ------
    IfuviewError
        The file keeps nothing and no solution is given.
    """
    from ifuview.app.photons.lists import open_source
    from ifuview.engine.photons.calibration.wavelengths import PhaseSource
    from ifuview.io.photons.lists.write import write_photons
    from ifuview.io.photons.original import OriginalSource, has_original

    check_output(output)
    calibrated = open_source(path, index=False, ctx=ctx)
    source: PhotonSource | OriginalSource = calibrated
    keep_inputs(output, (path,))
    notes: tuple[str, ...] = ()
    if _is_h5(path) and has_original(path):
        source = OriginalSource(path)
        notes = source.info.notes
    elif wavecal is not None:
        source = PhaseSource(calibrated, wavecal)
        notes = ("The phases were computed back from the wavelengths; weights stay as they are.",)
    else:
        raise UsageError(
            "the file does not keep its columns before calibration",
            path,
            "give the solution (--wavecal) to undo it with",
        )
    written = write_photons(output, source.blocks(value=True, weight=True, ctx=ctx), source.info, ctx=ctx)
    return source.info, (*notes, *written)


def _is_h5(path: str) -> bool:
    from ifuview.io.hdf5.file import is_h5

    return os.path.isfile(path) and is_h5(path)

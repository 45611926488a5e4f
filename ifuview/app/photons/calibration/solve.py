"""Calibrations of photon lists without a window: fit, read, stack, apply, undo. For notebooks, the command line, jobs.

from ifuview.app.photons.calibration import files, solve as cal

solution = cal.fit_wavecal({808: "laser_808.h5", 1310: "laser_1310.h5"})
cal.save(solution, "wavecal.h5")
stack = cal.stack(wavecal="wavecal.h5", flatcal="flat_A.npz", lincal=True)
source = cal.calibrated(photons.open_source("phase.h5"), stack)      # on top of the raw columns
files.calibrate_file("phase.h5", "calibrated.h5", stack)             # keeps the phases
files.undo_file("calibrated.h5", "phase_again.h5")                   # bit by bit
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.files import check_place, check_suffix, stem
from ifuview.model.photons.calibration_stack import (
    CalibrationStack,
    FlagStep,
    FlatStep,
    LinearityStep,
    MaskStep,
    Step,
    WaveStep,
)
from ifuview.model.photons.flat_solution import FlatSolution
from ifuview.model.photons.lists import PhotonInfo, PhotonSource
from ifuview.model.photons.wavelength_solution import WavelengthSolution
from ifuview.model.photons.wording import counted, was

if TYPE_CHECKING:
    from ifuview.engine.photons.calibration.calibrate import CalibratedSource
    from ifuview.model.photons.calibration_curves import FlatCurves, WavecalCurves

SUFFIXES = (".h5", ".hdf5", ".hdf")
IN_NAME = re.compile(r"(?<![0-9.])(\d{3,4}(?:\.\d+)?)(?:\s*nm)?(?![0-9])", re.IGNORECASE)
IN_HEADER = ("laser", "LASER", "laser_wavelength", "LASERWL", "wavelength", "E_LASER")
FEW_SOLVED = 0.1  # of the resonators with photons enough; fewer is a mistake somewhere
LASER_RANGE = (300.0, 3000.0)  # nm; numbers in a file name that may be lasers


def laser_wave(name: str, info: PhotonInfo | None = None) -> float:
    """Wavelength (nm) of a laser file: from its header if that says, else from its name.

    Raises
    ------
    UsageError
        Neither says, or the name holds several numbers that could be.
    """
    for key in IN_HEADER if info is not None else ():
        value = info.header.get(key) if info is not None else None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and _in_range(float(value)):
            return float(value)
    texts = [stem(name), info.target] if info is not None else [stem(name)]
    for text in texts:
        found = {float(number) for number in IN_NAME.findall(text) if _in_range(float(number))}
        if len(found) == 1:
            return found.pop()
        if len(found) > 1:
            numbers = ", ".join(f"{w:g}" for w in sorted(found))
            raise UsageError(f"the wavelength could be any of {numbers} nm", name, f"write {min(found):g}={name}")
    raise UsageError("neither name nor header says which laser it is", name, f"write its wavelength first: 808={name}")


def _in_range(wave: float) -> bool:
    return LASER_RANGE[0] <= wave <= LASER_RANGE[1]


def laser_files(texts: Sequence[str]) -> dict[float, str]:
    """Wavelength (nm) to file, of arguments such as "laser_808.h5" or "808=night/first.h5".

    Raises
    ------
    UsageError
        A file that does not say its wavelength, or two files of one wavelength.
    """
    out: dict[float, str] = {}
    for text in texts:
        head, sign, rest = text.partition("=")
        if sign and rest and not os.path.exists(text):
            try:
                wave, name = float(head), rest
            except ValueError as problem:
                raise UsageError(f"{head!r} is no wavelength", text, "write it in nm, as in 808=FILE") from problem
        else:
            from ifuview.io.photons.opening import open_photons

            if not os.path.exists(text):
                raise MissingDataError("there is no such file", text, "check the name")
            name = text
            wave = laser_wave(name, open_photons(name).info)
        if wave in out:
            raise UsageError(f"there are two files for {wave:g} nm", name, "give one file for each laser")
        out[wave] = name
    return out


def _open(path: str) -> PhotonSource:
    from ifuview.app.photons.lists import open_source

    return open_source(path)


def fit_wavecal(
    lasers: Mapping[float, str | PhotonSource], *, name: str = "wavecal", ctx: JobContext = SILENT, **options: Any
) -> WavelengthSolution:
    """Fit the wavelength solution from laser files or sources; options as `wavecal.fit_wavelengths`.

    Raises
    ------
    IfuviewError
        A file cannot be read, holds no phases, or is of another array than the first.
    """
    from ifuview.engine.photons.calibration.wavecal import fit_wavelengths

    sources = {float(w): _open(item) if isinstance(item, str) else item for w, item in lasers.items()}
    if sources:
        first = next(iter(sources.values())).info
        for source in sources.values():
            _same(first, source.info)
    return fit_wavelengths(sources, name=name, ctx=ctx, **options)


def _same(first: PhotonInfo, other: PhotonInfo) -> None:
    """Raise FileFormatError if two lists are of different arrays."""
    own, its = first.beammap, other.beammap
    if own.shape != its.shape or not np.isin(own.ids, its.ids).mean() > 0.5:
        raise FileFormatError("the lasers are of different arrays", other.path, "give files of one array")


def doubt(solution: WavelengthSolution) -> str:
    """Return why a fitted solution solves nothing, or nearly nothing, of what has photons; "" if it is fine."""
    numbers = solution.summary()
    enough, solved = numbers["with_two_histograms"] or 0, numbers["solved"]
    if solution.fits is None or (enough and solved >= FEW_SOLVED * enough):
        return ""
    if not enough:
        return "no resonator has photons enough in two lasers; expose longer, or ask for fewer with --least"
    found = f"{solved or 'none'} of {counted(enough, 'resonator')} with photons enough {was(max(solved, 1))} solved"
    known = np.isfinite(solution.fits.center).any(axis=0)
    center = np.nanmedian(solution.fits.center[:, known], axis=0)
    if (np.diff(center) <= 0).any():
        peaks = ", ".join(f"{w:g} nm at {c:.0f} deg" for w, c in zip(solution.lasers[known], center))
        return f"{found}: the peaks do not rise with wavelength ({peaks}); check which file is of which laser"
    failed = {name: n for name, n in numbers["flags"].items() if name.startswith("wavecal.n") or "failed" in name}
    most = max(failed, key=lambda name: failed[name]) if failed else "wavecal.bad"
    return f"{found}, most are {most}; look at the histograms (--plots DIR)"


def fit_flatcal(
    light: str | PhotonSource | Sequence[str | PhotonSource], *, wavecal: WavelengthSolution | None = None,
    name: str = "flatcal", ctx: JobContext = SILENT, **options: Any,
) -> FlatSolution:  # fmt: skip
    """Fit the flat from white-light lists, phases with their `wavecal`; options as `calibration.flatcal`."""
    from ifuview.engine.photons.calibration.flatcal import flat_weights

    items: Sequence[str | PhotonSource] = light if isinstance(light, (list, tuple)) else [light]  # type: ignore[list-item]
    sources = [_in_waves(item, wavecal) for item in items]
    for source in sources[1:]:
        if not np.array_equal(source.info.beammap.ids, sources[0].info.beammap.ids):
            raise FileFormatError("the lists of white light are of different arrays", source.info.path, "give others")
    return flat_weights(*sources, name=name, ctx=ctx, **options)


def fit_laser_flat(
    lasers: Mapping[float, str | PhotonSource], wavecal: WavelengthSolution, *, name: str = "flatcal",
    ctx: JobContext = SILENT, **options: Any,
) -> FlatSolution:  # fmt: skip
    """Fit the flat from laser files that light the array evenly."""
    from ifuview.engine.photons.calibration.flatcal import flat_of_lasers

    sources = {float(w): _in_waves(item, wavecal) for w, item in lasers.items()}
    return flat_of_lasers(sources, wavecal, name=name, ctx=ctx, **options)


def _in_waves(item: str | PhotonSource, wavecal: WavelengthSolution | None) -> PhotonSource:
    """A source of wavelengths."""
    source = _open(item) if isinstance(item, str) else item
    if wavecal is None or source.info.calibrated:
        return source
    return calibrated(source, CalibrationStack((WaveStep(wavecal),)))


def read_wavecal(path: str, ctx: JobContext = SILENT) -> WavelengthSolution:
    """Read a wavelength solution of any form."""
    from ifuview.io.photons.calibrations.reading import read_wavecal as read

    return read(path, ctx)


def read_flatcal(path: str, ctx: JobContext = SILENT) -> FlatSolution:
    """Read a flat of any form."""
    from ifuview.io.photons.calibrations.reading import read_flatcal as read

    return read(path, ctx)


def save(solution: WavelengthSolution | FlatSolution, path: str) -> None:
    """Write a solution in ifuview's own form."""
    from ifuview.io.photons.calibrations.own import write_calibration

    check_output(path)
    write_calibration(path, solution)


def check_output(path: str) -> None:
    """Raise UsageError unless an HDF5 file can be written to `path`, before the work is done."""
    check_suffix(path, SUFFIXES, "the output")
    check_place(path)


def stack(
    *, wavecal: str | WavelengthSolution | None = None, flatcal: str | FlatSolution | None = None,
    flat_method: str | None = None, lincal: bool = False, dead_time: float | None = None, ctx: JobContext = SILENT,
) -> CalibrationStack:  # fmt: skip
    """Return the stack of some calibrations; solutions are read if they are names.

    Parameters
    ----------
    flat_method : str, optional
        "interpolation" or "polynomial". Default: what the solution says.
    dead_time : float, s, optional
        Of the linearity step.
    """
    steps: list[Step] = []
    if wavecal is not None:
        steps.append(WaveStep(read_wavecal(wavecal, ctx) if isinstance(wavecal, str) else wavecal))
    if flatcal is not None:
        flat = read_flatcal(flatcal, ctx) if isinstance(flatcal, str) else flatcal
        steps.append(FlatStep(flat if flat_method is None else flat.using(flat_method)))
    if lincal:
        steps.append(LinearityStep() if dead_time is None else LinearityStep(dead_time=dead_time))
    return CalibrationStack(tuple(steps))


def cosmic_step(source: PhotonSource, method: str = "poisson", ctx: JobContext = SILENT) -> MaskStep:
    """Find the cosmic rays of a list, as a step that leaves their times out."""
    from ifuview.engine.photons.calibration.cosmics import find_cosmics

    return MaskStep(find_cosmics(source, method=method, ctx=ctx).mask, "cosmiccal", method)


def pixel_step(source: PhotonSource, method: str = "threshold", ctx: JobContext = SILENT) -> FlagStep:
    """Find hot, cold and dead pixels, as a step that flags them."""
    from ifuview.app.photons.lists import bad_pixels

    found = bad_pixels(source, method=method, ctx=ctx)
    return FlagStep({"pixcal.hot": found.hot, "pixcal.cold": found.cold, "pixcal.dead": found.dead}, method)


def calibrated(source: PhotonSource, steps: CalibrationStack) -> CalibratedSource:
    """The photons of a source with a stack of calibrations on top; the source stays as it is."""
    from ifuview.engine.photons.calibration.calibrate import CalibratedSource
    from ifuview.io.photons.flags import MODERN_FLAGS

    return CalibratedSource(source, steps, MODERN_FLAGS)


def stored(source: CalibratedSource, ctx: JobContext = SILENT) -> PhotonSource:
    """The same photons with wavelengths and flat weights kept beside the index, if the source is one."""
    from ifuview.engine.photons.calibration.calibrate import indexed

    return indexed(source, ctx)


def wavecal_curves(solution: WavelengthSolution, x: int, y: int) -> WavecalCurves:
    """What the figure of a pixel's wavelength solution shows."""
    from ifuview.engine.photons.calibration.curves import wavecal_curves as curves
    from ifuview.model.photons.resonators import row_of_pixel

    return curves(solution, row_of_pixel(solution, x, y))


def flat_curves(solution: FlatSolution, x: int, y: int) -> FlatCurves:
    """What the figure of a pixel's flat shows."""
    from ifuview.engine.photons.calibration.curves import flat_curves as curves
    from ifuview.model.photons.resonators import row_of_pixel

    return curves(solution, row_of_pixel(solution, x, y))

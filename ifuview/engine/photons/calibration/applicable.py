"""Whether a stack of calibrations can be applied to a photon list, and what the list says of itself afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ifuview.errors import FileFormatError, UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.calibration_stack import CalibrationStack, FlagStep, FlatStep, LinearityStep, WaveStep
from ifuview.model.photons.flat_solution import FLAT_BIT, FLAT_FLAGS, FlatSolution
from ifuview.model.photons.lists import TICK, Beammap, PhotonColumn, PhotonInfo
from ifuview.model.photons.resonators import check_same_array, merged_flags, rows_of
from ifuview.model.photons.wavelength_solution import WAVE_BIT, WAVE_FLAGS, WavelengthSolution

PIXCAL_FLAGS = ("pixcal.hot", "pixcal.cold", "pixcal.dead")
WORDS = {
    "wavecal": "in wavelength", "flatcal": "with a flat", "lincal": "for linearity", "cosmiccal": "for cosmic rays",
    "pixcal": "for bad pixels",
}  # fmt: skip


def check_stack(info: PhotonInfo, stack: CalibrationStack) -> None:
    """Raise unless the steps that are on can be applied to a list; see `CalibratedSource`."""
    for step in stack.steps:
        if not step.on:
            continue
        done = info.calibrations.get(step.key)
        if done:
            how = f"with {done!r} " if done not in ("applied", "True") else ""
            words = WORDS.get(step.key, step.key)
            raise UsageError(
                f"the photons are calibrated {words} already ({how}in the file)", info.path,
                "undo that first (ifuview calibrate --undo), or leave the step out",
            )  # fmt: skip
        if isinstance(step, (WaveStep, FlatStep)):
            check_same_array(step.solution, info.beammap)
            check_useful(step.solution, info.beammap)
    if stack.active("wavecal") is None and info.column is PhotonColumn.PHASE and stack.active("flatcal") is not None:
        raise UsageError("weights of a flat need wavelengths, and the file holds phases", info.path, "add --wavecal")
    if stack.active("wavecal") is not None and info.column is PhotonColumn.WAVELENGTH:
        raise UsageError("the file holds wavelengths already", info.path, "leave --wavecal out")
    if stack.active("lincal") is not None and not info.sorted:
        raise UsageError("its photons are not sorted by resonator", info.path, "make an index of it first")


def check_useful(solution: WavelengthSolution | FlatSolution, beammap: Beammap) -> None:
    """Raise FileFormatError if a solution solves no resonator of an array."""
    good = solution.solved if isinstance(solution, WavelengthSolution) else solution.usable
    if not np.isin(beammap.ids, solution.ids[good]).any():
        what = "wavelength solution solves" if isinstance(solution, WavelengthSolution) else "flat has weights for"
        raise FileFormatError(f"the {what} none of the resonators", solution.name, "choose another, or make it again")


def calibrated_info(info: PhotonInfo, stack: CalibrationStack, flag_names: Sequence[str] = ()) -> PhotonInfo:
    """Return what a list is after the steps that are on."""
    done = dict(info.calibrations)
    header = dict(info.header)
    beammap, column, weighted = info.beammap, info.column, info.weighted
    for step in stack.steps:  # in the order in which they act
        if not step.on:
            continue
        if isinstance(step, WaveStep):
            column = PhotonColumn.WAVELENGTH
            beammap = wave_flagged(beammap, step.solution, flag_names)
            done[step.key] = step.solution.name
            header |= wave_header(step.solution)
        elif isinstance(step, FlatStep):
            weighted = True
            beammap = flat_flagged(beammap, step.solution, flag_names)
            done[step.key] = step.solution.name
            header |= {"E_FLTCAL": step.solution.name, "flatcal.method": step.solution.source}
        elif isinstance(step, LinearityStep):
            weighted = True
            done[step.key] = "applied"
            header |= {"lincal.dt": round(step.window / TICK), "lincal.dead_time": round(step.dead_time / TICK)}
        elif isinstance(step, FlagStep):
            beammap = merged_flags(beammap, PIXCAL_FLAGS, step.flags, flag_names)
            done[step.key] = step.method
            header |= {"pixcal.method": step.method}
        elif step.key == "cosmiccal":
            done[step.key] = "applied"
            header |= {"cosmiccal.method": step.method, "cosmiccal.count": len(step.mask.start)}
    return replace(
        info, beammap=beammap, column=column, weighted=weighted, calibrations=MappingProxyType(done),
        header=MappingProxyType(header), nphoton=-1 if stack.masks else info.nphoton,
    )  # fmt: skip


def wave_header(solution: WavelengthSolution) -> dict[str, object]:
    """Header entries of a wavelength calibration, as published pipelines set them."""
    out: dict[str, object] = {"E_WAVCAL": solution.name}
    found = solution.resolution()
    good = np.isfinite(found.power)
    if good.any():
        table = np.zeros(int(good.sum()), [("r", "<f4"), ("r_err", "<f4"), ("wave", "<f4")])
        table["r"], table["r_err"], table["wave"] = found.power[good], found.deviation[good], solution.lasers[good]
        out["wavecal.resolution"] = table
    return out


def wave_flagged(beammap: Beammap, solution: WavelengthSolution, full: Sequence[str] = ()) -> Beammap:
    """A beammap with the flags of a wavelength solution in the place of those it had.

    Pixels whose resonator the solution does not know, and pixels without one, are wavecal.bad, not attempted.
    """
    missing = WAVE_BIT["wavecal.bad"] | WAVE_BIT["wavecal.not_attempted"]
    bits = _pixel_bits(beammap, solution.ids, solution.flags, missing)
    images = {name: (bits & np.uint32(bit)) != 0 for name, bit in WAVE_BIT.items()}
    return merged_flags(beammap, WAVE_FLAGS, images, full)


def flat_flagged(beammap: Beammap, solution: FlatSolution, full: Sequence[str] = ()) -> Beammap:
    """A beammap with the flags of a flat in the place of those it had."""
    missing = FLAT_BIT["flatcal.bad"] | FLAT_BIT["flatcal.not_all_weights_valid"]
    bits = _pixel_bits(beammap, solution.ids, solution.flags, missing)
    images = {name: (bits & np.uint32(bit)) != 0 for name, bit in FLAT_BIT.items()}
    return merged_flags(beammap, FLAT_FLAGS, images, full)


def _pixel_bits(beammap: Beammap, ids: Array, flags: Array, missing: int) -> Array:
    """Flag bits (ny, nx) of the pixels of a list."""
    rows = rows_of(ids, beammap.ids)
    own = np.where(rows < 0, np.uint32(missing), flags[np.maximum(rows, 0)] if len(flags) else np.uint32(missing))
    return np.asarray(beammap.image(own.astype(np.uint32), empty=missing))

"""The steps of a detector's calibrations as rows of a file, one an amplifier, with the numbers that judge them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from ifuview.engine.spectra.boxcar import boxcar
from ifuview.model.checks import Array
from ifuview.model.night.raw import RawAmplifier
from ifuview.model.reduction.calibration import AmplifierCalibration
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import Biases, DetectorFrame, FiberFlat, TracedFibers
from ifuview.recipes.graph import StepResult
from ifuview.recipes.virus.build import DarkMaster, arc_flux
from ifuview.recipes.virus.stored import DARK_TIME
from ifuview.recipes.virus.values import DetectorGround

Steps = Mapping[str, StepResult]
ZEROS = "zero frames"
FRAMES = {"mastertwi": "flat", "masterflt": "lamp", "mastercmp": "arc_frame", "mastersci": "sky_frame"}


def calibration_rows(setup: CameraSetup, units: Mapping[str, RawAmplifier], steps: Steps) -> list[AmplifierCalibration]:
    """Return the rows of the amplifiers of a detector.

    Parameters
    ----------
    setup : CameraSetup
    units : mapping of str to RawAmplifier
        A raw amplifier by name: which hardware the frames are of.
    steps : mapping of str to StepResult
        Of `build.BUILD`; traces and wavelengths have to be made.
    """
    out, first = [], 0
    for number, (name, rows) in enumerate(zip(setup.amplifiers, setup.rows, strict=True)):
        fibers = slice(first, first := first + rows.row.size)
        pixels = slice(number * setup.shape[0], (number + 1) * setup.shape[0])
        unit = units[name]
        center = cast(TracedFibers, steps["traces"].value).traces.center[fibers] - number * setup.shape[0]
        out.append(
            AmplifierCalibration(
                amplifier=name, slot=unit.slot, specid=unit.specid, ifuid=unit.ifuid, contid=unit.contid,
                trace=center, wave=cast(WaveSolution, steps["wave"].value).wave[fibers],
                positions=np.stack([setup.layout.x[fibers], setup.layout.y[fibers]], axis=1),
                read_noise=read_noise(name, number, steps)[0],
                bad=cast(DetectorGround, steps["mask"].value).mask[pixels] > 0,
                images=_images(name, pixels, steps), spectra=_spectra(fibers, center, pixels, steps),
            )
        )  # fmt: skip
    return out


def read_noise(name: str, number: int, steps: Steps) -> tuple[float, str]:
    """Read noise of an amplifier (electrons) and what it is from: zero frames, pairs of darks, or the overscan."""
    biases, dark = cast(Biases | None, steps["biases"].value), cast(DarkMaster | None, steps["dark"].value)
    if biases is not None and name in biases.noise:
        return biases.noise[name][0], ZEROS
    frames = [cast(DetectorFrame | None, steps[step].value) for step in ("flat", "lamp", "arc_frame", "sky_frame")]
    reads = [one.reads[number].noise for one in frames if one is not None and np.isfinite(one.reads[number].noise)]
    if reads:
        return float(np.median(reads)), "the overscan"
    if dark is not None and name in dark.noise:
        return dark.noise[name][0], "pairs of darks"
    return float("nan"), "nothing"


def _images(name: str, pixels: slice, steps: Steps) -> dict[str, Array]:
    """Master frames of an amplifier, those that there are."""
    out: dict[str, Array] = {}
    for key, step in FRAMES.items():
        found = cast(DetectorFrame | None, steps[step].value)
        if found is not None and not (key == "mastertwi" and "lamp flats" in found.what):
            out[key] = found.frame.data[pixels]
    biases, dark = cast(Biases | None, steps["biases"].value), cast(DarkMaster | None, steps["dark"].value)
    structure = None if biases is None or name not in biases.frames else biases.frames[name].data
    if structure is not None:
        out["masterbias"] = structure
    if dark is not None:  # readers take the bias off and scale by the time
        scaled = dark.frame.data[pixels] * np.float32(DARK_TIME / dark.exptime)
        out["masterdark"] = scaled if structure is None else scaled + structure
    return out


def _spectra(fibers: slice, center: Array, pixels: slice, steps: Steps) -> dict[str, Array]:
    """Spectra of an amplifier, those that there are."""
    out = {"lampspec": arc_flux(cast(FiberSpectra, steps["arcs"].value))[fibers]}
    sky = cast(Array | None, steps["sky_spectra"].value)
    if sky is not None:
        out["scispec"] = sky[fibers]
    flat = cast(FiberFlat, steps["response"].value)
    bad = cast(DetectorGround, steps["mask"].value).mask[pixels] > 0
    touched = np.nan_to_num(boxcar(bad.astype(np.float32), center, 1.0)[0]) > 0
    lost = (flat.fibers.mask[fibers] > 0) | ~flat.spectra.usable()[fibers]
    out["maskspec"] = (touched | lost).astype(np.float32)
    return out

"""Defects that all fibers share: lines, windows and level of the sky, wavelengths, flux calibration."""

from __future__ import annotations

import numpy as np

from ifuview.model.night.chain import Chain
from ifuview.simulate.defects.fibers import anywhere, gaussian, sky_of
from ifuview.simulate.defects.plant import Defect, PlantedChange, Truth
from ifuview.simulate.defects.runs import strong_line

LINES = ("sky-line residual", "wavelength-all")


def _all(chain: Chain) -> tuple[int, ...]:
    return tuple(range(chain.shape[0]))


def one_line(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """One line of the sky model is too weak by this part."""
    wave, line = strong_line(chain, random)
    return PlantedChange(model=-amplitude * line), Truth(LINES, ("sky",), _all(chain), (wave - 4, wave + 4))


def all_lines(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """All lines of the sky model are too weak by this part."""
    sky = sky_of(chain)
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(sky, 40, mode="edge"), 81), axis=1)
    return PlantedChange(model=-amplitude * np.maximum(sky - smooth, 0)), Truth(LINES, ("sky",), _all(chain))


def level(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The sky model is too low by this part."""
    return PlantedChange(model=-amplitude * sky_of(chain)), Truth((*LINES, "sky-level"), ("sky",), _all(chain))


def window(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The sky model is too low over some 200 Angstrom by this part."""
    center = anywhere(chain, random)
    model = -amplitude * sky_of(chain) * gaussian(chain, center, 85.0)
    return PlantedChange(model=model), Truth(
        ("wavelength-all", "sky-line residual"), ("sky",), _all(chain), (center - 170, center + 170)
    )


def shift(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The sky model is displaced, Angstrom."""
    slope = np.gradient(sky_of(chain), chain.wave)
    return PlantedChange(model=-amplitude * slope), Truth(LINES, ("sky", "trace"), _all(chain))


def calibration_bump(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The flux calibration has a bump."""
    center = anywhere(chain, random)
    span = center - 50, center + 50
    return PlantedChange(calibration=1 + amplitude * gaussian(chain, center, 25.0)), Truth(
        ("fluxcalib",), ("fluxcalib",), _all(chain), span
    )


def calibration_step(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The flux calibration has a step."""
    at = anywhere(chain, random)
    return PlantedChange(calibration=1 + amplitude * (chain.wave > at)), Truth(
        ("fluxcalib",), ("fluxcalib",), _all(chain)
    )


def gray(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The flux calibration of the camera is too high by this part; the other cameras tell."""
    return PlantedChange(calibration=np.full((1, 1), 1 + amplitude)), Truth(("fluxcalib",), ("fluxcalib",), _all(chain))


def uniform_light(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """Smooth light on all fibers, of the sky; its model takes it along, the other cameras tell."""
    light = amplitude * float(np.median(sky_of(chain))) * np.ones(chain.shape)
    return PlantedChange(light=light), Truth(("wavelength-all",), ("light",))


TOGETHER = (  # what only the cameras of an exposure tell together
    Defect("gray calibration", gray, 0.5, "of the calibration", snr=0.0),
    Defect("uniform light", uniform_light, 0.5, "of the sky", snr=0.0),
)
DEFECTS = (
    Defect("one line", one_line, 0.15, "of the line", floor=0.01),
    Defect("all lines", all_lines, 0.04, "of the lines", floor=0.007),
    Defect("sky level", level, 0.05, "of the sky", floor=0.007),
    Defect("sky window", window, 0.2, "of the sky"),
    Defect("shift of all", shift, 0.05, "Angstrom", floor=0.008),
    Defect("calibration bump", calibration_bump, 0.06, "of the calibration", snr=0.0),
    Defect("calibration step", calibration_step, 0.3, "of the calibration", snr=0.0),
)

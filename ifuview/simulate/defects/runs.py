"""Defects of a run of fibers that are neighbors on the slit: a bundle, or any number at any place."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.simulate.defects.fibers import anywhere, gaussian, sky_of
from ifuview.simulate.defects.plant import Defect, PlantedChange, Truth

SIZES = (25, 25, 25, 50, 37, 18)
LINES = ("sky-line residual", "wavelength-blocks")
FLAT_FLOOR = 0.045  # four times what the mean flat of a run of 25 naturally differs by: flat and light are told by that


def run(chain: Chain, random: np.random.Generator) -> tuple[Array, tuple[int, ...]]:
    """1 in a run of fibers, shape (nfiber, 1), and the fibers: a bundle as often as not."""
    size = int(random.choice(SIZES))
    count = chain.shape[0]
    first = int(random.integers(count // 25)) * 25 if size == 25 else int(random.integers(count - size + 1))
    fibers = tuple(range(first, min(first + size, count)))
    out = np.zeros((count, 1))
    out[list(fibers)] = 1.0
    return out, fibers


def strong_line(chain: Chain, random: np.random.Generator) -> tuple[float, Array]:
    """One of the five strongest lines of the sky: its wavelength, and the line alone."""
    sky = sky_of(chain)
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(sky, 40, mode="edge"), 81), axis=1)
    peaks = np.flatnonzero((sky[1:-1] > sky[:-2]) & (sky[1:-1] >= sky[2:])) + 1
    peaks = peaks[(peaks > 30) & (peaks < sky.size - 30)]
    at = int(random.choice(peaks[np.argsort((sky - smooth)[peaks])[-5:]]))
    return float(chain.wave[at]), (sky - smooth) * (np.abs(np.arange(sky.size) - at) <= 4)


def loss(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A run gets less light (more, if positive)."""
    where, fibers = run(chain, random)
    return PlantedChange(throughput=1 + amplitude * where), Truth(("block-throughput",), ("trace", "light"), fibers)


def flat_gray(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The flat of a run is wrong by a factor."""
    where, fibers = run(chain, random)
    return PlantedChange(flat=1 + amplitude * where), Truth(("block-throughput",), ("fiberflat",), fibers)


def flat_bump(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The flat of a run has a bump."""
    (where, fibers), center = run(chain, random), anywhere(chain, random)
    factor = 1 + amplitude * where * gaussian(chain, center, 60.0)
    return PlantedChange(flat=factor), Truth(
        ("wavelength-blocks",), ("fiberflat",), fibers, (center - 120, center + 120)
    )


def sky_bump(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The sky model of a run has a bump, of the sky."""
    (where, fibers), center = run(chain, random), anywhere(chain, random)
    model = amplitude * where * gaussian(chain, center, 100.0) * sky_of(chain)
    return PlantedChange(model=model), Truth(("wavelength-blocks",), ("sky",), fibers, (center - 200, center + 200))


def one_line(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The sky model of a run has one line too weak by this part of it."""
    (where, fibers), (wave, line) = run(chain, random), strong_line(chain, random)
    return PlantedChange(model=-amplitude * where * line), Truth(LINES, ("sky",), fibers, (wave - 4, wave + 4))


def shift(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The wavelengths of a run are displaced, Angstrom."""
    where, fibers = run(chain, random)
    slope = np.gradient(sky_of(chain), chain.wave)
    return PlantedChange(light=-amplitude * where * slope), Truth(LINES, ("trace",), fibers)


def wide(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The lines of a run are wider by this sigma in quadrature (squared, so that it grows evenly), Angstrom."""
    where, fibers = run(chain, random)
    bend = np.gradient(np.gradient(sky_of(chain), chain.wave), chain.wave)
    return PlantedChange(light=0.5 * amplitude * where * bend), Truth(LINES, ("trace",), fibers)


def off_position(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The targets of a run are this far off, mm, and lose most of their light."""
    where, fibers = run(chain, random)
    assert chain.offset is not None and chain.sframe is not None
    offset = np.where(where[:, 0] > 0, amplitude * random.uniform(0.8, 1.2, where.shape[0]), chain.offset)
    own = -0.8 * chain.sframe.mean(axis=1, keepdims=True) * where
    return PlantedChange(light=own, table={"offset": offset}), Truth(("positioning",), ("light",), fibers)


def calibrated(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The flux calibration of a run is wrong by a factor."""
    where, fibers = run(chain, random)
    return PlantedChange(calibration=1 + amplitude * where), Truth(("fluxcalib",), ("fluxcalib",), fibers)


def lamp(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """Light of a lamp on a part of the focal plane, of the sky."""
    assert chain.focal_x is not None and chain.focal_y is not None
    at = int(random.integers(chain.shape[0]))
    far = np.hypot(chain.focal_x - chain.focal_x[at], chain.focal_y - chain.focal_y[at])
    where = np.exp(-0.5 * (np.nan_to_num(far, nan=1e3) / 60.0) ** 2)
    center, level = anywhere(chain, random), float(np.median(sky_of(chain)))
    light = amplitude * level * where[:, None] * gaussian(chain, center, 60.0)
    return PlantedChange(light=light), Truth(
        ("wavelength-blocks",), ("preproc", "light"), (), (center - 120, center + 120)
    )


DEFECTS = (
    Defect("run loses light", loss, -0.1, "of the light", floor=FLAT_FLOOR),
    Defect("gray flat of a run", flat_gray, 0.1, "of the flat", floor=FLAT_FLOOR),
    Defect("flat bump of a run", flat_bump, 0.08, "of the flat"),
    Defect("sky of a run", sky_bump, 0.04, "of the sky"),
    Defect("one line of a run", one_line, 0.15, "of the line", floor=0.03),
    Defect("shift of a run", shift, 0.3, "Angstrom", floor=0.02),
    Defect("wide lines of a run", wide, 0.8, "Angstrom squared", floor=0.05),
    Defect("run off position", off_position, 0.2, "mm", snr=0.0),
    Defect("calibration of a run", calibrated, 0.5, "of the calibration", snr=0.0),
    Defect("lamp on a region", lamp, 0.4, "of the sky"),
)

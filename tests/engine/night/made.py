"""A camera made from nothing, clean but for what a test puts in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.model.night.chain import Chain, Section

NFIBER, NWAVE, NOISE = 500, 1600, 12.0
WAVE = 5760.0 + 0.8 * np.arange(NWAVE)
SECTIONS = tuple(
    Section(name, cross, disp)
    for name, cross, disp in (
        ("A", (0, 2000), (0, 1000)),
        ("B", (2000, 4000), (0, 1000)),
        ("C", (0, 2000), (1000, 2000)),
        ("D", (2000, 4000), (1000, 2000)),
    )
)


def camera(
    seed: int = 1, *, frame=None, flat=None, model=None, calib=None, lines: int = 25, throughput=None, **other
) -> Chain:
    """A Chain whose frame, flat, sky model and calibration are changed by what is given.

    Parameters
    ----------
    frame : array, added to frame / flat (counts)
    flat : array, factor on the flat that is used, not on the light
    model : array, added to the sky model
    calib : array, factor on the calibration
    throughput : array (nfiber,), factor on the light
    """
    random = np.random.default_rng(seed)
    sky = 100 + 8 * np.sin(WAVE / 300)
    for center in np.random.default_rng(7).uniform(WAVE[20], WAVE[-20], lines):
        sky = sky + 200 * np.exp(-0.5 * ((WAVE - center) / 0.9) ** 2)
    is_sky = random.random(NFIBER) < 0.1
    target = np.where(is_sky, 0.0, random.lognormal(2.5, 0.7, NFIBER))[:, None] * (WAVE / 6000) ** 0.5
    true_flat = random.normal(1, 0.03, NFIBER)[:, None] * (1 + 0.05 * np.cos(WAVE / 500))
    light = (sky + target) * (1 if throughput is None else throughput[:, None])
    seen = light * true_flat + NOISE * random.normal(size=(NFIBER, NWAVE))
    if frame is not None:
        seen = seen + frame
    used = true_flat if flat is None else true_flat * flat
    skymodel = np.broadcast_to(sky, (NFIBER, NWAVE)) + (0 if model is None else model)
    sframe = seen / used - skymodel
    ivar = np.full((NFIBER, NWAVE), NOISE**-2, np.float32)
    fluxcalib = np.broadcast_to(20 * (1 + 0.2 * np.sin(WAVE / 900)), (NFIBER, NWAVE)) * (1 if calib is None else calib)
    fiber = np.arange(NFIBER)
    cross = np.broadcast_to(4.0 + 7.99 * fiber[:, None], (NFIBER, NWAVE))
    smile = 60 * ((fiber - 250) / 250.0) ** 2
    disp = 1.2 * np.arange(NWAVE) + smile[:, None]
    angle = random.uniform(-0.3, 0.3, NFIBER)
    radius = 400 * np.sqrt(random.random(NFIBER))
    given = {
        "wave": WAVE, "frame": seen, "frame_ivar": ivar, "flat": used, "sky": np.array(skymodel), "sframe": sframe,
        "sframe_ivar": ivar.copy(), "fluxcalib": np.array(fluxcalib), "cframe": sframe / fluxcalib,
        "cross": cross, "disp": disp, "sections": SECTIONS, "focal_x": radius * np.cos(angle),
        "focal_y": radius * np.sin(angle), "offset": np.full(NFIBER, 0.01), "is_sky": is_sky,
        "known": np.zeros(NFIBER, bool),
    }  # fmt: skip
    made = Chain(**{k: v.astype(np.float32) if k in FLOATS else v for k, v in given.items()})
    return replace(made, **other) if other else made


FLOATS = ("frame", "flat", "sky", "sframe", "fluxcalib", "cframe", "cross", "disp")


def bump(center: float, width: float) -> np.ndarray:
    """A Gaussian over wavelength."""
    return np.exp(-0.5 * ((WAVE - center) / width) ** 2)


def in_fibers(first: int, last: int) -> np.ndarray:
    """1 in fibers first to last - 1, shape (nfiber, 1)."""
    fiber = np.arange(NFIBER)
    return ((fiber >= first) & (fiber < last)).astype(float)[:, None]

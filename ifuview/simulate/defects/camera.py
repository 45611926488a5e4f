"""Clean cameras to plant defects into: made from nothing for each arm, or a real-format one with new noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain, Section

NFIBER, BUNDLE, PITCH, GAP = 500, 25, 7.3, 10.2  # px between fibers, and added between bundles
NROW, NCOLUMN = 4128, 4114  # of the detector, along and across wavelength
STEP = 0.8  # Angstrom
SMILE = 115.0  # px between the middle of the slit and its ends
SKY_SHARE = 0.1  # of the fibers
CLIP = 4.0  # sigma, of the mean over the sky fibers
TINY = 1e-12
THROUGHPUT, FLAT, PLACE = 0.003, 0.055, 0.008  # scatters: of a fiber against its flat, of the flat, of a place (mm)
SCALES = (1, 25, 75, 225, 675)  # px over which a target is smoothed when its noise is renewed
OWN = 4.0  # sigma of what it has at one of these scales and keeps


@dataclass(frozen=True, slots=True)
class Arm:
    """What an arm sees.

    Parameters
    ----------
    first, last : float, Angstrom
    continuum : float, electron / Angstrom
    lines : int
    strength : float
        Typical height of a line over the continuum.
    read : float, electron / Angstrom
        Noise without light.
    """

    first: float
    last: float
    continuum: float
    lines: int
    strength: float
    read: float


ARMS = {
    "b": Arm(3600.0, 5800.0, 30.0, 10, 1.5, 6.0),
    "r": Arm(5760.0, 7620.0, 95.0, 45, 1.5, 5.0),
    "z": Arm(7520.0, 9824.0, 110.0, 90, 3.0, 5.0),
}


def made(arm: str, seed: int, *, broad: bool = False, stars: int = 0, moon: float = 0.0, plane: float = 0.0) -> Chain:
    """A clean camera of an arm with every product, 500 fibers.

    Parameters
    ----------
    arm : str
        "b", "r" or "z".
    seed : int
        Of the targets and the noise.
    broad : bool, optional
        Half of the targets have broad features of their own.
    stars : int, optional
        Fibers of 100 to 400 times the sky.
    moon : float, optional
        Change of the continuum of the sky over the field, part of it.
    plane : float, optional
        The same of its lines.
    """
    of, random = ARMS[arm], np.random.default_rng(seed)
    wave = np.arange(of.first, of.last + STEP / 2, STEP)
    smooth, lines = _sky(of, wave)
    x, y = _places(random)
    is_sky = random.random(NFIBER) < SKY_SHARE
    light = _targets(random, wave, of.continuum, is_sky, broad)
    for fiber in random.choice(np.flatnonzero(~is_sky), stars, replace=False):
        light[fiber] = of.continuum * random.uniform(100, 400) * _star(random, wave)
    tilt = (x - x.mean()) / np.ptp(x)
    sky = smooth * (1 + moon * tilt)[:, None] + lines * (1 + plane * tilt)[:, None]
    scatter = random.normal(1, THROUGHPUT, NFIBER)[:, None]
    flat = random.normal(1, FLAT, NFIBER)[:, None] * (1 + 0.05 * np.cos(wave / 500 + random.normal(0, 0.3)))
    seen = (sky + light) * scatter
    variance = of.read**2 + np.maximum(seen * flat, 0) * 1.6
    frame = seen * flat + np.sqrt(variance) * random.normal(size=seen.shape)
    masked = random.random(seen.shape) < 0.002
    cross, disp, sections = _detector(wave)
    known = np.zeros(NFIBER, bool)
    chain = Chain(
        wave=wave, frame=frame.astype(np.float32), frame_ivar=np.where(masked, 0, 1 / variance).astype(np.float32),
        flat=flat.astype(np.float32), is_sky=is_sky, focal_x=x, focal_y=y,
        offset=np.abs(random.normal(0, PLACE, NFIBER)), known=known, known_text=("",) * NFIBER,
        cross=cross, disp=disp, sections=sections, fiber_id=np.arange(NFIBER),
    )  # fmt: skip
    return _reduced(chain, 40.0 + 15.0 * np.sin((wave - of.first) / 700))


def renewed(chain: Chain, seed: int) -> Chain:
    """The same camera with noise of another exposure: its targets are smoothed, strong lines stay."""
    assert chain.sframe is not None and chain.sframe_ivar is not None and chain.flat is not None
    assert chain.sky is not None and chain.fluxcalib is not None and chain.frame_ivar is not None
    random = np.random.default_rng(seed)
    good = chain.sframe_ivar > 0
    sigma = np.where(good, 1 / np.sqrt(np.where(good, chain.sframe_ivar, 1.0)), 0.0)
    ivar = np.where(good, chain.sframe_ivar, 0.0)
    own = _without_noise(np.where(good, chain.sframe, 0.0), ivar)
    own[:, ~good.any(axis=0)] = 0.0
    if chain.is_sky is not None:
        own[chain.is_sky & (np.abs(np.mean(own, axis=1)) < np.median(sigma))] = 0.0
    noise = sigma * random.normal(size=sigma.shape)
    rest = chain.frame - (chain.sframe + chain.sky) * chain.flat  # what the sky model corrects on lines
    sframe = np.where(good, own + noise, chain.sframe).astype(np.float32)
    frame = ((sframe + chain.sky) * chain.flat + rest).astype(np.float32)
    return replace(chain, frame=frame, sframe=sframe, cframe=(sframe / chain.fluxcalib).astype(np.float32))


def _without_noise(values: Array, ivar: Array) -> Array:
    """What stands out of the noise at any scale, along the last axis."""
    smooth = [_box(values * ivar, width) / np.maximum(_box(ivar, width), TINY) for width in SCALES]
    error = [1 / np.sqrt(np.maximum(width * _box(ivar, width), TINY)) for width in SCALES]
    out = smooth[-1]
    for finer, coarser, fine in zip(smooth[-2::-1], smooth[:0:-1], error[-2::-1], strict=True):
        detail = finer - coarser
        out = out + np.where(np.abs(detail) > OWN * fine, detail, 0.0)
    return np.asarray(out)


def _box(values: Array, width: int) -> Array:
    """Means of `width` pixels, an odd number, along the last axis."""
    padded = np.pad(values, ((0, 0), (width // 2 + 1, width // 2)), mode="edge")
    total = np.cumsum(padded, axis=1, dtype=np.float64)
    return np.asarray((total[:, width:] - total[:, :-width]) / width)


def clipped_mean(values: Array, sigma: Array) -> Array:
    """Mean over fibers without what lies CLIP sigma from their median, shape (nwave,)."""
    keep = np.abs(values - np.median(values, axis=0)) <= CLIP * sigma
    return np.asarray(np.where(keep, values, 0.0).sum(axis=0) / np.maximum(keep.sum(axis=0), 1))


def _reduced(chain: Chain, calibration: Array) -> Chain:
    """Sky, sframe, fluxcalib and cframe of a frame and its flat."""
    assert chain.frame is not None and chain.flat is not None and chain.frame_ivar is not None
    assert chain.is_sky is not None
    seen, ivar = chain.frame / chain.flat, chain.frame_ivar * chain.flat**2
    sigma = 1 / np.sqrt(np.maximum(ivar[chain.is_sky], 1e-9))
    sky = np.broadcast_to(clipped_mean(seen[chain.is_sky], sigma), seen.shape).astype(np.float32)
    fluxcalib = np.broadcast_to(calibration, seen.shape).astype(np.float32)
    sframe = (seen - sky).astype(np.float32)
    return replace(
        chain, sky=sky, sframe=sframe, sframe_ivar=ivar.astype(np.float32), fluxcalib=fluxcalib,
        cframe=(sframe / fluxcalib).astype(np.float32),
    )  # fmt: skip


def _sky(of: Arm, wave: Array) -> tuple[Array, Array]:
    """Continuum and lines of the night sky; every arm has its own, the same in all exposures."""
    random = np.random.default_rng(int(of.first))
    smooth = of.continuum * (1 + 0.1 * np.sin(wave / 400) + 0.1 * (wave - of.first) / (of.last - of.first))
    lines = np.zeros(wave.size)
    for center in random.uniform(of.first + 20, of.last - 20, of.lines):
        height = of.continuum * of.strength * random.exponential(1.0)
        lines += height * np.exp(-0.5 * ((wave - center) / 0.85) ** 2)
    return smooth, lines


def _places(random: np.random.Generator) -> tuple[Array, Array]:
    """Focal plane of a petal, mm: groups of 50 fibers that are neighbors."""
    group = np.arange(NFIBER) // 50
    order = np.random.default_rng(50).permutation(10)[group]
    x = 45.0 + 38.0 * order + random.uniform(-18, 18, NFIBER)
    y = random.uniform(-0.3, 0.3, NFIBER) * x
    return x, y


def _targets(random: np.random.Generator, wave: Array, level: float, is_sky: Array, broad: bool) -> Array:
    """Continua and lines of galaxies, stars and quasars, shape (nfiber, nwave)."""
    brightness = 0.12 * level * random.lognormal(0, 1.2, NFIBER)
    slope = random.normal(0, 1.5, NFIBER)[:, None]
    light = brightness[:, None] * (wave / wave.mean()) ** slope
    for fiber in np.flatnonzero(random.random(NFIBER) < 0.4):
        for center in random.uniform(wave[0], wave[-1], 3):
            height = level * random.exponential(1.5)
            light[fiber] += height * np.exp(-0.5 * ((wave - center) / random.uniform(0.9, 3)) ** 2)
    if broad:
        for fiber in np.flatnonzero(random.random(NFIBER) < 0.5):
            center, width = random.uniform(wave[0], wave[-1]), random.uniform(20, 120)
            light[fiber] += level * random.exponential(1.0) * np.exp(-0.5 * ((wave - center) / width) ** 2)
    light[is_sky] = 0.0
    return np.asarray(light)


def _star(random: np.random.Generator, wave: Array) -> Array:
    """Spectrum of a star with a mean near 1: a slope and absorption lines."""
    out = (wave / wave.mean()) ** random.normal(0, 1.0)
    for center in random.uniform(wave[0], wave[-1], 12):
        depth, width = random.uniform(0.1, 0.5), random.uniform(1.5, 8)
        out = out * (1 - depth * np.exp(-0.5 * ((wave - center) / width) ** 2))
    return np.asarray(out)


def _detector(wave: Array) -> tuple[Array, Array, tuple[Section, ...]]:
    """Detector positions of every pixel, and the amplifiers."""
    fiber = np.arange(NFIBER)
    start = 118.0 + PITCH * fiber + GAP * (fiber // BUNDLE)
    u = np.linspace(-1, 1, wave.size)
    across = (start - NCOLUMN / 2) / (NCOLUMN / 2)
    cross = start[:, None] + 6.0 * u**2 * (0.4 + across[:, None]) + 2.0 * u
    along = np.linspace(130.0, NROW - 260.0, wave.size)
    disp = along[None, :] + SMILE * (across**2)[:, None]
    x, y = NCOLUMN // 2, NROW // 2
    sections = (
        Section("A", (0, x), (0, y)), Section("B", (x, NCOLUMN), (0, y)),
        Section("C", (0, x), (y, NROW)), Section("D", (x, NCOLUMN), (y, NROW)),
    )  # fmt: skip
    return cross.astype(np.float32), disp.astype(np.float32), sections

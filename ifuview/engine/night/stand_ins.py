"""What stands for a product that is missing: sframe = frame / flat - sky makes any one of them of the three others.

So do cframe and fluxcalib an sframe. Where an sframe is alone, the light whose photons make its noise stands for the
sky; where a cframe is, the noise that brighter fibers have more tells how many photons its unit is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import uniform_filter1d

from ifuview.engine.night.stats import binned, mad, middle
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain

MADE_OF = {
    "frame": "flat x (sframe + sky)", "flat": "frame / (sframe + sky)", "sky": "frame / flat - sframe",
    "sframe": "frame / flat - sky",
}  # fmt: skip
CALIBRATED = "cframe x fluxcalib"
COUNTED = "cframe in units of the photons that make its noise"
BY_NOISE = "the light that makes the noise of sframe"
LEAST_SKY = 20  # fibers that look at empty sky, else all are asked for the noise
HALF = 0.5
FAINT = 0.05  # of the typical light: below, nothing can be divided by it
FEW = 5  # px over which a flat varies little
PART, LEAST_PARTS = 20, 12  # px in which photons are counted, and such parts
PHOTON_CLIP, PHOTON_ROUNDS, SURE = 3.0, 3, 5.0  # sigma of a fiber, rounds, and of a slope that counts
PHOTONS = 1e-3  # of the noise that no fiber's own light makes, that it must make
SMOOTH = 3  # degree of the response over wavelength


def completed(chain: Chain) -> tuple[Chain, dict[str, str]]:
    """A chain that lacks nothing that its other products make.

    Parameters
    ----------
    chain : Chain
        With numbers everywhere.

    Returns
    -------
    (Chain, dict of str to str)
        The products that were missing, and what stands for each.
    """
    made = {}
    if chain.sframe is None and _calibrated(chain):
        chain, made["sframe"] = _of_the_calibrated(chain), CALIBRATED
    elif chain.sframe is None and (unit := photons_of_unit(chain.cframe, chain.cframe_ivar, chain.wave)) is not None:
        chain, made["sframe"] = _of_the_calibrated(replace(chain, fluxcalib=unit)), COUNTED
        chain = replace(chain, fluxcalib=None)
    lacking = _lacking(chain)
    if len(lacking) == 1:
        (name,) = lacking
        chain, made[name] = _of_the_others(chain, name), MADE_OF[name]
    elif "sky" in lacking and chain.sframe_ivar is not None:
        chain, made["sky"] = replace(chain, sky=_by_noise(chain, chain.sframe_ivar)), BY_NOISE
    return chain, made


def photons_of_unit(flux: Array | None, ivar: Array | None, wave: Array) -> Array | None:
    """Photons of a unit of flux, from by how much brighter fibers are noisier, shape (1, nwave); None if it is unclear.

    The photon transfer method: variance / unit^2 = a + flux / (unit x step), each wavelength its own line.

    Parameters
    ----------
    flux, ivar : ndarray, shape (nfiber, nwave)
    wave : ndarray, shape (nwave,), Angstrom
    """
    if flux is None or ivar is None:
        return None
    good = (ivar > 0) & np.isfinite(flux) & np.isfinite(ivar)
    share = binned(good.astype(np.float32), PART)
    with np.errstate(divide="ignore", invalid="ignore"):
        light = binned(np.where(good, flux, 0.0), PART) / share
        variance = binned(np.where(good, 1 / ivar, 0.0), PART) / share
    units = np.full(share.shape[1], np.nan)
    for k in range(units.size):
        use = share[:, k] > HALF
        for _ in range(PHOTON_ROUNDS):
            if np.count_nonzero(use) < LEAST_SKY or not np.ptp(light[use, k]) > 0:
                break
            slope, floor = np.polyfit(light[use, k], variance[use, k], 1)
            rest = np.where(use, variance[:, k] - floor - slope * light[:, k], np.inf)
            scatter, spread = float(mad(rest[use])), float(np.std(light[use, k]))
            least = max(SURE * scatter / np.sqrt(np.count_nonzero(use)), PHOTONS * abs(floor))
            units[k] = slope if slope * spread > least else np.nan
            use = np.abs(rest) <= max(PHOTON_CLIP * scatter, 1e-6 * abs(floor))
    known = np.isfinite(units)
    if np.count_nonzero(known) < max(LEAST_PARTS, HALF * units.size):
        return None
    step = np.abs(np.gradient(wave))
    x = np.linspace(-1.0, 1.0, wave.size)
    at, logs = binned(x, PART), -np.log(np.where(known, units, 1.0) * binned(step, PART))
    for _ in range(PHOTON_ROUNDS):
        rest = logs - np.polyval(np.polyfit(at[known], logs[known], SMOOTH), at)
        known &= np.abs(rest) <= PHOTON_CLIP * float(mad(rest[known])) + 1e-6
    return np.exp(np.polyval(np.polyfit(at[known], logs[known], SMOOTH), x))[None].astype(np.float32)


def untold(chain: Chain) -> tuple[str, ...]:
    """Products that are neither there nor made of the others: what is first wrong may be wrong in them."""
    lacking = tuple(name for name in _lacking(chain) if name != "sframe" or not _calibrated(chain))
    return lacking if len(lacking) > 1 else ()


def _lacking(chain: Chain) -> tuple[str, ...]:
    return tuple(name for name in MADE_OF if getattr(chain, name) is None)


def _calibrated(chain: Chain) -> bool:
    """Whether calibrated spectra with any weight, and what they were divided by, are there."""
    return chain.has("cframe", "fluxcalib") and chain.cframe_ivar is not None and bool(np.any(chain.cframe_ivar > 0))


def _of_the_calibrated(chain: Chain) -> Chain:
    cframe, ivar, by = chain.cframe, chain.cframe_ivar, chain.fluxcalib
    assert cframe is not None and ivar is not None and by is not None
    return replace(chain, sframe=cframe * by, sframe_ivar=ivar / np.where(by > 0, by, np.inf) ** 2)


def _of_the_others(chain: Chain, name: str) -> Chain:
    frame, flat, sky, sframe = chain.frame, chain.flat, chain.sky, chain.sframe
    if frame is None:
        assert flat is not None and sky is not None and sframe is not None and chain.sframe_ivar is not None
        return replace(
            chain, frame=flat * (sframe + sky), frame_ivar=chain.sframe_ivar / np.where(flat > 0, flat, np.inf) ** 2
        )
    by = None if flat is None else np.where(flat > 0, flat, np.inf)
    if sframe is None:
        assert by is not None and sky is not None and chain.frame_ivar is not None
        ivar = np.where(np.isfinite(by), chain.frame_ivar * by**2, 0.0)
        return replace(chain, sframe=frame / by - sky, sframe_ivar=ivar)
    known = _known(chain)
    if sky is None:
        assert by is not None
        return replace(chain, sky=_typical_elsewhere(frame / by - sframe, known & np.isfinite(by)))
    light = np.where(known, sframe + sky, 0.0)
    power = uniform_filter1d(light**2, FEW, axis=1)  # numbers of files may be rounded, pixel by pixel
    known = power > FAINT**2 * np.median(power)
    ratio = uniform_filter1d(frame * light, FEW, axis=1) / np.where(known, power, 1.0)
    return replace(chain, flat=_typical_elsewhere(ratio, known))


def _known(chain: Chain) -> Array:
    """Pixels that frame and sframe have, shape (nfiber, nwave)."""
    out = np.ones(chain.shape, bool)
    for ivar in (chain.frame_ivar, chain.sframe_ivar):
        if ivar is not None:
            out &= ivar > 0
    return out


def _typical_elsewhere(values: Array, known: Array) -> Array:
    """Values where they are known, elsewhere those of the other fibers at the level of the own ones."""
    own = np.where(known, values, np.nan)
    typical = np.nan_to_num(middle(own, axis=0), nan=1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.nan_to_num(middle(own / typical, axis=1), nan=1.0, posinf=1.0, neginf=1.0)
    return np.where(known, values, typical * level[:, None]).astype(np.float32)


def _by_noise(chain: Chain, ivar: Array) -> Array:
    """The light of which as many photons come as make the noise; that of read-out is in it, too."""
    use = np.flatnonzero(chain.is_sky) if chain.is_sky is not None else np.arange(0)
    use = use if use.size >= LEAST_SKY else np.arange(ivar.shape[0])
    variance = np.nan_to_num(1 / middle(np.where(ivar[use] > 0, ivar[use], np.nan), axis=0))
    level = variance * np.abs(np.gradient(chain.wave))
    return np.repeat(level[None].astype(np.float32), ivar.shape[0], axis=0)

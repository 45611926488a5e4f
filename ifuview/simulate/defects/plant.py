"""Put a change into a camera: every product that comes after it takes it along, the sky model too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.simulate.defects.camera import clipped_mean

SPECTRA = ("frame", "frame_ivar", "sframe", "sframe_ivar", "cframe")


@dataclass(frozen=True, slots=True, eq=False)
class PlantedChange:
    """What is wrong, where it enters; None is nothing. Arrays broadcast to (nfiber, nwave).

    Parameters
    ----------
    light : ndarray, electron / Angstrom after the flat
        Enters the detector, or is added by it; the sky model follows the mean of its sky fibers.
    throughput : ndarray
        Factor on all light of a fiber.
    flat, calibration : ndarray
        Factor on the flat that is divided by, on the calibration.
    model : ndarray, electron / Angstrom
        Added to the sky model.
    left : ndarray, electron / Angstrom
        Added to the sky-subtracted spectra alone.
    calibrated : ndarray, electron / Angstrom
        Added to what is calibrated, after sframe was written.
    order : ndarray of int, shape (nfiber,)
        Row that each row of the spectra is taken from.
    table : mapping of str to ndarray
        Fields of the chain that come from the fiber table.
    """

    light: Array | None = None
    throughput: Array | None = None
    flat: Array | None = None
    calibration: Array | None = None
    model: Array | None = None
    left: Array | None = None
    calibrated: Array | None = None
    order: Array | None = None
    table: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a triage has to say of a defect.

    Parameters
    ----------
    kinds, steps : tuple of str
        Classes and first steps that are right, the best first.
    fibers : tuple of int
        All that it concerns; empty where fibers say nothing.
    wave_range : (float, float), Angstrom, or None for all
    amplifiers : tuple of str
    """

    kinds: tuple[str, ...]
    steps: tuple[str, ...]
    fibers: tuple[int, ...] = ()
    wave_range: tuple[float, float] | None = None
    amplifiers: tuple[str, ...] = ()


Maker = Callable[[Chain, float, np.random.Generator], tuple[PlantedChange, Truth]]


@dataclass(frozen=True, slots=True)
class Defect:
    """A class of defects.

    Parameters
    ----------
    name : str
    make : callable
        Camera, amplitude and random numbers -> change and truth.
    amplitude : float
        A usual one.
    unit : str
    snr : float
        Of an ideal observer at which it must be found; 0: it changes no spectrum, or its amplitude is given.
    floor : float
        Amplitude below which it drowns in the natural scatter between fibers; 0: noise alone limits.
    """

    name: str
    make: Maker
    amplitude: float
    unit: str
    snr: float = 12.0
    floor: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A camera with a defect.

    Parameters
    ----------
    chain : Chain
    truth : Truth
    amplitude : float
    ideal : float
        Signal to noise of an observer who knows the shape and the place.
    """

    chain: Chain
    truth: Truth
    amplitude: float
    ideal: float


def changed(chain: Chain, change: PlantedChange) -> Chain:
    """The camera with a change in it."""
    assert chain.frame is not None and chain.flat is not None and chain.sky is not None and chain.sframe is not None
    assert chain.fluxcalib is not None and chain.sframe_ivar is not None
    sframe, model, flat = chain.sframe, chain.sky, chain.flat
    added = _added(chain, change)
    out: dict[str, Any] = dict(change.table)
    if added is not None:
        out["frame"] = (chain.frame + added * flat).astype(np.float32)
        sframe = sframe + added
        follows = _followed(chain, added)
        model = model + follows
        sframe = sframe - follows
    if change.model is not None:
        model = model + change.model
        sframe = sframe - change.model
    if change.flat is not None:
        sframe = (sframe + model) / change.flat - model
        out["flat"] = (flat * change.flat).astype(np.float32)
    if change.left is not None:
        sframe = sframe + change.left
    cframe = sframe if change.calibrated is None else sframe + change.calibrated
    calibration = chain.fluxcalib * (1 if change.calibration is None else change.calibration)
    out |= {
        "sframe": sframe.astype(np.float32), "sky": np.broadcast_to(model, sframe.shape).astype(np.float32),
        "fluxcalib": calibration.astype(np.float32), "cframe": (cframe / calibration).astype(np.float32),
    }  # fmt: skip
    done = replace(chain, **out)
    if change.order is None:
        return done
    rows = {name: getattr(done, name) for name in SPECTRA}
    return replace(done, **{name: values[change.order] for name, values in rows.items() if values is not None})


def _added(chain: Chain, change: PlantedChange) -> Array | None:
    """Light that a change adds to the flat-fielded spectra, shape (nfiber, nwave); None if none."""
    if change.throughput is None and change.light is None:
        return None
    assert chain.sframe is not None and chain.sky is not None
    out = np.zeros(chain.shape) if change.light is None else np.broadcast_to(change.light, chain.shape).copy()
    if change.throughput is not None:
        out += (chain.sframe + chain.sky) * (change.throughput - 1)
    return np.asarray(out)


def _followed(chain: Chain, added: Array) -> Array:
    """What a sky model from the sky fibers takes along, shape (nwave,)."""
    if chain.is_sky is None or not chain.is_sky.any():
        return np.zeros(chain.shape[1])
    assert chain.sframe_ivar is not None and chain.sframe is not None
    ivar = chain.sframe_ivar[chain.is_sky]
    sigma = 1 / np.sqrt(np.maximum(np.median(ivar, axis=0), 1e-9))
    before = chain.sframe[chain.is_sky].astype(np.float64)  # its noise decides on what is clipped
    return clipped_mean(before + added[chain.is_sky], sigma) - clipped_mean(before, sigma)


def ideal_snr(before: Chain, after: Chain) -> float:
    """Signal to noise of a known change: of the sky-subtracted spectra, or of the calibrated ones if larger."""
    assert before.sframe_ivar is not None and before.fluxcalib is not None
    out = []
    for name, ivar in (("sframe", before.sframe_ivar), ("cframe", before.sframe_ivar * before.fluxcalib**2)):
        old, new = getattr(before, name), getattr(after, name)
        out.append(float(np.sqrt(np.sum(np.where(ivar > 0, new - old, 0.0) ** 2 * ivar, dtype=np.float64))))
    return max(out)


def plant(chain: Chain, defect: Defect, amplitude: float, seed: int) -> Planted:
    """The camera with a defect of this amplitude at a place that the seed chooses."""
    change, truth = defect.make(chain, amplitude, np.random.default_rng((seed, 1)))
    after = changed(chain, change)
    return Planted(after, truth, amplitude, ideal_snr(chain, after))


def plant_at(chain: Chain, defect: Defect, snr: float, seed: int) -> Planted:
    """The camera with a defect that an ideal observer sees at this signal to noise, but not below the floor.

    Where no amplitude changes a spectrum, its usual one.
    """
    amplitude = defect.amplitude
    for _ in range(4):
        now = plant(chain, defect, amplitude, seed)
        if now.ideal <= 0 or snr <= 0 or abs(now.ideal / snr - 1) < 0.02:
            break
        amplitude *= snr / now.ideal
    if defect.floor and abs(amplitude) < defect.floor:
        now = plant(chain, defect, float(np.copysign(defect.floor, amplitude)), seed)
    return now

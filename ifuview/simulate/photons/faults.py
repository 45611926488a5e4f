"""Faults planted into photon lists: each takes a list and gives another one with exactly that wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.photons.lists import HC, TICK, PhotonList
from ifuview.simulate.photons.array import PER_FEEDLINE

TWIN_LAG = 0.3  # of the photons of a pair of resonators that come a tick later in the second
PHASES = (-160.0, -20.0)  # degree; of photons that are no light
Place = tuple[int, int]  # x, y


def without(photons: PhotonList, gone: Array) -> PhotonList:
    """The list without some photons (bool, one each)."""
    return _listed(photons, photons.resonator[~gone], photons.time[~gone], photons.value[~gone])


def silent(
    photons: PhotonList,
    resonators: Array,
    start: float = 0.0,
    stop: float = np.inf,
    *,
    kept: float = 0.0,
    seed: int = 1,
) -> PhotonList:
    """Resonators that count a part (`kept`) of their light from start to stop (s)."""
    rng = np.random.default_rng(seed)
    when = photons.time * TICK
    hit = np.isin(photons.resonator, resonators) & (when >= start) & (when < stop)
    return without(photons, hit & (rng.random(len(hit)) >= kept))


def timed_out(photons: PhotonList, pixels: Sequence[Place], start: float, stop: float) -> PhotonList:
    """Pixels that stop counting for a while (s)."""
    return silent(photons, resonators_of(photons, pixels), start, stop)


def feedline_out(
    photons: PhotonList, line: int, start: float = 0.0, stop: float = np.inf, *, kept: float = 0.0
) -> PhotonList:
    """A feedline that counts a part of its light from start to stop (s)."""
    own = np.flatnonzero(photons.info.beammap.ids // PER_FEEDLINE == line)
    return silent(photons, own, start, stop, kept=kept)


def dropped(photons: PhotonList, start: float, stop: float, *, kept: float = 0.0) -> PhotonList:
    """The whole array counts a part of its light from start to stop (s)."""
    return silent(photons, np.arange(photons.info.beammap.nresonator), start, stop, kept=kept)


def lit(photons: PhotonList, pixels: Sequence[Place], rate: float, start: float = 0.0, stop: float | None = None,
        *, seed: int = 2) -> PhotonList:  # fmt: skip
    """Pixels that count `rate` photons/s more from start to stop (s), of any wavelength."""
    rng = np.random.default_rng(seed)
    stop = photons.info.duration if stop is None else stop
    number = rng.poisson(rate * (stop - start), len(pixels))
    resonator = np.repeat(resonators_of(photons, pixels), number).astype(np.int32)
    time = np.floor(rng.uniform(start, stop, len(resonator)) / TICK).astype(np.uint32)
    value = rng.choice(photons.value, len(resonator)) if len(photons.value) else rng.uniform(*PHASES, len(resonator))
    parts = ((photons.resonator, resonator), (photons.time, time), (photons.value, value.astype(np.float32)))
    return _listed(photons, *(np.concatenate(part) for part in parts))


def shifted(photons: PhotonList, energy: float, pixels: Sequence[Place] | None = None) -> PhotonList:
    """Wavelengths (of some pixels) as a solution gives them whose energies are wrong by a factor."""
    chosen = np.ones(len(photons.value), bool)
    if pixels is not None:
        chosen = np.isin(photons.resonator, resonators_of(photons, pixels))
    wrong = np.where(
        photons.value > 0, HC / (HC / np.where(photons.value > 0, photons.value, 1) * energy), photons.value
    )
    return replace(photons, value=np.where(chosen, wrong, photons.value).astype(np.float32))


def late(photons: PhotonList, line: int, by: float) -> PhotonList:
    """A feedline whose clock is ahead by so much (s), behind if negative; no time is before the start."""
    own = np.isin(photons.resonator, np.flatnonzero(photons.info.beammap.ids // PER_FEEDLINE == line))
    time = photons.time.astype(np.int64) + own * round(by / TICK)
    kept = time >= 0
    return _listed(photons, photons.resonator[kept], time[kept].astype(np.uint32), photons.value[kept])


def standing(photons: PhotonList, line: int, start: float, stop: float) -> PhotonList:
    """A feedline whose clock stands still from start to stop (s)."""
    own = np.isin(photons.resonator, np.flatnonzero(photons.info.beammap.ids // PER_FEEDLINE == line))
    when = photons.time * TICK
    held = own & (when >= start) & (when < stop)
    return _listed(
        photons, photons.resonator, np.where(held, np.uint32(round(start / TICK)), photons.time), photons.value
    )


def drifted(photons: PhotonList, resonators: Array, to: float, *, seed: int = 8) -> PhotonList:
    """Resonators that count a part of their light which falls evenly from 1 to `to`."""
    rng = np.random.default_rng(seed)
    part = 1 + (to - 1) * photons.time * TICK / photons.info.duration
    return without(photons, np.isin(photons.resonator, resonators) & (rng.random(len(part)) > part))


def cosmic_rays(
    photons: PhotonList, times: Sequence[float], number: int, *, fall: float = 4e-5, seed: int = 9
) -> PhotonList:
    """Moments (s) in which `number` resonators see a photon more, within an e-fold of `fall` s."""
    rng = np.random.default_rng(seed)
    many = photons.info.beammap.nresonator
    resonator = np.concatenate([rng.choice(many, min(number, many), replace=False) for _ in times]).astype(np.int32)
    when = np.repeat(times, min(number, many)) + rng.exponential(fall, len(resonator))
    parts = ((photons.resonator, resonator), (photons.time, (when / TICK).astype(np.uint32)),
             (photons.value, rng.choice(photons.value, len(resonator))))  # fmt: skip
    return _listed(photons, *(np.concatenate(part) for part in parts))


def unsolved(photons: PhotonList, pixels: Sequence[Place]) -> PhotonList:
    """Pixels whose photons still have phases in a list of wavelengths, and no flag that says so."""
    rng = np.random.default_rng(4)
    chosen = np.isin(photons.resonator, resonators_of(photons, pixels))
    phase = rng.uniform(*PHASES, len(chosen)).astype(np.float32)
    return replace(photons, value=np.where(chosen, phase, photons.value))


def twins(photons: PhotonList, pairs: Sequence[tuple[Place, Place]]) -> PhotonList:
    """Pairs of pixels of which the second counts what the first counts, some of it a tick later."""
    rng = np.random.default_rng(5)
    for one, other in pairs:
        (a,), (b,) = resonators_of(photons, [one]), resonators_of(photons, [other])
        own = photons.resonator == a
        rest = photons.resonator != b
        late = (rng.random(own.sum()) < TWIN_LAG).astype(np.uint32)
        resonator = np.concatenate((photons.resonator[rest], np.full(own.sum(), b, np.int32)))
        time = np.concatenate((photons.time[rest], photons.time[own] + late))
        photons = _listed(photons, resonator, time, np.concatenate((photons.value[rest], photons.value[own])))
    return photons


def repeated(photons: PhotonList, pixels: Sequence[Place], share: float, lag: float = 4e-6) -> PhotonList:
    """Pixels that count a part of their photons twice, the second time `lag` s later."""
    rng = np.random.default_rng(6)
    own = np.isin(photons.resonator, resonators_of(photons, pixels)) & (rng.random(len(photons.time)) < share)
    time = np.concatenate((photons.time, photons.time[own] + np.uint32(round(lag / TICK))))
    more = (np.concatenate((column, column[own])) for column in (photons.resonator, photons.value))
    resonator, value = more
    return _listed(photons, resonator, time, value)


def disordered(photons: PhotonList, pixels: Sequence[Place], share: float) -> PhotonList:
    """Pixels some of whose photons change places with the next one in the list."""
    rng = np.random.default_rng(7)
    time, value = photons.time.copy(), photons.value.copy()
    own = np.isin(photons.resonator, resonators_of(photons, pixels)) & (rng.random(len(time)) < share)
    first = np.flatnonzero(own[:-1] & (photons.resonator[1:] == photons.resonator[:-1]))
    first = first[np.diff(first, prepend=-2) > 1]
    for column in (time, value):
        column[first], column[first + 1] = column[first + 1].copy(), column[first].copy()
    return replace(photons, time=time, value=value)


def resonators_of(photons: PhotonList, pixels: Sequence[Place]) -> Array:
    """Places in `Beammap.ids` of the resonators of pixels (x, y)."""
    x, y = np.array(pixels, int).reshape(-1, 2).T
    index: Array = photons.info.beammap.index[y, x]
    return index


def _listed(photons: PhotonList, resonator: Array, time: Array, value: Array) -> PhotonList:
    """The columns by (resonator, time) as a list."""
    order = np.lexsort((time, resonator))
    info = replace(photons.info, nphoton=len(order))
    return replace(photons, info=info, resonator=resonator[order], time=time[order], value=value[order])

"""Gains that no frame tells, measured on the photon noise of the frames themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from ifuview.engine.ccd.gain import photon_gain
from ifuview.engine.ccd.overscan import read_overscan
from ifuview.errors import IfuviewError
from ifuview.io.fits.cards import real
from ifuview.io.night.raw_read import read_frame
from ifuview.io.night.raw_units import GAIN, Gains, tells
from ifuview.model.checks import Array
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.raw import RawAmplifier, RawExposure

KINDS = ("sci", "twi", "flt")  # frames with light in all fibers, the best first: flats differ from night to night
MOST = 3  # frames that are looked at
SURE = 0.06  # of the gain, error above which a default is no worse
OFF, SIGMAS = 0.15, 5.0  # of the gain, and times its error, by which that of a header is wrong


def measured_gains(exposures: Sequence[RawExposure], slots: Collection[str], spec: InstrumentSpec) -> Gains:
    """Gain and error (electron/ADU) of the amplifiers of some slots that no frame tells; without those not known.

    Parameters
    ----------
    exposures : sequence of RawExposure
    slots : collection of str
    spec : InstrumentSpec
        Of the instrument.
    """
    return _by_photons(exposures, spec, lambda one: one.slot in slots and not tells(one, GAIN))


def wrong_gains(
    exposures: Sequence[RawExposure], slot: str, uneven: Mapping[str, float], spec: InstrumentSpec
) -> tuple[str, ...]:
    """Amplifiers of a slot whose header tells another gain than their photons, a sentence each.

    Parameters
    ----------
    exposures : sequence of RawExposure
    slot : str
    uneven : mapping of str to float
        Amplifiers that are looked at, and their light over that of others.
    spec : InstrumentSpec
    """
    if not uneven:
        return ()
    gains = _by_photons(exposures, spec, lambda one: one.slot == slot and one.name in uneven and tells(one, GAIN))
    told = {one.name: real(one.header[GAIN]) for e in exposures for one in e.amplifiers if (slot, one.name) in gains}
    out = []
    for (_, name), (gain, error) in gains.items():
        own = told[name]
        if own is not None and abs(own - gain) > max(OFF * gain, SIGMAS * error):
            words = f"the header tells a gain of {own:.3f} e/ADU, its photons {gain:.3f} +- {error:.3f}"
            out.append(f"{slot} {name}: {words}; its light is {uneven[name]:.2f} times that of the others")
    return tuple(out)


def _by_photons(
    exposures: Sequence[RawExposure], spec: InstrumentSpec, wanted: Callable[[RawAmplifier], bool]
) -> Gains:
    """Gain and error of some amplifiers, each from the best frames that are there."""
    found: dict[tuple[str, str], dict[tuple[str, int, int], list[RawAmplifier]]] = defaultdict(dict)
    for one in exposures:
        for amplifier in one.amplifiers if one.kind in KINDS else ():
            if not amplifier.problem and wanted(amplifier):
                light = found[amplifier.slot, amplifier.name]
                light.setdefault((one.kind, one.date, one.observation), []).append(amplifier)
    out = {}
    for name, groups in found.items():
        best = min(groups, key=lambda group: (KINDS.index(group[0]), -len(groups[group])))
        gain, error = photon_gain(_light(groups[best][:MOST], spec))
        if error < SURE * gain:
            out[name] = gain, error
    return out


def _light(frames: Sequence[RawAmplifier], spec: InstrumentSpec) -> list[Array]:
    """Those of the frames that can be read, ADU above the overscan."""
    out: list[Array] = []
    for one in frames:
        try:
            raw = read_frame(one, spec)
            out.append(np.subtract(raw.data, read_overscan(raw.overscan).level, dtype=np.float32))
        except IfuviewError:
            continue  # who uses the frame says it
    return out

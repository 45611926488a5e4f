"""Gains that no frame tells, measured on the photon noise of the frames themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from ifuview.engine.ccd.gain import photon_gain
from ifuview.engine.ccd.overscan import read_overscan
from ifuview.errors import IfuviewError
from ifuview.io.night.raw_read import read_frame
from ifuview.io.night.raw_units import GAIN, Gains, tells
from ifuview.model.checks import Array
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.raw import RawAmplifier, RawExposure

KINDS = ("sci", "twi", "flt")  # frames with light in all fibers, the best first: flats differ from night to night
MOST = 3  # frames that are looked at
SURE = 0.06  # of the gain, error above which a default is no worse


def measured_gains(exposures: Sequence[RawExposure], slots: Collection[str], spec: InstrumentSpec) -> Gains:
    """Gain and error (electron/ADU) of the amplifiers of some slots that no frame tells; without those not known.

    Parameters
    ----------
    exposures : sequence of RawExposure
    slots : collection of str
    spec : InstrumentSpec
        Of the instrument.
    """
    found: dict[tuple[str, str], dict[tuple[str, int, int], list[RawAmplifier]]] = defaultdict(dict)
    for one in exposures:
        for amplifier in one.amplifiers if one.kind in KINDS else ():
            if amplifier.slot in slots and not amplifier.problem and not tells(amplifier, GAIN):
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

"""Names of the pixel flags of photon lists, as every era wrote them.

Sources: the flag lists that the published pipelines build (the modern one is
built at run time, so that the list in the file goes first), and the values of
beam-map text files. Names of the present pipeline are used for all eras, so
that one set of problem flags fits all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.photons.flat_solution import FLAT_FLAGS
from ifuview.model.photons.wavelength_solution import WAVE_FLAGS
from ifuview.model.quality import MaskBits

MAX_FLAGS = 64
BEAMMAP_FLAGS = (  # value v of a beam-map text file is bit v - 1
    "beammap.noDacTone",
    "beammap.failed",
    "beammap.yFailed",
    "beammap.xFailed",
    "beammap.double",
    "beammap.wrongFeedline",
    "beammap.duplicatePixel",
)
MODERN_FLAGS = (  # order measured for release 1.9.0
    *BEAMMAP_FLAGS,
    *FLAT_FLAGS,
    "pixcal.hot",
    "pixcal.cold",
    "pixcal.dead",
    *WAVE_FLAGS,
)
FLAGS_2018 = ("beammap.noDacTone", "beammap.failed", "wavecal.bad", "flatcal.bad")
NOTE_2018 = "or no wavelength solution: the 2018 release set the bit of a failed beam map for it too"
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "found.hot": "found hot in this window",
        "found.cold": "found cold in this window",
        "found.dead": "found dead in this window",
        "beammap.noDacTone": "no tone was sent to the resonator",
        "beammap.failed": "the beam map has no position",
        "beammap.yFailed": "the beam map has no y position",
        "beammap.xFailed": "the beam map has no x position",
        "beammap.double": "two resonators at one position",
        "beammap.wrongFeedline": "position on another feedline",
        "beammap.duplicatePixel": "position already taken",
        "flatcal.bad": "no flat weight",
        "flatcal.not_all_weights_valid": "flat weights missing at some wavelengths",
        "pixcal.hot": "hot",
        "pixcal.cold": "cold",
        "pixcal.dead": "dead",
        "wavecal.bad": "no wavelength solution",
        "wavecal.failed_validation": "wavelength solution not valid",
        "wavecal.failed_convergence": "wavelength fit did not converge",
        "wavecal.not_monotonic": "wavelength solution not monotonic",
        "wavecal.not_enough_histogram_fits": "too few laser lines fitted",
        "wavecal.not_attempted": "wavelength fit not attempted",
        "wavecal.no_histograms": "no phase histograms",
        "wavecal.histogram_fit_problems": "some laser lines not fitted",
        "wavecal.linear": "linear wavelength solution",
        "wavecal.quadratic": "quadratic wavelength solution",
    }
)


def complete(names: Sequence[str], flags: Array) -> tuple[str, ...]:
    """The list, with "bit N" for bits that are set in `flags` but not listed."""
    used = int(np.bitwise_or.reduce(flags, axis=None)) if flags.size else 0
    return (*names, *(f"bit {i}" for i in range(len(names), used.bit_length())))


def mask_bits(names: Sequence[str], notes: Mapping[str, str]) -> MaskBits:
    """The flags as the canvas lists the bits of a mask; second meanings behind the first."""
    text = {
        i: (name, "; ".join(filter(None, (MEANINGS.get(name, ""), notes.get(name, "")))))
        for i, name in enumerate(names)
    }
    return MaskBits(MappingProxyType(text))


def bits_of_values(values: Array) -> Array:
    """Bits of the values of a beam-map text file: v becomes bit v - 1, 0 is good."""
    values = np.asarray(values, dtype=np.int64)
    shift = np.clip(values - 1, 0, MAX_FLAGS - 1).astype(np.uint64)
    return np.where(values > 0, np.uint64(1) << shift, np.uint64(0))

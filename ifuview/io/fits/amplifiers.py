"""The read-out sections of a detector as the cards of a header give them."""

from __future__ import annotations

import re

from ifuview.io.fits.cards import real
from ifuview.model.checks import Header
from ifuview.model.image import Amplifier
from ifuview.model.instrument import InstrumentSpec


def amplifiers(header: Header, spec: InstrumentSpec) -> tuple[Amplifier, ...]:
    """The read-out sections that a header names."""
    out = []
    for amp in spec.amplifiers:
        bounds = section_bounds(header.get(amp.section))
        if bounds is not None:
            gain, noise = real(header.get(amp.gain)), real(header.get(amp.readnoise))
            out.append(Amplifier(_name(amp.name, header), *bounds, gain=gain, readnoise=noise))
    return tuple(out)


def _name(pattern: str, header: Header) -> str:
    """The name of a section, with the cards that it is made of: `{CCDPOS}{CCDHALF}`."""
    return re.sub(r"\{(\w+)\}", lambda found: str(header.get(found[1], "")).strip(), pattern)


def section_bounds(text: object) -> tuple[int, int, int, int] | None:
    """0-based half-open (x0, x1, y0, y1) of a card like `[1:2057, 1:2064]`."""
    if not isinstance(text, str):
        return None
    try:
        (x0, x1), (y0, y1) = ([int(n) for n in part.split(":")] for part in text.strip(" []").split(","))
    except ValueError:
        return None
    return min(x0, x1) - 1, max(x0, x1), min(y0, y1) - 1, max(y0, y1)

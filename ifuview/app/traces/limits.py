"""The limits of the trace doctor: those that were chosen, else those of the instrument, else the usual ones."""

from __future__ import annotations

from ifuview import instrument as instruments
from ifuview.model.checks import Header
from ifuview.model.traces.doctor import DoctorLimits


def limits_for(header: Header, chosen: DoctorLimits | None = None) -> DoctorLimits:
    """The limits that hold for the detector image with this header."""
    if chosen is not None:
        return chosen
    return DoctorLimits(**instruments.instrument(instruments.recognize(header)).limits)

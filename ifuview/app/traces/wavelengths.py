"""Wavelengths of traces in Angstrom, where a file has them in nm or um without a word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.model.trace import TraceSet

NM = (200.0, 1200.0)  # wavelengths that are nm: as Angstrom they would lie beyond what the air and mirrors pass
UM = (0.2, 5.0)  # wavelengths that are um
UNITS = (("nm", NM, 10.0), ("um", UM, 1e4))  # name, range, Angstrom


def in_angstrom(traces: TraceSet) -> tuple[TraceSet, str]:
    """Traces with wavelengths in Angstrom, and what is to be said where they are plainly in nm or um."""
    if traces.wave is None or not np.isfinite(traces.wave).any():
        return traces, ""
    low, high = float(np.nanmin(traces.wave)), float(np.nanmax(traces.wave))
    for unit, (least, most), factor in UNITS:
        if least < low < high < most:
            said = f" The wavelengths, {low:.3g} to {high:.3g}, are taken to be {unit}."
            return replace(traces, wave=np.asarray(traces.wave) * factor), said
    return traces, ""

"""Wavelengths of traces in Angstrom, where a file has them in nm without a word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.model.trace import TraceSet

NM = (200.0, 1200.0)  # wavelengths that are nm: as Angstrom they would lie beyond what the air and mirrors pass


def in_angstrom(traces: TraceSet) -> tuple[TraceSet, str]:
    """Traces with wavelengths in Angstrom, and what is to be said where they are plainly in nm."""
    if traces.wave is None or not np.isfinite(traces.wave).any():
        return traces, ""
    low, high = float(np.nanmin(traces.wave)), float(np.nanmax(traces.wave))
    if not NM[0] < low < high < NM[1]:
        return traces, ""
    said = f" The wavelengths, {low:.0f} to {high:.0f}, are taken to be nm."
    return replace(traces, wave=np.asarray(traces.wave) * 10), said

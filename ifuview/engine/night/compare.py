"""What became of a finding in another production of the same exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ifuview.engine.night.blocks import BIN, deviation
from ifuview.engine.night.extent import same
from ifuview.engine.night.questions.case import COUNTS, E_PER_A
from ifuview.engine.night.stats import binned
from ifuview.model.checks import Array
from ifuview.model.night.triage import Finding, Fixed

SMALLER = 0.5  # of the amplitude: below, a finding that is still there is "smaller"


def compared(before: Sequence[Finding], after: Sequence[Finding], arrays: Mapping[str, Array]) -> list[Fixed]:
    """The state of each old finding, then findings that are new.

    Parameters
    ----------
    before, after : sequence of Finding
        Of one camera and exposure.
    arrays : mapping
        Of the triage after: "clean" and "wave".
    """
    out = [_state(f, next((a for a in after if same(f, a)), None), arrays) for f in before]
    return out + [Fixed(a, "new", 1.0, f"new: {a.text}") for a in after if not any(same(a, f) for f in before)]


def _state(old: Finding, new: Finding | None, arrays: Mapping[str, Array]) -> Fixed:
    name = f"{old.expid} {old.camera} {old.kind}"
    if new is not None:
        share = abs(new.amplitude) / max(abs(old.amplitude), 1e-9)
        status = "smaller" if share < SMALLER and old.kind != "isolated-fiber" else "remains"
        return Fixed(old, status, share, f"{name}: {new.text}")
    left = _left(old, arrays)
    if left is None:
        return Fixed(old, "fixed", 0.0, f"{name} is gone")
    share = left / max(abs(old.amplitude), 1e-9)
    unit = E_PER_A if old.unit == COUNTS else old.unit
    text = f"{name} is gone: {left:.1f} {unit} are left of {abs(old.amplitude):.0f}"
    return Fixed(old, "fixed", share, text)


def _left(old: Finding, arrays: Mapping[str, Array]) -> float | None:
    """Typical deviation (rms) of the old blocks in the old range, after; None if it cannot be measured."""
    if not old.blocks or old.wave_range is None or "clean" not in arrays:
        return None
    wave = binned(arrays["wave"], BIN)
    inside = (wave > old.wave_range[0]) & (wave < old.wave_range[1])
    part = deviation(arrays["clean"], old.block_size)[list(old.blocks)][:, inside]
    return float(np.sqrt(np.mean(part**2))) if part.size else None

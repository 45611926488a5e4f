"""Whether traces lie on the light of an image at all, and how those that do not lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.trace import TraceSet

ON_LIGHT = 1.1  # light on the traces over light between them; less is no trace of this image

MOST_SHIFT = 4.0  # px

TURNED = 1.5  # contrast of turned traces over that of the given ones, from where on they are called turned

LEAST_COVERED = 0.6  # share of the columns; traces of a detector of half the size reach no farther

CHECKED_COLUMNS = 64


def check_on_light(data: Array, traces: TraceSet) -> None:
    """Raise UsageError where the traces have nothing to do with the image."""
    if data.shape[1] != traces.ncol:
        text = f"the traces have {traces.ncol} pixels along dispersion, the image has {data.shape[1]}"
        raise UsageError(text, traces.name, "open the traces of this detector")
    few = np.isfinite(traces.center).sum(axis=1)
    if (few < 2).all():
        raise UsageError("the traces have fewer than two points per fiber", traces.name, "give whole traces")
    inside = np.nanmean((traces.center >= 0) & (traces.center <= data.shape[0] - 1))
    if inside < 0.5:
        raise UsageError("most of the traces lie outside the image", traces.name, "open the traces of this detector")


def contrast(data: Array, traces: TraceSet) -> float:
    """Light on the traces over light beside them: far above one for traces of this image."""
    from ifuview.engine.traces.light.slots import spacing_of, typical

    at = np.unique(np.round(np.linspace(0, traces.ncol - 1, CHECKED_COLUMNS)).astype(int))
    center = traces.center[:, at]
    half = min(spacing_of(typical(traces.center)) / 2, 4.0)
    nrow = data.shape[0]
    known = np.isfinite(center)
    column = np.broadcast_to(at, center.shape)

    def light(offset: float) -> float:
        rows = np.clip(np.round(np.nan_to_num(center) + offset), 0, nrow - 1).astype(int)
        values = data[rows, column][known]
        return float(np.nanmedian(values)) if values.size else 0.0

    beside = (light(half) + light(-half)) / 2
    on = max(light(0.0), light(1.0), light(-1.0))
    return on / max(abs(beside), 1e-9) if on > beside else 0.0


def turned_words(data: Array, traces: TraceSet) -> str:
    """How traces lie turned against an image, where turning them back brings them onto the light; "" if they do not."""
    shifts = np.linspace(-MOST_SHIFT, MOST_SHIFT, 2 * int(MOST_SHIFT) + 1)  # a shift is no turn
    own = max(contrast(data, replace(traces, center=traces.center + d, coeff=None)) for d in shifts)
    upside = data.shape[0] - 1 - traces.center
    turns = {
        "upside down": upside,
        "mirrored along dispersion": traces.center[:, ::-1],
        "upside down and mirrored along dispersion": upside[:, ::-1],
    }
    found = {how: contrast(data, replace(traces, center=center, coeff=None)) for how, center in turns.items()}
    best = max(found, key=lambda how: found[how])
    return best if found[best] > TURNED * max(own, ON_LIGHT) else ""

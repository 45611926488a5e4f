"""Dark current of a detector, from dark exposures where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ifuview.engine.ccd.dark import DarkCurrent, master_dark, without_dark
from ifuview.engine.context import JobContext
from ifuview.model.night.raw import RawExposure
from ifuview.model.reduction.ccd import CcdFrame
from ifuview.model.reduction.params import param
from ifuview.recipes.camera.read import ReadParams, read_all
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import Biases, DetectorFrame


@dataclass(frozen=True, slots=True)
class DarkParams(ReadParams):
    """What is taken off for the dark current."""

    use: bool = param(True, "Take the dark current off", hint="where there are dark exposures")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Darkness:
    """Dark current of a whole detector.

    Parameters
    ----------
    current : DarkCurrent or None
        None: there are no dark exposures, or they are not wanted.
    count : int
        Exposures that it is of.
    notes : tuple of str
    """

    current: DarkCurrent | None = None
    count: int = 0
    notes: tuple[str, ...] = ()


def make_dark(
    params: DarkParams, ctx: JobContext, setup: CameraSetup, biases: Biases | None, darks: Sequence[RawExposure] | None
) -> Darkness:
    """Dark current of each amplifier; nothing where no exposure is known to have lasted."""
    if not (params.use and darks):
        return Darkness()
    found = [one for one in read_all(params, ctx, setup, darks, biases) if one.exptime > 0]
    if not found:
        return Darkness(notes=(f"{setup.camera}: no dark exposure can be used.",))
    parts = []
    for first in (0, *setup.seams):
        rows = slice(first, first + setup.shape[0])
        frames = [CcdFrame(f.data[rows], f.variance[rows], f.mask[rows]) for f in (one.frame for one in found)]
        parts.append(master_dark(frames, [one.exptime for one in found]))
    rate, error, mask = (np.concatenate([getattr(p, name) for p in parts]) for name in ("rate", "error", "mask"))
    notes = tuple(dict.fromkeys(note for one in found for note in one.notes))
    return Darkness(DarkCurrent(rate, error, mask), len(found), notes)


def darkened(frame: DetectorFrame, dark: Darkness | None) -> CcdFrame:
    """The pixels of an exposure without dark current; as they are where it is not known, or for how long."""
    if dark is None or dark.current is None or not frame.exptime > 0:
        return frame.frame
    return without_dark(frame.frame, dark.current, frame.exptime)

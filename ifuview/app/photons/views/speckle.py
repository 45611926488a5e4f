"""Speckle statistics of a photon list: what the maps say at the crosshair, and how long its speckles live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.views.text import quantity, with_error
from ifuview.app.photons import speckle_maps
from ifuview.app.photons.which import photon_frame
from ifuview.app.session import Session
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.model.figure import DOT, NONE, Curve, Figure, Rule, Scale

if TYPE_CHECKING:
    from ifuview.model.photons.speckle import Decay, SpeckleMaps

METHODS = (("counts in bins", "binned"), ("photon arrival times", "arrival"))
USUAL_MS = {"binned": 10.0, "arrival": 5.0}
SHOWN_LIVES = 6.0  # of the autocorrelation


@dataclass(frozen=True, slots=True, eq=False)
class SpeckleView:
    """What the dock shows besides the form.

    Parameters
    ----------
    title : str
        Of the photon frame.
    made : str
        The maps made last in one sentence, "" for none.
    numbers : tuple of (name, text)
        Ic, Is, Ip with errors and the number of photons at the crosshair.
    place : str
        Of the crosshair, or what to do.
    has_pixel : bool
        Whether a pixel is selected.
    """

    title: str
    made: str
    numbers: tuple[tuple[str, str], ...]
    place: str
    has_pixel: bool


@dataclass(frozen=True, slots=True, eq=False)
class DecayView:
    """An autocorrelation with the exponential through it; no figure and a reason where there is none."""

    text: str
    figure: Figure | None = None


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        return (None,)
    frame = slot.photons
    return (frame.source, frame.cut, frame.speckle, session.selection.x, session.selection.y, slot.title)


def make(session: Session) -> SpeckleView | None:
    """The view; None without a photon list."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        return None
    maps = slot.photons.speckle
    at = _pixel(session, slot.photons.source.info.beammap.shape)
    made = "" if maps is None else speckle_maps.summary(maps)
    place = "Click a pixel to see how long its speckles live." if at is None else f"pixel {at[0]}, {at[1]}"
    numbers = () if maps is None or at is None else _numbers(maps, *at)
    title = slot.title if maps is None else Path(maps.info.path).name  # the frame may show another range by now
    return SpeckleView(title, made, numbers, place, at is not None)


def _pixel(session: Session, shape: tuple[int, int]) -> tuple[int, int] | None:
    """The pixel of the crosshair if it is in the array."""
    at = session.selection
    if at.x is None or at.y is None:
        return None
    x, y = round(at.x), round(at.y)
    return (x, y) if 0 <= x < shape[1] and 0 <= y < shape[0] else None


def _numbers(maps: SpeckleMaps, x: int, y: int) -> tuple[tuple[str, str], ...]:
    """What the maps say of a pixel."""
    if maps.excluded[y, x]:
        return (("", "left out for its flags"),)
    out = []
    for name, label in speckle_maps.NAMES.items():
        value, error = (float(v[y, x]) for v in maps.part(name))
        out.append((label, with_error(value, error, speckle_maps.UNIT)))
    return (*out, ("photons", quantity(float(maps.photons[y, x]), digits=9)))


def job(session: Session) -> Callable[[JobContext], DecayView] | None:
    """The autocorrelation at the crosshair, for the worker."""
    slot = photon_frame(session)
    if slot is None or slot.photons is None:
        return None
    frame = slot.photons
    at = _pixel(session, frame.source.info.beammap.shape)
    if at is None:
        return None

    def run(ctx: JobContext) -> DecayView:
        ctx.checkpoint(0.1, "Autocorrelation")
        try:
            return decay_view(speckle_maps.decay_at(frame, *at), at)
        except IfuviewError as problem:
            return DecayView(f"pixel {at[0]}, {at[1]}: {problem.what}")

    return run


def decay_view(decay: Decay, at: tuple[int, int]) -> DecayView:
    """What the plot shows: lags up to a few lives."""
    last = max(SHOWN_LIVES * decay.life, 20 * (decay.lag[1] - decay.lag[0]))
    near = (decay.lag > 0) & (decay.lag <= last)
    fine = np.linspace(0.0, float(decay.lag[near][-1]), 200)
    life = with_error(1e3 * decay.life, 1e3 * decay.life_error, "ms")
    contrast = with_error(decay.contrast, decay.contrast_error)
    text = f"pixel {at[0]}, {at[1]}: speckles live {life} (1/e); contrast {contrast}"
    curve, value = decay.contrast * np.exp(-fine / decay.life), decay.value[near]
    lag = 1e3 * decay.lag[near]
    top, low = max(float(np.nanmax(value)), float(curve[0])), min(float(np.nanmin(value)), 0.0)
    curves = (
        Curve(lag, value, 0, stroke=NONE, symbol=DOT, size=4, error=decay.error[near]),
        Curve(1e3 * fine, curve, 1, width=2),
    )
    rules = Rule(0.0, vertical=False), Rule(1e3 * decay.life, color=1)
    y = Scale("Autocorrelation", (low - 0.05 * top, 1.1 * top))
    return DecayView(text, Figure("", Scale("Lag (ms)", (0.0, float(lag[-1]))), y, curves, rules))

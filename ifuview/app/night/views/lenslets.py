"""The field of a target: light of the lenslets of each head, and spectra of all its channels within a circle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ifuview.app.frames.views import colors
from ifuview.app.frames.views.lasso import inside
from ifuview.app.night.intents import TryParams
from ifuview.app.night.reduction.live.channels import current, moved, place_now
from ifuview.app.night.reduction.state import FieldPlace, SkyChannel
from ifuview.app.session import Session
from ifuview.engine.context import JobContext
from ifuview.model.checks import Array
from ifuview.model.figure import Figure

TAILS = (1.0, 99.5)  # percent of the lenslets inside the color range
COLORS, RAMP = 64, "viridis"


@dataclass(frozen=True, slots=True, eq=False)
class HeadMap:
    """The lenslets of one head.

    Parameters
    ----------
    title : str
        Of the exposure.
    x, y : ndarray, shape (nfiber,), arcsec
    cell : ndarray, shape (6, 2), arcsec
        Corners of a lenslet about its center.
    sky : ndarray of bool, shape (nfiber,)
        That the sky was made from.
    place : FieldPlace
        The circle, in this head.
    shift : (float, float)
        Of the place against that in the head on the canvas.
    source : (float, float) or None
        The brightest.
    alone : bool
        It is the only one.
    current : bool
        It has the channel on the canvas.
    """

    title: str
    x: Array
    y: Array
    cell: Array
    sky: Array
    place: FieldPlace
    shift: tuple[float, float]
    source: tuple[float, float] | None
    alone: bool
    current: bool


@dataclass(frozen=True, slots=True, eq=False)
class LensletsView:
    """Everything but light and figures, which come as the answer of `job`.

    Parameters
    ----------
    heads : tuple of HeadMap
    place : FieldPlace
        The circle in the head on the canvas.
    window : (float, float) or None, Angstrom
    channels : tuple of str
    camera : str
        Of the reduction on the canvas.
    chosen : bool
        The circle was put somewhere.
    """

    heads: tuple[HeadMap, ...]
    place: FieldPlace
    window: tuple[float, float] | None
    channels: tuple[str, ...]
    camera: str
    chosen: bool


@dataclass(frozen=True, slots=True, eq=False)
class LensletColors:
    """Color of each lenslet of a head as 0xRRGGBB, its value, the range of the colors, and of what it is."""

    color: Array
    value: Array
    low: float
    high: float
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class LensletsAnswer:
    """Light of the heads in the order of the view, and the two figures."""

    heads: tuple[LensletColors, ...]
    spectra: Figure
    places: Figure


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    state = session.reduction
    return (session.channels, session.aperture, session.window, "" if state is None else state.camera)


def _heads(session: Session) -> list[list[SkyChannel]]:
    """The channels, those of one head and exposure together."""
    out: dict[tuple[str, int], list[SkyChannel]] = {}
    for one in session.channels:
        out.setdefault((one.head, one.expid), []).append(one)
    return list(out.values())


def _place(session: Session, channel: SkyChannel) -> FieldPlace:
    """The circle in the head of a channel."""
    now, (dx, dy) = place_now(session), moved(session, channel)
    return replace(now, x=now.x + dx, y=now.y + dy)


def make(session: Session) -> LensletsView | None:
    """The heads; None before a channel is reduced."""
    from ifuview.app.night.reduction.live.answers import lenslet_cell

    now = current(session)
    if now is None:
        return None
    maps = []
    for group in _heads(session):
        lead = now if now in group else group[0]
        layout, source = lead.made.setup.layout, lead.made.source
        maps.append(
            HeadMap(
                title=lead.title,
                x=layout.x,
                y=layout.y,
                cell=lenslet_cell(lead),
                sky=lead.made.sky.sky.fibers,
                place=_place(session, lead),
                shift=moved(session, lead),
                source=None if source is None else (source.x, source.y),
                alone=len(lead.made.sky.sources) == 1,
                current=lead is now,
            )
        )
    names = tuple(one.made.camera for one in session.channels)
    return LensletsView(
        tuple(maps), place_now(session), session.window, names, now.made.camera, session.aperture is not None
    )


def job(session: Session) -> Callable[[JobContext], LensletsAnswer] | None:
    """Light and figures, for the worker."""
    now = current(session)
    if now is None:
        return None

    def answer(ctx: JobContext) -> LensletsAnswer:
        from ifuview.app.night.reduction.live.answers import place_spectra, source_places

        lights = []
        for group in _heads(session):
            ctx.checkpoint(0.2, "Light of the lenslets")
            lights.append(_light(now if now in group else group[0], group, session.window))
        ctx.checkpoint(0.5, "Spectra within the circle")
        spectra = place_spectra([(one, _place(session, one)) for one in session.channels])
        ctx.checkpoint(0.8, "Places of the source")
        return LensletsAnswer(tuple(lights), spectra, _once(session.channels, source_places))

    return answer


_last: list[tuple[tuple[SkyChannel, ...], Figure]] = []  # places do not change while the circle is dragged


def _once(channels: tuple[SkyChannel, ...], make_figure: Callable[[tuple[SkyChannel, ...]], Figure]) -> Figure:
    """The figure of the last time if the channels are the same."""
    if not _last or _last[0][0] is not channels:
        _last[:] = [(channels, make_figure(channels))]
    return _last[0][1]


def _light(lead: SkyChannel, group: list[SkyChannel], window: tuple[float, float] | None) -> LensletColors:
    """Light of a head in the window, through all channels that have a part of it."""
    from ifuview.app.night.reduction.live.answers import lenslet_light

    value, note = lenslet_light(lead, group, window)
    known = value[np.isfinite(value)]
    low, high = (float(v) for v in np.percentile(known, TAILS)) if known.size else (0.0, 1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    part = np.sqrt(np.clip(np.where(np.isfinite(value), (value - low) / (high - low), 0), 0, 1))
    ramp = np.round(colors.ramp(RAMP, np.linspace(0.0, 1.0, COLORS)) * 255).astype(np.uint32)
    rgb = ramp[:, 0] << 16 | ramp[:, 1] << 8 | ramp[:, 2]
    # the root of the light: what is faint beside a source is seen
    return LensletColors(rgb[np.round(part * (COLORS - 1)).astype(np.intp)], value, low, high, note)


def lassoed(head: HeadMap, polygon: Array) -> tuple[int, ...]:
    """Lenslets inside a line."""
    return tuple(int(k) for k in np.flatnonzero(inside(head.x, head.y, polygon)))


def sky_from(fibers: tuple[int, ...]) -> TryParams:
    """The wish for a sky from these fibers."""
    return TryParams("sky", (("fibers", fibers),))


def at(head: HeadMap, x: float, y: float) -> int | None:
    """The lenslet at a place; None beside the field."""
    away = np.hypot(head.x - x, head.y - y)
    k = int(np.argmin(away))
    return k if away[k] <= float(np.abs(head.cell).max()) else None

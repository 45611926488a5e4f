"""Light dock as a value: the light of the selections of a photon list, and what is asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ifuview.app.photons import light
from ifuview.app.photons.state import Light, LightOptions
from ifuview.app.photons.units import value_unit
from ifuview.app.photons.which import photon_frame
from ifuview.model.photons.images import value_name

if TYPE_CHECKING:
    from ifuview.app.session import Session

OPEN_HINT = "Open a photon list to see the light of its pixels."
PICK_HINT = (
    "Click a pixel, or draw a box (Shift+B) or a circle (Shift+C) on the image: light curve, spectrum, intensity "
    "histogram and inter-arrival times appear here."
)
COUNTING = "Counting ..."


class LightPart(StrEnum):
    """The four plots."""

    CURVE = "curve"
    SPECTRUM = "spectrum"
    HISTOGRAM = "histogram"
    INTERVALS = "intervals"


TITLES = {
    LightPart.CURVE: "Light curve",
    LightPart.SPECTRUM: "Spectrum",
    LightPart.HISTOGRAM: "Intensity histogram",
    LightPart.INTERVALS: "Inter-arrival times",
}


class How(StrEnum):
    """What the vertical axis of a spectrum is."""

    COUNTS = "counts"
    RATE = "rate"
    DENSITY = "density"  # rate per nm or degree


@dataclass(frozen=True, slots=True, eq=False)
class LightView:
    """What the dock shows.

    Parameters
    ----------
    hint : str
        How to fill the dock; "" when there is something to show.
    found : tuple of Light
        Of the selections, in the order of drawing.
    options : LightOptions
    unit : str
        Of the spectral axis, "nm" or "deg"; `axis_name` its name.
    stale : bool
        Something else is selected meanwhile: it should be counted.
    title : str
        Of the frame.
    key : int or None
        Of the frame; None if it is no photon list.
    drawing : str
        Shape that a drag on the canvas draws.
    unmeasured : int
        Selections beyond those that are shown at a time.
    source : str
        The frame whose light it is, where the frame on the canvas is made from it.
    behind : bool
        Counting what is selected takes a while; until then the light of before is shown.
    """

    hint: str
    found: tuple[Light, ...] = ()
    options: LightOptions = field(default_factory=LightOptions)
    unit: str = "nm"
    axis_name: str = "Wavelength"
    stale: bool = False
    title: str = ""
    key: int | None = None
    drawing: str = ""
    unmeasured: int = 0
    behind: bool = False
    source: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing of what is open."""
        return bool(self.hint)


def inputs(session: Session) -> tuple[object, ...]:
    """What the dock depends on."""
    slot, current = photon_frame(session), session.slot()
    photons = slot.photons if slot is not None else None
    if slot is None or current is None or photons is None:
        return (None, session.drawing)
    chosen = session.selection
    return (
        slot.key, photons.source, photons.cut, slot.regions, chosen.x, chosen.y, session.light, session.lights,
        session.drawing, slot.title, current.key, current.regions,
    )  # fmt: skip


def make(session: Session) -> LightView:
    """Return the view of the current frame."""
    slot = photon_frame(session)
    options = light.options_of(session)
    if slot is None or slot.photons is None:
        return LightView(OPEN_HINT, drawing=session.drawing)
    info = slot.photons.source.info
    unit, name = value_unit(info), value_name(info)
    asked, known = light.request(session), session.lights
    view = LightView(
        PICK_HINT, options=options, unit=unit, axis_name=name, title=slot.title, key=slot.key,
        drawing=session.drawing, source=slot.title if slot.key != session.current else "",
    )  # fmt: skip
    if asked is None:
        return view
    stale = known is None or known.request != asked
    unmeasured = len(light.all_picks(session, slot)) - len(asked.picked)
    view = replace(view, hint=COUNTING, stale=stale, unmeasured=unmeasured)
    if known is None or known.request.key != slot.key or known.request.source.info.calibrated != info.calibrated:
        return view
    return replace(view, hint="", found=known.found, behind=stale and light.is_large(asked))

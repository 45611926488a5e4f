"""The list of frames, how they share the canvas, what is locked, and the planes of a cube."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath

from ifuview.app.frames.state import Made
from ifuview.app.session import Layout, Locks, Session, Slot
from ifuview.model.frames.units import unit_words
from ifuview.model.image import Kind

KINDS = {
    Kind.IMAGE: "image",
    Kind.DETECTOR: "detector image",
    Kind.RSS: "row-stacked spectra",
    Kind.CUBE: "cube",
    Kind.SPECTRUM: "spectrum",
}
COMBINED = ("difference", "ratio")
CHANGED = "the file changed: reload"


@dataclass(frozen=True, slots=True, eq=False)
class FrameRow:
    """One frame: its name, what it is, and what a picture of it depends on."""

    key: int
    title: str
    subtitle: str
    tip: str
    slot: Slot
    picture: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """A leading axis of a cube: number of planes, the shown one, and its wavelength in words."""

    size: int
    index: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class FramesView:
    """The frames in order.

    Parameters
    ----------
    rows : tuple of FrameRow
    current, previous : int or None
        Keys.
    layout : Layout
    blink_ms : int
    locks : Locks
    axes : tuple of Axis
        Leading axes of the current frame, slowest first; empty for a plain image.
    """

    rows: tuple[FrameRow, ...]
    current: int | None
    previous: int | None
    layout: Layout
    blink_ms: int
    locks: Locks
    axes: tuple[Axis, ...] = ()


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (
        tuple((s.key, s.title, s.photons is None, s.made_of, s.stale, *_picture(s)) for s in session.slots),
        None if session.night is None else session.night.shown,
        session.current,
        session.previous,
        (session.layout, session.blink_ms, session.locks),
    )


def make(session: Session) -> FramesView | None:
    """All frames; the list is empty when nothing is open."""
    slot = session.slot()
    return FramesView(
        rows=tuple(_row(s, session) for s in session.slots),
        current=session.current,
        previous=session.previous,
        layout=session.layout,
        blink_ms=session.blink_ms,
        locks=session.locks,
        axes=() if slot is None else _axes(slot),
    )


def _row(slot: Slot, session: Session) -> FrameRow:
    """One line of the list."""
    shape = " × ".join(str(n) for n in reversed(slot.image.pixels.shape))
    unit = f", {unit_words(slot.image.unit)}" if slot.image.unit else ""
    tip = f"{slot.dataset.path or slot.title}\n{slot.image.name}: {shape} px{unit}"
    name = PurePath(slot.dataset.path).name
    title = slot.title or name
    if slot.dataset.kind in COMBINED:  # where the names of two files are cut short, what was done is still read
        title = f"{slot.dataset.kind.capitalize()}: {title}"
    subtitle = f"{KINDS[slot.image.kind]}, {shape}"
    place = None if session.night is None else session.night.words_of(slot.key)
    if place:
        tip, title = f"{slot.title}\n{tip}", place
    photons = _photon_words(slot, session)
    if photons is not None:
        tip, (title, subtitle) = f"{slot.title}\n{tip}", photons
    subtitle = CHANGED if slot.stale else subtitle
    bare = slot if slot.photons is None else replace(slot, photons=None)  # a row must not keep photons in memory
    return FrameRow(slot.key, title, subtitle, tip, bare, _picture(slot))


def _photon_words(slot: Slot, session: Session) -> tuple[str, str] | None:
    """Name and range of a frame of a photon list, or of the two that it is made from: what differs is read first."""
    if slot.photons is not None:
        return slot.photons.name or slot.title, slot.photons.words()
    if not isinstance(slot.made_of, Made):
        return None
    a, b = (session.slot(key) for key in (slot.made_of.a, slot.made_of.b))
    if a is None or a.photons is None or b is None or b.photons is None:
        return None
    sign = "−" if slot.made_of.how == "difference" else "/"
    title = f"{slot.made_of.how.capitalize()}: {a.photons.name or a.title} {sign} {b.photons.name or b.title}"
    return title, f"{a.photons.words()} {sign} {b.photons.words()}"


def _picture(slot: Slot) -> tuple[object, ...]:
    """What the thumbnail depends on."""
    return (slot.image, slot.plane, slot.look, slot.pyramid is not None)


def _axes(slot: Slot) -> tuple[Axis, ...]:
    """The leading axes of a cube with the place of the shown plane."""
    lead = slot.image.pixels.shape[:-2]
    place = (tuple(slot.plane) + (0,) * len(lead))[: len(lead)]
    out = []
    for i, (size, index) in enumerate(zip(lead, place, strict=True)):
        text = f"Plane {index + 1} of {size}"
        if i == len(lead) - 1 and len(slot.image.planes) == size:
            text += f", {slot.image.planes[index]}"
        wave = slot.image.wave
        if i == len(lead) - 1 and slot.image.kind is Kind.CUBE and wave is not None and wave.shape == (size,):
            text += f", {wave[index]:.2f} Å"
        out.append(Axis(size, index, text))
    return tuple(out)

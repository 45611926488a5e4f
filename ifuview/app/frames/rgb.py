"""Three frames as the red, green and blue of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ifuview.app.frames import intents as want
from ifuview.app.frames.state import RangeOf, RgbOf
from ifuview.app.messages import note
from ifuview.app.session import Session, Slot
from ifuview.errors import UsageError
from ifuview.model.dataset import Dataset

COLORS = ("red", "green", "blue")


def make_rgb(session: Session, _: want.MakeRgb) -> Session:
    """A new frame of the current one and the two latest others of its size.

    Of images of ranges those of the same cube are meant: they go by wavelength, the longest red; other frames in the
    order of the list.

    Raises
    ------
    UsageError
        There are no three frames of one size.
    """
    now = session.slot()
    alike = [s for s in session.slots if now is not None and s is not now and _goes_with(s, now)]
    latest = {slot.key for slot in sorted(alike, key=lambda slot: slot.key)[-2:]}
    three = [s for s in session.slots if s is now or s.key in latest]
    if now is None or len(three) < 3:
        raise UsageError("there are no three frames of one size", todo="make them, for example images of three ranges")
    if all(isinstance(slot.made_of, RangeOf) for slot in three):
        three.sort(key=_wavelength, reverse=True)
    dataset = picture(three)
    image, (words,) = dataset.images[0], dataset.notes
    slot = Slot(
        session.next_key, image.name, dataset, image, three[0].plane, now.look, now.view, sky=now.sky,
        made_of=RgbOf((three[0].key, three[1].key, three[2].key)),
    )  # fmt: skip
    return note(session.adding(slot), f"{words}; each within its own limits")


def picture(three: Sequence[Slot]) -> Dataset:
    """What stands for red, green and blue together: the sky and the size of the first."""
    words = ", ".join(f"{slot.title} ({color})" for slot, color in zip(three, COLORS))
    title = f"RGB of {', '.join(slot.title for slot in three)}"
    image = replace(three[0].image, name=title, ivar=None, mask=None, stage="rgb")
    return Dataset("", spec=title, instrument=three[0].dataset.instrument, kind="rgb", images=(image,), notes=(words,))


def channels(session: Session, slot: Slot) -> tuple[Slot, ...]:
    """The frames that are the colors of one; () where it has none, or one of them was closed."""
    if not isinstance(slot.made_of, RgbOf):
        return ()
    found = tuple(s for key in slot.made_of.keys if (s := session.slot(key)) is not None)
    return found if len(found) == len(COLORS) else ()


def _goes_with(slot: Slot, now: Slot) -> bool:
    """Whether a frame can be another color of the same picture."""
    if slot.image.shape != now.image.shape or isinstance(slot.made_of, RgbOf) or slot.photons is not None:
        return False
    ranges = [one.made_of.key for one in (slot, now) if isinstance(one.made_of, RangeOf)]
    return not isinstance(now.made_of, RangeOf) or (len(ranges) == 2 and ranges[0] == ranges[1])


def _wavelength(slot: Slot) -> float:
    """Middle of the range of a frame, Angstrom."""
    return sum(slot.made_of.window) / 2 if isinstance(slot.made_of, RangeOf) else 0.0

"""The HDUs of the current file with their header cards, and which of them is on the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from ifuview.app.session import Session, Slot
from ifuview.model.dataset import Card, CardValue, HduInfo


@dataclass(frozen=True, slots=True, eq=False)
class HeaderView:
    """HDUs of one file.

    Parameters
    ----------
    key : int
        Frame that "Show this HDU" changes.
    file : str
        Name of the file.
    hdus : tuple of HduInfo
    shown : int
        Position in `hdus` of the HDU on the canvas, -1 if unknown.
    notes : tuple of str
        What the reader wants the user to know.
    """

    key: int
    file: str
    hdus: tuple[HduInfo, ...]
    shown: int
    notes: tuple[str, ...] = ()


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    return () if slot is None else (slot.key, slot.dataset, slot.image)


def make(session: Session) -> HeaderView | None:
    """The HDUs of the file of the current frame; None when nothing is open."""
    slot = session.slot()
    if slot is None:
        return None
    dataset = slot.dataset
    hdus = dataset.hdus or (_own_header(slot),)
    return HeaderView(slot.key, PurePath(dataset.path).name, hdus, _shown(slot, hdus), dataset.notes)


def title(hdu: HduInfo) -> str:
    """Number and name of an HDU."""
    name = f"{hdu.name},{hdu.version}" if hdu.name and hdu.version > 1 else hdu.name
    return f"[{hdu.index}] {name}".strip()


def shape_text(hdu: HduInfo) -> str:
    """Shape as the user reads it: x first, rows of a table."""
    if not hdu.shape:
        return "no data"
    if hdu.kind == "table":
        return f"{hdu.shape[0]} rows"
    return " × ".join(str(n) for n in reversed(hdu.shape))


def can_show(hdu: HduInfo) -> bool:
    """Whether an HDU is an image with pixels."""
    return hdu.kind not in ("table", "empty") and bool(hdu.shape) and 0 not in hdu.shape


def find(cards: tuple[Card, ...], text: str) -> list[Card]:
    """Cards that hold all words of `text` in keyword, value or comment."""
    words = text.lower().split()
    return [card for card in cards if all(w in f"{card[0]} {card[1]} {card[2]}".lower() for w in words)]


def value_text(value: object) -> str:
    """A card's value as FITS writes it."""
    if isinstance(value, bool):
        return "T" if value else "F"
    return "" if value is None else str(value)


def card_text(card: Card) -> str:
    """A card in one line."""
    keyword, value, comment = card
    if keyword in ("COMMENT", "HISTORY", ""):
        return f"{keyword} {value_text(value)}".strip()
    return f"{keyword} = {value_text(value)}" + (f" / {comment}" if comment else "")


def _shown(slot: Slot, hdus: tuple[HduInfo, ...]) -> int:
    """The HDU that the image of a frame came from, by name, by number, else the only image."""
    name = slot.image.name
    for i, hdu in enumerate(hdus):
        if name and name in (hdu.name, f"[{hdu.index}]", title(hdu), f"{hdu.name},{hdu.version}"):
            return i
    images = [i for i, hdu in enumerate(hdus) if can_show(hdu) and hdu.shape == slot.image.pixels.shape]
    return images[0] if len(images) == 1 else -1


def _own_header(slot: Slot) -> HduInfo:
    """The header of the image when the reader listed no HDUs."""
    image = slot.image
    cards = tuple((str(k), v if isinstance(v, CardValue) else str(v), "") for k, v in image.header.items())
    return HduInfo(0, image.name, 1, "image", image.pixels.shape, str(image.pixels.raw.dtype), image.unit, cards)

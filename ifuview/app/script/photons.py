"""Options for photon lists: what is shown, and which times and wavelengths count."""

from __future__ import annotations

from ifuview.app.script.common import Handler
from ifuview.app.script.words import Words, Writer
from ifuview.errors import UsageError

SHOWN = ("flags", "counts", "rate")


def _photons(words: Words, out: Writer) -> None:
    """-photons flags | counts | rate."""
    word = words.accept(*SHOWN)
    if not word:
        raise UsageError(f"{words.peek()!r} cannot be shown of photons", words.option, f"one of {', '.join(SHOWN)}")
    out.of_file("photons", word)


def _time(words: Words, out: Writer) -> None:
    """-time A B, in seconds since the start of the list."""
    out.of_file("photon-range", "time", words.number("a start in s"), words.number("an end in s"))


def _wave(words: Words, out: Writer) -> None:
    """-wave A B, in nm (degrees of a list of phases)."""
    out.of_file("photon-range", "value", words.number("a wavelength in nm"), words.number("another one"))


OPTIONS: dict[str, Handler] = {"photons": _photons, "time": _time, "wave": _wave}

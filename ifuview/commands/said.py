"""What a command says when its work is done, and the words of options that several commands have."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import NamedTuple

from ifuview.errors import UsageError
from ifuview.exit_codes import OK
from ifuview.files import whole_file

MOST_DIGITS = 18  # of a number


class Said(NamedTuple):
    """Text for stdout, notes for stderr, exit code."""

    text: str = ""
    notes: tuple[str, ...] = ()
    code: int = OK


def json_to(place: str | None, text: str) -> str:
    """Write JSON to a file, or return it for stdout if that is "-"."""
    if place == "-":
        return text.rstrip("\n")
    if place:
        with whole_file(place) as part, open(part, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text.rstrip("\n") + "\n")
    return ""


def names(text: str) -> tuple[str, ...]:
    """Names of a list with commas."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def exposures(text: str) -> tuple[int, ...]:
    """Exposure numbers of a list with commas."""
    for word in names(text):
        if not word.isdecimal() or len(word) > MOST_DIGITS:
            raise UsageError(f"{word!r} is no exposure number", "--expid", "give numbers such as 104284,104285")
    return tuple(int(word) for word in names(text))


def count(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal() or len(text) > MOST_DIGITS or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def pixel(text: str, option: str = "--pixel") -> tuple[int, int]:
    """The two whole numbers of "X,Y"."""
    try:
        x, y = (int(p) for p in text.replace(" ", "").split(","))
    except ValueError as problem:
        raise UsageError(f"{text!r} is no pixel", option, "give two whole numbers, as in 52,72") from problem
    return x, y

"""What a command says when its work is done, and the words of options that several commands have."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from typing import NamedTuple, TextIO

from ifuview.errors import UsageError
from ifuview.exit_codes import OK
from ifuview.files import brackets, whole_file

MOST_DIGITS = 18  # of a number


class Said(NamedTuple):
    """Text for stdout, notes for stderr, exit code."""

    text: str = ""
    notes: tuple[str, ...] = ()
    code: int = OK


def tell(text: str, *, notes: bool = False) -> None:
    """Write lines to stdout, notes to stderr; what nobody reads any more, as behind `| head -1`, is dropped.

    Raises
    ------
    UsageError
        It cannot be written, as on a full disk.
    """
    stream = sys.stderr if notes else sys.stdout
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        _drop(stream)
    except OSError as problem:
        _drop(stream)
        raise UsageError(f"the output cannot be written{brackets(problem)}", "", "send it elsewhere") from problem


def _drop(stream: TextIO) -> None:
    """Let what is written from now on, and what still waits, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


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

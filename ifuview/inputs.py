"""What may be read: regular files only, so that nothing waits for a pipe, and texts whose size is bounded."""

from __future__ import annotations

import os
import stat
from typing import Any

from ifuview.errors import QUOTED, FileFormatError, MissingDataError
from ifuview.overwriting import note_input, note_output

MOST_TEXT = 16 << 20  # bytes of a text that somebody writes by hand


def regular_file(path: str) -> os.stat_result:
    """Return the status of a readable, non-empty regular file, which from now on is an input and no output.

    Raises
    ------
    MissingDataError
        There is no such file.
    FileFormatError
        It is a directory, pipe, device, empty or unreadable.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise MissingDataError("no such file", path) from None
    except (OSError, ValueError) as problem:
        raise FileFormatError(f"cannot be opened ({_reason(problem)})", path) from problem
    if not stat.S_ISREG(status.st_mode):
        text = next((text for test, text in _KINDS if test(status.st_mode)), "is no regular file")
        raise FileFormatError(text, path)
    if status.st_size == 0:
        raise FileFormatError("the file is empty", path)
    if not os.access(path, os.R_OK):
        raise FileFormatError("may not be read (permission denied)", path)
    note_input(path)
    return status


def read_text(path: str | os.PathLike[str], most: int = MOST_TEXT) -> str:
    """Return a text of at most `most` bytes.

    Raises
    ------
    MissingDataError, FileFormatError
        As `regular_file`; it is larger, or no text.
    """
    if regular_file(name := os.fspath(path)).st_size > most:
        raise FileFormatError(f"is too large (more than {most >> 20} MiB)", name)
    try:
        with open(name, "rb") as file:
            return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FileFormatError("is no text in UTF-8", name) from problem
    except OSError as problem:
        raise FileFormatError(f"cannot be read ({problem.strerror})", name) from problem


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a TOML file holds; FileFormatError, too, for one that is damaged or too deep."""
    import tomllib

    try:
        return tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as problem:  # ValueError: also of numbers with too many digits
        raise FileFormatError(f"is no TOML ({quoted(problem)})", os.fspath(path), "correct it") from problem


def read_json(path: str | os.PathLike[str], most: int = MOST_TEXT) -> Any:
    """Return what a JSON file holds; FileFormatError, too, for one that is damaged or too deep."""
    return json_of(read_text(path, most), os.fspath(path))


def json_of(text: str, path: str) -> Any:
    """Return what a JSON text holds; `path` is what it is called in messages."""
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise FileFormatError(f"is no valid JSON ({quoted(problem)})", path) from problem


def own_file(path: str | os.PathLike[str]) -> None:
    """A file that was read is the program's own, as settings are: it may be written again."""
    note_output(path)


def quoted(content: object) -> str:
    """Some of what is damaged, for a message."""
    text = " ".join((str(content) or type(content).__name__)[: 4 * QUOTED].split())
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 3]}..."


def _reason(problem: BaseException) -> str:
    """The operating system's words, or the exception's."""
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__


_KINDS = (
    (stat.S_ISDIR, "is a directory, not a file"),
    (stat.S_ISFIFO, "is a named pipe, which cannot be shown"),
    (stat.S_ISSOCK, "is a socket, which cannot be shown"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)

"""What an output may take the place of: never a file that this process reads, and only a file of its own kind.

Every writer gives its result a temporary name first (`files.replacing`), so that what was written can be compared with
what stands at the place that it is meant for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ifuview.errors import UsageError

HEAD = 512  # bytes that tell a kind
MAGIC = (
    (b"SIMPLE  =", "FITS"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "zip"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
    (b"# %ECSV", "ECSV"),
    (b"# Region file", "regions"),
    (b"<?xml", "XML"),
    (b"<!doctype html", "HTML"),
    (b"<!DOCTYPE html", "HTML"),
    (b"<svg", "SVG"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
REGIONS = "regions"
TODO = "choose another name"

_inputs: set[str] = set()
_written: set[str] = set()  # by this process, which may look at them and write them again
_forced = [False]


def note_input(path: str | os.PathLike[str]) -> None:
    """Remember a file that is read; what is still being written is read back under its temporary name."""
    name = os.path.basename(path)
    if not (name.startswith(".") and ".part" in name):
        _inputs.add(os.path.realpath(path))


def note_output(path: str | os.PathLike[str]) -> None:
    """Remember a file that was written."""
    _written.add(os.path.realpath(path))


def force(on: bool) -> None:
    """Let outputs take the place of files of another kind from now on; never of inputs."""
    _forced[0] = on


@contextmanager
def looked_at(path: str | os.PathLike[str]) -> Iterator[None]:
    """A file that is opened within only to see what an output would take the place of becomes no input by that."""
    name = os.path.realpath(path)
    known = name in _inputs
    try:
        yield
    finally:
        if not known:
            _inputs.discard(name)


@contextmanager
def forgotten() -> Iterator[None]:
    """No file counts as an input within, and what was noted within is forgotten; for tests."""
    kept = [(known, set(known)) for known in (_inputs, _written)]
    for known, _ in kept:
        known.clear()
    try:
        yield
    finally:
        for known, before in kept:
            known.clear()
            known.update(before)


def check_target(path: str | os.PathLike[str]) -> None:
    """Make sure that an output may be written to a place, before the work is done.

    Raises
    ------
    UsageError
        The file there is being read, or is no file.
    """
    if not os.path.lexists(path):
        return
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise UsageError("is a device or a pipe, no place for a file", os.fspath(path), TODO)
    if os.path.realpath(path) in _inputs - _written and kind_of(path) != REGIONS:
        raise UsageError("is one of the inputs and stays as it is", os.fspath(path), TODO)


def check_kind(part: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Make sure that a file may take the place of another one.

    Parameters
    ----------
    part : str or path
        What was written.
    path : str or path
        Where it is meant to go.

    Raises
    ------
    UsageError
        The file there is of another kind, and nobody asked to overwrite it; or `check_target` refuses.
    """
    check_target(path)
    if _forced[0] or not os.path.isfile(path) or not os.path.getsize(path):
        return
    new, old = kind_of(part), kind_of(path)
    if new != old:
        todo = f"{TODO}, or say --overwrite"
        raise UsageError(f"is {_named(old)}; {_named(new)} does not take its place", os.fspath(path), todo)


def kind_of(path: str | os.PathLike[str]) -> str:
    """What kind of file it is, by its content: "FITS", "JSON", "text", "data", ..."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"\x1f\x8b"):
        import gzip
        import zlib

        with suppress(OSError, EOFError, zlib.error), gzip.open(path) as inside:
            head = inside.read(HEAD)
    start = head.lstrip()
    for magic, name in MAGIC:
        if start.startswith(magic):
            return name
    return "data" if b"\0" in head else "text"


def _named(kind: str) -> str:
    return {"text": "a text", "data": "data of another kind", REGIONS: "a list of regions"}.get(kind, f"a {kind} file")

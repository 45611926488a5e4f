"""Where and how files are written: whole or not at all, in a folder that is there, over nothing that is read."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path

from ifuview.errors import IfuviewError, UsageError
from ifuview.overwriting import check_kind, check_target, note_output

Name = str | os.PathLike[str]

FITS_SUFFIXES = (".fits", ".fits.gz", ".fits.fz")  # of products
ENDINGS = (".gz", ".fz", ".bz2", ".fits", ".fit")

ERRNO = re.compile(r"\berrno = (\d+)")
FULL = re.compile(r"Not enough space on disk: requested (\d+)")
SHORT = re.compile(r"\b\d+ requested and \d+ written")  # numpy's words, without an errno
LIBRARY = re.compile(r"^Unable to|^Can't|^Can not|H5|addr|b-tree|heap|object header", re.IGNORECASE)  # HDF5's own words
MAX_TEXT = 200  # characters of a reason
PART = re.compile(r"\..*\.([0-9a-f]{8})-(\d+)-\d+\.part(?:\.\w+)?$", re.DOTALL)  # a name that `part_name` made
MOST_NAME = 120  # characters of the name that a temporary one begins with

_swept: set[str] = set()
_numbers = count()


def stem(path: Name) -> str:
    """Name of a file without folder and last suffix."""
    return os.path.splitext(os.path.basename(path))[0]


def product_stem(path: Name) -> str:
    """Name of a file without folder and the endings of FITS, packed or not."""
    name = os.path.basename(path)
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name


def part_name(path: Name) -> str:
    """A hidden temporary name beside `path` that nobody else has, with the same suffix (writers go by it).

    What processes of this computer that are gone left there goes.
    """
    folder, name = os.path.split(os.fspath(path))
    base, suffix = os.path.splitext(name)
    _sweep(folder or ".")
    return os.path.join(folder, f".{base[:MOST_NAME]}.{home()}-{os.getpid()}-{next(_numbers)}.part{suffix}")


def _sweep(folder: str) -> None:
    """Remove what was left half written in a folder; once a process."""
    import shutil

    if (known := os.path.realpath(folder)) in _swept:
        return
    _swept.add(known)
    with suppress(OSError):
        for name in os.listdir(folder):
            found = PART.match(name)
            if found is None or found[1] != home() or alive(int(found[2])):
                continue
            left = os.path.join(folder, name)
            if os.path.isdir(left):
                shutil.rmtree(left, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(left)


@cache
def home() -> str:
    """Which computer this is, and which of its sets of process numbers holds: containers have their own."""
    import socket
    from zlib import crc32

    numbers = ""
    with suppress(OSError):
        numbers = os.readlink("/proc/self/ns/pid")
    return f"{crc32(f'{socket.gethostname()} {numbers}'.encode()):08x}"


def alive(process: int) -> bool:
    """Whether a process of this computer is there."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def move(part: Name, path: Name) -> None:
    """Give a file its name; see `overwriting` for what it may take the place of.

    Before it takes the place of another one its content is on the disk: a computer that fails loses none of both.
    """
    check_kind(part, path)
    known = os.path.exists(path)
    if known:
        synced(part)
    os.replace(part, path)
    if known:
        synced(os.path.dirname(path) or ".")
    note_output(path)


def synced(path: Name) -> None:
    """Have the content of a file or folder on the disk, where the system knows of such."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def replacing(path: Name) -> Iterator[str]:
    """A temporary name to write to, which takes the place of `path` when all went well and is gone otherwise."""
    if "\0" in os.fspath(path):  # as a session or another program may ask for
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), os.fspath(path))
    check_target(path)
    part = part_name(path)
    try:
        yield part
        move(part, path)
    finally:
        with suppress(OSError):
            os.unlink(part)


@contextmanager
def told(
    path: Name, what: str = "the file", todo: str = "choose another folder or name",
    error: type[IfuviewError] = UsageError,
) -> Iterator[None]:  # fmt: skip
    """One sentence for what cannot be written.

    Raises
    ------
    UsageError, or `error`
        In place of what the system says.
    """
    try:
        yield
    except OSError as problem:
        raise error(f"{what} cannot be written{brackets(problem)}", os.fspath(path), todo) from problem


@contextmanager
def whole_file(
    path: Name, what: str = "the file", todo: str = "choose another folder or name",
    error: type[IfuviewError] = UsageError,
) -> Iterator[str]:  # fmt: skip
    """As `replacing`, with one sentence for a place that cannot be written."""
    with told(path, what, todo, error), replacing(path) as part:
        yield part


def put(path: Name, content: str | bytes) -> None:
    """Write a text or bytes whole or not at all; of names of files that are no UTF-8 odd bytes become \\udcXX.

    Raises
    ------
    OSError
        The system refuses.
    """
    with replacing(path) as part:
        Path(part).write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)


def check_folder(folder: Name) -> None:
    """Raise UsageError unless the folder, or the nearest one above that exists, can be written."""
    at = Path(folder)
    _check_name(at, "a folder")
    while not os.path.exists(at) and at != at.parent:
        at = at.parent
    if not os.path.isdir(at):
        raise UsageError("is not a folder", str(at), "choose another output folder")
    if not os.access(at, os.W_OK | os.X_OK):
        raise UsageError("the folder cannot be written", str(folder), "choose another output folder")


def make_folder(folder: Name) -> None:
    """Make a folder with those above it; UsageError unless it can be written."""
    with told(folder, "the folder", "choose another"):
        os.makedirs(folder, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError("the folder cannot be written", os.fspath(folder), "choose another")


def check_place(path: Name, what: str = "the output") -> None:
    """Make sure that a file can be written to `path`, before the work is done.

    Raises
    ------
    UsageError
        There is no such folder, or it cannot be written, or `path` is a folder itself.
    """
    folder = os.path.dirname(path) or "."
    _check_name(path, "a file")
    if not os.path.isdir(folder):
        raise UsageError("the folder does not exist", os.fspath(folder), "choose another folder")
    if os.path.isdir(path) or not os.access(folder, os.W_OK):
        raise UsageError(f"{what} cannot be written there", os.fspath(path), "choose another folder or name")
    check_target(path)


def _check_name(path: Name, what: str) -> None:
    """Raise UsageError where the system can have nothing of that name, as one of 300 letters."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as problem:
        raise UsageError(f"is no name of {what}{brackets(problem)}", os.fspath(path), "choose another") from problem


def check_suffix(path: Name, suffixes: Iterable[str], what: str) -> str:
    """The suffix of a name in lower case; UsageError unless it is one of `suffixes`."""
    known, suffix = tuple(suffixes), os.path.splitext(path)[1].lower()
    if suffix not in known:
        kind = f"as {suffix!r}" if suffix else "without a suffix"
        names = " or ".join(filter(None, (", ".join(known[:-1]), known[-1])))
        raise UsageError(f"{what} cannot be written {kind}", os.fspath(path), f"end the name in {names}")
    return suffix


def keep_inputs(output: str | None, inputs: Iterable[str | None]) -> None:
    """Make sure that an output is none of the files that are read, before the work is done.

    Parameters
    ----------
    output : str or None
        None or "-": nothing is written.
    inputs : iterable of str or None
        Files or folders; NM=FILE is read as FILE. None: not given.

    Raises
    ------
    UsageError
        It is one of them.
    """
    if not output or output == "-" or not os.path.exists(output):
        return
    for item in inputs:
        for name in () if not item else (item, item.partition("=")[2]):
            if name and os.path.exists(name) and os.path.samefile(name, output):
                raise UsageError("would overwrite a file that is read", output, "choose another name")


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is or leads to a folder; a link that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is or leads to a regular file; a link that leads to itself is none."""
    try:
        return entry.is_file()
    except OSError:
        return False


def size_and_time(path: Name, suffix: str = "") -> tuple[int, int] | None:
    """Bytes and time of change (ns) of a file, or of the files of a folder with a suffix; None if it is not there."""
    try:
        found = [os.stat(path)]
        if os.path.isdir(path):
            found = [e.stat() for e in os.scandir(path) if e.name.lower().endswith(suffix) and is_file(e)]
    except OSError:
        return None
    return sum(f.st_size for f in found), max((f.st_mtime_ns for f in found), default=0)


def sha256(path: Name) -> str:
    """Checksum of a file; "" if it cannot be read."""
    import hashlib

    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def brackets(problem: BaseException) -> str:
    """The reason of an error as " (reason)" without the library's own words; "" if it has no others.

    What the system refused has its usual words.
    """
    own = os.strerror(problem.errno) if isinstance(problem, OSError) and problem.errno else None
    text = str(problem)
    number = ERRNO.search(text)
    if own is None and (full := FULL.search(text)):  # astropy looks for room itself, and names no errno
        own = f"the disk is full: {int(full[1]) / 1e6:.0f} MB are needed"
    if own is None and SHORT.search(text):
        own = "the disk is full, or files may not become so large"
    if own is None and number is not None:
        own = os.strerror(int(number[1]))
    if own is None and not LIBRARY.search(text):
        own = reason(problem)
    if own is None and "filter" in text:
        own = "a filter is missing or fails"
    return f" ({own})" if own else ""


def reason(problem: BaseException) -> str:
    """The words of an error in one line."""
    return " ".join(str(problem).split())[:MAX_TEXT] or type(problem).__name__

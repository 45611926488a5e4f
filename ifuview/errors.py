"""The exceptions of ifuview: each says what happened, where, and what to do about it."""

from __future__ import annotations

QUOTED = 80  # characters of one word
MOST = 400  # of what is said in one part of a sentence


class IfuviewError(Exception):
    """A problem that the user can understand and act on.

    Parameters
    ----------
    what : str
        What happened, without a final full stop.
    where : str, optional
        File, HDU, fiber or option that it happened in.
    todo : str, optional
        What the user can do, in the imperative.
    """

    def __init__(self, what: str, where: str = "", todo: str = "") -> None:
        self.what, self.where, self.todo = what, where, todo
        super().__init__(what, where, todo)

    def __str__(self) -> str:
        text = f"{self.where}: {short(self.what)}" if self.where else short(self.what)
        text = f"{text}; {short(self.todo)}" if self.todo else text
        return printable(text if text.endswith("?") else f"{text}.")


def short(text: str) -> str:
    """A text in one line, what is quoted from a damaged file in it no longer than `QUOTED` characters."""
    words = (w if len(w) <= QUOTED or "/" in w else f"{w[: QUOTED - 3]}..." for w in text.split())
    out = " ".join(words)
    return out if len(out) <= MOST else f"{out[: MOST - 3]}..."


def printable(text: str) -> str:
    """A text whose control characters, and bytes of names that are no UTF-8, are written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class FileFormatError(IfuviewError):
    """A file cannot be read as what it claims, or was asked, to be."""


class TooLargeError(FileFormatError):
    """What a file holds takes more memory than it may."""


class MissingDataError(IfuviewError):
    """A file, an HDU, a column or a product that is needed does not exist."""


class UnknownInstrumentError(IfuviewError):
    """No instrument file describes the data."""


class FitError(IfuviewError):
    """Too little good data for a fit."""


class UsageError(IfuviewError):
    """A command line or a request that makes no sense."""


def told(error: BaseException) -> str:
    """What the user is told of an error, whichever it is."""
    if isinstance(error, IfuviewError):
        return str(error)
    if isinstance(error, MemoryError):
        return "the memory of this computer does not suffice; close frames or other programs, or ask for less."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return f"Something went wrong inside ifuview: {type(error).__name__}: {error}"


class JobCancelled(Exception):
    """Raised at a checkpoint of a job that the user cancelled; not an error."""

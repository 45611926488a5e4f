"""The exceptions of ifuview: each says what happened, where, and what to do about it."""

from __future__ import annotations


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
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.todo}." if self.todo else f"{text}."


class FileFormatError(IfuviewError):
    """A file cannot be read as what it claims, or was asked, to be."""


class MissingDataError(IfuviewError):
    """A file, an HDU, a column or a product that is needed does not exist."""


class UnknownInstrumentError(IfuviewError):
    """No instrument file describes the data."""


class FitError(IfuviewError):
    """Too little good data for a fit."""


class UsageError(IfuviewError):
    """A command line or a request that makes no sense."""


class JobCancelled(Exception):
    """Raised at a checkpoint of a job that the user cancelled; not an error."""

"""Subcommands of the command line for photon lists, one module each, with `main(argv, bar) -> int`.

`argv` comes without the name of the command; `bar`, if given, makes something that shows progress (called with
fraction and text, has `close`). 0, or the code of a command line that cannot be parsed, is returned, and an
IfuviewError raised for input that cannot be read or makes no sense.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ifuview.engine.context import SILENT, JobContext

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

OK = 0
Bar = Callable[[], Any]


def parsed(parser: ArgumentParser, argv: list[str], table: str = "") -> Namespace | int:
    """Return the options, or the exit code if argparse has said all.

    With the name of a `table`, options that are not on the command line are taken from it in the file of --config.
    """
    try:
        chosen = parser.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    if table and chosen.config:
        from ifuview.commands.photons.config import fill, left_out, read_config

        fill(chosen, read_config(chosen.config), table)
        for note in left_out(chosen.config):
            print(note, file=sys.stderr)
    return chosen


@contextmanager
def progress(bar: Bar | None) -> Iterator[JobContext]:
    """A context whose progress is shown on a terminal."""
    shown = bar() if bar is not None and sys.stderr.isatty() else None
    try:
        yield SILENT if shown is None else JobContext(shown)
    finally:
        if shown is not None:
            shown.close()

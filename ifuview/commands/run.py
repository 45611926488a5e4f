"""Carry out a command: options, progress on a terminal, then what it says, and its exit code."""

from __future__ import annotations

import sys
from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import NoReturn, Protocol, cast

from ifuview.app.preferences import use_stored
from ifuview.commands.said import Said, tell
from ifuview.commands.table import COMMANDS
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.overwriting import force

WRITTEN = ("output", "json")  # options that name what is written
NOT_READ = (*WRITTEN, "scheduler")  # no address that they name is an input


class CommandModule(Protocol):
    """What the module of a command has."""

    def options(self, out: ArgumentParser) -> None:
        """Add the options."""

    def run(self, chosen: Namespace, ctx: JobContext) -> Said:
        """Do the work."""


class Parser(ArgumentParser):
    """A parser whose complaints are one sentence, as all others of the program."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message, self.prog.split()[-1], f"see {self.prog} --help")


def command(name: str, words: list[str]) -> int:
    """Run a command of the table; return its exit code.

    Raises
    ------
    IfuviewError
        Options or input that make no sense or cannot be read.
    """
    module = module_of(name)
    try:
        chosen = parser(name).parse_args(words)
    except SystemExit as end:  # after --help
        return int(end.code or 0)
    notes = (*filter(None, [use_stored()]), *_from_file(chosen, name))
    force(getattr(chosen, "overwrite", False))
    with progress(quiet=getattr(chosen, "quiet", False)) as ctx:
        _bring(chosen, ctx)
        said = module.run(chosen, ctx)
    if said.text:
        tell(said.text)
    for note in (*notes, *said.notes):
        tell(note, notes=True)
    return said.code


def _bring(chosen: Namespace, ctx: JobContext) -> None:
    """Fetch the inputs that lie elsewhere; their paths here take the place of the addresses."""
    for name, value in vars(chosen).items():
        listed = value if isinstance(value, (list, tuple)) else [value]
        if name in NOT_READ or not any(isinstance(one, str) and "://" in one for one in listed):
            continue
        from ifuview.app.frames.opening.reading import brought

        here = [brought(one, ctx) if isinstance(one, str) else one for one in listed]
        setattr(chosen, name, here[0] if isinstance(value, str) else type(value)(here))


def module_of(name: str) -> CommandModule:
    """The module of a command."""
    return cast(CommandModule, import_module(f"ifuview.commands.{COMMANDS[name].module}"))


def parser(name: str) -> Parser:
    """The options of a command."""
    out = Parser(prog=f"ifuview {name}", description=COMMANDS[name].title, formatter_class=RawDescriptionHelpFormatter)
    module_of(name).options(out)
    if any(action.dest in WRITTEN for action in out._actions):
        out.add_argument("--overwrite", action="store_true", help="let outputs take the place of files of another kind")
    return out


def arguments(made: ArgumentParser) -> list[Action]:
    """The options and words of a parser but --help."""
    return [action for action in made._actions if action.help and action.dest != "help"]


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[JobContext]:
    """A context whose progress is one line on a terminal, gone at the end."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():  # None: closed by who started the program
        yield SILENT
        return
    bar = Progress()
    try:
        yield JobContext(bar)
    finally:
        bar.close()


class Progress:
    """One line of progress on a terminal."""

    WIDTH = 30

    def __init__(self) -> None:
        self._shown = ""

    def __call__(self, fraction: float, text: str) -> None:
        """Show a fraction from 0 to 1 and what is being done."""
        done = round(self.WIDTH * fraction)
        line = f"[{'#' * done}{'.' * (self.WIDTH - done)}] {100 * fraction:3.0f} % {text}"[:79]
        if line != self._shown:
            sys.stderr.write("\r" + line.ljust(len(self._shown)))
            sys.stderr.flush()
            self._shown = line

    def close(self) -> None:
        """End the line."""
        if self._shown:
            sys.stderr.write("\r" + " " * len(self._shown) + "\r")
            sys.stderr.flush()


def _from_file(chosen: Namespace, table: str) -> tuple[str, ...]:
    """Fill options that were not given from the file of --config; notes about it."""
    path = getattr(chosen, "config", None)
    if not path:
        return ()
    from ifuview.commands.photons.config import fill, present, read_config

    options, notes = present(read_config(path), table, path)
    fill(chosen, options, table)
    return notes

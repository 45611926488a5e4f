"""`ifuview man`: the manual page, made from the table of commands and their parsers."""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace

from ifuview.commands.run import arguments, parser
from ifuview.commands.said import Said
from ifuview.commands.table import COMMANDS, VIEW
from ifuview.commands.view import OPTIONS, SYNOPSIS
from ifuview.engine.context import JobContext

CODES = (
    ("0", "All is well."),
    ("1", "An error of the program itself."),
    ("2", "A command line or input that makes no sense or cannot be read."),
    ("3", "The work is done, and something is wrong with the data."),
)
VARIABLES = (
    ("IFUVIEW_CONFIG", "Folder of the preferences and the layout of the window."),
    ("IFUVIEW_CACHE", "Folder of the indexes of exposures."),
    ("QT_QPA_PLATFORM", "How Qt draws; offscreen for none to see."),
)


def options(_out: ArgumentParser) -> None:
    """There are none."""


def run(_chosen: Namespace, _ctx: JobContext) -> Said:
    """Print the page."""
    return Said(page())


def page() -> str:
    """The page in the language of man(7)."""
    from ifuview import __version__

    lines = [f'.TH IFUVIEW 1 "" "ifuview {__version__}" "User Commands"', ".SH NAME"]
    lines += ["ifuview \\- see and diagnose fiber\\-fed spectrograph data", ".SH SYNOPSIS", ".nf", _plain(SYNOPSIS)]
    lines += [_plain(f"ifuview {name} {row.words}") for name, row in COMMANDS.items() if name != VIEW]
    lines += [".fi", ".SH OPTIONS OF THE WINDOW", *_literal(OPTIONS), ".SH COMMANDS"]
    for name, row in COMMANDS.items():
        if name != VIEW:
            lines += [f'.SS "ifuview {name}"', _plain(row.title), *_command(parser(name))]
    lines += [".SH EXIT STATUS", *_list(CODES), ".SH ENVIRONMENT", *_list(VARIABLES)]
    return "\n".join(lines)


def _command(made: ArgumentParser) -> list[str]:
    """Options and epilog of a command."""
    lines = []
    for action in arguments(made):
        lines += [".TP", _heading(action), _plain(_help(action))]
    return [*lines, *(_literal(made.epilog) if made.epilog else ())]


def _heading(action: Action) -> str:
    """Names of an option in bold, its value in italics."""
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    shown = " ".join(value) if isinstance(value, tuple) else value
    names = ", ".join(f"\\fB{_plain(name)}\\fR" for name in action.option_strings)
    return names if action.nargs == 0 else f"{names} \\fI{_plain(shown)}\\fR".strip()


def _help(action: Action) -> str:
    return (action.help or "").replace("%%", "%")


def _literal(text: str) -> list[str]:
    """Lines that keep their form."""
    return [".PP", ".nf", *map(_plain, text.rstrip("\n").split("\n")), ".fi"]


def _list(rows: tuple[tuple[str, str], ...]) -> list[str]:
    return [line for name, text in rows for line in (".TP", f"\\fB{_plain(name)}\\fR", _plain(text))]


def _plain(text: str) -> str:
    """Text without a meaning for roff."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith(".") else safe

"""`ifuview health`: which amplifiers of raw exposures can be used, told before anything is reduced."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said, names
from ifuview.engine.context import JobContext
from ifuview.errors import MissingDataError
from ifuview.exit_codes import FOUND, OK
from ifuview.files import stem

STDOUT = "-"
EPILOG = """\
Each amplifier is judged by its own read-out: read noise and level of the overscan, zeros, saturation, bits of the
converter that do not change. Nothing is reduced; an amplifier takes some milliseconds.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("paths", nargs="+", metavar="PATH", help="night, archive, exposure or amplifier")
    out.add_argument("--kinds", metavar="KIND,...", type=names, default=(), help="sci, twi ... (default: all)")
    out.add_argument("--all", action="store_true", help="one line also for each amplifier that is clean")
    out.add_argument("--json", metavar="F", help="write the numbers to a file, - for stdout")
    out.add_argument("-o", "--output", metavar="PAGE.html", help="write them as a page that can be searched")
    out.add_argument("--quiet", action="store_true", help="say nothing")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Judge; exit code 3 where an amplifier is wrong."""
    from ifuview.app.night.amplifiers.health import SeenAmplifier, health_below, health_rows
    from ifuview.app.night.amplifiers.page import rows_as_json, write_rows
    from ifuview.model.verdict import VerdictState

    seen: list[SeenAmplifier] = []
    notes: list[str] = []
    for number, path in enumerate(chosen.paths):
        part = ctx.part(number / len(chosen.paths), (number + 1) / len(chosen.paths))
        found, said = health_below(path, chosen.kinds, part)
        seen += found
        notes += said
    if not seen:
        raise MissingDataError(
            "there are no raw amplifiers", chosen.paths[0], "give a night, an archive or an exposure"
        )
    wrong = [one for one in seen if one.health.state is VerdictState.WRONG]
    rows = health_rows(seen)
    text = rows_as_json(rows).rstrip("\n") if chosen.json == STDOUT else ""
    title = f"Amplifiers of {stem(chosen.paths[0].rstrip('/'))}"
    write_rows(rows, title, chosen.output or "", "" if chosen.json in (None, STDOUT) else chosen.json)
    if not text and not chosen.quiet:
        lines = [one.line for one in seen if chosen.all or one.health.state is not VerdictState.CLEAN]
        text = "\n".join([*lines, f"{len(seen)} amplifiers, {len(wrong)} wrong"])
    return Said(text, tuple(notes), FOUND if wrong else OK)

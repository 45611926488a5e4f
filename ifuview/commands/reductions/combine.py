"""`ifuview combine`: products of LRS2 that are there as one spectrum and one cube of each target."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said
from ifuview.engine.context import JobContext
from ifuview.exit_codes import BAD_INPUT, OK
from ifuview.files import check_folder

EPILOG = """\
ifuview combine LRS2/PROGRAM -O out     all targets whose multi_*.fits are below a folder
Channels and exposures are brought to one level where they overlap, the target to one place, and weighted with their
noise: combined_DATE_TARGET.fits is the spectrum, combined_DATE_TARGET_cube.fits the light without sky. The same as
ifuview reduce --combine, for exposures of several nights or some of them only.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("paths", nargs="+", metavar="PATH", help="multi_*.fits, or folders that have them")
    out.add_argument("-o", "--object", metavar="NAME", default="", help="only exposures whose OBJECT has this in it")
    out.add_argument("--config", dest="tables", metavar="DIR", default="", help="your own instrument tables go first")
    out.add_argument("--quiet", action="store_true", help="say nothing")
    out.add_argument("-O", "--output", metavar="OUT", default=".", help="folder of the products (default: here)")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Combine; exit code 2 where no channel has a source."""
    from ifuview.app.night.reduction.targets import combine_targets, multi_files

    check_folder(chosen.output)
    parts = multi_files(chosen.paths, chosen.object)
    lines = combine_targets(parts, chosen.output, chosen.tables, ctx)
    text = "" if chosen.quiet else "\n".join(lines)
    return Said(text, (), OK if any(one.there for one in parts) else BAD_INPUT)

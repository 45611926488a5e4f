"""`ifuview run script.py FILES`: a Python script against a session without a window."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said
from ifuview.engine.context import JobContext

EPILOG = """\
ifuview run script.py image.fits --arg word
In the script: viewer (ask, select, save), session, frame, selection, args; `import ifuview` for all else. For example

    viewer.select("17")
    print(viewer.session.inspection.quality.text)
    viewer.save("spectra", "17.ecsv")
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("script", metavar="SCRIPT.py", help="the script")
    out.add_argument("files", nargs="*", metavar="FILE", help="opened before, as the window would")
    out.add_argument("--arg", action="append", default=[], metavar="WORD", help="for the script: args and sys.argv")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Run it; its exit code."""
    from ifuview.app.outside.scripts import run_script

    return Said(code=run_script(chosen.script, chosen.files, chosen.arg, ctx))

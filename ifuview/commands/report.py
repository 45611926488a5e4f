"""`ifuview report`: one page about one fiber, without a window."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said
from ifuview.engine.context import JobContext


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.add_argument("files", nargs="+", metavar="FILE", help="images of the same camera; the first is shown")
    out.add_argument("--traces", metavar="F", help="trace file; by default the one that lies beside the image")
    default = "by default one that the worst finding is in, else the middle one"
    out.add_argument("--fiber", metavar="N", help=f"number of the fiber; {default}")
    out.add_argument("-o", "--output", metavar="REPORT", required=True, help="file to write, for example report.png")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Write the report."""
    from ifuview.app.reporting.headless import report

    report(chosen.files, chosen.output, traces=chosen.traces, fiber=chosen.fiber, ctx=ctx)
    return Said()

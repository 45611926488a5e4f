"""`ifuview demo`: simulated data with a guided tour."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.app.outside.display import choose_platform, has_display
from ifuview.commands.said import Said
from ifuview.engine.context import JobContext


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.add_argument("--offscreen", metavar="DIR", help="show nothing; write a picture of each step of the tour")
    out.add_argument("--fresh", action="store_true", help="ignore the remembered layout; a demo always does")


def run(chosen: Namespace, _ctx: JobContext) -> Said:
    """Open the window, or one that nobody sees."""
    choose_platform(headless=chosen.offscreen is not None or not has_display(), wanted=False)
    from ifuview.gui.shell.app import run_demo

    return Said(code=run_demo(chosen.offscreen))

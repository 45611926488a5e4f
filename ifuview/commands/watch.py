"""`ifuview watch`: the exposures of a folder, with new files as they land."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from ifuview.app.outside.display import choose_platform
from ifuview.commands.said import Said
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.add_argument("folder", metavar="DIR", help="a production, a night or an exposure")
    out.add_argument("--newest", action="store_true", help="show each new file of the camera and product on show")
    out.add_argument("-o", "--output", metavar="DIR", default="", help="write the triage of each new camera there")


def run(chosen: Namespace, _ctx: JobContext) -> Said:
    """Open the window on the folder."""
    if not os.path.isdir(chosen.folder):
        raise UsageError("there is no such folder", chosen.folder, "name the folder of a night")
    choose_platform(headless=False, wanted=True)
    from ifuview.app.script.words import Script, Step
    from ifuview.gui.shell.app import run as show

    return Said(code=show(Script((Step("watch", (chosen.folder, chosen.newest, chosen.output)),))))

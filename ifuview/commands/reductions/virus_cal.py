"""`ifuview reduce virus-cal`: the calibrations of fiber heads out of the raw frames of a range of nights."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said, names
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.exit_codes import FOUND, OK

EPILOG = """\
Twilights, arcs, lamp flats, zero frames and science exposures of DAYS nights from START on, darks of some more;
where there are none of a kind the nearest ones are taken, and that is said. The file is a table /Cals with a row an
amplifier.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("out", metavar="OUT.h5", help="file to write")
    out.add_argument("-r", "--rootdir", metavar="ROOT", default="", help="folder of raw nights")
    out.add_argument(
        "-i",
        "--ifuslot",
        metavar="IFUSLOT",
        nargs="+",
        type=names,
        default=(),
        help="slots, as 047,046 or 047 046 (default: all that there are)",
    )
    out.add_argument(
        "-sd", "--start_date", "--start-date", metavar="START", required=True, help="first night, YYYYMMDD"
    )
    out.add_argument("-dl", "--date_length", "--date-length", metavar="DAYS", type=int, required=True, help="nights")
    out.add_argument("-dd", "--dark_days", "--dark-days", metavar="DAYS", type=int,
                     help="more nights for darks (default: 7)")  # fmt: skip
    out.add_argument("-f", "--folder", metavar="DIR", default="", help="folder of OUT.h5, if it has none")
    out.add_argument("--config", dest="tables", metavar="DIR", default="", help="your own instrument tables go first")
    out.add_argument("--make-qa", "--make_qa", action="store_true", help="page and JSON with what each amplifier shows")
    out.add_argument(
        "--qa-folder", "--qa_folder", metavar="F", default="", help="their folder (default: beside OUT.h5)"
    )
    out.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Make the file; exit code 3 where an amplifier is wrong or has no calibrations."""
    from ifuview.app.night.reduction.run import night_number, raw_root
    from ifuview.app.night.virus.calibrate import DARK_DAYS, NightRange
    from ifuview.app.night.virus.calibration_file import build_calibrations

    darks = DARK_DAYS if chosen.dark_days is None else chosen.dark_days
    if darks < 0:
        raise UsageError(f"{darks} days are no range of nights", "-dd", "give a number from 0 on")
    nights = NightRange(night_number(chosen.start_date), chosen.date_length, darks)
    path = os.path.join(chosen.folder, chosen.out) if chosen.folder else chosen.out
    qa = (chosen.qa_folder or os.path.dirname(path) or ".") if chosen.make_qa or chosen.qa_folder else ""
    slots = [slot for some in chosen.ifuslot for slot in some]
    done = build_calibrations(path, raw_root(chosen.rootdir), slots, nights, chosen.tables, qa, ctx)
    lines = [f"{path}: {done.rows} amplifiers of {', '.join(done.slots)}", *done.lines, *done.files]
    return Said("" if chosen.quiet else "\n".join(lines), done.notes, FOUND if done.wrong else OK)

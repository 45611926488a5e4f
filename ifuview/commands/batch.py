"""`ifuview batch triage|diagnose|reduce`: all cameras and exposures of a night."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from ifuview.app.traces.diagnosis_request import FORMATS, PARTS, check_names
from ifuview.batch.observations import observation_tasks
from ifuview.batch.run import run_night
from ifuview.batch.tasks import KINDS, BatchTask, Record, diagnose_tasks, reduce_tasks, triage_tasks
from ifuview.commands.said import Said, count, names
from ifuview.commands.triage import add_choice
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.exit_codes import BAD_INPUT, FOUND, OK
from ifuview.model.night.triage import CLASSES

OWN = {
    "triage": ("after",),
    "diagnose": ("traces", "thresholds", "formats", "obstype"),
    "reduce": ("tables", "calibrations"),
}  # options of one kind alone


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = "What is done already is not done again. Writes index.html and a folder for each camera."
    out.add_argument("kind", choices=KINDS, help="what to do")
    out.add_argument("paths", nargs="+", metavar="NIGHT_DIR", help="night, production, exposure, or files")
    add_choice(out)
    out.add_argument("--only", metavar="NAME,...", type=names, default=(),
                     help="triage: classes; diagnose: parts; default all")  # fmt: skip
    out.add_argument("--after", metavar="DIR", help="triage: another production: what became of each finding")
    out.add_argument("--obstype", metavar="TYPE,...", type=names, default=(),
                     help="diagnose: types of exposures; default flat,arc, or all named by --expid")  # fmt: skip
    out.add_argument("--traces", metavar="F", help="diagnose: trace file for all images; default: found beside them")
    out.add_argument("--thresholds", metavar="F", help="diagnose: TOML file with limits")
    out.add_argument("--formats", metavar="NAME,...", type=names, default=(),
                     help=f"diagnose: of {', '.join(FORMATS)}; default html,json")  # fmt: skip
    out.add_argument("--config", dest="tables", metavar="DIR", help="reduce: your own instrument tables go first")
    out.add_argument("--calibrations", metavar="F",
                     help="reduce: observations of fiber heads with this file; --camera has their slots")  # fmt: skip
    where = out.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS",
                       help="of a running dask scheduler, tcp://host:8786 or tls://..., or its file")  # fmt: skip
    where.add_argument("--workers", metavar="N", type=count, help="processes on this machine; default: one a core")
    out.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")
    out.add_argument("-o", "--output", metavar="DIR", required=True, help="folder of the results")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Do the night; exit code 0 clean, 3 findings, 2 also for a single camera when nothing else was found."""
    from ifuview.batch.cluster import need_dask

    need_dask()
    records = run_night(
        _tasks(chosen, ctx), chosen.output, scheduler=chosen.scheduler, workers=chosen.workers, only=chosen.only,
        ctx=ctx,
    )  # fmt: skip
    problems = tuple(
        f"{record.exposure} {record.camera}: {text}"
        for record in records
        for text in ((record.text,) if record.failed else record.problems)
    )
    return Said("" if chosen.quiet else summary(records, chosen.output), problems, code(records))


def code(records: Sequence[Record]) -> int:
    """The exit code of a night."""
    if any(r.bad for r in records):
        return FOUND
    return BAD_INPUT if any(r.failed for r in records) else OK


def summary(records: Sequence[Record], output: str) -> str:
    """The night in one line for a terminal."""
    done, before = len(records), sum(r.skipped for r in records)
    found, lost = sum(r.bad for r in records), sum(r.failed for r in records)
    words = [f"{done} camera exposure{'s' * (done != 1)}"] + [f"{before} of them done before"] * (before > 0)
    look = sum(r.level == "warn" and not r.bad for r in records)
    words += [f"{found} with findings"] * (found > 0) + [f"{look} to look at"] * (look > 0)
    words += ["no findings"] * (not found and not look) + [f"{lost} not done"] * (lost > 0)
    return f"{', '.join(words)}: {os.path.join(output, 'index.html')}"


def _tasks(chosen: Namespace, ctx: JobContext) -> list[BatchTask]:
    """What is to be done."""
    check_names(() if chosen.kind == "reduce" else chosen.only, CLASSES if chosen.kind == "triage" else PARTS, "--only")
    if chosen.kind == "reduce" and chosen.only:
        raise UsageError("--only does not belong to `batch reduce`", "ifuview batch reduce", "choose with --camera")
    for other in (kind for kind in KINDS if kind != chosen.kind):
        if extra := [name for name in OWN[other] if getattr(chosen, name)]:
            raise UsageError(
                f"--{'config' if extra[0] == 'tables' else extra[0]} belongs to `batch {other}`",
                f"ifuview batch {chosen.kind}",
            )
    if chosen.kind == "triage":
        return triage_tasks(
            chosen.paths, chosen.output, chosen.camera, chosen.expid, chosen.only, ctx, chosen.after
        )  # fmt: skip
    if chosen.kind == "reduce" and chosen.calibrations:
        return observation_tasks(chosen.paths, chosen.output, chosen.calibrations, chosen.camera, chosen.expid, ctx)
    if chosen.kind == "reduce":
        return reduce_tasks(chosen.paths, chosen.output, chosen.camera, chosen.expid, chosen.tables, ctx)
    formats = chosen.formats or ("html", "json")
    check_names(formats, FORMATS, "--formats")
    return diagnose_tasks(
        chosen.paths, chosen.output, chosen.camera, chosen.expid, chosen.only, formats, chosen.traces,
        chosen.thresholds, ctx, tuple(name.lower() for name in chosen.obstype),
    )  # fmt: skip

"""`ifuview batch triage|diagnose`: the words around a night of tasks."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ifuview.batch.tasks import KINDS, Record, Task, check_output, diagnose_tasks, load, triage_tasks
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

Bar = Callable[[], Any]
CLEAN, BAD_INPUT, FOUND = 0, 2, 3
FORMATS = ("html", "pdf", "png", "json")


def run_night(
    tasks: Sequence[Task],
    output: str,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    only: Sequence[str] = (),
    ctx: JobContext = SILENT,
) -> list[Record]:
    """Do all tasks that are not done yet, and write the index.

    When interrupted, the index of what is done is written all the same.

    Parameters
    ----------
    tasks : sequence of Task
    output : str
        Folder of the night.
    scheduler : str, optional
        Address of a dask scheduler; default: processes of its own.
    workers : int, optional
        Processes; default: one for each core.
    only : sequence of str
        Classes asked for.
    ctx : JobContext, optional

    Returns
    -------
    list of Record
        In the order of the tasks.

    Raises
    ------
    IfuviewError
        The folder cannot be written, dask is missing, or no scheduler answers.
    """
    from ifuview.batch.night import put_together

    check_output(output)
    records = {task.output: record for task in tasks if (record := load(task)) is not None}
    todo = [task for task in tasks if task.output not in records]
    try:
        if todo:
            _run(todo, records, scheduler, min(workers or cores(), len(todo)), ctx)
    finally:
        for task in tasks:  # done, but not heard of before an interruption
            if task.output not in records and (record := load(task)) is not None:
                records[task.output] = replace(record, skipped=False)
        if records or not todo:
            put_together(tasks, records, output, only)
    return [records[task.output] for task in tasks]


def _run(todo: list[Task], records: dict[str, Record], scheduler: str | None, workers: int, ctx: JobContext) -> None:
    """Do the tasks, with words about how far they are."""
    from ifuview.batch import cluster

    total, before = len(todo), len(records)
    ctx.checkpoint(0.0, f"{before} done before, starting" if before else "starting")
    with cluster.connected(scheduler, workers) as client:
        ctx.checkpoint(0.0, f"0 of {total}" if client.scheduler_info()["workers"] else "waiting for workers")
        for number, (task, record) in enumerate(cluster.run(client, todo), 1):
            records[task.output] = record
            ctx.checkpoint(number / total, progress(number, total, list(records.values())))


def progress(number: int, total: int, records: Sequence[Record]) -> str:
    """How far, and what came out so far."""
    found, lost = sum(r.bad for r in records), sum(r.failed for r in records)
    words = [f"{number} of {total}"] + [f"{found} with findings"] * (found > 0) + [f"{lost} failed"] * (lost > 0)
    return ", ".join(words)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def main(argv: list[str], bar: Bar | None = None) -> int:
    """Run `ifuview batch`.

    Parameters
    ----------
    argv : list of str
        Without the names of program and command.
    bar : callable, optional
        Makes a progress bar; used on a terminal only.

    Returns
    -------
    int
        0 clean, 3 findings, 2 bad input, also of a single camera when nothing else was found.
    """
    chosen = _parsed(argv)
    if isinstance(chosen, int):
        return chosen
    from ifuview.batch.cluster import need_dask

    need_dask()
    shown = bar() if bar is not None and not chosen.quiet and sys.stderr.isatty() else None
    ctx = JobContext(shown)
    try:
        tasks = _tasks(chosen, ctx)
        records = run_night(
            tasks, chosen.output, scheduler=chosen.scheduler, workers=chosen.workers, only=_words(chosen.only), ctx=ctx
        )
    finally:
        if shown is not None:
            shown.close()
    if not chosen.quiet:
        print(summary(records, chosen.output))
    for record in records:
        for text in (record.text,) if record.failed else record.problems:
            print(f"{record.exposure} {record.camera}: {text}", file=sys.stderr)
    return code(records)


def code(records: Sequence[Record]) -> int:
    """The exit code of a night."""
    if any(r.bad for r in records):
        return FOUND
    return BAD_INPUT if any(r.failed for r in records) else CLEAN


def summary(records: Sequence[Record], output: str) -> str:
    """The night in one line for a terminal."""
    done, before = len(records), sum(r.skipped for r in records)
    found, lost = sum(r.bad for r in records), sum(r.failed for r in records)
    words = [f"{done} camera exposure{'s' * (done != 1)}"] + [f"{before} of them done before"] * (before > 0)
    words += [f"{found} with findings" if found else "no findings"] + [f"{lost} not done"] * (lost > 0)
    return f"{', '.join(words)}: {os.path.join(output, 'index.html')}"


def _tasks(chosen: Namespace, ctx: JobContext) -> list[Task]:
    """What is to be done."""
    cameras, expids, only = _words(chosen.camera), _numbers(chosen.expid), _words(chosen.only)
    _known(only, chosen.kind)
    if chosen.kind == "triage":
        if chosen.traces or chosen.thresholds or chosen.formats:
            raise UsageError("--traces, --thresholds and --formats belong to `batch diagnose`", "ifuview batch triage")
        if chosen.obstype:
            raise UsageError("--obstype belongs to `batch diagnose`", "ifuview batch triage")
        return triage_tasks(chosen.paths, chosen.output, cameras, expids, only, ctx, chosen.after)
    if chosen.after:
        raise UsageError("--after belongs to `batch triage`", "ifuview batch diagnose")
    formats = _words(chosen.formats) or ("html", "json")
    wrong = [name for name in formats if name not in FORMATS]
    if wrong:
        raise UsageError(f"there is no {wrong[0]!r}", "--formats", f"choose of {', '.join(FORMATS)}")
    return diagnose_tasks(
        chosen.paths, chosen.output, cameras, expids, only, formats, chosen.traces, chosen.thresholds, ctx,
        tuple(name.lower() for name in _words(chosen.obstype)),
    )  # fmt: skip


def _known(only: Sequence[str], kind: str) -> None:
    """Raise UsageError for a class or part that does not exist."""
    from ifuview.app.traces.diagnosis import PARTS
    from ifuview.model.night.triage import CLASSES

    choice = CLASSES if kind == "triage" else PARTS
    wrong = [name for name in only if name not in choice]
    if wrong:
        raise UsageError(f"there is no {wrong[0]!r}", "--only", f"choose of {', '.join(choice)}")


def _words(text: str | None) -> tuple[str, ...]:
    """Names of a list with commas."""
    return tuple(dict.fromkeys(word.strip() for word in (text or "").split(",") if word.strip()))


def _numbers(text: str) -> tuple[int, ...]:
    """Exposure numbers of a list with commas."""
    for word in _words(text):
        if not word.isdecimal():
            raise UsageError(f"{word!r} is no exposure number", "--expid", "give numbers such as 104284,104285")
    return tuple(int(word) for word in _words(text))


def _count(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def _parsed(argv: list[str]) -> Namespace | int:
    """Arguments, or the exit code if argparse has said all."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="ifuview batch",
        description="Triage, or diagnose the traces of, all cameras and exposures of a night with dask. "
        "What is done already is not done again. Writes index.html and a folder for each camera.",
    )
    parser.add_argument("kind", choices=KINDS, help="what to do")
    parser.add_argument("paths", nargs="+", metavar="NIGHT_DIR", help="night, production, exposure, or files")
    parser.add_argument("--camera", metavar="C,...", default="", help="only these cameras, for example r6,r8")
    parser.add_argument("--expid", metavar="N,...", default="", help="only these exposures")
    parser.add_argument("--only", metavar="NAME,...", default="", help="triage: classes; diagnose: parts; default all")
    parser.add_argument("--after", metavar="DIR", help="triage: another production: what became of each finding")
    parser.add_argument(
        "--obstype", metavar="TYPE,...", help="diagnose: types of exposures; default flat,arc, or all named by --expid"
    )
    parser.add_argument("--traces", metavar="F", help="diagnose: trace file for all images; default: found beside them")
    parser.add_argument("--thresholds", metavar="F", help="diagnose: TOML file with limits")
    parser.add_argument("--formats", metavar="NAME,...", help="diagnose: of html, pdf, png, json; default html,json")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a running dask scheduler, as tcp://host:8786")
    where.add_argument("--workers", metavar="N", type=_count, help="processes on this machine; default: one a core")
    parser.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder of the results")
    try:
        return parser.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)

"""A night of tasks: done with dask, and put together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from ifuview.batch.tasks import BatchTask, Record, load
from ifuview.engine.context import SILENT, JobContext
from ifuview.files import make_folder


def run_night(
    tasks: Sequence[BatchTask],
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
    tasks : sequence of BatchTask
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

    make_folder(output)
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


def _run(
    todo: list[BatchTask], records: dict[str, Record], scheduler: str | None, workers: int, ctx: JobContext
) -> None:
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

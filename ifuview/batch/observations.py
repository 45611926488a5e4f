"""Observations of many fiber heads as tasks: what all heads share is found from all of them, so one is one task."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ifuview.batch.tasks import NIGHT, BatchTask, Record, make_task
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError

CALIBRATIONS = "calibrations"  # role of their file
HEADS = "heads"  # column of the index


def observation_tasks(
    paths: Sequence[str], output: str, calibrations: str, slots: Sequence[str] = (), observations: Sequence[int] = (),
    ctx: JobContext = SILENT,
) -> list[BatchTask]:  # fmt: skip
    """A task for each science observation; `slots` are reduced, or all.

    Raises
    ------
    MissingDataError
        There is no observation, or no file of calibrations.
    """
    from ifuview.app.night.virus.shot import observations_of

    if not os.path.isfile(calibrations):
        raise MissingDataError("there is no such file of calibrations", calibrations)
    tasks = []
    for path in paths:
        root, found = observations_of(path, ctx)
        for date, number, names in found:
            if not observations or number in observations:
                files = {f"raw {n}": name for n, name in enumerate(names)}
                files |= {NIGHT: root, CALIBRATIONS: calibrations}
                tasks.append(make_task("reduce", f"{date}-{number:07d}", HEADS, files, output, tuple(slots), ()))
    if not tasks:
        raise MissingDataError("no science observation of fiber heads is there", ", ".join(paths), "give a raw night")
    return tasks


def reduce_observation(task: BatchTask, folder: Path) -> Record:
    """Reduce an observation; its products are in the folder of the task."""
    from ifuview.app.night.virus.request import ALL, ShotRequest
    from ifuview.app.night.virus.shot import reduce_shot

    date, number = map(int, task.exposure.split("-"))
    request = ShotRequest(
        date=date, observation=number, slots=task.only or (ALL,), calibrations=task.files[CALIBRATIONS],
        root=task.files[NIGHT], output=str(folder),
    )  # fmt: skip
    done = reduce_shot(request)
    lost, odd = sum(bool(head.reason) for head in done.heads), sum(bool(head.broken) for head in done.heads)
    level = "fail" if lost else "warn" if odd else "pass"
    short = f"{lost} heads lost" if lost else f"{odd} with broken amplifiers" if odd else f"{len(done.heads)} heads"
    page = next(Path(name).name for name in done.files if name.endswith("_qa.html"))
    data = {"lines": list(done.lines), "files": [Path(name).name for name in done.files]}
    return Record(
        exposure=task.exposure, camera=task.camera, level=level, short=short, text="; ".join(done.lines),
        count=lost + odd, bad=lost > 0, page=page, problems=done.notes if lost else (), data=data,
    )  # fmt: skip

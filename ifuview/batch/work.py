"""Do one task, in a worker: the folder of the camera appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ifuview import __version__
from ifuview.batch.night import LEVELS_OF_FINDINGS, of_cameras, packed, triage_level
from ifuview.batch.observations import CALIBRATIONS, reduce_observation
from ifuview.batch.tasks import IMAGE, NIGHT, TABLES, THRESHOLDS, TRACES, BatchTask, Record, failed, save
from ifuview.engine.context import set_threads
from ifuview.errors import IfuviewError
from ifuview.model.night.triage import CLASSES
from ifuview.sets import filled

if TYPE_CHECKING:
    from ifuview.app.night.reduction.calibrate import ChannelCalibration

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # our kernels have none of numba's own
LEVELS = {"fail": "fail", "warn": "warn", "pass": "pass", "not-measured": "note"}  # of a verdict


def work(task: BatchTask) -> Record:
    """Do a task and leave its folder; input that is no good gives a record that says so.

    Other exceptions are for the scheduler: it tries again.
    """
    one_thread()
    if task.version != __version__:
        return failed(task, f"the worker has ifuview {__version__}, the night was started with {task.version}.")
    try:
        with filled(task.output, alone=True) as part:
            record = WORK[task.kind](task, part)
            save(record, task.fingerprint, part)
    except IfuviewError as problem:
        return failed(task, str(problem))
    return record


def one_thread() -> None:
    """One thread for BLAS and our kernels: there is a worker for each core."""
    set_threads(1)
    for name in THREADS:
        os.environ.setdefault(name, "1")


def triage(task: BatchTask, folder: Path) -> Record:
    """The first bad product of a camera."""
    from ifuview.app.night.triage import run as service
    from ifuview.app.night.triage.files import CameraFiles

    number, log = int(task.exposure), task.bad_amplifiers
    camera = CameraFiles(number, task.camera, task.instrument, dict(task.files), task.night, log)
    done = service.triage_camera(camera, task.only)
    result = of_cameras([done], task.only)
    if task.after:
        other = replace(camera, files=dict(task.after))
        try:
            result = replace(result, fixed=tuple(service.fixed_in(other, done.found.findings, task.only)))
        except IfuviewError as problem:  # the other production does not spoil this one
            result = replace(result, problems=(*result.problems, str(problem)))
    result = service.write_result(result, service.arrays_of([done]), str(folder))
    findings = result.findings
    levels = [triage_level(f) for f in findings]
    worst = min(levels, key=LEVELS_OF_FINDINGS.index, default="pass")
    first = findings[levels.index(worst)] if findings else None
    short, text = (first.kind, first.text) if first is not None else ("clean", "")
    lacking = sorted({n.missing for n in result.not_measured if n.what in CLASSES})
    unasked = sum(n.what in CLASSES for n in result.not_measured)
    if worst == "pass" and (result.problems or 2 * unasked > len(task.only or CLASSES)):
        worst, short, text = "note", "incomplete", f"nothing found, but not all was there: {'; '.join(lacking)}"
    return Record(
        exposure=task.exposure, camera=task.camera, level=worst, short=short, text=text, count=len(findings),
        bad=bool(findings), page=service.HTML, problems=result.problems,
        data=packed(done, findings, result.fixed, f"{task.exposure}/{task.camera}/"),
    )  # fmt: skip


def diagnose(task: BatchTask, folder: Path) -> Record:
    """The traces of an image."""
    from ifuview.app.traces.diagnosis import run
    from ifuview.app.traces.diagnosis_outputs import METRICS
    from ifuview.app.traces.diagnosis_request import Request
    from ifuview.model.traces.findings import NAMES

    out = run(
        Request(
            task.files[IMAGE],
            str(folder),
            task.files.get(TRACES),
            thresholds=task.files.get(THRESHOLDS),
            only=task.only,
            formats=task.formats,
        )
    )
    found = out.diagnosis
    kinds = [m.name for m in found.found_modes] + [p.kind for p in found.problems]
    page = next((n for n in ("report.html", "report.pdf", "report.png", METRICS) if n in out.files), METRICS)
    data: dict[str, object] = {"verdict": found.verdict.value, "global": dict(found.global_metrics)}
    short = NAMES.get(kinds[0], kinds[0]) if kinds else "clean"
    level = LEVELS[found.verdict.value]
    return Record(
        exposure=task.exposure, camera=task.camera, level=level, short=short, text=found.sentence, count=len(kinds),
        bad=bool(out.code), page=page, problems=(), data=data,
    )  # fmt: skip


def reduce(task: BatchTask, folder: Path) -> Record:
    """A channel of a raw exposure: products and page below LRS2/ of the night's folder; or an observation of heads."""
    if CALIBRATIONS in task.files:
        return reduce_observation(task, folder)
    from ifuview.app.night.reduction.pages import ReductionPages
    from ifuview.app.night.reduction.run import reduce_again

    date, observation, number = task.exposure.split("-")
    at = int(date), int(observation), int(number.removeprefix("exp"))
    output = Path(task.output).parents[1]
    pages = ReductionPages(str(output))
    config = task.files.get(TABLES, "")
    done = reduce_again(task.files[NIGHT], at, task.camera, str(output), config, _CALIBRATIONS, pages.add)
    (cell,) = pages.cells[at[0]].values()
    if not done.complete:
        return failed(task, done.line)
    link = Path(os.path.relpath(output / ROOT / cell.link, task.output)).as_posix()
    text, data = f"{done.line}. {cell.text}", {"line": done.line, "files": list(done.files)}
    return Record(
        exposure=task.exposure, camera=task.camera, level=cell.level, short=cell.short, text=text, count=cell.count,
        bad=cell.level == "fail", page=link, data=data,
    )  # fmt: skip


ROOT = "LRS2"  # folder of the products
_CALIBRATIONS: list[ChannelCalibration] = []  # those that this worker has made last
WORK: dict[str, Callable[[BatchTask, Path], Record]] = {"triage": triage, "diagnose": diagnose, "reduce": reduce}

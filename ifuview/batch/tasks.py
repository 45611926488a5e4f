"""What is to be done for a night: a task per camera and exposure, and the fingerprint by which it is known as done."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ifuview import __version__
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import MissingDataError
from ifuview.files import product_stem, put, size_and_time

if TYPE_CHECKING:
    from ifuview.app.night.triage.files import CameraFiles

KINDS = ("triage", "diagnose", "reduce")
DONE = "done.json"  # in the folder of each finished camera; written last
SCHEMA = "ifuview.batch/2"
IMAGE, TRACES, THRESHOLDS = "image", "traces", "thresholds"  # roles of the files of a diagnosis
NIGHT, TABLES = "night", "tables"  # roles of the folders of a reduction: of raw nights, and of the user's tables
LAMPS = ("flat", "arc")  # types of exposures that traces are measured on


@dataclass(frozen=True, slots=True)
class BatchTask:
    """One camera of one exposure.

    Parameters
    ----------
    kind : str
        One of KINDS.
    exposure, camera : str
        Its row and column in the index.
    files : mapping of str to str
        Role or product -> path.
    output : str
        Its folder, below that of the night.
    only : tuple of str
        Classes or parts asked for; empty: all.
    formats : tuple of str
        Of the report of a diagnosis.
    night : str
    fingerprint : str
        Of the files, the options and the version of ifuview.
    version : str
        Of ifuview, where the task was made.
    bad_amplifiers : str or None
        Amplifiers of the camera that the night log calls bad; None without a log.
    after : mapping of str to str
        Files of the same camera in the production that is compared.
    instrument : str
        Whose chain of products is asked.
    """

    kind: str
    exposure: str
    camera: str
    files: Mapping[str, str]
    output: str
    only: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    night: str = ""
    fingerprint: str = ""
    version: str = __version__
    bad_amplifiers: str | None = None
    after: Mapping[str, str] = field(default_factory=dict)
    instrument: str = ""

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.exposure} {self.camera}".strip()


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a task.

    Parameters
    ----------
    level : str
        "fail", "warn", "note", "pass"; "failed": it could not be done.
    short, text : str
        The worst finding in two words, and in a sentence.
    count : int
        Findings.
    bad : bool
        Whether the exit code is to say so.
    page : str
        The file to read first, in the folder of the task.
    problems : tuple of str
    data : mapping
        What the result of the whole night is made of.
    skipped : bool
        Done in an earlier run.
    """

    exposure: str
    camera: str
    level: str
    short: str = ""
    text: str = ""
    count: int = 0
    bad: bool = False
    page: str = ""
    problems: tuple[str, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)
    skipped: bool = False

    @property
    def failed(self) -> bool:
        """Whether there is no result."""
        return self.level == "failed"


def failed(task: BatchTask, why: str) -> Record:
    """The record of a task that could not be done."""
    return Record(task.exposure, task.camera, "failed", "not done", why)


def triage_tasks(
    paths: Sequence[str],
    output: str,
    cameras: Sequence[str] = (),
    expids: Sequence[int] = (),
    only: Sequence[str] = (),
    ctx: JobContext = SILENT,
    after: str | None = None,
) -> list[BatchTask]:
    """A task for each camera and exposure that has products.

    With `after`, the cameras that are also there are looked at a second time, with the files of that production.

    Raises
    ------
    MissingDataError, UsageError
        There are none; `after` has none of them.
    """
    from ifuview.app.night.triage.files import find_cameras
    from ifuview.app.night.triage.run import counterparts

    found = find_cameras(paths, tuple(cameras), tuple(expids), ctx)
    there = {} if after is None else counterparts(found, after, ctx)
    tasks = [
        make_task(
            kind="triage",
            exposure=f"{c.expid:08d}",
            camera=c.camera,
            files=dict(c.files),
            output=output,
            only=tuple(only),
            formats=(),
            night=c.night,
            bad_amplifiers=c.bad_amplifiers,
            instrument=c.instrument,
        )
        for c in found
    ]
    return [_compared(t, there.get((c.expid, c.camera))) for t, c in zip(tasks, found, strict=True)]


def _compared(task: BatchTask, other: CameraFiles | None) -> BatchTask:
    """The task with the files of another production."""
    if other is None:
        return task
    files = {role: os.path.abspath(path) for role, path in sorted(other.files.items())}
    return replace(task, after=files, fingerprint=fingerprint(files, (task.fingerprint,)))


def diagnose_tasks(
    paths: Sequence[str],
    output: str,
    cameras: Sequence[str] = (),
    expids: Sequence[int] = (),
    only: Sequence[str] = (),
    formats: Sequence[str] = ("html", "json"),
    traces: str | None = None,
    thresholds: str | None = None,
    ctx: JobContext = SILENT,
    types: Sequence[str] = (),
) -> list[BatchTask]:
    """A task for each detector image: the lamp images of a folder, or image files by name.

    Traces are measured on flats and arcs; other exposures of a folder are taken only if `types` or `expids` name them.

    Raises
    ------
    MissingDataError
        There are none.
    """
    for name in (traces, thresholds):
        if name is not None and not os.path.isfile(name):
            raise MissingDataError("no such file", name)
    extra = {role: name for role, name in ((TRACES, traces), (THRESHOLDS, thresholds)) if name is not None}
    images: dict[tuple[str, str], dict[str, str]] = {}
    passed: set[str] = set()
    for path in paths:
        for exposure, camera, files in _detector_images(path, cameras, expids, tuple(types), passed, ctx):
            images.setdefault((exposure, camera), {**files, **extra})
    if not images:
        where, which = ", ".join(paths), f" of type {', '.join(types or LAMPS)}" if passed else ""
        todo = "give a night, or the detector images by name"
        if passed:
            todo = f"there are {', '.join(sorted(passed))}: choose with --obstype or --expid"
        raise MissingDataError(f"no detector images{which} are there", where, todo)
    return [
        make_task(
            kind="diagnose",
            exposure=exposure,
            camera=camera,
            files=files,
            output=output,
            only=tuple(only),
            formats=tuple(formats),
        )
        for (exposure, camera), files in sorted(images.items())
    ]


def reduce_tasks(
    paths: Sequence[str],
    output: str,
    cameras: Sequence[str] = (),
    observations: Sequence[int] = (),
    config: str | None = None,
    ctx: JobContext = SILENT,
) -> list[BatchTask]:
    """A task for each channel of each raw science exposure.

    Raises
    ------
    MissingDataError
        There are none.
    """
    from ifuview.app.night.reduction.run import raw_science

    if config is not None and not os.path.isdir(config):
        raise MissingDataError("no such folder of instrument tables", config)
    tasks = []
    for path in paths:
        root, found = raw_science(path, ctx)
        folders = {NIGHT: root} | ({} if config is None else {TABLES: config})
        for exposure, camera, names in found:
            if (observations and exposure.observation not in observations) or (cameras and camera not in cameras):
                continue
            files = {f"raw {n}": name for n, name in enumerate(names)} | folders
            row = f"{exposure.date}-{exposure.observation:07d}-exp{exposure.number:02d}"
            tasks.append(make_task("reduce", row, camera, files, output, (), (), str(exposure.date)))
    if not tasks:
        which = f" of {', '.join(cameras)}" if cameras else ""
        raise MissingDataError(f"no raw science exposure{which} is there", ", ".join(paths), "give a raw night")
    return sorted(tasks, key=lambda task: (task.camera, task.exposure))


def _detector_images(
    path: str, cameras: Sequence[str], expids: Sequence[int], types: tuple[str, ...], passed: set[str], ctx: JobContext
) -> Iterable[tuple[str, str, dict[str, str]]]:
    """Exposure, camera and files of each image of a folder, or of one file; types not wanted go into `passed`."""
    if not os.path.exists(path):
        raise MissingDataError("no such file or folder", path)
    if os.path.isfile(path):
        yield product_stem(path), IMAGE, {IMAGE: os.path.abspath(path)}
        return
    from ifuview.app.night.open_night import scan_folder

    index = scan_folder(path, ctx)
    for exposure in index.exposures:
        wanted = exposure.obstype in (types or (*LAMPS, "")) or (not types and exposure.expid in expids)
        if not wanted:
            passed |= {exposure.obstype or "unknown"} if (not expids or exposure.expid in expids) else set()
            continue
        for (camera, product), file in exposure.files.items():
            if (
                product != index.chain.detector
                or (cameras and camera not in cameras)
                or (expids and exposure.expid not in expids)
            ):
                continue
            files = {IMAGE: file.path}
            own = exposure.files.get((camera, "psf"))
            found = own.path if own is not None else index.calibrations.get((exposure.night, "psf", camera))
            if found:
                files[TRACES] = found
            yield f"{exposure.expid:08d}", camera, files


def make_task(
    kind: str,
    exposure: str,
    camera: str,
    files: dict[str, str],
    output: str,
    only: tuple[str, ...],
    formats: tuple[str, ...],
    night: str = "",
    bad_amplifiers: str | None = None,
    instrument: str = "",
) -> BatchTask:
    """A task with absolute paths and its fingerprint."""
    files = {role: os.path.abspath(path) for role, path in sorted(files.items())}
    folder = os.path.join(os.path.abspath(output), exposure, camera)
    mark = fingerprint(files, (kind, *sorted(only), "|", *sorted(formats), "|", str(bad_amplifiers), instrument))
    return BatchTask(
        kind=kind, exposure=exposure, camera=camera, files=files, output=folder, only=only, formats=formats,
        night=night, fingerprint=mark, bad_amplifiers=bad_amplifiers, instrument=instrument,
    )  # fmt: skip


def fingerprint(files: Mapping[str, str], options: Sequence[str]) -> str:
    """Digest of names, sizes and times of the files, of the options and of the version of ifuview.

    A file that is gone counts as such.
    """
    parts: list[object] = [__version__, SCHEMA, list(options)]
    for role, path in sorted(files.items()):
        parts.append([role, path, *(size_and_time(path) or ())])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def save(record: Record, mark: str, folder: Path) -> None:
    """Write the record of a finished task; whatever it speaks of is there already."""
    text = json.dumps({"schema": SCHEMA, "fingerprint": mark, **asdict(record)}, indent=1, default=float)
    put(folder / DONE, text + "\n")


def load(task: BatchTask) -> Record | None:
    """The record of an earlier run, None unless it was of the same files, options and version."""
    try:
        tree = json.loads((Path(task.output) / DONE).read_text(encoding="utf-8"))
        if tree.pop("schema") != SCHEMA or tree.pop("fingerprint") != task.fingerprint:
            return None
        tree.update(problems=tuple(tree["problems"]), skipped=True)
        return Record(**tree)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None

"""Read the JSON that triage, batch and reductions write as numbers of many exposures; see `model.night.trends`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.model.night.trends import NAN, TrendPoint, TrendQuantity, TrendTable, trend_table

ENDING = "_qa.json"  # of what a reduction or `health` writes
TRIAGE, METRICS = "triage.json", "metrics.json"
MOST_BYTES = 256 << 20  # of one file
NIGHT = re.compile(r"20\d{6}", re.ASCII)
Found = tuple[list[TrendQuantity], list[TrendPoint]]


def is_trend_file(path: str) -> bool:
    """Whether a file is called like one that has such numbers."""
    name = os.path.basename(path)
    return name.endswith(ENDING) or name == TRIAGE


def read_trends(paths: Sequence[str], ctx: JobContext = SILENT) -> tuple[TrendTable, tuple[str, ...]]:
    """The numbers of files, and of all such files below folders, with what was left out and why.

    Raises
    ------
    MissingDataError
        There is no such file, or none has any number.
    """
    quantities: dict[str, TrendQuantity] = {}
    points: list[TrendPoint] = []
    notes: list[str] = []
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    for n, file in enumerate(files):
        ctx.checkpoint(n / len(files), os.path.basename(file))
        try:
            own, found = _read(file)
        except FileFormatError as problem:
            notes.append(str(problem))
            continue
        quantities |= {one.name: one for one in own}
        points += found
    if not points:
        todo = f"choose files that end in {ENDING}, or folders with {TRIAGE} or {METRICS}"
        raise MissingDataError(notes[0] if notes else "there are no numbers to follow", ", ".join(paths), todo)
    return trend_table(tuple(quantities.values()), points), tuple(notes)


def _files(path: str) -> Iterator[str]:
    path = os.path.abspath(os.path.expanduser(path))
    if os.path.isfile(path):
        yield path
    elif os.path.isdir(path):
        yield from sorted(_below(path))
    else:
        raise MissingDataError("no such file or folder", path)


def _below(top: str) -> Iterator[str]:
    """Files with numbers below a folder that a batch may be writing; hidden and vanished folders do not count."""
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(folder, name) for name in files if name == METRICS or is_trend_file(name))


def _read(path: str) -> Found:
    """The numbers of a file.

    Raises
    ------
    FileFormatError
        It is no such file.
    """
    try:
        if os.path.getsize(path) > MOST_BYTES:
            raise FileFormatError(f"is larger than {MOST_BYTES >> 20} MiB", path)
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError, RecursionError) as problem:
        raise FileFormatError(f"is no JSON that can be read ({problem})", path) from problem
    if isinstance(content, list):
        return _of_amplifiers(content)
    if isinstance(content, dict) and "findings" in content:
        return _of_triage(content, path)
    if isinstance(content, dict) and "global_metrics" in content:
        return _of_metrics(content, path)
    raise FileFormatError("has no numbers of exposures", path)


def _of_amplifiers(rows: Iterable[object]) -> Found:
    """Numbers of amplifiers of exposures."""
    quantities: dict[str, TrendQuantity] = {}
    points = []
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("numbers"), dict):
            continue
        place = " ".join(word for key in ("ifuslot", "amp") if (word := str(row.get(key) or "")))
        observation, number = _whole(row.get("observation")), _whole(row.get("exposure"))
        exposure = f"{observation}/{number}" if observation else "calibrations"
        for name, one in row["numbers"].items():
            if not isinstance(one, dict):
                continue
            known = quantities.get(name)
            if known is None or known.look != known.look:
                unit = str(one.get("unit") or "")
                quantities[name] = TrendQuantity(name, unit, _real(one.get("look")), _real(one.get("wrong")))
            points.append(TrendPoint(name, place, _whole(row.get("date")), exposure, _real(one.get("value"))))
    return list(quantities.values()), points


def _of_triage(content: Mapping[str, object], path: str) -> Found:
    """How many findings each camera has, and how large each kind is."""
    quantities, points = [TrendQuantity("findings"), TrendQuantity("share_judged")], []
    night = _night(path)
    cameras = {(one.get("expid"), one.get("camera")) for one in _dicts(content.get("cameras"))}
    count = dict.fromkeys(cameras, 0)
    for one in _dicts(content.get("findings")):
        key = one.get("expid"), one.get("camera")
        count[key] = count.get(key, 0) + 1
        name = str(one.get("class"))
        quantities.append(TrendQuantity(name, str(one.get("unit") or "")))
        points.append(TrendPoint(name, str(key[1]), night, str(key[0]), _real(one.get("amplitude"))))
    points += [TrendPoint("findings", str(c), night, str(e), float(n)) for (e, c), n in count.items()]
    points += [
        TrendPoint("share_judged", str(one.get("camera")), night, str(one.get("expid")), _real(one.get("share")))
        for one in _dicts(content.get("judged"))
    ]
    return quantities, points


def _of_metrics(content: Mapping[str, object], path: str) -> Found:
    """Numbers of the traces of a camera and of its fibers; exposure and camera are the folders that hold them."""
    folders = Path(path).resolve().parts
    exposure, camera = folders[-3:-1] if len(folders) > 2 else ("", folders[-2])
    night = _night(path)
    points = []
    whole = content.get("global_metrics")
    for name, value in whole.items() if isinstance(whole, dict) else ():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            points.append(TrendPoint(str(name), camera, night, exposure, float(value)))
    fibers = content.get("per_fiber_metrics")
    for fiber, numbers in fibers.items() if isinstance(fibers, dict) else ():
        for name, value in numbers.items() if isinstance(numbers, dict) else ():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                points.append(TrendPoint(f"{name} of fibers", f"{camera} fiber {fiber}", night, exposure, float(value)))
    return [], points


def _night(path: str) -> int:
    """The night that a folder above names, 0 without one."""
    return next((int(part) for part in reversed(Path(path).resolve().parts) if NIGHT.fullmatch(part)), 0)


def _dicts(values: object) -> list[Mapping[str, object]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _real(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else NAN


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else 0

"""Put the cameras of a night together: findings with their extent, and the index of exposures by cameras."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from ifuview import __version__
from ifuview.batch.tasks import BatchTask, Record
from ifuview.files import put
from ifuview.model.night.triage import HARMLESS, Finding, Fixed, NotMeasured, TriageResult

if TYPE_CHECKING:
    from ifuview.app.night.triage.sum import Triaged
    from ifuview.report.night.index import Cell, NightIndex

INDEX, RESULT, PAGE = "index.html", "triage.json", "triage.html"
LEVELS_OF_FINDINGS = ("fail", "warn", "note")
SINGLE_FIBERS = ("isolated-fiber", "positioning")  # a few fibers, not a step of the processing
MOST_LISTED = 40  # findings and problems above the table
TITLES = {"triage": "Triage", "diagnose": "Traces", "reduce": "Reduction"}


def triage_level(finding: Finding) -> str:
    """How bad a finding is: a step of the processing, single fibers, or what is known or real light."""
    if finding.known or finding.kind in HARMLESS:
        return "note"
    return "warn" if finding.kind in SINGLE_FIBERS else "fail"


def of_cameras(done: Sequence[Triaged], only: Sequence[str], problems: Sequence[str] = ()) -> TriageResult:
    """The result of some cameras together, with extent and causes."""
    from ifuview.app.night.triage.sum import summed

    return summed(list(done), list(problems), tuple(only))


PackedMissing = TypedDict("PackedMissing", {"expid": int, "camera": str, "class": str, "missing": str})


class PackedFixed(TypedDict):
    """What became of a finding, as `triage.json` has it."""

    before: Mapping[str, object]
    status: str
    remains: float
    text: str


class PackedCamera(TypedDict):
    """One camera in the record of its task."""

    expid: int
    camera: str
    instrument: str
    night: str
    tile: int
    findings: list[Mapping[str, object]]
    not_measured: list[PackedMissing]
    numbers: dict[str, object]
    problems: list[str]
    after: list[PackedFixed]


def packed(done: Triaged, findings: Sequence[Finding], fixed: Sequence[Fixed], folder: str) -> PackedCamera:
    """What the result of a night needs of one camera, without its spectra, for JSON.

    Parameters
    ----------
    done : Triaged
    findings : sequence of Finding
        Its findings with the names of their pictures.
    fixed : sequence of Fixed
        What became of those of another production.
    folder : str
        Where the pictures are, as seen from the folder of the night.
    """
    drawn = [replace(f, evidence=folder + f.evidence if f.evidence else "") for f in findings]
    from ifuview.app.night.triage.packing import plain_numbers

    camera, found = done.camera, done.found
    return {
        "expid": camera.expid,
        "camera": camera.camera,
        "instrument": camera.instrument,
        "night": camera.night,
        "tile": int(done.tile),
        "findings": [f.as_dict() for f in drawn],
        "not_measured": [
            {"expid": n.expid, "camera": n.camera, "class": n.what, "missing": n.missing} for n in found.not_measured
        ],
        "numbers": plain_numbers(found.numbers),
        "problems": list(done.problems),
        "after": [
            {"before": f.before.as_dict(), "status": f.status, "remains": f.remains, "text": f.text} for f in fixed
        ],
    }


def unpacked(tree: PackedCamera) -> Triaged:
    """A camera as `packed` left it."""
    from ifuview.app.night.triage.files import CameraFiles
    from ifuview.app.night.triage.packing import numbers_of
    from ifuview.app.night.triage.sum import Triaged
    from ifuview.recipes.desi_qa import CameraTriage

    numbers = numbers_of(tree["numbers"])
    missing = [NotMeasured(n["expid"], n["camera"], n["class"], n["missing"]) for n in tree["not_measured"]]
    found = CameraTriage(tuple(finding_of(f) for f in tree["findings"]), tuple(missing), {}, numbers)
    camera = CameraFiles(tree["expid"], tree["camera"], tree["instrument"], {}, tree["night"])
    return Triaged(camera, found, tuple(tree["problems"]), tree["tile"])


def finding_of(tree: Mapping[str, object]) -> Finding:
    """A finding as `triage.json` has it."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in tree.items()}
    others = tuple((one["class"], one["first_step"]) for one in values.pop("alternatives", ()))
    return Finding(kind=values.pop("class"), alternatives=others, **values)


def fixed_of(tree: PackedFixed) -> Fixed:
    """What became of a finding, as `triage.json` has it."""
    return Fixed(finding_of(tree["before"]), tree["status"], tree["remains"], tree["text"])


def put_together(
    tasks: Sequence[BatchTask], records: Mapping[str, Record], output: str, only: Sequence[str] = ()
) -> None:
    """Write index.html, and for a triage triage.json and triage.html of all cameras, of what is done so far.

    Parameters
    ----------
    tasks : sequence of BatchTask
        All; those without a record are shown as waiting.
    records : mapping of str to Record
        By the folder of the task.
    output : str
    only : sequence of str
        Classes asked for.
    """
    from ifuview.app.night.triage.run import as_json
    from ifuview.report.night.index import page
    from ifuview.report.night.triage import TriageReport, save_page

    folder = Path(output)
    result: TriageResult | None = None
    if tasks and tasks[0].kind == "triage":
        packs = [cast(PackedCamera, r.data) for r in records.values() if not r.failed]
        done = [unpacked(pack) for pack in packs]
        done.sort(key=lambda t: (t.camera.expid, t.camera.camera))
        lost = [f"{r.exposure} {r.camera}: {r.text}" for r in records.values() if r.failed]
        fixed = [fixed_of(tree) for pack in packs for tree in pack.get("after", ())]
        result = replace(of_cameras(done, only, lost), fixed=tuple(fixed))
        put(folder / RESULT, as_json(result))
        save_page(TriageReport(result, f"Triage of {nights_of(tasks)}", now(), __version__), folder)
    put(folder / INDEX, page(index_of(tasks, records, output, result)))


def now() -> str:
    """The time as the pages have it."""
    return time.strftime("%Y-%m-%d %H:%M")


def index_of(
    tasks: Sequence[BatchTask], records: Mapping[str, Record], output: str, result: TriageResult | None
) -> NightIndex:
    """What the page shows."""
    from ifuview.report.night.index import NightIndex

    night = result_levels(result)
    cells = {}
    for task in tasks:
        record = records.get(task.output)
        place = task.exposure, task.camera
        cells[place] = cell_of(task, record, output, night.get(place))
    kind = tasks[0].kind if tasks else "triage"
    lost = [f"{r.exposure} {r.camera}: {r.text}" for r in records.values() if r.failed]
    partly = [p for r in records.values() for p in r.problems]
    return NightIndex(
        title=f"{TITLES[kind]} of {nights_of(tasks)}", created=now(), version=__version__, cells=cells,
        worst=tuple(worst_lines(result, records, output))[:MOST_LISTED], failed=tuple(dict.fromkeys([*lost, *partly])),
        together=PAGE if result is not None else "", waiting=sum(1 for t in tasks if t.output not in records),
    )  # fmt: skip


def nights_of(tasks: Sequence[BatchTask]) -> str:
    """The nights, or the number of images."""
    nights = sorted({t.night for t in tasks if t.night})
    count = f"{len(tasks)} camera exposure{'s' * (len(tasks) != 1)}"
    return f"{', '.join(nights[:3])}{' ...' * (len(nights) > 3)}: {count}" if nights else count


def result_levels(result: TriageResult | None) -> dict[tuple[str, str], tuple[str, str, str, int]]:
    """Level, words, sentence and number of findings of each camera, those included that only the night shows."""
    out: dict[tuple[str, str], tuple[str, str, str, int]] = {}
    for finding in result.findings if result is not None else ():
        place = f"{finding.expid:08d}", finding.camera
        level = triage_level(finding)
        there = out.get(place)
        if there is None or LEVELS_OF_FINDINGS.index(level) < LEVELS_OF_FINDINGS.index(there[0]):
            out[place] = (level, finding.kind, finding.text, there[3] + 1 if there else 1)
        else:
            out[place] = (*there[:3], there[3] + 1)
    return out


def cell_of(task: BatchTask, record: Record | None, output: str, night: tuple[str, str, str, int] | None) -> Cell:
    """One camera of one exposure."""
    from ifuview.report.night.index import Cell

    if record is None:
        return Cell("waiting", "not yet", "not yet done")
    if record.failed:
        return Cell("failed", record.short, record.text)
    level, short, text, count = night or (record.level, record.short, record.text, record.count)
    return Cell(level, short, text, count, link(task.output, record.page, output), len(record.problems))


def link(folder: str, page: str, output: str) -> str:
    """A page as seen from the index."""
    return Path(os.path.relpath(os.path.join(folder, page), output)).as_posix()


def worst_lines(
    result: TriageResult | None, records: Mapping[str, Record], output: str
) -> list[tuple[str, str, str, str]]:
    """Level, place, sentence and link of the worst, those that are known left out; one line for each defect."""
    pages = {(r.exposure, r.camera): link(folder, r.page, output) for folder, r in records.items() if not r.failed}
    if result is None:
        bad = [r for r in records.values() if r.level in ("fail", "warn")]
        bad.sort(key=lambda r: (LEVELS_OF_FINDINGS.index(r.level), r.exposure, r.camera))
        return [(r.level, f"{r.exposure} {r.camera}", r.text, pages[r.exposure, r.camera]) for r in bad]
    out = []
    said: set[tuple[object, ...]] = set()
    for f in result.findings:
        own = () if f.blocks or not f.fibers else (f.camera, f.amplifier, f.fibers)
        level, same = triage_level(f), (f.kind, f.first_step, f.extent, *own)
        if level == "note" or same in said:
            continue
        said.add(same)
        place = f"{f.expid:08d}", f.camera
        words = f"{f.kind}, first in {' or '.join(f.steps)}: {f.text} ({f.extent})"
        out.append((level, " ".join(place), words, pages[place]))
    out.sort(key=lambda line: LEVELS_OF_FINDINGS.index(line[0]))
    return out

"""Triage of exposures without a window: which product is the first bad one, what kind of defect, how far it reaches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ifuview.app.night.triage.chain import bad_products, read_chain
from ifuview.app.night.triage.files import CameraFiles, find_cameras, overlaid
from ifuview.app.night.triage.sum import Triaged, summed
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.files import put, told
from ifuview.model.checks import plain_value
from ifuview.model.night.triage import CLASSES, Finding, Fixed, TriageResult
from ifuview.sets import filled

Arrays = Mapping[tuple[int, str], Mapping[str, Any]]
THIN, DRAWN = 4, ("wave", "residual", "seen", "sky", "flat")
BY_FIBER = ("level", "focal_", "map ")  # one number each
MOST_NAMED = 4  # cameras in a sentence
MOST_DRAWN = 40  # findings with a picture
JSON, HTML = "triage.json", "triage.html"


def triage_camera(camera: CameraFiles, only: Sequence[str] = (), ctx: JobContext = SILENT) -> Triaged:
    """Read the products of one camera and ask every question that they allow.

    Raises
    ------
    IfuviewError
        Nothing of it can be read.
    """
    from ifuview.recipes import desi_qa

    chain, problems, tile = read_chain(camera, ctx.part(0.0, 0.4))
    from ifuview.app.night.triage.detector import with_detector

    found = desi_qa.run(chain, camera.expid, camera.camera, desi_qa.Params(tuple(only)), ctx.part(0.4, 1.0))
    found, more = with_detector(found, camera, chain, ctx, columns=not only or "ccd-column" in only)
    return Triaged(camera, found, (*problems, *more), tile, bad_products(camera, chain))


def run_triage(
    paths: Sequence[str],
    cameras: Sequence[str] = (),
    expids: Sequence[int] = (),
    after: str | None = None,
    only: Sequence[str] = (),
    jobs: int = 1,
    output: str | None = None,
    ctx: JobContext = SILENT,
) -> TriageResult:
    """Triage all cameras and exposures under `paths`.

    Parameters
    ----------
    paths : sequence of str
        Production, night, exposure folders, or products.
    cameras, expids : optional
        Only these.
    after : str, optional
        Folder of another production of the same exposures: what became of each finding.
    only : sequence of str, optional
        Of CLASSES.
    jobs : int, optional
        Processes; the result does not depend on it.
    output : str, optional
        Folder that triage.json, triage.html and the evidence are written to.
    ctx : JobContext, optional

    Raises
    ------
    MissingDataError, UsageError
        Nothing to triage; a class that does not exist.
    """
    wrong = [kind for kind in only if kind not in CLASSES]
    if wrong:
        raise UsageError(f"there is no class {wrong[0]!r}", "--only", f"choose of {', '.join(CLASSES)}")
    notes: list[str] = []
    todo = find_cameras(paths, tuple(cameras), tuple(expids), ctx, notes)
    done, problems = triage_all(todo, only, jobs, ctx.part(0.0, 0.7))
    result = replace(summed(done, problems, only), notes=tuple(dict.fromkeys(notes)))
    if after is not None:
        result = _against(result, todo, after, only, ctx.part(0.7, 0.8))
    if output is not None:
        result = write_result(result, arrays_of(done), output, ctx.part(0.8, 1.0))
    return result


def arrays_of(done: Sequence[Triaged]) -> Arrays:
    """Arrays of the evidence by exposure and camera."""
    return {(t.camera.expid, t.camera.camera): t.found.arrays for t in done if t.found.arrays}


def triage_all(
    todo: list[CameraFiles], only: Sequence[str], jobs: int, ctx: JobContext
) -> tuple[list[Triaged], list[str]]:
    """All cameras, in the order asked for; a camera that cannot be read is a sentence.

    Arrays are kept, thinned, only of cameras whose findings will be drawn: a night has thousands of cameras.
    """
    done: list[Triaged] = []
    problems: list[str] = []
    seen: set[tuple[object, ...]] = set()
    for number, one in enumerate(_each(todo, only, jobs)):
        ctx.checkpoint((number + 1) / len(todo), f"Triage of {todo[number].label}")
        if isinstance(one, str):
            problems.append(one)
            continue
        new = [f for f in one.found.findings if defect(f) not in seen]
        keep = bool(new) and len(seen) < MOST_DRAWN
        seen.update(defect(f) for f in new)
        done.append(one if keep else replace(one, found=replace(one.found, arrays={})))
    return done, problems


def _each(todo: list[CameraFiles], only: Sequence[str], jobs: int) -> Iterator[Triaged | str]:
    """Triage of one camera after the other, or of several at a time."""
    tasks = [(camera, tuple(only)) for camera in todo]
    if jobs < 2 or len(todo) < 2:
        yield from map(_task, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(min(jobs, len(todo)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_task, tasks)


def _task(task: tuple[CameraFiles, tuple[str, ...]]) -> Triaged | str:
    return judged_camera(*task)


def judged_camera(camera: CameraFiles, only: Sequence[str] = (), ctx: JobContext = SILENT) -> Triaged | str:
    """Triage of one camera with thinned arrays, or why it could not be read."""
    try:
        done = triage_camera(camera, only, ctx)
    except (IfuviewError, OSError) as problem:
        return str(problem)
    except (ValueError, ArithmeticError, LookupError, MemoryError) as problem:  # one camera must not end the night
        return f"{camera.label}: cannot be judged ({type(problem).__name__}: {problem})."
    return replace(done, found=replace(done.found, arrays=thinned(done.found.arrays)))


def thinned(arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays of the evidence with THIN pixels along wavelength as one, by their mean."""
    from ifuview.engine.night.stats import binned, continuum

    out = dict(arrays)
    if "seen" in out:
        out["seen"] = out["seen"] - continuum(out["seen"])
    by_fiber = {name: values for name, values in out.items() if values.ndim == 1 and name.startswith(BY_FIBER)}
    return {name: binned(out[name], THIN) for name in DRAWN if name in out} | by_fiber


def counterparts(
    todo: Sequence[CameraFiles], after: str, ctx: JobContext = SILENT
) -> dict[tuple[int, str], CameraFiles]:
    """Files of the same cameras in another production, by exposure and camera.

    Raises
    ------
    UsageError
        It has none of them.
    """
    there = {(c.expid, c.camera): c for c in find_cameras([after], ctx=ctx)}
    found = {key: overlaid(c, there[key]) for c in todo if (key := (c.expid, c.camera)) in there}
    if not found:
        raise UsageError("none of the exposures and cameras is there", after, "give a production of the same exposures")
    return found


def fixed_in(camera: CameraFiles, before: Sequence[Finding], only: Sequence[str] = ()) -> list[Fixed]:
    """What became of the findings of a camera in the files of another production."""
    from ifuview.engine.night.compare import compared

    triaged = triage_camera(camera, only)
    return compared(before, triaged.found.findings, triaged.found.arrays)


def _against(
    result: TriageResult, todo: list[CameraFiles], after: str, only: Sequence[str], ctx: JobContext
) -> TriageResult:
    """What became of each finding in another production."""
    again = list(counterparts(todo, after, ctx).values())
    fixed: list[Fixed] = []
    problems: list[str] = []
    for number, camera in enumerate(again):
        ctx.checkpoint(number / len(again), f"Triage of {camera.label} of the other production")
        before = [f for f in result.findings if (f.expid, f.camera) == (camera.expid, camera.camera)]
        try:
            fixed += fixed_in(camera, before, only)
        except IfuviewError as problem:
            problems.append(str(problem))
    return replace(result, fixed=tuple(fixed), problems=(*result.problems, *problems))


def write_result(result: TriageResult, arrays: Arrays, output: str, ctx: JobContext = SILENT) -> TriageResult:
    """Write triage.json, triage.html and the evidence into a folder; return the result with names of the evidence.

    Raises
    ------
    UsageError
        The folder cannot be written.
    """
    import time

    from ifuview import __version__
    from ifuview.report.night.triage import TriageReport, save_page

    with told(output, "the folder", "choose another folder"), filled(output) as folder:
        result = _with_evidence(result, arrays, folder, ctx)
        put(folder / JSON, as_json(result))
        save_page(TriageReport(result, _title(result), time.strftime("%Y-%m-%d %H:%M"), __version__), folder)
    return result


def _with_evidence(result: TriageResult, arrays: Arrays, folder: Path, ctx: JobContext) -> TriageResult:
    """Draw the worst finding of each class in each camera."""
    from ifuview.report.night.triage_pictures import FOLDER, picture

    chosen = _worth_drawing(result.findings, arrays)[:MOST_DRAWN]
    names: dict[int, str] = {}
    if chosen:
        (folder / FOLDER).mkdir(exist_ok=True)
    for number, finding in enumerate(chosen):
        ctx.checkpoint(number / len(chosen), f"Drawing {finding.expid} {finding.camera}")
        name = f"{FOLDER}/{finding.expid:08d}-{finding.camera}-{finding.kind.replace(' ', '-')}-{number}.png"
        put(folder / name, picture(finding, arrays[finding.expid, finding.camera]))
        names[id(finding)] = name
    return replace(result, findings=tuple(replace(f, evidence=names.get(id(f), "")) for f in result.findings))


def _worth_drawing(findings: Sequence[Finding], arrays: Arrays) -> list[Finding]:
    """One finding for each defect, in the first of the places that were kept."""
    seen: set[tuple[object, ...]] = set()
    out = []
    for finding in findings:
        if defect(finding) not in seen and (finding.expid, finding.camera) in arrays:
            seen.add(defect(finding))
            out.append(finding)
    return out


def defect(finding: Finding) -> tuple[object, ...]:
    """What makes a finding worth a picture of its own."""
    return finding.kind, finding.camera, finding.fibers, finding.amplifier, finding.blocks


def _title(result: TriageResult) -> str:
    """Headline of the page."""
    exposures = sorted({e for e, _ in result.cameras})
    cameras = sorted({c for _, c in result.cameras})
    if not exposures:
        return "Triage"
    which = f"exposure {exposures[0]}" if len(exposures) == 1 else f"exposures {exposures[0]} to {exposures[-1]}"
    return f"Triage of {which}, {len(cameras)} camera{'s' if len(cameras) > 1 else ''}"


def as_json(result: TriageResult) -> str:
    """The text of triage.json; what is no number is null."""
    return json.dumps(plain_value(result.as_dict()), indent=1, allow_nan=False) + "\n"


def line_of(finding: Finding) -> str:
    """One finding in one line."""
    known = " (known)" if finding.known else ""
    first = " or ".join(finding.steps)
    return f"{finding.expid} {finding.camera}  {finding.kind}{known}, first in {first}: {finding.text}"

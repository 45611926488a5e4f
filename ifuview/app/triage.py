"""Triage of exposures without a window: which product is the first bad one, what kind of defect, how far it reaches."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifuview.app.triage_chain import read_chain
from ifuview.app.triage_files import CameraFiles, find_cameras, overlaid
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.triage import CLASSES, Cause, Finding, Fixed, TriageResult

if TYPE_CHECKING:
    from argparse import Namespace

    from ifuview.recipes.desi_qa import CameraTriage

Bar = Callable[[], Any]
Arrays = Mapping[tuple[int, str], Mapping[str, Any]]
CLEAN, BAD_INPUT, FOUND = 0, 2, 3
STRAY, COUNTS = "wavelength-all", "electron / Angstrom"
THIN, DRAWN = 4, ("wave", "residual", "seen", "sky", "flat")
MOST_NAMED = 4  # cameras in a sentence
MOST_DRAWN = 40  # findings with a picture
JSON, HTML = "triage.json", "triage.html"


@dataclass(frozen=True, slots=True, eq=False)
class Triaged:
    """One camera: its files, what was found, sentences about its files."""

    camera: CameraFiles
    found: CameraTriage
    problems: tuple[str, ...] = ()
    tile: int = 0


def triage_camera(camera: CameraFiles, only: Sequence[str] = (), ctx: JobContext = SILENT) -> Triaged:
    """Read the products of one camera and ask every question that they allow.

    Raises
    ------
    IfuviewError
        Nothing of it can be read.
    """
    from ifuview.recipes import desi_qa

    chain, problems, tile = read_chain(camera, ctx.part(0.0, 0.4))
    from ifuview.app.triage_detector import with_detector

    found = desi_qa.run(chain, camera.expid, camera.camera, desi_qa.Params(tuple(only)), ctx.part(0.4, 1.0))
    found, more = with_detector(found, camera, chain, ctx)
    return Triaged(camera, found, (*problems, *more), tile)


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
    done, problems = _triage_all(todo, only, jobs, ctx.part(0.0, 0.7))
    result = replace(summed(done, problems, only), notes=tuple(dict.fromkeys(notes)))
    if after is not None:
        result = _against(result, todo, after, only, ctx.part(0.7, 0.8))
    if output is not None:
        result = write_result(result, arrays_of(done), output, ctx.part(0.8, 1.0))
    return result


def triage_with_evidence(
    paths: Sequence[str], cameras: Sequence[str] = (), expids: Sequence[int] = (), ctx: JobContext = SILENT
) -> tuple[TriageResult, Arrays]:
    """The triage and, by exposure and camera, the thinned arrays that its evidence is drawn from."""
    todo = find_cameras(paths, tuple(cameras), tuple(expids), ctx)
    done, problems = _triage_all(todo, (), 1, ctx)
    return summed(done, problems, ()), arrays_of(done)


def arrays_of(done: Sequence[Triaged]) -> Arrays:
    """Arrays of the evidence by exposure and camera."""
    return {(t.camera.expid, t.camera.camera): t.found.arrays for t in done if t.found.arrays}


def _triage_all(
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
        new = [f for f in one.found.findings if _defect(f) not in seen]
        keep = bool(new) and len(seen) < MOST_DRAWN
        seen.update(_defect(f) for f in new)
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
    """Triage of one camera with thinned arrays, or why it could not be read."""
    camera, only = task
    try:
        done = triage_camera(camera, only)
    except (IfuviewError, OSError) as problem:
        return str(problem)
    except (ValueError, ArithmeticError, LookupError, MemoryError) as problem:  # one camera must not end the night
        return f"{camera.label}: cannot be judged ({type(problem).__name__}: {problem})."
    return replace(done, found=replace(done.found, arrays=thinned(done.found.arrays)))


def thinned(arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays of the evidence with THIN pixels along wavelength as one, by their mean."""
    from ifuview.engine.triage.stats import binned, continuum

    out = dict(arrays)
    if "seen" in out:
        out["seen"] = out["seen"] - continuum(out["seen"])
    level = {"level": out["level"]} if "level" in out else {}
    return {name: binned(out[name], THIN) for name in DRAWN if name in out} | level


def summed(done: list[Triaged], problems: list[str], only: Sequence[str]) -> TriageResult:
    """Findings of all cameras, worst first, with their extent and the causes."""
    from ifuview.engine.triage.extent import Night, with_extent
    from ifuview.engine.triage.first_step import with_shared_light

    night = Night({t.camera.expid: t.tile for t in done}, tuple((t.camera.expid, t.camera.camera) for t in done))
    own = with_shared_light([f for t in done for f in t.found.findings])
    findings = with_extent([*own, *_stray_light(done, only)], night)
    findings.sort(key=lambda f: f.rank)
    return TriageResult(
        findings=tuple(findings),
        causes=_causes(findings, done),
        not_measured=tuple(n for t in done for n in t.found.not_measured),
        cameras=tuple((t.camera.expid, t.camera.camera) for t in done),
        problems=tuple(dict.fromkeys([*problems, *(p for t in done for p in t.problems)])),
    )


def _stray_light(done: list[Triaged], only: Sequence[str]) -> list[Finding]:
    """Light that all fibers and their sky model have, in one exposure and not in the others of the camera."""
    from ifuview.engine.triage.night import bumps

    if only and STRAY not in only:
        return []
    spectra: dict[tuple[str, int], dict[int, Triaged]] = {}
    for triaged in done:
        if "sky" in triaged.found.numbers:
            key = triaged.camera.camera, len(triaged.found.numbers["sky"])
            spectra.setdefault(key, {})[triaged.camera.expid] = triaged
    out = []
    for (camera, _), of in spectra.items():
        wave = next(iter(of.values())).found.numbers["sky_wave"]
        for expid, found in bumps({e: t.found.numbers["sky"] for e, t in of.items()}, wave).items():
            for bump in found:
                low, high = bump.wave_range
                text = f"The sky itself has {bump.amplitude:.0f} {COUNTS} more light at {low:.0f}-{high:.0f} A "
                text += f"({100 * bump.share:.0f} %) than in the other exposures: stray light or a lamp"
                out.append(Finding(
                    expid, camera, STRAY, "light", wave_range=bump.wave_range, amplitude=bump.amplitude, unit=COUNTS,
                    significance=bump.significance, confidence=0.6 if len(of) == 2 else 0.8, text=text,
                ))  # fmt: skip
    return out


def _causes(findings: Sequence[Finding], done: list[Triaged]) -> tuple[Cause, ...]:
    """The seven causes of the worst finding of each kind and first step."""
    from ifuview.engine.triage.causes import NEEDS_CAUSES, causes

    numbers = {(t.camera.expid, t.camera.camera): t.found.numbers for t in done}
    worst: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        if finding.kind in NEEDS_CAUSES:
            worst.setdefault((finding.kind, finding.first_step), finding)
    return tuple(c for f in worst.values() for c in causes(f, numbers[f.expid, f.camera]))


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
    from ifuview.engine.triage.compare import compared

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
    from ifuview.report.triage import TriageReport, save_page

    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        result = _with_evidence(result, arrays, folder, ctx)
        _put(folder / JSON, as_json(result))
        save_page(TriageReport(result, _title(result), time.strftime("%Y-%m-%d %H:%M"), __version__), folder)
    except OSError as problem:
        text = f"the folder cannot be written ({problem.strerror})"
        raise UsageError(text, output, "choose another folder") from problem
    return result


def _with_evidence(result: TriageResult, arrays: Arrays, folder: Path, ctx: JobContext) -> TriageResult:
    """Draw the worst finding of each class in each camera."""
    from ifuview.report.doctor_pages import replaced
    from ifuview.report.triage import FOLDER, picture

    chosen = _worth_drawing(result.findings, arrays)[:MOST_DRAWN]
    names: dict[int, str] = {}
    if chosen:
        (folder / FOLDER).mkdir(exist_ok=True)
    for number, finding in enumerate(chosen):
        ctx.checkpoint(number / len(chosen), f"Drawing {finding.expid} {finding.camera}")
        name = f"{FOLDER}/{finding.expid:08d}-{finding.camera}-{finding.kind.replace(' ', '-')}-{number}.png"
        replaced(folder / name, picture(finding, arrays[finding.expid, finding.camera]))
        names[id(finding)] = name
    return replace(result, findings=tuple(replace(f, evidence=names.get(id(f), "")) for f in result.findings))


def _worth_drawing(findings: Sequence[Finding], arrays: Arrays) -> list[Finding]:
    """One finding for each defect, in the first of the places that were kept."""
    seen: set[tuple[object, ...]] = set()
    out = []
    for finding in findings:
        if _defect(finding) not in seen and (finding.expid, finding.camera) in arrays:
            seen.add(_defect(finding))
            out.append(finding)
    return out


def _defect(finding: Finding) -> tuple[object, ...]:
    """What makes a finding worth a picture of its own."""
    return finding.kind, finding.camera, finding.fibers, finding.amplifier, finding.blocks


def _title(result: TriageResult) -> str:
    """Headline of the page."""
    exposures = sorted({e for e, _ in result.cameras})
    cameras = sorted({c for _, c in result.cameras})
    which = f"exposure {exposures[0]}" if len(exposures) == 1 else f"exposures {exposures[0]} to {exposures[-1]}"
    return f"Triage of {which}, {len(cameras)} camera{'s' if len(cameras) > 1 else ''}" if exposures else "Triage"


def _put(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def as_json(result: TriageResult) -> str:
    """The text of triage.json."""
    return json.dumps(result.as_dict(), indent=1, default=float) + "\n"


def main(argv: list[str], bar: Bar | None = None) -> int:
    """Run `ifuview triage`.

    Parameters
    ----------
    argv : list of str
        Without the names of program and command.
    bar : callable, optional
        Makes a progress bar; used on a terminal only.

    Returns
    -------
    int
        0 clean, 3 findings, 2 bad input.
    """
    chosen = _parsed(argv)
    if isinstance(chosen, int):
        return chosen
    if chosen.output is None and not chosen.json:
        raise UsageError("nowhere to write to", "ifuview triage", "give -o DIR, or --json -")
    shown = bar() if bar is not None and not chosen.quiet and sys.stderr.isatty() else None
    try:
        result = run_triage(
            chosen.paths, words(chosen.camera), _numbers(chosen.expid), chosen.after, words(chosen.only), chosen.jobs,
            chosen.output, JobContext(shown),
        )  # fmt: skip
    finally:
        if shown is not None:
            shown.close()
    if chosen.json == "-":
        print(as_json(result), end="")
    elif chosen.json:
        _put(Path(chosen.json), as_json(result))
    if not chosen.quiet and chosen.json != "-":
        print(spoken(result))
    if result.problems and not chosen.quiet:
        print("\n".join(result.problems), file=sys.stderr)
    return code(result, words(chosen.only))


def code(result: TriageResult, only: Sequence[str] = ()) -> int:
    """The exit code: 2 also where of no camera anything could be asked."""
    if result.findings:
        return FOUND
    unasked = Counter((n.expid, n.camera) for n in result.not_measured if n.what in CLASSES)
    nothing = all(unasked[place] >= max(len(only) or len(CLASSES), 1) for place in result.cameras)
    return BAD_INPUT if nothing else CLEAN


def spoken(result: TriageResult) -> str:
    """The result as lines for a terminal."""
    lines = [f"{line_of(f)}" for f in result.findings]
    lines += [f"{f.status}: {f.text}" for f in result.fixed]
    if any(n.what in CLASSES for n in result.not_measured):
        lines.append(unmeasured(result))
    elif not lines:
        lines.append("clean: nothing found")
    return "\n".join(lines)


def unmeasured(result: TriageResult) -> str:
    """What could not be asked, and what is missing for it."""
    lost = [n for n in result.not_measured if n.what in CLASSES]
    lacking = dict.fromkeys(n.missing for n in lost)
    places = dict.fromkeys(f"{n.expid} {n.camera}" for n in lost)
    kinds = dict.fromkeys(n.what for n in lost)
    where = ", ".join(list(places)[:MOST_NAMED]) + ", ..." * (len(places) > MOST_NAMED)
    begin = "" if result.findings else "nothing found, but not clean: "
    missing = "; ".join(lacking)
    return f"{begin}{len(kinds)} of {len(CLASSES)} classes could not be measured for {where} (missing: {missing})"


def line_of(finding: Finding) -> str:
    """One finding in one line."""
    known = " (known)" if finding.known else ""
    return f"{finding.expid} {finding.camera}  {finding.kind}{known}, first in {finding.first_step}: {finding.text}"


def words(text: str) -> tuple[str, ...]:
    """Names of a list with commas."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _numbers(text: str) -> tuple[int, ...]:
    """Exposure numbers of a list with commas."""
    out = []
    for word in words(text):
        if not word.isdecimal():
            raise UsageError(f"{word!r} is no exposure number", "--expid", "give numbers such as 104284,104285")
        out.append(int(word))
    return tuple(out)


def _parsed(argv: list[str]) -> Namespace | int:
    """Arguments, or the exit code if argparse has said all."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="ifuview triage",
        description="Which product of each camera is the first bad one, what kind of defect, how far it reaches.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="production, night, exposure folder, or a product")
    parser.add_argument("--camera", metavar="C,...", default="", help="only these cameras, for example r6,r8")
    parser.add_argument("--expid", metavar="N,...", default="", help="only these exposures")
    parser.add_argument("--after", metavar="DIR", help="another production: what became of each finding")
    parser.add_argument("--only", metavar="CLASS,...", default="", help=f"of {', '.join(CLASSES)}; default all")
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="processes; the result does not depend on it")
    parser.add_argument("--json", metavar="FILE", help="write triage.json there too; - is stdout")
    parser.add_argument("--quiet", action="store_true", help="say nothing")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder of the results")
    try:
        return parser.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)

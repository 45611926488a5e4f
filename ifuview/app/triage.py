"""Triage of exposures without a window: which product is the first bad one, what kind of defect, how far it reaches."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifuview.app.triage_files import CameraFiles, find_cameras, read_chain
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.triage import CLASSES, Finding, TriageResult

if TYPE_CHECKING:
    from argparse import Namespace

    from ifuview.recipes.desi_qa import CameraTriage

Bar = Callable[[], Any]
CLEAN, BAD_INPUT, FOUND = 0, 2, 3
JSON, HTML = "triage.json", "triage.html"


@dataclass(frozen=True, slots=True, eq=False)
class Triaged:
    """One camera: its files, what was found, sentences about its files."""

    camera: CameraFiles
    found: CameraTriage
    problems: tuple[str, ...] = ()


def triage_camera(camera: CameraFiles, only: Sequence[str] = (), ctx: JobContext = SILENT) -> Triaged:
    """Read the products of one camera and ask every question that they allow.

    Raises
    ------
    IfuviewError
        Nothing of it can be read.
    """
    from ifuview.recipes import desi_qa

    chain, problems = read_chain(camera, ctx.part(0.0, 0.4))
    found = desi_qa.run(chain, camera.expid, camera.camera, desi_qa.Params(tuple(only)), ctx.part(0.4, 1.0))
    return Triaged(camera, found, problems)


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
    todo = find_cameras(paths, tuple(cameras), tuple(expids), ctx)
    done, problems = _triage_all(todo, only, jobs, ctx.part(0.0, 0.7))
    result = _summed(done, problems)
    if after is not None:
        result = _against(result, todo, after, only, ctx.part(0.7, 0.8))
    if output is not None:
        result = write(result, done, output, ctx.part(0.8, 1.0))
    return result


def _triage_all(
    todo: list[CameraFiles], only: Sequence[str], jobs: int, ctx: JobContext
) -> tuple[list[Triaged], list[str]]:
    """All cameras, in the order asked for; a camera that cannot be read is a sentence."""
    done: list[Triaged] = []
    problems: list[str] = []
    for number, camera in enumerate(todo):
        ctx.checkpoint(number / len(todo), f"Triage of {camera.label}")
        try:
            done.append(triage_camera(camera, only))
        except IfuviewError as problem:
            problems.append(str(problem))
    return done, problems


def _summed(done: list[Triaged], problems: list[str]) -> TriageResult:
    """Findings of all cameras, worst first, with their extent and the causes."""
    findings = [f for t in done for f in t.found.findings]
    return TriageResult(
        findings=tuple(sorted(findings, key=lambda f: f.rank)),
        not_measured=tuple(n for t in done for n in t.found.not_measured),
        cameras=tuple((t.camera.expid, t.camera.camera) for t in done),
        problems=tuple(dict.fromkeys([*problems, *(p for t in done for p in t.problems)])),
    )


def _against(
    result: TriageResult, todo: list[CameraFiles], after: str, only: Sequence[str], ctx: JobContext
) -> TriageResult:
    """What became of each finding in another production."""
    raise NotImplementedError


def write(result: TriageResult, done: list[Triaged], output: str, ctx: JobContext = SILENT) -> TriageResult:
    """Write triage.json, triage.html and the evidence into a folder; return the result with names of the evidence."""
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"the folder cannot be written ({problem.strerror})", output, "choose another") from problem
    _put(folder / JSON, as_json(result))
    return result


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
    if not result.cameras:
        return BAD_INPUT
    return FOUND if result.findings else CLEAN


def spoken(result: TriageResult) -> str:
    """The result as lines for a terminal."""
    lines = [f"{line_of(f)}" for f in result.findings] or ["clean: nothing found"]
    lines += [f"{f.status}: {f.text}" for f in result.fixed]
    return "\n".join(lines)


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

"""`ifuview triage`: the first bad product of every camera; numbers, a page and pictures."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence

from ifuview.app.night.triage.run import MOST_NAMED, as_json, defect, line_of, run_triage
from ifuview.commands.said import Said, count, exposures, json_to, names
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.exit_codes import BAD_INPUT, FOUND, OK
from ifuview.files import check_folder
from ifuview.model.night.triage import CLASSES, ENOUGH, Finding, Judged, TriageResult


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.add_argument("paths", nargs="+", metavar="PATH", help="production, night, exposure folder, or a product")
    add_choice(out)
    out.add_argument("--after", metavar="DIR", help="another production: what became of each finding")
    out.add_argument(
        "--only", metavar="CLASS,...", type=names, default=(), help=f"of {', '.join(CLASSES)}; default all"
    )
    out.add_argument("--jobs", metavar="N", type=count, default=1, help="processes; the result does not depend on it")
    out.add_argument("--json", metavar="FILE", help="write triage.json there too; - is stdout")
    out.add_argument("--quiet", action="store_true", help="say nothing")
    out.add_argument("-o", "--output", metavar="DIR", help="folder of the results")


def add_choice(out: ArgumentParser) -> None:
    """Add the options that choose cameras and exposures of a night."""
    out.add_argument("--camera", metavar="C,...", type=names, default=(), help="only these cameras, such as r6,r8")
    out.add_argument("--expid", metavar="N,...", type=exposures, default=(), help="only these exposures")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Triage; exit code 0 clean, 3 findings, 2 where nothing could be asked."""
    if chosen.output is None and not chosen.json:
        raise UsageError("nowhere to write to", "triage", "give -o DIR, or --json -")
    if chosen.output:
        check_folder(chosen.output)  # before anything is judged
    result = run_triage(
        chosen.paths, chosen.camera, chosen.expid, chosen.after, chosen.only, chosen.jobs, chosen.output, ctx
    )
    numbers = json_to(chosen.json, as_json(result))
    if chosen.quiet:
        return Said(numbers, code=code(result, chosen.only))
    return Said(numbers or spoken(result), result.problems, code(result, chosen.only))


def code(result: TriageResult, only: Sequence[str] = ()) -> int:
    """The exit code: 2 where of no camera anything could be asked, 3 also where products are bad or much is masked."""
    if result.findings:
        return FOUND
    unasked = Counter((n.expid, n.camera) for n in result.not_measured if n.what in CLASSES)
    nothing = all(unasked[place] >= max(len(only) or len(CLASSES), 1) for place in result.cameras)
    if nothing:
        return BAD_INPUT
    return OK if all(j.share >= ENOUGH if only else j.whole for j in result.judged) else FOUND


def spoken(result: TriageResult) -> str:
    """The result as lines for a terminal."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in result.findings:
        groups.setdefault(defect(finding), []).append(finding)
    lines = [line_of(group[0]) + also(group) for group in groups.values()]
    lines += [f"{f.status}: {f.text}" for f in result.fixed]
    if any(n.what in CLASSES for n in result.not_measured):
        lines.append(unmeasured(result))
    elif not lines:
        lines += [not_whole(j) for j in result.judged if not j.whole]
    if not lines:
        hidden = dict.fromkeys(f"; {n.what} cannot be seen without {n.missing}" for n in result.not_measured)
        lines.append(f"clean: nothing found{''.join(hidden)}")
    return "\n".join(lines)


def not_whole(judged: Judged) -> str:
    """What the verdict on a camera lacks."""
    known = round(judged.share * judged.fibers)
    lacks = [*judged.bad] + ([f"only {known} of {judged.fibers} fibers are known"] if judged.share < ENOUGH else [])
    return f"{judged.expid} {judged.camera}: nothing found, but not clean: {'; '.join(lacks)}"


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


def also(group: Sequence[Finding]) -> str:
    """In which other exposures the same was found."""
    others = sorted({f.expid for f in group[1:]} - {group[0].expid})
    if not others:
        return ""
    named = ", ".join(str(n) for n in others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
    return f" (the same in {len(others)} other exposure{'s' if len(others) > 1 else ''}: {named})"

"""`ifuview triage`: its options, its words on the terminal and its exit code."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifuview.app.night.triage import MOST_NAMED, as_json, defect, line_of, put, run_triage
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.model.night.triage import CLASSES, Finding, TriageResult

if TYPE_CHECKING:
    from argparse import Namespace

Bar = Callable[[], Any]
CLEAN, BAD_INPUT, FOUND = 0, 2, 3


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
    if chosen.jobs < 1:
        raise UsageError(f"{chosen.jobs} processes cannot do anything", "--jobs", "give 1 or more")
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
        put(Path(chosen.json), as_json(result))
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
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in result.findings:
        groups.setdefault(defect(finding), []).append(finding)
    lines = [line_of(group[0]) + also(group) for group in groups.values()]
    lines += [f"{f.status}: {f.text}" for f in result.fixed]
    if any(n.what in CLASSES for n in result.not_measured):
        lines.append(unmeasured(result))
    elif not lines:
        hidden = dict.fromkeys(f"; {n.what} cannot be seen without {n.missing}" for n in result.not_measured)
        lines.append(f"clean: nothing found{''.join(hidden)}")
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


def also(group: Sequence[Finding]) -> str:
    """In which other exposures the same was found."""
    others = sorted({f.expid for f in group[1:]} - {group[0].expid})
    if not others:
        return ""
    named = ", ".join(str(n) for n in others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
    return f" (the same in {len(others)} other exposure{'s' if len(others) > 1 else ''}: {named})"


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

"""Cameras of a watched folder: when each is asked what is wrong with it, and how the answers are gathered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from ifuview.app.night.open_night import has
from ifuview.app.night.state import Place, TriageState
from ifuview.engine.context import SILENT, JobContext
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.night.triage import TriageResult

Camera = tuple[int, str]  # exposure and camera

QUIET_LOOKS = 3  # looks without a new file after which a camera that lacks products is asked all the same


def due(
    index: ExposureIndex, waiting: Mapping[Camera, int], places: tuple[Place, ...]
) -> tuple[tuple[Camera, ...], dict[Camera, int]]:
    """Which cameras to ask now, and how many looks the others have been quiet.

    A camera is asked once when its set is whole, or when nothing new has come for a while; what comes later asks again.

    Parameters
    ----------
    index : ExposureIndex
    waiting : mapping of (exposure, camera) to int
        Looks since the last new file of each.
    places : tuple of Place
        New, whole products of this look.
    """
    new = {(p.expid, p.camera) for p in places if p.product in index.chain.judged}
    quiet = {c: 0 if c in new else waiting.get(c, 0) + 1 for c in dict.fromkeys((*waiting, *sorted(new)))}
    asked = tuple(c for c, looks in quiet.items() if _ready(index, c, looks))
    return asked, {c: looks for c, looks in quiet.items() if c not in asked and looks < QUIET_LOOKS}


def _ready(index: ExposureIndex, camera: Camera, looks: int) -> bool:
    """Whether a camera has all it will have, as far as can be told."""
    whole = index.chain.judged  # with these it will get nothing more to judge
    there = {p for p in whole if has(index, *camera, p)}
    return len(there) == len(whole) or (looks >= QUIET_LOOKS and not there.isdisjoint(index.chain.made))


def triage_of(
    index: ExposureIndex, expid: int, camera: str, ctx: JobContext = SILENT, results: str = ""
) -> TriageState:
    """Ask one camera; with `results`, the report is written to EXPOSURE/CAMERA in that folder."""
    from ifuview.app.night.triage.run import triage_with_evidence, write_result

    result, arrays = triage_with_evidence((index.folder,), (camera,), (expid,), ctx, (index,))
    if results:
        write_result(result, arrays, os.path.join(results, f"{expid:08d}", camera), ctx)
    return TriageState(result, arrays, f"what arrived in {os.path.basename(index.folder)}")


def gathered(before: TriageState | None, new: TriageState) -> TriageState:
    """What was found so far with the answer of one more camera; that of the same camera before is replaced."""
    from ifuview.engine.night.problems import grouped

    if before is None:
        return replace(new, groups=grouped(new.result.findings))
    again = set(new.result.cameras)
    old, late = before.result, new.result
    findings = [f for f in old.findings if (f.expid, f.camera) not in again]
    result = TriageResult(
        findings=tuple(sorted((*findings, *late.findings), key=lambda f: f.rank)),
        causes=(*old.causes, *(c for c in late.causes if c not in old.causes)),
        not_measured=(*(n for n in old.not_measured if (n.expid, n.camera) not in again), *late.not_measured),
        fixed=old.fixed,
        cameras=(*(c for c in old.cameras if c not in again), *late.cameras),
        problems=tuple(dict.fromkeys((*old.problems, *late.problems))),
        notes=tuple(dict.fromkeys((*old.notes, *late.notes))),
    )
    arrays = {c: a for c, a in before.arrays.items() if c not in again} | dict(new.arrays)
    scope = before.scope if new.scope in before.scope else f"{before.scope} and {new.scope}"
    return replace(before, result=result, arrays=arrays, scope=scope, groups=grouped(result.findings))


def lines(state: TriageState) -> tuple[str, ...]:
    """What to say of one camera, a line for each finding, the worst first; that there is nothing, if there is."""
    from ifuview.app.night.triage.run import line_of

    found = state.result.findings
    if found:
        return tuple(line_of(finding) for finding in found)
    names = ", ".join(f"{expid} {camera}" for expid, camera in state.result.cameras)
    lacking = len(state.result.not_measured) + len(state.result.problems)
    more = f"; {lacking} question{'s' * (lacking != 1)} could not be asked" if lacking else ""
    return (f"{names}: nothing found{more}",) if names else tuple(state.result.problems)

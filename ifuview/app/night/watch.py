"""Cameras of a watched folder: when each is asked what is wrong with it, and how the answers are gathered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ifuview.app.night.open_night import has
from ifuview.app.night.state import Place, TriageState
from ifuview.engine.context import SILENT, JobContext
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.night.triage import Finding

if TYPE_CHECKING:
    from ifuview.app.night.triage.sum import Triaged

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


def ask(index: ExposureIndex, expid: int, camera: str, ctx: JobContext = SILENT, results: str = "") -> Triaged | str:
    """Ask one camera; with `results`, the report is written to EXPOSURE/CAMERA in that folder."""
    from ifuview.app.night.triage.files import find_cameras
    from ifuview.app.night.triage.run import arrays_of, judged_camera, write_result
    from ifuview.app.night.triage.sum import summed

    (files,) = find_cameras((index.folder,), (camera,), (expid,), ctx, indexes=(index,))
    one = judged_camera(files, ctx=ctx)
    if results:
        done, unread = ([], [one]) if isinstance(one, str) else ([one], [])
        write_result(summed(done, unread, ()), arrays_of(done), os.path.join(results, f"{expid:08d}", camera), ctx)
    return one


def lines(state: TriageState, one: Triaged | str) -> tuple[str, ...]:
    """What to say of a camera, a line for each finding, the worst first; that there is nothing, if there is."""
    from ifuview.app.night.triage.run import line_of

    if isinstance(one, str):
        return (one,)
    own = one.camera.expid, one.camera.camera
    found = findings_of(state, one)
    if found:
        return tuple(line_of(finding) for finding in found)
    lacking = sum((n.expid, n.camera) == own for n in state.result.not_measured) + len(one.problems)
    more = f"; {lacking} question{'s' * (lacking != 1)} could not be asked" if lacking else ""
    return (f"{one.camera.label}: nothing found{more}",)


def findings_of(state: TriageState, one: Triaged | str) -> list[Finding]:
    """What was found in a camera, the worst first."""
    own = ("", "") if isinstance(one, str) else (one.camera.expid, one.camera.camera)
    return [finding for finding in state.result.findings if (finding.expid, finding.camera) == own]

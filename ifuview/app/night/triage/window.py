"""What the worker does for the triage in the window, and where each finding lies on the canvas."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.look import ViewState
from ifuview.app.night import open_night
from ifuview.app.night.state import Place, TriageState
from ifuview.app.session import Session, Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.model.night.triage import Finding

if TYPE_CHECKING:
    from ifuview.app.night.triage.growing import Answers

AROUND = (1.4, 2.0)  # times the fibers and the wavelengths of a finding that are seen with it
LEAST = (24.0, 60.0)  # fibers and pixels that are shown at least


def request(session: Session, scope: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...], str]:
    """Paths, cameras, exposures and words of what is to be looked at.

    Raises
    ------
    UsageError
        Nothing of a production is open.
    """
    now = session.night
    slot = session.slot()
    if now is None:
        if slot is None:
            raise UsageError("no night is open", todo="open the folder of a production, a night or an exposure")
        if scope == "camera":
            return (slot.dataset.path,), (), (), slot.title
        what = "the exposure of" if scope == "exposure" else "all that lies beside"
        return (os.path.dirname(slot.dataset.path),), (), (), f"{what} {slot.title}"
    folder = now.index.folder
    name = os.path.basename(folder) or folder
    place = open_night.here(session)
    if scope == "night" or place is None:
        return (folder,), (), (), name
    if scope == "camera":
        return (folder,), (place.camera,), (place.expid,), f"{place.expid} {place.camera} of {name}"
    return (folder,), (), (place.expid,), f"exposure {place.expid} of {name}"


def run(session: Session, scope: str, ctx: JobContext = SILENT) -> Answers:
    """Triage of the current camera, its exposure or the whole folder; the whole of a folder stands alone."""
    from ifuview.app.night.triage.files import find_cameras
    from ifuview.app.night.triage.growing import answers
    from ifuview.app.night.triage.run import triage_all

    paths, cameras, expids, words = request(session, scope)
    slot = session.slot()
    if session.night is None and scope == "exposure" and slot is not None:
        expids = tuple(camera.expid for camera in find_cameras((slot.dataset.path,), ctx=ctx))
    indexes = () if session.night is None else (session.night.index,)
    done, unread = triage_all(find_cameras(paths, cameras, expids, ctx, indexes=indexes), (), 1, ctx)
    before = None if scope == "night" else session.triage
    return answers(before, (*done, *unread), words)


def export(state: TriageState, folder: str, ctx: JobContext = SILENT) -> str:
    """Write triage.json, triage.html and the evidence into a new folder inside `folder`; return its path."""
    from ifuview.app.night.triage.run import write_result

    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in state.scope) or "night"
    target = os.path.join(folder, f"{name}-triage")
    write_result(state.result, state.arrays, target, ctx)
    return target


def places(session: Session, finding: Finding) -> tuple[Place, ...]:
    """The two products between which a finding appears, or the one that is there; () if there is no night."""
    if session.night is None:
        return ()
    index = session.night.index
    chain = index.chain
    pairs = [tuple(pair.split()) for pair in chain.seen_between.get(finding.first_step, ())]
    for products in (*pairs, *((product,) for product in chain.first if product != chain.detector)):
        if all(open_night.has(index, finding.expid, finding.camera, product) for product in products):
            return tuple(Place(finding.expid, finding.camera, product) for product in products)
    return ()


def view_of(slot: Slot, finding: Finding) -> ViewState:
    """The part of a fiber x wavelength image that holds a finding, as large as the canvas."""
    count, width = slot.image.shape
    first, last = (min(finding.fibers), max(finding.fibers)) if finding.fibers else (0, count - 1)
    low, high = 0.0, float(width - 1)
    wave = slot.image.wave
    if finding.wave_range is not None and wave is not None and np.ndim(wave) == 1:
        low, high = (float(np.interp(w, wave, np.arange(width))) for w in finding.wave_range)
    across, along = (max(f * s, least) / 2 for f, s, least in zip(AROUND, (last - first + 1, high - low), LEAST))
    x, y = (low + high) / 2, (first + last) / 2
    corners = (max(x - along, -0.5), max(y - across, -0.5), min(x + along, width - 0.5), min(y + across, count - 0.5))
    return replace(slot.view, aspect=0.0, fit=True, part=corners)

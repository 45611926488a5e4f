"""What the triage says of one fiber, or of all, in one product: the worst first, what was asked, or why nothing was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ifuview.app.night.state import TriageState
from ifuview.app.night.views.verdict import amount_of, fibers_of, is_wrong, kind_words, spans_of, step_words, words_of
from ifuview.app.session import Session
from ifuview.engine.context import SILENT, JobContext
from ifuview.model.frames.report import VerdictLine
from ifuview.model.night.triage import Finding
from ifuview.model.verdict import VerdictState

if TYPE_CHECKING:
    from ifuview.app.night.triage.files import CameraFiles
    from ifuview.model.figure import Figure

TITLE = "Exposure"
MOST = 4  # findings on a page


def asked(session: Session, path: str, ctx: JobContext = SILENT) -> Session:
    """The session with the camera of a product judged, where that was not done yet."""
    from ifuview.app.night.judging import FindCameras
    from ifuview.app.night.triage.growing import answers
    from ifuview.app.night.triage.run import judged_camera

    state = session.triage
    if state is not None and _camera(state, path) is not None:
        return session
    cameras = [c for c in FindCameras(title="", path=path).run(session, ctx) if path in c.files.values()]
    if not cameras:
        return session
    one = judged_camera(cameras[0], ctx=ctx)
    return replace(session, triage=answers(state, (one,), cameras[0].label).after)


def findings(state: TriageState, path: str, fiber: int | None) -> list[Finding]:
    """What was found in a fiber of the camera of a product, the worst first; None: in all of its fibers."""
    camera = _camera(state, path)
    if camera is None:
        return []
    own = [f for f in state.result.findings if (f.expid, f.camera) == (camera.expid, camera.camera)]
    return sorted(
        (f for f in own if fiber is None or not f.fibers or fiber in f.fibers), key=lambda f: (not is_wrong(f), f.rank)
    )


def worst_fiber(state: TriageState | None, path: str) -> int | None:
    """A fiber of the worst that is wrong in the camera of a product; None: nothing is, or it is in no fiber."""
    found = [] if state is None else findings(state, path, None)
    fibers = found[0].fibers if found and is_wrong(found[0]) else ()
    return fibers[len(fibers) // 2] if fibers else None


def lines(state: TriageState | None, path: str, fiber: int | None) -> tuple[VerdictLine, ...]:
    """The verdict on a fiber, or on all of them, a line for each finding."""
    camera = None if state is None else _camera(state, path)
    if state is None or camera is None:
        why = "its exposure was not asked" if state is None or not state.unread else state.unread[0]
        return (VerdictLine(VerdictState.NOT_JUDGED, TITLE, why),)
    found = findings(state, path, fiber)
    if found:
        return tuple(_line(state, finding) for finding in found[:MOST])
    of = f"camera {camera.camera} of exposure {camera.expid}"
    judged = next((j for j in state.result.judged if (j.expid, j.camera) == (camera.expid, camera.camera)), None)
    which = "any" if fiber is None else "this"
    if judged is None or fiber in judged.masked:
        return (VerdictLine(VerdictState.NOT_JUDGED, TITLE, f"nothing is known of {which} fiber in {of}"),)
    lacking = sum((n.expid, n.camera) == (camera.expid, camera.camera) for n in state.result.not_measured)
    text = f"{of} was judged and nothing was found in {which} fiber"
    text += f"; {lacking} question{'s' * (lacking != 1)} could not be asked" if lacking else ""
    return (VerdictLine(VerdictState.CLEAN if judged.whole else VerdictState.LOOK, TITLE, text),)


def evidence(state: TriageState | None, path: str, fiber: int | None) -> Figure | None:
    """What shows the worst that was found in a fiber, or in all of them."""
    from ifuview.report.night.evidence import of_finding

    found = [] if state is None else findings(state, path, fiber)
    if state is None or not found:
        return None
    worst = found[0]
    shown = of_finding(worst, state.arrays.get((worst.expid, worst.camera)) or {})
    return None if shown is None else replace(shown, title=kind_words(worst).capitalize())


def _line(state: TriageState, finding: Finding) -> VerdictLine:
    level = VerdictState.WRONG if is_wrong(finding) else VerdictState.LOOK
    sure = f"{finding.significance:.0f} sigma" if finding.significance else ""
    known = "known before" if finding.known else ""
    facts = ", ".join(filter(None, (fibers_of(state, finding), spans_of([finding]), amount_of(finding), sure, known)))
    return VerdictLine(level, f"{step_words(finding)}: {kind_words(finding)}", f"{facts}. {words_of(state, finding)}.")


def _camera(state: TriageState, path: str) -> CameraFiles | None:
    """The camera that was asked and that a product is of."""
    return next((t.camera for t in state.done if path in t.camera.files.values()), None)

"""The verdict on the amplifiers of a raw night in words, and the color of each detector in the list of exposures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ifuview.app.night.state import AmplifierKey, HealthState
from ifuview.app.night.views.heat import CameraVerdict
from ifuview.app.session import Session
from ifuview.engine.ccd.health import AmplifierHealth
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.verdict import VerdictProblem, VerdictState, VerdictView

DOT = " \u00b7 "
STEP = "read-out"
LOOKED_AT = "saturation, counts of zero, bits that do not change"
MANY = 6  # exposures that are written out


def make(session: Session) -> VerdictView | None:
    """The bar of a raw night; None where none is open."""
    night, state = session.night, session.health
    if night is None or night.index.raw_night is None:
        return None
    if state is None or state.night is not night.index:
        return VerdictView(VerdictState.NOT_JUDGED, "not judged", "no amplifier of this folder has been asked")
    count, left = len(state.found), len(state.todo)
    running = bool(left) and not state.stopped
    asked = Counter((key.camera, key.name) for key in state.found)
    found = tuple(_problem(state, night.index, keys, number, asked) for number, keys in enumerate(state.groups))
    number = state.problem if 0 <= state.problem < len(found) else 0 if found else -1
    shown = found[number] if number >= 0 else None
    unread = f", {len(state.unread)} unread" if state.unread else ""
    stopped = ", stopped" if state.stopped and left else ""
    overall = _overall(state, found, running)
    return VerdictView(
        state=overall if shown is None or overall is VerdictState.JUDGING else shown.state,
        headline=_nothing(state, running) if shown is None else shown.headline,
        detail=_numbers(state) if shown is None else shown.detail,
        judged=f"judged {count} of {count + left + len(state.unread)} amplifiers by their read-out{unread}{stopped}",
        problems=found,
        problem=number,
        fraction=count / max(count + left, 1) if running else None,
    )


def of_one(one: AmplifierHealth) -> VerdictView:
    """The bar of an amplifier that was opened alone."""
    name, clean = one.read.amplifier, one.state is VerdictState.CLEAN
    return VerdictView(
        one.state,
        f"read-out: nothing wrong in amplifier {name}" if clean else f"AMPLIFIER {name} {one.state}: {one.text}",
        f"{one.text}, {LOOKED_AT}" if clean else "",
        "judged by its read-out alone; an exposure or a night opens as a folder",
    )


def _overall(state: HealthState, found: tuple[VerdictProblem, ...], running: bool) -> VerdictState:
    if any(problem.state is VerdictState.WRONG for problem in found):
        return VerdictState.WRONG
    if running:
        return VerdictState.JUDGING
    if not state.found:
        return VerdictState.NOT_JUDGED
    whole = not (found or state.unread or state.todo)
    return VerdictState.CLEAN if whole else VerdictState.LOOK


def _nothing(state: HealthState, running: bool) -> str:
    if not state.found:
        return f"not judged: {state.unread[0]}" if state.unread else "amplifiers are being asked"
    return f"read-out: nothing wrong {'so far ' if running else ''}in {len(state.found)} amplifiers"


def _numbers(state: HealthState) -> str:
    """What was looked at, with its range."""
    noise = [one.read.noise for one in state.found.values()]
    if not noise:
        return ""
    return f"read noise {min(noise):.1f}\u2013{max(noise):.1f} e, {LOOKED_AT}"


def _problem(
    state: HealthState, index: ExposureIndex, keys: tuple[AmplifierKey, ...], number: int,
    asked: Mapping[tuple[str, str], int],
) -> VerdictProblem:  # fmt: skip
    """One amplifier in words; `asked` are the exposures in which each was looked at."""
    worst = min((state.found[key] for key in keys), key=lambda one: tuple(VerdictState).index(one.state))
    first = keys[0]
    names = [index.name(key.expid) for key in keys]
    where = " ".join(names) if len(names) <= MANY else f"{len(names)} exposures"
    of = asked[first.camera, first.name]
    return VerdictProblem(
        worst.state, STEP, f"AMPLIFIER {first.camera} {first.name} {worst.state}: {worst.text}{DOT}{where}",
        f"in {len(keys)} of its {of} exposures that were asked; nothing is taken from it by a reduction"
        if worst.state is VerdictState.WRONG
        else f"in {len(keys)} of its {of} exposures that were asked",
        (number,),
    )  # fmt: skip


def verdicts(state: HealthState | None, index: ExposureIndex) -> Mapping[tuple[int, str], CameraVerdict]:
    """Verdict of each detector in each exposure: the worst of its amplifiers."""
    if state is None or state.night is not index:
        return {}
    order = tuple(VerdictState)
    out: dict[tuple[int, str], CameraVerdict] = {}
    for key, one in state.found.items():
        text = f"{key.name}: {one.text}"
        known = out.get((key.expid, key.camera))
        if known is None:
            out[key.expid, key.camera] = CameraVerdict(one.state, text=text)
        else:
            level = min(known.state, one.state, key=order.index)
            out[key.expid, key.camera] = CameraVerdict(level, text=f"{known.text}\n{text}")
    return out
